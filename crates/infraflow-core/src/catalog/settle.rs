//! What is open is settled where the tool runs, and a draft becomes a record.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    ReferenceKind,
    alternatives::alternatives,
    decode::decode,
    draft::{Draft, MAX_CALLS, MAX_OPEN, anything_below, travels},
    fill::{Names, names_file, names_variable, variables},
    filled::{Filled, names_of_defaults},
    glob::Glob,
    ground::Ground,
    path::{Paths, paths},
    record::{CallRecord, Edge, End, Open, Proof, Record},
    scope::{Configured, Scope},
    template::templates,
    values,
};
use crate::{
    git::GitError,
    proof::RepoPath,
    terraform::facts::{Base, StaticValue, Step},
};

/// The most links that one pattern lists, of which each is followed.
const MOST_LINKS_LISTED: usize = 1_000;

pub(super) fn finish(
    mut draft: Draft<'_>,
    ground: &Ground<'_>,
    configured: &Configured<'_>,
) -> Result<Record, GitError> {
    let scope = draft.scope;
    let opens = std::mem::take(&mut draft.opens).into_values();
    let mut opens: Vec<Open> = opens.map(|travelling| travelling.open).collect();
    opens.retain(|open| draft.remains(open));
    let takes_values = opens.iter().any(|open| names_variable(&open.value));
    let nothing = HashMap::new();
    let (mut given, mut defaults) = (HashMap::new(), &nothing);
    if takes_values {
        given = values::of_files(ground, &scope.directory, &|at| configured(scope.key.dialect, at))?;
        for (name, values) in &scope.values {
            let own: &mut values::Given = given.entry(name.clone()).or_default();
            for value in values {
                own.values.push(scope.filled(value, ground)?);
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
        edges.push(Edge::new(anything_below(RepoPath::root()), ReferenceKind::FileRead, proof));
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
    let named: BTreeSet<&str> = open.iter().flat_map(|open| variables(&open.value)).collect();
    let named = names_of_defaults(&named).into_iter();
    let defaults = named.filter_map(|name| Some((defaults.get(&name)?.clone(), name)));
    let defaults = defaults.map(|(value, name)| (name, value)).collect();
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
        let filled = Filled::of(name, default);
        let given = given.get(name);
        let values = given.into_iter().flat_map(|given| &given.values);
        let values = values.map(|value| filled.taken(value, steps));
        let default = filled.default(steps).filter(|_| given.is_none_or(|given| !given.always));
        StaticValue::one_of(values.chain(default).collect())
    };
    Names { root: Some(root), variables: Some(&variable), ..Names::default() }.fill(value)
}

/// What a variable is where nothing is given for it.
pub(super) type Default<'a> = dyn Fn(&str) -> Option<&'a StaticValue> + 'a;

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
    files.into_iter().map(move |file| {
        let proof = Proof::whole_file(because.clone(), "a file that is looked into");
        Edge { looked: true, ..Edge::new(End::File(file), ReferenceKind::FileRead, proof) }
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
            left_out: call.left_out.clone(),
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
        for value in alternatives(value) {
            for template in templates(open.kind, &value, open.proofs.first(), Some(root), self.ground)? {
                let (to, kind) = (End::File(template.path), ReferenceKind::FileRead);
                let proofs = open.proofs.clone();
                self.edges.push(Edge { to, kind, when_run: true, looked: true, part: None, proofs });
                for (kind, value) in template.reads {
                    let (value, proofs) = (Arc::new(value), open.proofs.clone());
                    self.read(&Open { kind, value, part: None, proofs }, root, true);
                }
            }
            self.read(&open.becomes(value, open.proofs.clone()), root, true);
        }
        Ok(())
    }

    /// Adds the edge of a module source that names what is known by now.
    fn source(&mut self, open: &Open, when_run: bool) {
        let StaticValue::Concat(parts) = &*open.value else { return };
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
                found @ (Paths::Anywhere | Paths::Elsewhere) => {
                    let anywhere = found == Paths::Elsewhere || self.ground.rules.unknown_reads_anywhere();
                    let directory = if anywhere { RepoPath::root() } else { self.directory.clone() };
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
