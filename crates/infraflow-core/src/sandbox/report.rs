use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::CaseId,
    process::GroupEnd,
    proof::{Digest, Document, Reason, RepoPath, RunId},
    select::Quarantined,
};

use super::Mark;

/// What came of the test cases of a run.
///
/// ```json
/// {"kind": "test_report", "schema_version": 1, "digest": "sha256:…", "run": "r1", "sandbox": "folder",
///  "tests": "sha256:…", "tool": "terraform 1.11.4",
///  "cases": [{"id": "modules/network/examples/basic", "module": "modules/network", "mark": "r1-0a1b2c3d",
///             "outcome": "passed", "seconds": 2, "left": "nothing", "unmarked": [], "reasons": [],
///             "checks": [{"rule": "applied", "outcome": "passed", "text": ""}]}]}
/// ```
///
/// It holds no values of sensitive outputs and none of what the tool printed but the summaries of its errors.
/// The digest leaves out the run and how long things took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TestReport {
    /// The run.
    pub run: RunId,
    /// The sandbox.
    pub sandbox: String,
    /// The digest of the test plan.
    pub tests: Digest,
    /// The tool and its version.
    pub tool: String,
    /// The cases, sorted by id.
    pub cases: Vec<CaseReport>,
}

impl Document for TestReport {
    const KIND: &'static str = "test_report";
    const SCHEMA_VERSION: u32 = 1;
    const UNDIGESTED: &'static [&'static str] = &["run", "cases/*/mark", "cases/*/seconds"];
}

impl TestReport {
    /// Whether every case passed, was left out on purpose or failed in quarantine, and nothing is known to be left
    /// in the sandbox, by a quarantined case neither.
    pub fn passed(&self) -> bool {
        self.cases.iter().all(|case| {
            let failure =
                matches!(case.outcome, CaseOutcome::Failed | CaseOutcome::TimedOut | CaseOutcome::Error);
            let good = matches!(case.outcome, CaseOutcome::Passed | CaseOutcome::Skipped)
                || (failure && case.quarantine.is_some());
            good && !matches!(case.left, Left::Things(_))
        })
    }
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct CaseReport {
    /// The case.
    pub id: CaseId,
    /// The directory of the module it tests.
    pub module: RepoPath,
    /// What everything it made carries.
    pub mark: Mark,
    /// What came of it.
    pub outcome: CaseOutcome,
    /// What was checked, in order.
    pub checks: Vec<Check>,
    /// What is left of it in the sandbox.
    pub left: Left,
    /// Addresses of resources whose state does not hold the mark: a crash would have left them where no sweep
    /// finds them. Resources that live in the state alone (`terraform_data`, `random_*`, …) are not among them.
    pub unmarked: Vec<String>,
    /// Why it was refused or skipped, or could not be done.
    pub reasons: Vec<Reason>,
    /// How long it took, destroying included.
    pub seconds: u64,
    /// Why its failure does not fail the report, where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantined>,
}

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CaseOutcome {
    /// Every check held.
    Passed,
    /// The tool failed on it, or a check did not hold.
    Failed,
    /// It could not be done, for a reason that is not the module's.
    Error,
    /// Its time was up.
    TimedOut,
    /// The run was cancelled.
    Cancelled,
    /// It may not be run.
    Refused,
    /// It was left out on purpose.
    Skipped,
}

/// One thing that was checked.
///
/// Rules: `initialized`, `planned`, `applied`, `output_has_value`, `output_expected`, `check_block`,
/// `no_changes_after_apply`, `tests_passed`, `destroyed`, `nothing_left`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Check {
    /// Which rule.
    pub rule: String,
    /// Of what: an output, a check block. Empty where there is only one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Whether it held.
    pub outcome: CheckOutcome,
    /// What does not hold, in a sentence. Empty where it holds.
    pub text: String,
}

/// Whether a check held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It held.
    Passed,
    /// It did not.
    Failed,
}

impl Check {
    pub(super) fn passed(rule: &str, subject: &str) -> Self {
        Self {
            rule: rule.into(),
            subject: subject.into(),
            outcome: CheckOutcome::Passed,
            text: String::new(),
        }
    }

    pub(super) fn failed(rule: &str, subject: &str, text: impl Into<String>) -> Self {
        Self { rule: rule.into(), subject: subject.into(), outcome: CheckOutcome::Failed, text: text.into() }
    }

    /// Whether it held.
    pub fn held(&self) -> bool {
        self.outcome == CheckOutcome::Passed
    }
}

/// What is left of a deployment in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// Nothing was ever made.
    NeverMade,
    /// Nothing: its state is empty, and a sweep found nothing.
    Nothing,
    /// Nothing any more: its state is empty, and a sweep removed these.
    Swept(Vec<String>),
    /// Its state is empty, and nobody can say more, for this reason.
    Unproven(String),
    /// These are still there, or may be: addresses of resources, or what could not be swept. They stay in the
    /// ledger until they are reaped.
    Things(Vec<String>),
}

/// What a reaper found and did.
///
/// ```json
/// {"kind": "reap_report", "schema_version": 1, "digest": "sha256:…", "held": [],
///  "reaped": [{"run": "r1", "case": "modules/network/examples/basic", "mark": "r1-0a1b2c3d", "sandbox": "folder",
///              "group": "interrupted", "in_flight": ["terraform_data.slow"], "destroyed": ["terraform_data.a"],
///              "left": {"swept": ["r1-0a1b2c3d.marker"]}, "reasons": []}]}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ReapReport {
    /// Deployments that somebody dead had left, sorted by run and case.
    pub reaped: Vec<Reaped>,
    /// Runs that are being worked on, which were not touched.
    pub held: Vec<StillHeld>,
}

impl Document for ReapReport {
    const KIND: &'static str = "reap_report";
    const SCHEMA_VERSION: u32 = 1;
}

impl ReapReport {
    /// Whether nothing is left of all that was reaped, and that is proven.
    pub fn clean(&self) -> bool {
        self.reaped.iter().all(|one| matches!(one.left, Left::NeverMade | Left::Nothing | Left::Swept(_)))
    }
}

/// One deployment that was reaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Reaped {
    /// The run it belonged to.
    pub run: RunId,
    /// The case.
    pub case: CaseId,
    /// What everything it made carries.
    pub mark: Mark,
    /// The sandbox.
    pub sandbox: String,
    /// What became of the process group that was at work; `None` where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupEnd>,
    /// Addresses that were planned, and of which no state knew when the reaper came: each was in flight, or had
    /// not begun. A tool that could still be interrupted may have saved them then, and they were destroyed; what is
    /// in the world of the others only the sweep found.
    pub in_flight: Vec<String>,
    /// Addresses that the state knew, and that were destroyed.
    pub destroyed: Vec<String>,
    /// What is left of it.
    pub left: Left,
    /// Why it is not clean.
    pub reasons: Vec<Reason>,
}

/// A run that is being worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct StillHeld {
    /// The run.
    pub run: RunId,
    /// By whom, as the process said of itself.
    pub owner: String,
}
