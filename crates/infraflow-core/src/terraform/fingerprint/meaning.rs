use std::{fmt::Write as _, path::Path};

use serde::Deserialize;

use super::{
    Closure,
    keyed::{Keyed, names_of, quoted},
};
use crate::{
    proof::{Digest, Hmac, canonical_json},
    terraform::{
        TerraformError,
        plan::{AttributePath, Change, Foreign, Plan, ResourceChange},
    },
};

/// The type whose `id` names nothing.
const TERRAFORM_DATA: &str = "terraform_data";

/// What a plan means; see the module's documentation.
///
/// `folder` is the folder whose tree was planned: its path in values means nothing.
///
/// # Errors
/// [`TerraformError::NotAPlan`] or [`TerraformError::TooDeep`] where a part of the plan is not as the tools
/// write it.
pub fn fingerprint(
    plan: &Plan,
    closure: &Closure,
    hmac: &Hmac,
    folder: &Path,
) -> Result<Digest, TerraformError> {
    let mut words: Vec<(String, String)> =
        names_of(folder).into_iter().map(|name| (name, "(folder)".to_owned())).collect();
    words.extend(random_ids(plan)?);
    let keyed = Keyed::new(hmac, words);
    let mut out = String::from("{\"changes\":[");
    let mut changes: Vec<&ResourceChange> = plan.effective_changes().collect();
    changes.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
    for change in changes {
        out.push_str(&resource(&keyed, change)?);
    }
    out.push_str("],\"deferred\":[");
    for deferred in &plan.deferred_changes {
        out.push_str(&quoted(&deferred.reason));
        out.push_str(&resource(&keyed, &deferred.resource_change)?);
    }
    out.push_str("],\"actions\":[");
    for invocation in plan.action_invocations.iter().chain(&plan.deferred_action_invocations) {
        let inner = invocation.member("action_invocation").unwrap_or_else(|| invocation.clone());
        let marks = inner.member("config_sensitive");
        let marks = marks.as_ref().map_or("null", Foreign::text);
        // The values lie one level down, and so do their marks.
        let marks = format!("{{\"config_values\":{marks}}}");
        out.push_str(&keyed.value("action", Some(&inner), &[&marks], None)?);
    }
    out.push_str("],\"outputs\":{");
    for (name, change) in plan.effective_outputs() {
        out.push_str(&output(&keyed, name, change)?);
    }
    out.push_str("},\"variables\":{");
    let sensitive = sensitive_variables(plan)?;
    for (name, variable) in &plan.variables {
        let marks: &[&str] = if sensitive.contains(name) { &["true"] } else { &[] };
        let value = keyed.value(name, variable.value.as_ref(), marks, None)?;
        let _ = write!(out, "{}:{value},", quoted(name));
    }
    let closure = canonical_json("closure", closure)?;
    let _ = write!(out, "}},\"errored\":{},\"closure\":{closure}}}", plan.errored);
    Ok(Digest::of_bytes(out))
}

