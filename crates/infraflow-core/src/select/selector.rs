use std::collections::BTreeMap;

use super::{PlannedCase, SkippedCase, TestPlan, shards::deal};
use crate::{
    catalog::{Case, CaseId},
    impact::Impact,
    proof::Reason,
};

/// Chooses which test cases run. This is *plan*: it looks at nothing but its arguments.
///
/// # Contract
/// 1. Every case given is in the plan exactly once: among `cases` with a reason why it runs, or among
///    `skipped` with a reason why it need not.
/// 2. The same arguments give the same plan, whatever the order of `cases`.
/// 3. A case is skipped only where its result provably cannot differ, or where a rule that a person wrote
///    says so; the reason tells which.
pub trait TestSelector: Send + Sync {
    /// Chooses among all the cases at head.
    fn select(&self, impact: &Impact, cases: &[Case]) -> TestPlan;
}

/// How cases are dealt out to machines.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sharding {
    /// How many machines there are, at least one.
    pub shards: usize,
    /// How long each case took when it last ran, in seconds.
    pub seconds: BTreeMap<CaseId, u64>,
    /// What is taken for a case that never ran, in seconds.
    pub unknown_seconds: u64,
}

impl Default for Sharding {
    /// One shard; a case that never ran is taken for ten minutes.
    fn default() -> Self {
        Self { shards: 1, seconds: BTreeMap::new(), unknown_seconds: 600 }
    }
}

impl Sharding {
    /// Deals the cases out to so many machines.
    pub fn over(shards: usize) -> Self {
        Self { shards: shards.max(1), ..Self::default() }
    }

    /// With the durations that were recorded, in seconds.
    #[must_use]
    pub fn with_seconds(mut self, seconds: BTreeMap<CaseId, u64>) -> Self {
        self.seconds = seconds;
        self
    }
}

/// Runs the cases that the change touches, and no others.
#[derive(Clone, Debug, Default)]
pub struct ImpactSelector {
    /// How they are dealt out.
    pub sharding: Sharding,
}

impl TestSelector for ImpactSelector {
    fn select(&self, impact: &Impact, cases: &[Case]) -> TestPlan {
        let touched: BTreeMap<&CaseId, &Vec<Reason>> =
            impact.cases.iter().map(|case| (&case.id, &case.reasons)).collect();
        build(cases, &self.sharding, |case| match touched.get(&case.id) {
            Some(reasons) => Ok((*reasons).clone()),
            None => {
                let text = format!("nothing that {} reads has changed", case.id);
                Err(vec![Reason::new("not_affected", text)])
            }
        })
    }
}

/// Runs every case, always: what a change touches says nothing of what a provider or a cloud changed.
#[derive(Clone, Debug, Default)]
pub struct Nightly {
    /// How they are dealt out.
    pub sharding: Sharding,
}

impl TestSelector for Nightly {
    fn select(&self, _: &Impact, cases: &[Case]) -> TestPlan {
        self.all(cases)
    }
}

impl Nightly {
    /// The plan of all cases, which needs no change.
    pub fn all(&self, cases: &[Case]) -> TestPlan {
        build(cases, &self.sharding, |_| {
            Ok(vec![Reason::new("nightly", "everything is tested, since providers and clouds change too")])
        })
    }
}

fn build(
    cases: &[Case],
    sharding: &Sharding,
    judge: impl Fn(&Case) -> Result<Vec<Reason>, Vec<Reason>>,
) -> TestPlan {
    let sorted: BTreeMap<&CaseId, &Case> = cases.iter().map(|case| (&case.id, case)).collect();
    let mut plan = TestPlan::default();
    for case in sorted.into_values() {
        match judge(case) {
            Ok(reasons) => plan.cases.push(PlannedCase {
                id: case.id.clone(),
                module: case.module.clone(),
                path: case.path.clone(),
                kind: case.kind,
                reasons,
            }),
            Err(reasons) => plan.skipped.push(SkippedCase { id: case.id.clone(), reasons }),
        }
    }
    plan.shards = deal(plan.cases.iter().map(|case| &case.id), sharding);
    plan
}
