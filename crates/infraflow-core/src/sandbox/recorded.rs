//! What a report says for the history of its cases.

use crate::{
    git::Revision,
    proof::Timestamp,
    select::{Contents, RecordedRun, RunOutcome},
};

use super::{CaseOutcome, CaseReport, Left, SandboxPlan, TestReport};

impl TestReport {
    /// The runs of the cases that came to a result, for [`History`](crate::select::History), sorted by case. `at` is
    /// when the run ended.
    ///
    /// A run is of a known content only where nobody can doubt it: `contents` are those of the commit that `plan` was
    /// made for, and of the tool that ran. Files of a working tree may have changed since they were digested.
    pub fn recorded(
        &self,
        plan: &SandboxPlan,
        contents: Option<&Contents>,
        at: Timestamp,
    ) -> Vec<RecordedRun> {
        let contents = contents.filter(|contents| {
            matches!(plan.revision, Revision::Commit(_))
                && *contents.revision() == plan.revision
                && contents.tool().to_string() == self.tool
                && plan.run == self.run
                && plan.tests == self.tests
        });
        let recorded = self.cases.iter().filter_map(|case| {
            let run = RecordedRun::new(case.id.clone(), self.run.clone(), outcome(case)?, case.seconds, at);
            let content = contents.and_then(|contents| contents.digest_of(&case.id));
            Some(content.into_iter().fold(run, |run, content| run.of_content(content.clone())))
        });
        recorded.collect()
    }
}

/// What a case's report says about the case; `None` where it says nothing.
fn outcome(case: &CaseReport) -> Option<RunOutcome> {
    Some(match case.outcome {
        CaseOutcome::Passed if matches!(case.left, Left::Things(_)) => RunOutcome::Failed,
        CaseOutcome::Passed => RunOutcome::Passed,
        CaseOutcome::Failed => RunOutcome::Failed,
        CaseOutcome::TimedOut => RunOutcome::TimedOut,
        CaseOutcome::Error => RunOutcome::Error,
        CaseOutcome::Cancelled | CaseOutcome::Refused | CaseOutcome::Skipped => return None,
    })
}
