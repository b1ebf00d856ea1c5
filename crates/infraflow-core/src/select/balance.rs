//! Long and short cases on so many machines, so that the last machine is done as early as possible.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use super::bound;

/// How many looks the search may take after the first dealing, so that it ends in milliseconds whatever it is
/// given; counted, not timed, so that every machine comes to the same dealing.
const LOOKS: usize = 2_000_000;

/// How many steps the exhaustive search may take where little is to be dealt.
const STEPS: usize = 20_000;

/// Deals cases, given by their seconds with the longest first, to so many machines, each machine's by their place
/// in `longest_first`.
///
/// Longest first to the machine with the least work (Graham 1969), which can be a third above the best; where it
/// is more than half a percent above what no dealing can beat, cases are moved and swapped from the machine with
/// the most work to others, then the dealing is packed anew into a limit that is halved towards the bound
/// (MULTIFIT, Coffman, Garey and Johnson 1978), and at last, where that leaves more than five percent, searched
/// through as far as a fixed number of steps allows. The best of these is taken, the first of equals.
pub(super) fn balance(longest_first: &[u64], machines: usize) -> Vec<Vec<usize>> {
    let machines = machines.clamp(1, longest_first.len().max(1));
    let mut dealt = Dealt::longest_first(longest_first, machines);
    let mut bound = bound::quick(longest_first, machines);
    if dealt.is_within(bound, 5) {
        return dealt.cases;
    }
    let mut looks = LOOKS;
    let first = dealt.clone();
    let mut half = looks / 2;
    dealt.improve(longest_first, bound, &mut half);
    looks -= looks / 2;
    if dealt.is_within(bound, 5) {
        return dealt.cases;
    }
    bound = bound::packed(longest_first, machines, bound, dealt.longest());
    if dealt.longest() > bound {
        let mut packed = first.packed_tighter(longest_first, bound, &mut looks);
        packed.improve(longest_first, bound, &mut looks);
        dealt = dealt.or(packed);
    }
    if !dealt.is_within(bound, 50) {
        dealt = Search::from(longest_first, dealt, bound).best;
    }
    dealt.cases
}

/// A dealing.
#[derive(Clone, Debug)]
struct Dealt {
    /// The cases of each machine, by place, ascending: the longest first.
    cases: Vec<Vec<usize>>,
    /// How much work each machine has.
    work: Vec<u64>,
}

impl Dealt {
    fn empty(machines: usize) -> Self {
        Self { cases: vec![Vec::new(); machines], work: vec![0; machines] }
    }

    fn longest_first(seconds: &[u64], machines: usize) -> Self {
        let mut dealt = Self::empty(machines);
        let mut least: BinaryHeap<Reverse<(u64, usize)>> = (0..machines).map(|at| Reverse((0, at))).collect();
        for (case, &seconds) in seconds.iter().enumerate() {
            let Some(Reverse((work, machine))) = least.pop() else { break };
            dealt.cases[machine].push(case);
            dealt.work[machine] = work.saturating_add(seconds);
            least.push(Reverse((dealt.work[machine], machine)));
        }
        dealt
    }

    fn longest(&self) -> u64 {
        self.work.iter().copied().max().unwrap_or(0)
    }

    /// Whether the last machine is done at most so many thousandths after `bound`.
    fn is_within(&self, bound: u64, thousandths: u128) -> bool {
        u128::from(self.longest()) * 1000 <= u128::from(bound) * (1000 + thousandths)
    }

    fn or(self, other: Self) -> Self {
        if other.longest() < self.longest() { other } else { self }
    }

    /// Each case to the fullest machine on which it stays within a limit, the limit halved towards the bound.
    fn packed_tighter(self, seconds: &[u64], bound: u64, looks: &mut usize) -> Self {
        let (mut best, mut low) = (self, bound);
        while low < best.longest() {
            // About what looking up the fullest machine costs.
            let cost = seconds.len().saturating_mul(8);
            if *looks < cost {
                break;
            }
            *looks -= cost;
            let limit = low + (best.longest() - 1 - low) / 2;
            match Self::best_fit(seconds, best.work.len(), limit) {
                Some(packed) => best = packed,
                None => low = limit + 1,
            }
        }
        best
    }

    fn best_fit(seconds: &[u64], machines: usize, limit: u64) -> Option<Self> {
        let mut dealt = Self::empty(machines);
        let mut work: BTreeSet<(u64, usize)> = (0..machines).map(|machine| (0, machine)).collect();
        for (case, &seconds) in seconds.iter().enumerate() {
            let fullest = (limit.checked_sub(seconds)?, usize::MAX);
            let &(before, machine) = work.range(..=fullest).next_back()?;
            work.remove(&(before, machine));
            work.insert((before + seconds, machine));
            dealt.cases[machine].push(case);
            dealt.work[machine] = before + seconds;
        }
        Some(dealt)
    }

