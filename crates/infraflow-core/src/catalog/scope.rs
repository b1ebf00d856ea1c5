//! The facts of all files of one directory, or of one test file, brought together.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, OnceLock, PoisonError},
};

use super::{
    CatalogRules, Defines, Defining, Definition, FactReference, Facts, GeneratedUnit, MarkKind,
    ReferenceKind, Target, Unparsable,
    alternatives::alternatives,
    decode::decode,
    fill::{Names, local_names, names_file, names_local},
    glob::Glob,
    ground::Ground,
    group::Group,
    look::Looked,
    overriding::take_out_replaced,
    record::{Key, Proof, ROOT},
    statements::{Call, Files, Read, ReadFile},
    template::templates,
};
use crate::{
    git::{Entry, GitError},
    proof::RepoPath,
    terraform::facts::{FileKind, StaticValue},
};

/// What is told of a directory, or of a test file.
pub(super) struct Scope {
    pub(super) key: Key,
    /// `path.module`; of a test file, the directory in which it is run.
    pub(super) directory: RepoPath,
    pub(super) valued: bool,
    /// Files that make it up, through links.
    pub(super) linked: Vec<(RepoPath, Vec<RepoPath>)>,
    pub(super) marks: Vec<MarkKind>,
    pub(super) calls: Vec<Call>,
    pub(super) reads: Vec<Read>,
    /// Values of variables given in the scope's own files, as a test file does; by its own words.
    pub(super) values: HashMap<String, Vec<StaticValue>>,
    pub(super) unparsable: Vec<Unparsable>,
    /// What the dialect looked at.
    pub(super) looked: Vec<Looked>,
    /// Directories of units whose outputs are consumed.
    pub(super) consumes: Vec<(RepoPath, Proof)>,
    /// Directories below which everything counts.
    pub(super) below: Vec<(RepoPath, Proof)>,
    /// Where it keeps its state, by its own words.
    pub(super) state: Option<StaticValue>,
    /// Data files that were decoded for its values, and templates that were looked into.
    decoded: Mutex<BTreeSet<RepoPath>>,
    /// Those of them that it looks into whoever calls it.
    always_decoded: BTreeSet<RepoPath>,
    /// Files that count by what they are called.
    pub(super) matching: Vec<Files>,
    /// Its files, for what they define.
    files: Vec<(RepoPath, Entry, Defines)>,
    /// What is defined whether or not anybody needs it.
    defined: Vec<Definition>,
    locals: Mutex<Locals>,
    defaults: OnceLock<HashMap<String, StaticValue>>,
}

/// What is known of a scope's locals so far.
#[derive(Default)]
struct Locals {
    known: HashMap<String, StaticValue>,
    /// The names that its files were asked for.
    asked: BTreeSet<String>,
    /// Whether they were asked for all.
    all: bool,
}

/// So often a scope's files are asked for locals that others name, before they are asked for all.
const FEW_ROUNDS: usize = 3;

/// Whether a directory has configuration that a dialect's tool runs.
pub(super) type Configured<'a> = dyn Fn(u8, &RepoPath) -> bool + Sync + 'a;

/// The directory in which a test file is run: its own, or the one above `tests`, or above another directory without
/// configuration.
fn run_from(group: &Group, configured: &Configured<'_>, rules: &CatalogRules) -> RepoPath {
    let directory = group.directory.path();
    let configured = |at: &RepoPath| configured(group.key.dialect, at);
    let in_tests = rules.tests.iter().any(|name| name.as_bytes() == directory.file_name());
    if !in_tests && configured(directory) {
        return directory.clone();
    }
    // `-test-directory` names the others, from where the tool runs.
    let mut above = directory.parent();
    for _ in 0..MOST_NAMES_OF_TESTS {
        match above {
            Some(at) if configured(&at) => return at,
            Some(at) if !in_tests => above = at.parent(),
            _ => break,
        }
    }
    directory.clone()
}

/// Where a path is named that may be read.
const NAMES: [ReferenceKind; 2] = [ReferenceKind::PathNamed, ReferenceKind::PathGiven];

