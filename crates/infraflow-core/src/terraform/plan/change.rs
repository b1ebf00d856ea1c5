use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Actions, AttributePath, Foreign, Step, difference, open::open_struct};

open_struct! {
    /// What a plan does to one resource instance. Its JSON: `resource_changes[]`, `resource_drift[]`.
    ResourceChange {
        /// The absolute address, `module.a["x"].terraform_data.b[0]`.
        address: String = "address",
        /// The address before a `moved` block took effect (1.1).
        previous_address: Option<String> = "previous_address",
        /// The address of the module instance; absent in the root module.
        module_address: Option<String> = "module_address",
        /// Managed resource or data source.
        mode: ResourceMode = "mode",
        /// The resource type.
        r#type: String = "type",
        /// The resource's name.
        name: String = "name",
        /// The instance key: a string or a number.
        index: Option<Foreign> = "index",
        /// The provider's full name, `registry.terraform.io/hashicorp/aws` (0.13).
        provider: String = "provider_name",
        /// The key of a deposed object, where the change is about one.
        deposed: Option<String> = "deposed",
        /// The change itself.
        change: Change = "change",
        /// Why these actions, for example `replace_because_cannot_update` (0.15).
        action_reason: Option<String> = "action_reason",
    }
}

open_struct! {
    /// What changes in a value: the JSON of `resource_changes[].change` and `output_changes.NAME`.
    Change {
        /// The actions, in the plan's own order.
        actions: Actions = "actions",
        /// The value before; absent for what is created.
        before: Option<Foreign> = "before",
        /// The value after, without what is not known yet; absent for what is deleted.
        after: Option<Foreign> = "after",
        /// `true` wherever the value after is known only after apply.
        after_unknown: Option<Foreign> = "after_unknown",
        /// `true` wherever the value before is sensitive (0.15).
        before_sensitive: Option<Foreign> = "before_sensitive",
        /// `true` wherever the value after is sensitive (0.15).
        after_sensitive: Option<Foreign> = "after_sensitive",
        /// The attributes that force a replacement (0.15).
        replace_paths: Vec<Vec<Step>> = "replace_paths",
        /// The import that makes this resource managed (1.5).
        importing: Option<Importing> = "importing",
        /// Configuration generated for an import (1.5).
        generated_config: Option<Foreign> = "generated_config",
        /// The resource's identity before (1.12).
        before_identity: Option<Foreign> = "before_identity",
        /// The resource's identity after (1.12).
        after_identity: Option<Foreign> = "after_identity",
    }
}

open_struct! {
    /// An import (1.5).
    Importing {
        /// The provider's name for what is imported.
        id: Option<Foreign> = "id",
        /// The identity, where the import is by identity (1.12).
        identity: Option<Foreign> = "identity",
        /// Whether id or identity are known only later (1.8).
        unknown: Option<bool> = "unknown",
    }
}

open_struct! {
    /// A change that the plan puts off to a later one (1.9).
    DeferredChange {
        /// Why, for example `instance_count_unknown`.
        reason: String = "reason",
        /// What would change, as far as it is known.
        resource_change: ResourceChange = "resource_change",
    }
}

/// Whether a resource is managed or only read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResourceMode {
    /// `resource`.
    Managed,
    /// `data`.
    Data,
    /// A mode of a newer tool, by its name.
    #[serde(untagged)]
    Other(String),
}

impl Default for ResourceMode {
    /// What an absent mode is read as, so that it is written back as absent.
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl ResourceChange {
    /// Whether the state records this resource under another address than before.
    pub fn is_move(&self) -> bool {
        self.previous_address.as_ref().is_some_and(|previous| *previous != self.address)
    }

    /// Whether the state comes to manage something that exists already.
    pub fn is_import(&self) -> bool {
        self.change.importing.is_some()
    }

    /// The attributes that differ between before and after, those that are known only after apply included; the
    /// whole, as the one path, where something is created, deleted or forgotten. Of a sensitive map no key is named.
    pub fn differing(&self) -> Vec<AttributePath> {
        let change = &self.change;
        let marks = self.marks();
        let marks: Vec<&str> = marks.iter().map(String::as_str).collect();
        difference::paths(
            change.before.as_ref(),
            change.after.as_ref(),
            change.after_unknown.as_ref(),
            &marks,
        )
    }

    /// The attributes that force a replacement. Of a sensitive map no key is named.
    pub fn forced_by(&self) -> Vec<AttributePath> {
        let marks = self.marks();
        let marks: Vec<&str> = marks.iter().map(String::as_str).collect();
        let paths = self.change.replace_paths.iter().cloned().map(AttributePath);
        paths.map(|path| difference::shown(path, &marks)).collect()
    }

    /// Where its values are sensitive, as marks of their shape: those of both sides, for a value that became
    /// sensitive was no less a secret before, and those that `terraform_data.output` lacks (Terraform 1.11.4),
    /// which repeats `input`.
    pub(crate) fn marks(&self) -> Vec<String> {
        let mut found = Vec::new();
        for marks in [&self.change.before_sensitive, &self.change.after_sensitive].into_iter().flatten() {
            if !marks.text().contains("true") {
                continue;
            }
            found.push(marks.text().to_owned());
            if self.r#type == "terraform_data"
                && let Some(input) = marks.member("input")
            {
                found.push(format!("{{\"output\":{}}}", input.text()));
            }
        }
        found
    }

    /// Whether applying would do anything, be it only to the state.
    pub fn is_effective(&self) -> bool {
        !self.change.actions.is_no_op() || self.is_move() || self.is_import()
    }
}

impl Change {
    /// Whether this action is among the change's.
    pub fn does(&self, action: &Action) -> bool {
        self.actions.contains(action)
    }
}
