//! Functions of lists and sets: worked out where as much of their items is known as they need, kept where the
//! collection is known by a name only, and otherwise told roughly, as anything that they may hand on.

use super::{
    Lacking, StaticValue, Step,
    computed::INDEX,
    functions::{by_name, format},
    known::LONGEST_TEXT,
};

/// Functions that are worked out here.
pub(super) const NAMES: [&str; 14] = [
    "chunklist",
    "compact",
    "distinct",
    "element",
    "flatten",
    "formatlist",
    "matchkeys",
    "range",
    "reverse",
    "setintersection",
    "setproduct",
    "setsubtract",
    "slice",
    "sort",
];

/// What takes the items of lists within a list.
pub(super) const FLATTEN: &str = "flatten";

/// The most items that are made. (Terraform makes no longer range.)
const MOST_ITEMS: usize = 1_024;

/// Whether what a function gives is made of what its arguments hold, as it is.
pub(super) fn hands_on(name: &str) -> bool {
    name == INDEX || NAMES.contains(&name) && name != "formatlist" && name != "range"
}

/// A step as an argument of [`INDEX`].
pub(super) fn spelt(step: Step) -> StaticValue {
    match step {
        Step::Item(index) => StaticValue::Literal(index.to_string()),
        Step::Member(name) => StaticValue::Literal(format!(".{name}")),
        Step::Any => StaticValue::Unknown,
    }
}

fn read(step: Option<&StaticValue>) -> Step {
    match step {
        Some(StaticValue::Literal(text)) => match text.strip_prefix('.') {
            Some(name) => Step::Member(name.to_owned()),
            None => text.parse().map_or(Step::Any, Step::Item),
        },
        _ => Step::Any,
    }
}

/// What a function of [`NAMES`], or an index, gives.
pub(super) fn computed(name: &str, mut arguments: Vec<StaticValue>) -> StaticValue {
    let kept = match name {
        INDEX => by_name(arguments.first()),
        // Of an item that is known by name nobody can tell whether it is a list.
        FLATTEN => arguments.first().is_some_and(holds_a_name),
        _ => arguments.iter().any(|argument| by_name(Some(argument))),
    };
    if kept {
        return StaticValue::Computed(name.to_owned(), arguments);
    }
    if name == INDEX {
        let step = read(arguments.get(1));
        // Whatever a variable is given may have been a part of it, and its type may have what is left out.
        return match arguments.is_empty() {
            true => StaticValue::Unknown,
            false => arguments.swap_remove(0).step_or(step, Lacking { missing: true, null: false }),
        };
    }
    known(name, &arguments).unwrap_or_else(|| roughly(name, arguments))
}

fn holds_a_name(value: &StaticValue) -> bool {
    match value {
        StaticValue::List(items) | StaticValue::OneOf(items) => items.iter().any(holds_a_name),
        StaticValue::Many(item) => holds_a_name(item),
        StaticValue::Decoded(..) => true,
        other => by_name(Some(other)),
    }
}

/// What a function gives of lists whose items are known as far as it looks at them.
fn known(name: &str, arguments: &[StaticValue]) -> Option<StaticValue> {
    let number = |at: usize| match arguments.get(at) {
        Some(StaticValue::Literal(number)) => number.parse::<usize>().ok(),
        _ => None,
    };
    match name {
        "range" => return range(arguments),
        "formatlist" => return format_list(arguments),
        "setproduct" => return product(arguments),
        _ => {}
    }
    let Some(StaticValue::List(items)) = arguments.first() else { return None };
    let list = match name {
        "reverse" => items.iter().rev().cloned().collect(),
        "slice" => items.get(number(1)?..number(2)?)?.to_vec(),
        "chunklist" => match number(1)? {
            _ if items.is_empty() => Vec::new(),
            0 => vec![StaticValue::List(items.clone())],
            size => items.chunks(size).map(|chunk| StaticValue::List(chunk.to_vec())).collect(),
        },
        "element" if items.is_empty() => return Some(StaticValue::Null),
        "element" => return items.get(number(1)? % items.len()).cloned(),
        FLATTEN => {
            let mut flat = Vec::new();
            flatten(items, &mut flat)?;
            flat
        }
        "sort" => {
            let mut texts = texts(items)?;
            texts.sort_unstable();
            texts.into_iter().map(|text| StaticValue::Literal(text.to_owned())).collect()
        }
        "compact" => {
            let plain = |item: &StaticValue| matches!(item, StaticValue::Literal(_) | StaticValue::Null);
            if !items.iter().all(plain) {
                return None;
            }
            let kept = |item: &&StaticValue| matches!(item, StaticValue::Literal(text) if !text.is_empty());
            items.iter().filter(kept).cloned().collect()
        }
        "distinct" => distinct(items)?,
        "matchkeys" => {
            let (keys, wanted) = (texts_of(arguments.get(1)?)?, texts_of(arguments.get(2)?)?);
            if keys.len() != items.len() {
                return None;
            }
            let pairs = items.iter().zip(keys);
            pairs.filter(|(_, key)| wanted.contains(key)).map(|(item, _)| item.clone()).collect()
        }
        "setintersection" | "setsubtract" => {
            let mut kept = texts(items)?;
            for other in &arguments[1..] {
                let other = texts_of(other)?;
                kept.retain(|text| other.contains(text) == (name == "setintersection"));
            }
            let kept = kept.into_iter().map(|text| StaticValue::Literal(text.to_owned())).collect();
            // Numbers are in another order than texts.
            return Some(StaticValue::List(distinct_of(kept)).unordered());
        }
        _ => return None,
    };
    Some(StaticValue::List(list))
}

