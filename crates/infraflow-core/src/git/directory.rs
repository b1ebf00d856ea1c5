//! A directory with its names, and the directories that are looked at around it.

use std::{collections::HashMap, sync::Arc};

use crate::proof::RepoPath;

use super::{Entry, GitError, Mode, ObjectId, Tree, listing::Listing, tree::child};

/// A directory of a tree, read. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    path: RepoPath,
    listing: Arc<Listing>,
}

impl Directory {
    pub(super) fn new(path: RepoPath, listing: Arc<Listing>) -> Self {
        Self { path, listing }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &RepoPath {
        &self.path
    }

    /// What stands directly in it, in git's order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Result<Entry, GitError>> + '_ {
        self.listing.iter().map(|item| {
            let path = child(&self.path, item.name)?;
            Ok(Entry { path, mode: item.mode, id: item.id })
        })
    }

    /// The names of what stands directly in it, in git's order.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&[u8], Mode)> {
        self.listing.iter().map(|item| (item.name, item.mode))
    }

    /// What kind of thing goes by a name in it.
    pub(crate) fn mode_of(&self, name: &[u8]) -> Option<Mode> {
        self.find(name).map(|(mode, _)| mode)
    }

    /// What goes by a name in it.
    fn find(&self, name: &[u8]) -> Option<(Mode, ObjectId)> {
        self.listing.find(name).map(|item| (item.mode, item.id))
    }
}

/// A tree as somebody sees it who looks at paths near one another: each directory on the way to them is read
/// once.
pub(crate) struct Near<'a> {
    tree: &'a Tree,
    known: HashMap<RepoPath, Option<Directory>>,
}

/// So many directories are known before all are forgotten.
const MOST_KNOWN: usize = 4_096;

impl<'a> Near<'a> {
    pub(crate) fn new(tree: &'a Tree) -> Self {
        Self { tree, known: HashMap::new() }
    }

    /// Takes up a directory that is read already.
    pub(crate) fn know(&mut self, directory: &Directory) {
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(directory.path.clone(), Some(directory.clone()));
    }

    /// As [`Tree::entry`].
    ///
    /// # Errors
    /// As [`Tree::entry`].
    pub(crate) fn entry(&mut self, path: &RepoPath) -> Result<Option<Entry>, GitError> {
        if path.is_root() {
            return self.tree.entry(path);
        }
        let bytes = path.as_bytes();
        let cut = bytes.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        let found = match self.known.get(&bytes[..cut]) {
            Some(known) => known.as_ref().and_then(|directory| directory.find(path.file_name())),
            None => {
                let parent = path.parent().unwrap_or_else(RepoPath::root);
                self.directory(&parent)?.and_then(|directory| directory.find(path.file_name()))
            }
        };
        Ok(found.map(|(mode, id)| Entry { path: path.clone(), mode, id }))
    }

    /// As [`Tree::directory`].
    ///
    /// # Errors
    /// As [`Tree::directory`].
    pub(crate) fn directory(&mut self, path: &RepoPath) -> Result<Option<Directory>, GitError> {
        if let Some(known) = self.known.get(path) {
            return Ok(known.clone());
        }
        // From the nearest directory above that is known, down again.
        let mut down = Vec::new();
        let mut at = path.clone();
        let mut found = loop {
            if let Some(known) = self.known.get(&at) {
                break known.clone();
            }
            match at.parent() {
                Some(parent) => down.push(std::mem::replace(&mut at, parent)),
                None => break self.tree.directory(&at)?,
            }
        };
        if at.is_root() {
            self.known.entry(at).or_insert_with(|| found.clone());
        }
        while let Some(path) = down.pop() {
            let below = match found.and_then(|above| above.find(path.file_name())) {
                Some((Mode::Directory, id)) => Some(Directory::new(path.clone(), self.tree.listing(id)?)),
                _ => None,
            };
            self.known.insert(path, below.clone());
            found = below;
        }
        Ok(found)
    }
}
