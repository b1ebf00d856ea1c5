use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::{
    AttributePath, Foreign, Step,
    foreign::{DEPTH, Shape},
};

/// The paths at which two values differ, sorted; deepest ones, so that `ports[0]` is named and not `ports`. They
/// stop where any of the marks has `true`, for the keys of a sensitive map are as sensitive as its values.
pub(super) fn paths(
    before: Option<&Foreign>,
    after: Option<&Foreign>,
    unknown: Option<&Foreign>,
    marks: &[&str],
) -> Vec<AttributePath> {
    let mut found = BTreeSet::new();
    let [before, after, unknown] = [before, after, unknown].map(|value| value.map_or("null", Foreign::text));
    descend(Sides { before, after, unknown }, marks, &AttributePath::default(), 0, &mut found);
    found.into_iter().collect()
}

/// The same place of three values, as text.
#[derive(Clone, Copy)]
struct Sides<'a> {
    before: &'a str,
    after: &'a str,
    unknown: &'a str,
}

fn descend(
    sides: Sides<'_>,
    marks: &[&str],
    at: &AttributePath,
    depth: usize,
    found: &mut BTreeSet<AttributePath>,
) {
    let Sides { before, after, unknown } = sides;
    if unknown == "true" {
        found.insert(at.clone());
        return;
    }
    if before == after && (unknown == "null" || unknown == "false") || depth > DEPTH {
        return;
    }
    let before = Shape::of(before);
    let after = Shape::of(after);
    if marks.contains(&"true") && !same_scalar(&before, &after) {
        // A value that is written otherwise and means the same may be named here too: that gives nothing away.
        found.insert(at.clone());
        return;
    }
    match (before, after) {
        (Shape::Object(before), Shape::Object(after)) => {
            let unknown = members(unknown);
            let marks: Vec<_> = marks.iter().map(|marks| members(marks)).collect();
            let names: BTreeSet<_> = before.keys().chain(after.keys()).chain(unknown.keys()).collect();
            for name in names {
                let [before, after, unknown] = [&before, &after, &unknown]
                    .map(|members| members.get(name).map_or("null", |raw| raw.get()));
                if before != after || unknown != "null" {
                    let marks: Vec<&str> =
                        marks.iter().filter_map(|marks| marks.get(name).map(|raw| raw.get())).collect();
                    let at = at.then(Step::Name(name.clone()));
                    descend(Sides { before, after, unknown }, &marks, &at, depth + 1, found);
                }
            }
        }
        (Shape::Array(before), Shape::Array(after)) => {
            let unknown = items(unknown);
            let marks: Vec<_> = marks.iter().map(|marks| items(marks)).collect();
            for index in 0..before.len().max(after.len()).max(unknown.len()) {
                let [before, after, unknown] =
                    [&before, &after, &unknown].map(|items| items.get(index).map_or("null", |raw| raw.get()));
                let marks: Vec<&str> =
                    marks.iter().filter_map(|marks| marks.get(index).map(|raw| raw.get())).collect();
                let at = at.then(Step::Index(index as u64));
                descend(Sides { before, after, unknown }, &marks, &at, depth + 1, found);
            }
        }
        (before, after) => {
            if !same_scalar(&before, &after) {
                found.insert(at.clone());
            }
        }
    }
}

fn members(text: &str) -> BTreeMap<String, &RawValue> {
    match Shape::of(text) {
        Shape::Object(members) => members,
        _ => BTreeMap::new(),
    }
}

fn items(text: &str) -> Vec<&RawValue> {
    match Shape::of(text) {
        Shape::Array(items) => items,
        _ => Vec::new(),
    }
}

/// The beginning of a path, up to what any of the marks hides.
pub(super) fn shown(path: AttributePath, marks: &[&str]) -> AttributePath {
    let mut marks: Vec<String> = marks.iter().map(|marks| (*marks).to_owned()).collect();
    let mut shown = AttributePath::default();
    for step in path.0 {
        if marks.iter().any(|mark| mark == "true") {
            break;
        }
        marks = marks
            .iter()
            .filter_map(|marks| match &step {
                Step::Name(name) => members(marks).get(name).map(|raw| raw.get().to_owned()),
                Step::Index(index) => {
                    items(marks).get(usize::try_from(*index).ok()?).map(|raw| raw.get().to_owned())
                }
            })
            .collect();
        shown.0.push(step);
    }
    shown
}

fn same_scalar(a: &Shape<'_>, b: &Shape<'_>) -> bool {
    match (a, b) {
        (Shape::Null, Shape::Null) => true,
        (Shape::Bool(a), Shape::Bool(b)) => a == b,
        (Shape::Number(a), Shape::Number(b)) => a == b,
        (Shape::String(a), Shape::String(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differing(before: &str, after: &str, unknown: &str) -> Vec<String> {
        let value = |text: &str| serde_json::from_str::<Foreign>(text).unwrap();
        paths(Some(&value(before)), Some(&value(after)), Some(&value(unknown)), &[])
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn the_deepest_differing_attribute_is_named() {
        let before = r#"{"a": {"b": [1, 2], "c": "x"}, "id": "1", "same": {"k": 1}}"#;
        let after = r#"{"a": {"b": [1, 3, 4], "c": "x"}, "same": { "k": 1 }}"#;
        assert_eq!(differing(before, after, r#"{"id": true}"#), ["a.b[1]", "a.b[2]", "id"]);
    }

    #[test]
    fn what_is_created_or_deleted_differs_as_a_whole() {
        assert_eq!(differing("null", r#"{"a": 1}"#, r#"{"id": true}"#), [""]);
        assert_eq!(differing(r#"{"a": 1}"#, "null", "false"), [""]);
    }

    #[test]
    fn escapes_and_space_are_no_difference() {
        assert!(differing(r#"{"a": "\u0041", "b": []}"#, r#"{"b":[ ],"a":"A"}"#, "{}").is_empty());
    }

    #[test]
    fn keys_below_a_sensitive_value_are_not_named() {
        let value = |text: &str| serde_json::from_str::<Foreign>(text).unwrap();
        let before =
            value(r#"{"map": {"hunter2": 1, "b": 1}, "list": [{"open": 1, "secret": {"hunter2": 1}}]}"#);
        let after =
            value(r#"{"map": {"hunter2": 2, "b": 1}, "list": [{"open": 2, "secret": {"hunter2": 2}}]}"#);
        let marks = [r#"{"map": true}"#, r#"{"list": [{"secret": true}]}"#];
        let found: Vec<String> =
            paths(Some(&before), Some(&after), None, &marks).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["list[0].open", "list[0].secret", "map"]);
        let path = |text: &str| serde_json::from_value::<AttributePath>(text.into()).unwrap();
        assert_eq!(shown(path("map.hunter2"), &marks), path("map"));
        assert_eq!(shown(path("list[0].secret.hunter2"), &marks), path("list[0].secret"));
        assert_eq!(shown(path("list[0].open"), &marks), path("list[0].open"));
    }
}
