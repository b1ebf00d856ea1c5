use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    AttributePath, Change, Foreign, Plan, ResourceChange, Step,
    foreign::{DEPTH, Shape},
};
use crate::terraform::TerraformError;

/// One sensitive value, and where the plan has it. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SensitiveValue {
    /// A resource's address, `var.NAME` or `output.NAME`, each below its module.
    pub address: String,
    /// Where in it.
    pub path: AttributePath,
    /// The text of a string, unescaped, or the digits of a number.
    pub value: String,
}

impl SensitiveValue {
    /// A sensitive value that comes from elsewhere, for example from the environment.
    pub fn new(address: impl Into<String>, path: AttributePath, value: impl Into<String>) -> Self {
        Self { address: address.into(), path, value: value.into() }
    }
}

impl fmt::Debug for SensitiveValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SensitiveValue({} {}, {} bytes)", self.address, self.path, self.value.len())
    }
}

impl Plan {
    /// Every sensitive value that the plan holds, sorted: strings that are not empty, and numbers. Booleans
    /// are left out, for hiding each `true` hides nothing and makes a log unreadable.
    ///
    /// Marks are read wherever the tools write them: resource changes, drift, put-off changes, outputs,
    /// planned values, prior state, actions, and variables and module variables that are declared sensitive,
    /// with their defaults and constants. Beyond the marks:
    /// - What is marked before or after counts as marked on both sides: a value that became sensitive was
    ///   no less a secret before.
    /// - `terraform_data.output` repeats `input` without its mark (Terraform 1.11.4), so `input`'s marks hold for it.
    /// - Identities and import ids carry no marks of their own; those of attributes of the same name hold.
    ///
    /// Values are meant to be hidden wherever they stand, so a copy in an unmarked place (a check's message,
    /// generated configuration) needs no entry of its own. Keys of sensitive maps and secrets that nobody marked
    /// (a password written into a provider block) are not found.
    ///
    /// # Errors
    /// [`TerraformError::NotAPlan`] or [`TerraformError::TooDeep`] where a part is not as the tools write it:
    /// a plan that is not understood must not count as one without secrets.
    pub fn sensitive_values(&self) -> Result<Vec<SensitiveValue>, TerraformError> {
        let mut found = Found::default();
        for change in &self.resource_changes {
            found.resource(change)?;
        }
        for change in &self.resource_drift {
            found.resource(change)?;
        }
        for deferred in &self.deferred_changes {
            found.resource(&deferred.resource_change)?;
        }
        for (name, change) in &self.output_changes {
            found.change(&format!("output.{name}"), change, None)?;
        }
        for invocation in self.action_invocations.iter().chain(&self.deferred_action_invocations) {
            found.invocation(invocation.text())?;
        }
        for values in [
            self.planned_values.as_ref().map(Foreign::text),
            self.prior_state.as_ref().map(|state| state.text()),
        ]
        .into_iter()
        .flatten()
        {
            found.values(values)?;
        }
        if let Some(configuration) = &self.configuration {
            let configuration: Configuration<'_> = read(configuration.text())?;
            if let Some(root) = &configuration.root_module {
                for (name, _) in root.sensitive_variables() {
                    if let Some(value) = self.variables.get(name).and_then(|v| v.value.as_ref()) {
                        let address = format!("var.{name}");
                        found.leaves(&address, value.text(), &AttributePath::default(), 0)?;
                    }
                }
                found.module("", root)?;
            }
        }
        Ok(found.0.into_iter().collect())
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, TerraformError> {
    serde_json::from_str(text).map_err(|error| TerraformError::not_a_plan(&error))
}

#[derive(Default)]
struct Found(BTreeSet<SensitiveValue>);

impl Found {
    fn resource(&mut self, resource: &ResourceChange) -> Result<(), TerraformError> {
        let (address, change) = (&resource.address, &resource.change);
        self.change(address, change, Some(&resource.r#type))?;
        let identities = [
            change.before_identity.as_ref(),
            change.after_identity.as_ref(),
            change.importing.as_ref().and_then(|importing| importing.identity.as_ref()),
        ];
        for marks in [&change.before_sensitive, &change.after_sensitive].into_iter().flatten() {
            for identity in identities.into_iter().flatten() {
                let path = AttributePath(vec![Step::Name("identity".into())]);
                self.marked(address, identity.text(), marks.text(), &path, 0)?;
            }
            if let Some(id) = change.importing.as_ref().and_then(|importing| importing.id.as_ref()) {
                let mark = marks.member("id");
                let path = AttributePath(vec![Step::Name("import_id".into())]);
                let mark = mark.as_ref().map_or(marks.text(), Foreign::text);
                if mark == "true" {
                    self.leaves(address, id.text(), &path, 0)?;
                }
            }
        }
        Ok(())
    }

    fn change(&mut self, address: &str, change: &Change, kind: Option<&str>) -> Result<(), TerraformError> {
        for marks in [&change.before_sensitive, &change.after_sensitive].into_iter().flatten() {
            for value in [&change.before, &change.after].into_iter().flatten() {
                self.attributes(address, kind, value.text(), marks.text())?;
            }
        }
        Ok(())
    }

    /// The attributes of a resource of a type, or the value of an output.
    fn attributes(
        &mut self,
        address: &str,
        kind: Option<&str>,
        value: &str,
        marks: &str,
    ) -> Result<(), TerraformError> {
        if !marks.contains("true") {
            return Ok(());
        }
        self.marked(address, value, marks, &AttributePath::default(), 0)?;
        if kind == Some("terraform_data")
            && let (Shape::Object(value), Shape::Object(marks)) = (Shape::of(value), Shape::of(marks))
            && let (Some(output), Some(marks)) = (value.get("output"), marks.get("input"))
        {
            let path = AttributePath(vec![Step::Name("output".into())]);
            self.marked(address, output.get(), marks.get(), &path, 0)?;
        }
        Ok(())
    }

    /// What is marked in a value: `marks` is `true`, or has the value's shape with `true` in it.
    fn marked(
        &mut self,
        address: &str,
        value: &str,
        marks: &str,
        at: &AttributePath,
        depth: usize,
    ) -> Result<(), TerraformError> {
        if !marks.contains("true") {
            return Ok(());
        }
        if depth > DEPTH {
            return Err(TerraformError::TooDeep { place: address.to_owned(), limit: DEPTH });
        }
        match (Shape::of(value), Shape::of(marks)) {
            (_, Shape::Bool(true)) => self.leaves(address, value, at, depth),
            (Shape::Null, _) | (_, Shape::Bool(false) | Shape::Null) => Ok(()),
            (Shape::Object(value), Shape::Object(marks)) => {
                for (name, marks) in marks {
                    if let Some(value) = value.get(&name) {
                        let at = at.then(Step::Name(name));
                        self.marked(address, value.get(), marks.get(), &at, depth + 1)?;
                    }
                }
                Ok(())
            }
            (Shape::Array(value), Shape::Array(marks)) => {
                for (index, (value, marks)) in value.iter().zip(&marks).enumerate() {
                    let at = at.then(Step::Index(index as u64));
                    self.marked(address, value.get(), marks.get(), &at, depth + 1)?;
                }
                Ok(())
            }
            // Marks of another shape than the value's: a side that changed its type. Nothing of it is trusted.
            _ => self.leaves(address, value, at, depth),
        }
    }

    /// Every string and number in a value.
    fn leaves(
        &mut self,
        address: &str,
        value: &str,
        at: &AttributePath,
        depth: usize,
    ) -> Result<(), TerraformError> {
        if depth > DEPTH {
            return Err(TerraformError::TooDeep { place: address.to_owned(), limit: DEPTH });
        }
        let mut keep = |value: &str| {
            if !value.is_empty() {
                self.0.insert(SensitiveValue::new(address, at.clone(), value));
            }
        };
        match Shape::of(value) {
            Shape::Null | Shape::Bool(_) => {}
            Shape::Number(digits) => keep(digits),
            Shape::String(text) => keep(&text),
            Shape::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.leaves(address, item.get(), &at.then(Step::Index(index as u64)), depth + 1)?;
                }
            }
            Shape::Object(members) => {
                for (name, member) in members {
                    self.leaves(address, member.get(), &at.then(Step::Name(name)), depth + 1)?;
                }
            }
        }
        Ok(())
    }

    /// An action invocation (1.14), put off or not.
    fn invocation(&mut self, text: &str) -> Result<(), TerraformError> {
        let mut invocation: Invocation<'_> = read(text)?;
        if let Some(inner) = invocation.action_invocation.take() {
            invocation = *inner;
        }
        let address = invocation.address.unwrap_or_default();
        match (invocation.config_values, invocation.config_sensitive) {
            (Some(value), Some(marks)) => {
                self.marked(&address, value.get(), marks.get(), &AttributePath::default(), 0)
            }
            _ => Ok(()),
        }
    }

    /// `planned_values`, or a state, whose `values` have the same shape.
    fn values(&mut self, text: &str) -> Result<(), TerraformError> {
        let mut values: Values<'_> = read(text)?;
        if let Some(inner) = values.values.take() {
            values = *inner;
        }
        for (name, output) in values.outputs.iter().flatten() {
            if let (Some(true), Some(value)) = (output.sensitive, output.value) {
                self.leaves(&format!("output.{name}"), value.get(), &AttributePath::default(), 0)?;
            }
        }
        values.root_module.iter().try_for_each(|module| self.module_values(module))
    }

    fn module_values(&mut self, module: &ModuleValues<'_>) -> Result<(), TerraformError> {
        for resource in module.resources.iter().flatten() {
            if let (Some(value), Some(marks)) = (resource.values, resource.sensitive_values) {
                let kind = resource.r#type.as_deref();
                self.attributes(resource.address.as_deref().unwrap_or(""), kind, value.get(), marks.get())?;
            }
        }
        module.child_modules.iter().flatten().try_for_each(|child| self.module_values(child))
    }

    /// A module of the configuration: defaults of sensitive variables, and constants given to them.
    fn module(&mut self, prefix: &str, module: &ModuleConfiguration<'_>) -> Result<(), TerraformError> {
        for (name, variable) in module.sensitive_variables() {
            if let Some(default) = variable.default {
                let address = format!("{prefix}var.{name}");
                self.leaves(&address, default.get(), &AttributePath::default(), 0)?;
            }
        }
        for (name, call) in module.module_calls.iter().flatten() {
            let Some(callee) = &call.module else { continue };
            let prefix = format!("{prefix}module.{name}.");
            for (name, _) in callee.sensitive_variables() {
                if let Some(expression) = call.expressions.iter().flatten().find(|(key, _)| *key == name) {
                    self.constants(&format!("{prefix}var.{name}"), expression.1.get(), 0)?;
                }
            }
            self.module(&prefix, callee)?;
        }
        Ok(())
    }

    /// The constants in an expression, as the configuration writes it: `{"constant_value": …}`, or blocks and
    /// lists of such.
    fn constants(&mut self, address: &str, expression: &str, depth: usize) -> Result<(), TerraformError> {
        if depth > DEPTH {
            return Err(TerraformError::TooDeep { place: address.to_owned(), limit: DEPTH });
        }
        match Shape::of(expression) {
            Shape::Object(members) => members.iter().try_for_each(|(name, member)| match name.as_str() {
                "constant_value" => self.leaves(address, member.get(), &AttributePath::default(), 0),
                _ => self.constants(address, member.get(), depth + 1),
            }),
            Shape::Array(items) => {
                items.iter().try_for_each(|item| self.constants(address, item.get(), depth + 1))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Invocation<'a> {
    address: Option<String>,
    #[serde(borrow)]
    config_values: Option<&'a RawValue>,
    #[serde(borrow)]
    config_sensitive: Option<&'a RawValue>,
    #[serde(borrow)]
    action_invocation: Option<Box<Invocation<'a>>>,
}

#[derive(Deserialize)]
struct Values<'a> {
    #[serde(borrow)]
    values: Option<Box<Values<'a>>>,
    #[serde(borrow)]
    outputs: Option<BTreeMap<String, OutputValue<'a>>>,
    #[serde(borrow)]
    root_module: Option<ModuleValues<'a>>,
}

#[derive(Deserialize)]
struct OutputValue<'a> {
    sensitive: Option<bool>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ModuleValues<'a> {
    #[serde(borrow)]
    resources: Option<Vec<ResourceValues<'a>>>,
    #[serde(borrow)]
    child_modules: Option<Vec<ModuleValues<'a>>>,
}

#[derive(Deserialize)]
struct ResourceValues<'a> {
    address: Option<String>,
    r#type: Option<String>,
    #[serde(borrow)]
    values: Option<&'a RawValue>,
    #[serde(borrow)]
    sensitive_values: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Configuration<'a> {
    #[serde(borrow)]
    root_module: Option<ModuleConfiguration<'a>>,
}

#[derive(Deserialize)]
struct ModuleConfiguration<'a> {
    #[serde(borrow)]
    variables: Option<BTreeMap<String, VariableConfiguration<'a>>>,
    #[serde(borrow)]
    module_calls: Option<BTreeMap<String, CallConfiguration<'a>>>,
}

impl<'a> ModuleConfiguration<'a> {
    fn sensitive_variables(&self) -> impl Iterator<Item = (&str, &VariableConfiguration<'a>)> {
        self.variables
            .iter()
            .flatten()
            .filter(|(_, variable)| variable.sensitive == Some(true))
            .map(|(name, variable)| (name.as_str(), variable))
    }
}

#[derive(Deserialize)]
struct VariableConfiguration<'a> {
    sensitive: Option<bool>,
    #[serde(borrow)]
    default: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct CallConfiguration<'a> {
    #[serde(borrow)]
    expressions: Option<BTreeMap<String, &'a RawValue>>,
    #[serde(borrow)]
    module: Option<ModuleConfiguration<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(plan: serde_json::Value) -> Vec<String> {
        let mut plan = plan;
        plan["format_version"] = "1.2".into();
        let plan = Plan::parse(plan.to_string()).unwrap();
        let values = plan.sensitive_values().unwrap();
        values.iter().map(|v| format!("{}|{}|{}", v.address, v.path, v.value)).collect()
    }

