use super::{
    Content, Evidence, GreenRun, PlannedCase, Sharding, SkippedCase, TestPlan,
    build::{Build, Verdict},
};
use crate::{
    catalog::{Case, CaseId},
    impact::{AffectedCase, Impact, RuleAction},
    proof::Reason,
};

/// Chooses which test cases run. This is *plan*: it looks at nothing but its arguments and itself, and reads no
/// clock, no file and no network.
///
/// # Contract
/// 1. Every case given is in the plan exactly once, though it be given twice: among `cases` with a reason why it
///    runs, or among `skipped` with a reason why it need not.
/// 2. The same arguments give the same plan, whatever the order of `cases`. Both lists are sorted by id.
/// 3. A case is skipped only where its result provably cannot differ, where a rule that a person wrote says so, or
///    where the time that the caller gave does not suffice; the reason tells which. Nothing is left out silently.
/// 4. Each case that runs is in exactly one shard, and no shard is empty or has anything else.
/// 5. The plan is a document that reads back as itself, and its digest holds no guess about time: other shards have
///    the same digest.
pub trait TestSelector: Send + Sync {
    /// Chooses among all the cases at head.
    fn select(&self, impact: &Impact, cases: &[Case]) -> TestPlan;
}

/// Runs the cases that the change touches, and no others.
///
/// With [`skipping_green`](Self::skipping_green) it leaves out those that passed before with the same content; with
/// [`within_minutes`](Self::within_minutes) those for which the time does not suffice.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImpactSelector {
    /// How they are dealt out.
    pub sharding: Sharding,
    /// What is known of earlier runs.
    pub evidence: Option<Evidence>,
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
    /// They are skipped, with the run that proves them. It takes [`Evidence`] with a history and contents.
    Skip,
}

impl ImpactSelector {
    /// Deals the cases out so.
    #[must_use]
    pub fn with_sharding(mut self, sharding: Sharding) -> Self {
        self.sharding = sharding;
        self
    }

    /// Knows this of earlier runs.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
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
        let evidence = self.evidence.as_ref().ok_or(None)?;
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
        let mut build = Build::new(cases, &self.sharding, self.evidence.as_ref());
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

/// Runs every case, always: what a change touches says nothing of what a provider or a cloud changed. It skips
/// nothing, for no proof and for no budget; what it runs is what proves. Quarantined cases run too, and do not fail
/// the report.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Nightly {
    /// How they are dealt out.
    pub sharding: Sharding,
    /// What is known of earlier runs.
    pub evidence: Option<Evidence>,
}

impl TestSelector for Nightly {
    fn select(&self, _: &Impact, cases: &[Case]) -> TestPlan {
        self.all(cases)
    }
}

impl Nightly {
    /// Deals the cases out so.
    #[must_use]
    pub fn with_sharding(mut self, sharding: Sharding) -> Self {
        self.sharding = sharding;
        self
    }

    /// Knows this of earlier runs.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// The plan of all cases, which needs no change.
    pub fn all(&self, cases: &[Case]) -> TestPlan {
        let reason = Reason::new("nightly", "everything is tested, since providers and clouds change too");
        let mut build = Build::new(cases, &self.sharding, self.evidence.as_ref());
        build.judge(|_| Verdict::Runs { reasons: vec![reason.clone()], direct: false });
        build.plan(None)
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

impl PlannedCase {
    pub(super) fn of(case: &Case, reasons: Vec<Reason>) -> Self {
        Self {
            id: case.id.clone(),
            module: case.module.clone(),
            path: case.path.clone(),
            kind: case.kind,
            reasons,
            content: None,
            quarantine: None,
        }
    }
}

impl SkippedCase {
    pub(super) fn of(id: CaseId, reasons: Vec<Reason>) -> Self {
        Self { id, reasons, proof: None }
    }
}
