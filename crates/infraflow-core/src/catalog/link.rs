//! From scopes to records: calls are resolved, and paths that a caller has to fill in travel up to it.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use rayon::prelude::*;

use super::{
    CatalogError, DialectName, ReferenceKind,
    decode::decode,
    fill::{Names, alternatives, is_open, names_file, names_variable, taken_out, variables},
    glob::Glob,
    ground::Ground,
    path::{Paths, paths},
    record::{CallRecord, Edge, End, Open, Proof, Record},
    scope::{Call, Configured, Scope},
    template::templates,
    values,
};
use crate::{
    git::GitError,
    proof::RepoPath,
    terraform::facts::{Base, StaticValue, Step},
};

/// The most paths that travel up through one directory. Beyond it any file may be one of them, and the catalog
/// warns.
const MAX_OPEN: usize = 512;

/// The most links that one pattern lists, of which each is followed.
const MOST_LINKS_LISTED: usize = 1_000;

/// The longest chain of calls that a path travels up. Whoever calls from further away may read any file.
const MAX_CALLS: usize = 64;

/// No path is put together from more parts than this. Of one that would be, only the beginning is known.
const MOST_PARTS: usize = 256;

/// A value as it is worth handing on.
fn as_a_path(value: StaticValue) -> StaticValue {
    if value.parts(MOST_PARTS) < MOST_PARTS {
        return value;
    }
    match value {
        StaticValue::Concat(parts) => {
            let first = parts.into_iter().next().filter(|first| first.parts(2) < 2);
            StaticValue::concat(first.into_iter().chain([StaticValue::Unknown]).collect())
        }
        StaticValue::OneOf(values) => StaticValue::one_of(values.into_iter().map(as_a_path).collect()),
        _ => StaticValue::Unknown,
    }
}

/// Who stands outside of what is linked: the records of a directory, test files left out.
pub(super) type Outside<'a> = dyn Fn(&RepoPath) -> Result<Vec<Arc<Record>>, CatalogError> + Sync + 'a;

/// A scope on its way to a record.
struct Draft<'a> {
    scope: &'a Scope,
    /// For each call, the directory of this repository that it leads to.
    targets: Vec<Option<RepoPath>>,
    edges: Vec<Edge>,
    warnings: Vec<(bool, String)>,
    /// Reads that its callers or its root settle, by value and where they are written.
    opens: BTreeMap<(ReferenceKind, StaticValue, Proof), Travelling>,
    /// What its calls pass and it gives by name, filled in, once it was asked for.
    passed: HashMap<(usize, String), StaticValue>,
    given: HashMap<String, Vec<StaticValue>>,
    /// How many of these callers see.
    open_ended: usize,
    crowded: bool,
    /// What arguments give that the called module reads: where that leads is known.
    followed: HashSet<StaticValue>,
}

/// A read on its way up.
struct Travelling {
    open: Open,
    /// Whether its callers have not been told yet.
    is_news: bool,
}

/// Links scopes with each other, and with those outside.
pub(super) fn link(
    scopes: &[Scope],
    ground: &Ground<'_>,
    configured: &Configured<'_>,
    outside: &Outside<'_>,
) -> Result<Vec<Record>, CatalogError> {
    let mut drafts: Vec<Draft<'_>> = scopes.par_iter().map(|scope| draft(scope, ground)).collect();
    carry(&mut drafts, ground, outside)?;
    let failed = |source| CatalogError::git(ground.tree, source);
    drafts.into_par_iter().map(|draft| finish(draft, ground, configured).map_err(failed)).collect()
}

/// Links a scope that nothing which is called leaves a path open to.
pub(super) fn link_alone(
    scope: &Scope,
    ground: &Ground<'_>,
    configured: &Configured<'_>,
) -> Result<Record, GitError> {
    finish(draft(scope, ground), ground, configured)
}

