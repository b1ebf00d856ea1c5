use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use crate::proof::RepoPath;

use super::{
    BlobId, Directory, Entry, GitError, Mode, ObjectId, Repository, Revision, TreeId, listing::Listing,
    working_file,
};

/// More files than any repository has that people work in; a tree that claims more was made to exhaust
/// its readers (a "git bomb" is a few kilobytes that unfold to billions of files).
pub(super) const MOST_ENTRIES: usize = 5_000_000;

/// No file system opens longer paths.
pub(super) const LONGEST_PATH: usize = 4096;

/// The files of a revision, readable without a checkout. Cheap to clone, and usable from every thread.
#[derive(Clone)]
pub struct Tree {
    repository: Repository,
    revision: Revision,
    root: TreeId,
    changed: Option<Arc<Changed>>,
}

/// What the working directory has and the object store has not.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// Directories with a changed file below them, as they would be written.
    pub(super) directories: HashMap<ObjectId, Arc<Listing>>,
    /// Files and links whose content is read from the disk.
    pub(super) files: BTreeSet<RepoPath>,
}

impl Tree {
    /// The largest file that is read whole: 64 MiB.
    pub const READ_LIMIT: u64 = 64 << 20;

    pub(super) fn of_commit(repository: Repository, revision: Revision, root: TreeId) -> Self {
        Self { repository, revision, root, changed: None }
    }

    pub(super) fn of_working_directory(
        repository: Repository,
        revision: Revision,
        root: TreeId,
        changed: Changed,
    ) -> Self {
        Self { repository, revision, root, changed: Some(Arc::new(changed)) }
    }

    /// The id of the whole: equal ids mean equal files. A working tree has the id that its files would
    /// get if they were committed as they stand on the disk.
    pub fn id(&self) -> TreeId {
        self.root
    }

