//! The files of a directory, sorted into the scopes that they make up.

use super::{Role, Scope as Belongs, build::Makings, ground::claims, record::Key};
use crate::{
    git::{Directory, Entry, GitError, Mode},
    proof::RepoPath,
};

/// The files of one scope, not yet read.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) key: Key,
    /// The directory that holds the files.
    pub(super) directory: Directory,
    /// The files, sorted by path.
    pub(super) files: Vec<Entry>,
    /// Whether files stand beside them that only a root has.
    pub(super) valued: bool,
}

/// What a directory holds that a catalog cares for.
#[derive(Debug, Default)]
pub(super) struct Grouped {
    /// Its scopes, sorted by key.
    pub(super) groups: Vec<Group>,
    /// Links and submodules.
    pub(super) ways: Vec<Entry>,
    /// Version files of tools, with the place of their dialect.
    pub(super) versions: Vec<(RepoPath, u8)>,
    /// Test files that are no scopes, since others are read in their place.
    pub(super) hidden: Vec<Key>,
}

impl Grouped {
    /// Sorts the files of a directory.
    pub(super) fn of(directory: &Directory, makings: &Makings) -> Result<Self, GitError> {
        let mut found = Self::default();
        let mut tests: Vec<Group> = Vec::new();
        let mut valued: Vec<u8> = Vec::new();
        for entry in directory.entries() {
            let entry = entry?;
            match entry.mode {
                Mode::Directory => continue,
                Mode::Link | Mode::Submodule => found.ways.push(entry.clone()),
                _ => {}
            }
            for (dialect, claim) in claims(&makings.dialects, &entry.path) {
                if let Some(other) = makings.dialects[usize::from(dialect)].hidden_by(&entry.path)
                    && directory.mode_of(other.file_name()).is_some_and(hides)
                {
                    if claim.role == Role::Test {
                        found.hidden.push(Key { at: entry.path.clone(), dialect, test: true });
                    }
                    continue;
                }
                match (claim.role, claim.scope) {
                    (Role::ToolVersion, _) => found.versions.push((entry.path.clone(), dialect)),
                    _ if entry.mode == Mode::Submodule => {}
                    (Role::Configuration, Belongs::Directory) => found.add(directory, dialect, &entry),
                    (Role::Configuration | Role::Test, _) => {
                        let mut group = Group::new(&entry.path, directory, dialect, true);
                        group.files.push(entry.clone());
                        tests.push(group);
                    }
                    (Role::AutomaticValues | Role::Lock, _) => valued.push(dialect),
                    (Role::Values, _) => {}
                }
            }
        }
        found.groups.append(&mut tests);
        if !found.groups.is_empty() && makings.rules.is_ignored(directory.path()) {
            found.groups.clear();
        }
        for group in &mut found.groups {
            group.valued = valued.contains(&group.key.dialect);
            group.files.sort();
        }
        found.groups.sort_by(|one, two| one.key.cmp(&two.key));
        Ok(found)
    }

    fn add(&mut self, directory: &Directory, dialect: u8, entry: &Entry) {
        let known = self.groups.iter().position(|group| group.key.dialect == dialect);
        let at = known.unwrap_or_else(|| {
            self.groups.push(Group::new(directory.path(), directory, dialect, false));
            self.groups.len() - 1
        });
        self.groups[at].files.push(entry.clone());
    }
}

/// Whether what is of this kind is read in the place of another, as a file is and a directory is not.
pub(super) fn hides(mode: Mode) -> bool {
    !matches!(mode, Mode::Directory | Mode::Submodule)
}

impl Group {
    fn new(at: &RepoPath, directory: &Directory, dialect: u8, test: bool) -> Self {
        let key = Key { at: at.clone(), dialect, test };
        Self { key, directory: directory.clone(), files: Vec::new(), valued: false }
    }
}
