use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RecordedRun, RunOutcome};
use crate::{
    catalog::CaseId,
    proof::{Digest, RunId, Timestamp},
};

/// So many of a case's newest passing runs tell how long it takes.
const RUNS_THAT_TELL: usize = 5;

/// What is known of earlier runs: for each case its recorded runs.
///
/// It is data: [`History::read_file`](Self::read_file) and [`History::read_store`](Self::read_store) bring it
/// in, and nothing that plans reads anything itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The newest first.
    runs: BTreeMap<CaseId, Vec<RecordedRun>>,
    pub(super) warnings: Vec<String>,
}

impl History {
    /// A history of these runs. Of a case that is recorded several times in one run the newest record counts:
    /// a run that was resumed says more than the one that was stopped.
    pub fn of(runs: impl IntoIterator<Item = RecordedRun>) -> Self {
        let mut history = Self::default();
        history.add(runs);
        history
    }

    /// Adds runs.
    pub fn add(&mut self, runs: impl IntoIterator<Item = RecordedRun>) {
        for run in runs {
            self.runs.entry(run.case.clone()).or_default().push(run);
        }
        for runs in self.runs.values_mut() {
            // Runs of one moment are told apart by all that they say, so that no order of files matters.
            runs.sort_by(|one, two| (two.at, two).cmp(&(one.at, one)));
            let mut seen = std::collections::BTreeSet::new();
            runs.retain(|run| seen.insert(run.run.clone()));
        }
    }

    /// All runs, by case, the newest of each first.
    pub fn runs(&self) -> impl Iterator<Item = &RecordedRun> {
        self.runs.values().flatten()
    }

    /// The runs of a case, the newest first.
    pub fn of_case(&self, case: &CaseId) -> &[RecordedRun] {
        self.runs.get(case).map_or(&[], Vec::as_slice)
    }

    /// What could not be read, in sentences.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How long a case takes, in seconds: the median of its newest five runs that passed, of an even number the
    /// longer one of the middle; where none passed, of those that failed or ran out of time.
    pub fn seconds_of(&self, case: &CaseId) -> Option<u64> {
        seconds(self.of_case(case))
    }

    /// How long each case takes, as [`History::seconds_of`] has it.
    pub fn seconds(&self) -> BTreeMap<CaseId, u64> {
        let known = self.runs.iter().filter_map(|(case, runs)| Some((case.clone(), seconds(runs)?)));
        known.collect()
    }

    /// How urgent a case is, from its failures since a moment.
    pub fn urgency(&self, case: &CaseId, since: Timestamp) -> Urgency {
        let mut telling = self.of_case(case).iter().filter(|run| run.outcome != RunOutcome::Error);
        match telling.next() {
            None => Urgency::Unknown,
            Some(newest) if newest.outcome.is_failure() => Urgency::Failing,
            Some(_) if telling.any(|run| run.at >= since && run.outcome.is_failure()) => {
                Urgency::FailedRecently
            }
            Some(_) => Urgency::Passing,
        }
    }

    /// The run that proves a case of this content: its newest with that content that says anything passed, and
    /// did so after `since`. A case that passed and then failed with one and the same content proves nothing.
    pub fn green(&self, case: &CaseId, content: &Digest, since: Timestamp) -> Option<&RecordedRun> {
        let same = self.of_case(case).iter().filter(|run| run.content.as_ref() == Some(content));
        let newest = same.into_iter().find(|run| run.outcome != RunOutcome::Error)?;
        (newest.outcome == RunOutcome::Passed && newest.at >= since).then_some(newest)
    }

    /// Cases that passed and failed with the same content, sorted by id, each with its newest such pair of runs.
    pub fn flaky(&self) -> Vec<Flaky> {
        self.runs.iter().filter_map(|(case, runs)| flaky(case, runs)).collect()
    }
}

/// How urgent a case is, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Urgency {
    /// It failed when it last ran.
    Failing,
    /// It failed recently, and passed since.
    FailedRecently,
    /// No record knows it.
    Unknown,
    /// It passed, and has not failed recently.
    Passing,
}

/// A case that passed and failed with the same content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Flaky {
    /// The case.
    pub case: CaseId,
    /// The content that both runs had.
    pub content: Digest,
    /// The newest run in which it passed.
    pub passed: RunId,
    /// The newest run in which it failed.
    pub failed: RunId,
}

fn flaky(case: &CaseId, runs: &[RecordedRun]) -> Option<Flaky> {
    let mut by_content: BTreeMap<&Digest, (Option<&RunId>, Option<&RunId>)> = BTreeMap::new();
    for run in runs {
        let Some(content) = &run.content else { continue };
        let (passed, failed) = by_content.entry(content).or_default();
        match run.outcome {
            RunOutcome::Passed => passed.get_or_insert(&run.run),
            RunOutcome::Error => continue,
            RunOutcome::Failed | RunOutcome::TimedOut => failed.get_or_insert(&run.run),
        };
    }
    // The content of the newest run of all, where several are of that kind.
    let newest = runs.iter().filter_map(|run| run.content.as_ref());
    newest.into_iter().find_map(|content| match by_content.get(content) {
        Some((Some(passed), Some(failed))) => Some(Flaky {
            case: case.clone(),
            content: content.clone(),
            passed: (*passed).clone(),
            failed: (*failed).clone(),
        }),
        _ => None,
    })
}

