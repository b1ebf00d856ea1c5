use std::collections::BTreeSet;

use git2::ObjectType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::proof::RepoPath;

use super::{CommitId, GitError, Identity, Mode, ObjectId, Repository, Revision, TagName, Tree, edit::Edits};

/// One file to set or remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileEdit {
    /// Which file.
    pub path: RepoPath,
    /// Its whole content; `None` removes it.
    pub content: Option<Vec<u8>>,
    /// Its mode: a file, an executable file, or a link, whose content is its target. Without meaning where
    /// the file is removed.
    pub mode: Mode,
}

impl FileEdit {
    /// Sets a regular file.
    pub fn write(path: RepoPath, content: impl Into<Vec<u8>>) -> Self {
        Self { path, content: Some(content.into()), mode: Mode::File }
    }

    /// Removes a file.
    pub fn remove(path: RepoPath) -> Self {
        Self { path, content: None, mode: Mode::File }
    }

    /// The same, with another mode.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }
}

impl Repository {
    /// Commits files on top of a commit, without a working tree and without moving a branch: the same
    /// edits, identities and message make the same commit. Objects are written; who abandons the commit
    /// leaves them to git's garbage collection.
    ///
    /// # Errors
    /// [`GitError::BadEdit`] where a file that is removed is not there, a path is used twice, or a file
    /// would take the place of a directory; [`GitError::BadIdentity`]; [`GitError::MissingObjects`].
    pub fn commit_files(
        &self,
        onto: &CommitId,
        files: &[FileEdit],
        message: &str,
        author: &Identity,
        committer: &Identity,
    ) -> Result<CommitId, GitError> {
        let tree = self.tree(&Revision::Commit(*onto))?;
        let root = self.edited(Some(&tree), files)?;
        self.write_commit(root, &[*onto], message, author, committer)
    }

    /// As [`Repository::commit_files`], for a first commit.
    ///
    /// # Errors
    /// As [`Repository::commit_files`].
    pub fn commit_first(
        &self,
        files: &[FileEdit],
        message: &str,
        author: &Identity,
        committer: &Identity,
    ) -> Result<CommitId, GitError> {
        let root = self.edited(None, files)?;
        self.write_commit(root, &[], message, author, committer)
    }

    /// Merges one commit into another, without a working tree and without moving a branch. Where `theirs`
    /// is in the history of `ours` already, that is `ours` itself; otherwise always a commit with two
    /// parents.
    ///
    /// # Errors
    /// [`GitError::Conflict`] with the files at fault; [`GitError::UnrelatedHistories`];
    /// [`GitError::ShallowClone`].
    pub fn merge(
        &self,
        ours: &CommitId,
        theirs: &CommitId,
        message: &str,
        identity: &Identity,
    ) -> Result<CommitId, GitError> {
        if self.merge_bases(ours, theirs)?.contains(theirs) {
            return Ok(*ours);
        }
        let root = self.with(|handle| {
            let failed = |error| self.failed("merge two commits", error);
            let commit = |id: &CommitId| handle.find_commit(id.to_git2()?).map_err(failed);
            let mut index = handle.merge_commits(&commit(ours)?, &commit(theirs)?, None).map_err(failed)?;
            if index.has_conflicts() {
                let mut paths = BTreeSet::new();
                for conflict in index.conflicts().map_err(failed)? {
                    let conflict = conflict.map_err(failed)?;
                    let sides = [conflict.ancestor, conflict.our, conflict.their];
                    for entry in sides.into_iter().flatten() {
                        paths.insert(RepoPath::parse(entry.path)?);
                    }
                }
                let paths = paths.into_iter().collect();
                return Err(GitError::Conflict { ours: *ours, theirs: *theirs, paths });
            }
            index.write_tree_to(handle).map(ObjectId::from_git2).map_err(failed)
        })?;
        self.write_commit(root, &[*ours, *theirs], message, identity, identity)
    }

    /// Makes a tag object, without a reference: [`Repository::push`] makes the tag on the remote. The same
    /// name, commit, tagger and message make the same object.
    ///
    /// # Errors
    /// [`GitError::BadIdentity`]; [`GitError::MissingObjects`].
    pub fn tag_object(
        &self,
        name: &TagName,
        commit: &CommitId,
        tagger: &Identity,
        message: &str,
    ) -> Result<ObjectId, GitError> {
        let tagger = tagger.to_git2()?;
        self.with(|handle| {
            let target = handle
                .find_object(commit.to_git2()?, Some(ObjectType::Commit))
                .map_err(|error| self.unreadable(commit.object(), error))?;
            handle
                .tag_annotation_create(name.as_str(), &target, &tagger, message)
                .map(ObjectId::from_git2)
                .map_err(|error| self.failed(&format!("make the tag {name}"), error))
        })
    }

