use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actions, AttributePath, Counts, Plan, ResourceChange, ResourceMode};
use crate::proof::Document;

/// What a plan does, without any value of a resource: names, addresses, types and paths only.
///
/// ```json
/// {"kind": "plan_summary", "schema_version": 1, "format_version": "1.2", "tool_version": "1.11.4",
///  "counts": {"create": 0, "update": 0, "delete": 0, "replace": 1, "read": 0, "import": 0, "forget": 0, "move": 0},
///  "drift": [], "deferred": [], "errored": false,
///  "changes": [{"address": "terraform_data.a", "type": "terraform_data", "mode": "managed",
///               "actions": ["delete", "create"], "reason": "replace_because_cannot_update",
///               "attributes": ["id", "triggers_replace"], "forced_by": ["triggers_replace"], "import": false}],
///  "outputs": [{"name": "id", "actions": ["update"], "sensitive": false}]}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanSummary {
    /// The version of the plan's JSON format.
    pub format_version: String,
    /// The version of the tool that planned.
    pub tool_version: String,
    /// How many resources it does what to.
    pub counts: Counts,
    /// What was found changed in the world, one entry per attribute.
    pub drift: Vec<Drift>,
    /// What is put off to a later plan.
    pub deferred: Vec<ChangeSummary>,
    /// Whether planning failed on the way.
    pub errored: bool,
    /// What would be done, in the plan's own order; what is left alone is left out.
    pub changes: Vec<ChangeSummary>,
    /// The outputs that would change.
    pub outputs: Vec<OutputSummary>,
}

impl Document for PlanSummary {
    const KIND: &'static str = "plan_summary";
    const SCHEMA_VERSION: u32 = 1;
}

/// What would be done to one resource instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeSummary {
    /// The absolute address.
    pub address: String,
    /// The address before a `moved` block took effect, where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_address: Option<String>,
    /// The resource type.
    pub r#type: String,
    /// Managed resource or data source.
    pub mode: ResourceMode,
    /// The actions, in the plan's own order.
    pub actions: Actions,
    /// Why these actions, in the tool's own word, or why it is put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The attributes that differ between before and after; the empty path is the whole.
    pub attributes: Vec<AttributePath>,
    /// The attributes that force a replacement.
    pub forced_by: Vec<AttributePath>,
    /// Whether it exists already and comes under management.
    pub import: bool,
}

/// One attribute that was changed in the world, past Terraform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// The resource's absolute address.
    pub address: String,
    /// The attribute; empty where the whole resource is gone.
    pub path: AttributePath,
    /// What happened in the world: `update` or `delete`.
    pub actions: Actions,
}

/// What would change in an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutputSummary {
    /// The output's name.
    pub name: String,
    /// The actions.
    pub actions: Actions,
    /// Whether its value is sensitive, before or after.
    pub sensitive: bool,
}

impl PlanSummary {
    pub(super) fn of(plan: &Plan) -> Self {
        let deferred = plan.deferred_changes.iter().map(|deferred| ChangeSummary {
            reason: Some(deferred.reason.clone()),
            ..ChangeSummary::of(&deferred.resource_change)
        });
        let outputs = plan.effective_outputs().map(|(name, change)| OutputSummary {
            name: name.to_owned(),
            actions: change.actions.clone(),
            sensitive: [&change.before_sensitive, &change.after_sensitive]
                .iter()
                .any(|marks| marks.as_ref().is_some_and(|marks| marks.text().contains("true"))),
        });
        Self {
            format_version: plan.format_version.clone(),
            tool_version: plan.tool_version.clone(),
            counts: plan.counts(),
            drift: plan.resource_drift.iter().flat_map(Drift::of).collect(),
            deferred: deferred.collect(),
            errored: plan.errored,
            changes: plan.effective_changes().map(ChangeSummary::of).collect(),
            outputs: outputs.collect(),
        }
    }
}

impl ChangeSummary {
    fn of(change: &ResourceChange) -> Self {
        Self {
            address: change.address.clone(),
            previous_address: change.previous_address.clone().filter(|_| change.is_move()),
            r#type: change.r#type.clone(),
            mode: change.mode.clone(),
            actions: change.change.actions.clone(),
            reason: change.action_reason.clone(),
            attributes: change.differing(),
            forced_by: change.forced_by(),
            import: change.is_import(),
        }
    }
}

impl Drift {
    /// The attributes of one entry of `resource_drift`.
    fn of(change: &ResourceChange) -> impl Iterator<Item = Self> {
        let mut paths = change.differing();
        if paths.is_empty() {
            paths.push(AttributePath::default());
        }
        let (address, actions) = (change.address.clone(), change.change.actions.clone());
        paths.into_iter().map(move |path| Self { address: address.clone(), path, actions: actions.clone() })
    }
}
