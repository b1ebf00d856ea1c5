//! Another tree laid over an index: the records of what differs, made anew, and of whoever that concerns.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    CatalogError, ReferenceKind, Role,
    build::Makings,
    draft::Draft,
    each::{FEW_SCOPES, each},
    ground::{Ground, claims},
    group::{Group, Grouped},
    index::Index,
    link::{carried, finished},
    links::Links,
    record::{Key, Open, Record},
    scope::{MOST_NAMES_OF_TESTS, Scope, gather},
    shared,
    view::{RecordId, View},
};
use crate::{
    git::{Mode, Tree},
    proof::RepoPath,
};

/// More differing files than this, and the tree is indexed anew: that costs less.
const MOST_DIFFERENCES: usize = 2_000;

/// What a tree has otherwise than the index.
#[derive(Default)]
pub(super) struct Patch {
    pub(super) records: Vec<Arc<Record>>,
    /// Scopes that differ, by the place of their record; `None` for those that are gone.
    pub(super) by_key: BTreeMap<Key, Option<u32>>,
    /// Edges of these records, and what is lent to them, by where they end.
    pub(super) ends: HashMap<(u8, RepoPath), Vec<(u32, u32)>>,
}

impl Patch {
    fn new(records: BTreeMap<Key, Option<Arc<Record>>>) -> Self {
        let mut patch = Self::default();
        for (key, record) in records {
            let place = record.map(|record| {
                let number = u32::try_from(patch.records.len()).unwrap_or(u32::MAX);
                for (at, edge) in record.edges.iter().enumerate() {
                    let (kind, path) = edge.to.place();
                    let place = (number, u32::try_from(at).unwrap_or(u32::MAX));
                    patch.ends.entry((kind, path.clone())).or_default().push(place);
                }
                for path in &record.lends {
                    let end = (super::image::LENDS, path.clone());
                    patch.ends.entry(end).or_default().push((number, u32::MAX));
                }
                patch.records.push(record);
                number
            });
            patch.by_key.insert(key, place);
        }
        patch
    }

    /// The scopes that differ, with their records.
    pub(super) fn scopes(&self) -> impl Iterator<Item = (&Key, Option<&Arc<Record>>)> {
        self.by_key.iter().map(|(key, place)| (key, place.map(|place| &self.records[place as usize])))
    }
}

/// Lays a tree over an index. `None` where so much differs that an index of its own costs less.
pub(super) fn lay(
    index: &Arc<Index>,
    tree: &Tree,
    makings: &Arc<Makings>,
) -> Result<Option<View>, CatalogError> {
    lay_over(&View::of(index)?, &index.tree, tree, makings)
}

/// Lays a tree over what another one has. `None` where so much differs that an index of its own costs less.
pub(super) fn lay_over(
    view: &View,
    from: &Tree,
    tree: &Tree,
    makings: &Arc<Makings>,
) -> Result<Option<View>, CatalogError> {
    if from.id() == tree.id() {
        return Ok(Some(view.clone()));
    }
    let failed = |source| CatalogError::git(tree, source);
    let differing = tree.repository().differing_paths(from, tree).map_err(failed)?;
    if differing.len() > MOST_DIFFERENCES {
        return Ok(None);
    }
    let mut change = Change { view, makings, tree, dirty: BTreeSet::new(), directories: BTreeSet::new() };
    let mut links = view.links.clone();
    let mut versions = view.versions.clone();
    let mut rerouted = Vec::new();
    for path in &differing {
        let entry = tree.entry(path).map_err(failed)?;
        let was_way = links.links.contains_key(path) || links.submodules.contains(path);
        links.set(tree, path, entry.as_ref()).map_err(failed)?;
        let is_way = links.links.contains_key(path) || links.submodules.contains(path);
        if was_way || is_way {
            rerouted.push(path.clone());
        }
        for (dialect, claim) in claims(&makings.dialects, path) {
            if claim.role == Role::ToolVersion {
                match &entry {
                    Some(_) => versions.insert((path.clone(), dialect)),
                    None => versions.remove(&(path.clone(), dialect)),
                };
            }
        }
        change.touched(path)?;
        for link in links.leading_to(path) {
            change.valued(&link)?;
        }
    }
    change.rerouted(&rerouted)?;
    let Change { mut dirty, directories, .. } = change;
    let mut made = Made { tree, makings, links: &links, view, groups: BTreeMap::new() };
    for directory in directories {
        dirty.extend(made.regroup(&directory)?);
    }
    let records = made.all(dirty)?;
    makings.sound()?;
    let known = view.patch.scopes();
    let mut laid: BTreeMap<Key, Option<Arc<Record>>> =
        known.map(|(key, record)| (key.clone(), record.cloned())).collect();
    laid.extend(records.into_iter().map(|(key, record)| (key, record.map(Arc::new))));
    Ok(Some(view.with(Patch::new(laid), links, versions)))
}

