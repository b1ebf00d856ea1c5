use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::{
    AttributePath, Foreign, Step,
    foreign::{DEPTH, Shape},
};

/// The paths at which two values differ, sorted; deepest ones, so that `ports[0]` is named and not `ports`.
pub(super) fn paths(
    before: Option<&Foreign>,
    after: Option<&Foreign>,
    unknown: Option<&Foreign>,
) -> Vec<AttributePath> {
    let mut found = BTreeSet::new();
    let text = |value: Option<&Foreign>| value.map_or("null", Foreign::text).to_owned();
    let (before, after, unknown) = (text(before), text(after), text(unknown));
    descend(&before, &after, &unknown, &AttributePath::default(), 0, &mut found);
    found.into_iter().collect()
}

fn descend(
    before: &str,
    after: &str,
    unknown: &str,
    at: &AttributePath,
    depth: usize,
    found: &mut BTreeSet<AttributePath>,
) {
    if unknown == "true" {
        found.insert(at.clone());
        return;
    }
    if before == after && (unknown == "null" || unknown == "false") || depth > DEPTH {
        return;
    }
    match (Shape::of(before), Shape::of(after)) {
        (Shape::Object(before), Shape::Object(after)) => {
            let unknown = match Shape::of(unknown) {
                Shape::Object(members) => members,
                _ => Default::default(),
            };
            let names: BTreeSet<_> = before.keys().chain(after.keys()).chain(unknown.keys()).collect();
            for name in names {
                let step = at.then(Step::Name(name.clone()));
                let part = |members: &std::collections::BTreeMap<String, &RawValue>| {
                    members.get(name).map_or("null".to_owned(), |raw| raw.get().to_owned())
                };
                descend(&part(&before), &part(&after), &part(&unknown), &step, depth + 1, found);
            }
        }
        (Shape::Array(before), Shape::Array(after)) => {
            let unknown = match Shape::of(unknown) {
                Shape::Array(items) => items,
                _ => Vec::new(),
            };
            for index in 0..before.len().max(after.len()).max(unknown.len()) {
                let step = at.then(Step::Index(index as u64));
                let part = |items: &[&RawValue]| items.get(index).map_or("null", |raw| raw.get()).to_owned();
                descend(&part(&before), &part(&after), &part(&unknown), &step, depth + 1, found);
            }
        }
        (before, after) => {
            if !same_scalar(&before, &after) {
                found.insert(at.clone());
            }
        }
    }
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
        paths(Some(&value(before)), Some(&value(after)), Some(&value(unknown)))
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
}
