//! A scope on its way to a record: its edges so far, and the reads that others settle.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    ReferenceKind,
    alternatives::alternatives,
    fill::{Names, is_open, names_variable, taken_out, variables},
    filled::{Filled, names_of_defaults},
    glob::Glob,
    ground::Ground,
    handed::{Handed, Passed},
    record::{Edge, End, Open, Proof, Record},
    scope::Scope,
    settle::Default,
    statements::Call,
    travelling::{Calling, Lent, Origin, Travelling, remains},
};
use crate::{
    git::GitError,
    proof::{Digest, RepoPath},
    terraform::facts::{StaticValue, Step},
};

/// The most paths that travel up through one directory. Beyond it any file may be one of them, and the catalog
/// warns.
pub(super) const MAX_OPEN: usize = 512;

/// The longest chain of calls that a path travels up. Whoever calls from further away may read any file.
pub(super) const MAX_CALLS: usize = 64;

/// No path is put together from more parts than this. Of one that would be, only the beginning is known.
const MOST_PARTS: usize = 256;

/// A value as it is worth handing on: up to the first of its parts that is put together itself, where it has too many.
fn as_a_path(value: StaticValue) -> StaticValue {
    if value.parts(MOST_PARTS) < MOST_PARTS {
        return value;
    }
    match value {
        StaticValue::OneOf(values) => StaticValue::one_of(values.into_iter().map(as_a_path).collect()),
        StaticValue::Directory(inner) => StaticValue::directory(as_a_path(*inner)),
        StaticValue::Concat(mut parts) => match parts.first_mut() {
            // Each of these may lead somewhere else.
            Some(StaticValue::OneOf(values)) => {
                let values = std::mem::take(values);
                let rest = as_a_path(StaticValue::concat(parts.split_off(1)));
                let begins = values.into_iter().map(as_a_path);
                StaticValue::one_of(
                    begins.map(|begin| StaticValue::concat(vec![begin, rest.clone()])).collect(),
                )
            }
            _ => {
                let known = parts.into_iter().take_while(|part| part.parts(2) < 2).take(MOST_PARTS / 2);
                StaticValue::concat(known.chain([StaticValue::Unknown]).collect())
            }
        },
        _ => StaticValue::Unknown,
    }
}

/// A scope on its way to a record.
pub(super) struct Draft<'a> {
    pub(super) scope: &'a Scope,
    /// For each call, the directory of this repository that it leads to.
    pub(super) targets: Vec<Option<RepoPath>>,
    pub(super) edges: Vec<Edge>,
    pub(super) warnings: Vec<(bool, String)>,
    /// Reads that its callers or its root settle, by value and where they are written.
    pub(super) opens: BTreeMap<Origin, Travelling>,
    /// What its calls pass and it gives by name, filled in, once it was asked for.
    pub(super) passed: Vec<HashMap<String, Passed>>,
    pub(super) given: HashMap<String, Vec<StaticValue>>,
    /// How many of these callers see.
    pub(super) open_ended: usize,
    pub(super) crowded: bool,
    /// What arguments give that the called module reads: where that leads is known.
    pub(super) followed: HashSet<StaticValue>,
    /// What was followed so far: of which call, by which name, and what was taken out of it.
    followed_from: HashSet<(usize, String, Vec<Step>)>,
}

pub(super) fn draft<'a>(scope: &'a Scope, ground: &Ground<'_>) -> Draft<'a> {
    scope.begin_anew();
    let mut draft = Draft {
        scope,
        targets: Vec::new(),
        edges: own_edges(scope, ground),
        warnings: Vec::new(),
        opens: BTreeMap::new(),
        passed: scope.calls.iter().map(|_| HashMap::new()).collect(),
        given: HashMap::new(),
        open_ended: 0,
        crowded: false,
        followed: HashSet::new(),
        followed_from: HashSet::new(),
    };
    for call in &scope.calls {
        let target = draft.call(call, ground);
        draft.targets.push(target);
    }
    for read in &scope.reads {
        let (value, proofs) = (Arc::new(read.value.clone()), [read.proof.clone()]);
        draft.take(read.kind, &value, read.part.as_ref(), &proofs);
    }
    draft
}

