//! Whether what remains to be done was approved: each address, with its actions and its values.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::terraform::plan::{Action, Actions, Change, Foreign, Plan, Replacement, ResourceChange, Shape};

/// How deep values are compared. Beyond that they are taken for different: a person decides.
const DEPTH: usize = 128;

/// The addresses and outputs that a plan still has to do something to.
pub(super) fn remaining(now: &Plan) -> Vec<String> {
    let resources = now.effective_changes().map(|change| change.address.clone());
    let outputs = now.effective_outputs().map(|(name, _)| format!("output.{name}"));
    resources.chain(outputs).collect()
}

/// What of a plan was not in the approved one, as sentences without values. Empty where all of it was.
///
/// A value that the approved plan could not know yet may have become anything; a value that it knew may not
/// have become another one. The half of a replacement that is left was approved with the whole.
pub(super) fn not_approved(approved: &Plan, now: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let by_address: BTreeMap<&str, &ResourceChange> = (approved.effective_changes())
        .filter(|change| change.deposed.is_none())
        .map(|change| (change.address.as_str(), change))
        .collect();
    for change in now.effective_changes() {
        let address = &change.address;
        match by_address.get(address.as_str()) {
            None => found.push(format!("{address} would be touched, and was not in the approved plan")),
            Some(before) => {
                if let Some(why) = resource(before, change) {
                    found.push(format!("{address}: {why}"));
                }
            }
        }
    }
    for (name, change) in now.effective_outputs() {
        let approved = approved.output_changes.get(name).filter(|it| !it.actions.is_no_op());
        match approved {
            None => found.push(format!("output {name} would change, and was not in the approved plan")),
            Some(before) if !after_covers(before, change) => {
                found.push(format!("output {name} would get another value than was approved"));
            }
            Some(_) => {}
        }
    }
    if !now.deferred_changes.is_empty() && approved.deferred_changes.is_empty() {
        found.push("something would be put off that was not in the approved plan".to_owned());
    }
    if !now.action_invocations.is_empty() {
        found.push("actions would be invoked, and nobody knows which of them already were".to_owned());
    }
    found
}

/// Why one change is not the approved one, if it is not.
fn resource(approved: &ResourceChange, now: &ResourceChange) -> Option<String> {
    if now.deposed.is_some() {
        // The old half of a replacement that created first.
        let half = approved.change.actions.replacement() == Some(Replacement::CreateFirst);
        let deletes = now.change.actions.0 == [Action::Delete];
        return (!half || !deletes).then(|| "a deposed object would be destroyed".to_owned());
    }
    let (old, new) = (&approved.change, &now.change);
    if now.is_import() && !approved.is_import() || now.is_move() && !approved.is_move() {
        return Some("it would be imported or moved, which was not approved".to_owned());
    }
    let same = old.actions == new.actions;
    let second_half = old.actions.replacement() == Some(Replacement::DeleteFirst)
        && new.actions == Actions(vec![Action::Create]);
    if !same && !second_half {
        return Some(format!("{} was approved, and now it would be {}", old.actions, new.actions));
    }
    let before = second_half || equal(text(old.before.as_ref()), text(new.before.as_ref()), DEPTH);
    if !before {
        return Some("it is not what it was when the plan was approved".to_owned());
    }
    (!after_covers(old, new)).then(|| "it would get another value than was approved".to_owned())
}

fn after_covers(approved: &Change, now: &Change) -> bool {
    covers(
        text(approved.after.as_ref()),
        text(approved.after_unknown.as_ref()),
        text(now.after.as_ref()),
        text(now.after_unknown.as_ref()),
        DEPTH,
    )
}

fn text(value: Option<&Foreign>) -> &str {
    value.map_or("null", Foreign::text)
}

