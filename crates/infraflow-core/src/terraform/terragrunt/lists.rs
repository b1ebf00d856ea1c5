//! Functions of lists, and those that make them.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    functions::{first, number},
    value::{MAX_ITEMS, Value},
};

/// The most items that are compared with each other.
const MAX_COMPARED: usize = 1_000;

pub(super) fn zipmap(arguments: &[Value]) -> Value {
    let (Some(Value::List(names)), Some(Value::List(values))) = (arguments.first(), arguments.get(1)) else {
        return Value::Unknown;
    };
    let pairs = names.iter().zip(values.iter());
    let members: Option<BTreeMap<_, _>> =
        pairs.map(|(name, value)| Some((name.as_text()?, value.clone()))).collect();
    members.map_or(Value::Unknown, Value::object)
}

pub(super) fn range(arguments: &[Value]) -> Value {
    let numbers: Option<Vec<usize>> = arguments.iter().map(Value::as_index).collect();
    let (from, to) = match numbers.as_deref() {
        Some([to]) => (0, *to),
        Some([from, to]) => (*from, *to),
        _ => return Value::Unknown,
    };
    if to.saturating_sub(from) > MAX_ITEMS {
        return Value::Unknown;
    }
    Value::list((from..to).map(number).collect())
}

pub(super) fn list(name: &str, arguments: &[Value]) -> Value {
    let value = first(arguments);
    if name == "keys" {
        return match &value {
            Value::Object(members) if !members.contains_key("") => {
                Value::list(members.keys().map(|name| Value::Text(Arc::clone(name))).collect())
            }
            _ => Value::each(Value::Unknown),
        };
    }
    if name == "values" {
        return match &value {
            Value::Object(members) if !members.contains_key("") => {
                Value::list(members.values().cloned().collect())
            }
            other => Value::each(other.any_item()),
        };
    }
    let Value::List(items) = &value else {
        return match name {
            "contains" | "index" => Value::Unknown,
            "one" => value.any_item(),
            _ => value,
        };
    };
    match name {
        "one" => items.first().cloned().unwrap_or(Value::Null),
        "compact" => {
            let kept = items.iter().filter(|item| match item {
                Value::Null => false,
                Value::Text(text) => !text.is_empty(),
                _ => true,
            });
            Value::list(kept.cloned().collect())
        }
        "distinct" | "setunion" => {
            let mut kept: Vec<Value> = Vec::new();
            let all = arguments.iter().flat_map(|list| match list {
                Value::List(items) => items.to_vec(),
                other => vec![other.any_item()],
            });
            let all: Vec<Value> = all.take(MAX_COMPARED + 1).collect();
            if all.len() > MAX_COMPARED {
                return Value::each(Value::Unknown);
            }
            for item in all {
                if !kept.iter().any(|other| other.same(&item) == Some(true)) {
                    kept.push(item);
                }
            }
            Value::list(kept)
        }
        "flatten" => {
            let mut flat = Vec::new();
            flatten(items, &mut flat, 0);
            Value::list(flat)
        }
        "reverse" => Value::list(items.iter().rev().cloned().collect()),
        "sort" => {
            let mut texts: Vec<Arc<str>> = items.iter().filter_map(Value::as_text).collect();
            if texts.len() != items.len() {
                return value;
            }
            texts.sort();
            Value::list(texts.into_iter().map(Value::Text).collect())
        }
        "slice" => {
            match (arguments.get(1).and_then(Value::as_index), arguments.get(2).and_then(Value::as_index)) {
                (Some(from), Some(to)) => {
                    items.get(from..to).map_or(Value::Failed, |part| Value::list(part.to_vec()))
                }
                _ => Value::each(value.any_item()),
            }
        }
        "contains" => {
            let Some(wanted) = arguments.get(1) else { return Value::Failed };
            let found: Vec<Option<bool>> = items.iter().map(|item| item.same(wanted)).collect();
            match (found.contains(&Some(true)), found.contains(&None)) {
                (true, _) => Value::Bool(true),
                (false, true) => Value::Unknown,
                (false, false) => Value::Bool(false),
            }
        }
        _ => {
            let wanted = arguments.get(1).cloned().unwrap_or(Value::Failed);
            match items.iter().position(|item| item.same(&wanted) == Some(true)) {
                Some(at) => number(at),
                None => Value::Unknown,
            }
        }
    }
}

fn flatten(items: &[Value], flat: &mut Vec<Value>, depth: usize) {
    for item in items {
        match item {
            Value::List(inner) if depth < 16 && flat.len() < MAX_ITEMS => flatten(inner, flat, depth + 1),
            other => flat.push(other.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_items_than_are_compared_each_may_be_any() {
        let items = |count: usize| Value::list((0..count).map(|n| Value::text(n.to_string())).collect());
        let Value::List(few) = list("distinct", &[items(MAX_COMPARED)]) else { panic!("a list of few") };
        assert_eq!(few.len(), MAX_COMPARED);
        let many = list("setunion", &[items(MAX_COMPARED), items(3)]);
        assert!(matches!(many, Value::Each(_)), "{many:?}");
    }
}
