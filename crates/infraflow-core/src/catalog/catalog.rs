use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rayon::prelude::*;

use super::{
    Case, CaseId, CaseKind, CatalogError, CatalogRules, Dialect, DialectName, Module, ModuleCall, Node,
    Reference, ReferenceKind, Role, Unit, UnitId, Unparsable,
    build::Makings,
    classify::{Sort, sort},
    ground::claims,
    index::Index,
    patch::lay,
    record::{Edge, End, Key, Proof, Record},
    view::{RecordId, View},
};
use crate::{
    git::{GitError, Tree},
    policy::EnvironmentName,
    proof::{Link, RepoPath},
};

/// All modules and units of one tree, and the references between them. Cheap to clone.
///
/// ```no_run
/// use std::sync::Arc;
/// use infraflow_core::{catalog::{Catalog, CatalogRules, Dialect, TerraformDialect}, git::Repository};
/// let repository = Repository::open(".")?;
/// let tree = repository.tree(&repository.revision("HEAD")?)?;
/// let dialects: [Arc<dyn Dialect>; 1] = [Arc::new(TerraformDialect)];
/// let catalog = Catalog::build(&tree, &dialects, &CatalogRules::default())?;
/// for unit in catalog.units()? {
///     println!("{}", unit.id);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Catalog {
    inner: Arc<Inner>,
    environments: Option<Arc<Environments>>,
}

type Environments = dyn Fn(&RepoPath) -> Option<EnvironmentName> + Send + Sync;

struct Inner {
    tree: Tree,
    makings: Arc<Makings>,
    view: View,
    sorts: Mutex<HashMap<Key, Sort>>,
}

/// A module, a unit or a test case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    Module(Module),
    Unit(Unit),
    Case(Case),
}

impl Thing {
    pub(crate) fn node(&self) -> Node {
        match self {
            Self::Module(module) => Node::Module(module.path.clone()),
            Self::Unit(unit) => Node::Unit(unit.id.clone()),
            Self::Case(case) => Node::Case(case.id.clone()),
        }
    }
}

impl Catalog {
    /// Catalogs a tree. Reads it on all cores (rayon's), runs nothing of it, and takes nothing from outside
    /// it but the addresses of the repository's remotes. [`CatalogCache`](super::CatalogCache) gives the same
    /// in a time that follows the change and not the repository.
    ///
    /// # Errors
    /// [`CatalogError::Git`] where the tree cannot be read, and [`CatalogError::TwoDialects`]. A file that
    /// cannot be understood is no error: see [`Catalog::unparsable`].
    pub fn build(
        tree: &Tree,
        dialects: &[Arc<dyn Dialect>],
        rules: &CatalogRules,
    ) -> Result<Self, CatalogError> {
        let makings = Arc::new(Makings::new(tree, dialects, rules)?);
        let (index, _) = Index::of(tree, &makings)?;
        Self::over(&Arc::new(index), tree, &makings)?.ok_or_else(|| CatalogError::Damaged {
            what: format!("of the tree of {}", tree.revision()),
            why: "it is not the tree's own".to_owned(),
        })
    }

    /// A tree over an index; `None` where too much differs.
    pub(super) fn over(
        index: &Arc<Index>,
        tree: &Tree,
        makings: &Arc<Makings>,
    ) -> Result<Option<Self>, CatalogError> {
        let view = lay(index, tree, makings)?;
        Ok(view.map(|view| Self {
            inner: Arc::new(Inner {
                tree: tree.clone(),
                makings: Arc::clone(makings),
                view,
                sorts: Mutex::default(),
            }),
            environments: None,
        }))
    }