fn draft<'a>(scope: &'a Scope, ground: &Ground<'_>) -> Draft<'a> {
    let mut draft = Draft {
        scope,
        targets: Vec::new(),
        edges: own_edges(scope, ground),
        warnings: Vec::new(),
        opens: BTreeMap::new(),
        passed: HashMap::new(),
        given: HashMap::new(),
        open_ended: 0,
        crowded: false,
        followed: HashSet::new(),
    };
    for call in &scope.calls {
        let target = draft.call(call, ground);
        draft.targets.push(target);
    }
    for read in &scope.reads {
        draft.take(Open {
            kind: read.kind,
            value: read.value.clone(),
            part: read.part.clone(),
            proofs: vec![read.proof.clone()],
        });
    }
    draft
}

/// What a scope's own files bring: links that they were read through, what its dialect looked at, and,
/// where one could not be read, anything below the directory.
fn own_edges(scope: &Scope, ground: &Ground<'_>) -> Vec<Edge> {
    let edge = |to, kind, proof: Proof| Edge {
        to,
        kind,
        when_run: false,
        looked: false,
        part: None,
        proofs: vec![proof],
    };
    let mut edges = Vec::new();
    for (link, through) in &scope.linked {
        edges.extend(through.iter().map(|file| {
            let proof = Proof::whole_file(link.clone(), "a symbolic link");
            edge(End::File(file.clone()), ReferenceKind::SymbolicLink, proof)
        }));
    }
    for looked in &scope.looked {
        edges.push(Edge { looked: true, ..edge(looked.to.clone(), looked.kind, looked.proof.clone()) });
    }
    for (directory, proof) in &scope.consumes {
        let way = ground.links.follow(&RepoPath::root(), directory.as_bytes());
        for link in way.links {
            edges.push(edge(End::File(link), ReferenceKind::SymbolicLink, proof.clone()));
        }
        let end = way.end.unwrap_or_else(|| directory.clone());
        edges.push(edge(End::Scope(end), ReferenceKind::Dependency, proof.clone()));
    }
    for (directory, proof) in &scope.below {
        edges.push(edge(End::Below(directory.clone()), ReferenceKind::Watch, proof.clone()));
    }
    for files in &scope.matching {
        let to = End::Matching {
            directory: files.directory.clone(),
            glob: files.glob.clone(),
            unknown: false,
            except: files.except.clone(),
        };
        edges.push(edge(to, files.kind, files.proof.clone()));
    }
    for unparsable in &scope.unparsable {
        let to = anything_below(scope.directory.clone());
        let proof = Proof::whole_file(unparsable.path.clone(), "a file that could not be understood");
        edges.push(edge(to, ReferenceKind::FileRead, proof));
    }
    if scope.key.test {
        let proof = Proof::whole_file(scope.key.at.clone(), "the module it tests");
        edges.push(edge(End::Scope(scope.directory.clone()), ReferenceKind::TestOf, proof));
    }
    edges
}

/// Whether a read is settled by callers too. Whose state is read concerns all of them.
fn travels(open: &Open) -> bool {
    is_open(&open.value) || open.kind == ReferenceKind::Dependency
}

fn anything_below(directory: RepoPath) -> End {
    let mut glob = Glob::default();
    glob.push_any();
    End::Matching { directory, glob, unknown: true, except: Vec::new() }
}

