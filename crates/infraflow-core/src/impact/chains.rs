//! The chains of references to a thing, the shortest first.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use super::{
    ReasonsFor,
    ways::{HALF, Last, Step, Ways},
};
use crate::{catalog::RecordId, proof::MAX_EXACT};

/// A way from a thing back to a changed file: its steps from the thing on, those in the middle left out where it
/// is long.
pub(super) struct Way<'s, 'a> {
    pub(super) near: Vec<&'s Step<'a>>,
    /// So many steps.
    pub(super) left_out: usize,
    pub(super) far: Vec<&'s Step<'a>>,
    /// The links of the whole way.
    pub(super) length: usize,
}

/// How many chains lead to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Total {
    at_least: u64,
    is_all: bool,
}

impl Total {
    pub(super) fn exactly(number: usize) -> Self {
        Self { at_least: number as u64, is_all: true }
    }

    /// Of a few, as many as are told, since equal ones are told once.
    pub(super) fn told(self, told: usize, most: usize) -> Self {
        if self.is_all && self.at_least <= most as u64 { Self::exactly(told) } else { self }
    }

    /// At least as many as either says.
    pub(super) fn and(self, other: Self) -> Self {
        Self { at_least: self.at_least.max(other.at_least), is_all: self.is_all && other.is_all }
    }

    /// How many there are at least besides those that are told; `None` where all are told.
    pub(super) fn beyond(self, told: usize) -> Option<u64> {
        let more = self.at_least.saturating_sub(told as u64).min(MAX_EXACT);
        (more > 0 || !self.is_all).then_some(more)
    }
}

/// The steps that are looked at for one thing, and for all things of one end of a change. The second bounds the
/// time where very much is touched, the first where references go round in circles: no tool runs these, and all
/// ways that meet nothing twice may be more than anyone can count.
const MOST_LOOKS: usize = 100_000;
const MOST_LOOKS_OF_ALL: usize = 5_000_000;

/// The chains of one end of a change.
pub(super) struct Chains<'s, 'a> {
    ways: &'s Ways<'a>,
    most: usize,
    looks: usize,
    links: usize,
    counts: HashMap<RecordId, u64>,
}

/// One of the ways of a search: it has come from a thing to a scope, and would go on by one of that scope's steps.
#[derive(Clone, Copy)]
struct Part {
    at: RecordId,
    step: usize,
    before: Option<usize>,
    /// The links so far.
    length: usize,
}

impl<'s, 'a> Chains<'s, 'a> {
    pub(super) fn of(ways: &'s Ways<'a>, reasons: ReasonsFor) -> Self {
        let most = reasons.most_chains();
        let counts = if most > 1 { counts(ways) } else { HashMap::new() };
        Self { ways, most, looks: MOST_LOOKS_OF_ALL, links: ReasonsFor::MOST_LINKS, counts }
    }

    /// The chains that lead to a scope, of the units that share its directory to the one at a place: the shortest
    /// first; and how many there are.
    pub(super) fn to(&mut self, id: RecordId, place: Option<usize>) -> (Vec<Way<'s, 'a>>, Total) {
        if self.most == 1 {
            return (vec![shortest(self.ways, id, place)], Total::exactly(1));
        }
        let first = lasts(self.ways, id, place);
        let counted: Option<u64> = first.iter().try_fold(0, |sum: u64, last| {
            let before = last.step.from().map_or(Some(1), |from| self.counts.get(&from).copied());
            Some(sum.saturating_add(before?))
        });
        let (mut found, looked_at_all) = if counted == Some(1) || self.looks == 0 || self.links == 0 {
            (Vec::new(), false)
        } else {
            self.search(id, &first)
        };
        let total = match counted {
            Some(number) => Total { at_least: number, is_all: true },
            None => Total { at_least: found.len().max(1) as u64, is_all: looked_at_all },
        };
        found.truncate(self.most);
        if found.is_empty() {
            found.push(shortest(self.ways, id, place));
        }
        self.links = self.links.saturating_sub(found.iter().map(|way| way.near.len() + way.far.len()).sum());
        (found, total)
    }