fn seconds(runs: &[RecordedRun]) -> Option<u64> {
    let newest = |counts: fn(RunOutcome) -> bool| {
        let counting = runs.iter().filter(|run| counts(run.outcome));
        counting.take(RUNS_THAT_TELL).map(|run| run.seconds).collect::<Vec<_>>()
    };
    let mut told = newest(|outcome| outcome == RunOutcome::Passed);
    if told.is_empty() {
        told = newest(RunOutcome::is_failure);
    }
    told.sort_unstable();
    told.get(told.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::RepoPath;

    fn run(name: &str, outcome: RunOutcome, seconds: u64, at: i64, content: Option<&str>) -> RecordedRun {
        let run =
            RecordedRun::new(case(), RunId::parse(name).unwrap(), outcome, seconds, Timestamp::from_unix(at));
        content.into_iter().fold(run, |run, content| run.of_content(Digest::of_bytes(content)))
    }

    fn case() -> CaseId {
        CaseId::new(RepoPath::parse("m/examples/a").unwrap())
    }

    #[test]
    fn a_duration_is_the_median_of_the_newest_five_that_passed() {
        use RunOutcome::{Error, Failed, Passed};
        let history = History::of([
            run("a", Passed, 9000, 1, None),
            run("b", Passed, 10, 2, None),
            run("c", Failed, 1, 3, None),
            run("d", Passed, 30, 4, None),
            run("e", Passed, 20, 5, None),
            run("f", Passed, 5000, 6, None),
            run("g", Passed, 25, 7, None),
            run("h", Error, 2, 8, None),
        ]);
        assert_eq!(history.seconds_of(&case()), Some(25), "of 10, 20, 25, 30 and 5000");
        let failed = History::of([run("a", Failed, 7, 1, None), run("b", Error, 1, 2, None)]);
        assert_eq!(failed.seconds(), BTreeMap::from([(case(), 7)]));
        assert_eq!(History::default().seconds_of(&case()), None);
    }

    #[test]
    fn urgency_is_told_by_failures_and_an_error_says_nothing() {
        use RunOutcome::{Error, Failed, Passed, TimedOut};
        let urgency = |runs: Vec<RecordedRun>| History::of(runs).urgency(&case(), Timestamp::from_unix(100));
        assert_eq!(urgency(vec![]), Urgency::Unknown);
        assert_eq!(urgency(vec![run("a", Error, 1, 500, None)]), Urgency::Unknown);
        assert_eq!(
            urgency(vec![run("a", TimedOut, 1, 5, None), run("b", Error, 1, 500, None)]),
            Urgency::Failing
        );
        let passed = run("z", Passed, 1, 500, None);
        assert_eq!(urgency(vec![run("a", Failed, 1, 100, None), passed.clone()]), Urgency::FailedRecently);
        assert_eq!(urgency(vec![run("a", Failed, 1, 99, None), passed]), Urgency::Passing);
    }

    #[test]
    fn a_content_is_proven_by_the_newest_run_that_says_anything_about_it() {
        use RunOutcome::{Error, Failed, Passed};
        let at = Timestamp::from_unix;
        let history = History::of([
            run("a", Passed, 1, 10, Some("one")),
            run("b", Error, 1, 11, Some("one")),
            run("c", Failed, 1, 12, Some("two")),
            run("d", Passed, 1, 13, None),
        ]);
        let green = |content: &str, since| {
            history.green(&case(), &Digest::of_bytes(content), at(since)).map(|run| run.run.as_str())
        };
        assert_eq!(green("one", 0), Some("a"), "an error of the sandbox takes no proof away");
        assert_eq!(green("one", 11), None, "too old");
        assert_eq!((green("two", 0), green("three", 0)), (None, None));
        let mut later = history.clone();
        later.add([run("e", Failed, 1, 20, Some("one"))]);
        assert_eq!(later.green(&case(), &Digest::of_bytes("one"), at(0)), None);
        let flaky = later.flaky();
        assert_eq!((flaky.len(), flaky[0].passed.as_str(), flaky[0].failed.as_str()), (1, "a", "e"));
        assert_eq!(history.flaky(), []);
    }

    #[test]
    fn a_run_that_was_resumed_counts_once_and_no_order_matters() {
        use RunOutcome::{Failed, Passed};
        let (first, again) = (run("a", Failed, 1, 10, None), run("a", Passed, 2, 20, None));
        let history = History::of([again.clone(), first.clone()]);
        assert_eq!(history, History::of([first, again.clone()]));
        assert_eq!(history.of_case(&case()), [again]);
    }
}