    /// The modules, sorted by path.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn modules(&self) -> Result<Vec<Module>, CatalogError> {
        self.sorted(|thing| match thing {
            Thing::Module(module) => Some(module),
            _ => None,
        })
    }

    /// The units, sorted by id.
    ///
    /// # Errors
    /// [`CatalogError`] where a kept index is damaged and the tree can no longer be read.
    pub fn units(&self) -> Result<Vec<Unit>, CatalogError> {
        self.sorted(|thing| match thing {
            Thing::Unit(unit) => Some(unit),
            _ => None,
        })
    }

    /// The test cases, sorted by id.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn cases(&self) -> Result<Vec<Case>, CatalogError> {
        self.sorted(|thing| match thing {
            Thing::Case(case) => Some(case),
            _ => None,
        })
    }

    fn sorted<T: Ord>(&self, of: impl Fn(Thing) -> Option<T>) -> Result<Vec<T>, CatalogError> {
        let mut found = Vec::new();
        for id in self.view().all()? {
            found.extend(self.things(id)?.into_iter().filter_map(&of));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The module calls with a constant source, sorted by file and place.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn calls(&self) -> Result<Vec<ModuleCall>, CatalogError> {
        let mut calls = Vec::new();
        for id in self.view().all()? {
            let record = self.view().record(id)?;
            if record.calls.iter().all(|call| call.source.is_none()) {
                continue;
            }
            let things = self.things(id)?;
            let unit = things.iter().find_map(|thing| match thing {
                Thing::Unit(unit) => Some(unit.id.clone()),
                _ => None,
            });
            let module = things.iter().find_map(|thing| match thing {
                Thing::Module(module) => Some(module.path.clone()),
                _ => None,
            });
            for call in &record.calls {
                let Some(source) = &call.source else { continue };
                calls.push(ModuleCall {
                    in_file: call.in_file.clone(),
                    name: call.name.clone(),
                    place: call.place,
                    source: source.clone(),
                    version: call.version.clone(),
                    unit: unit.clone(),
                    module: module.clone(),
                    target: call.target.clone(),
                });
            }
        }
        calls.sort_by(|one, two| (&one.in_file, one.place).cmp(&(&two.in_file, two.place)));
        Ok(calls)
    }

    /// The module in a directory.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn module(&self, path: &RepoPath) -> Result<Option<Module>, CatalogError> {
        let things = self.standing_in(path)?.into_iter();
        Ok(things
            .filter_map(|(_, thing)| if let Thing::Module(module) = thing { Some(module) } else { None })
            .next())
    }

    /// The unit with an id.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn unit(&self, id: &UnitId) -> Result<Option<Unit>, CatalogError> {
        let things = self.standing_in(id.path())?.into_iter();
        let mut units = things.filter_map(|(_, thing)| match thing {
            Thing::Unit(unit) if unit.id == *id => Some(unit),
            _ => None,
        });
        Ok(units.next())
    }

    /// The test cases of the module in a directory.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn cases_of(&self, module: &RepoPath) -> Result<Vec<Case>, CatalogError> {
        Ok(self.cases()?.into_iter().filter(|case| case.module == *module).collect())
    }

    /// Files that could not be understood, sorted by path. Whatever could be in them counts as changed. Parses
    /// all configuration.
    ///
    /// # Errors
    /// As [`Catalog::units`], and [`CatalogError::Git`] where the tree cannot be read.
    pub fn unparsable(&self) -> Result<Vec<Unparsable>, CatalogError> {
        let mut found = broken(self, &self.view().all()?)?;
        let failed = |source| CatalogError::git(self.tree(), source);
        for entry in self.tree().walk(&RepoPath::root()).map_err(failed)? {
            let mut claims = claims(&self.makings().dialects, &entry.path);
            let given = claims.find(|(_, claim)| matches!(claim.role, Role::Values | Role::AutomaticValues));
            let Some((dialect, _)) = given.filter(|_| entry.mode.is_file()) else { continue };
            match self.tree().read_entry(&entry) {
                Ok(content) => {
                    found.extend(self.makings().dialects[usize::from(dialect)].check(&entry.path, &content));
                }
                Err(GitError::TooLarge { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// What a person should know about this catalog, in sentences.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn warnings(&self) -> Result<Vec<String>, CatalogError> {
        let mut found = Vec::new();
        for id in self.view().all()? {
            found.extend(self.warnings_of(id)?);
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// All references between things of this tree, and to files, sorted. That a directory contains its own
    /// configuration files goes without saying. A pattern of files stands as the directory it begins in.
    ///
    /// # Errors
    /// As [`Catalog::units`], and [`CatalogError::Git`] where the tree cannot be listed.
    pub fn references(&self) -> Result<Vec<Reference>, CatalogError> {
        let mut references = Vec::new();
        for id in self.view().all()? {
            let record = self.view().record(id)?;
            let run = self.sort_of(&record)?.is_run();
            let from: Vec<Node> = self.things(id)?.iter().map(Thing::node).collect();
            let counting = record.edges.iter().filter(|edge| run || !edge.when_run);
            let mut edges: Vec<(Vec<Node>, ReferenceKind, Option<Link>)> = Vec::new();
            for edge in counting {
                let to = match &edge.to {
                    End::Scope(directory) => {
                        self.standing_in(directory)?.iter().map(|(_, thing)| thing.node()).collect()
                    }
                    other => vec![Node::File(other.path().clone())],
                };
                edges.push((to, edge.kind, edge.links().last()));
            }
            if let Some(module) = self.exemplifies(&record)? {
                let to = self.standing_in(&module)?.iter().map(|(_, thing)| thing.node()).collect();
                edges.push((to, ReferenceKind::TestOf, tested(&record).links().last()));
            }
            for (to, kind, link) in edges {
                let Some(link) = link else { continue };
                for from in &from {
                    references.extend(to.iter().filter(|to| *to != from).map(|to| Reference {
                        from: from.clone(),
                        to: to.clone(),
                        kind,
                        link: link.clone(),
                    }));
                }
            }
        }
        let entries = self.tree().walk(&RepoPath::root());
        for entry in entries.map_err(|source| CatalogError::git(self.tree(), source))? {
            for (id, kind) in self.beside(&entry.path)? {
                let text = String::from_utf8_lossy(entry.path.file_name()).into_owned();
                let link = Link::whole(entry.path.clone(), text);
                for thing in self.things(id)? {
                    let (from, to) = (thing.node(), Node::File(entry.path.clone()));
                    references.push(Reference { from, to, kind, link: link.clone() });
                }
            }
        }
        references.sort();
        references.dedup();
        Ok(references)
    }

    /// The same with each unit in the environment that the policy gives it.
    #[must_use]
    pub fn with_environments(
        mut self,
        of: impl Fn(&RepoPath) -> Option<EnvironmentName> + Send + Sync + 'static,
    ) -> Self {
        self.environments = Some(Arc::new(of));
        self
    }

    /// The tree that is catalogued.
    pub fn tree(&self) -> &Tree {
        &self.inner.tree
    }

    /// Whether a file at this path would be configuration.
    pub(crate) fn configures(&self, path: &RepoPath) -> bool {
        let mut claims = claims(&self.makings().dialects, path);
        claims.any(|(_, claim)| matches!(claim.role, Role::Configuration | Role::Test))
    }

    /// Whose configuration a file at this path is.
    pub(crate) fn owners(&self, path: &RepoPath) -> Result<Vec<RecordId>, CatalogError> {
        let directory = path.parent().unwrap_or_else(RepoPath::root);
        let mut found = Vec::new();
        for (dialect, claim) in claims(&self.makings().dialects, path) {
            let key = match (claim.role, claim.scope) {
                (Role::Configuration, super::Scope::Directory) => {
                    Key { at: directory.clone(), dialect, test: false }
                }
                (Role::Configuration | Role::Test, _) => Key { at: path.clone(), dialect, test: true },
                _ => continue,
            };
            found.extend(self.view().id_of(&key)?);
        }
        Ok(found)
    }

    /// What a record stands for.
    pub(crate) fn things(&self, id: RecordId) -> Result<Vec<Thing>, CatalogError> {
        let record = self.view().record(id)?;
        let name = |dialect: u8| self.makings().dialects[usize::from(dialect)].name();
        let path = record.directory.clone();
        let thing = match self.sort_of(&record)? {
            Sort::Module => Thing::Module(Module { path, dialect: name(record.key.dialect) }),
            Sort::Unit => self.unit_at(path, name(record.key.dialect)),
            Sort::Part { dialect } => self.unit_at(path, name(dialect)),
            Sort::Case { module, kind } => {
                let path = record.key.at.clone();
                Thing::Case(Case { id: CaseId::new(path.clone()), module, path, kind })
            }
        };
        Ok(vec![thing])
    }

    fn unit_at(&self, path: RepoPath, dialect: DialectName) -> Thing {
        let environment = self.environments.as_ref().and_then(|of| of(&path));
        Thing::Unit(Unit { id: UnitId::new(path.clone()), path, dialect, environment })
    }

    /// The thing of a name, where it stands.
    pub(crate) fn find(&self, node: &Node) -> Result<Option<Thing>, CatalogError> {
        for id in self.standing_for(node)? {
            let found = self.things(id)?.into_iter().find(|thing| thing.node() == *node);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The records that a thing of this name is made of.
    pub(crate) fn standing_for(&self, node: &Node) -> Result<Vec<RecordId>, CatalogError> {
        let path = match node {
            Node::Module(path) => path,
            Node::Unit(id) => id.path(),
            Node::Case(id) => id.path(),
            Node::File(_) | Node::External(_) => return Ok(Vec::new()),
        };
        let mut found = Vec::new();
        for id in self.view().records_at(path)? {
            if self.things(id)?.iter().any(|thing| thing.node() == *node) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// What a dialect has in a directory.
    pub(crate) fn in_directory(
        &self,
        directory: &RepoPath,
        dialect: &DialectName,
    ) -> Result<Option<Thing>, CatalogError> {
        let name = |dialect: u8| self.makings().dialects[usize::from(dialect)].name();
        for id in self.view().records_at(directory)? {
            let record = self.view().record(id)?;
            if !record.key.test && name(record.key.dialect) == *dialect {
                return Ok(self.things(id)?.into_iter().next());
            }
        }
        Ok(None)
    }

    /// The directories right below that are called like the rules' `examples` and `tests`.
    pub(crate) fn examples_below(&self, directory: &RepoPath) -> Result<Vec<RepoPath>, CatalogError> {
        let rules = &self.makings().rules;
        let names = rules.examples.iter().chain(&rules.tests);
        Ok(names.map(|name| directory.join(name.as_bytes())).collect())
    }

    /// The files of scopes that could not be understood. Of more than [`MOST_CHECKED`] scopes, only the files
    /// with references are looked at.
    pub(crate) fn broken_in(&self, ids: &[RecordId]) -> Result<Vec<Unparsable>, CatalogError> {
        if ids.len() <= MOST_CHECKED {
            return broken(self, ids);
        }
        let mut found = Vec::new();
        for &id in ids {
            found.extend(self.view().record(id)?.unparsable.iter().cloned().map(Into::into));
        }
        Ok(found)
    }

    /// What stands in a directory, test files left out.
    pub(crate) fn standing_in(&self, directory: &RepoPath) -> Result<Vec<(RecordId, Thing)>, CatalogError> {
        let mut found = Vec::new();
        for id in self.view().records_at(directory)? {
            if !self.view().record(id)?.key.test {
                found.extend(self.things(id)?.into_iter().map(|thing| (id, thing)));
            }
        }
        Ok(found)
    }

    /// The edges that end at a path, of scopes for which they hold.
    pub(crate) fn edges_to_path(&self, path: &RepoPath) -> Result<Vec<(RecordId, Edge)>, CatalogError> {
        let found = self.view().edges_to_path(path, self.configures(path))?;
        self.holding(found)
    }

    /// The edges that end at a record's scope.
    pub(crate) fn edges_to_record(&self, id: RecordId) -> Result<Vec<(RecordId, Edge)>, CatalogError> {
        let record = self.view().record(id)?;
        if record.key.test {
            return Ok(Vec::new());
        }
        let found = self.view().ends(b's', &record.key.at)?;
        let mut found = self.holding(found)?;
        let rules = &self.makings().rules;
        for name in rules.examples.iter().chain(&rules.tests) {
            for example in self.view().records_below(&record.key.at.join(name.as_bytes()))? {
                let example_record = self.view().record(example)?;
                if self.exemplifies(&example_record)?.as_ref() == Some(&record.key.at) {
                    found.push((example, tested(&example_record)));
                }
            }
        }
        found.retain(|(from, _)| *from != id);
        Ok(found)
    }

    fn holding(&self, edges: Vec<(RecordId, Edge)>) -> Result<Vec<(RecordId, Edge)>, CatalogError> {
        let mut found = Vec::with_capacity(edges.len());
        for (id, edge) in edges {
            if !edge.when_run || self.sort_of(&*self.view().record(id)?)?.is_run() {
                found.push((id, edge));
            }
        }
        found.sort();
        Ok(found)
    }

    /// The module that an example which calls nothing is there for.
    fn exemplifies(&self, record: &Record) -> Result<Option<RepoPath>, CatalogError> {
        let Sort::Case { module, kind: CaseKind::Example } = self.sort_of(record)? else { return Ok(None) };
        for call in &record.calls {
            if let Some(target) = &call.target
                && self.view().configured(target)?
            {
                return Ok(None);
            }
        }
        Ok(Some(module))
    }

    /// What a person should know about a scope.
    pub(crate) fn warnings_of(&self, id: RecordId) -> Result<Vec<String>, CatalogError> {
        let record = self.view().record(id)?;
        if record.warnings.is_empty() {
            return Ok(Vec::new());
        }
        let run = self.sort_of(&record)?.is_run();
        let holding = record.warnings.iter().filter(|(when_run, _)| run || !when_run);
        Ok(holding.map(|(_, text)| text.clone()).collect())
    }

    pub(super) fn sort_of(&self, record: &Record) -> Result<Sort, CatalogError> {
        let sorts = || self.inner.sorts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sorts().get(&record.key) {
            return Ok(known.clone());
        }
        let sort = sort(self.view(), &self.makings().rules, record)?;
        sorts().insert(record.key.clone(), sort.clone());
        Ok(sort)
    }

    /// The units that call the module in a directory, over other modules too, each with the shortest chain
    /// of calls.
    pub(crate) fn units_that_reach(&self, module: &RepoPath) -> Result<Vec<UnitOnTheWay>, CatalogError> {
        let begin: BTreeMap<RecordId, ()> =
            self.standing_in(module)?.into_iter().map(|(id, _)| (id, ())).collect();
        let mut seen: HashSet<RecordId> = begin.keys().copied().collect();
        let mut work: VecDeque<(RecordId, Vec<Link>)> =
            begin.into_keys().map(|id| (id, Vec::new())).collect();
        let mut units = Vec::new();
        while let Some((id, way)) = work.pop_front() {
            for thing in self.things(id)? {
                if let Thing::Unit(unit) = thing {
                    units.push((unit.id, unit.environment, way.clone()));
                }
            }
            for (from, edge) in self.edges_to_record(id)? {
                if edge.kind != ReferenceKind::Dependency && seen.insert(from) {
                    let mut way = way.clone();
                    way.extend(edge.links());
                    work.push_back((from, way));
                }
            }
        }
        Ok(units)
    }

    pub(super) fn view(&self) -> &View {
        &self.inner.view
    }

    pub(super) fn makings(&self) -> &Makings {
        &self.inner.makings
    }

    /// All records, in no particular order.
    pub(crate) fn all(&self) -> Result<Vec<RecordId>, CatalogError> {
        self.view().all()
    }

    /// A record, for what it says of itself.
    pub(crate) fn record(&self, id: RecordId) -> Result<Arc<Record>, CatalogError> {
        self.view().record(id)
    }
}

/// A unit, its environment, and the chain of calls that leads to it.
pub(crate) type UnitOnTheWay = (UnitId, Option<EnvironmentName>, Vec<Link>);

/// Parsing all files of more scopes than this takes longer than the answer is worth.
const MOST_CHECKED: usize = 1_000;

/// The files of some scopes that could not be understood, by parsing all of them.
fn broken(catalog: &Catalog, ids: &[RecordId]) -> Result<Vec<Unparsable>, CatalogError> {
    let failed = |source| CatalogError::git(catalog.tree(), source);
    let makings = catalog.makings();
    let found = ids.par_iter().map(|&id| {
        let record = catalog.view().record(id)?;
        let mut found: Vec<Unparsable> = record.unparsable.iter().cloned().map(Into::into).collect();
        let files = match record.key.test {
            true => catalog.tree().entry(&record.key.at).map_err(failed)?.into_iter().collect(),
            false => catalog.tree().list(&record.key.at).map_err(failed)?,
        };
        for entry in files.into_iter().filter(|entry| entry.mode.is_file()) {
            let mut claims = claims(&makings.dialects, &entry.path);
            let own = claims.any(|(dialect, claim)| {
                let test = matches!(claim.scope, super::Scope::File) || claim.role == Role::Test;
                let configures = matches!(claim.role, Role::Configuration | Role::Test);
                dialect == record.key.dialect && configures && test == record.key.test
            });
            if own && !found.iter().any(|file| file.path == entry.path) {
                match catalog.tree().read_entry(&entry) {
                    Ok(content) => {
                        let dialect = &makings.dialects[usize::from(record.key.dialect)];
                        found.extend(dialect.check(&entry.path, &content));
                    }
                    Err(GitError::TooLarge { .. }) => {}
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        Ok(found)
    });
    Ok(found.collect::<Result<Vec<_>, CatalogError>>()?.into_iter().flatten().collect())
}

/// The edge of an example to the module above it.
fn tested(record: &Record) -> Edge {
    Edge {
        to: End::Scope(record.directory.clone()),
        kind: ReferenceKind::TestOf,
        when_run: false,
        looked: false,
        proofs: vec![Proof::whole_file(record.key.at.clone(), "the module it tests")],
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("tree", self.tree().revision()).finish_non_exhaustive()
    }
}