fn resource(keyed: &Keyed<'_>, resource: &ResourceChange) -> Result<String, TerraformError> {
    let ResourceChange { address, change, .. } = resource;
    let random_id = Some("id").filter(|_| resource.r#type == TERRAFORM_DATA);
    let marks = resource.marks();
    let marks: Vec<&str> = marks.iter().map(String::as_str).collect();
    let importing = match &change.importing {
        Some(importing) => {
            let id_mark = marks.iter().any(|m| *m == "true" || member(m, "id").as_deref() == Some("true"));
            let mark: &[&str] = if id_mark { &["true"] } else { &[] };
            format!(
                "[{},{}]",
                keyed.value(address, importing.id.as_ref(), mark, None)?,
                keyed.value(address, importing.identity.as_ref(), &marks, None)?
            )
        }
        None => "null".to_owned(),
    };
    let forced: Vec<String> =
        change.replace_paths.iter().map(|path| quoted(&AttributePath(path.clone()).to_string())).collect();
    let actions: Vec<String> = change.actions.0.iter().map(|action| quoted(action.as_str())).collect();
    let mut out = format!(
        "{{\"address\":{},\"previous\":{},\"deposed\":{},\"mode\":{:?},\"type\":{},\"provider\":{},\"actions\":[{}],\
         \"before\":{},\"after\":{},\"unknown\":{},\"sensitive\":{},\"forced\":[{}],\"importing\":{importing},\
         \"identity\":[{},{}]",
        quoted(address),
        resource.previous_address.as_deref().map_or("null".to_owned(), quoted),
        resource.deposed.as_deref().map_or("null".to_owned(), quoted),
        resource.mode,
        quoted(&resource.r#type),
        quoted(&resource.provider),
        actions.join(","),
        keyed.value(address, change.before.as_ref(), &marks, random_id)?,
        keyed.value(address, change.after.as_ref(), &marks, random_id)?,
        keyed.plain(address, change.after_unknown.as_ref())?,
        keyed.plain(address, change.after_sensitive.as_ref())?,
        forced.join(","),
        keyed.value(address, change.before_identity.as_ref(), &marks, random_id)?,
        keyed.value(address, change.after_identity.as_ref(), &marks, random_id)?,
    );
    // What a newer tool says of a change may matter; nobody here can tell that it does not.
    for (name, value) in resource.other.iter().chain(&change.other) {
        let _ = write!(out, ",{}:{}", quoted(name), keyed.plain(address, Some(value))?);
    }
    out.push_str("},");
    Ok(out)
}

fn member(object: &str, name: &str) -> Option<String> {
    let object: Foreign = serde_json::from_str(object).ok()?;
    object.member(name).map(|member| member.text().to_owned())
}

fn output(keyed: &Keyed<'_>, name: &str, change: &Change) -> Result<String, TerraformError> {
    let marks: Vec<&str> = [&change.before_sensitive, &change.after_sensitive]
        .into_iter()
        .flatten()
        .map(Foreign::text)
        .collect();
    let actions: Vec<String> = change.actions.0.iter().map(|action| quoted(action.as_str())).collect();
    Ok(format!(
        "{}:[[{}],{},{},{}],",
        quoted(name),
        actions.join(","),
        keyed.value(name, change.after.as_ref(), &marks, None)?,
        keyed.plain(name, change.after_unknown.as_ref())?,
        keyed.plain(name, change.after_sensitive.as_ref())?,
    ))
}

/// The ids of the `terraform_data` resources that exist, with the address that each belongs to.
fn random_ids(plan: &Plan) -> Result<Vec<(String, String)>, TerraformError> {
    #[derive(Deserialize)]
    struct State {
        values: Option<Values>,
    }
    #[derive(Deserialize)]
    struct Values {
        root_module: Option<Module>,
    }
    #[derive(Deserialize)]
    struct Module {
        resources: Option<Vec<Resource>>,
        child_modules: Option<Vec<Module>>,
    }
    #[derive(Deserialize)]
    struct Resource {
        address: String,
        r#type: String,
        values: Option<Foreign>,
    }
    fn collect(module: Module, found: &mut Vec<(String, String)>) {
        for resource in module.resources.into_iter().flatten().filter(|r| r.r#type == TERRAFORM_DATA) {
            let id = resource.values.and_then(|values| values.member("id"));
            if let Some(id) = id.and_then(|id| serde_json::from_str::<String>(id.text()).ok()) {
                // An imported one has the id that somebody chose, which may be any word.
                if id.len() == 36 {
                    found.push((id, format!("(id of {})", resource.address)));
                }
            }
        }
        module.child_modules.into_iter().flatten().for_each(|child| collect(child, found));
    }
    let mut found = Vec::new();
    if let Some(state) = &plan.prior_state {
        let state: State =
            serde_json::from_str(state.text()).map_err(|error| TerraformError::not_a_plan(&error))?;
        if let Some(root) = state.values.and_then(|values| values.root_module) {
            collect(root, &mut found);
        }
    }
    Ok(found)
}

/// The names of the root module's variables that are declared sensitive.
fn sensitive_variables(plan: &Plan) -> Result<Vec<String>, TerraformError> {
    #[derive(Deserialize)]
    struct Configuration {
        root_module: Option<Module>,
    }
    #[derive(Deserialize)]
    struct Module {
        variables: Option<std::collections::BTreeMap<String, Variable>>,
    }
    #[derive(Deserialize)]
    struct Variable {
        sensitive: Option<bool>,
    }
    let Some(configuration) = &plan.configuration else {
        // Without its configuration nobody knows which are; all of them are then taken to be.
        return Ok(plan.variables.keys().cloned().collect());
    };
    let read: Configuration =
        serde_json::from_str(configuration.text()).map_err(|error| TerraformError::not_a_plan(&error))?;
    let variables = read.root_module.and_then(|root| root.variables).unwrap_or_default();
    Ok(variables
        .into_iter()
        .filter(|(_, variable)| variable.sensitive == Some(true))
        .map(|(name, _)| name)
        .collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::terraform::ToolVersion;
    use serde_json::{Value, json};

    const UUID: &str = "ced6aaea-1196-4418-815f-b93a55c8df9a";
    const OTHER: &str = "f4439284-7a5b-1465-74d9-74c7ca747d6d";

    fn closure(tool: &str) -> Closure {
        Closure::without_files(ToolVersion::parse(tool).unwrap(), BTreeMap::new())
    }

    fn of(plan: &Value) -> Digest {
        let plan = Plan::parse(plan.to_string()).unwrap();
        fingerprint(&plan, &closure("terraform 1.11.4"), &Hmac::new(b"key"), Path::new("/tmp/a")).unwrap()
    }

    /// An update of `secret` and `open` beside an unchanged rest.
    fn plan() -> Value {
        json!({
            "format_version": "1.2", "terraform_version": "1.11.4", "timestamp": "2026-01-01T00:00:00Z",
            "variables": {"pw": {"value": "s"}, "size": {"value": 1}},
            "configuration": {"root_module": {"variables": {"pw": {"sensitive": true}}}},
            "resource_changes": [
                {"address": "x.a", "mode": "managed", "type": "x", "name": "a", "provider_name": "p",
                 "change": {"actions": ["update"],
                    "before": {"id": "i-1", "secret": "old", "open": "a", "place": "/tmp/a/f"},
                    "after": {"id": "i-1", "secret": "new", "open": "b", "place": "/tmp/a/f"},
                    "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {"secret": true}}},
                {"address": "x.same", "mode": "managed", "type": "x", "name": "same",
                 "change": {"actions": ["no-op"], "before": {"n": 1}, "after": {"n": 1}}}],
            "output_changes": {"o": {"actions": ["update"], "before": 1, "after": 2}},
            "prior_state": {"values": {"root_module": {"resources": []}}},
        })
    }

    fn changed(pointer: &str, value: Value) -> Digest {
        let mut plan = plan();
        *plan.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        of(&plan)
    }

    #[test]
    fn what_matters_changes_the_fingerprint() {
        let change = "/resource_changes/0/change";
        for (pointer, value) in [
            (format!("{change}/actions"), json!(["delete", "create"])),
            (format!("{change}/before/id"), json!("i-2")),
            (format!("{change}/before/open"), json!("z")),
            (format!("{change}/after/open"), json!("z")),
            (format!("{change}/after/secret"), json!("z")),
            (format!("{change}/before/secret"), json!("z")),
            (format!("{change}/after_unknown"), json!({"more": true})),
            (format!("{change}/after_sensitive"), json!({"secret": true, "open": true})),
            ("/resource_changes/0/address".into(), json!("x.b")),
            ("/resource_changes/0/provider_name".into(), json!("q")),
            ("/output_changes/o/after".into(), json!(3)),
            ("/variables/size/value".into(), json!(2)),
            ("/variables/pw/value".into(), json!("t")),
        ] {
            assert_ne!(changed(&pointer, value), of(&plan()), "{pointer}");
        }
        let mut more = plan();
        more["resource_changes"][0]["change"]["added_later"] = json!(1);
        assert_ne!(of(&more), of(&plan()), "what a newer tool says");
        more = plan();
        more["resource_changes"][0]["previous_address"] = json!("x.old");
        assert_ne!(of(&more), of(&plan()), "a move");
        more = plan();
        more["deferred_changes"] = json!([{"reason": "r", "resource_change": plan()["resource_changes"][0]}]);
        assert_ne!(of(&more), of(&plan()), "a put-off change");
        more = plan();
        more["action_invocations"] = json!([{"address": "action.a", "config_values": {"v": 1}}]);
        assert_ne!(of(&more), of(&plan()), "an action");
    }

    #[test]
    fn what_does_not_matter_leaves_it() {
        for (pointer, value) in [
            ("/timestamp", json!("2027-01-01T00:00:00Z")),
            ("/resource_changes/1/change/before/n", json!(2)),
            ("/output_changes/o/before", json!(7)),
            (
                "/prior_state",
                json!({"values": {"root_module": {"resources": [{"address": "x.z", "type": "x"}]}}}),
            ),
        ] {
            assert_eq!(changed(pointer, value), of(&plan()), "{pointer}");
        }
        let mut reordered = plan();
        reordered["resource_changes"].as_array_mut().unwrap().reverse();
        assert_eq!(of(&reordered), of(&plan()));
    }

    #[test]
    fn the_folder_that_was_planned_in_means_nothing() {
        let elsewhere = Plan::parse(plan().to_string().replace("/tmp/a", "/var/b")).unwrap();
        let hmac = Hmac::new(b"key");
        let there =
            fingerprint(&elsewhere, &closure("terraform 1.11.4"), &hmac, Path::new("/var/b")).unwrap();
        assert_eq!(there, of(&plan()));
    }

    #[test]
    fn tool_key_workspace_and_mocks_are_part_of_it() {
        let plan = Plan::parse(plan().to_string()).unwrap();
        let with = |closure: Closure, key: &[u8]| {
            fingerprint(&plan, &closure, &Hmac::new(key), Path::new("/tmp/a")).unwrap()
        };
        let base = closure("terraform 1.11.4");
        let original = with(base.clone(), b"key");
        assert_ne!(with(base.clone(), b"other"), original);
        assert_ne!(with(closure("terraform 1.11.5"), b"key"), original);
        assert_ne!(with(closure("tofu 1.11.4"), b"key"), original);
        assert_ne!(with(base.clone().in_workspace(Some("prod")), b"key"), original);
        assert_ne!(with(base.with_mocks(), b"key"), original);
    }

    #[test]
    fn the_id_of_terraform_data_is_taken_for_its_address_wherever_it_stands() {
        let plan = |id: &str| {
            json!({"format_version": "1.2",
            "prior_state": {"values": {"root_module": {"child_modules": [{"resources": [
                {"address": "module.m.terraform_data.a", "type": "terraform_data", "values": {"id": id}}]}]}}},
            "resource_changes": [
                {"address": "module.m.terraform_data.a", "mode": "managed", "type": "terraform_data", "name": "a",
                 "change": {"actions": ["delete", "create"], "before": {"id": id}, "after": {}, "after_unknown": {"id": true}}},
                {"address": "x.b", "mode": "managed", "type": "x", "name": "b",
                 "change": {"actions": ["update"], "before": {"of": format!("db-{id}")}, "after": {"of": null}}}]})
        };
        assert_eq!(of(&plan(UUID)), of(&plan(OTHER)));
        let mut other = plan(UUID);
        other["resource_changes"][1]["change"]["before"]["of"] = json!(format!("db-{OTHER}"));
        assert_ne!(of(&other), of(&plan(UUID)), "an id that belongs to nothing here");
    }

    #[test]
    fn no_secret_could_be_searched_for() {
        // With the whole preimage in clear but for the secret, only the key stands between.
        let keyed = Keyed::new(&Hmac::new(b"key"), Vec::new()).value(
            "x",
            Some(&serde_json::from_str(r#"{"a": "hunter2", "b": ["hunter2", 1]}"#).unwrap()),
            &[r#"{"a": true}"#, r#"{"b": [true, false]}"#],
            None,
        );
        let keyed = keyed.unwrap();
        assert!(!keyed.contains("hunter2") && keyed.ends_with(",1]}"), "{keyed}");
    }
}