    fn resource(kind: &str, change: serde_json::Value) -> serde_json::Value {
        json!({"address": "r.a", "mode": "managed", "type": kind, "name": "a", "change": change})
    }

    #[test]
    fn marks_count_on_both_sides_and_in_depth() {
        let change = json!({"actions": ["update"],
            "before": {"p": "old", "l": [{"k": "one", "open": "x"}], "n": 4, "b": true},
            "after": {"p": "new", "l": [{"k": "two", "open": "x"}], "n": 5, "b": false},
            "before_sensitive": {"n": true, "b": true}, "after_sensitive": {"p": true, "l": [{"k": true}]}});
        assert_eq!(
            found(json!({"resource_changes": [resource("r", change)]})),
            ["r.a|l[0].k|one", "r.a|l[0].k|two", "r.a|n|4", "r.a|n|5", "r.a|p|new", "r.a|p|old"]
        );
    }

    #[test]
    fn every_place_that_has_marks_is_read() {
        let change = |value: &str| {
            json!({"actions": ["update"], "before": {"p": value}, "before_sensitive": {"p": true},
                   "after": null, "after_sensitive": false})
        };
        let values = |value: &str| {
            let resource = json!({"address": "m.r", "type": "r", "values": {"p": value},
                                  "sensitive_values": {"p": true}});
            json!({"outputs": {"o": {"sensitive": true, "value": {"x": format!("{value}-output")}}},
                   "root_module": {"child_modules": [{"address": "module.m", "resources": [resource]}]}})
        };
        let invocation =
            json!({"address": "action.a", "config_values": {"t": "acted"}, "config_sensitive": {"t": true}});
        let module = json!({"variables": {"inner": {"sensitive": true, "default": "inner default"}}});
        let found = found(json!({
            "resource_drift": [resource("r", change("drifted"))],
            "deferred_changes": [{"reason": "x", "resource_change": resource("r", change("deferred"))}],
            "output_changes": {"o": {"actions": ["create"], "after": "out", "after_sensitive": true}},
            "action_invocations": [invocation],
            "deferred_action_invocations": [{"reason": "x", "action_invocation":
                {"address": "action.b", "config_values": {"t": "put off"}, "config_sensitive": true}}],
            "planned_values": values("planned"),
            "prior_state": {"format_version": "1.0", "values": values("prior")},
            "variables": {"pw": {"value": ["given"]}, "open": {"value": "open"}},
            "configuration": {"root_module": {
                "variables": {"pw": {"sensitive": true, "default": "defaulted"}, "open": {}},
                "module_calls": {"c": {"expressions": {"inner": {"constant_value": "constant"}}, "module": module}}}},
        }));
        for value in [
            "drifted",
            "deferred",
            "out",
            "acted",
            "put off",
            "planned",
            "planned-output",
            "prior",
            "prior-output",
            "given",
            "defaulted",
            "constant",
            "inner default",
        ] {
            assert!(found.iter().any(|found| found.ends_with(&format!("|{value}"))), "{value}: {found:?}");
        }
        assert!(!found.iter().any(|found| found.ends_with("|open")));
    }

