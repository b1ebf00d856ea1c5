use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt,
    sync::Arc,
};

use super::{
    Case, Dialect, DialectName, Module, ModuleCall, Node, Reference, Role, Unit, UnitId, Unparsable,
    graph::{Edge, End, Graph, ThingId},
};
use crate::{
    policy::EnvironmentName,
    proof::{Link, RepoPath},
};

/// All modules and units of one tree, and the references between them.
///
/// ```no_run
/// use std::sync::Arc;
/// use infraflow_core::{catalog::{Catalog, CatalogRules, Dialect, TerraformDialect}, git::Repository};
/// let repository = Repository::open(".")?;
/// let tree = repository.tree(&repository.revision("HEAD")?)?;
/// let dialects: [Arc<dyn Dialect>; 1] = [Arc::new(TerraformDialect)];
/// let catalog = Catalog::build(&tree, &dialects, &CatalogRules::default())?;
/// for unit in catalog.units() {
///     println!("{}", unit.id);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Catalog {
    pub(super) dialects: Vec<Arc<dyn Dialect>>,
    pub(super) things: Vec<Thing>,
    /// Things by directory and dialect.
    pub(super) directories: HashMap<(RepoPath, usize), ThingId>,
    /// Test files.
    pub(super) tests: HashMap<RepoPath, ThingId>,
    pub(super) graph: Graph,
    pub(super) calls: Vec<ModuleCall>,
    pub(super) unparsable: Vec<Unparsable>,
    pub(super) warnings: Vec<String>,
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
    /// The modules, sorted by path.
    pub fn modules(&self) -> Vec<&Module> {
        let modules = self.things.iter().filter_map(|thing| match thing {
            Thing::Module(module) => Some(module),
            _ => None,
        });
        sorted(modules)
    }

    /// The units, sorted by id.
    pub fn units(&self) -> Vec<&Unit> {
        let units = self.things.iter().filter_map(|thing| match thing {
            Thing::Unit(unit) => Some(unit),
            _ => None,
        });
        sorted(units)
    }

    /// The test cases, sorted by id.
    pub fn cases(&self) -> Vec<&Case> {
        let cases = self.things.iter().filter_map(|thing| match thing {
            Thing::Case(case) => Some(case),
            _ => None,
        });
        sorted(cases)
    }

    /// The module calls with a constant source, sorted by file and place.
    pub fn calls(&self) -> &[ModuleCall] {
        &self.calls
    }

    /// The module in a directory.
    pub fn module(&self, path: &RepoPath) -> Option<&Module> {
        self.standing_in(path).find_map(|thing| match &self.things[thing] {
            Thing::Module(module) => Some(module),
            _ => None,
        })
    }

    /// The unit with an id.
    pub fn unit(&self, id: &UnitId) -> Option<&Unit> {
        self.standing_in(id.path()).find_map(|thing| match &self.things[thing] {
            Thing::Unit(unit) if unit.id == *id => Some(unit),
            _ => None,
        })
    }

    /// The test cases of the module in a directory.
    pub fn cases_of(&self, module: &RepoPath) -> Vec<&Case> {
        self.cases().into_iter().filter(|case| case.module == *module).collect()
    }

    /// Files that could not be understood, sorted by path. Whatever could be in them counts as changed.
    pub fn unparsable(&self) -> &[Unparsable] {
        &self.unparsable
    }

    /// What a person should know about this catalog, in sentences.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// All references between things of this tree, and to files, sorted. That a directory contains its own
    /// configuration files goes without saying. A pattern of files stands as the directory it begins in.
    pub fn references(&self) -> Vec<Reference> {
        let references = self.graph.edges().iter().filter_map(|edge| {
            let to = match &edge.to {
                End::Thing(thing) => self.things[*thing].node(),
                End::File(path) | End::Subtree(path) => Node::File(path.clone()),
                End::Matching { directory, .. } => Node::File(directory.clone()),
            };
            let link = edge.proofs.last()?;
            let link = link.place.link(link.file.clone(), link.text.to_string());
            Some(Reference { from: self.things[edge.from].node(), to, kind: edge.kind, link })
        });
        let mut references: Vec<Reference> = references.collect();
        references.sort();
        references.dedup();
        references
    }

    /// The same with each unit in the environment that the policy gives it.
    #[must_use]
    pub fn with_environments(mut self, of: impl Fn(&RepoPath) -> Option<EnvironmentName>) -> Self {
        for thing in &mut self.things {
            if let Thing::Unit(unit) = thing {
                unit.environment = of(&unit.path);
            }
        }
        self
    }

    /// Whether a file at this path would be configuration.
    pub(crate) fn configures(&self, path: &RepoPath) -> bool {
        self.dialects
            .iter()
            .filter_map(|dialect| dialect.claims(path))
            .any(|claim| matches!(claim.role, Role::Configuration | Role::Test))
    }

    /// Whose configuration a file at this path is.
    pub(crate) fn owners(&self, path: &RepoPath) -> Vec<ThingId> {
        let directory = path.parent().unwrap_or_else(RepoPath::root);
        let claims = self.dialects.iter().enumerate();
        let claims = claims.filter_map(|(at, dialect)| Some((at, dialect.claims(path)?.role)));
        let owners = claims.filter_map(|(dialect, role)| match role {
            Role::Configuration => self.directories.get(&(directory.clone(), dialect)),
            Role::Test => self.tests.get(path),
            _ => None,
        });
        owners.copied().collect()
    }

    /// All things, in no particular order.
    pub(crate) fn things(&self) -> &[Thing] {
        &self.things
    }

    /// What a dialect has in a directory.
    pub(crate) fn in_directory(&self, directory: &RepoPath, dialect: &DialectName) -> Option<&Thing> {
        let dialect = self.dialects.iter().position(|known| known.name() == *dialect)?;
        let thing = self.directories.get(&(directory.clone(), dialect))?;
        Some(&self.things[*thing])
    }

    /// The units that call the module in a directory, over other modules too, each with the shortest chain
    /// of calls.
    pub(crate) fn units_that_reach(
        &self,
        module: &RepoPath,
    ) -> Vec<(UnitId, Option<EnvironmentName>, Vec<Link>)> {
        let mut seen: HashSet<ThingId> = self.standing_in(module).collect();
        let mut work: VecDeque<(ThingId, Vec<Link>)> =
            self.standing_in(module).map(|thing| (thing, Vec::new())).collect();
        let mut units = Vec::new();
        while let Some((thing, way)) = work.pop_front() {
            if let Thing::Unit(unit) = &self.things[thing] {
                units.push((unit.id.clone(), unit.environment.clone(), way.clone()));
            }
            for edge in self.edges_to_thing(thing) {
                if seen.insert(edge.from) {
                    let mut way = way.clone();
                    way.extend(edge.links());
                    work.push_back((edge.from, way));
                }
            }
        }
        units
    }

    fn standing_in(&self, directory: &RepoPath) -> impl Iterator<Item = ThingId> {
        let keys = (0..self.dialects.len()).map(|dialect| (directory.clone(), dialect));
        keys.filter_map(|key| self.directories.get(&key).copied())
    }

    pub(crate) fn thing(&self, thing: ThingId) -> &Thing {
        &self.things[thing]
    }

    /// The edges that end at a path.
    pub(crate) fn edges_to_path(&self, path: &RepoPath) -> Vec<&Edge> {
        self.graph.edges_to_path(path, self.configures(path))
    }

    /// The edges that end at a thing.
    pub(crate) fn edges_to_thing(&self, thing: ThingId) -> impl Iterator<Item = &Edge> {
        self.graph.edges_to_thing(thing)
    }
}

fn sorted<'a, T: Ord>(items: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut items: Vec<&T> = items.collect();
    items.sort();
    items.dedup();
    items
}

impl Edge {
    /// The links of the edge, from its end's side on.
    pub(crate) fn links(&self) -> impl Iterator<Item = Link> {
        self.proofs.iter().map(|proof| proof.place.link(proof.file.clone(), proof.text.to_string()))
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog")
            .field("things", &self.things.len())
            .field("references", &self.graph.edges().len())
            .field("unparsable", &self.unparsable.len())
            .finish_non_exhaustive()
    }
}
