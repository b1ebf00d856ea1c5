//! Everything below a directory, read by all cores.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;

use crate::proof::RepoPath;

use super::{
    Directory, Entry, GitError, Mode, ObjectId, Tree,
    listing::Listing,
    objects::Objects,
    tree::{MOST_ENTRIES, child, too_many},
};

/// So many directories are read at once. A tree made to exhaust its readers keeps this many times its depth
/// waiting, whatever it unfolds to.
const AT_ONCE: usize = 8192;

/// So many directories are read through one handle before the next is taken.
const IN_A_ROW: usize = 64;

/// A directory that is still to be read.
type Open = (RepoPath, ObjectId);

impl Tree {
    /// Everything below a directory that is no directory itself, sorted by path: files, links and
    /// submodules. Empty where there is no such directory. Directories are read in parallel.
    ///
    /// # Errors
    /// As [`Tree::entry`], and [`GitError::TooMany`] for a tree made to exhaust its readers.
    pub fn walk(&self, directory: &RepoPath) -> Result<Vec<Entry>, GitError> {
        let directories = self.directories(directory)?;
        let entries = directories.par_iter().flat_map_iter(Directory::entries);
        let files = entries.filter(|entry| !matches!(entry, Ok(Entry { mode: Mode::Directory, .. })));
        let mut files: Vec<Entry> = files.collect::<Result<_, _>>()?;
        // Long runs of it are in order.
        files.sort();
        Ok(files)
    }

    /// A directory and all below it, sorted by path. Empty where there is no such directory. They are read in
    /// parallel.
    ///
    /// # Errors
    /// As [`Tree::walk`].
    pub(crate) fn directories(&self, directory: &RepoPath) -> Result<Vec<Directory>, GitError> {
        let Some(Entry { mode: Mode::Directory, id, .. }) = self.entry(directory)? else {
            return Ok(Vec::new());
        };
        let seen = AtomicUsize::new(0);
        let mut found = Vec::new();
        let mut open = vec![(directory.clone(), id)];
        while !open.is_empty() {
            let now = open.split_off(open.len().saturating_sub(AT_ONCE));
            let read = |open: &[Open]| {
                self.repository().with_objects(|objects| self.read_directories(objects, open, &seen))
            };
            let parts: Vec<(Vec<Directory>, Vec<Open>)> = if now.len() <= IN_A_ROW {
                vec![read(&now)?]
            } else {
                now.par_chunks(IN_A_ROW).map(read).collect::<Result<_, _>>()?
            };
            for (mut read, mut below) in parts {
                found.append(&mut read);
                open.append(&mut below);
            }
        }
        found.par_sort_unstable_by(|one: &Directory, two| one.path().cmp(two.path()));
        Ok(found)
    }

    /// Some directories, and those directly below them.
    fn read_directories(
        &self,
        objects: &Objects<'_>,
        directories: &[Open],
        seen: &AtomicUsize,
    ) -> Result<(Vec<Directory>, Vec<Open>), GitError> {
        let (mut read, mut open) = (Vec::with_capacity(directories.len()), Vec::new());
        let mut last: Option<(ObjectId, Arc<Listing>)> = None;
        for (path, id) in directories {
            // A tree made to exhaust its readers is one directory many times over.
            let listing = match &last {
                Some((last, listing)) if last == id => Arc::clone(listing),
                _ => self.listing_among(objects, *id)?,
            };
            last = Some((*id, Arc::clone(&listing)));
            let holds = listing.len() + 1;
            if seen.fetch_add(holds, Ordering::Relaxed) + holds > MOST_ENTRIES {
                return Err(too_many(path));
            }
            for item in listing.iter().filter(|item| item.mode == Mode::Directory) {
                open.push((child(path, item.name)?, item.id));
            }
            read.push(Directory::new(path.clone(), listing));
        }
        Ok((read, open))
    }

    fn listing_among(&self, objects: &Objects<'_>, id: ObjectId) -> Result<Arc<Listing>, GitError> {
        match self.changed_listing(id) {
            Some(listing) => Ok(listing),
            None => objects.listing(id),
        }
    }
}
