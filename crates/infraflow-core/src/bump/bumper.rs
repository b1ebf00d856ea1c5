use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{BumpError, BumpPlan, BumpRequest};
use crate::{
    catalog::Catalog,
    git::{BranchName, CommitId, Identity, RemoteName, Repository, Tree},
    observe::Observer,
    proof::Document,
};

/// Brings references in a live repository to other versions.
///
/// # Contract
/// 1. `plan` is pure: it reads the tree and its catalog, writes nothing, and uses no network.
/// 2. Every reference to a target is in the plan once: as an edit, or among `skipped` with its reason.
/// 3. An edit replaces the reference and nothing else: no other byte of the file changes.
/// 4. `execute` refuses a plan whose files are no longer what it was made for ([`BumpError::Stale`]), and then
///    nothing is written.
/// 5. `execute` makes one commit on a branch. Called again with the same plan and base, it finds that commit.
/// 6. Neither touches the trunk, an existing branch with other content, or anybody's working tree.
#[async_trait]
pub trait RefBumper: Send + Sync {
    /// What would be edited. `live` has its environments where the request names one.
    ///
    /// # Errors
    /// [`BumpError::Git`] where the tree cannot be read; [`BumpError::Scaffold`], [`BumpError::Address`].
    fn plan(&self, request: &BumpRequest, tree: &Tree, live: &Catalog) -> Result<BumpPlan, BumpError>;

    /// Commits the edits.
    ///
    /// # Errors
    /// [`BumpError::Stale`], [`BumpError::Overlap`], [`BumpError::BranchTaken`], [`BumpError::Nothing`],
    /// [`BumpError::Git`].
    async fn execute(
        &self,
        plan: &BumpPlan,
        repository: &Repository,
        commit: &BumpCommit,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Bumped, BumpError>;
}

/// The commit that a bump makes.
#[derive(Clone, Debug)]
pub struct BumpCommit {
    /// What it stands on: the trunk that the plan was made for.
    pub base: CommitId,
    /// The branch it goes on.
    pub branch: BranchName,
    /// Its message.
    pub message: String,
    /// Who makes it, and when.
    pub author: Identity,
    /// Where the branch is pushed; `None` leaves it in this clone.
    pub push: Option<RemoteName>,
}

/// What came of a bump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bumped {
    /// What the commit stands on.
    pub base: CommitId,
    /// The commit.
    pub commit: CommitId,
    /// Its branch.
    pub branch: BranchName,
}

impl Document for Bumped {
    const KIND: &'static str = "bumped";
    const SCHEMA_VERSION: u32 = 1;
}
