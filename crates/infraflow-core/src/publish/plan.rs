use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ItemName, error::Result, place};
use crate::{
    catalog::UnitId,
    dry_run::{DryRun, UnitOutcome},
    git::Revision,
    policy::EnvironmentName,
    proof::{Digest, Document, Reason, RunId},
    store::Key,
};

/// What would be published of a dry run, and where.
///
/// ```json
/// {"kind": "publish_plan", "schema_version": 1, "digest": "sha256:…",
///  "repository": "infrastructure-live", "run": "run-17", "dry_run": "sha256:…",
///  "units": [{"unit": "prod/database", "environment": "prod", "plan": "sha256:…",
///             "commit": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
///             "manifest": "sealed/infrastructure-live/prod=2Fdatabase/9f3c…/run-17/manifest",
///             "sealed": ["log", "plan_file", "plan_json"], "clear": ["summary_text", "summary_markdown"]}],
///  "skipped": []}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishPlan {
    /// The repository, by the name that all parties use for it.
    pub repository: String,
    /// The run that publishes.
    pub run: RunId,
    /// The digest of the dry run.
    pub dry_run: Digest,
    /// The units whose dry runs are published, in the dry run's order.
    pub units: Vec<UnitPublishPlan>,
    /// The units of which there is nothing to publish.
    pub skipped: Vec<NotPublished>,
}

impl Document for PublishPlan {
    const KIND: &'static str = "publish_plan";
    const SCHEMA_VERSION: u32 = 1;
    const UNDIGESTED: &'static [&'static str] = &["units/*/manifest"];
}

/// What would be published of one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnitPublishPlan {
    /// The unit.
    pub unit: UnitId,
    /// Its environment, whose key seals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// The digest of its plan.
    pub plan: Digest,
    /// What was planned.
    pub commit: Revision,
    /// Where the manifest goes that makes the rest visible.
    pub manifest: Key,
    /// What is sealed.
    pub sealed: Vec<ItemName>,
    /// What is posted in clear, without secrets.
    pub clear: Vec<ItemName>,
}

/// A unit of which there is nothing to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotPublished {
    /// The unit.
    pub unit: UnitId,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl PublishPlan {
    /// What would be published of this dry run.
    pub(super) fn of(dry_run: &DryRun, repository: &str, run: &RunId) -> Result<Self> {
        let (mut units, mut skipped) = (Vec::new(), Vec::new());
        for unit in &dry_run.units {
            if unit.outcome == UnitOutcome::Skipped {
                skipped.push(NotPublished { unit: unit.id.clone(), reasons: unit.reasons.clone() });
                continue;
            }
            let mut sealed = vec![ItemName::Log];
            if unit.plan_file.is_some() {
                sealed.extend([ItemName::PlanFile, ItemName::PlanJson]);
            }
            units.push(UnitPublishPlan {
                unit: unit.id.clone(),
                environment: unit.environment.clone(),
                plan: unit.digest.clone(),
                commit: unit.commit,
                manifest: place::manifest(repository, &unit.id.to_string(), &unit.digest, run)?,
                sealed,
                clear: vec![ItemName::SummaryText, ItemName::SummaryMarkdown],
            });
        }
        let dry_run = dry_run.digest()?;
        Ok(Self { repository: repository.to_owned(), run: run.clone(), dry_run, units, skipped })
    }
}