/// What a difference makes dirty.
struct Change<'a> {
    view: &'a View,
    makings: &'a Makings,
    tree: &'a Tree,
    /// Scopes whose records may come out otherwise.
    dirty: BTreeSet<Key>,
    /// Directories whose files are to be looked at anew.
    directories: BTreeSet<RepoPath>,
}

impl Change<'_> {
    fn touched(&mut self, path: &RepoPath) -> Result<(), CatalogError> {
        let directory = path.parent().unwrap_or_else(RepoPath::root);
        for (dialect, claim) in claims(&self.makings.dialects, path) {
            self.directories.insert(directory.clone());
            let test = claim.role == Role::Test || matches!(claim.scope, super::Scope::File);
            match claim.role {
                Role::Configuration | Role::Test => {
                    let at = if test { path.clone() } else { directory.clone() };
                    self.dirty.insert(Key { at, dialect, test });
                    if self.makings.dialects[usize::from(dialect)].inherits() {
                        self.heirs(&directory, dialect)?;
                    }
                    if !test {
                        self.neighbours(&directory)?;
                    }
                }
                Role::AutomaticValues | Role::Lock | Role::Values => {
                    let here = self.view.records_at(&directory)?;
                    for id in here {
                        self.dirty.insert(self.view.record(id)?.key.clone());
                    }
                    if claim.role != Role::Lock {
                        self.takers(&directory)?;
                    }
                }
                Role::ToolVersion => {}
            }
        }
        // Which files are declared for a unit may depend on any that stands in the declared place.
        self.taking(shared::near(self.view, self.makings, path, false)?)?;
        for (id, edge) in self.view.edges_to_path(path, true)? {
            if edge.looked || matches!(edge.kind, ReferenceKind::SymbolicLink | ReferenceKind::Submodule) {
                self.dirty.insert(self.view.record(id)?.key.clone());
            }
        }
        Ok(())
    }

    /// Scopes below a directory whose dialect looks at what stands above.
    fn heirs(&mut self, directory: &RepoPath, dialect: u8) -> Result<(), CatalogError> {
        for id in self.view.records_below(directory)? {
            let record = self.view.record(id)?;
            if record.key.dialect == dialect {
                self.dirty.insert(record.key.clone());
            }
        }
        Ok(())
    }

    /// Values of variables behind a link.
    fn valued(&mut self, link: &RepoPath) -> Result<(), CatalogError> {
        let given = |claim: super::Claim| matches!(claim.role, Role::AutomaticValues | Role::Values);
        if claims(&self.makings.dialects, link).any(|(_, claim)| given(claim)) {
            self.touched(link)?;
        }
        Ok(())
    }

    /// Where configuration comes or goes, tests below find another directory to run in, and variable files
    /// another unit.
    fn neighbours(&mut self, directory: &RepoPath) -> Result<(), CatalogError> {
        let before = self.view.configured(directory)?;
        let entries = self.tree.list(directory).map_err(|source| CatalogError::git(self.tree, source))?;
        let files = entries.iter().filter(|entry| !matches!(entry.mode, Mode::Directory | Mode::Submodule));
        let claims = files.flat_map(|entry| claims(&self.makings.dialects, &entry.path));
        let own = claims.filter(|(_, claim)| {
            claim.role == Role::Configuration && matches!(claim.scope, super::Scope::Directory)
        });
        let now: BTreeSet<u8> = own.map(|(dialect, _)| dialect).collect();
        if before == now {
            return Ok(());
        }
        for id in self.view.records_below(directory)? {
            let record = self.view.record(id)?;
            let names = record.key.at.relative_to(directory).iter().filter(|&&b| b == b'/').count();
            if record.key.test && names <= MOST_NAMES_OF_TESTS {
                self.dirty.insert(record.key.clone());
                self.directories.insert(directory_of(&record.key));
            }
        }
        self.takers(directory)
    }

    /// Scopes that a variable file in a directory may concern.
    fn takers(&mut self, directory: &RepoPath) -> Result<(), CatalogError> {
        let mut found = self.view.records_below(directory)?;
        let mut above = directory.parent();
        while let Some(at) = above {
            found.extend(self.view.records_at(&at)?);
            above = at.parent();
        }
        self.taking(found)
    }

    fn taking(&mut self, ids: Vec<RecordId>) -> Result<(), CatalogError> {
        for id in ids {
            let record = self.view.record(id)?;
            if record.takes_values {
                self.dirty.insert(record.key.clone());
            }
        }
        Ok(())
    }

    /// Where a link or submodule comes, goes or turns, every way through it is another.
    fn rerouted(&mut self, paths: &[RepoPath]) -> Result<(), CatalogError> {
        if paths.is_empty() {
            return Ok(());
        }
        for id in self.view.all()? {
            let record = self.view.record(id)?;
            let through = |edge: &super::record::Edge| {
                paths.iter().any(|path| edge.to.path().is_within(path) || path.is_within(edge.to.path()))
            };
            if record.edges.iter().any(through) {
                self.dirty.insert(record.key.clone());
            }
        }
        Ok(())
    }
}

