//! Objects, read through one handle of libgit2; and directories kept in memory.

use std::{
    cell::Ref,
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use git2::{ObjectType, OdbLookupFlags};

use super::{
    BlobId, Entry, GitError, ObjectId, Repository, listing::Listing, packs::Kind, repository::Handle,
};

/// What directories read once may hold of the memory before they are forgotten.
const LISTINGS_BOUND: usize = 64 << 20;

/// Directories of this size and more are kept by those who pass them once: to read one takes as long as to
/// read some hundred small ones.
const WORTH_KEEPING: usize = 16 << 10;

/// The objects of a repository, through a handle that is borrowed once for many reads.
pub(super) struct Objects<'a> {
    repository: &'a Repository,
    handle: &'a Handle,
    odb: git2::Odb<'a>,
}

/// Directories that were read, by their ids.
#[derive(Default)]
pub(super) struct Listings {
    known: HashMap<ObjectId, Arc<Listing>>,
    size: usize,
}

impl Listings {
    pub(super) fn get(&self, id: ObjectId) -> Option<Arc<Listing>> {
        self.known.get(&id).cloned()
    }

    pub(super) fn keep(&mut self, id: ObjectId, listing: &Arc<Listing>) {
        if self.size > LISTINGS_BOUND {
            *self = Self::default();
        }
        if self.known.insert(id, Arc::clone(listing)).is_none() {
            self.size += listing.size();
        }
    }
}

impl Repository {
    /// Lends the objects to a piece of work.
    pub(super) fn with_objects<T, E: From<GitError>>(
        &self,
        work: impl FnOnce(&Objects<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.with_handle(|handle| {
            let odb = handle.git.odb().map_err(|error| self.failed("open the objects", error))?;
            work(&Objects { repository: self, handle, odb })
        })
    }

    /// A directory by its id, from memory where it was read before.
    pub(super) fn listing(&self, id: ObjectId) -> Result<Arc<Listing>, GitError> {
        if let Some(known) = self.known_listing(id) {
            return Ok(known);
        }
        let listing = Arc::new(self.with_objects(|objects| objects.directory(id))?);
        self.keep_listing(id, &listing);
        Ok(listing)
    }

    /// The size of an object, of a directory that of its bytes.
    pub(super) fn object_size(&self, id: ObjectId) -> Result<u64, GitError> {
        self.with_objects(|objects| objects.size(id))
    }

    /// Those of some blobs that are not in this clone; sorted, without doubles.
    ///
    /// # Errors
    /// [`GitError::Libgit2`] where the objects cannot be opened.
    pub fn missing_blobs(&self, blobs: impl IntoIterator<Item = BlobId>) -> Result<Vec<BlobId>, GitError> {
        let missing = self.missing_objects(blobs.into_iter().map(ObjectId::from))?;
        Ok(missing.into_iter().map(BlobId::from_object).collect())
    }

    /// Those of some objects that are not in this clone; sorted, without doubles.
    ///
    /// # Errors
    /// As [`Repository::missing_blobs`].
    pub fn missing_objects(
        &self,
        ids: impl IntoIterator<Item = ObjectId>,
    ) -> Result<Vec<ObjectId>, GitError> {
        self.with_objects(|objects| {
            let mut missing = BTreeSet::new();
            for id in ids {
                if !objects.has(id)? {
                    missing.insert(id);
                }
            }
            // What was fetched since the handle was opened is found by looking again, once.
            if !missing.is_empty() {
                objects.look_again()?;
                let mut still = Vec::with_capacity(missing.len());
                for id in missing {
                    if !objects.has(id)? {
                        still.push(id);
                    }
                }
                return Ok(still);
            }
            Ok(Vec::new())
        })
    }
}

impl Objects<'_> {
    /// A directory, from memory where it was read before; a large one is kept there.
    pub(super) fn listing(&self, id: ObjectId) -> Result<Arc<Listing>, GitError> {
        if let Some(known) = self.repository.known_listing(id) {
            return Ok(known);
        }
        let listing = Arc::new(self.directory(id)?);
        if listing.size() >= WORTH_KEEPING {
            self.repository.keep_listing(id, &listing);
        }
        Ok(listing)
    }