/// From this many directories above its own at most a test is run.
pub(super) const MOST_NAMES_OF_TESTS: usize = 3;

/// Reads the files of a scope and brings together what they state. `configured` tells whether a directory
/// has configuration.
pub(super) fn gather(
    group: &Group,
    ground: &Ground<'_>,
    configured: &Configured<'_>,
) -> Result<Scope, GitError> {
    let dialect = &*ground.dialects[usize::from(group.key.dialect)];
    let mut files = ground.read_all(&group.files, dialect)?;
    take_out_replaced(&mut files, ground, dialect)?;
    let (resolved, looked) = match group.key.test {
        true => (Facts::default(), Vec::new()),
        false => ground.resolve(group, &mut files)?,
    };
    let directory = match group.key.test {
        true => run_from(group, configured, ground.rules),
        false => group.directory.path().clone(),
    };
    let empty = Scope::empty(group.key.clone(), directory);
    let scope = Scope { valued: group.valued, looked, ..empty };
    stated(scope, files, resolved, ground)
}

/// A unit that a scope generates, as a scope of its own, which stands in the directory of the one that generates it.
pub(super) fn generated(group: &Group, unit: &GeneratedUnit, ground: &Ground<'_>) -> Result<Scope, GitError> {
    let key = Key { at: unit.directory.clone(), dialect: group.key.dialect, test: false };
    let scope = Scope::empty(key, group.directory.path().clone());
    let facts = Facts {
        references: unit.references.clone(),
        definitions: unit.definitions.clone(),
        ..Facts::default()
    };
    stated(scope, Vec::new(), facts, ground)
}

fn stated(
    mut scope: Scope,
    files: Vec<ReadFile>,
    resolved: Facts,
    ground: &Ground<'_>,
) -> Result<Scope, GitError> {
    let first = files.first().map(|file| file.path.clone()).unwrap_or_else(|| scope.directory.clone());
    let mut overriding = Vec::new();
    for mut file in files {
        if !file.through.is_empty() {
            scope.linked.push((file.path.clone(), file.through));
        }
        let defines = std::mem::take(&mut file.facts.defines);
        scope.files.extend(file.target.map(|target| (file.path.clone(), target, defines)));
        scope.take(&file.path, file.facts, &mut overriding);
    }
    scope.take(&first, resolved, &mut overriding);
    // Overrides are laid over the calls, so all calls come first; files are in the order of their names.
    for (file, reference) in overriding {
        scope.add(&file, reference);
    }
    scope.settle_reads(ground)?;
    scope.always_decoded = scope.decoded.get_mut().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(scope)
}

impl Scope {
    fn empty(key: Key, directory: RepoPath) -> Self {
        Self {
            key,
            directory,
            valued: false,
            linked: Vec::new(),
            marks: Vec::new(),
            calls: Vec::new(),
            reads: Vec::new(),
            values: HashMap::new(),
            unparsable: Vec::new(),
            looked: Vec::new(),
            consumes: Vec::new(),
            below: Vec::new(),
            state: None,
            decoded: Mutex::default(),
            always_decoded: BTreeSet::new(),
            matching: Vec::new(),
            files: Vec::new(),
            defined: Vec::new(),
            locals: Mutex::default(),
            defaults: OnceLock::new(),
        }
    }

    /// The defaults of its variables, what the scope itself knows filled in.
    pub(super) fn defaults(&self, ground: &Ground<'_>) -> Result<&HashMap<String, StaticValue>, GitError> {
        if let Some(known) = self.defaults.get() {
            return Ok(known);
        }
        let mut defaults = HashMap::new();
        for definition in self.definitions(ground, |defines| &defines.defaults, &|_| true)? {
            if let Definition::Default(name, value) = definition {
                defaults.insert(name, self.named(&value, ground)?);
            }
        }
        Ok(self.defaults.get_or_init(|| defaults))
    }

