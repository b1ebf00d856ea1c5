//! From a tree to its catalog.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Case, CaseId, CaseKind, Catalog, CatalogError, CatalogRules, Dialect, MarkKind, Module, ModuleCall,
    ReferenceKind, Unit, UnitId, Unparsable,
    beside::Beside,
    catalog::Thing,
    classify::{Sort, Surroundings, valued},
    files,
    graph::{Edge, End, Graph, ThingId},
    link::{Linker, Resolved},
    listing::Listing,
    look::{Memo, TreeLookup},
    own::OwnAddresses,
    scope::{Gathered, Proof, ReadFile, Scope, gather},
};
use crate::{
    git::{GitError, Tree},
    proof::RepoPath,
    terraform::facts::Place,
};

/// More sentences than this nobody reads.
const MOST_WARNINGS: usize = 100;

impl Catalog {
    /// Catalogs a tree. Reads it on all cores (rayon's), runs nothing of it, and takes nothing from outside
    /// it but the addresses of the repository's remotes.
    ///
    /// # Errors
    /// [`CatalogError::Git`] where the tree cannot be read, and [`CatalogError::TwoDialects`]. A file that
    /// cannot be understood is no error: see [`Catalog::unparsable`].
    pub fn build(
        tree: &Tree,
        dialects: &[Arc<dyn Dialect>],
        rules: &CatalogRules,
    ) -> Result<Self, CatalogError> {
        let mut names: Vec<_> = dialects.iter().map(|dialect| dialect.name()).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(CatalogError::TwoDialects { name: pair[0].clone() });
        }
        build(tree, dialects, rules)
            .map_err(|source| CatalogError::Git { revision: *tree.revision(), source: Box::new(source) })
    }
}