    /// The bytes of an object, of at most so many, straight from a pack. `None` where libgit2 is to be asked.
    fn packed(&self, id: ObjectId, kind: Kind, limit: u64) -> Option<Ref<'_, [u8]>> {
        if !TRUSTED.load(Ordering::Relaxed) {
            return None;
        }
        let packs = self.repository.packs();
        let (found, length) = self.handle.reader.try_borrow_mut().ok()?.read(packs, id, limit)?;
        (found == kind).then(|| Ref::map(self.handle.reader.borrow(), |reader| reader.bytes(length)))
    }

    /// Reads a directory.
    fn directory(&self, id: ObjectId) -> Result<Listing, GitError> {
        self.repository.patient(false)?;
        if let Some(bytes) = self.packed(id, Kind::Tree, u64::MAX) {
            return Listing::parse(id, bytes.to_vec());
        }
        self.repository.whole(id)?;
        let object = self.odb.read(id.to_git2()?).map_err(|error| self.repository.unreadable(id, error))?;
        if object.kind() != ObjectType::Tree {
            return Err(GitError::CorruptTree { id, why: format!("it is a {}", object.kind()) });
        }
        Listing::parse(id, object.data().to_vec())
    }

    /// The size of an object's bytes.
    pub(super) fn size(&self, id: ObjectId) -> Result<u64, GitError> {
        let header = self.odb.read_header(id.to_git2()?);
        header.map(|(size, _)| size as u64).map_err(|error| self.repository.unreadable(id, error))
    }

    /// Shows the bytes of a file, or of a link's target, of at most so many bytes.
    pub(super) fn blob<T>(
        &self,
        entry: &Entry,
        limit: u64,
        show: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, GitError> {
        self.repository.patient(false)?;
        if let Some(bytes) = self.packed(entry.id, Kind::Blob, limit) {
            self.repository.patient_with(bytes.len())?;
            return Ok(show(&bytes));
        }
        self.repository.whole(entry.id)?;
        let size = self.size(entry.id)?;
        if size > limit {
            return Err(GitError::TooLarge { path: entry.path.clone(), size, limit });
        }
        self.repository.patient_with(usize::try_from(size).unwrap_or(usize::MAX))?;
        let object = self
            .odb
            .read(entry.id.to_git2()?)
            .map_err(|error| self.repository.unreadable(entry.id, error))?;
        if object.kind() != ObjectType::Blob {
            return Err(GitError::CorruptTree {
                id: entry.id,
                why: format!("{} should be a file, and is a {}", entry.path, object.kind()),
            });
        }
        Ok(show(object.data()))
    }

    /// Whether an object is here, as far as the handle knows: libgit2 would read the folder of packs again for
    /// each that is not.
    fn has(&self, id: ObjectId) -> Result<bool, GitError> {
        Ok(self.odb.exists_ext(id.to_git2()?, OdbLookupFlags::NO_REFRESH))
    }

    fn look_again(&self) -> Result<(), GitError> {
        self.odb.refresh().map_err(|error| self.repository.failed("look for new objects", error))
    }
}

/// Takes every stored object for what its id says, in this whole process: libgit2 has one setting for all who
/// use it, and hashes by default each object that it reads, which is a third of the cost of comparing large
/// directories and a fifth of that of reading files.
///
/// Git itself does not check them either: what is fetched is hashed when it is stored. It is for the program
/// that embeds this library to say so, once, at its beginning; the library never does. A damaged object is then
/// noticed only where it cannot be unpacked; `git fsck` finds the others.
pub fn trust_stored_objects() {
    git2::opts::strict_hash_verification(false);
    TRUSTED.store(true, Ordering::Relaxed);
}

/// Whether objects may be read without hashing them.
static TRUSTED: AtomicBool = AtomicBool::new(false);
