//! A repository that lasts as long as the process.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use infraflow_core::{
    git::{BranchName, CommitId, FileEdit, Identity, Repository, Revision, Tree},
    proof::Timestamp,
};

/// After so many commits the repository is made anew: objects pile up.
const MOST_COMMITS: usize = 2_000;

static REPOSITORY: Mutex<Option<(tempfile::TempDir, Repository)>> = Mutex::new(None);
static COMMITS: AtomicUsize = AtomicUsize::new(0);

/// Runs work on a repository, and on a folder beside it for what is kept.
pub(crate) fn with<T>(work: impl FnOnce(&Repository, PathBuf) -> T) -> Option<T> {
    let mut held = REPOSITORY.lock().unwrap_or_else(PoisonError::into_inner);
    if held.is_none() || COMMITS.fetch_add(1, Ordering::Relaxed).is_multiple_of(MOST_COMMITS) {
        let folder = tempfile::tempdir().ok()?;
        let main = BranchName::parse("main").ok()?;
        let repository = Repository::init_bare(folder.path().join("repository"), &main).ok()?;
        *held = Some((folder, repository));
    }
    let (folder, repository) = held.as_ref()?;
    Some(work(repository, folder.path().join("kept")))
}

/// The tree of a commit of these files.
pub(crate) fn tree(repository: &Repository, files: &[FileEdit]) -> Option<(CommitId, Tree)> {
    let who = Identity::new("Ada", "ada@example.com", Timestamp::parse("2026-01-01T00:00:00Z").ok()?);
    let commit = repository.commit_first(files, "files", &who, &who).ok()?;
    let tree = repository.tree(&Revision::Commit(commit)).ok()?;
    Some((commit, tree))
}