/// Whether `now` can have come of `approved`: equal wherever that was known.
fn covers(approved: &str, unknown: &str, now: &str, now_unknown: &str, depth: usize) -> bool {
    if unknown == "true" {
        return true;
    }
    if now_unknown == "true" || depth == 0 {
        return false;
    }
    let marks = (Shape::of(unknown), Shape::of(now_unknown));
    match (Shape::of(approved), Shape::of(now)) {
        (Shape::Object(old), Shape::Object(new)) => {
            let (unknown, now_unknown) = (members(marks.0), members(marks.1));
            let names = old.keys().chain(new.keys()).chain(unknown.keys()).chain(now_unknown.keys());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names.dedup();
            names.into_iter().all(|name| {
                let of = |it: &BTreeMap<String, &RawValue>, absent| {
                    it.get(name).map_or(absent, |raw| raw.get()).to_owned()
                };
                covers(
                    &of(&old, "null"),
                    &of(&unknown, "false"),
                    &of(&new, "null"),
                    &of(&now_unknown, "false"),
                    depth - 1,
                )
            })
        }
        (Shape::Array(old), Shape::Array(new)) => {
            let (unknown, now_unknown) = (items(marks.0), items(marks.1));
            let at = |it: &[&RawValue], index: usize, absent| {
                it.get(index).map_or(absent, |raw| raw.get()).to_owned()
            };
            let length = old.len().max(unknown.len());
            length == new.len().max(now_unknown.len())
                && (0..length).all(|index| {
                    covers(
                        &at(&old, index, "null"),
                        &at(&unknown, index, "false"),
                        &at(&new, index, "null"),
                        &at(&now_unknown, index, "false"),
                        depth - 1,
                    )
                })
        }
        _ => equal(approved, now, depth),
    }
}

fn members(shape: Shape<'_>) -> BTreeMap<String, &RawValue> {
    if let Shape::Object(members) = shape { members } else { BTreeMap::new() }
}

fn items(shape: Shape<'_>) -> Vec<&RawValue> {
    if let Shape::Array(items) = shape { items } else { Vec::new() }
}