impl Draft<'_> {
    /// Resolves a call, and adds its edges.
    fn call(&mut self, call: &Call, ground: &Ground<'_>) -> Option<RepoPath> {
        let (from, relative) = match (&call.directory, &call.repository, &call.source) {
            (Some(directory), ..) => (RepoPath::root(), directory.as_bytes().to_vec()),
            (None, Some((url, directory, reference)), _) => {
                let own = ground.own.is_own(url, reference.as_deref());
                own.then(|| (RepoPath::root(), directory.as_bytes().to_vec()))?
            }
            (None, None, Some((source, _))) => {
                let (from, relative) = ground.own.within(&self.scope.directory, &source.value)?;
                (from, relative.into_bytes())
            }
            (None, None, None) => return None,
        };
        let way = ground.links.follow(&from, &relative);
        let edge = |to, kind| Edge {
            to,
            kind,
            when_run: false,
            looked: false,
            part: None,
            proofs: vec![call.proof.clone()],
        };
        self.edges
            .extend(way.links.into_iter().map(|link| edge(End::File(link), ReferenceKind::SymbolicLink)));
        if let Some(submodule) = way.submodule {
            self.edges.push(edge(End::File(submodule), ReferenceKind::Submodule));
            return None;
        }
        let Some(end) = way.end else {
            let text = format!(
                "{}:{}: {} calls {}, which lies outside the repository; its changes are not seen",
                call.proof.file,
                call.proof.place.line,
                call.proof.text,
                String::from_utf8_lossy(&relative)
            );
            self.warnings.push((false, text));
            return None;
        };
        self.edges.push(edge(End::Scope(end.clone()), ReferenceKind::ModuleCall));
        Some(end)
    }

    /// Takes up a read. Of equal ones the one with the shortest way counts. Says whether that is news.
    fn take(&mut self, open: Open) -> bool {
        let Some(origin) = open.proofs.first().cloned() else { return false };
        if open.proofs.len() > MAX_CALLS {
            self.crowded = true;
            return false;
        }
        // What nobody has to fill in goes no further than this scope.
        let open_ended = is_open(&open.value);
        let crowded = open_ended && self.open_ended >= MAX_OPEN;
        match self.opens.entry((open.kind, open.value.clone(), origin)) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let shortest = &known.get().open.proofs;
                let by_length = open.proofs.len().cmp(&shortest.len());
                let better = by_length.then_with(|| open.proofs.cmp(shortest)) == Ordering::Less;
                if better {
                    known.insert(Travelling { open, is_news: true });
                }
                better
            }
            std::collections::btree_map::Entry::Vacant(place) => {
                if crowded {
                    self.crowded = true;
                    return false;
                }
                self.open_ended += usize::from(open_ended);
                place.insert(Travelling { open, is_news: true });
                true
            }
        }
    }

    /// Takes up what a called scope leaves open, as this one fills it in.
    fn inherit<'o>(
        &mut self,
        call: Option<usize>,
        opens: impl Iterator<Item = &'o Open>,
        default: &Default<'_>,
        ground: &Ground<'_>,
    ) -> Result<bool, GitError> {
        let scope = self.scope;
        let arguments = call.filter(|&at| !scope.calls[at].root);
        let mut news = false;
        for open in opens.filter(|open| travels(open)) {
            let mut proofs = open.proofs.clone();
            proofs.extend(call.map(|at| scope.calls[at].proof.clone()));
            if !names_variable(&open.value) {
                news |= self.take(Open { proofs, ..open.clone() });
                continue;
            }
            for name in variables(&open.value) {
                self.know(arguments, name, ground)?;
            }
            let mut followed = Vec::new();
            for name in variables(&open.value).into_iter().collect::<BTreeSet<_>>() {
                let value = arguments.and_then(|at| self.passed.get(&(at, name.to_owned())));
                for steps in value.into_iter().flat_map(|_| taken_out(&open.value, name)) {
                    followed.extend(value.into_iter().flat_map(|value| alternatives(&value.taken(steps))));
                }
            }
            self.followed.extend(followed);
            let variable = |name: &str, steps: &[Step]| {
                let key = arguments.map(|at| (at, name.to_owned()));
                if let Some(value) = key.and_then(|key| self.passed.get(&key)) {
                    return taken_with_default(value, default(name), steps);
                }
                // Who runs the module gives values by name; whatever it gives, the default may count too.
                let given = arguments.is_none().then(|| self.given.get(name)).flatten();
                let given = given.into_iter().flatten().chain(default(name));
                StaticValue::one_of(given.map(|value| value.taken(steps)).collect())
            };
            let names = Names { variables: Some(&variable), ..Names::default() };
            let values = alternatives(&as_a_path(names.fill(&open.value)));
            for value in values {
                news |= self.take(Open { value, proofs: proofs.clone(), ..open.clone() });
            }
        }
        Ok(news)
    }
}

