use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    git::{BranchName, CommitId},
    proof::{Principal, Timestamp},
};

use super::Marker;

/// A change request's number in its forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ChangeRequestId(pub u64);

impl fmt::Display for ChangeRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A change request that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRequestDraft {
    /// One line.
    pub title: String,
    /// What a reviewer should know, in Markdown. It is seen by everybody who sees the repository.
    pub body: String,
    /// Who asks.
    pub author: Principal,
    /// The branch with the commits, on the remote.
    pub source: BranchName,
    /// The branch that they should be merged into.
    pub target: BranchName,
}

/// A change request as it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRequest {
    /// Its number.
    pub id: ChangeRequestId,
    /// One line.
    pub title: String,
    /// What a reviewer should know, in Markdown.
    pub body: String,
    /// Who asked.
    pub author: Principal,
    /// The branch with the commits.
    pub source: BranchName,
    /// The branch that they should be merged into.
    pub target: BranchName,
    /// The last commit of the source; of one that is no longer open, the last it had.
    pub head: CommitId,
    /// What became of it.
    pub state: ChangeRequestState,
    /// The commit of the target that brought it in.
    pub merged_as: Option<CommitId>,
}

/// What became of a change request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeRequestState {
    /// It waits.
    Open,
    /// Its commits are in the target.
    Merged,
    /// It was given up.
    Closed,
}

impl fmt::Display for ChangeRequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Closed => "closed",
        })
    }
}

/// A comment's number in its change request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CommentId(pub u64);

/// A comment on a change request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// Its number.
    pub id: CommentId,
    /// Who wrote it.
    pub by: Principal,
    /// What it says, in Markdown.
    pub text: String,
    /// What it is found again by, if a program wrote it that replaces it.
    pub marker: Option<Marker>,
    /// When it was last written.
    pub at: Timestamp,
}

/// What somebody thinks of a change request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    /// Who.
    pub by: Principal,
    /// What.
    pub state: ReviewState,
    /// Of which head: a review says nothing of commits that came later.
    pub commit: CommitId,
    /// When.
    pub at: Timestamp,
}

/// What a review says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReviewState {
    /// It may be merged.
    Approved,
    /// It may not be merged as it is.
    ChangesRequested,
    /// Neither.
    Commented,
}
