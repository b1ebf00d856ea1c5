//! A plan put together from what a selector says of each case.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use super::{
    BudgetUse, ContentsOf, Evidence, GreenRun, PlannedCase, Quarantined, Sharding, SkippedCase, Terms,
    TestPlan, Urgency,
    budget::{LeftOut, Worth, within},
    shards::{Timed, bounded, deal},
};
use crate::{
    catalog::{Case, CaseId},
    proof::Reason,
};

/// What a selector says of a case.
pub(super) enum Verdict {
    /// It runs.
    Runs {
        reasons: Vec<Reason>,
        /// Whether the change touches its module or itself.
        direct: bool,
    },
    /// It does not.
    Skips(Vec<Reason>, Option<GreenRun>),
}

pub(super) struct Build<'a> {
    /// Sorted by id, each once.
    cases: Vec<&'a Case>,
    sharding: &'a Sharding,
    evidence: Option<&'a Evidence>,
    plan: TestPlan,
    /// For each case that runs, whether the change touches it directly.
    direct: Vec<bool>,
}

impl<'a> Build<'a> {
    pub(super) fn new(cases: &'a [Case], terms: &'a Terms) -> Self {
        let Terms { sharding, evidence } = terms;
        let mut cases: Vec<&Case> = cases.iter().collect();
        cases.sort();
        cases.dedup_by(|one, two| one.id == two.id);
        Self { cases, sharding, evidence: evidence.as_ref(), plan: TestPlan::default(), direct: Vec::new() }
    }

    pub(super) fn judge(&mut self, verdict: impl Fn(&Case) -> Verdict) {
        for case in &self.cases {
            match verdict(case) {
                Verdict::Runs { reasons, direct } => {
                    let mut planned = PlannedCase::of(case, reasons);
                    self.tell(&mut planned);
                    self.plan.cases.push(planned);
                    self.direct.push(direct);
                }
                Verdict::Skips(reasons, proof) => {
                    let skipped = SkippedCase { proof, ..SkippedCase::of(case.id.clone(), reasons) };
                    self.plan.skipped.push(skipped);
                }
            }
        }
    }

    fn tell(&self, planned: &mut PlannedCase) {
        let Some(evidence) = self.evidence else { return };
        planned.content = evidence.contents().and_then(|contents| contents.digest_of(&planned.id)).cloned();
        let entry = evidence.rules.quarantine_of(&planned.id, evidence.at);
        planned.quarantine = entry.map(|entry| Quarantined {
            until: entry.until,
            reason: entry.reason.clone(),
            who: entry.who.clone(),
        });
    }

    pub(super) fn plan(mut self, minutes: Option<u64>) -> TestPlan {
        let ids: Vec<&CaseId> = self.cases.iter().map(|case| &case.id).collect();
        if let Some(evidence) = self.evidence {
            self.plan.warnings = evidence.warnings(&ids);
            self.plan.contents_of = evidence.contents().map(ContentsOf::new);
        }
        let planned = std::mem::take(&mut self.plan.cases);
        let timed = timed(&planned, self.sharding, self.evidence);
        match minutes {
            None => self.plan.shards = deal(timed, self.sharding.shards),
            Some(minutes) => {
                let worth =
                    timed.into_iter().zip(&planned).zip(&self.direct).map(|((timed, case), &direct)| Worth {
                        timed,
                        quarantined: case.quarantine.is_some(),
                        failed: matches!(timed.urgency, Urgency::Failing | Urgency::FailedRecently),
                        direct,
                    });
                let left_out = within_budget(&mut self.plan, worth.collect(), self.sharding.shards, minutes);
                self.plan.cases =
                    planned.iter().filter(|case| !left_out.contains_key(&case.id)).cloned().collect();
                self.plan.skipped.extend(left_out.into_values());
                self.plan.skipped.sort_by(|one, two| one.id.cmp(&two.id));
                return self.plan;
            }
        }
        self.plan.cases = planned;
        self.plan
    }
}

/// How long each case takes, and how urgent it is. Cases and durations are both sorted by id, and walked together.
fn timed<'a>(planned: &'a [PlannedCase], sharding: &Sharding, evidence: Option<&Evidence>) -> Vec<Timed<'a>> {
    let mut told = sharding.seconds.iter().peekable();
    let unknown = evidence.map_or(sharding.unknown_seconds, |it| it.rules.unknown_minutes.saturating_mul(60));
    let failed_since = evidence.map(|evidence| evidence.days_before(evidence.rules.failed_days));
    let cases = planned.iter().map(|case| {
        let told = loop {
            match told.peek().map(|(id, seconds)| (id.cmp(&&case.id), **seconds)) {
                Some((Ordering::Less, _)) => told.next(),
                Some((Ordering::Equal, seconds)) => break Some(seconds),
                _ => break None,
            };
        };
        let history = evidence.map(|evidence| &evidence.history);
        let seconds = told.or_else(|| history?.seconds_of(&case.id)).unwrap_or(unknown);
        let urgency = match (history, failed_since) {
            (Some(history), Some(since)) => history.urgency(&case.id, since),
            _ => Urgency::Unknown,
        };
        Timed { id: &case.id, seconds: bounded(seconds), urgency }
    });
    cases.collect()
}

/// Deals out what fits, and gives what does not.
fn within_budget(
    plan: &mut TestPlan,
    cases: Vec<Worth<'_>>,
    shards: usize,
    minutes: u64,
) -> BTreeMap<CaseId, SkippedCase> {
    let seconds: HashMap<CaseId, u64> =
        cases.iter().map(|case| (case.timed.id.clone(), case.timed.seconds)).collect();
    let (dealt, left_out) = within(cases, shards, minutes.saturating_mul(60));
    plan.shards = dealt;
    let of = |ids: &mut dyn Iterator<Item = &CaseId>| ids.filter_map(|id| seconds.get(id)).sum::<u64>();
    let planned_seconds = of(&mut plan.shards.iter().flat_map(|shard| &shard.cases));
    let left_out_seconds = of(&mut left_out.iter().map(|(id, _)| *id));
    if !left_out.is_empty() {
        plan.warnings.push(format!(
            "{} of {} cases are left out: {minutes} min on {shards} {} do not suffice; they are taken for {} min of work more",
            left_out.len(),
            seconds.len(),
            if shards == 1 { "machine" } else { "machines" },
            left_out_seconds.div_ceil(60),
        ));
    }
    plan.budget = Some(BudgetUse { minutes, left_out: left_out.len(), planned_seconds, left_out_seconds });
    let skipped = left_out.into_iter().map(|(id, why)| {
        let text = match why {
            LeftOut::TooLong => {
                format!("{id} is touched, and takes longer than the budget of {minutes} min")
            }
            LeftOut::NoTime => {
                format!("{id} is touched, and the budget of {minutes} min goes to cases that are worth more")
            }
        };
        (id.clone(), SkippedCase::of(id.clone(), vec![Reason::new("budget", text)]))
    });
    skipped.collect()
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
