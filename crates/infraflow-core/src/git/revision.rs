use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommitId, GitError};

/// A commit, or the working tree on top of one.
///
/// As text, and in JSON, a commit is its forty digits, and a working tree is those of its commit and
/// `+WORKTREE`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Revision {
    /// A commit.
    Commit(CommitId),
    /// The files of the working directory, on top of the commit that `HEAD` points to: staged, unstaged
    /// and untracked, without the ignored.
    WorkingTree(CommitId),
}

impl Revision {
    /// The word that means the working tree where a revision is asked for.
    pub const WORKING_TREE: &'static str = "WORKTREE";

    /// Reads what [`fmt::Display`] writes. Names of branches and tags are for
    /// [`super::Repository::revision`].
    ///
    /// # Errors
    /// [`GitError::BadId`].
    pub fn parse(text: &str) -> Result<Self, GitError> {
        match text.strip_suffix("+WORKTREE") {
            Some(commit) => Ok(Self::WorkingTree(CommitId::parse(commit)?)),
            None => Ok(Self::Commit(CommitId::parse(text)?)),
        }
    }

    /// The commit, or the one that the working tree stands on.
    pub fn commit(&self) -> CommitId {
        match self {
            Self::Commit(id) | Self::WorkingTree(id) => *id,
        }
    }

    /// Whether this is the working tree.
    pub fn is_working_tree(&self) -> bool {
        matches!(self, Self::WorkingTree(_))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(id) => write!(f, "{id}"),
            Self::WorkingTree(id) => write!(f, "{id}+{}", Self::WORKING_TREE),
        }
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<CommitId> for Revision {
    fn from(id: CommitId) -> Self {
        Self::Commit(id)
    }
}

impl TryFrom<String> for Revision {
    type Error = GitError;
    fn try_from(text: String) -> Result<Self, GitError> {
        Self::parse(&text)
    }
}

impl From<Revision> for String {
    fn from(revision: Revision) -> Self {
        revision.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_reads_back() {
        let id = CommitId::parse("4b825dc642cb6eb9a060e54bf8d69288fbee4904").unwrap();
        for revision in [Revision::Commit(id), Revision::WorkingTree(id)] {
            let json = serde_json::to_string(&revision).unwrap();
            assert_eq!(serde_json::from_str::<Revision>(&json).unwrap(), revision);
            assert_eq!(revision.commit(), id);
        }
        assert!(Revision::parse("main").is_err());
    }
}
