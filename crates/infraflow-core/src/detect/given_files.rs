use std::collections::BTreeSet;

use crate::{
    git::{ChangeKind, Entry, GitError, Mode, Repository, Revision},
    proof::RepoPath,
};

use super::{Change, ChangeDetector, ChangeSet, DetectError, git_detector::commit_of};

/// Takes somebody else's list of changed files, for example that of a forge or a build system, and looks
/// up what became of each. Every file of the list is a change, also where its content is the same.
#[derive(Clone, Debug, Default)]
pub struct GivenFiles {
    paths: BTreeSet<RepoPath>,
}

impl GivenFiles {
    /// These files.
    pub fn new(paths: impl IntoIterator<Item = RepoPath>) -> Self {
        Self { paths: paths.into_iter().collect() }
    }

    /// Reads paths that are separated, or ended, by NUL, as `git diff --name-only -z` writes them.
    ///
    /// # Errors
    /// [`DetectError::GivenPath`] with the number of the entry at fault.
    pub fn parse0(bytes: &[u8]) -> Result<Self, DetectError> {
        let mut paths = BTreeSet::new();
        for (index, entry) in bytes.split(|&byte| byte == 0).enumerate() {
            if !entry.is_empty() {
                let path = RepoPath::parse(entry)
                    .map_err(|source| DetectError::GivenPath { entry: index + 1, source })?;
                paths.insert(path);
            }
        }
        Ok(Self { paths })
    }
}

impl ChangeDetector for GivenFiles {
    fn detect(
        &self,
        repository: &Repository,
        base: &Revision,
        head: &Revision,
    ) -> Result<ChangeSet, DetectError> {
        let base = commit_of(base)?;
        let mut warnings = Vec::new();
        let merge_base = match repository.merge_base(&base, &head.commit()) {
            Ok(merge_base) => merge_base,
            // The list says what changed; the older end only tells added from modified.
            Err(GitError::ShallowClone { .. }) => {
                warnings.push(
                    "the clone is shallow, so the given files are compared with those of the base".to_owned(),
                );
                base
            }
            Err(error) => return Err(error.into()),
        };
        let (old, new) = (repository.tree(&merge_base.into())?, repository.tree(head)?);
        let mut changes = Vec::with_capacity(self.paths.len());
        for path in &self.paths {
            let is_directory =
                |entry: &Option<Entry>| entry.as_ref().is_some_and(|entry| entry.mode == Mode::Directory);
            let (before, after) = (old.entry(path)?, new.entry(path)?);
            let (was, is) = (is_directory(&before), is_directory(&after));
            if (was && (is || after.is_none())) || (is && before.is_none()) {
                return Err(DetectError::GivenDirectory { path: path.clone() });
            }
            // A directory that took a file's place, or gave it up, is nothing at this path.
            let file = |entry: Option<Entry>| entry.filter(|entry| entry.mode != Mode::Directory);
            let kind = match (file(before), file(after)) {
                (None, Some(_)) => ChangeKind::Added,
                (Some(_), None) => ChangeKind::Deleted,
                (Some(old), Some(new)) => changed(&old, &new),
                (None, None) => {
                    warnings.push(format!("{path} was given as changed, and is in neither revision"));
                    ChangeKind::Deleted
                }
            };
            changes.push(Change { path: path.clone(), kind, old_path: None });
        }
        Ok(ChangeSet { base, head: *head, merge_base, changes, warnings })
    }
}

fn changed(old: &Entry, new: &Entry) -> ChangeKind {
    if old.mode == new.mode {
        ChangeKind::Modified
    } else if !(old.mode.is_file() && new.mode.is_file()) {
        ChangeKind::TypeChanged
    } else if old.id == new.id {
        ChangeKind::ModeChanged
    } else {
        ChangeKind::Modified
    }
}
