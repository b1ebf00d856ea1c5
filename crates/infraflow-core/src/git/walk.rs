//! Everything below a directory, read by all cores.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;

use crate::proof::RepoPath;

use super::{
    Entry, GitError, Mode, ObjectId, Tree,
    listing::Listing,
    objects::Objects,
    tree::{MOST_ENTRIES, too_many},
};

/// So many directories are read at once. A tree made to exhaust its readers keeps this many times its depth
/// waiting, whatever it unfolds to.
const AT_ONCE: usize = 8192;

/// So many directories are read through one handle before the next is taken.
const IN_A_ROW: usize = 64;

type Directory = (RepoPath, ObjectId);

/// What some directories hold: the files by path, and the directories still to be read.
#[derive(Default)]
struct Read {
    files: Vec<Entry>,
    open: Vec<Directory>,
}

impl Tree {
    /// Everything below a directory that is no directory itself, sorted by path: files, links and
    /// submodules. Empty where there is no such directory. Directories are read in parallel.
    ///
    /// # Errors
    /// As [`Tree::entry`], and [`GitError::TooMany`] for a tree made to exhaust its readers.
    pub fn walk(&self, directory: &RepoPath) -> Result<Vec<Entry>, GitError> {
        let Some(Entry { mode: Mode::Directory, id, .. }) = self.entry(directory)? else {
            return Ok(Vec::new());
        };
        let seen = AtomicUsize::new(0);
        let mut files = Vec::new();
        let mut open = vec![(directory.clone(), id)];
        while !open.is_empty() {
            let now = open.split_off(open.len().saturating_sub(AT_ONCE));
            let read = |directories: &[Directory]| {
                self.repository().with_objects(|objects| self.read_directories(objects, directories, &seen))
            };
            let parts: Vec<Read> = if now.len() <= IN_A_ROW {
                vec![read(&now)?]
            } else {
                now.par_chunks(IN_A_ROW).map(read).collect::<Result<_, _>>()?
            };
            for mut part in parts {
                files.append(&mut part.files);
                open.append(&mut part.open);
            }
        }
        // Long runs of it are in order.
        files.sort();
        Ok(files)
    }

    fn read_directories(
        &self,
        objects: &Objects<'_>,
        directories: &[Directory],
        seen: &AtomicUsize,
    ) -> Result<Read, GitError> {
        let mut read = Read::default();
        let mut path = Vec::new();
        for (directory, id) in directories {
            let listing = self.listing_among(objects, *id)?;
            if seen.fetch_add(listing.len(), Ordering::Relaxed) + listing.len() > MOST_ENTRIES {
                return Err(too_many(directory));
            }
            path.clear();
            path.extend_from_slice(directory.as_bytes());
            if !directory.is_root() {
                path.push(b'/');
            }
            let above = path.len();
            for item in listing.iter() {
                path.truncate(above);
                path.extend_from_slice(item.name);
                let path = super::tree::path_of(&path)?;
                match item.mode {
                    Mode::Directory => read.open.push((path, item.id)),
                    mode => read.files.push(Entry { path, mode, id: item.id }),
                }
            }
        }
        Ok(read)
    }

    fn listing_among(&self, objects: &Objects<'_>, id: ObjectId) -> Result<Arc<Listing>, GitError> {
        match self.changed_listing(id) {
            Some(listing) => Ok(listing),
            None => objects.listing(id),
        }
    }
}
