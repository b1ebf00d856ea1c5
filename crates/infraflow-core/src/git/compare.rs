use std::{cmp::Ordering, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::proof::RepoPath;

use super::{
    Entry, GitError, Mode, ObjectId, Repository, Tree,
    listing::{Item, Listing},
    rename::{Paired, pair_renames},
    tree::{child, count},
};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its content is another; its mode may be too.
    Modified,
    /// It is gone.
    Deleted,
    /// It came from another path, its content the same or similar.
    Renamed,
    /// It is something else now: a file became a link, a submodule a file.
    TypeChanged,
    /// Only whether it may be executed changed.
    ModeChanged,
}

/// One file that differs between two trees. Files, links and submodules are files here; directories
/// appear by what is in them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TreeChange {
    /// Where it is now, or was, if it is gone.
    pub path: RepoPath,
    /// What became of it.
    pub kind: ChangeKind,
    /// Where it was, if it was renamed; where it was copied from, if copies were asked for and it is one.
    pub old_path: Option<RepoPath>,
    /// What was there, or what was copied; `None` for what is new.
    pub old: Option<Entry>,
    /// What is there; `None` for what was deleted.
    pub new: Option<Entry>,
}

impl TreeChange {
    fn between(old: Option<Entry>, new: Option<Entry>) -> Option<Self> {
        let kind = match (&old, &new) {
            (None, None) => return None,
            (None, Some(_)) => ChangeKind::Added,
            (Some(_), None) => ChangeKind::Deleted,
            (Some(old), Some(new)) if old.path != new.path => ChangeKind::Renamed,
            (Some(old), Some(new)) if old.mode != new.mode && !(old.mode.is_file() && new.mode.is_file()) => {
                ChangeKind::TypeChanged
            }
            (Some(old), Some(new)) if old.id == new.id => ChangeKind::ModeChanged,
            (Some(_), Some(_)) => ChangeKind::Modified,
        };
        let path = new.as_ref().or(old.as_ref())?.path.clone();
        let old_path = match (&old, kind) {
            (Some(old), ChangeKind::Renamed) => Some(old.path.clone()),
            _ => None,
        };
        Some(Self { path, kind, old_path, old, new })
    }
}

impl Repository {
    /// The files that differ between two trees, with renames by git's rule (as `git diff -M50%`), sorted
    /// by path.
    ///
    /// Directories of equal id are not looked into, so the cost is in proportion to the change. Renames
    /// are looked for among the files found, and only these are read.
    ///
    /// # Errors
    /// [`GitError::MissingObjects`] in a partial clone, naming every blob that the search for renames
    /// needs; [`GitError::CorruptTree`] and [`GitError::TooMany`] for trees made to harm.
    pub fn compare(&self, old: &Tree, new: &Tree) -> Result<Vec<TreeChange>, GitError> {
        paired(old, new, false)
    }

    /// As [`Repository::compare`], with copies too (as `git diff -C50%`): a file that came, and whose content a
    /// file that was changed or moved by the same change had before, is [`ChangeKind::Added`] with an
    /// [`TreeChange::old_path`]. Of a file that is gone and lives on at several paths, the last by path is the
    /// renamed one.
    ///
    /// # Errors
    /// As [`Repository::compare`].
    pub fn compare_with_copies(&self, old: &Tree, new: &Tree) -> Result<Vec<TreeChange>, GitError> {
        paired(old, new, true)
    }

    /// As [`Repository::compare`], without looking for renames (as `git diff --no-renames`): a file that
    /// moved is one that went and one that came. Nothing but directories is read, so this is the way to ask
    /// which paths of a tree are no longer those of another that was understood before.
    ///
    /// # Errors
    /// [`GitError::MissingObjects`] for a directory, which even partial clones mostly have;
    /// [`GitError::CorruptTree`] and [`GitError::TooMany`] for trees made to harm.
    pub fn compare_raw(&self, old: &Tree, new: &Tree) -> Result<Vec<TreeChange>, GitError> {
        let pairs = differing(old, new)?;
        let mut changes: Vec<_> =
            pairs.into_iter().filter_map(|(old, new)| TreeChange::between(old, new)).collect();
        changes.sort();
        Ok(changes)
    }

    /// The paths that differ between two trees, without looking for renames: nothing but directories is
    /// read. Sorted, without doubles.
    ///
    /// # Errors
    /// As [`Repository::compare_raw`].
    pub fn differing_paths(&self, old: &Tree, new: &Tree) -> Result<Vec<RepoPath>, GitError> {
        let mut paths: Vec<RepoPath> = differing(old, new)?
            .into_iter()
            .filter_map(|(old, new)| old.or(new).map(|entry| entry.path))
            .collect();
        paths.sort();
        paths.dedup();
        Ok(paths)
    }
}

