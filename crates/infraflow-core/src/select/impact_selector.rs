use super::{
    Content, GreenRun, Terms, TestPlan, TestSelector,
    build::{Build, Verdict},
};
use crate::{
    catalog::{Case, CaseId},
    impact::{AffectedCase, Impact, RuleAction},
    proof::Reason,
};

/// Runs the cases that the change touches, and no others.
///
/// With [`skipping_green`](Self::skipping_green) it leaves out those that passed before with the same content; with
/// [`within_minutes`](Self::within_minutes) those for which the time does not suffice.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImpactSelector {
    /// On what terms they are chosen.
    pub terms: Terms,
    /// Whether what passed before runs again.
    pub green: Green,
    /// How long each machine may work.
    pub minutes: Option<u64>,
}

/// What becomes of cases that passed before with the same content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Green {
    /// They run again.
    #[default]
    Run,
    /// They are skipped, with the run that proves them. It takes [`Evidence`](super::Evidence) with a history and
    /// contents.
    Skip,
}

impl ImpactSelector {
    /// Chooses on these terms.
    pub fn on(terms: Terms) -> Self {
        Self { terms, ..Self::default() }
    }

    /// Skips what passed before with the same content.
    #[must_use]
    pub fn skipping_green(mut self) -> Self {
        self.green = Green::Skip;
        self
    }

    /// Leaves out, and says so, what each machine cannot do in so many minutes.
    #[must_use]
    pub fn within_minutes(mut self, minutes: u64) -> Self {
        self.minutes = Some(minutes);
        self
    }

    fn judge(&self, impact: &Impact, affected: &AffectedCase) -> Verdict {
        let mut reasons = affected.reasons.clone();
        if self.green == Green::Skip {
            match self.green(impact, &affected.id) {
                Ok((reason, proof)) => return Verdict::Skips(vec![reason], Some(proof)),
                Err(unproven) => reasons.extend(unproven),
            }
        }
        Verdict::Runs { reasons, direct: is_direct(affected) }
    }

    /// The run that proves a case, or why none can.
    fn green(&self, impact: &Impact, case: &CaseId) -> Result<(Reason, GreenRun), Option<Reason>> {
        let evidence = self.terms.evidence.as_ref().ok_or(None)?;
        let contents =
            evidence.contents().filter(|contents| *contents.revision() == impact.head).ok_or(None)?;
        let content = match contents.of_case(case).ok_or(None)? {
            Content::Known(digest) => digest,
            Content::Unknown(reason) => return Err(Some(reason.clone())),
        };
        // What a person says of a path goes beyond what a case is made of.
        let beyond = impact.ruled.iter().find(|ruled| {
            matches!(ruled.action, RuleAction::Everything | RuleAction::PartOf)
                && !contents.contains(case, &ruled.path)
        });
        if let Some(ruled) = beyond {
            let text = format!(
                "{} was changed, which counts for more than reads it ({}: {})",
                ruled.path, ruled.rule, ruled.reason
            );
            return Err(Some(Reason::new("unproven", text)));
        }
        let since = evidence.days_before(evidence.rules.green_days);
        let run = evidence.history.green(case, content, since).ok_or(None)?;
        let text = format!("run {} passed on {} with the same content, {}", run.run, run.at, content.short());
        let proof = GreenRun { run: run.run.clone(), content: content.clone(), at: run.at };
        Ok((Reason::new("green", text), proof))
    }
}

impl TestSelector for ImpactSelector {
    fn select(&self, impact: &Impact, cases: &[Case]) -> TestPlan {
        let mut affected: Vec<&AffectedCase> = impact.cases.iter().collect();
        affected.sort_by(|one, two| one.id.cmp(&two.id));
        let mut build = Build::new(cases, &self.terms);
        build.judge(|case| match affected.binary_search_by(|known| known.id.cmp(&case.id)) {
            Ok(at) => self.judge(impact, affected[at]),
            Err(_) => {
                let text = format!("nothing that {} reads has changed", case.id);
                Verdict::Skips(vec![Reason::new("not_affected", text)], None)
            }
        });
        build.plan(self.minutes)
    }
}

/// Whether the changed file that touches a case stands in its module, or in itself.
fn is_direct(case: &AffectedCase) -> bool {
    let mut changed = case.reasons.iter().filter_map(|reason| reason.chain.first());
    changed.any(|link| {
        let file = &link.path;
        file.parent().as_ref() == Some(&case.module) || file.is_within(&case.path)
    })
}
