use std::fmt;

use tokio_util::sync::CancellationToken;

use crate::{git::Repository, observe::Observer, policy::CredentialProvider, proof::Hmac};

/// What a dry run is lent: nothing of it is kept.
#[derive(Clone, Copy)]
pub struct DryRunContext<'a> {
    /// The repository that has the plan's revision.
    pub repository: &'a Repository,
    /// Who hands out credentials, for planning only.
    pub credentials: &'a dyn CredentialProvider,
    /// The key under which sensitive values enter fingerprints; that of the store that approvals are kept in
    /// ([`Store::hmac`](crate::store::Store::hmac)), since fingerprints under different keys do not compare.
    pub hmac: &'a Hmac,
    /// Ends the dry run: tools get one SIGINT, and what has not begun is skipped.
    pub cancel: &'a CancellationToken,
    /// Who is told what happens.
    pub observer: &'a dyn Observer,
}

impl fmt::Debug for DryRunContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DryRunContext").field("repository", &self.repository.root()).finish_non_exhaustive()
    }
}