fn paired(old: &Tree, new: &Tree, copies: bool) -> Result<Vec<TreeChange>, GitError> {
    let (mut gone, mut come, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for pair in differing(old, new)? {
        match pair {
            (Some(old), None) => gone.push(old),
            (None, Some(new)) => come.push(new),
            (old, new) => changes.extend(TreeChange::between(old, new)),
        }
    }
    gone.sort();
    come.sort();
    let kept = copies.then(|| changes.iter().filter_map(|change| change.old.clone()).collect());
    for Paired { pair: (old, new), copied } in pair_renames(old, new, gone, come, kept)? {
        let mut change = TreeChange::between(old, new);
        if let Some(change) = change.as_mut().filter(|_| copied) {
            change.kind = ChangeKind::Added;
        }
        changes.extend(change);
    }
    changes.sort();
    Ok(changes)
}

/// What was at a place and what is there now; at two places, where a file was renamed.
pub(super) type Pair = (Option<Entry>, Option<Entry>);

/// Every path at which two trees have another object or mode.
fn differing(old: &Tree, new: &Tree) -> Result<Vec<Pair>, GitError> {
    let mut found = Vec::new();
    let (old_root, new_root) = (old.id().object(), new.id().object());
    let mut open: Vec<(RepoPath, Option<ObjectId>, Option<ObjectId>)> = Vec::new();
    if old_root != new_root {
        open.push((RepoPath::root(), Some(old_root), Some(new_root)));
    }
    let mut seen = 0;
    while let Some((directory, old_id, new_id)) = open.pop() {
        let (old_listing, new_listing) = match (old_id, new_id) {
            (Some(old_id), Some(new_id)) => {
                let (old_listing, new_listing) = both((old, old_id), (new, new_id))?;
                (Some(old_listing), Some(new_listing))
            }
            (old_id, new_id) => {
                (old_id.map(|id| old.listing(id)).transpose()?, new_id.map(|id| new.listing(id)).transpose()?)
            }
        };
        for (old_item, new_item) in merge(old_listing.as_deref(), new_listing.as_deref()) {
            let Some(name) = old_item.or(new_item).map(|item| item.name) else { continue };
            if let (Some(old_item), Some(new_item)) = (old_item, new_item)
                && old_item.id == new_item.id
                && old_item.mode == new_item.mode
            {
                continue;
            }
            count(&mut seen, &directory)?;
            let path = child(&directory, name)?;
            // A file and a directory of one name come one by one, so both items are of one sort here.
            let is_directory = old_item.or(new_item).is_some_and(|item| item.mode == Mode::Directory);
            if is_directory {
                open.push((path, old_item.map(|item| item.id), new_item.map(|item| item.id)));
            } else {
                let entry = |item: Item<'_>| Entry { path: path.clone(), mode: item.mode, id: item.id };
                found.push((old_item.map(entry), new_item.map(entry)));
            }
        }
    }
    Ok(found)
}

/// A directory is large whose reading takes longer than asking another core.
const LARGE: u64 = 256 << 10;

/// Two states of one directory. Those of a large one are read at once.
fn both(old: (&Tree, ObjectId), new: (&Tree, ObjectId)) -> Result<(Arc<Listing>, Arc<Listing>), GitError> {
    let known = |(tree, id): (&Tree, ObjectId)| tree.known_listing(id).is_some();
    if known(old) || known(new) || old.0.repository().object_size(old.1)? < LARGE {
        return Ok((old.0.listing(old.1)?, new.0.listing(new.1)?));
    }
    let (old, new) = rayon::join(|| old.0.listing(old.1), || new.0.listing(new.1));
    Ok((old?, new?))
}

/// Both listings side by side, in git's order, without the items that are the same in both.
fn merge<'a>(
    old: Option<&'a Listing>,
    new: Option<&'a Listing>,
) -> impl Iterator<Item = (Option<Item<'a>>, Option<Item<'a>>)> {
    let (mut old_at, mut new_at) = (0, 0);
    let item = |listing: Option<&'a Listing>, at: usize| {
        listing.filter(|listing| at < listing.len()).map(|listing| listing.get(at))
    };
    std::iter::from_fn(move || {
        if let (Some(old), Some(new)) = (old, new) {
            let same = old.same(old_at, new, new_at);
            (old_at, new_at) = (old_at + same, new_at + same);
        }
        let (old_item, new_item) = (item(old, old_at), item(new, new_at));
        let order = match (&old_item, &new_item) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old_item), Some(new_item)) => old_item.order(new_item),
        };
        old_at += usize::from(order.is_le());
        new_at += usize::from(order.is_ge());
        Some((old_item.filter(|_| order.is_le()), new_item.filter(|_| order.is_ge())))
    })
}
