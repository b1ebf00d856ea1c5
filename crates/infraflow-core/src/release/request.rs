use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use super::ReleaseError;
use crate::{
    address::Version,
    git::{BranchName, CommitId, Identity, ReferenceName, RemoteName, Repository, Tag},
    proof::RepoPath,
};

/// What is to be released, and the tags that there are.
#[derive(Clone, Debug)]
#[must_use]
pub struct ReleaseRequest {
    pub(super) head: CommitId,
    pub(super) tagger: Identity,
    pub(super) remote: RemoteName,
    pub(super) trunk: Option<BranchName>,
    pub(super) tags: Vec<Tag>,
    pub(super) only: BTreeSet<RepoPath>,
    pub(super) versions: BTreeMap<RepoPath, Version>,
}

impl ReleaseRequest {
    /// Releases a commit. The tagger's date stands in the tags, so that a second try makes the same ones.
    pub fn new(head: CommitId, tagger: Identity) -> Self {
        Self {
            head,
            tagger,
            remote: RemoteName::origin(),
            trunk: None,
            tags: Vec::new(),
            only: BTreeSet::new(),
            versions: BTreeMap::new(),
        }
    }

    /// The tags there are: those of the remote, by [`ReleaseRequest::observe_tags`], or those of the clone.
    pub fn tags(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.tags = tags.into_iter().collect();
        self
    }

    /// Where the tags are made; `origin`, if nothing is said.
    pub fn remote(mut self, remote: RemoteName) -> Self {
        self.remote = remote;
        self
    }

    /// The branch of the remote that must hold the commit when the tags are made.
    pub fn trunk(mut self, trunk: BranchName) -> Self {
        self.trunk = Some(trunk);
        self
    }

    /// Only this module, and the others that are named so.
    pub fn only(mut self, module: RepoPath) -> Self {
        self.only.insert(module);
        self
    }

    /// This very version for a module. One that is too small for what changed is refused.
    pub fn version(mut self, module: RepoPath, version: Version) -> Self {
        self.versions.insert(module, version);
        self
    }

    /// The tags that a remote has now. Those whose commits this clone lacks are fetched, without making local
    /// tags of them. This is *observe*.
    ///
    /// # Errors
    /// [`ReleaseError::Git`] where the remote does not answer; [`ReleaseError::Cancelled`].
    pub async fn observe_tags(
        repository: &Repository,
        remote: &RemoteName,
        cancel: &CancellationToken,
    ) -> Result<Vec<Tag>, ReleaseError> {
        let (repository, remote) = (repository.clone(), remote.clone());
        super::blocking(cancel, move || {
            let tags = repository.remote_tags(&remote)?;
            let missing: Vec<String> = tags
                .iter()
                .filter(|tag| repository.commit(&tag.target).is_err())
                .map(|tag| ReferenceName::from(&tag.name).to_string())
                .collect();
            // As many as a command line takes for sure.
            for batch in missing.chunks(500) {
                let refs: Vec<&str> = batch.iter().map(String::as_str).collect();
                repository.fetch(&remote, &refs)?;
            }
            Ok(tags)
        })
        .await
    }
}