/// Records made anew.
struct Made<'a> {
    tree: &'a Tree,
    makings: &'a Makings,
    links: &'a Links,
    view: &'a View,
    /// The files of directories that were looked at anew, by scope.
    groups: BTreeMap<RepoPath, BTreeMap<Key, Group>>,
}

impl Made<'_> {
    /// Looks at the files of a directory; says which scopes they make, and which test files are none.
    fn regroup(&mut self, directory: &RepoPath) -> Result<Vec<Key>, CatalogError> {
        let mut hidden = Vec::new();
        if !self.groups.contains_key(directory) {
            let failed = |source| CatalogError::git(self.tree, source);
            let found = match self.tree.directory(directory).map_err(failed)? {
                Some(found) => Grouped::of(&found, self.makings).map_err(failed)?,
                None => Grouped::default(),
            };
            hidden = found.hidden;
            let groups = found.groups.into_iter().map(|group| (group.key.clone(), group)).collect();
            self.groups.insert(directory.clone(), groups);
        }
        hidden.extend(self.groups[directory].keys().cloned());
        Ok(hidden)
    }

    /// The records of dirty scopes, and of those that call them where what they leave open has changed.
    fn all(&mut self, mut dirty: BTreeSet<Key>) -> Result<BTreeMap<Key, Option<Record>>, CatalogError> {
        let mut ground = self.makings.ground(self.tree, self.links);
        let failed = |source| CatalogError::git(self.tree, source);
        // What was read in one round is not read again in the next.
        let mut read: BTreeMap<Key, Scope> = BTreeMap::new();
        loop {
            for key in &dirty {
                self.regroup(&directory_of(key))?;
            }
            let unread = dirty.iter().filter(|key| !read.contains_key(key));
            let unread: Vec<&Group> =
                unread.filter_map(|key| self.groups.get(&directory_of(key))?.get(key)).collect();
            let dialects = |groups: &BTreeMap<Key, Group>| -> BTreeSet<u8> {
                groups.keys().filter(|key| !key.test).map(|key| key.dialect).collect()
            };
            let known: HashMap<&RepoPath, BTreeSet<u8>> =
                self.groups.iter().map(|(directory, groups)| (directory, dialects(groups))).collect();
            let view = self.view;
            let configured = |dialect: u8, directory: &RepoPath| match known.get(directory) {
                Some(known) => self.makings.runs_any(dialect, known),
                None => self.makings.runs_any(dialect, &view.configured(directory).unwrap_or_default()),
            };
            let outside = |directory: &RepoPath| -> Result<Vec<Arc<Record>>, CatalogError> {
                let mut found = Vec::new();
                for id in view.records_at(directory)? {
                    let record = view.record(id)?;
                    if !record.key.test && !dirty.contains(&record.key) {
                        found.push(record);
                    }
                }
                Ok(found)
            };
            ground.prepare(unread.iter().copied()).map_err(failed)?;
            let scopes = each(FEW_SCOPES, unread, |group| {
                let scope = gather(group, &ground, &configured)?;
                Ok((group.key.clone(), scope))
            });
            read.extend(scopes.into_iter().collect::<Result<Vec<_>, _>>().map_err(failed)?);
            let scopes: Vec<&Scope> = read.values().collect();
            let drafts = carried(&scopes, &ground, &outside)?;
            let more = self.concerned(&dirty, &drafts, &ground)?;
            if more.iter().all(|key| dirty.contains(key)) {
                let records = finished(drafts, &ground, &configured)?;
                let mut all: BTreeMap<Key, Option<Record>> =
                    dirty.iter().map(|key| (key.clone(), None)).collect();
                all.extend(records.into_iter().map(|record| (record.key.clone(), Some(record))));
                return Ok(all);
            }
            dirty.extend(more);
        }
    }

    /// Who calls a scope that leaves something else open than before.
    fn concerned(
        &self,
        dirty: &BTreeSet<Key>,
        drafts: &[Draft<'_>],
        ground: &Ground<'_>,
    ) -> Result<Vec<Key>, CatalogError> {
        let drafts: HashMap<&Key, &Draft<'_>> =
            drafts.iter().map(|draft| (&draft.scope.key, draft)).collect();
        let mut changed: BTreeSet<&RepoPath> = BTreeSet::new();
        for key in dirty.iter().filter(|key| !key.test) {
            let old = match self.view.id_of(key)? {
                Some(id) => Some(self.view.record(id)?),
                None => None,
            };
            let same = match (drafts.get(key), &old) {
                (Some(draft), old) => {
                    let leaves = draft.leaves_open(old.as_deref(), ground);
                    leaves.map_err(|source| CatalogError::git(self.tree, source))?
                }
                (None, Some(old)) => old.open.is_empty() && old.defaults.is_empty(),
                (None, None) => true,
            };
            if !same {
                changed.insert(&key.at);
            }
        }
        let mut found = Vec::new();
        let mut work: Vec<RepoPath> = changed.into_iter().cloned().collect();
        let mut seen: BTreeSet<RepoPath> = work.iter().cloned().collect();
        while let Some(directory) = work.pop() {
            for (id, edge) in self.view.ends(b's', &directory)? {
                if !matches!(edge.kind, ReferenceKind::ModuleCall | ReferenceKind::TestOf) {
                    continue;
                }
                let record = self.view.record(id)?;
                found.push(record.key.clone());
                // What a caller hands on of this scope is said to come from there: its own callers are asked at once.
                let hands_on =
                    |open: &Open| open.proofs.iter().any(|proof| stands_in(&proof.file, &directory));
                if !record.key.test && record.open.iter().any(hands_on) && seen.insert(record.key.at.clone())
                {
                    work.push(record.key.at.clone());
                }
            }
        }
        Ok(found)
    }
}

/// Whether a file stands right in a directory.
fn stands_in(file: &RepoPath, directory: &RepoPath) -> bool {
    file.is_within(directory)
        && file.as_bytes().len() - file.file_name().len() <= directory.as_bytes().len() + 1
}

/// The directory in which the files of a scope stand.
fn directory_of(key: &Key) -> RepoPath {
    match key.test {
        true => key.at.parent().unwrap_or_else(RepoPath::root),
        false => key.at.clone(),
    }
}