fn build(tree: &Tree, dialects: &[Arc<dyn Dialect>], rules: &CatalogRules) -> Result<Catalog, GitError> {
    let listing = Listing::of(tree)?;
    let files = files::read(tree, &listing, dialects, rules)?;
    let own = OwnAddresses::of(tree, rules);
    let mut unparsable: Vec<Unparsable> =
        files.iter().filter_map(|file| file.facts.unparsable.clone()).collect();
    unparsable.sort();
    let memo = Memo::default();
    let failed = Mutex::new(None);
    let looked_up = |dialect: usize, directory: &RepoPath, files: &[RepoPath]| {
        let mut lookup =
            TreeLookup { tree, listing: &listing, memo: &memo, dialect, looked: Vec::new(), error: None };
        let facts = dialects[dialect].resolve(directory, files, &mut lookup);
        if let Some(error) = lookup.error {
            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        (facts, lookup.looked)
    };
    let Gathered { scopes, beside } = gather(files, rules, &looked_up);
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let by_directory = by_directory(&scopes);
    let calls = resolve(&scopes, &listing, &own, &by_directory);
    let sorts = sorts(&scopes, &calls.resolved, &beside, rules);
    let roots: Vec<Option<RepoPath>> = scopes
        .iter()
        .zip(&sorts)
        .map(|(scope, sort)| (*sort != Sort::Module).then(|| scope.directory.clone()))
        .collect();
    let things = things(&scopes, &sorts, dialects);

    let mut graph = Graph::default();
    let mut resolved = calls.resolved;
    for edge in calls.edges {
        graph.add(edge);
    }
    for (thing, (scope, sort)) in scopes.iter().zip(&sorts).enumerate() {
        own_edges(&mut graph, thing, scope, &by_directory);
        if let Sort::Case { module, kind } = sort {
            let calls_something = resolved.iter().any(|call| call.from == thing);
            if *kind == CaseKind::TestFile || !calls_something {
                for &tested in
                    by_directory.get(module).into_iter().flatten().filter(|&&tested| tested != thing)
                {
                    let whole = scope.test.clone().unwrap_or_else(|| scope.directory.clone());
                    let proofs = vec![whole_file(whole, "the module it tests")];
                    graph.add(Edge {
                        from: thing,
                        to: End::Thing(tested),
                        kind: ReferenceKind::TestOf,
                        proofs,
                    });
                    if *kind == CaseKind::TestFile {
                        resolved.push(Resolved { from: thing, to: tested, call: None });
                    }
                }
            }
        }
    }
    let values = Beside::new(&roots, &sorts, &by_directory).edges(&beside, &mut graph);
    let mut linker = Linker {
        scopes: &scopes,
        listing: &listing,
        rules,
        roots: &roots,
        values: &values,
        graph,
        warnings: Vec::new(),
    };
    linker.reads(&resolved);
    let (graph, mut warnings) = (linker.graph, linker.warnings);
    warnings.extend(calls.warnings);
    warnings.sort();
    warnings.dedup();
    if let Some(more) = warnings.len().checked_sub(MOST_WARNINGS).filter(|&more| more > 0) {
        warnings.truncate(MOST_WARNINGS);
        warnings.push(format!("and {more} more of the same kind"));
    }
    let calls = public_calls(&scopes, &things, &calls.targets);
    let tests =
        scopes.iter().enumerate().filter_map(|(thing, scope)| Some((scope.test.clone()?, thing))).collect();
    let mut directories: HashMap<(RepoPath, usize), ThingId> = HashMap::new();
    for (thing, scope) in scopes.iter().enumerate().filter(|(_, scope)| scope.test.is_none()) {
        directories.insert((scope.directory.clone(), scope.dialect), thing);
    }
    Ok(Catalog {
        dialects: dialects.to_vec(),
        things,
        directories,
        tests,
        graph,
        calls,
        unparsable,
        warnings,
    })
}

fn by_directory(scopes: &[Scope]) -> HashMap<RepoPath, Vec<ThingId>> {
    let mut found: HashMap<RepoPath, Vec<ThingId>> = HashMap::new();
    for (thing, scope) in scopes.iter().enumerate().filter(|(_, scope)| scope.test.is_none()) {
        found.entry(scope.directory.clone()).or_default().push(thing);
    }
    found
}

/// Calls, and where they lead.
struct Calls {
    resolved: Vec<Resolved>,
    edges: Vec<Edge>,
    /// The directory of this repository that a call of a scope leads to.
    targets: HashMap<(ThingId, usize), RepoPath>,
    warnings: Vec<String>,
}

fn resolve(
    scopes: &[Scope],
    listing: &Listing,
    own: &OwnAddresses,
    by_directory: &HashMap<RepoPath, Vec<ThingId>>,
) -> Calls {
    let mut calls =
        Calls { resolved: Vec::new(), edges: Vec::new(), targets: HashMap::new(), warnings: Vec::new() };
    for (thing, scope) in scopes.iter().enumerate() {
        for (at, call) in scope.calls.iter().enumerate() {
            let found = match (&call.directory, &call.source) {
                (Some(directory), _) => Some((RepoPath::root(), directory.as_bytes().to_vec())),
                (None, Some((source, _))) => own
                    .within(&scope.directory, &source.value)
                    .map(|(from, relative)| (from, relative.into_bytes())),
                (None, None) => None,
            };
            let Some((from, relative)) = found else { continue };
            let way = listing.follow(&from, &relative);
            let edge = |to| Edge {
                from: thing,
                to,
                kind: ReferenceKind::ModuleCall,
                proofs: vec![call.proof.clone()],
            };
            calls.edges.extend(
                way.links
                    .iter()
                    .map(|link| Edge { kind: ReferenceKind::SymbolicLink, ..edge(End::File(link.clone())) }),
            );
            if let Some(submodule) = way.submodule {
                calls.edges.push(Edge { kind: ReferenceKind::Submodule, ..edge(End::File(submodule)) });
                continue;
            }
            let Some(end) = way.end else {
                calls.warnings.push(format!(
                    "{}:{}: {} calls {}, which lies outside the repository; its changes are not seen",
                    call.proof.file,
                    call.proof.place.line,
                    call.proof.text,
                    String::from_utf8_lossy(&relative)
                ));
                continue;
            };
            for &target in by_directory.get(&end).into_iter().flatten() {
                calls.edges.push(edge(End::Thing(target)));
                let at = (!call.root).then_some(at);
                calls.resolved.push(Resolved { from: thing, to: target, call: at });
            }
            calls.targets.insert((thing, at), end);
        }
    }
    calls
}

fn sorts(scopes: &[Scope], resolved: &[Resolved], beside: &[ReadFile], rules: &CatalogRules) -> Vec<Sort> {
    let mut surroundings = Surroundings {
        rules,
        configured: scopes
            .iter()
            .filter(|scope| scope.test.is_none())
            .map(|scope| &scope.directory)
            .collect(),
        called: HashSet::new(),
        valued: valued(beside),
        calls: HashMap::new(),
    };
    for call in resolved {
        let (from, to) = (&scopes[call.from], &scopes[call.to]);
        if from.directory != to.directory {
            surroundings.called.insert(&to.directory);
        }
        if from.test.is_none() {
            surroundings.calls.entry(&from.directory).or_default().push(&to.directory);
        }
    }
    // A directory whose files are linked into others lends them, as a module does.
    let linked =
        scopes.iter().flat_map(|scope| scope.linked.iter().map(move |(_, through)| (scope, through)));
    let lenders: Vec<RepoPath> = linked
        .filter_map(|(scope, through)| through.last()?.parent().filter(|lender| *lender != scope.directory))
        .collect();
    surroundings.called.extend(&lenders);
    let sorts: Vec<Sort> = scopes.iter().map(|scope| surroundings.sort(scope)).collect();
    // What another dialect takes for a unit is one with the configuration that stands there.
    let units: HashMap<&RepoPath, usize> = scopes
        .iter()
        .zip(&sorts)
        .filter(|(scope, sort)| **sort == Sort::Unit && scope.marks.contains(&MarkKind::Unit))
        .map(|(scope, _)| (&scope.directory, scope.dialect))
        .collect();
    let parts = scopes.iter().zip(sorts).map(|(scope, sort)| match units.get(&scope.directory) {
        Some(&dialect) if scope.test.is_none() && dialect != scope.dialect => Sort::Part { dialect },
        _ => sort,
    });
    parts.collect()
}

fn things(scopes: &[Scope], sorts: &[Sort], dialects: &[Arc<dyn Dialect>]) -> Vec<Thing> {
    let named = scopes.iter().zip(sorts).map(|(scope, sort)| {
        let path = scope.directory.clone();
        let dialect = dialects[scope.dialect].name();
        match sort {
            Sort::Module => Thing::Module(Module { path, dialect }),
            Sort::Part { dialect } => {
                let dialect = dialects[*dialect].name();
                Thing::Unit(Unit { id: UnitId::new(path.clone()), path, dialect, environment: None })
            }
            Sort::Unit => {
                Thing::Unit(Unit { id: UnitId::new(path.clone()), path, dialect, environment: None })
            }
            Sort::Case { module, kind } => {
                let path = scope.test.clone().unwrap_or(path);
                Thing::Case(Case { id: CaseId::new(path.clone()), module: module.clone(), path, kind: *kind })
            }
        }
    });
    named.collect()
}

/// What a scope's own files bring: links that they were read through, and, where one could not be read,
/// anything below the directory.
fn own_edges(
    graph: &mut Graph,
    thing: ThingId,
    scope: &Scope,
    by_directory: &HashMap<RepoPath, Vec<ThingId>>,
) {
    for looked in &scope.looked {
        graph.add(Edge {
            from: thing,
            to: looked.to.clone(),
            kind: looked.kind,
            proofs: vec![looked.proof.clone()],
        });
    }
    for (directory, proof) in &scope.consumes {
        for &unit in by_directory.get(directory).into_iter().flatten() {
            let to = End::Thing(unit);
            graph.add(Edge { from: thing, to, kind: ReferenceKind::Dependency, proofs: vec![proof.clone()] });
        }
    }
    for (directory, proof) in &scope.below {
        let to = End::Subtree(directory.clone());
        graph.add(Edge { from: thing, to, kind: ReferenceKind::Watch, proofs: vec![proof.clone()] });
    }
    for (link, through) in &scope.linked {
        for file in through {
            let proofs = vec![whole_file(link.clone(), "a symbolic link")];
            let to = End::File(file.clone());
            graph.add(Edge { from: thing, to, kind: ReferenceKind::SymbolicLink, proofs });
        }
    }
    for unparsable in &scope.unparsable {
        let mut glob = super::glob::Glob::default();
        glob.push_any();
        let to = End::Matching { directory: scope.directory.clone(), glob, unknown: true };
        let proofs = vec![whole_file(unparsable.path.clone(), "a file that could not be understood")];
        graph.add(Edge { from: thing, to, kind: ReferenceKind::FileRead, proofs });
    }
}

pub(super) fn whole_file(file: RepoPath, text: &str) -> Proof {
    Proof { file, place: Place { start: 0, end: 0, line: 1, column: 1 }, text: text.into() }
}

/// The public list of calls with a constant source.
fn public_calls(
    scopes: &[Scope],
    things: &[Thing],
    targets: &HashMap<(ThingId, usize), RepoPath>,
) -> Vec<ModuleCall> {
    let mut calls = Vec::new();
    for (thing, scope) in scopes.iter().enumerate() {
        for (at, call) in scope.calls.iter().enumerate() {
            let Some((source, in_file)) = &call.source else { continue };
            calls.push(ModuleCall {
                in_file: in_file.clone(),
                name: call.name.clone(),
                place: call.proof.place,
                source: source.clone(),
                version: call.version.clone(),
                unit: match &things[thing] {
                    Thing::Unit(unit) => Some(unit.id.clone()),
                    _ => None,
                },
                module: match &things[thing] {
                    Thing::Module(module) => Some(module.path.clone()),
                    _ => None,
                },
                target: targets.get(&(thing, at)).cloned(),
            });
        }
    }
    calls.sort_by(|one, two| (&one.in_file, one.place).cmp(&(&two.in_file, two.place)));
    calls
}
