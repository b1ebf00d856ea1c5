//! The facts of all files of one directory, or of one test file, brought together.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use rayon::prelude::*;

use super::{
    CatalogRules, Claim, Definition, FactReference, Facts, MarkKind, ReferenceKind, Role, Scope as Belongs,
    Target, Unparsable,
    fill::{Names, alternatives},
    look::Looked,
};
use crate::{
    proof::RepoPath,
    terraform::facts::{Place, StaticValue, Text},
};

/// One file, read.
pub(super) struct ReadFile {
    /// Where it stands, which is where its statements count.
    pub(super) path: RepoPath,
    /// The links it was read through, and the file at their end.
    pub(super) through: Vec<RepoPath>,
    pub(super) dialect: usize,
    pub(super) claim: Claim,
    pub(super) facts: Facts,
}

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Proof {
    pub(super) file: RepoPath,
    pub(super) place: Place,
    pub(super) text: Arc<str>,
}

/// A module call, overrides laid over it.
pub(super) struct Call {
    pub(super) name: String,
    pub(super) source: Option<(Text, RepoPath)>,
    pub(super) version: Option<Text>,
    pub(super) proof: Proof,
    pub(super) arguments: HashMap<String, StaticValue>,
    /// Whether the module is run as the root of the unit.
    pub(super) root: bool,
    /// Where it stands, where the dialect knows that.
    pub(super) directory: Option<RepoPath>,
}

/// A path that is read or named, as far as its directory's own files tell.
pub(super) struct Read {
    pub(super) kind: ReferenceKind,
    pub(super) value: StaticValue,
    pub(super) proof: Proof,
}

/// What is told of a directory, or of a test file.
pub(super) struct Scope {
    /// `path.module`; of a test file, the directory in which it is run.
    pub(super) directory: RepoPath,
    /// The test file, where it is one.
    pub(super) test: Option<RepoPath>,
    pub(super) dialect: usize,
    /// Files that make it up, through links.
    pub(super) linked: Vec<(RepoPath, Vec<RepoPath>)>,
    pub(super) marks: Vec<MarkKind>,
    pub(super) calls: Vec<Call>,
    pub(super) reads: Vec<Read>,
    pub(super) defaults: HashMap<String, StaticValue>,
    /// Values of variables given in the scope's own files, as a test file does.
    pub(super) values: HashMap<String, Vec<StaticValue>>,
    pub(super) unparsable: Vec<Unparsable>,
    /// What the dialect looked at.
    pub(super) looked: Vec<Looked>,
    /// Directories of units whose outputs are consumed.
    pub(super) consumes: Vec<(RepoPath, Proof)>,
    /// Directories below which everything counts.
    pub(super) below: Vec<(RepoPath, Proof)>,
}

/// Scopes, and the files that stand beside configuration.
pub(super) struct Gathered {
    pub(super) scopes: Vec<Scope>,
    pub(super) beside: Vec<ReadFile>,
}

/// What a dialect, a directory and its files come to together with other files.
pub(super) type Resolve<'a> = dyn Fn(usize, &RepoPath, &[RepoPath]) -> (Facts, Vec<Looked>) + Sync + 'a;

/// Brings files together by what they belong to.
pub(super) fn gather(files: Vec<ReadFile>, rules: &CatalogRules, resolve: &Resolve<'_>) -> Gathered {
    let configuration = files.iter().filter(|file| file.claim.role == Role::Configuration);
    let configured: HashSet<RepoPath> = configuration.filter_map(|file| file.path.parent()).collect();
    let mut groups: BTreeMap<(RepoPath, usize, Option<RepoPath>), Vec<ReadFile>> = BTreeMap::new();
    let mut beside = Vec::new();
    for file in files {
        let directory = file.path.parent().unwrap_or_else(RepoPath::root);
        match (file.claim.role, file.claim.scope) {
            (Role::Configuration, Belongs::Directory) => {
                groups.entry((directory, file.dialect, None)).or_default().push(file);
            }
            (Role::Configuration | Role::Test, _) => {
                let directory = run_from(directory, &configured, rules);
                groups.entry((directory, file.dialect, Some(file.path.clone()))).or_default().push(file);
            }
            _ => beside.push(file),
        }
    }
    let groups: Vec<_> = groups.into_iter().collect();
    let scopes = groups.into_par_iter().map(|((directory, dialect, test), files)| {
        let resolved = test.is_none().then(|| {
            let own: Vec<RepoPath> = files.iter().map(|file| file.path.clone()).collect();
            resolve(dialect, &directory, &own)
        });
        scope(directory, dialect, test, files, resolved.unwrap_or_default())
    });
    Gathered { scopes: scopes.collect(), beside }
}

