use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use super::{Shard, Sharding};
use crate::catalog::CaseId;

/// Deals cases out to machines, the longest first, each to the machine with the least work: never more than
/// a third above the best (Graham 1969, 4/3 − 1/(3·machines)). Empty shards are left out.
pub(super) fn deal<'a>(cases: impl Iterator<Item = &'a CaseId>, sharding: &Sharding) -> Vec<Shard> {
    let mut timed: Vec<(u64, &CaseId)> = cases
        .map(|case| (sharding.seconds.get(case).copied().unwrap_or(sharding.unknown_seconds), case))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    timed.sort_by_key(|&(seconds, case)| (Reverse(seconds), case));
    let machines = sharding.shards.clamp(1, timed.len().max(1));
    let mut shards = vec![Shard::default(); machines];
    let mut load: BinaryHeap<Reverse<(u64, usize)>> = (0..machines).map(|at| Reverse((0, at))).collect();
    for (seconds, case) in timed {
        let Some(Reverse((work, at))) = load.pop() else { break };
        shards[at].cases.push(case.clone());
        shards[at].estimate_seconds = work.saturating_add(seconds);
        load.push(Reverse((shards[at].estimate_seconds, at)));
    }
    shards.retain(|shard| !shard.cases.is_empty());
    shards
}
