//! From scopes to edges: calls are resolved, and paths that a caller has to fill in travel up to it.

use std::collections::{HashMap, HashSet};

use super::{
    CatalogRules, ReferenceKind,
    fill::{Names, alternatives, is_open, names_variable},
    graph::{Edge, End, Graph, ThingId},
    listing::Listing,
    path::{Paths, paths},
    scope::{Proof, Scope},
};
use crate::{proof::RepoPath, terraform::facts::StaticValue};

/// The most paths that travel up through one directory. Beyond it, callers see no more of them, and the
/// catalog warns.
const MAX_OPEN: usize = 512;

/// The longest chain of calls that a path travels up.
const MAX_CALLS: usize = 64;

/// A call whose target is known.
pub(super) struct Resolved {
    pub(super) from: ThingId,
    pub(super) to: ThingId,
    /// Its place among the calls of its scope; `None` for a test case that runs in a directory.
    pub(super) call: Option<usize>,
}

/// A read on its way up to the callers.
#[derive(Clone)]
struct Open {
    kind: ReferenceKind,
    value: StaticValue,
    proofs: Vec<Proof>,
}

pub(super) struct Linker<'a> {
    pub(super) scopes: &'a [Scope],
    pub(super) listing: &'a Listing,
    pub(super) rules: &'a CatalogRules,
    /// For each scope, the directory in which the tool runs, where it is a root: a unit or a case.
    pub(super) roots: &'a [Option<RepoPath>],
    /// Values of a root's variables, from variable files.
    pub(super) values: &'a [HashMap<String, Vec<StaticValue>>],
    pub(super) graph: Graph,
    pub(super) warnings: Vec<String>,
}

