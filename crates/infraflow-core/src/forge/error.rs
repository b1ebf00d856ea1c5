use crate::{
    git::{BranchName, CommitId, GitError},
    store::StoreError,
};

use super::{ChangeRequestId, ChangeRequestState};

/// What can go wrong with a change request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForgeError {
    /// The repository does not answer, or the merge has conflicts.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such change request.
    #[error("cannot find change request {id} of {forge}: there is none of that number")]
    NoSuchRequest {
        /// The forge.
        forge: String,
        /// The number.
        id: ChangeRequestId,
    },
    /// A branch of a change request is not on the remote.
    #[error(
        "cannot use the branch {branch} for a change request: {forge} does not have it\n  help: push it first"
    )]
    NoSuchBranch {
        /// The forge.
        forge: String,
        /// The branch.
        branch: BranchName,
    },
    /// A branch cannot be merged into itself.
    #[error("cannot open a change request from {branch} into itself\n  help: name another target")]
    SameBranch {
        /// The branch.
        branch: BranchName,
    },
    /// The head is not the one that was meant.
    #[error(
        "cannot merge change request {id} at {}: its head is {} now\n  help: look at what came since, and plan again",
        expected.short(), found.short()
    )]
    HeadMoved {
        /// The change request.
        id: ChangeRequestId,
        /// The head that was meant.
        expected: CommitId,
        /// The head that it has.
        found: CommitId,
    },
    /// The change request is no longer open.
    #[error("cannot change change request {id}: it is {state}\n  help: open another one")]
    NotOpen {
        /// The change request.
        id: ChangeRequestId,
        /// What became of it.
        state: ChangeRequestState,
    },
    /// Others pushed to the target each time the merge was ready.
    #[error(
        "cannot merge change request {id} into {target}: others were faster {attempts} times\n  help: try again"
    )]
    TargetKeepsMoving {
        /// The change request.
        id: ChangeRequestId,
        /// The target.
        target: BranchName,
        /// How often it was tried.
        attempts: usize,
    },
    /// A text is no marker.
    #[error("cannot take {text:?} for a marker\n  help: use letters, digits and . _ - / only, and no --")]
    BadMarker {
        /// The text given.
        text: String,
    },
    /// A forge of somebody's own failed.
    #[error("cannot {what} on {forge}: {source}")]
    Forge {
        /// The forge.
        forge: String,
        /// What was being done.
        what: String,
        /// Its message.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
