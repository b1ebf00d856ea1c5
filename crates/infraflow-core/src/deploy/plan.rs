use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DeployError, order::in_order};
use crate::{
    approve::ApprovalRequest,
    catalog::{Catalog, Node, ReferenceKind, UnitId},
    dry_run::{DryRun, DryRunPlan, PlannedUnit, UnitDryRun, UnitOutcome},
    git::{CommitId, Revision},
    policy::Policy,
    proof::{Digest, Document},
    store::Key,
    terraform::{StateVersion, ToolVersion, plan::PlanSummary},
};

/// What is to be applied: which saved plans, to which states, in which order.
///
/// ```json
/// {"kind": "deployment_plan", "schema_version": 1, "digest": "sha256:…",
///  "plan": "sha256:…", "fingerprint": "sha256:…", "repository": "infrastructure-live",
///  "commit": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
///  "units": [{"id": "prod/database", "path": "prod/database", "dialect": "terraform", "environment": "prod",
///             "reads": [], "others": [], "reasons": [], "fingerprint": "sha256:…", "plan_file": "sha256:…",
///             "state": {"lineage": "…", "serial": 3}, "tool": "terraform 1.11.4", "after": ["prod/network"],
///             "summary": {"changes": ["…"]}}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DeploymentPlan {
    /// The digest of the dry run that is carried out.
    pub plan: Digest,
    /// What that dry run means; the approval is for this.
    pub fingerprint: Digest,
    /// The repository.
    pub repository: String,
    /// The commit that was planned.
    pub commit: CommitId,
    /// The units that change, in the order in which they are applied.
    pub units: Vec<UnitDeployment>,
}

impl Document for DeploymentPlan {
    const KIND: &'static str = "deployment_plan";
    const SCHEMA_VERSION: u32 = 1;
    const UNDIGESTED: &'static [&'static str] = &["units/*/saved_plan"];
}

/// What is to be applied to one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnitDeployment {
    /// The unit, as it was planned.
    #[serde(flatten)]
    pub unit: PlannedUnit,
    /// What its plan means.
    pub fingerprint: Digest,
    /// The digest of the saved plan's file: this file is applied, and no other.
    pub plan_file: Digest,
    /// Where the saved plan stands, sealed, in the store; `None` where it travels by another way. Not digested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_plan: Option<Key>,
    /// The state that was planned against; `None` where there was none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateVersion>,
    /// The tool that planned, and alone may apply.
    pub tool: ToolVersion,
    /// The units of this plan that are applied before it, because it depends on them.
    pub after: Vec<UnitId>,
    /// What would be done.
    pub summary: PlanSummary,
}

/// Which units wait for which: a unit, and those whose outputs it consumes.
pub type Dependencies = BTreeMap<UnitId, Vec<UnitId>>;

/// Which units of a catalog wait for which, by their references of the kind `dependency`.
///
/// # Errors
/// [`DeployError::Catalog`].
pub fn dependencies(catalog: &Catalog) -> Result<Dependencies, DeployError> {
    let mut found = Dependencies::new();
    for reference in catalog.references()? {
        if let (Node::Unit(from), Node::Unit(to), ReferenceKind::Dependency) =
            (reference.from, reference.to, reference.kind)
        {
            found.entry(from).or_default().push(to);
        }
    }
    Ok(found)
}

impl DeploymentPlan {
    /// What carrying out a dry run means. Pure.
    ///
    /// No unit comes before one that it waits for. Among those that may come next the order is the promotion
    /// order of their environments, then the id.
    ///
    /// # Errors
    /// - [`DeployError::OtherPlan`] where dry run, its plan and the request for approval do not belong together;
    /// - [`DeployError::NotPlanned`] for a unit without a saved plan, and [`DeployError::LocalState`] for one whose
    ///   state is a file of somebody's checkout;
    /// - [`DeployError::Circle`] for units that wait for each other.
    pub fn of(
        dry_run: &DryRun,
        planned: &DryRunPlan,
        request: &ApprovalRequest,
        policy: &Policy,
        dependencies: &Dependencies,
    ) -> Result<Self, DeployError> {
        let plan = dry_run.digest()?;
        if request.plan != plan {
            let what = "the request for approval";
            return Err(DeployError::OtherPlan { what, expected: plan, found: request.plan.clone() });
        }
        if planned.revision != Revision::Commit(request.commit) {
            return Err(DeployError::OtherCommit { planned: planned.revision, approved: request.commit });
        }
        let mut units = Vec::new();
        for unit in dry_run.units.iter().filter(|unit| request.units.contains(&unit.id)) {
            units.push(of_unit(unit, planned, dependencies, request)?);
        }
        let order = policy.promotion_order();
        let place = |unit: &UnitDeployment| {
            let environment = unit.unit.environment.as_ref();
            environment.map(|name| order.iter().position(|step| step.contains(name)))
        };
        let units = in_order(units, place)?;
        Ok(Self {
            plan,
            fingerprint: request.fingerprint.clone(),
            repository: request.repository.clone(),
            commit: request.commit,
            units,
        })
    }

    /// The unit of that id.
    pub fn unit(&self, id: &UnitId) -> Option<&UnitDeployment> {
        self.units.iter().find(|unit| unit.unit.id == *id)
    }
}

fn of_unit(
    unit: &UnitDryRun,
    planned: &DryRunPlan,
    dependencies: &Dependencies,
    request: &ApprovalRequest,
) -> Result<UnitDeployment, DeployError> {
    let bad = |why| DeployError::NotPlanned { unit: Box::new(unit.id.clone()), why };
    if unit.mocked {
        return Err(bad("its inputs were mocked"));
    }
    if unit.outcome != UnitOutcome::Changes {
        return Err(bad("its dry run did not come out with changes"));
    }
    if unit.reasons.iter().any(|reason| reason.rule == "local_state") {
        return Err(DeployError::LocalState { unit: Box::new(unit.id.clone()) });
    }
    let of_plan = planned.units.iter().find(|it| it.id == unit.id);
    let after = dependencies.get(&unit.id).into_iter().flatten();
    let mut after: Vec<_> = after.filter(|id| request.units.contains(id)).cloned().collect();
    after.sort();
    after.dedup();
    Ok(UnitDeployment {
        unit: of_plan.cloned().ok_or_else(|| bad("it is not in the dry run's plan"))?,
        fingerprint: unit.fingerprint.clone().ok_or_else(|| bad("it has no fingerprint"))?,
        plan_file: unit.plan_file.clone().ok_or_else(|| bad("it has no saved plan"))?,
        saved_plan: None,
        state: unit.state.clone(),
        tool: unit.tool.clone(),
        after,
        summary: unit.plan.clone().ok_or_else(|| bad("it has no summary of its plan"))?,
    })
}
