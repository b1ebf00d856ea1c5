//! Files set and removed in a directory, and the directories that come of it.

use std::collections::BTreeMap;

use crate::proof::RepoPath;

use super::{
    GitError, Mode, ObjectId, Repository,
    listing::Listing,
    tree::{LONGEST_PATH, child},
};

/// Directories are written one within the other, on the stack.
const DEEPEST: usize = 500;

/// What to set at which path, by directory; `None` removes.
#[derive(Debug, Default)]
pub(super) struct Edits {
    here: BTreeMap<Vec<u8>, Option<(Mode, ObjectId)>>,
    below: BTreeMap<Vec<u8>, Edits>,
}

/// Takes a directory's bytes, and says its id.
pub(super) type Sink<'a> = dyn FnMut(Vec<u8>) -> Result<ObjectId, GitError> + 'a;

impl Edits {
    pub(super) fn set(&mut self, path: &RepoPath, to: Option<(Mode, ObjectId)>) -> Result<(), GitError> {
        let (depth, length) = (path.names().count(), path.as_bytes().len());
        if depth > DEEPEST || length > LONGEST_PATH {
            return Err(GitError::TooMany {
                path: path.clone(),
                what: "the depth of directories",
                limit: DEEPEST,
            });
        }
        let mut edits = self;
        let mut names = path.names().peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                edits.here.insert(name.to_vec(), to);
                return Ok(());
            }
            edits = edits.below.entry(name.to_vec()).or_default();
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.here.is_empty() && self.below.is_empty()
    }

    /// The id of a tree with these edits made; that of the empty tree where nothing is left.
    pub(super) fn apply(
        &self,
        repository: &Repository,
        root: Option<ObjectId>,
        sink: &mut Sink<'_>,
    ) -> Result<ObjectId, GitError> {
        match self.write(repository, &RepoPath::root(), root, sink)? {
            Some(id) => Ok(id),
            None => sink(Vec::new()),
        }
    }

    fn write(
        &self,
        repository: &Repository,
        path: &RepoPath,
        before: Option<ObjectId>,
        sink: &mut Sink<'_>,
    ) -> Result<Option<ObjectId>, GitError> {
        let mut items: BTreeMap<Vec<u8>, (u32, ObjectId)> = BTreeMap::new();
        if let Some(id) = before {
            for item in repository.listing(id)?.iter() {
                items.insert(item.name.to_vec(), (item.raw_mode, item.id));
            }
        }
        for (name, to) in &self.here {
            match to {
                Some((mode, id)) => items.insert(name.clone(), (mode.raw(), *id)),
                None => items.remove(name),
            };
        }
        // After the files: a file that became a directory is removed above and set here.
        for (name, edits) in &self.below {
            let inner = items.get(name).filter(|(mode, _)| Mode::from_raw(*mode) == Some(Mode::Directory));
            let inner = inner.map(|(_, id)| *id);
            match edits.write(repository, &child(path, name)?, inner, sink)? {
                Some(id) => {
                    items.insert(name.clone(), (Mode::Directory.raw(), id));
                }
                None if inner.is_some() => {
                    items.remove(name);
                }
                // A directory that became a file, which stands here by now.
                None => {}
            }
        }
        if items.is_empty() {
            return Ok(None);
        }
        let mut items: Vec<_> = items.into_iter().map(|(name, (mode, id))| (name, mode, id)).collect();
        sink(Listing::encode(&mut items)).map(Some)
    }
}