impl Draft<'_> {
    /// Fills in what a call passes by a name, or the scope gives, in words that mean the same to whoever calls it.
    fn know(&mut self, call: Option<usize>, name: &str, ground: &Ground<'_>) -> Result<(), GitError> {
        let scope = self.scope;
        match call {
            Some(at) => {
                let key = (at, name.to_owned());
                if let Some(value) = scope.calls[at].arguments.get(name)
                    && !self.passed.contains_key(&key)
                {
                    self.passed.insert(key, scope.filled(value, ground)?);
                }
            }
            None if !self.given.contains_key(name) => {
                let values = scope.values.get(name).into_iter().flatten();
                let values = values.map(|value| scope.filled(value, ground)).collect::<Result<_, _>>()?;
                self.given.insert(name.to_owned(), values);
            }
            None => {}
        }
        Ok(())
    }

    /// The reads of which its callers have not been told.
    fn news(&mut self) -> Vec<Open> {
        let news = self.opens.values_mut().filter(|travelling| travelling.is_news);
        news.map(|travelling| {
            travelling.is_news = false;
            travelling.open.clone()
        })
        .collect()
    }
}

/// Carries open reads up along the calls until nothing new arrives anywhere.
fn carry(drafts: &mut [Draft<'_>], ground: &Ground<'_>, outside: &Outside<'_>) -> Result<(), CatalogError> {
    let failed = |source| CatalogError::git(ground.tree, source);
    // Terragrunt's configuration says how a directory is run; who calls that reads the rest.
    let terragrunt = DialectName::terragrunt();
    let lends = |dialect: u8| ground.dialects[usize::from(dialect)].name() != terragrunt;
    let mut standing: HashMap<&RepoPath, Vec<usize>> = HashMap::new();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| !draft.scope.key.test) {
        standing.entry(&draft.scope.directory).or_default().push(at);
    }
    // Who calls whom, by which call; and what comes in from outside.
    let mut callers: HashMap<usize, Vec<(usize, Option<usize>)>> = HashMap::new();
    let mut incoming = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        let mut directories: Vec<(&RepoPath, Option<usize>)> = Vec::new();
        let calls = draft.targets.iter().enumerate();
        directories.extend(calls.filter_map(|(call, target)| Some((target.as_ref()?, Some(call)))));
        directories.extend(draft.scope.key.test.then_some((&draft.scope.directory, None)));
        for (directory, call) in directories {
            let called = standing.get(directory).into_iter().flatten();
            for &target in called.filter(|&&target| target != at && lends(drafts[target].scope.key.dialect)) {
                callers.entry(target).or_default().push((at, call));
            }
            incoming.push((at, call, directory.clone()));
        }
    }
    drop(standing);
    for (at, call, directory) in incoming {
        for record in outside(&directory)?.iter().filter(|record| lends(record.key.dialect)) {
            let default = |name: &str| record.defaults.get(name);
            drafts[at].inherit(call, record.open.iter(), &default, ground).map_err(failed)?;
        }
    }
    let mut work: VecDeque<usize> = (0..drafts.len()).filter(|&at| !drafts[at].opens.is_empty()).collect();
    let mut waiting: HashSet<usize> = work.iter().copied().collect();
    while let Some(at) = work.pop_front() {
        waiting.remove(&at);
        let Some(calling) = callers.get(&at) else { continue };
        let opens = drafts[at].news();
        let scope = drafts[at].scope;
        let asked = opens.iter().any(|open| names_variable(&open.value));
        let nothing = HashMap::new();
        let defaults = match asked {
            true => scope.defaults(ground).map_err(failed)?,
            false => &nothing,
        };
        for &(caller, call) in calling {
            let default = |name: &str| defaults.get(name);
            let news = drafts[caller].inherit(call, opens.iter(), &default, ground).map_err(failed)?;
            if news && waiting.insert(caller) {
                work.push_back(caller);
            }
        }
    }
    Ok(())
}

