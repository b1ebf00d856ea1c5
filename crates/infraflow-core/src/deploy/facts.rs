//! Whether what was planned and approved still holds, just before it is applied.

use super::{DeployContext, DeployError, DeploymentPlan, UnitDeployment, workbench::Workbench};
use crate::{
    approve::{Approved, Requirement, UnitChange},
    policy::Policy,
    proof::Hmac,
    terraform::{
        fingerprint::{Closure, ClosureOf, fingerprint},
        plan::{Plan, PlanSummary},
    },
};

/// Whether an approval is for this plan, and was judged by this policy.
pub(super) fn approved_this(
    plan: &DeploymentPlan,
    approved: &Approved,
    policy: &Policy,
) -> Result<(), DeployError> {
    if approved.plan != plan.plan || approved.fingerprint != plan.fingerprint {
        return Err(DeployError::OtherPlan {
            what: "the approval",
            expected: plan.plan.clone(),
            found: approved.plan.clone(),
        });
    }
    if approved.policy != *policy.digest() {
        return Err(DeployError::NotApproved {
            why: format!(
                "it was approved under the policy {}, and this one is {}",
                approved.policy,
                policy.digest()
            ),
            missing: Vec::new(),
        });
    }
    Ok(())
}

/// Whether enough people approved of what the saved plans really do.
pub(super) fn approved_enough<'a>(
    approved: &Approved,
    policy: &Policy,
    units: impl IntoIterator<Item = (&'a UnitDeployment, &'a PlanSummary)>,
) -> Result<(), DeployError> {
    let changes: Vec<_> =
        units.into_iter().map(|(unit, summary)| UnitChange { unit: &unit.unit.id, summary }).collect();
    let missing = approved.missing(&Requirement::all(policy, &changes, &[]));
    if missing.is_empty() {
        return Ok(());
    }
    Err(DeployError::NotApproved {
        why: "not enough people approved of what the saved plans do".into(),
        missing,
    })
}

/// The plan in the saved file, if it does and means what the dry run says: what it does to resources, and the
/// code, modules, providers and variables that it came from.
pub(super) async fn same_meaning(
    bench: &Workbench,
    unit: &UnitDeployment,
    hmac: &Hmac,
    context: &DeployContext<'_>,
) -> Result<Plan, DeployError> {
    let json = bench.driver.show_json(&bench.saved, context.cancel, &bench.log).await?;
    let providers = bench.driver.providers(context.cancel, &bench.log).await?;
    let (unit, hmac, version) = (unit.clone(), hmac.clone(), bench.driver.tool().version().clone());
    let (tree, export) = (bench.tree.clone(), bench.export.clone());
    let judged = tokio::task::spawn_blocking(move || {
        let other = |what| DeployError::OtherMeaning { unit: Box::new(unit.unit.id.clone()), what };
        let plan = Plan::parse(&json)?;
        if plan.summary() != unit.summary {
            return Err(other("what it does"));
        }
        let folder = unit.unit.path.below(&export);
        let closure = ClosureOf {
            tree: &tree,
            unit: &unit.unit.path,
            others: &unit.unit.others,
            reads: &unit.unit.reads,
            folder: &folder,
            hmac: &hmac,
        };
        let workspace = unit.unit.id.workspace().map(|workspace| workspace.as_str());
        let closure = Closure::of(&closure, version, providers)?.in_workspace(workspace);
        if !closure.altered(&tree, &export)?.is_empty()
            || fingerprint(&plan, &closure, &hmac, &export)? != unit.fingerprint
        {
            return Err(other("the fingerprint"));
        }
        Ok(plan)
    });
    judged.await.map_err(|source| DeployError::Thread { doing: "read the saved plan", source })?
}

/// Whether the state is the one that was planned against.
pub(super) async fn same_state(
    bench: &Workbench,
    unit: &UnitDeployment,
    context: &DeployContext<'_>,
) -> Result<(), DeployError> {
    let found = bench.state(context).await?;
    if found == unit.state {
        return Ok(());
    }
    Err(DeployError::StateMoved {
        unit: Box::new(unit.unit.id.clone()),
        planned: Box::new(unit.state.clone()),
        found: Box::new(found),
    })
}
