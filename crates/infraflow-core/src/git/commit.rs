use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::proof::Timestamp;

use super::{CommitId, GitError, TreeId};

/// Who did something in git, and when. Git's time zone is not kept: the moment is in UTC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The moment.
    pub when: Timestamp,
}

impl Identity {
    /// Who did something, and when.
    pub fn new(name: impl Into<String>, email: impl Into<String>, when: Timestamp) -> Self {
        Self { name: name.into(), email: email.into(), when }
    }

    pub(super) fn from_git2(signature: &git2::Signature<'_>) -> Self {
        Self {
            name: String::from_utf8_lossy(signature.name_bytes()).into_owned(),
            email: String::from_utf8_lossy(signature.email_bytes()).into_owned(),
            when: Timestamp::from_unix(signature.when().seconds()),
        }
    }

    pub(super) fn to_git2(&self) -> Result<git2::Signature<'static>, GitError> {
        // libgit2 trims what it dislikes at the ends and refuses the rest with a message of its own.
        git2::Signature::new(&self.name, &self.email, &git2::Time::new(self.when.unix(), 0)).map_err(
            |error| GitError::BadIdentity {
                name: self.name.clone(),
                email: self.email.clone(),
                why: error.message().to_owned(),
            },
        )
    }
}

/// A commit. Text that is no UTF-8 is decoded lossily.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// What it stands on, the first parent first; a merge has several, a first commit none.
    pub parents: Vec<CommitId>,
    /// Its files.
    pub tree: TreeId,
    /// Who wrote the change.
    pub author: Identity,
    /// Who made the commit.
    pub committer: Identity,
    /// The whole message, as it was written.
    pub message: String,
}

impl Commit {
    /// The first line of the message.
    pub fn subject(&self) -> &str {
        self.message.trim_start().lines().next().unwrap_or_default()
    }

    pub(super) fn from_git2(commit: &git2::Commit<'_>) -> Self {
        Self {
            id: CommitId::from_git2(commit.id()),
            parents: commit.parent_ids().map(CommitId::from_git2).collect(),
            tree: TreeId::from_git2(commit.tree_id()),
            author: Identity::from_git2(&commit.author()),
            committer: Identity::from_git2(&commit.committer()),
            message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
        }
    }
}