    /// Looks for ways that meet nothing twice, those first that can still be the shortest: the rest of a way is
    /// never shorter than the shortest way from where it has come to. Finds one more than are told, if there is
    /// one; says whether it has looked at all.
    fn search(&mut self, id: RecordId, first: &[&'s Last<'a>]) -> (Vec<Way<'s, 'a>>, bool) {
        let last = |part: Part| match part.before {
            None => first.get(part.step).copied(),
            Some(_) => self.ways.get(part.at)?.lasts.get(part.step),
        };
        let circles = !self.counts.contains_key(&id);
        let (mut found, mut spent) = (Vec::new(), 0);
        let (mut parts, mut open) = (Vec::new(), BinaryHeap::new());
        // Of equally long ways the latest goes on, so that it comes to its end before others are begun.
        let add = |parts: &mut Vec<Part>, open: &mut BinaryHeap<_>, part: Part| {
            if let Some(last) = last(part) {
                open.push((Reverse(part.length + last.length), parts.len()));
                parts.push(part);
            }
        };
        add(&mut parts, &mut open, Part { at: id, step: 0, before: None, length: 0 });
        while found.len() <= self.most
            && spent < MOST_LOOKS.min(self.looks)
            && let Some((_, place)) = open.pop()
        {
            spent += 1;
            let part = parts[place];
            let Some(step) = last(part).map(|last| &last.step) else { continue };
            add(&mut parts, &mut open, Part { step: part.step + 1, ..part });
            let length = part.length + step.length();
            let Some(from) = step.from().filter(|from| self.ways.get(*from).is_some()) else {
                let steps: Vec<_> = back(&parts, place).filter_map(|part| Some(&last(part)?.step)).collect();
                spent += steps.len();
                found.push(cut(steps, length));
                continue;
            };
            let met = circles && back(&parts, place).inspect(|_| spent += 1).any(|part| part.at == from);
            if !met {
                add(&mut parts, &mut open, Part { at: from, step: 0, before: Some(place), length });
            }
        }
        let looked_at_all = open.is_empty();
        self.looks = self.looks.saturating_sub(spent);
        (found, looked_at_all)
    }
}

/// The parts of a way, from its end back to the thing.
fn back(parts: &[Part], end: usize) -> impl Iterator<Item = Part> {
    let mut at = Some(end);
    std::iter::from_fn(move || {
        let part = parts[at?];
        at = part.before;
        Some(part)
    })
}

/// A way by its steps, from the changed file on.
fn cut<'s, 'a>(mut steps: Vec<&'s Step<'a>>, length: usize) -> Way<'s, 'a> {
    steps.reverse();
    if steps.len() <= 2 * HALF {
        return Way { near: steps, left_out: 0, far: Vec::new(), length };
    }
    let far = steps.split_off(steps.len() - HALF);
    let left_out = steps.len() - HALF;
    steps.truncate(HALF);
    Way { near: steps, left_out, far, length }
}

/// The last steps that lead to a scope, of the units that share its directory to the one at a place.
fn lasts<'s, 'a>(ways: &'s Ways<'a>, id: RecordId, place: Option<usize>) -> Vec<&'s Last<'a>> {
    let all = ways.get(id).map(|reached| &reached.lasts[..]).unwrap_or_default();
    all.iter().filter(|last| place.is_none_or(|place| last.concern.holds(place))).collect()
}

/// The shortest way to a scope, or to the one at a place of the units that share its directory, in a time that does
/// not depend on its length.
pub(super) fn shortest<'s, 'a>(ways: &'s Ways<'a>, id: RecordId, place: Option<usize>) -> Way<'s, 'a> {
    // Where few reasons are kept, they are in no order but for the first.
    let first = lasts(ways, id, place).into_iter().min_by_key(|last| last.length);
    let length = first.map_or(0, |first| first.length);
    let follow = |first: Option<&'s Last<'a>>, most: usize| {
        let next = |step: &&'s Step<'a>| Some(&ways.get(step.from()?)?.lasts.first()?.step);
        std::iter::successors(first.map(|last| &last.step), next).take(most).collect()
    };
    let before = first.and_then(|first| ways.get(first.step.from()?));
    let depth = before.map_or(1, |before| before.depth + 1);
    let begin = before.and_then(|before| ways.get(before.begin?)).filter(|_| depth > 2 * HALF);
    match begin {
        Some(begin) => Way {
            near: follow(first, HALF),
            left_out: depth - 2 * HALF,
            far: follow(begin.lasts.first(), HALF),
            length,
        },
        None => Way { near: follow(first, 2 * HALF), left_out: 0, far: Vec::new(), length },
    }
}

/// How many ways lead to each scope. Those that lie in a circle of references, or are reached over one, are left
/// out.
fn counts(ways: &Ways<'_>) -> HashMap<RecordId, u64> {
    let mut onwards: HashMap<RecordId, Vec<RecordId>> = HashMap::new();
    let mut waiting: HashMap<RecordId, usize> = HashMap::new();
    let mut counts: HashMap<RecordId, u64> = HashMap::new();
    let mut work = Vec::new();
    for (id, reached) in ways.iter() {
        let from: Vec<RecordId> = reached.lasts.iter().filter_map(|last| last.step.from()).collect();
        counts.insert(id, (reached.lasts.len() - from.len()) as u64);
        if from.is_empty() {
            work.push(id);
        }
        waiting.insert(id, from.len());
        for from in from {
            onwards.entry(from).or_default().push(id);
        }
    }
    while let Some(id) = work.pop() {
        let count = counts.get(&id).copied().unwrap_or_default();
        for to in onwards.remove(&id).into_iter().flatten() {
            let (Some(left), Some(known)) = (waiting.get_mut(&to), counts.get_mut(&to)) else { continue };
            *known = known.saturating_add(count);
            *left -= 1;
            if *left == 0 {
                work.push(to);
            }
        }
    }
    counts.retain(|id, _| waiting.get(id) == Some(&0));
    counts
}
