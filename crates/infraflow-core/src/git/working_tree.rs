//! The tree of the working directory: the commit's, with the changed files laid over it.

use git2::{ObjectType, Oid, Status, StatusOptions, StatusShow};

use crate::proof::RepoPath;

use super::{
    CommitId, Entry, GitError, Head, Mode, ObjectId, Repository, Revision, Tree, TreeId,
    edit::Edits,
    listing::Listing,
    sparse::is_left_out,
    tree::Changed,
    working_file::{self, Found},
};

impl Repository {
    /// Looks at the working directory. Nothing is written, the index is not refreshed, and no filter,
    /// hook or file system monitor is run.
    pub(super) fn working_tree(&self, on: CommitId, root: TreeId) -> Result<Tree, GitError> {
        if self.is_bare() {
            return Err(GitError::NoWorkingTree { path: self.root().to_owned() });
        }
        match self.head()? {
            Head::Branch { commit, .. } | Head::Detached(commit) if commit == on => {}
            head => {
                let found = head.commit().unwrap_or(on);
                return Err(GitError::HeadMoved { path: self.root().to_owned(), expected: on, found });
            }
        }
        let revision = Revision::WorkingTree(on);
        let committed = Tree::of_commit(self.clone(), revision, root);
        let mut edits = Edits::default();
        let mut changed = Changed::default();
        let sparse = self.is_sparse()?;
        for path in self.touched_paths(sparse)? {
            let before = committed.entry(&path)?;
            let found = self.found_at(&path, before.as_ref(), sparse)?;
            let same = match (&before, &found) {
                (Some(before), Some(found)) => before.mode == found.mode && before.id == found.id,
                (None, None) => true,
                _ => false,
            };
            if same {
                continue;
            }
            if found.as_ref().is_some_and(|found| found.mode != Mode::Submodule) {
                changed.files.insert(path.clone());
            }
            edits.set(&path, found.map(|found| (found.mode, found.id)))?;
        }
        if edits.is_empty() {
            return Ok(committed);
        }
        let root = edits.apply(self, Some(root.object()), &mut |bytes| {
            let id = Oid::hash_object(ObjectType::Tree, &bytes)
                .map(ObjectId::from_git2)
                .map_err(|error| GitError::libgit2("hash a directory", error))?;
            changed.directories.insert(id, Listing::parse(id, bytes)?.into());
            Ok(id)
        })?;
        Ok(Tree::of_working_directory(self.clone(), revision, TreeId::from_object(root), changed))
    }

    /// Every path whose file may differ from that of `HEAD`: staged, unstaged and untracked.
    fn touched_paths(&self, sparse: bool) -> Result<Vec<RepoPath>, GitError> {
        if sparse {
            return self.touched_by_program();
        }
        let mut options = StatusOptions::new();
        options
            .show(StatusShow::IndexAndWorkdir)
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_ignored(false)
            .include_unmodified(false)
            .update_index(false)
            .sort_case_sensitively(true);
        self.with(|handle| {
            let failed = |error| self.failed("look at the working tree", error);
            let index = handle.index().map_err(failed)?;
            let statuses = handle.statuses(Some(&mut options)).map_err(failed)?;
            let mut paths = Vec::with_capacity(statuses.len());
            for status in statuses.iter() {
                let bytes = status.path_bytes();
                // A folder with a repository of its own that is no submodule.
                if bytes.ends_with(b"/") {
                    continue;
                }
                // A sparse checkout leaves files out on purpose; that deletes nothing.
                if status.status() == Status::WT_DELETED
                    && index_entry(&index, bytes).as_ref().is_some_and(is_left_out)
                {
                    continue;
                }
                paths.push(RepoPath::parse(bytes)?);
            }
            Ok(paths)
        })
    }

    /// What git would record for a path as it stands on the disk.
    fn found_at(
        &self,
        path: &RepoPath,
        before: Option<&Entry>,
        sparse: bool,
    ) -> Result<Option<Found>, GitError> {
        let recorded = if sparse {
            before.filter(|entry| entry.mode == Mode::Submodule).map(|entry| entry.id)
        } else {
            self.recorded_submodule(path)?
        };
        if let Some(commit) = recorded.and_then(|recorded| self.submodule_commit(path, recorded)) {
            return Ok(Some(Found { mode: Mode::Submodule, id: commit }));
        }
        let mut found = working_file::look(self.root(), path)?;
        if let Some(found) = &mut found
            && found.mode.is_file()
            && !self.trusts_file_mode()?
        {
            let before = before.map(|entry| entry.mode);
            found.mode = before.filter(|mode| mode.is_file()).unwrap_or(Mode::File);
        }
        Ok(found)
    }

    /// The commit of a submodule, as the index has it.
    fn recorded_submodule(&self, path: &RepoPath) -> Result<Option<ObjectId>, GitError> {
        self.with(|handle| {
            let index = handle.index().map_err(|error| self.failed("read the index", error))?;
            let entry = index_entry(&index, path.as_bytes());
            let submodule = entry.filter(|entry| Mode::from_raw(entry.mode) == Some(Mode::Submodule));
            Ok(submodule.map(|entry| ObjectId::from_git2(entry.id)))
        })
    }

    /// The commit that is checked out in a submodule; where its folder is empty, the one that is recorded.
    fn submodule_commit(&self, path: &RepoPath, recorded: ObjectId) -> Option<ObjectId> {
        let folder = path.below(self.root());
        if !folder.is_dir() || folder.is_symlink() {
            return None;
        }
        let inner = git2::Repository::open(&folder).ok();
        let commit = inner.and_then(|inner| inner.head().ok().and_then(|head| head.target()));
        Some(commit.map_or(recorded, ObjectId::from_git2))
    }

    fn trusts_file_mode(&self) -> Result<bool, GitError> {
        self.with(|handle| {
            let config = handle.config().map_err(|error| self.failed("read the configuration", error))?;
            Ok(config.get_bool("core.filemode").unwrap_or(true))
        })
    }
}

fn index_entry(index: &git2::Index, path: &[u8]) -> Option<git2::IndexEntry> {
    use std::os::unix::ffi::OsStrExt;
    index.get_path(std::path::Path::new(std::ffi::OsStr::from_bytes(path)), 0)
}