/// The directory in which a test file is run: its own, or the one above `tests`.
fn run_from(directory: RepoPath, configured: &HashSet<RepoPath>, rules: &CatalogRules) -> RepoPath {
    let in_tests = rules.tests.iter().any(|name| name.as_bytes() == directory.file_name());
    match directory.parent() {
        Some(parent) if in_tests && configured.contains(&parent) => parent,
        _ => directory,
    }
}

fn scope(
    directory: RepoPath,
    dialect: usize,
    test: Option<RepoPath>,
    files: Vec<ReadFile>,
    (resolved, looked): (Facts, Vec<Looked>),
) -> Scope {
    let mut scope = Scope {
        directory,
        test,
        dialect,
        linked: Vec::new(),
        marks: Vec::new(),
        calls: Vec::new(),
        reads: Vec::new(),
        defaults: HashMap::new(),
        values: HashMap::new(),
        unparsable: Vec::new(),
        looked,
        consumes: Vec::new(),
        below: Vec::new(),
    };
    let mut locals = HashMap::new();
    let mut references = Vec::new();
    let first = files.first().map(|file| file.path.clone()).unwrap_or_else(|| scope.directory.clone());
    let mut stated = Vec::new();
    for file in files {
        if !file.through.is_empty() {
            scope.linked.push((file.path.clone(), file.through));
        }
        stated.push((file.path, file.facts));
    }
    stated.push((first, resolved));
    for (path, facts) in stated {
        scope.marks.extend(facts.marks.iter().map(|mark| mark.kind));
        scope.unparsable.extend(facts.unparsable);
        for definition in facts.definitions {
            match definition {
                Definition::Local(name, value) => {
                    locals.insert(name, value);
                }
                Definition::Default(name, value) => {
                    scope.defaults.insert(name, value);
                }
                Definition::Value(name, value) => scope.values.entry(name).or_default().push(value),
            }
        }
        references.extend(facts.references.into_iter().map(|reference| (path.clone(), reference)));
    }
    let directory = scope.directory.clone();
    let names = Names { module: Some(&directory), locals: Some(&locals), ..Names::default() };
    for values in scope.values.values_mut() {
        values.iter_mut().for_each(|value| *value = names.fill(value));
    }
    scope.defaults.values_mut().for_each(|value| *value = names.fill(value));
    // Overrides are laid over the calls, so all calls come first; files are in the order of their names.
    references
        .sort_by_key(|(_, reference)| matches!(reference.target, Target::Module { overrides: true, .. }));
    for (file, reference) in references {
        scope.add(file, reference, &names);
    }
    scope
}

impl Scope {
    fn add(&mut self, file: RepoPath, reference: FactReference, names: &Names<'_>) {
        let file = reference.in_file.unwrap_or(file);
        let proof = Proof { file, place: reference.place, text: reference.text.into() };
        match reference.target {
            Target::Unit(directory) => self.consumes.push((directory, proof)),
            Target::Below(directory) => self.below.push((directory, proof)),
            Target::Root { source, directory, values } => {
                for value in values {
                    if let Definition::Value(name, value) = value {
                        self.values.entry(name).or_default().push(names.fill(&value));
                    }
                }
                self.calls.push(Call {
                    name: "root".into(),
                    source: source.map(|text| (text, proof.file.clone())),
                    version: None,
                    proof,
                    arguments: HashMap::new(),
                    root: true,
                    directory,
                });
            }
            Target::Path(value) => {
                let local =
                    matches!(value, StaticValue::Local(..)) && reference.kind == ReferenceKind::PathNamed;
                for value in alternatives(&names.fill(&value)) {
                    // A local that turns out to be no path of this repository names nothing.
                    if local && !names_a_place(&value) {
                        continue;
                    }
                    self.reads.push(Read { kind: reference.kind, value, proof: proof.clone() });
                }
            }
            Target::Module { name, source, version, overrides, arguments } => {
                let source = source.map(|text| (text, proof.file.clone()));
                let arguments = arguments.into_iter().filter_map(|argument| match argument {
                    Definition::Value(name, value) => Some((name, names.fill(&value))),
                    _ => None,
                });
                let standing = self.calls.iter_mut().find(|call| overrides && call.name == name);
                if let Some(call) = standing {
                    call.arguments.extend(arguments);
                    call.version = version.or(call.version.take());
                    if source.is_some() {
                        call.source = source;
                        call.proof = proof;
                    }
                } else {
                    self.calls.push(Call {
                        name,
                        source,
                        version,
                        proof,
                        arguments: arguments.collect(),
                        root: false,
                        directory: None,
                    });
                }
            }
        }
    }
}

fn names_a_place(value: &StaticValue) -> bool {
    match value {
        StaticValue::Base(_) => true,
        StaticValue::Literal(text) => text.starts_with("./") || text.starts_with("../"),
        StaticValue::Concat(parts) => parts.first().is_some_and(names_a_place),
        _ => false,
    }
}
