//! The steps from changed files to everything that depends on them in one catalog.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap, HashSet},
};

use super::{ReasonsFor, rules::Mark};
use crate::{
    catalog::{Catalog, CatalogError, Concern, Edge, RecordId, ReferenceKind},
    detect::Change,
    proof::RepoPath,
};

/// The last step of a way from a changed file to a thing.
pub(super) enum Step<'a> {
    /// The file is the thing's own configuration.
    Own { change: &'a Change, path: RepoPath },
    /// The thing refers to the file; without an edge, because of where both stand.
    File { change: &'a Change, path: RepoPath, kind: ReferenceKind, edge: Option<Edge> },
    /// A rule says that the file touches the thing.
    Rule { mark: &'a Mark<'a> },
    /// The thing refers to another.
    Thing { from: RecordId, edge: Edge },
    /// A rule says that the thing depends also on another.
    Also { from: RecordId, because: String },
}

impl Step<'_> {
    /// How many links it adds to the chain, or one for a rule that ties two things.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Own { .. } | Self::Rule { .. } | Self::Also { .. } => 1,
            Self::File { edge, .. } => 1 + edge.as_ref().map_or(0, Edge::length),
            Self::Thing { edge, .. } => edge.length().max(1),
        }
    }

    /// The thing that it leads on from; `None` where it begins at a changed file.
    pub(super) fn from(&self) -> Option<RecordId> {
        match self {
            Self::Thing { from, .. } | Self::Also { from, .. } => Some(*from),
            Self::Own { .. } | Self::File { .. } | Self::Rule { .. } => None,
        }
    }

    /// Which of equally short ways is told: the first in this order, which does not depend on where records are kept.
    fn order(&self) -> (u8, Option<&RepoPath>, Option<&Edge>, &str) {
        match self {
            Self::Own { path, .. } => (0, Some(path), None, ""),
            Self::File { path, kind, edge, .. } => (1, Some(path), edge.as_ref(), kind.as_str()),
            Self::Rule { mark } => (2, Some(&mark.path), None, &mark.because),
            Self::Thing { edge, .. } => (3, None, Some(edge), ""),
            Self::Also { because, .. } => (4, None, None, because),
        }
    }
}

/// The end of a way to a scope.
pub(super) struct Last<'a> {
    /// Which of the units that share the scope's directory it leads to.
    pub(super) concern: Concern,
    /// The links of the shortest way that ends so.
    pub(super) length: usize,
    pub(super) step: Step<'a>,
}

impl Last<'_> {
    /// By what is the same in every run, and over a kept index too.
    fn compare(&self, other: &Self, catalog: &Catalog) -> Result<Ordering, CatalogError> {
        let order = (self.length, self.step.order()).cmp(&(other.length, other.step.order()));
        match (order, self.step.from(), other.step.from()) {
            (Ordering::Equal, Some(one), Some(two)) if one != two => {
                Ok(catalog.record(one)?.key.cmp(&catalog.record(two)?.key))
            }
            _ => Ok(order),
        }
    }
}

/// How a scope is reached.
#[derive(Default)]
pub(super) struct Reached<'a> {
    /// The first is that of the shortest way. Where one reason is asked for, there is one for each concern.
    pub(super) lasts: Vec<Last<'a>>,
    /// How many steps the shortest way has.
    pub(super) depth: usize,
    /// The scope that is [`HALF`] steps from the changed file, on a longer way.
    pub(super) begin: Option<RecordId>,
}

/// Of a longer way so many links are told from each of its ends.
pub(super) const HALF: usize = 16;

/// All that is reached.
#[derive(Default)]
pub(super) struct Ways<'a> {
    known: HashMap<RecordId, Reached<'a>>,
    /// What is reached and not yet gone on from, by the length of the way there.
    open: BTreeMap<usize, Vec<RecordId>>,
    /// What is concerned as a whole, not by one of its references.
    whole: HashSet<RecordId>,
    reasons: ReasonsFor,
}

impl<'a> Ways<'a> {
    pub(super) fn with(reasons: ReasonsFor) -> Self {
        Self { reasons, ..Self::default() }
    }