    fn edited(&self, tree: Option<&Tree>, files: &[FileEdit]) -> Result<ObjectId, GitError> {
        let mut edits = Edits::default();
        let removed: BTreeSet<&RepoPath> =
            files.iter().filter(|file| file.content.is_none()).map(|file| &file.path).collect();
        let mut seen: BTreeSet<&RepoPath> = BTreeSet::new();
        for file in files {
            let what = if file.content.is_some() { "write" } else { "remove" };
            let bad = |why| Err(GitError::BadEdit { what, path: file.path.clone(), why });
            if file.path.is_root() || file.path.names().any(is_gits_own) {
                return bad("the name is git's own");
            }
            if !seen.insert(&file.path) {
                return bad("it is edited twice");
            }
            let before = tree.map(|tree| tree.entry(&file.path)).transpose()?.flatten();
            let Some(content) = &file.content else {
                if before.is_none_or(|entry| entry.mode == Mode::Directory) {
                    return bad("there is no such file");
                }
                edits.set(&file.path, None)?;
                continue;
            };
            if !(file.mode.is_file() || file.mode == Mode::Link) {
                return bad("only files and links can be written");
            }
            if before.is_some_and(|entry| entry.mode == Mode::Directory) {
                return bad("there is a directory of that name");
            }
            let mut above = file.path.parent();
            while let Some(directory) = above {
                let there = tree.map(|tree| tree.entry(&directory)).transpose()?.flatten();
                let is_file = there.is_some_and(|entry| entry.mode != Mode::Directory);
                let is_written = files.iter().any(|f| f.path == directory && f.content.is_some());
                if is_written || (is_file && !removed.contains(&directory)) {
                    return bad("a directory above it is a file");
                }
                above = directory.parent();
            }
            let id = self.write_object(ObjectType::Blob, content)?;
            edits.set(&file.path, Some((file.mode, id)))?;
        }
        let root = tree.map(|tree| tree.id().object());
        if let Some(root) = root
            && edits.is_empty()
        {
            return Ok(root);
        }
        edits.apply(self, root, &mut |bytes| self.write_object(ObjectType::Tree, &bytes))
    }

    fn write_object(&self, kind: ObjectType, bytes: &[u8]) -> Result<ObjectId, GitError> {
        self.with(|handle| {
            let failed = |error| self.failed("write an object", error);
            let odb = handle.odb().map_err(failed)?;
            odb.write(kind, bytes).map(ObjectId::from_git2).map_err(failed)
        })
    }

    fn write_commit(
        &self,
        root: ObjectId,
        parents: &[CommitId],
        message: &str,
        author: &Identity,
        committer: &Identity,
    ) -> Result<CommitId, GitError> {
        let (author, committer) = (author.to_git2()?, committer.to_git2()?);
        self.with(|handle| {
            let failed = |error| self.failed("write a commit", error);
            let tree = handle.find_tree(root.to_git2()?).map_err(failed)?;
            let parents = parents
                .iter()
                .map(|id| {
                    handle.find_commit(id.to_git2()?).map_err(|error| self.unreadable(id.object(), error))
                })
                .collect::<Result<Vec<_>, _>>()?;
            let parents: Vec<_> = parents.iter().collect();
            handle
                .commit(None, &author, &committer, message, &tree, &parents)
                .map(CommitId::from_git2)
                .map_err(failed)
        })
    }
}

/// Whether some file system takes a name for `.git`: in any case, with what NTFS and HFS+ leave out or
/// replace (`is_ntfs_dotgit`, `is_hfs_dotgit` in git's sources).
pub(super) fn is_gits_own(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let ignored_by_hfs = |c: &char| !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let plain: String = name.chars().filter(ignored_by_hfs).flat_map(char::to_lowercase).collect();
    let plain = plain.split(':').next().unwrap_or_default().trim_end_matches([' ', '.']);
    plain == ".git" || plain == "git~1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_file_system_takes_for_gits_own_are_known() {
        for own in [".git", ".GIT", ".Git. ", "git~1", ".g\u{200c}it", ".git::$INDEX_ALLOCATION"] {
            assert!(is_gits_own(own.as_bytes()), "{own}");
        }
        for plain in [".gitignore", "git", ".gitmodules", "a.git", "git~10"] {
            assert!(!is_gits_own(plain.as_bytes()), "{plain}");
        }
    }
}
