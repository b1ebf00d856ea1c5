//! What is left out where the time does not suffice.

use std::collections::HashMap;

use super::{
    Shard,
    shards::{Timed, deal},
};
use crate::catalog::CaseId;

/// A case that would run, and what it is worth to run it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worth<'a> {
    pub(super) timed: Timed<'a>,
    /// Its failure does not count.
    pub(super) quarantined: bool,
    /// It failed when it last ran, or recently.
    pub(super) failed: bool,
    /// A file of its module, or of itself, was changed.
    pub(super) direct: bool,
}

/// Why a case is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// It takes longer than the whole budget.
    TooLong,
    /// Cases that are worth more take the time.
    NoTime,
}

impl Worth<'_> {
    /// The most valuable first: what failed recently, then what the change touches directly, then the rest; of equals
    /// the cheap ones, since more of them fit. Quarantined cases come last.
    fn rank(&self) -> (bool, bool, bool, u64, CaseId) {
        (self.quarantined, !self.failed, !self.direct, self.timed.seconds, self.timed.id.clone())
    }
}

/// Deals out what so many machines can do within `seconds` each, and names the rest. A case that does not fit is
/// passed over, and cheaper ones of less worth may still fit.
pub(super) fn within<'a>(
    mut cases: Vec<Worth<'a>>,
    shards: usize,
    seconds: u64,
) -> (Vec<Shard>, Vec<(&'a CaseId, LeftOut)>) {
    cases.sort_by_cached_key(|case| case.rank());
    let capacity = u128::from(seconds) * shards.max(1) as u128;
    let (mut chosen, mut left_out, mut work): (Vec<Timed<'a>>, _, _) = (Vec::new(), Vec::new(), 0_u128);
    for case in cases {
        let timed = case.timed;
        if timed.seconds > seconds {
            left_out.push((timed.id, LeftOut::TooLong));
        } else if work + u128::from(timed.seconds) > capacity {
            left_out.push((timed.id, LeftOut::NoTime));
        } else {
            work += u128::from(timed.seconds);
            chosen.push(timed);
        }
    }
    // All together they fit; on one machine each perhaps not. What is worth least gives way on each that has too much.
    let mut dealt = deal(chosen.clone(), shards);
    let of =
        |at: usize, shard: &Shard| shard.cases.iter().map(move |id| (id.clone(), at)).collect::<Vec<_>>();
    let place: HashMap<CaseId, usize> =
        dealt.iter().enumerate().flat_map(|(at, shard)| of(at, shard)).collect();
    for case in chosen.iter().rev() {
        let Some(shard) = place.get(case.id).and_then(|&at| dealt.get_mut(at)) else { continue };
        if shard.estimate_seconds > seconds {
            shard.cases.retain(|id| id != case.id);
            shard.estimate_seconds -= case.seconds;
            left_out.push((case.id, LeftOut::NoTime));
        }
    }
    dealt.retain(|shard| !shard.cases.is_empty());
    (dealt, left_out)
}
