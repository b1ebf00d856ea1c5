use std::collections::BTreeMap;

use super::{Change, Counts, DeferredChange, Foreign, PlanSummary, ResourceChange, open::open_struct};
use crate::terraform::TerraformError;

open_struct! {
    /// A plan. Its JSON is documented at <https://developer.hashicorp.com/terraform/internals/json-format>; the
    /// number after a member is the release of Terraform that brought it.
    Plan {
        /// The format's version; minor versions only add.
        format_version: String = "format_version",
        /// The version of the tool that planned. OpenTofu writes its own here.
        tool_version: String = "terraform_version",
        /// The root module's variables.
        variables: BTreeMap<String, PlanVariable> = "variables",
        /// What would stand afterwards.
        planned_values: Option<Foreign> = "planned_values",
        /// What was found changed in the world, outside of Terraform (0.15.4).
        resource_drift: Vec<ResourceChange> = "resource_drift",
        /// What would be done. Instances to which nothing is done are here too, with the action `no-op`.
        resource_changes: Vec<ResourceChange> = "resource_changes",
        /// What is put off to a later plan (1.9).
        deferred_changes: Vec<DeferredChange> = "deferred_changes",
        /// What would change in the root module's outputs.
        output_changes: BTreeMap<String, Change> = "output_changes",
        /// The state it was planned against, refreshed.
        prior_state: Option<Foreign> = "prior_state",
        /// The configuration, expressions included.
        configuration: Option<Foreign> = "configuration",
        /// Attributes that brought changes about (1.2).
        relevant_attributes: Option<Foreign> = "relevant_attributes",
        /// Results of check blocks and conditions (1.3).
        checks: Option<Foreign> = "checks",
        /// Actions that would be invoked (1.14).
        action_invocations: Vec<Foreign> = "action_invocations",
        /// Actions that are put off (1.14).
        deferred_action_invocations: Vec<Foreign> = "deferred_action_invocations",
        /// When it was planned (1.5).
        timestamp: Option<String> = "timestamp",
        /// Whether applying it makes sense: nothing failed and there is something to do (1.8).
        applyable: Option<bool> = "applyable",
        /// Whether nothing is left to be planned in another round (1.8).
        complete: Option<bool> = "complete",
        /// Whether planning failed on the way (1.6).
        errored: bool = "errored",
    }
}

open_struct! {
    /// The value of a root module variable.
    PlanVariable {
        /// The value; absent where there is none, and for ephemeral variables.
        value: Option<Foreign> = "value",
    }
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// [`TerraformError::NotAPlan`] where the bytes are no JSON object of that kind,
    /// [`TerraformError::PlanFormat`] where the format's major version is unknown.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Self, TerraformError> {
        let plan: Self =
            serde_json::from_slice(bytes.as_ref()).map_err(|error| TerraformError::not_a_plan(&error))?;
        match plan.format_version.split_once('.') {
            Some(("0" | "1", _)) => Ok(plan),
            _ => Err(TerraformError::PlanFormat { found: plan.format_version }),
        }
    }

    /// How many resource instances it does what to.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.resource_changes)
    }

    /// The changes to resources that would do anything, be it only to the state.
    pub fn effective_changes(&self) -> impl Iterator<Item = &ResourceChange> {
        self.resource_changes.iter().filter(|change| change.is_effective())
    }

    /// The outputs that would change.
    pub fn effective_outputs(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.output_changes
            .iter()
            .filter(|(_, change)| !change.actions.is_no_op())
            .map(|(name, change)| (name.as_str(), change))
    }

    /// Whether applying it would do nothing, the state included, and nothing is put off.
    ///
    /// Drift alone does not count: a resource that changed in the world and is wanted so, or is under
    /// `ignore_changes`, is written to the state when something else is applied.
    pub fn is_no_change(&self) -> bool {
        !self.errored
            && self.effective_changes().next().is_none()
            && self.effective_outputs().next().is_none()
            && self.deferred_changes.is_empty()
            && self.action_invocations.is_empty()
            && self.deferred_action_invocations.is_empty()
    }

    /// What it does, without any value.
    pub fn summary(&self) -> PlanSummary {
        PlanSummary::of(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn unknown_members() -> impl Strategy<Value = serde_json::Map<String, Value>> {
        let leaf = prop_oneof![
            Just(json!(true)),
            any::<u64>().prop_map(|n| json!(n)),
            ".{0,8}".prop_map(|s| json!(s)),
        ];
        let value = leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::hash_map(".{0,4}", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        prop::collection::hash_map("x_[a-z\u{e9}\"]{0,5}", value, 0..4)
            .prop_map(|members| members.into_iter().collect())
    }

    fn with(mut known: Value, unknown: &serde_json::Map<String, Value>) -> Value {
        known.as_object_mut().unwrap().extend(unknown.clone());
        known
    }

    proptest! {
        #[test]
        fn members_of_a_newer_format_are_kept(a in unknown_members(), b in unknown_members(), c in unknown_members()) {
            let change = with(json!({"actions": ["later", "create"], "after": {"n": 1}}), &a);
            let resource = with(
                json!({"address": "a.b", "mode": "list", "type": "a", "name": "b", "change": change}),
                &b,
            );
            let plan = with(json!({"format_version": "1.9", "resource_changes": [resource]}), &c);
            let parsed = Plan::parse(plan.to_string()).unwrap();
            prop_assert_eq!(serde_json::to_value(&parsed).unwrap(), plan);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Plan::parse(&bytes);
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        let text = r#"{"format_version":"1.2","x":[1.10,1e400,123456789012345678901234567890]}"#;
        let plan = Plan::parse(text).unwrap();
        assert_eq!(serde_json::to_string(&plan).unwrap(), text);
    }

    #[test]
    fn another_major_version_and_no_plan_at_all_are_refused() {
        let newer = Plan::parse(r#"{"format_version": "2.0"}"#);
        assert!(matches!(newer, Err(TerraformError::PlanFormat { .. })));
        assert!(matches!(Plan::parse("{}"), Err(TerraformError::PlanFormat { .. })));
        for text in ["", "[]", "null", r#"{"format_version": "1.2", "resource_changes": 1}"#] {
            assert!(matches!(Plan::parse(text), Err(TerraformError::NotAPlan { .. })), "{text}");
        }
        let message = newer.unwrap_err().to_string();
        assert!(message.contains("help:"), "{message}");
    }

    #[test]
    fn debug_shows_no_value() {
        let plan = Plan::parse(r#"{"format_version": "1.2", "variables": {"p": {"value": "hunter2"}}}"#);
        assert!(!format!("{plan:?}").contains("hunter2"));
    }
}