impl Linker<'_> {
    /// Adds the edges of all reads.
    pub(super) fn reads(&mut self, calls: &[Resolved]) {
        let mut callers: HashMap<ThingId, Vec<&Resolved>> = HashMap::new();
        for call in calls {
            callers.entry(call.to).or_default().push(call);
        }
        let mut seen: HashMap<ThingId, HashSet<(StaticValue, Proof)>> = HashMap::new();
        let mut work: Vec<(ThingId, Open)> = Vec::new();
        for (thing, scope) in self.scopes.iter().enumerate() {
            for read in &scope.reads {
                let open =
                    Open { kind: read.kind, value: read.value.clone(), proofs: vec![read.proof.clone()] };
                work.push((thing, open));
            }
        }
        let mut crowded = HashSet::new();
        while let Some((thing, open)) = work.pop() {
            let seen = seen.entry(thing).or_default();
            let Some(origin) = open.proofs.first().cloned() else { continue };
            if seen.len() >= MAX_OPEN {
                crowded.insert(thing);
                continue;
            }
            if !seen.insert((open.value.clone(), origin)) {
                continue;
            }
            if !is_open(&open.value) {
                self.read(thing, &open, &self.scopes[thing].directory.clone());
                continue;
            }
            self.at_root(thing, &open);
            if open.proofs.len() > MAX_CALLS {
                continue;
            }
            for call in callers.get(&thing).into_iter().flatten() {
                work.extend(self.through(call, &open).into_iter().map(|open| (call.from, open)));
            }
        }
        let mut crowded: Vec<_> = crowded.into_iter().map(|thing| &self.scopes[thing].directory).collect();
        crowded.sort();
        for directory in crowded {
            self.warnings.push(format!(
                "more than {MAX_OPEN} paths are handed through {directory}; files that reach it by further ones are not followed"
            ));
        }
    }

    /// What is open is settled where the tool runs: relative paths begin here, variables have the values
    /// of variable files, or their defaults.
    fn at_root(&mut self, thing: ThingId, open: &Open) {
        let Some(root) = self.roots[thing].clone() else { return };
        let scope = &self.scopes[thing];
        let values = &self.values[thing];
        let variable = |name: &str| {
            let own = scope.values.get(name).into_iter().chain(values.get(name)).flatten();
            let mut given: Vec<StaticValue> = own.cloned().collect();
            // Variable files that are named to the tool need not be: then the default counts.
            given.extend(scope.defaults.get(name).cloned());
            StaticValue::one_of(given)
        };
        let names = Names { root: Some(&root), variables: Some(&variable), ..Names::default() };
        for value in alternatives(&names.fill(&open.value)) {
            self.read(thing, &Open { value, ..open.clone() }, &root);
        }
    }

    /// The read as its caller sees it.
    fn through(&self, call: &Resolved, open: &Open) -> Vec<Open> {
        let caller = &self.scopes[call.from];
        let callee = &self.scopes[call.to];
        let mut proofs = open.proofs.clone();
        let arguments = call.call.map(|at| &caller.calls[at]);
        proofs.extend(arguments.map(|call| call.proof.clone()));
        let variable = |name: &str| match arguments.and_then(|call| call.arguments.get(name)) {
            Some(value) => value.clone(),
            // A test case gives values by name; whatever it gives, the default may count in another run.
            None => {
                let mut given: Vec<StaticValue> = match call.call {
                    None => caller.values.get(name).into_iter().flatten().cloned().collect(),
                    Some(_) => Vec::new(),
                };
                given.extend(callee.defaults.get(name).cloned());
                StaticValue::one_of(given)
            }
        };
        if !names_variable(&open.value) {
            return vec![Open { proofs, ..open.clone() }];
        }
        let names = Names { variables: Some(&variable), ..Names::default() };
        alternatives(&names.fill(&open.value))
            .into_iter()
            .map(|value| Open { kind: open.kind, value, proofs: proofs.clone() })
            .collect()
    }

    /// Adds the edges of a read whose path is settled.
    fn read(&mut self, thing: ThingId, open: &Open, root: &RepoPath) {
        for found in paths(&open.value, root) {
            match found {
                Paths::None => {}
                Paths::One(path) => self.exact(thing, open, &path),
                Paths::Matching { directory, glob, unknown } => {
                    if unknown && open.kind == ReferenceKind::FileRead {
                        self.warn_unknown(open, &directory);
                    }
                    if let Some(directory) = self.behind_links(thing, open, &directory) {
                        self.edge(thing, open, End::Matching { directory, glob, unknown });
                    }
                }
                // An argument that is not known names no path; a function that reads must read something.
                Paths::Anywhere if open.kind == ReferenceKind::PathNamed => {}
                Paths::Anywhere => {
                    let directory = if self.rules.unknown_reads_anywhere() {
                        RepoPath::root()
                    } else {
                        self.scopes[thing].directory.clone()
                    };
                    self.warn_unknown(open, &directory);
                    let mut glob = super::glob::Glob::default();
                    glob.push_any();
                    self.edge(thing, open, End::Matching { directory, glob, unknown: true });
                }
            }
        }
    }

    fn exact(&mut self, thing: ThingId, open: &Open, path: &RepoPath) {
        if let Some(end) = self.behind_links(thing, open, path) {
            let end = if open.kind == ReferenceKind::PathNamed { End::Subtree(end) } else { End::File(end) };
            self.edge(thing, open, end);
        }
    }

    /// Where a path leads; what lies on the way counts as well. `None` where nothing can be seen there.
    fn behind_links(&mut self, thing: ThingId, open: &Open, path: &RepoPath) -> Option<RepoPath> {
        let way = self.listing.follow(&RepoPath::root(), path.as_bytes());
        for link in way.links {
            self.edge(thing, &Open { kind: ReferenceKind::SymbolicLink, ..open.clone() }, End::File(link));
        }
        if let Some(submodule) = way.submodule {
            self.edge(thing, &Open { kind: ReferenceKind::Submodule, ..open.clone() }, End::File(submodule));
            return None;
        }
        way.end
    }

    fn edge(&mut self, from: ThingId, open: &Open, to: End) {
        self.graph.add(Edge { from, to, kind: open.kind, proofs: open.proofs.clone() });
    }

    fn warn_unknown(&mut self, open: &Open, directory: &RepoPath) {
        if let Some(proof) = open.proofs.first() {
            self.warnings.push(format!(
                "{}:{}: the path of {} is known only when it is planned; any file below {directory} that it may mean counts",
                proof.file, proof.place.line, proof.text
            ));
        }
    }
}