    #[test]
    fn terraform_data_repeats_its_input_and_the_repetition_is_a_secret_too() {
        let change = json!({"actions": ["delete"], "before": {"input": {"p": "secret"}, "output": {"p": "older"}},
            "before_sensitive": {"input": {"p": true}, "output": {}}, "after": null, "after_sensitive": false});
        assert_eq!(
            found(json!({"resource_changes": [resource("terraform_data", change)]})),
            ["r.a|input.p|secret", "r.a|output.p|older"]
        );
    }

    #[test]
    fn identities_and_import_ids_have_the_marks_of_their_attributes() {
        let change = json!({"actions": ["no-op"], "before": {"id": "i", "name": "n"},
            "before_sensitive": {"id": true, "name": true}, "after": {"id": "i", "name": "n"},
            "after_sensitive": {}, "after_identity": {"name": "by name", "region": "eu"},
            "importing": {"id": "by id"}});
        assert_eq!(
            found(json!({"resource_changes": [resource("r", change)]})),
            ["r.a|id|i", "r.a|identity.name|by name", "r.a|import_id|by id", "r.a|name|n"]
        );
    }

    #[test]
    fn a_plan_that_is_not_understood_is_no_plan_without_secrets() {
        let deep = format!("{}\"s\"{}", "[".repeat(200), "]".repeat(200));
        let text = format!(
            r#"{{"format_version": "1.2", "output_changes": {{"o": {{"after": {deep}, "after_sensitive": true}}}}}}"#
        );
        let plan = Plan::parse(text).unwrap();
        assert!(matches!(plan.sensitive_values(), Err(TerraformError::TooDeep { .. })));
        let plan = Plan::parse(r#"{"format_version": "1.2", "planned_values": {"root_module": 7}}"#).unwrap();
        assert!(matches!(plan.sensitive_values(), Err(TerraformError::NotAPlan { .. })));
    }

    #[test]
    fn debug_hides_the_value() {
        let value = SensitiveValue::new("var.p", AttributePath::default(), "hunter2");
        assert!(!format!("{value:?}").contains("hunter2"));
    }
}