    pub(super) fn get(&self, id: RecordId) -> Option<&Reached<'a>> {
        self.known.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (RecordId, &Reached<'a>)> {
        self.known.iter().map(|(&id, reached)| (id, reached))
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = RecordId> {
        self.known.keys().copied()
    }

    /// What is reached, sorted by directory and dialect. Two dialects' scopes may stand for one thing: of equally
    /// short ways to it the same one is told in every run, and over a kept index too.
    pub(super) fn in_order(&self, catalog: &Catalog) -> Result<Vec<RecordId>, CatalogError> {
        let mut found = Vec::with_capacity(self.known.len());
        for id in self.ids() {
            found.push((catalog.record(id)?.key.clone(), id));
        }
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    /// Whether a thing is reached: that of a scope, or of the units that share its directory the one at a place.
    pub(super) fn concerns(&self, id: RecordId, place: usize) -> bool {
        self.get(id).is_some_and(|reached| reached.lasts.iter().any(|last| last.concern.holds(place)))
    }

    /// Whether a scope is reached as a whole, not by one of its references.
    pub(super) fn is_whole(&self, id: RecordId) -> bool {
        self.whole.contains(&id)
    }

    /// Takes a step, from a changed file or from what [`Ways::next`] gave.
    pub(super) fn step(
        &mut self,
        catalog: &Catalog,
        to: RecordId,
        (concern, step): (Concern, Step<'a>),
    ) -> Result<(), CatalogError> {
        if matches!(step, Step::File { edge: None, .. } | Step::Rule { .. } | Step::Also { .. }) {
            self.whole.insert(to);
        }
        let before = step.from().and_then(|from| self.get(from)).and_then(|from| from.lasts.first());
        let length = before.map_or(0, |before| before.length) + step.length();
        let last = Last { concern, length, step };
        let lasts = &mut self.known.entry(to).or_default().lasts;
        if lasts.first().is_none_or(|first| length < first.length) {
            self.open.entry(length).or_default().push(to);
        }
        let place = match self.reasons {
            ReasonsFor::EachChain => lasts.len(),
            // Of units that share a directory each has a reason of its own.
            _ => lasts.iter().position(|known| known.concern == last.concern).unwrap_or(lasts.len()),
        };
        match lasts.get_mut(place) {
            None => lasts.push(last),
            Some(known) if last.compare(known, catalog)?.is_lt() => *known = last,
            Some(_) => return Ok(()),
        }
        if place > 0 && lasts[place].compare(&lasts[0], catalog)?.is_lt() {
            lasts.swap(0, place);
        }
        Ok(())
    }

    /// The next scope to go on from; no shorter way to it comes later.
    pub(super) fn next(&mut self) -> Option<RecordId> {
        loop {
            let mut nearest = self.open.first_entry()?;
            let length = *nearest.key();
            let Some(id) = nearest.get_mut().pop() else {
                nearest.remove();
                continue;
            };
            let first = self.get(id).and_then(|reached| reached.lasts.first());
            let Some(first) = first.filter(|first| first.length == length) else { continue };
            let before = first.step.from().and_then(|from| Some((from, self.get(from)?)));
            let (depth, begin) = match before {
                Some((from, before)) if before.depth == HALF => (before.depth + 1, Some(from)),
                Some((_, before)) => (before.depth + 1, before.begin),
                None => (1, None),
            };
            if let Some(reached) = self.known.get_mut(&id) {
                (reached.depth, reached.begin) = (depth, begin);
            }
            return Some(id);
        }
    }

    /// Puts the steps to each scope in the order of the lengths of their ways, each once.
    pub(super) fn sort(&mut self, catalog: &Catalog) -> Result<(), CatalogError> {
        for reached in self.known.values_mut() {
            let mut keyed = Vec::with_capacity(reached.lasts.len());
            for last in reached.lasts.drain(..) {
                let key = last.step.from().map(|from| catalog.record(from).map(|record| record.key.clone()));
                keyed.push((key.transpose()?, last));
            }
            keyed.sort_by(|(one_key, one), (two_key, two)| {
                let order = (one.length, one.step.order()).cmp(&(two.length, two.step.order()));
                order.then_with(|| (one_key, &one.concern).cmp(&(two_key, &two.concern)))
            });
            keyed.dedup_by(|(_, one), (_, two)| {
                let same = one.step.from() == two.step.from() && one.step.order() == two.step.order();
                same && one.concern == two.concern
            });
            reached.lasts = keyed.into_iter().map(|(_, last)| last).collect();
        }
        Ok(())
    }
}