fn finish(
    mut draft: Draft<'_>,
    ground: &Ground<'_>,
    configured: &Configured<'_>,
) -> Result<Record, GitError> {
    let scope = draft.scope;
    let opens = std::mem::take(&mut draft.opens).into_values();
    let mut opens: Vec<Open> = opens.map(|travelling| travelling.open).collect();
    opens.retain(|open| open.kind != ReferenceKind::PathGiven || !draft.followed.contains(&open.value));
    let takes_values = opens.iter().any(|open| names_variable(&open.value));
    let nothing = HashMap::new();
    let (mut given, mut defaults) = (HashMap::new(), &nothing);
    if takes_values {
        given = values::of_files(ground, &scope.directory, &|at| configured(scope.key.dialect, at))?;
        for (name, values) in &scope.values {
            let own: &mut Vec<StaticValue> = given.entry(name.clone()).or_default();
            for value in values {
                own.push(scope.filled(value, ground)?);
            }
        }
        defaults = scope.defaults(ground)?;
    }
    // What is run from elsewhere runs there, with the unit's own files beside it.
    let mut roots: Vec<RepoPath> = scope
        .calls
        .iter()
        .zip(&draft.targets)
        .filter_map(|(call, target)| target.clone().filter(|_| call.root))
        .collect();
    roots.push(scope.directory.clone());
    roots.dedup();
    let Draft { targets, edges, warnings, crowded, .. } = draft;
    let mut settle = Settle { directory: &scope.directory, ground, edges, warnings };
    let default = |name: &str| defaults.get(name);
    for open in &opens {
        if travels(open) {
            for root in &roots {
                settle.at_root(open, root, &given, &default)?;
            }
        } else {
            settle.read(open, &scope.directory, false);
        }
    }
    let state = state(scope, ground, &given, &default)?;
    settle.edges.extend(data_files(scope));
    let Settle { mut edges, mut warnings, .. } = settle;
    if crowded {
        warnings.push((
            false,
            format!(
                "more than {MAX_OPEN} paths are handed through {}, or over more than {MAX_CALLS} calls; any file may be one of the others",
                scope.directory
            ),
        ));
        let text = "more paths than are followed";
        let own = || Proof::whole_file(scope.key.at.clone(), text);
        let proof =
            scope.calls.first().map_or_else(own, |call| Proof { text: text.into(), ..call.proof.clone() });
        edges.push(Edge {
            to: anything_below(RepoPath::root()),
            kind: ReferenceKind::FileRead,
            when_run: false,
            looked: false,
            part: None,
            proofs: vec![proof],
        });
    }
    let mut lends: Vec<RepoPath> = scope
        .linked
        .iter()
        .filter_map(|(_, through)| through.last()?.parent().filter(|lender| *lender != scope.directory))
        .collect();
    lends.sort();
    lends.dedup();
    edges.sort();
    edges.dedup();
    warnings.sort();
    warnings.dedup();
    let open: Vec<Open> = opens.into_iter().filter(travels).collect();
    let named = open.iter().flat_map(|open| variables(&open.value));
    let defaults = named.filter_map(|name| Some((name.to_owned(), defaults.get(name)?.clone())));
    let defaults = defaults.collect();
    Ok(Record {
        key: scope.key.clone(),
        directory: scope.directory.clone(),
        marks: scope.marks.clone(),
        valued: scope.valued,
        takes_values,
        edges,
        state,
        lends,
        open,
        defaults,
        calls: call_records(scope, targets),
        unparsable: scope.unparsable.iter().cloned().map(Into::into).collect(),
        warnings,
    })
}