/// What a scope's own files bring: links that they were read through, what its dialect looked at, and,
/// where one could not be read, anything below the directory.
fn own_edges(scope: &Scope, ground: &Ground<'_>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (link, through) in &scope.linked {
        edges.extend(through.iter().map(|file| {
            let proof = Proof::whole_file(link.clone(), "a symbolic link");
            Edge::new(End::File(file.clone()), ReferenceKind::SymbolicLink, proof)
        }));
    }
    for looked in &scope.looked {
        edges.push(Edge { looked: true, ..Edge::new(looked.to.clone(), looked.kind, looked.proof.clone()) });
    }
    for (directory, proof) in &scope.consumes {
        let way = ground.links.follow(&RepoPath::root(), directory.as_bytes());
        for link in way.links {
            edges.push(Edge::new(End::File(link), ReferenceKind::SymbolicLink, proof.clone()));
        }
        let end = way.end.unwrap_or_else(|| directory.clone());
        edges.push(Edge::new(End::Scope(end), ReferenceKind::Dependency, proof.clone()));
    }
    for (directory, proof) in &scope.below {
        edges.push(Edge::new(End::Below(directory.clone()), ReferenceKind::Watch, proof.clone()));
    }
    for files in &scope.matching {
        let to = End::Matching {
            directory: files.directory.clone(),
            glob: files.glob.clone(),
            unknown: false,
            except: files.except.clone(),
        };
        edges.push(Edge::new(to, files.kind, files.proof.clone()));
    }
    for unparsable in &scope.unparsable {
        let to = anything_below(scope.directory.clone());
        let proof = Proof::whole_file(unparsable.path.clone(), "a file that could not be understood");
        edges.push(Edge::new(to, ReferenceKind::FileRead, proof));
    }
    if scope.key.test {
        let proof = Proof::whole_file(scope.key.at.clone(), "the module it tests");
        edges.push(Edge::new(End::Scope(scope.directory.clone()), ReferenceKind::TestOf, proof));
    }
    edges
}

/// Whether a read is settled by callers too. Whose state is read concerns all of them.
pub(super) fn travels(open: &Open) -> bool {
    is_open(&open.value) || open.kind == ReferenceKind::Dependency
}

