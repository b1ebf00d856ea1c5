use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DryRun, DryRunContext, DryRunError, DryRunOutcome, DryRunner, Scope, UnitDryRun, UnitOutcome};
use crate::{
    catalog::{Catalog, UnitId},
    git::Revision,
    policy::{EnvironmentName, Policy},
    proof::{Document, Reason, RepoPath},
    terraform::plan::{Actions, AttributePath},
};

/// Whether trunk mirrors what is deployed: a dry run of all of its units that finds nothing to do. Where it does
/// not, the unit is named, and the attribute that no longer agrees, without its value.
///
/// ```json
/// {"kind": "drift_report", "schema_version": 1, "digest": "sha256:…",
///  "revision": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
///  "units": [{"id": "prod/network", "path": "prod/network", "environment": "prod", "outcome": "changes",
///             "disagreements": [{"address": "terraform_data.network", "path": "input.cidr", "actions": ["update"],
///                                "seen_in": "plan"}],
///             "reasons": []}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftReport {
    /// The revision that should mirror what is deployed.
    pub revision: Revision,
    /// Every unit of it, sorted by id.
    pub units: Vec<UnitDrift>,
}

impl Document for DriftReport {
    const KIND: &'static str = "drift_report";
    const SCHEMA_VERSION: u32 = 1;
}

/// One unit, and where it no longer agrees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnitDrift {
    /// The unit.
    pub id: UnitId,
    /// Its directory.
    pub path: RepoPath,
    /// Its environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// How its dry run came out. Anything but `no_changes` is drift, or could be.
    pub outcome: UnitOutcome,
    /// What no longer agrees, sorted. There may be some under `no_changes` too: what changed in the world and is under
    /// `ignore_changes`, so that applying would leave it alone.
    pub disagreements: Vec<Disagreement>,
    /// Why the unit could not be checked, or what else is known about it.
    pub reasons: Vec<Reason>,
}

/// One place where trunk, the state and the world do not agree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Disagreement {
    /// A resource's absolute address, or `output.NAME`.
    pub address: String,
    /// The attribute; empty for the whole.
    pub path: AttributePath,
    /// What applying would do, or what happened in the world.
    pub actions: Actions,
    /// Between whom.
    pub seen_in: SeenIn,
}

/// Between whom a disagreement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SeenIn {
    /// The world is not as the state has it: something was changed past the tool.
    World,
    /// What is deployed is not as trunk has it: something was applied past the pipeline, or not applied at all.
    Plan,
}

impl DriftReport {
    /// What a dry run of trunk says.
    pub fn of(revision: Revision, dry_run: &DryRun) -> Self {
        Self { revision, units: dry_run.units.iter().map(UnitDrift::of).collect() }
    }

    /// The same with what else is known about a unit, for example that its last deployment failed.
    #[must_use]
    pub fn with_reason(mut self, unit: &UnitId, reason: Reason) -> Self {
        if let Some(unit) = self.units.iter_mut().find(|known| known.id == *unit) {
            unit.reasons.push(reason);
        }
        self
    }

    /// The units that do not mirror what is deployed, or of which that is not known.
    pub fn disagreeing(&self) -> impl Iterator<Item = &UnitDrift> {
        self.units.iter().filter(|unit| unit.outcome != UnitOutcome::NoChanges)
    }

    /// Whether trunk is known to mirror what is deployed, in every unit.
    pub fn is_clean(&self) -> bool {
        self.disagreeing().next().is_none()
    }
}

impl UnitDrift {
    fn of(unit: &UnitDryRun) -> Self {
        let world = unit.drift.iter().map(|drift| Disagreement {
            address: drift.address.clone(),
            path: drift.path.clone(),
            actions: drift.actions.clone(),
            seen_in: SeenIn::World,
        });
        let plan = unit.plan.iter().flat_map(|plan| {
            let resources = plan.changes.iter().chain(&plan.deferred).flat_map(|change| {
                // A move or an import changes no attribute.
                let whole = change.attributes.is_empty().then(AttributePath::default);
                change.attributes.iter().cloned().chain(whole).map(|path| Disagreement {
                    address: change.address.clone(),
                    path,
                    actions: change.actions.clone(),
                    seen_in: SeenIn::Plan,
                })
            });
            let outputs = plan.outputs.iter().map(|output| Disagreement {
                address: format!("output.{}", output.name),
                path: AttributePath::default(),
                actions: output.actions.clone(),
                seen_in: SeenIn::Plan,
            });
            resources.chain(outputs)
        });
        let mut disagreements: Vec<Disagreement> = world.chain(plan).collect();
        disagreements.sort();
        // A dry run's first reasons say why it was planned; here that is no news.
        let reasons = unit.reasons.iter().filter(|r| r.rule != "all" && r.rule != "asked").cloned().collect();
        Self {
            id: unit.id.clone(),
            path: unit.path.clone(),
            environment: unit.environment.clone(),
            outcome: unit.outcome,
            disagreements,
            reasons,
        }
    }
}

/// Checks that a revision, usually the tip of trunk, mirrors what is deployed: dry-runs every unit of its catalog,
/// from an export of it, as from a fresh clone.
///
/// # Errors
/// As [`DryRunner::observe`]. A unit that disagrees, or could not be checked, is no error: it stands in the report.
pub async fn check_drift(
    runner: &dyn DryRunner,
    revision: &Revision,
    catalog: &Catalog,
    policy: &Policy,
    context: &DryRunContext<'_>,
) -> Result<(DriftReport, DryRunOutcome), DryRunError> {
    let plan = runner.plan(revision, catalog, Scope::All, policy)?;
    let outcome = runner.observe(&plan, context).await?;
    Ok((DriftReport::of(*revision, &outcome.dry_run), outcome))
}
