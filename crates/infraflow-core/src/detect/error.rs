use crate::{
    git::{CommitId, GitError, ObjectId},
    proof::RepoPath,
};

/// Why it cannot be told what changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectError {
    /// The repository does not answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A working tree was given as the base.
    #[error(
        "cannot compare against the working tree on top of {}: the base of a comparison is a commit\n  help: give the working tree as the head",
        commit.short()
    )]
    BaseIsWorkingTree {
        /// What it stands on.
        commit: CommitId,
    },
    /// A list of files names a directory.
    #[error(
        "cannot take {path} for a changed file: it is a directory\n  help: list the files below it, as `git diff --name-only -z` does"
    )]
    GivenDirectory {
        /// The directory.
        path: RepoPath,
    },
    /// A list of files holds something that is no path of the repository.
    #[error("cannot read the list of changed files, entry {entry}: {source}")]
    GivenPath {
        /// Which entry, from 1.
        entry: usize,
        /// What is wrong with it.
        source: crate::proof::ProofError,
    },
    /// A CI system names a commit or a branch that this clone has not.
    #[error(
        "cannot compare with {what}, {name}: {system} names it, and it is not in this clone\n  help: {help}"
    )]
    NotInClone {
        /// The CI system.
        system: String,
        /// What it is there.
        what: String,
        /// The commit or the branch.
        name: String,
        /// How to bring it.
        help: String,
    },
    /// The variables of a CI system are not what its documentation says.
    #[error(
        "cannot tell from the variables of {system} what to compare: of {what}, {why}\n  help: name base and head"
    )]
    Environment {
        /// The CI system.
        system: String,
        /// About what they are wrong.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// A detector of somebody's own failed.
    #[error("cannot tell what changed: {detector} failed: {source}")]
    Detector {
        /// The detector.
        detector: String,
        /// Its message.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl DetectError {
    /// The objects that a partial clone has to fetch, where that is what is wrong.
    pub fn missing(&self) -> Option<&[ObjectId]> {
        match self {
            Self::Git(error) => error.missing(),
            _ => None,
        }
    }
}