/// A value with what is known where the tool runs.
fn filled_at_root(
    value: &StaticValue,
    root: &RepoPath,
    given: &values::Values,
    default: &Default<'_>,
) -> StaticValue {
    let variable = |name: &str, steps: &[Step]| {
        // Variable files that are named to the tool need not be: then the default counts.
        let default = default(name);
        let given = given.get(name).into_iter().flatten();
        let given = given.map(|value| taken_with_default(value, default, steps));
        let default = default.map(|default| default.taken(steps));
        StaticValue::one_of(given.chain(default).collect())
    };
    Names { root: Some(root), variables: Some(&variable), ..Names::default() }.fill(value)
}

/// What is taken out of a value that is given to a variable, with what the variable's type has for members that are
/// left out: its default has them too.
fn taken_with_default(value: &StaticValue, default: Option<&StaticValue>, steps: &[Step]) -> StaticValue {
    match default {
        Some(default) => value.clone().with_members_left_out(default).taken(steps),
        None => value.taken(steps),
    }
}

/// What a variable is where nothing is given for it.
type Default<'a> = dyn Fn(&str) -> Option<&'a StaticValue> + 'a;

/// Where the scope keeps its state, if it says so.
fn state(
    scope: &Scope,
    ground: &Ground<'_>,
    given: &values::Values,
    default: &Default<'_>,
) -> Result<Option<RepoPath>, GitError> {
    let Some(at) = &scope.state else { return Ok(None) };
    let filled = scope.filled(at, ground)?;
    let value = filled_at_root(&filled, &scope.directory, given, default);
    Ok(state_at(&value, &scope.directory))
}

/// The data files that the scope's values were decoded from: another content makes another record.
fn data_files(scope: &Scope) -> impl Iterator<Item = Edge> {
    let (files, because) = scope.decoded();
    files.into_iter().map(move |file| Edge {
        to: End::File(file),
        kind: ReferenceKind::FileRead,
        when_run: false,
        looked: true,
        part: None,
        proofs: vec![Proof::whole_file(because.clone(), "a file that is looked into")],
    })
}

/// The place of a state: a path, or what a backend's settings come to.
fn state_at(value: &StaticValue, root: &RepoPath) -> Option<RepoPath> {
    if let StaticValue::Literal(text) = value
        && let Some(settings) = text.strip_prefix('/')
    {
        return RepoPath::root().resolve(settings);
    }
    match paths(value, root).as_slice() {
        [Paths::One(path)] => Some(path.clone()),
        _ => None,
    }
}

fn call_records(scope: &Scope, targets: Vec<Option<RepoPath>>) -> Vec<CallRecord> {
    let calls = scope.calls.iter().zip(targets).map(|(call, target)| {
        let (source, in_file) = match &call.source {
            Some((source, in_file)) => (Some(source.clone()), in_file.clone()),
            None => (None, call.proof.file.clone()),
        };
        CallRecord {
            name: call.name.clone(),
            in_file,
            place: call.proof.place,
            source,
            version: call.version.clone(),
            target,
        }
    });
    calls.collect()
}

/// Where an open path leads in the directory in which it is run, by these values.
pub(super) fn settled(
    open: &Open,
    directory: &RepoPath,
    given: &values::Values,
    defaults: &BTreeMap<String, StaticValue>,
    ground: &Ground<'_>,
) -> Result<Vec<Edge>, GitError> {
    let mut settle = Settle { directory, ground, edges: Vec::new(), warnings: Vec::new() };
    settle.at_root(open, directory, given, &|name| defaults.get(name))?;
    Ok(settle.edges)
}