/// What a function may give of which not enough is known.
fn roughly(name: &str, mut arguments: Vec<StaticValue>) -> StaticValue {
    let many = |item: StaticValue| StaticValue::Many(Box::new(item));
    if name == "range" || arguments.is_empty() {
        return many(StaticValue::Unknown);
    }
    match name {
        "formatlist" => {
            let items: Vec<StaticValue> = arguments.split_off(1).into_iter().map(one_of_each).collect();
            many(match &arguments[0] {
                StaticValue::Literal(pattern) => format(pattern, &items),
                _ => StaticValue::Unknown,
            })
        }
        "setproduct" => {
            many(StaticValue::List(arguments.into_iter().map(|list| list.step(Step::Any)).collect()))
        }
        FLATTEN => flattened(arguments.swap_remove(0)),
        "chunklist" => many(many(arguments.swap_remove(0).step(Step::Any))),
        "element" => arguments.swap_remove(0).step(Step::Any),
        "matchkeys" | "setintersection" | "setsubtract" => many(arguments.swap_remove(0).step(Step::Any)),
        _ => arguments.swap_remove(0).unordered(),
    }
}

fn flattened(value: StaticValue) -> StaticValue {
    match value {
        StaticValue::List(items) => {
            StaticValue::Many(Box::new(StaticValue::one_of(items.into_iter().map(item_of).collect())))
        }
        StaticValue::Many(item) => StaticValue::Many(Box::new(item_of(*item))),
        StaticValue::OneOf(values) => StaticValue::one_of(values.into_iter().map(flattened).collect()),
        other => other,
    }
}

/// An item of what is flattened: a list's own items, whatever they are lists of.
fn item_of(value: StaticValue) -> StaticValue {
    match value {
        StaticValue::List(items) => StaticValue::one_of(items.into_iter().map(item_of).collect()),
        StaticValue::Many(item) => item_of(*item),
        StaticValue::OneOf(values) => StaticValue::one_of(values.into_iter().map(item_of).collect()),
        other => other,
    }
}

/// The items of lists within lists; `None` where an item may be a list and may be none, or there are too many.
fn flatten(items: &[StaticValue], flat: &mut Vec<StaticValue>) -> Option<()> {
    for item in items {
        match item {
            StaticValue::List(inner) => flatten(inner, flat)?,
            StaticValue::Literal(_)
            | StaticValue::Base(_)
            | StaticValue::Concat(_)
            | StaticValue::Object(_)
            | StaticValue::Null => flat.push(item.clone()),
            _ => return None,
        }
        if flat.len() > MOST_ITEMS {
            return None;
        }
    }
    Some(())
}

/// `range`: up to a limit, from where it begins, in steps.
fn range(arguments: &[StaticValue]) -> Option<StaticValue> {
    let numbers = arguments.iter().map(|number| match number {
        StaticValue::Literal(number) => number.parse::<i64>().ok().filter(|number| number.abs() < 1 << 52),
        _ => None,
    });
    let numbers = numbers.collect::<Option<Vec<i64>>>()?;
    let (from, to, step) = match numbers.as_slice() {
        [to] => (0, *to, to.signum()),
        [from, to] => (*from, *to, (to - from).signum()),
        [from, to, step] => (*from, *to, *step),
        _ => return None,
    };
    if from != to && (step == 0 || (step > 0) != (to > from)) {
        return None;
    }
    let mut list = Vec::new();
    let mut at = from;
    while (step > 0 && at < to) || (step < 0 && at > to) {
        if list.len() >= MOST_ITEMS {
            return None;
        }
        list.push(StaticValue::Literal(at.to_string()));
        at += step;
    }
    Some(StaticValue::List(list))
}

