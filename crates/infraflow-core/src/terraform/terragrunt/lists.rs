//! Functions of lists, and those that make them.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use super::{
    functions::{first, number},
    texts::format,
    value::{MAX_ITEMS, MAX_TEXT, Value},
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

/// `range`: up to a limit, from where it begins, in steps. Whole numbers alone.
#[allow(clippy::cast_possible_truncation)] // checked
pub(super) fn range(arguments: &[Value]) -> Value {
    let whole = |value: &Value| {
        value
            .as_number()
            .filter(|number| number.fract() == 0.0 && number.abs() < 1e9)
            .map(|number| number as i64)
    };
    let numbers: Option<Vec<i64>> = arguments.iter().map(whole).collect();
    let (from, to, step) = match numbers.as_deref() {
        Some([to]) => (0, *to, to.signum()),
        Some([from, to]) => (*from, *to, (to - from).signum()),
        Some([from, to, step]) => (*from, *to, *step),
        _ => return Value::Unknown,
    };
    if from != to && (step == 0 || (step > 0) != (to > from)) {
        return Value::Unknown;
    }
    let mut items = Vec::new();
    let mut at = from;
    while (step > 0 && at < to) || (step < 0 && at > to) {
        if items.len() >= MAX_ITEMS {
            return Value::Unknown;
        }
        items.push(Value::Number(at as f64));
        at += step;
    }
    Value::list(items)
}

/// A set, as a list in its own order; of what is no text that is not known.
pub(super) fn set(value: &Value) -> Value {
    let Value::List(items) = value else { return value.clone() };
    match sorted(items) {
        Some(texts) => Value::list(texts.into_iter().map(Value::Text).collect()),
        None => Value::each(value.any_item()),
    }
}

/// Texts in the order of a set, each once.
fn sorted(items: &[Value]) -> Option<Vec<Arc<str>>> {
    let texts = items.iter().map(|item| match item {
        Value::Text(text) => Some(Arc::clone(text)),
        _ => None,
    });
    let mut texts = texts.collect::<Option<Vec<_>>>()?;
    texts.sort_unstable();
    texts.dedup();
    Some(texts)
}

/// Lists that are made of lists: what is known of their items alone, where their number or order is not.
pub(super) fn made(name: &str, arguments: &[Value]) -> Value {
    made_of_known(name, arguments).unwrap_or_else(|| {
        Value::each(match name {
            "formatlist" => {
                let items = arguments.iter().map(|argument| match argument {
                    Value::List(_) | Value::Each(_) => argument.any_item(),
                    other => other.clone(),
                });
                format(&items.collect::<Vec<_>>())
            }
            "setproduct" => Value::list(arguments.iter().map(Value::any_item).collect()),
            "chunklist" => Value::each(first(arguments).any_item()),
            _ => first(arguments).any_item(),
        })
    })
}

fn made_of_known(name: &str, arguments: &[Value]) -> Option<Value> {
    if name == "formatlist" {
        return format_list(arguments);
    }
    let lists = arguments.iter().map_while(|argument| match argument {
        Value::List(items) => Some(&**items),
        _ => None,
    });
    let lists: Vec<&[Value]> = lists.collect();
    let list = match (name, lists.as_slice()) {
        ("chunklist", [items]) => match arguments.get(1)?.as_index()? {
            _ if items.is_empty() => Vec::new(),
            0 => vec![Value::list(items.to_vec())],
            size => items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect(),
        },
        ("matchkeys", [items, keys, wanted]) if items.len() == keys.len() => {
            let text = |item: &Value| item.as_text().filter(|_| !matches!(item, Value::Usually(_)));
            let wanted = wanted.iter().map(text).collect::<Option<HashSet<_>>>()?;
            let keys = keys.iter().map(text).collect::<Option<Vec<_>>>()?;
            let pairs = items.iter().zip(keys);
            pairs.filter(|(_, key)| wanted.contains(key)).map(|(item, _)| item.clone()).collect()
        }
        ("setproduct", lists) if lists.len() == arguments.len() => {
            let mut all: Vec<Vec<Value>> = vec![Vec::new()];
            for items in lists {
                if all.len().saturating_mul(items.len()).saturating_mul(lists.len()) > MAX_ITEMS {
                    return None;
                }
                let with = |before: &Vec<Value>| {
                    let before = before.clone();
                    items.iter().map(move |item| before.iter().chain([item]).cloned().collect())
                };
                all = all.iter().flat_map(with).collect();
            }
            all.into_iter().map(Value::list).collect()
        }
        ("setintersection" | "setsubtract", [items, others @ ..]) if lists.len() == arguments.len() => {
            let mut kept = sorted(items)?;
            for other in others {
                let other: HashSet<Arc<str>> = sorted(other)?.into_iter().collect();
                kept.retain(|text| other.contains(text) == (name == "setintersection"));
            }
            kept.into_iter().map(Value::Text).collect()
        }
        _ => return None,
    };
    Some(Value::list(list))
}

/// `formatlist`: lists of one length, and what is no list for each of their items.
fn format_list(arguments: &[Value]) -> Option<Value> {
    let (pattern, given) = arguments.split_first()?;
    let mut length = None;
    for argument in given {
        match argument {
            Value::List(items) if length.is_none_or(|length| length == items.len()) => {
                length = Some(items.len())
            }
            Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::Parts(_) => {}
            _ => return None,
        }
    }
    let length = length.unwrap_or(1);
    let each = pattern.as_text()?.len().max(1);
    if length.saturating_mul(each) > MAX_TEXT {
        return None;
    }
    let made = (0..length).map(|at| {
        let row = given.iter().map(|argument| match argument {
            Value::List(items) => items[at].clone(),
            other => other.clone(),
        });
        format(&std::iter::once(pattern.clone()).chain(row).collect::<Vec<_>>())
    });
    Some(Value::list(made.collect()))
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
            let (mut texts, mut compared) = (HashSet::new(), true);
            for item in all {
                // Most are texts, which need not be held against each other.
                let known = match &item {
                    Value::Text(text) => !texts.insert(Arc::clone(text)),
                    _ => kept.iter().any(|other| other.same(&item) == Some(true)),
                };
                compared &= item.same(&item) == Some(true);
                if !known {
                    kept.push(item);
                }
            }
            match name {
                // What is not known may be one of the others, and then those behind stand elsewhere.
                _ if !compared => Value::each(Value::one_of(kept)),
                "setunion" => set(&Value::list(kept)),
                _ => Value::list(kept),
            }
        }
        "flatten" => {
            let mut flat = Vec::new();
            flatten(items, &mut flat, 0);
            let is_one = |item: &Value| !matches!(item, Value::Unknown | Value::Each(_) | Value::OneOf(_));
            if flat.iter().all(is_one) {
                return Value::list(flat);
            }
            // What is not known may be any number of items.
            let all = flat.into_iter().map(|item| if is_one(&item) { item } else { any_within(&item) });
            Value::each(Value::one_of(all.collect()))
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

/// What an item of a list that is flattened can be: itself, or what is in it.
fn any_within(value: &Value) -> Value {
    match value {
        Value::OneOf(values) => Value::one_of(values.iter().map(any_within).collect()),
        Value::Each(item) => any_within(item),
        Value::List(_) => Value::one_of(vec![any_within(&value.any_item())]),
        other => other.clone(),
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