pub(super) fn anything_below(directory: RepoPath) -> End {
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
        let edge = |to, kind| Edge::new(to, kind, call.proof.clone());
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
    fn take(
        &mut self,
        kind: ReferenceKind,
        value: &Arc<StaticValue>,
        part: Option<&Digest>,
        proofs: &[Proof],
    ) -> bool {
        let Some(origin) = proofs.first().cloned() else { return false };
        if proofs.len() > MAX_CALLS {
            self.crowded = true;
            return false;
        }
        // What nobody has to fill in goes no further than this scope.
        let open_ended = is_open(value);
        let crowded = open_ended && self.open_ended >= MAX_OPEN;
        // Of most there is one that came before.
        let travelling = || Travelling {
            open: Open { kind, value: Arc::clone(value), part: part.cloned(), proofs: proofs.to_vec() },
            is_news: true,
        };
        match self.opens.entry(Origin { kind, value: Arc::clone(value), proof: origin }) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let shortest = known.get().open.proofs.as_slice();
                let by_length = proofs.len().cmp(&shortest.len());
                let better = by_length.then_with(|| proofs.cmp(shortest)) == Ordering::Less;
                if better {
                    known.insert(travelling());
                }
                better
            }
            std::collections::btree_map::Entry::Vacant(place) => {
                if crowded {
                    self.crowded = true;
                    return false;
                }
                self.open_ended += usize::from(open_ended);
                place.insert(travelling());
                true
            }
        }
    }

    /// Takes up what a called scope leaves open, as this one fills it in.
    pub(super) fn inherit<'o>(
        &mut self,
        Calling { call, called }: Calling,
        opens: impl Iterator<Item = &'o Open>,
        default: &Default<'_>,
        handed: &mut Handed,
        ground: &Ground<'_>,
    ) -> Result<bool, GitError> {
        let scope = self.scope;
        let arguments = call.filter(|&at| !scope.calls[at].root);
        let gives = scope.reads.iter().any(|read| read.kind == ReferenceKind::PathGiven);
        let mut news = false;
        for open in opens.filter(|open| travels(open)) {
            let mut proofs = open.proofs.clone();
            proofs.extend(call.map(|at| scope.calls[at].proof.clone()));
            let part = open.part.as_ref();
            if !names_variable(&open.value) {
                news |= self.take(open.kind, &open.value, part, &proofs);
                continue;
            }
            let mut named = variables(&open.value);
            named.sort_unstable();
            named.dedup();
            let mut told = Vec::with_capacity(named.len());
            let mut given = false;
            for name in named {
                self.know(arguments, name, handed, ground)?;
                let passed = arguments.and_then(|at| self.passed[at].get(name));
                told.push(passed.map(|passed| passed.told));
                given |= arguments.is_none() && self.given.get(name).is_some_and(|given| !given.is_empty());
                if gives
                    && let Some(at) = arguments
                    && let Some(passed) = passed
                {
                    for steps in taken_out(&open.value, name) {
                        if self.followed_from.insert((at, name.to_owned(), steps.to_vec())) {
                            self.followed.extend(alternatives(passed.value.taken(steps)));
                        }
                    }
                }
            }
            let variable = |name: &str, steps: &[Step]| {
                let filled = Filled::of(name, default);
                if let Some(passed) = arguments.and_then(|at| self.passed[at].get(name)) {
                    return filled.taken(&passed.value, steps);
                }
                // Who runs the module gives values by name; whatever it gives, the default may count too.
                let given = arguments.is_none().then(|| self.given.get(name)).flatten();
                let given = given.into_iter().flatten().map(|value| filled.taken(value, steps));
                StaticValue::one_of(given.chain(filled.default(steps)).collect())
            };
            let names = Names { variables: Some(&variable), ..Names::default() };
            let work_out = || alternatives(as_a_path(names.fill(&open.value)));
            let values = match given {
                true => work_out().into_iter().map(Arc::new).collect(),
                false => handed.values(called, &open.value, told, work_out),
            };
            for value in values.iter() {
                news |= self.take(open.kind, value, part, &proofs);
            }
        }
        Ok(news)
    }

    /// Fills in what a call passes by a name, or the scope gives, in words that mean the same to whoever calls it.
    fn know(
        &mut self,
        call: Option<usize>,
        name: &str,
        handed: &mut Handed,
        ground: &Ground<'_>,
    ) -> Result<(), GitError> {
        let scope = self.scope;
        match call {
            Some(at) => {
                if let Some(value) = scope.calls[at].arguments.get(name)
                    && !self.passed[at].contains_key(name)
                {
                    self.passed[at].insert(name.to_owned(), handed.pass(scope.filled(value, ground)?));
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

    /// Whether a read remains, where what it gives is known: of what is given to a called module that reads it, the
    /// module says so.
    pub(super) fn remains(&self, open: &Open) -> bool {
        remains(open, &self.followed)
    }

    /// Gives what it leaves open to who calls it, until it takes that back.
    pub(super) fn lend(&mut self) -> Lent {
        Lent { opens: std::mem::take(&mut self.opens), followed: std::mem::take(&mut self.followed) }
    }

    pub(super) fn take_back(&mut self, Lent { opens, followed }: Lent) {
        (self.opens, self.followed) = (opens, followed);
    }

    /// Whether it leaves the same open to its callers as a record of it does.
    pub(super) fn leaves_open(&self, record: Option<&Record>, ground: &Ground<'_>) -> Result<bool, GitError> {
        let opens = self.opens.values().map(|travelling| &travelling.open);
        let mut opens = opens.filter(|open| self.remains(open) && travels(open)).peekable();
        let Some(record) = record else { return Ok(opens.peek().is_none()) };
        let mut named = BTreeSet::new();
        let mut known = record.open.iter();
        for open in opens {
            if known.next() != Some(open) {
                return Ok(false);
            }
            named.extend(variables(&open.value));
        }
        if known.next().is_some() {
            return Ok(false);
        }
        if named.is_empty() {
            return Ok(record.defaults.is_empty());
        }
        let defaults = self.scope.defaults(ground)?;
        let names = names_of_defaults(&named);
        let now = names.iter().filter_map(|name| Some((name, defaults.get(name)?)));
        Ok(now.eq(&record.defaults))
    }

    /// The reads of which its callers have not been told.
    pub(super) fn news(&mut self) -> Vec<Open> {
        let news = self.opens.values_mut().filter(|travelling| travelling.is_news);
        news.map(|travelling| {
            travelling.is_news = false;
            travelling.open.clone()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::facts::Base;

    fn text(text: impl Into<String>) -> StaticValue {
        StaticValue::Literal(text.into())
    }

    fn many() -> StaticValue {
        StaticValue::OneOf((0..2 * MOST_PARTS).map(|n| text(format!("f{n}"))).collect())
    }

    #[test]
    fn of_a_path_of_too_many_parts_the_whole_beginning_is_known() {
        let module = || StaticValue::Base(Base::Module);
        let up = StaticValue::Concat(vec![module(), text("/../../data/"), many(), text(".txt")]);
        let known = StaticValue::Concat(vec![module(), text("/../../data/"), StaticValue::Unknown]);
        assert_eq!(as_a_path(up), known);
        let either = StaticValue::OneOf(vec![module(), text("../other")]);
        let StaticValue::OneOf(values) = as_a_path(StaticValue::Concat(vec![either, text("/x/"), many()]))
        else {
            panic!("each beginning leads somewhere else");
        };
        let begins = |first: StaticValue| {
            values
                .iter()
                .any(|value| matches!(value, StaticValue::Concat(parts) if parts.first() == Some(&first)))
        };
        assert!(begins(module()) && begins(text("../other/x/")), "{values:?}");
        let few = StaticValue::Concat(vec![module(), text("/a")]);
        assert_eq!(as_a_path(few.clone()), few);
    }
}