/// Whether two values are the same, however they are written.
fn equal(a: &str, b: &str, depth: usize) -> bool {
    if a == b {
        return true;
    }
    if depth == 0 {
        return false;
    }
    match (Shape::of(a), Shape::of(b)) {
        (Shape::Object(a), Shape::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, value)| {
                    b.get(name).is_some_and(|other| equal(value.get(), other.get(), depth - 1))
                })
        }
        (Shape::Array(a), Shape::Array(b)) => {
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| equal(a.get(), b.get(), depth - 1))
        }
        (Shape::String(a), Shape::String(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(changes: &[(&str, &str, &str, &str, &str)]) -> Plan {
        let changes: Vec<String> = changes
            .iter()
            .map(|(address, actions, before, after, unknown)| {
                format!(
                    r#"{{"address": "{address}", "mode": "managed", "type": "t", "name": "n", "change":
                    {{"actions": {actions}, "before": {before}, "after": {after}, "after_unknown": {unknown}}}}}"#
                )
            })
            .collect();
        Plan::parse(format!(r#"{{"format_version": "1.2", "resource_changes": [{}]}}"#, changes.join(",")))
            .unwrap()
    }

    const CREATE: &str = r#"["create"]"#;
    const UPDATE: &str = r#"["update"]"#;

    #[test]
    fn what_was_approved_and_is_left_may_be_finished() {
        let a = ("a", CREATE, "null", r#"{"x": 1}"#, r#"{"id": true}"#);
        let b = ("b", CREATE, "null", r#"{"y": 2}"#, r#"{"of_a": true, "id": true}"#);
        let approved = plan(&[a, b]);
        // a stands, so that b's value is known now.
        let now = plan(&[("b", CREATE, "null", r#"{"y": 2, "of_a": "i-123"}"#, r#"{"id": true}"#)]);
        assert!(not_approved(&approved, &now).is_empty());
        assert_eq!(remaining(&now), ["b"]);
    }

    #[test]
    fn another_value_another_action_and_another_address_were_not_approved() {
        let approved = plan(&[("a", UPDATE, r#"{"x": 1}"#, r#"{"x": 2}"#, "{}")]);
        for other in [
            ("a", UPDATE, r#"{"x": 1}"#, r#"{"x": 3}"#, "{}"),
            ("a", UPDATE, r#"{"x": 0}"#, r#"{"x": 2}"#, "{}"),
            ("a", UPDATE, r#"{"x": 1}"#, r#"{}"#, r#"{"x": true}"#),
            ("a", UPDATE, r#"{"x": 1}"#, r#"{"x": 2, "y": true}"#, "{}"),
            ("a", r#"["delete", "create"]"#, r#"{"x": 1}"#, r#"{"x": 2}"#, "{}"),
            ("b", UPDATE, r#"{"x": 1}"#, r#"{"x": 2}"#, "{}"),
        ] {
            assert_eq!(not_approved(&approved, &plan(&[other])).len(), 1, "{other:?}");
        }
        assert!(not_approved(&approved, &approved).is_empty());
    }

    #[test]
    fn a_tainted_resource_needs_another_approval() {
        let approved = plan(&[("a", CREATE, "null", r#"{"x": 1}"#, "{}")]);
        let now = plan(&[("a", r#"["delete", "create"]"#, r#"{"x": 1}"#, r#"{"x": 1}"#, "{}")]);
        let why = not_approved(&approved, &now);
        assert_eq!(why, ["a: create was approved, and now it would be replace"]);
    }

    #[test]
    fn the_second_half_of_a_replacement_was_approved_with_it() {
        let approved = plan(&[("a", r#"["delete", "create"]"#, r#"{"x": 1}"#, r#"{"x": 2}"#, "{}")]);
        assert!(not_approved(&approved, &plan(&[("a", CREATE, "null", r#"{"x": 2}"#, "{}")])).is_empty());
        assert!(!not_approved(&approved, &plan(&[("a", CREATE, "null", r#"{"x": 3}"#, "{}")])).is_empty());
    }

    #[test]
    fn values_are_compared_and_not_their_spelling() {
        let approved = plan(&[("a", CREATE, "null", r#"{"x": ["\u0041", {"b": 1, "c": null}]}"#, "{}")]);
        let now = plan(&[("a", CREATE, "null", r#"{"x":["A",{"c":null,"b":1}]}"#, "{}")]);
        assert!(not_approved(&approved, &now).is_empty());
    }

    #[test]
    fn a_value_that_is_made_to_nest_deeply_is_not_followed_for_ever() {
        let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
        let approved = plan(&[("a", CREATE, "null", &deep, "{}")]);
        assert!(not_approved(&approved, &approved).is_empty());
    }

    #[test]
    fn an_output_that_was_not_approved_is_named() {
        let of = |value: &str| {
            Plan::parse(format!(
                r#"{{"format_version": "1.2", "output_changes": {{"o": {{"actions": ["update"], "before": 1, "after": {value}, "after_unknown": false}}}}}}"#
            ))
            .unwrap()
        };
        assert!(not_approved(&of("2"), &of("2")).is_empty());
        assert_eq!(not_approved(&of("2"), &of("3")).len(), 1);
        assert_eq!(
            not_approved(&plan(&[]), &of("2")),
            ["output o would change, and was not in the approved plan"]
        );
    }

    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..9_i64).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The value as a plan has it that does not know some of its leaves yet, and the marks that say which.
    fn hide(value: &Value, hidden: &mut impl Iterator<Item = bool>) -> (Value, Value) {
        match value {
            Value::Object(members) => {
                let (mut known, mut marks) = (serde_json::Map::new(), serde_json::Map::new());
                for (name, member) in members {
                    let (value, mark) = hide(member, hidden);
                    if mark != Value::Bool(true) {
                        known.insert(name.clone(), value);
                    }
                    marks.insert(name.clone(), mark);
                }
                (known.into(), marks.into())
            }
            Value::Array(items) => {
                let (known, marks): (Vec<_>, Vec<_>) = items.iter().map(|item| hide(item, hidden)).unzip();
                (known.into(), marks.into())
            }
            _ if hidden.next().unwrap_or(false) => (Value::Null, json!(true)),
            leaf => (leaf.clone(), json!(false)),
        }
    }

    /// How many leaves a value has.
    fn leaves(value: &Value) -> usize {
        match value {
            Value::Object(members) => members.values().map(leaves).sum(),
            Value::Array(items) => items.iter().map(leaves).sum(),
            _ => 1,
        }
    }

    /// The value with its leaf of that number changed.
    fn changed(value: &Value, at: &mut usize) -> Value {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (name.clone(), changed(member, at)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Value::Array(items) => items.iter().map(|item| changed(item, at)).collect::<Vec<_>>().into(),
            leaf => {
                let this = *at == 0;
                *at = at.wrapping_sub(1);
                if this { json!("another value") } else { leaf.clone() }
            }
        }
    }

    proptest! {
        #[test]
        fn what_was_unknown_may_become_anything_and_what_was_known_nothing_else(
            full in value(),
            hidden in prop::collection::vec(any::<bool>(), 16),
            at in 0..16_usize,
        ) {
            let (approved, unknown) = hide(&full, &mut hidden.iter().copied());
            let [approved, unknown, now] = [approved, unknown, full.clone()].map(|value| value.to_string());
            let nothing = "false";
            prop_assert!(covers(&approved, &unknown, &now, nothing, DEPTH));
            prop_assert!(equal(&now, &now, DEPTH));
            if at < leaves(&full) {
                let other = changed(&full, &mut at.clone()).to_string();
                prop_assert!(!equal(&now, &other, DEPTH));
                let may = hidden.get(at).copied().unwrap_or(false);
                prop_assert_eq!(covers(&approved, &unknown, &other, nothing, DEPTH), may);
            }
        }
    }
}