    /// Moves a case from the machine with the most work, or swaps it for a shorter one, as long as the longer of
    /// the two machines is then done earlier.
    fn improve(&mut self, seconds: &[u64], bound: u64, looks: &mut usize) {
        loop {
            let most = (0..self.work.len()).max_by_key(|&machine| (self.work[machine], Reverse(machine)));
            let Some(most) = most.filter(|&most| self.work[most] > bound) else { return };
            let Some(step) = self.step(seconds, most, bound, looks) else { return };
            self.take(seconds, most, &step);
        }
    }

    fn step(&self, seconds: &[u64], from: usize, bound: u64, looks: &mut usize) -> Option<Step> {
        let mut others: Vec<usize> = (0..self.work.len()).filter(|&machine| machine != from).collect();
        others.sort_by_key(|&machine| (self.work[machine], machine));
        let mut best: Option<Step> = None;
        for to in others {
            let gap = self.work[from] - self.work[to];
            let cost = self.cases[from].len();
            if gap < 2 || *looks < cost {
                break;
            }
            *looks -= cost;
            for (at, &case) in self.cases[from].iter().enumerate() {
                // What is left over after the swap that levels both.
                let wanted = seconds[case].saturating_sub(gap / 2);
                let near = self.cases[to].partition_point(|&other| seconds[other] > wanted);
                for back in [None, near.checked_sub(1), Some(near)] {
                    let given = match back {
                        None => 0,
                        Some(other) => match self.cases[to].get(other) {
                            Some(&other) => seconds[other],
                            None => continue,
                        },
                    };
                    if given >= seconds[case] || seconds[case] - given >= gap {
                        continue;
                    }
                    let moved = seconds[case] - given;
                    let longest = (self.work[from] - moved).max(self.work[to] + moved);
                    if best.as_ref().is_none_or(|best| longest < best.longest) {
                        best = Some(Step { longest, to, at, back });
                    }
                }
            }
            if best.as_ref().is_some_and(|best| best.longest <= bound) {
                break;
            }
        }
        best
    }

    fn take(&mut self, seconds: &[u64], from: usize, step: &Step) {
        let given = self.cases[from].remove(step.at);
        let back = step.back.map(|at| self.cases[step.to].remove(at));
        for (case, gone, come) in
            std::iter::once((given, from, step.to)).chain(back.map(|case| (case, step.to, from)))
        {
            let place = self.cases[come].partition_point(|&other| other < case);
            self.cases[come].insert(place, case);
            self.work[gone] -= seconds[case];
            self.work[come] += seconds[case];
        }
    }
}

/// A case that goes to another machine, and one that comes back for it.
struct Step {
    longest: u64,
    to: usize,
    at: usize,
    back: Option<usize>,
}

/// Every dealing, branch by branch: a branch ends where it is no better than the best known.
struct Search<'a> {
    seconds: &'a [u64],
    bound: u64,
    best: Dealt,
    steps: usize,
}

impl<'a> Search<'a> {
    fn from(seconds: &'a [u64], best: Dealt, bound: u64) -> Self {
        let mut search = Self { seconds, bound, steps: STEPS, best };
        // Deeper than this the steps do not reach, and the stack need not.
        if seconds.len() <= 200 {
            let machines = search.best.work.len();
            search.deal(0, &mut Dealt::empty(machines));
        }
        search
    }

    fn deal(&mut self, case: usize, dealt: &mut Dealt) {
        let limit = self.best.longest();
        if limit <= self.bound || self.steps == 0 {
            return;
        }
        self.steps -= 1;
        let Some(&seconds) = self.seconds.get(case) else {
            self.best = dealt.clone();
            return;
        };
        // Machines with the same work are the same machine; the fullest that takes the case goes first.
        let machines = dealt.work.iter().enumerate().map(|(machine, &work)| (Reverse(work), machine));
        let mut tried = BTreeSet::new();
        for (Reverse(work), machine) in machines.collect::<BTreeSet<_>>() {
            if work + seconds >= self.best.longest() || !tried.insert(work) {
                continue;
            }
            dealt.work[machine] += seconds;
            dealt.cases[machine].push(case);
            self.deal(case + 1, dealt);
            dealt.work[machine] -= seconds;
            dealt.cases[machine].pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(seconds: &[u64], machines: usize) -> u64 {
        let mut seconds = seconds.to_vec();
        seconds.sort_by_key(|&seconds| Reverse(seconds));
        let dealt = balance(&seconds, machines);
        dealt.iter().map(|cases| cases.iter().map(|&case| seconds[case]).sum()).max().unwrap_or(0)
    }

    #[test]
    fn where_longest_first_alone_is_a_third_above_the_best_the_best_is_found() {
        // Graham's own worst case for three machines: 11 by longest first, 9 at best.
        assert_eq!(longest(&[5, 5, 4, 4, 3, 3, 3], 3), 9);
        assert_eq!(longest(&[3, 3, 2, 2, 2], 2), 6);
    }

    #[test]
    fn nothing_and_more_machines_than_cases_are_dealt_too() {
        assert_eq!(longest(&[], 3), 0);
        assert_eq!(longest(&[7, 5], 9), 7);
        assert_eq!(longest(&[7, 5], 0), 12);
    }
}