    /// Whose files these are.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// Where these files come from.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    pub(super) fn listing(&self, id: ObjectId) -> Result<Arc<Listing>, GitError> {
        match self.changed_listing(id) {
            Some(listing) => Ok(listing),
            None => self.repository.listing(id),
        }
    }

    /// A directory that the object store has not, since a file below it is changed on the disk.
    pub(super) fn changed_listing(&self, id: ObjectId) -> Option<Arc<Listing>> {
        self.changed.as_ref()?.directories.get(&id).cloned()
    }

    /// A directory, if it is in memory.
    pub(super) fn known_listing(&self, id: ObjectId) -> Option<Arc<Listing>> {
        self.changed_listing(id).or_else(|| self.repository.known_listing(id))
    }

    /// What stands at a path; `None` where nothing does. Links are not followed.
    ///
    /// # Errors
    /// [`GitError::MissingObjects`] or [`GitError::CorruptTree`] for a directory on the way.
    pub fn entry(&self, path: &RepoPath) -> Result<Option<Entry>, GitError> {
        let (mut mode, mut id) = (Mode::Directory, self.root.object());
        for name in path.names() {
            if mode != Mode::Directory {
                return Ok(None);
            }
            match self.listing(id)?.find(name) {
                Some(item) => (mode, id) = (item.mode, item.id),
                None => return Ok(None),
            }
        }
        Ok(Some(Entry { path: path.clone(), mode, id }))
    }

    /// What stands directly in a directory, sorted by path. Empty where there is no such directory.
    ///
    /// # Errors
    /// As [`Tree::entry`].
    pub fn list(&self, directory: &RepoPath) -> Result<Vec<Entry>, GitError> {
        let Some(directory) = self.directory(directory)? else { return Ok(Vec::new()) };
        let mut entries = directory.entries().collect::<Result<Vec<_>, GitError>>()?;
        entries.sort();
        Ok(entries)
    }

    /// A directory; `None` where there is none.
    ///
    /// # Errors
    /// As [`Tree::entry`].
    pub(crate) fn directory(&self, path: &RepoPath) -> Result<Option<Directory>, GitError> {
        let Some(Entry { mode: Mode::Directory, id, .. }) = self.entry(path)? else { return Ok(None) };
        Ok(Some(Directory::new(path.clone(), self.listing(id)?)))
    }

    /// The bytes of a regular file; `None` where there is none: nothing at all, a directory, a link, or a
    /// submodule ([`Tree::entry`] says which).
    ///
    /// # Errors
    /// As [`Tree::read_entry`].
    pub fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, GitError> {
        match self.entry(path)? {
            Some(entry) if entry.mode.is_file() => self.read_entry(&entry).map(Some),
            _ => Ok(None),
        }
    }

    /// Where a link points to, as its bytes stand; `None` where there is no link. It may well point out of
    /// the repository: [`RepoPath::resolve`] tells.
    ///
    /// # Errors
    /// As [`Tree::read_entry`].
    pub fn link_target(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, GitError> {
        match self.entry(path)? {
            Some(entry) if entry.mode == Mode::Link => self.read_entry(&entry).map(Some),
            _ => Ok(None),
        }
    }

    /// The bytes of a file, or the target of a link, of this tree. No link is followed, neither at the end
    /// nor on the way.
    ///
    /// # Errors
    /// [`GitError::TooLarge`] beyond [`Tree::READ_LIMIT`]; [`GitError::MissingObjects`] in a partial clone;
    /// [`GitError::FileChanged`] where a file of the working directory is no longer what it was.
    pub fn read_entry(&self, entry: &Entry) -> Result<Vec<u8>, GitError> {
        self.show_entry(entry, <[u8]>::to_vec)
    }

    /// As [`Tree::read_entry`], of at most so many bytes.
    ///
    /// # Errors
    /// As [`Tree::read_entry`]; [`GitError::TooLarge`] beyond the limit, in a time that does not depend on the size.
    pub(crate) fn read_up_to(&self, entry: &Entry, limit: u64) -> Result<Vec<u8>, GitError> {
        let limit = limit.min(Self::READ_LIMIT);
        if self.is_on_disk(entry) {
            return working_file::read(self.repository.root(), entry, limit);
        }
        self.repository.with_objects(|objects| objects.blob(entry, limit, <[u8]>::to_vec))
    }

    /// As [`Tree::read_entry`], with a look at the bytes instead of a copy.
    ///
    /// # Errors
    /// As [`Tree::read_entry`].
    pub(crate) fn show_entry<T>(&self, entry: &Entry, show: impl FnOnce(&[u8]) -> T) -> Result<T, GitError> {
        if self.is_on_disk(entry) {
            return Ok(show(&working_file::read(self.repository.root(), entry, Self::READ_LIMIT)?));
        }
        self.repository.with_objects(|objects| objects.blob(entry, Self::READ_LIMIT, show))
    }

    /// The size of a file, or of a link's target, in bytes.
    ///
    /// # Errors
    /// As [`Tree::read_entry`].
    pub fn size(&self, entry: &Entry) -> Result<u64, GitError> {
        if self.is_on_disk(entry) {
            return working_file::size(self.repository.root(), entry);
        }
        self.repository.object_size(entry.id)
    }

    /// Those of some entries' blobs that are not in this clone, and are not read from the disk either.
    ///
    /// # Errors
    /// As [`Repository::missing_blobs`].
    pub fn missing<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<Vec<BlobId>, GitError> {
        let blobs = entries
            .into_iter()
            .filter(|entry| (entry.mode.is_file() || entry.mode == Mode::Link) && !self.is_on_disk(entry))
            .map(|entry| BlobId::from_object(entry.id));
        self.repository.missing_blobs(blobs)
    }

    /// As [`Tree::read_entry`], whatever the size.
    pub(super) fn read_whole(&self, entry: &Entry) -> Result<Vec<u8>, GitError> {
        if self.is_on_disk(entry) {
            return working_file::read(self.repository.root(), entry, u64::MAX - 1);
        }
        self.repository.with_objects(|objects| objects.blob(entry, u64::MAX, <[u8]>::to_vec))
    }

    pub(super) fn is_on_disk(&self, entry: &Entry) -> bool {
        self.changed.as_ref().is_some_and(|changed| changed.files.contains(&entry.path))
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("revision", &self.revision).field("id", &self.root).finish()
    }
}

/// A name below a directory, within the length that file systems open.
pub(super) fn child(directory: &RepoPath, name: &[u8]) -> Result<RepoPath, GitError> {
    match directory.child(name) {
        Some(path) if path.as_bytes().len() <= LONGEST_PATH => Ok(path),
        // What is wrong with it is said.
        _ if directory.is_root() => path_of(name),
        _ => path_of(&[directory.as_bytes(), name].join(&b"/"[..])),
    }
}

/// A path within the length that file systems open.
pub(super) fn path_of(bytes: &[u8]) -> Result<RepoPath, GitError> {
    let path = RepoPath::parse(bytes)?;
    if bytes.len() > LONGEST_PATH {
        return Err(GitError::TooMany { path, what: "the length of a path", limit: LONGEST_PATH });
    }
    Ok(path)
}

/// Counts one more entry, up to the bound.
pub(super) fn count(seen: &mut usize, directory: &RepoPath) -> Result<(), GitError> {
    *seen += 1;
    if *seen > MOST_ENTRIES { Err(too_many(directory)) } else { Ok(()) }
}

/// More entries than [`MOST_ENTRIES`] were come upon in a directory.
pub(super) fn too_many(directory: &RepoPath) -> GitError {
    GitError::TooMany { path: directory.clone(), what: "the number of files", limit: MOST_ENTRIES }
}