/// A path with `*` in it: the directory before that, and which files below it are meant.
fn pattern(path: &RepoPath) -> Option<(RepoPath, Glob)> {
    let star = memchr::memchr(b'*', path.as_bytes())?;
    let before = memchr::memrchr(b'/', &path.as_bytes()[..star]);
    let directory =
        before.map_or_else(RepoPath::root, |slash| RepoPath::root().join(&path.as_bytes()[..slash]));
    let mut glob = Glob::default();
    for (i, text) in path.as_bytes()[before.map_or(0, |slash| slash + 1)..].split(|&b| b == b'*').enumerate()
    {
        if i > 0 {
            glob.push_any();
        }
        glob.push_text(text);
    }
    Some((directory, glob))
}

/// Turns settled reads into edges.
struct Settle<'a, 'g> {
    /// The scope's own.
    directory: &'a RepoPath,
    ground: &'a Ground<'g>,
    edges: Vec<Edge>,
    warnings: Vec<(bool, String)>,
}

impl Settle<'_, '_> {
    /// What is open is settled where the tool runs: relative paths begin here, variables have the values
    /// of variable files, or their defaults.
    fn at_root(
        &mut self,
        open: &Open,
        root: &RepoPath,
        given: &values::Values,
        default: &Default<'_>,
    ) -> Result<(), GitError> {
        let filled = filled_at_root(&open.value, root, given, default);
        let value = match names_file(&filled) {
            true => {
                let mut looked = Vec::new();
                let decoded = decode(&filled, Some(root), self.ground, &mut looked)?;
                for file in looked {
                    let (to, kind) = (End::File(file), ReferenceKind::FileRead);
                    let proofs = open.proofs.clone();
                    self.edges.push(Edge { to, kind, when_run: true, looked: true, part: None, proofs });
                }
                decoded
            }
            false => filled,
        };
        for value in alternatives(&value) {
            for template in templates(open.kind, &value, open.proofs.first(), Some(root), self.ground)? {
                let (to, kind) = (End::File(template.path), ReferenceKind::FileRead);
                let proofs = open.proofs.clone();
                self.edges.push(Edge { to, kind, when_run: true, looked: true, part: None, proofs });
                for (kind, value) in template.reads {
                    self.read(&Open { kind, value, part: None, proofs: open.proofs.clone() }, root, true);
                }
            }
            self.read(&Open { value, ..open.clone() }, root, true);
        }
        Ok(())
    }

    /// Adds the edge of a module source that names what is known by now.
    fn source(&mut self, open: &Open, when_run: bool) {
        let StaticValue::Concat(parts) = &open.value else { return };
        let [StaticValue::Base(Base::Directory(from)), StaticValue::Literal(text), rest @ ..] =
            parts.as_slice()
        else {
            return;
        };
        let text = text.strip_prefix('/').unwrap_or(text);
        let local = text.starts_with("./") || text.starts_with("../");
        let found = match rest {
            [] => self.ground.own.within(from, text).map(|(from, way)| (from, way.into_bytes())),
            _ => None,
        };
        match found {
            Some((from, way)) => {
                let end = self.ground.links.follow(&from, &way).end;
                end.into_iter().for_each(|end| self.edge(open, open.kind, End::Scope(end), when_run));
            }
            // A part of it is not known: any of the directories that it may mean.
            None if local && !rest.is_empty() => {
                for found in paths(&open.value, from) {
                    if let Paths::Matching { directory, glob, .. } = found {
                        self.warn_unknown(open, &directory, when_run);
                        let to = End::Matching { directory, glob, unknown: false, except: Vec::new() };
                        self.edge(open, open.kind, to, when_run);
                    }
                }
            }
            None => {}
        }
    }