    /// What it defines, and what is wanted of what those of its files define that can tell what is asked for.
    fn definitions(
        &self,
        ground: &Ground<'_>,
        asked: impl Fn(&Defines) -> &Defining,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Definition>, GitError> {
        let dialect = &*ground.dialects[usize::from(self.key.dialect)];
        let mut all = self.defined.clone();
        // What overrides is laid over the others, whatever it is called.
        let overrides = |path: &RepoPath| {
            matches!(FileKind::of(path.file_name()), Some(FileKind::Configuration { overrides: true, .. }))
        };
        let (last, first): (Vec<_>, Vec<_>) = self.files.iter().partition(|(path, ..)| overrides(path));
        for (path, target, defines) in first.into_iter().chain(last) {
            let understood = |content: &[u8]| dialect.definitions(path, content, wanted);
            match asked(defines) {
                Defining::Nowhere => {}
                Defining::InText(text) => all.extend(understood(text.as_bytes())),
                Defining::InFile => match ground.tree.show_entry(target, understood) {
                    Ok(definitions) => all.extend(definitions),
                    Err(GitError::TooLarge { .. }) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(all)
    }

    /// A value with the scope's own names filled in.
    fn named(&self, value: &StaticValue, ground: &Ground<'_>) -> Result<StaticValue, GitError> {
        let names = Names { module: Some(&self.directory), ..Names::default() };
        if !names_local(value) {
            return Ok(names.fill(value));
        }
        let mut locals = self.locals.lock().unwrap_or_else(PoisonError::into_inner);
        self.find_locals(value, &mut locals, ground)?;
        Ok(Names { locals: Some(&locals.known), ..names }.fill(value))
    }

    /// Asks the scope's files for what a value needs of their locals, and for what these need.
    fn find_locals(
        &self,
        value: &StaticValue,
        locals: &mut Locals,
        ground: &Ground<'_>,
    ) -> Result<(), GitError> {
        let mut wanted: BTreeSet<String> = local_names(value).into_iter().map(str::to_owned).collect();
        for round in 1.. {
            wanted.retain(|name| !locals.asked.contains(name));
            if wanted.is_empty() || locals.all {
                break;
            }
            locals.all = round == FEW_ROUNDS;
            let all = locals.all;
            let is_wanted = |name: &str| all || wanted.contains(name);
            let mut named = BTreeSet::new();
            for definition in self.definitions(ground, |defines| &defines.locals, &is_wanted)? {
                // What was told in an earlier round stays as it was told: the last of one name counts.
                if let Definition::Local(name, value) = definition
                    && is_wanted(&name)
                {
                    named.extend(local_names(&value).into_iter().map(str::to_owned));
                    locals.known.insert(name, value);
                }
            }
            locals.asked.append(&mut wanted);
            wanted = named;
        }
        Ok(())
    }

    /// A value of the scope with all that the scope itself knows filled in.
    pub(super) fn filled(&self, value: &StaticValue, ground: &Ground<'_>) -> Result<StaticValue, GitError> {
        let filled = self.named(value, ground)?;
        if !names_file(&filled) {
            return Ok(filled);
        }
        let mut looked = Vec::new();
        let decoded = decode(&filled, None, ground, &mut looked)?;
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner).extend(looked);
        Ok(decoded)
    }

    /// Forgets what was looked into for what others leave open to it.
    pub(super) fn begin_anew(&self) {
        let mut decoded = self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        decoded.clone_from(&self.always_decoded);
    }

    /// The files that were looked into for its values and reads so far, and the file to which that is put down.
    pub(super) fn decoded(&self) -> (Vec<RepoPath>, RepoPath) {
        let first = self.files.first().map_or_else(|| self.key.at.clone(), |(path, ..)| path.clone());
        (self.decoded.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect(), first)
    }

    /// Fills in what the reads name, and parts those that can mean several paths.
    fn settle_reads(&mut self, ground: &Ground<'_>) -> Result<(), GitError> {
        let mut settled = Vec::with_capacity(self.reads.len());
        for Read { kind, value, part, proof } in &self.reads {
            let local = matches!(value.place(), StaticValue::Local(..)) && NAMES.contains(kind);
            for value in alternatives(self.filled(value, ground)?) {
                // A local that turns out to be no path of this repository names nothing.
                if local && !names_a_place(&value) {
                    continue;
                }
                for template in templates(*kind, &value, Some(proof), None, ground)? {
                    self.decoded.lock().unwrap_or_else(PoisonError::into_inner).insert(template.path);
                    let reads = template.reads.into_iter();
                    settled.extend(reads.map(|(kind, value)| Read {
                        kind,
                        value,
                        part: None,
                        proof: proof.clone(),
                    }));
                }
                settled.push(Read { kind: *kind, value, part: part.clone(), proof: proof.clone() });
            }
        }
        self.reads = settled;
        Ok(())
    }

    /// Takes up what a file states, but for what overrides.
    fn take(&mut self, path: &RepoPath, facts: Facts, overriding: &mut Vec<(RepoPath, FactReference)>) {
        self.marks.extend(facts.marks.iter().map(|mark| mark.kind));
        self.unparsable.extend(facts.unparsable);
        for definition in facts.definitions {
            match definition {
                Definition::Value(name, value) => self.values.entry(name).or_default().push(value),
                definition => self.defined.push(definition),
            }
        }
        for reference in facts.references {
            match reference.target {
                Target::Module { overrides: true, .. } => overriding.push((path.clone(), reference)),
                _ => self.add(path, reference),
            }
        }
    }

    fn add(&mut self, file: &RepoPath, reference: FactReference) {
        let file = reference.in_file.unwrap_or_else(|| file.clone());
        let proof = Proof { file, place: reference.place, text: reference.text.into() };
        match reference.target {
            Target::Unit(directory) => self.consumes.push((directory, proof)),
            Target::Below(directory) => self.below.push((directory, proof)),
            Target::State(at) => self.state = Some(at),
            Target::Root { source, directory, values, left_out } => {
                for value in values {
                    if let Definition::Value(name, value) = value {
                        self.values.entry(name).or_default().push(value);
                    }
                }
                self.calls.push(Call {
                    name: ROOT.into(),
                    source: source.map(|text| (text, proof.file.clone())),
                    version: None,
                    proof,
                    arguments: HashMap::new(),
                    root: true,
                    left_out,
                    directory,
                    repository: None,
                });
            }
            Target::Directory(directory) => self.calls.push(Call::to(proof, Some(directory), None)),
            Target::Repository { url, directory, reference } => {
                self.calls.push(Call::to(proof, None, Some((url, directory, reference))));
            }
            Target::Files { directory, glob, except } => self.matching.push(Files {
                directory,
                glob: Glob::of(&glob),
                except: except.iter().map(|glob| Glob::of(glob)).collect(),
                kind: reference.kind,
                proof,
            }),
            Target::Path(value) => {
                self.reads.push(Read { kind: reference.kind, value, part: reference.part, proof });
            }
            Target::Module { name, source, version, overrides, arguments } => {
                let source = source.map(|text| (text, proof.file.clone()));
                let arguments = arguments.into_iter().filter_map(|argument| match argument {
                    Definition::Value(name, value) => Some((name, value)),
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
                        left_out: Vec::new(),
                        directory: None,
                        repository: None,
                    });
                }
            }
        }
    }
}

fn names_a_place(value: &StaticValue) -> bool {
    match value {
        StaticValue::Base(_) => true,
        StaticValue::Literal(text) => {
            let is_path =
                |c: char| !c.is_whitespace() && !c.is_control() && !"\"'`;,|&<>()[]{}=:".contains(c);
            !text.is_empty() && text.len() < 256 && !text.starts_with(['/', '~']) && text.chars().all(is_path)
        }
        StaticValue::Concat(parts) => parts.first().is_some_and(names_a_place),
        StaticValue::Computed(_, arguments) => arguments.first().is_some_and(names_a_place),
        _ => false,
    }
}
