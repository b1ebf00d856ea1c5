use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{ReleaseError, ReleasePlan, ReleaseRequest};
use crate::{
    catalog::Catalog,
    git::{CommitId, ObjectId, Repository, TagName},
    observe::Observer,
    proof::Document,
};

/// Decides which versions a commit is, and tags them.
///
/// # Contract
/// 1. `plan` is pure: it reads the repository's objects and what the request says, writes nothing, runs no
///    code of the repository, and uses no network. The same arguments give the same plan.
/// 2. Each module of the catalog stands in the plan once: released, unchanged or refused, with its reasons.
/// 3. A tag that exists is never moved or deleted, by any of its calls.
/// 4. A version is later than the one before it, and not smaller than what changed for callers.
/// 5. `execute` makes all tags of the plan or none.
/// 6. `execute` of the same plan a second time makes nothing, and says that all was there.
/// 7. `execute` refuses a plan whose facts no longer hold: somebody else released meanwhile
///    ([`ReleaseError::LostRace`], [`ReleaseError::TagElsewhere`]), or the trunk does not hold the commit
///    ([`ReleaseError::NotOnTrunk`]).
#[async_trait]
pub trait ReleaseTagger: Send + Sync {
    /// The versions that a commit would be, and why.
    ///
    /// # Errors
    /// [`ReleaseError`], where no plan can be made at all. What stands in the way of one module alone is a
    /// reason in the plan.
    fn plan(
        &self,
        request: &ReleaseRequest,
        repository: &Repository,
        catalog: &Catalog,
    ) -> Result<ReleasePlan, ReleaseError>;

    /// Makes the tags of a plan.
    ///
    /// # Errors
    /// [`ReleaseError`]; nothing was made, unless it is [`ReleaseError::Git`] with a message of the `git`
    /// program: then the remote is to be looked at again, which a second try does.
    async fn execute(
        &self,
        plan: &ReleasePlan,
        repository: &Repository,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Released, ReleaseError>;
}

/// What became of a release plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Released {
    /// The tags, in the plan's order.
    pub tags: Vec<ReleasedTag>,
    /// Tags that GitHub raises no event for, since it does so for no push of more than three: workflows that
    /// wait for them must be dispatched.
    pub without_events: Vec<TagName>,
}

impl Document for Released {
    const KIND: &'static str = "released";
    const SCHEMA_VERSION: u32 = 1;
}

/// One tag of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ReleasedTag {
    /// Its name.
    pub tag: TagName,
    /// The tag object.
    pub object: ObjectId,
    /// The commit it names.
    pub commit: CommitId,
    /// Whether it was made now.
    pub state: TagState,
}

/// Whether a tag was made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TagState {
    /// It was made now.
    Created,
    /// It was there already, the very same object: an earlier try went through.
    AlreadyThere,
}
