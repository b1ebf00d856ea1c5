use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{
    catalog::CaseId,
    git::GitError,
    process::ProcessError,
    proof::{ProofError, RepoPath, RunId},
    store::StoreError,
    terraform::TerraformError,
};

use super::Mark;

/// What can go wrong with a sandbox, short of a test that fails: that stands in the
/// [`TestReport`](super::TestReport).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A text is no mark.
    #[error(
        "cannot take {text:?} for a mark\n  help: a mark is a run's name, a hyphen and eight hexadecimal digits"
    )]
    BadMark {
        /// The text given.
        text: String,
    },
    /// An example's expectations cannot be understood.
    #[error(
        "cannot read what {path} expects: {why}\n  help: see the documentation of sandbox::Expectations for what can be written"
    )]
    Expectations {
        /// The file.
        path: RepoPath,
        /// What is wrong with it, and where.
        why: String,
    },
    /// A test file cannot be understood.
    #[error("cannot read the test file {path}: {why}\n  help: `terraform validate` in its module says more")]
    TestFile {
        /// The file.
        path: RepoPath,
        /// What is wrong with it, and where.
        why: String,
    },
    /// A planned case is not in the tree.
    #[error("cannot run {case}: it is not in the tree of {revision}\n  help: plan again at this revision")]
    NoCase {
        /// The case.
        case: CaseId,
        /// The tree's revision.
        revision: String,
    },
    /// A plan was made for other facts than those that hold.
    #[error(
        "cannot execute this sandbox plan: it was made for {what} {planned}, this is {found}\n  help: plan again"
    )]
    Stale {
        /// What differs.
        what: &'static str,
        /// What the plan says.
        planned: String,
        /// What there is.
        found: String,
    },
    /// Another process works on the same run.
    #[error(
        "cannot go on with the run {run}: {owner} is at work on it\n  help: wait for it, or end it first"
    )]
    RunBusy {
        /// The run.
        run: RunId,
        /// Who.
        owner: String,
    },
    /// The ledger names a sandbox that was not given.
    #[error(
        "cannot reap {mark}: it was deployed into the sandbox {sandbox}, which is not among those given\n  help: pass that sandbox to the reaper"
    )]
    UnknownSandbox {
        /// The deployment.
        mark: Mark,
        /// The sandbox's name.
        sandbox: String,
    },
    /// An example brings its own backend in a way that cannot be overridden.
    #[error(
        "cannot keep the state of this example: a file of its own comes after {file} and sets another backend\n  help: take the backend out of its override files"
    )]
    Backend {
        /// The file that was to set the backend.
        file: &'static str,
    },
    /// An earlier attempt at a case left things that could not be reaped.
    #[error(
        "cannot begin {case}: {mark} is still in the ledger, of an attempt that died\n  help: see why it cannot be reaped, use another run, or close it by hand (Ledger::close_by_hand)"
    )]
    StillInFlight {
        /// The case.
        case: CaseId,
        /// What carries its things.
        mark: Mark,
    },
    /// The disk is full, or too full to begin.
    #[error("cannot {doing} {path}: the disk is full: {source}\n  help: make room there, or work in another folder", path = .path.display())]
    Full {
        /// What was attempted.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder could not be used.
    #[error("cannot {doing} {path}: {source}", path = .path.display())]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something with the mark is there and will not go.
    #[error(
        "cannot sweep {mark} out of the sandbox {sandbox}: {source}\n  help: reap again, or remove by hand what carries {mark}"
    )]
    Sweep {
        /// The sandbox.
        sandbox: String,
        /// The mark.
        mark: Mark,
        /// What failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The ledger's entries of a deployment make no sense together.
    #[error("cannot read the ledger of {mark}: {why}\n  help: it was altered, or written by something else")]
    Ledger {
        /// The deployment.
        mark: Mark,
        /// What is wrong.
        why: &'static str,
    },
    /// A task of ours ended unexpectedly.
    #[error("cannot finish to {doing}: {why}")]
    Stopped {
        /// What it was doing.
        doing: &'static str,
        /// How it ended.
        why: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The tool failed.
    #[error(transparent)]
    Terraform(#[from] TerraformError),
    /// A program could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A document has no digest.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl SandboxError {
    /// The error of a file operation.
    pub(super) fn io(doing: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        let path = path.as_ref().to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { doing, path, source },
            _ => Self::Io { doing, path, source },
        }
    }

    pub(super) fn stopped(doing: &'static str, why: impl fmt::Display) -> Self {
        Self::Stopped { doing, why: why.to_string() }
    }
}
