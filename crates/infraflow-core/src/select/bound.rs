//! What no dealing can do better than.

/// The shortest time in which so many machines could possibly be done with cases that take so many seconds,
/// each case on one machine: the largest of the bounds below. The best dealing may take longer, never less.
///
/// 1. The work over the machines, rounded up.
/// 2. The longest case.
/// 3. For each k from 1 on: of the k·m + 1 longest cases, m machines have some machine with k + 1 of them, which
///    take at least as long as the k + 1 shortest of these (k = 1 is the bound for pairs: the m-th and the
///    m+1-th longest together).
/// 4. The bound L2 for bin packing (Martello and Toth 1990), turned round: cases longer than half of a time T
///    need a machine each, and what the short ones need beyond the room beside those needs further machines; a
///    T for which these are too many is too short.
///
/// ```
/// use infraflow_core::select::shortest_possible;
/// assert_eq!(shortest_possible(&[600, 600, 600, 600, 600], 2), 1800); // not 1500: some machine has three
/// assert_eq!(shortest_possible(&[900, 60, 60], 2), 900);
/// ```
pub fn shortest_possible(seconds: &[u64], machines: usize) -> u64 {
    let mut longest_first: Vec<u64> = seconds.to_vec();
    longest_first.sort_unstable_by(|a, b| b.cmp(a));
    let quick = quick(&longest_first, machines);
    packed(&longest_first, machines, quick, u64::MAX)
}

/// Bounds 1 to 3, in linear time.
pub(super) fn quick(longest_first: &[u64], machines: usize) -> u64 {
    let machines = machines.max(1);
    let Some(&longest) = longest_first.first() else { return 0 };
    let total: u128 = longest_first.iter().map(|&seconds| u128::from(seconds)).sum();
    let even = u64::try_from(total.div_ceil(machines as u128)).unwrap_or(u64::MAX);
    let together = |last: usize, k: usize| longest_first[last - k..=last].iter().copied().reduce(plus);
    let tuples = (1..)
        .map(|k: usize| (k.saturating_mul(machines), k))
        .take_while(|&(last, _)| last < longest_first.len())
        .filter_map(|(last, k)| together(last, k));
    tuples.fold(even.max(longest), u64::max)
}

/// Bound 4, no smaller than `from`, which is a bound already, and no larger than `reached`, which somebody has
/// reached.
pub(super) fn packed(longest_first: &[u64], machines: usize, from: u64, reached: u64) -> u64 {
    let machines = machines.max(1);
    let mut sums = Vec::with_capacity(longest_first.len() + 1);
    sums.push(0_u64);
    for &seconds in longest_first {
        sums.push(plus(sums[sums.len() - 1], seconds));
    }
    // Longer than twice the average and the longest together nobody needs (Graham 1966).
    let graham = plus(from, from);
    let (mut low, mut high) = (from, reached.min(graham).max(from));
    while low < high {
        let middle = low + (high - low) / 2;
        if too_short(longest_first, &sums, machines as u64, middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Whether so many machines cannot be done within `limit`.
fn too_short(longest_first: &[u64], sums: &[u64], machines: u64, limit: u64) -> bool {
    let over = |than: u64| longest_first.partition_point(|&seconds| seconds > than);
    let large = over(limit / 2);
    // Each length of a short case, as the length from which on short ones are looked at.
    let mut at = large;
    loop {
        let least = longest_first.get(at).copied().unwrap_or(0);
        let end = longest_first.partition_point(|&seconds| seconds >= least).max(large);
        let alone = over(limit - least).min(large);
        let room = (large - alone) as u64 * limit - (sums[large] - sums[alone]);
        let short = sums[end] - sums[large];
        let more = short.saturating_sub(room).div_ceil(limit.max(1));
        if large as u64 + more > machines {
            return true;
        }
        if at >= longest_first.len() {
            return false;
        }
        at = end.max(at + 1);
    }
}

fn plus(a: u64, b: u64) -> u64 {
    a.saturating_add(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_the_largest_somewhere() {
        assert_eq!(shortest_possible(&[], 4), 0);
        assert_eq!(shortest_possible(&[3, 3, 1], 2), 4, "the work over the machines");
        assert_eq!(shortest_possible(&[90, 1, 1], 2), 90, "the longest case");
        assert_eq!(shortest_possible(&[10, 10, 9], 2), 19, "a pair");
        assert_eq!(shortest_possible(&[5, 5, 4, 4, 4, 4, 4], 3), 12, "three of seven");
        // 9 stands alone on a machine, and the other has the rest: no mean and no pair says so.
        assert_eq!(shortest_possible(&[9, 4, 4, 4], 2), 12, "packing");
    }

    #[test]
    fn many_long_cases_do_not_overflow() {
        let long = [u64::MAX / 2; 9];
        assert!(shortest_possible(&long, 2) >= u64::MAX / 2);
        assert_eq!(shortest_possible(&[u64::MAX; 3], 0), u64::MAX);
    }
}
