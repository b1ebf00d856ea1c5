use std::{num::NonZeroU32, path::Path};

use super::{BranchName, GitError, GitProgram, RemoteUrl, Repository, program::Words};

/// What a clone holds.
#[derive(Clone, Debug, Default)]
#[must_use]
#[non_exhaustive]
pub struct CloneOptions {
    /// The branch to check out; the remote's own choice by default.
    pub branch: Option<BranchName>,
    /// How many commits of history; all by default.
    pub depth: Option<NonZeroU32>,
    /// Whether there is a working tree.
    pub files: ClonedFiles,
    /// How git is run, now and later.
    pub program: GitProgram,
}

/// What a clone has of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClonedFiles {
    /// All of them, checked out.
    #[default]
    CheckedOut,
    /// All of them, in the object store only.
    NotCheckedOut,
    /// All of them, in a repository without a working tree.
    Bare,
    /// Directories only; [`Repository::fetch_missing`] brings files (a partial clone, not checked out).
    OnDemand,
}

impl CloneOptions {
    /// Everything, checked out.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks out this branch.
    pub fn branch(mut self, branch: BranchName) -> Self {
        self.branch = Some(branch);
        self
    }

    /// Cuts history off after so many commits.
    pub fn depth(mut self, depth: NonZeroU32) -> Self {
        self.depth = Some(depth);
        self
    }

    /// What of the files.
    pub fn files(mut self, files: ClonedFiles) -> Self {
        self.files = files;
        self
    }

    /// Runs git this way.
    pub fn program(mut self, program: GitProgram) -> Self {
        self.program = program;
        self
    }
}

impl Repository {
    /// Clones a repository into a folder that is not there, or empty. Submodules are not cloned, and no hook
    /// runs. The folder appears when the clone is whole.
    ///
    /// # Errors
    /// [`GitError::NotEmpty`], [`GitError::BadName`] for an address that [`RemoteUrl`] refuses,
    /// [`GitError::Program`] with git's message.
    pub fn clone_from(url: &str, into: impl AsRef<Path>, options: &CloneOptions) -> Result<Self, GitError> {
        let url = RemoteUrl::parse(url)?;
        let staging = super::staging::Staging::beside(into.as_ref())?;
        let mut words = Words::new(&["clone", "--quiet", "--no-recurse-submodules"]);
        if let Some(branch) = &options.branch {
            words = words.word(format!("--branch={branch}"));
        }
        if let Some(depth) = options.depth {
            words = words.word(format!("--depth={depth}"));
        }
        words = match options.files {
            ClonedFiles::CheckedOut => words,
            ClonedFiles::NotCheckedOut => words.word("--no-checkout"),
            ClonedFiles::Bare => words.word("--bare"),
            ClonedFiles::OnDemand => words.words(["--no-checkout", "--filter=blob:none"]),
        };
        let words = words.word("--").word(url.as_str()).word(staging.path());
        options.program.output(&format!("clone {url}"), None, &words)?;
        Ok(Self::open(staging.finish()?)?.with_program(options.program.clone()))
    }
}
