//! Sparse checkouts: files that are left out of the working directory on purpose (git-sparse-checkout(1)).

use git2::IndexEntryExtendedFlag;

use crate::proof::RepoPath;

use super::{GitError, Repository, program::Words};

impl Repository {
    /// Whether files are left out. Then git itself is asked what differs: libgit2 refuses an index that names
    /// directories instead of the files in them (its extension `sdir` must be understood), takes a left-out
    /// `.gitignore` for none, and does not see a left-out file that is there all the same.
    pub(super) fn is_sparse(&self) -> Result<bool, GitError> {
        self.with(|handle| {
            let config = handle.config().map_err(|error| self.failed("read the configuration", error))?;
            Ok(config.get_bool("core.sparsecheckout").unwrap_or(false))
        })
    }

    /// What the git program says may differ from `HEAD` in the working directory. It writes nothing.
    pub(super) fn touched_by_program(&self) -> Result<Vec<RepoPath>, GitError> {
        let words = Words::new(&["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"])
            .word("--ignore-submodules=none");
        let output = self.git("look at the working tree", &words)?;
        // Two letters and a space before each path.
        let paths = output.split(|&byte| byte == 0).filter_map(|line| line.get(3..));
        // A folder with a repository of its own that is no submodule ends with a slash.
        paths.filter(|path| !path.ends_with(b"/")).map(|path| Ok(RepoPath::parse(path)?)).collect()
    }
}

/// Whether an entry's file is not meant to be in the working directory.
pub(super) fn is_left_out(entry: &git2::IndexEntry) -> bool {
    entry.flags_extended & IndexEntryExtendedFlag::SKIP_WORKTREE.bits() != 0
}