    /// Adds the edges of a read whose path is settled.
    fn read(&mut self, open: &Open, root: &RepoPath, when_run: bool) {
        match open.kind {
            ReferenceKind::ModuleCall => return self.source(open, when_run),
            ReferenceKind::Dependency => {
                let at = state_at(&open.value, root).map(End::State);
                return at.into_iter().for_each(|at| self.edge(open, open.kind, at, when_run));
            }
            _ => {}
        }
        for found in paths(&open.value, root) {
            match found {
                Paths::None => {}
                Paths::One(path) => {
                    let named = matches!(open.kind, ReferenceKind::PathNamed | ReferenceKind::PathGiven);
                    // A shell unfolds it, or a provider, in a manner of its own: `*` is taken for anything.
                    if let Some((directory, glob)) = pattern(&path).filter(|_| named) {
                        if let Some(directory) = self.behind_links(open, &directory, when_run) {
                            let to = End::Matching { directory, glob, unknown: false, except: Vec::new() };
                            self.edge(open, open.kind, to, when_run);
                        }
                    } else if let Some(end) = self.behind_links(open, &path, when_run) {
                        let end = if named { End::Subtree(end) } else { End::File(end) };
                        self.edge(open, open.kind, end, when_run);
                    }
                }
                Paths::Matching { directory, glob, unknown } => {
                    if unknown && open.kind == ReferenceKind::FileRead {
                        self.warn_unknown(open, &directory, when_run);
                    }
                    if let Some(directory) = self.behind_links(open, &directory, when_run) {
                        self.linked_below(open, &directory, &glob, when_run);
                        let to = End::Matching { directory, glob, unknown, except: Vec::new() };
                        self.edge(open, open.kind, to, when_run);
                    }
                }
                // An argument that is not known names no path; a function that reads must read something.
                Paths::Anywhere
                    if matches!(open.kind, ReferenceKind::PathNamed | ReferenceKind::PathGiven) => {}
                Paths::Anywhere => {
                    let directory = if self.ground.rules.unknown_reads_anywhere() {
                        RepoPath::root()
                    } else {
                        self.directory.clone()
                    };
                    self.warn_unknown(open, &directory, when_run);
                    let end = anything_below(directory);
                    self.edge(open, open.kind, end, when_run);
                }
            }
        }
    }

    /// Where the links below a directory lead that match, or below which something may: what is listed there is
    /// read there.
    fn linked_below(&mut self, open: &Open, directory: &RepoPath, glob: &Glob, when_run: bool) {
        let below = self.ground.links.links.range(directory.clone()..);
        let below = below.map(|(link, _)| link).take_while(|link| {
            let start = directory.as_bytes();
            directory.is_root() || link.as_bytes().starts_with(start)
        });
        let links: Vec<RepoPath> = below
            .filter(|link| link.is_within(directory) && *link != directory)
            .filter(|link| {
                let rest = link.relative_to(directory);
                glob.matches(&rest) || glob.goes_below(&rest)
            })
            .take(MOST_LINKS_LISTED)
            .cloned()
            .collect();
        for link in links {
            if let Some(end) = self.behind_links(open, &link, when_run) {
                // A file, or the directory in which more may match.
                self.edge(open, open.kind, End::Subtree(end), when_run);
            }
        }
    }

    /// Where a path leads; what lies on the way counts as well. `None` where nothing can be seen there.
    fn behind_links(&mut self, open: &Open, path: &RepoPath, when_run: bool) -> Option<RepoPath> {
        let way = self.ground.links.follow(&RepoPath::root(), path.as_bytes());
        for link in way.links {
            self.edge(open, ReferenceKind::SymbolicLink, End::File(link), when_run);
        }
        if let Some(submodule) = way.submodule {
            self.edge(open, ReferenceKind::Submodule, End::File(submodule), when_run);
            return None;
        }
        way.end
    }

    fn edge(&mut self, open: &Open, kind: ReferenceKind, to: End, when_run: bool) {
        let (part, proofs) = (open.part.clone(), open.proofs.clone());
        self.edges.push(Edge { to, kind, when_run, looked: false, part, proofs });
    }

    fn warn_unknown(&mut self, open: &Open, directory: &RepoPath, when_run: bool) {
        if let Some(proof) = open.proofs.first() {
            let text = format!(
                "{}:{}: the path of {} is known only when it is planned; any file below {directory} that it may mean counts",
                proof.file, proof.place.line, proof.text
            );
            self.warnings.push((when_run, text));
        }
    }
}