/// `formatlist`: lists of one length, and what is no list for each of their items.
fn format_list(arguments: &[StaticValue]) -> Option<StaticValue> {
    let (StaticValue::Literal(pattern), given) = arguments.split_first()? else { return None };
    let mut length = None;
    for argument in given {
        match argument {
            StaticValue::List(items) if length.is_none_or(|length| length == items.len()) => {
                length = Some(items.len());
            }
            StaticValue::Literal(_) | StaticValue::Base(_) | StaticValue::Concat(_) => {}
            _ => return None,
        }
    }
    let length = length.unwrap_or(1);
    let plain = given.iter().filter(|argument| !matches!(argument, StaticValue::List(_)));
    let each = pattern.len().max(1) + plain.map(size).sum::<usize>();
    if length > MOST_ITEMS || length.saturating_mul(each) > LONGEST_TEXT {
        return None;
    }
    let list = (0..length).map(|at| {
        let items: Vec<StaticValue> = given
            .iter()
            .map(|argument| match argument {
                StaticValue::List(items) => items[at].clone(),
                other => other.clone(),
            })
            .collect();
        format(pattern, &items)
    });
    Some(StaticValue::List(list.collect()))
}

/// `setproduct`: of lists, the last of them goes round first.
fn product(lists: &[StaticValue]) -> Option<StaticValue> {
    let mut all: Vec<Vec<StaticValue>> = vec![Vec::new()];
    for list in lists {
        let StaticValue::List(items) = list else { return None };
        let largest = items.iter().map(size).max().unwrap_or(0).max(lists.len());
        let most = if largest > lists.len() { LONGEST_TEXT } else { MOST_ITEMS };
        if all.len().saturating_mul(items.len()).saturating_mul(largest) > most {
            return None;
        }
        let with = |before: &Vec<StaticValue>| {
            let before = before.clone();
            items.iter().map(move |item| before.iter().chain([item]).cloned().collect())
        };
        all = all.iter().flat_map(with).collect();
    }
    Some(StaticValue::List(all.into_iter().map(StaticValue::List).collect()))
}

/// Items of which each is another.
fn distinct(items: &[StaticValue]) -> Option<Vec<StaticValue>> {
    items.iter().all(is_known).then(|| distinct_of(items.to_vec()))
}

fn distinct_of(items: Vec<StaticValue>) -> Vec<StaticValue> {
    let mut seen = std::collections::HashSet::new();
    items.into_iter().filter(|item| seen.insert(item.clone())).collect()
}

/// How many bytes of text it is, or parts.
pub(super) fn size(value: &StaticValue) -> usize {
    match value {
        StaticValue::Literal(text) => text.len(),
        StaticValue::Concat(items) | StaticValue::OneOf(items) | StaticValue::List(items) => {
            items.iter().map(size).sum()
        }
        other => other.parts(LONGEST_TEXT),
    }
}

fn is_known(value: &StaticValue) -> bool {
    match value {
        StaticValue::Literal(_) | StaticValue::Null => true,
        StaticValue::List(items) => items.iter().all(is_known),
        StaticValue::Object(members) => members.iter().all(|(_, member)| is_known(member)),
        _ => false,
    }
}

fn texts_of(value: &StaticValue) -> Option<Vec<&str>> {
    match value {
        StaticValue::List(items) => texts(items),
        _ => None,
    }
}

fn texts(items: &[StaticValue]) -> Option<Vec<&str>> {
    let texts = items.iter().map(|item| match item {
        StaticValue::Literal(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Any item of a list; what is no list is the same for each.
fn one_of_each(value: StaticValue) -> StaticValue {
    match value {
        StaticValue::OneOf(values) => StaticValue::one_of(values.into_iter().map(one_of_each).collect()),
        StaticValue::List(_) | StaticValue::Many(_) | StaticValue::Keys(_) => value.step(Step::Any),
        other => other,
    }
}

/// The items of lists, with a text between them.
pub(super) fn joined(separator: &str, lists: &[StaticValue]) -> Option<StaticValue> {
    let mut parts = Vec::new();
    for list in lists {
        let StaticValue::List(items) = list else { return None };
        if items.len().saturating_mul(separator.len()) > LONGEST_TEXT {
            return None;
        }
        for item in items {
            if !parts.is_empty() {
                parts.push(StaticValue::Literal(separator.to_owned()));
            }
            parts.push(item.clone());
        }
    }
    Some(StaticValue::concat(parts))
}

#[cfg(test)]
mod tests;
