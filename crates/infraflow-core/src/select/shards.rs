use std::{cmp::Reverse, collections::BTreeMap};

use super::{Shard, Urgency, balance::balance};
use crate::catalog::CaseId;

/// How cases are dealt out to machines.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sharding {
    /// How many machines there are, at least one.
    pub shards: usize,
    /// How long each case takes, in seconds. It goes before what a history says.
    pub seconds: BTreeMap<CaseId, u64>,
    /// What is taken for a case that never ran, in seconds.
    pub unknown_seconds: u64,
}

impl Default for Sharding {
    /// One shard; a case that never ran is taken for ten minutes.
    fn default() -> Self {
        Self { shards: 1, seconds: BTreeMap::new(), unknown_seconds: 600 }
    }
}

impl Sharding {
    /// Deals the cases out to so many machines.
    pub fn over(shards: usize) -> Self {
        Self { shards: shards.max(1), ..Self::default() }
    }

    /// With the durations that were recorded, in seconds.
    #[must_use]
    pub fn with_seconds(mut self, seconds: BTreeMap<CaseId, u64>) -> Self {
        self.seconds = seconds;
        self
    }

    /// Deals cases out: see [`crate::select`]. Each case is in one shard; empty shards are left out.
    pub fn deal<'a>(&self, cases: impl IntoIterator<Item = &'a CaseId>) -> Vec<Shard> {
        let timed = cases.into_iter().map(|id| Timed {
            id,
            seconds: bounded(self.seconds.get(id).copied().unwrap_or(self.unknown_seconds)),
            urgency: Urgency::Unknown,
        });
        deal(timed.collect(), self.shards)
    }
}

/// A case, how long it takes, and how urgent it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed<'a> {
    pub(super) id: &'a CaseId,
    pub(super) seconds: u64,
    pub(super) urgency: Urgency,
}

/// No case is taken for less than a second, or for more than a year: no sum overflows.
pub(super) fn bounded(seconds: u64) -> u64 {
    seconds.clamp(1, 366 * 24 * 3600)
}

/// Deals cases out to so many machines: to which one by their seconds alone, there the most urgent first, of equally
/// urgent ones the longest.
pub(super) fn deal(mut cases: Vec<Timed<'_>>, shards: usize) -> Vec<Shard> {
    cases.sort_by(|one, two| (Reverse(one.seconds), one.id).cmp(&(Reverse(two.seconds), two.id)));
    let seconds: Vec<u64> = cases.iter().map(|case| case.seconds).collect();
    let dealt = balance(&seconds, shards);
    let shards = dealt.into_iter().filter(|places| !places.is_empty()).map(|mut places| {
        // The places are in the order of length.
        places.sort_by_key(|&place| (cases[place].urgency, place));
        Shard {
            estimate_seconds: places.iter().map(|&place| seconds[place]).sum(),
            cases: places.into_iter().map(|place| cases[place].id.clone()).collect(),
        }
    });
    shards.collect()
}
