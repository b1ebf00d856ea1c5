use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::OpenOptions,
    io::Write,
    os::unix::{
        ffi::OsStrExt,
        fs::{OpenOptionsExt, symlink},
    },
    path::{Path, PathBuf},
};

use crate::proof::RepoPath;

use super::{
    Entry, Followed, GitError, Mode, ObjectId, Repository, Tree, staging::Staging, write::is_gits_own,
};

impl Repository {
    /// Writes a tree's files into a folder that is not there, or empty: no `.git`, no filters, nothing
    /// executed. A submodule is an empty folder, as git leaves it. The folder appears when it is whole.
    ///
    /// # Errors
    /// [`GitError::BadLink`] for a link that leads out of the tree or in a circle, and
    /// [`GitError::GitsOwnName`], before anything is written; [`GitError::NotEmpty`];
    /// [`GitError::MissingObjects`] naming all files that a partial clone has not; [`GitError::Io`] where the
    /// file system refuses, for example because it is full.
    pub fn materialise(&self, tree: &Tree, into: impl AsRef<Path>) -> Result<(), GitError> {
        let staging = Staging::beside(into.as_ref())?;
        let entries = tree.walk(&RepoPath::root())?;
        check(tree, &entries)?;
        let root = staging.path();
        let directories: BTreeSet<RepoPath> = entries
            .iter()
            .flat_map(|entry| {
                let itself = (entry.mode == Mode::Submodule).then(|| entry.path.clone());
                std::iter::successors(entry.path.parent(), RepoPath::parent).chain(itself)
            })
            .chain([RepoPath::root()])
            .collect();
        for directory in directories {
            let path = directory.below(&root);
            std::fs::create_dir(&path).map_err(|error| GitError::io("make the folder", path, error))?;
        }
        // Links last, so that nothing is written through one.
        let (links, files): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .filter(|entry| entry.mode != Mode::Submodule)
            .partition(|entry| entry.mode == Mode::Link);
        for entry in files {
            write_file(&entry.path.below(&root), entry.mode, &tree.read_whole(&entry)?)?;
        }
        for entry in links {
            let path = entry.path.below(&root);
            let target = tree.read_whole(&entry)?;
            symlink(OsStr::from_bytes(&target), &path)
                .map_err(|error| GitError::io("make the link", path, error))?;
        }
        staging.finish().map(|_: PathBuf| ())
    }
}

fn check(tree: &Tree, entries: &[Entry]) -> Result<(), GitError> {
    let missing = tree.missing(entries)?;
    if !missing.is_empty() {
        let path = tree.repository().root().to_owned();
        return Err(GitError::MissingObjects {
            path,
            ids: missing.into_iter().map(ObjectId::from).collect(),
        });
    }
    for entry in entries {
        if entry.path.names().any(is_gits_own) {
            return Err(GitError::GitsOwnName { path: entry.path.clone() });
        }
        if entry.mode == Mode::Link {
            let why = match tree.follow(&entry.path)? {
                Followed::To(_) | Followed::Nothing(_) => continue,
                Followed::Outside => "which is outside of the tree",
                Followed::Circle => "which leads in a circle",
            };
            let target = String::from_utf8_lossy(&tree.read_entry(entry)?).into_owned();
            return Err(GitError::BadLink { path: entry.path.clone(), target, why });
        }
    }
    Ok(())
}

fn write_file(path: &Path, mode: Mode, content: &[u8]) -> Result<(), GitError> {
    let permissions = if mode == Mode::Executable { 0o777 } else { 0o666 };
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(permissions)
        .open(path)
        .and_then(|mut file| file.write_all(content))
        .map_err(|error| GitError::io("write", path, error))
}
