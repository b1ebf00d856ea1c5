use std::sync::Arc;

use super::{Contents, History, SelectRules};
use crate::{catalog::CaseId, proof::Timestamp};

/// What is known when cases are chosen: the moment, the rules, what ran before, and what each case is made of.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub(super) at: Timestamp,
    pub(super) rules: SelectRules,
    pub(super) history: Arc<History>,
    pub(super) contents: Option<Arc<Contents>>,
}

impl Evidence {
    /// Nothing but the moment and the crate's own rules. Nothing that chooses reads a clock.
    pub fn at(at: Timestamp) -> Self {
        Self { at, rules: SelectRules::default(), history: Arc::default(), contents: None }
    }

    /// With these rules, which are those of trunk.
    #[must_use]
    pub fn with_rules(mut self, rules: SelectRules) -> Self {
        self.rules = rules;
        self
    }

    /// With these recorded runs.
    #[must_use]
    pub fn with_history(mut self, history: impl Into<Arc<History>>) -> Self {
        self.history = history.into();
        self
    }

    /// With these contents: the plan carries them to whoever runs and records it.
    #[must_use]
    pub fn with_contents(mut self, contents: impl Into<Arc<Contents>>) -> Self {
        self.contents = Some(contents.into());
        self
    }

    /// So many days before the moment.
    pub(super) fn days_before(&self, days: u64) -> Timestamp {
        days_before(self.at, days)
    }

    pub(super) fn contents(&self) -> Option<&Contents> {
        self.contents.as_deref()
    }

    /// What a person should know of the quarantine and of flaky cases, among these.
    pub(super) fn warnings(&self, cases: &[&CaseId]) -> Vec<String> {
        let mut warnings = self.history.warnings().to_vec();
        for entry in &self.rules.quarantine {
            let means = cases.iter().any(|case| entry.means(case));
            if !entry.holds(self.at) {
                warnings.push(format!(
                    "the quarantine of {} ended on {} ({}; {}): its cases count again; take the entry out, or give it another day",
                    entry.cases, entry.until, entry.reason, entry.who
                ));
            } else if !means {
                warnings.push(format!("the quarantine of {} is about no test case there is", entry.cases));
            }
        }
        for flaky in self.history.flaky() {
            let known = cases.binary_search(&&flaky.case).is_ok();
            if known && self.rules.quarantine_of(&flaky.case, self.at).is_none() {
                warnings.push(format!(
                    "{} passed in run {} and failed in run {} with the same content: mend it, or put it into [[select.quarantine]]",
                    flaky.case, flaky.passed, flaky.failed
                ));
            }
        }
        warnings
    }
}

impl SelectRules {
    /// From which moment on records are read, as seen from another.
    pub fn history_since(&self, at: Timestamp) -> Timestamp {
        days_before(at, self.history_days)
    }
}

fn days_before(at: Timestamp, days: u64) -> Timestamp {
    let seconds = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(24 * 3600);
    Timestamp::from_unix(at.unix().saturating_sub(seconds))
}
