//! Functions of lists and sets: worked out where as much of their items is known as they need, kept where the
//! collection is known by a name only, and otherwise told roughly, as anything that they may hand on.

use super::{
    StaticValue, Step,
    computed::INDEX,
    functions::{by_name, format},
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
        return if arguments.is_empty() { StaticValue::Unknown } else { arguments.swap_remove(0).step(step) };
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
    if length > MOST_ITEMS {
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
        if all.len().saturating_mul(items.len()).saturating_mul(lists.len()) > MOST_ITEMS {
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
mod tests {
    use super::*;

    fn t(text: &str) -> StaticValue {
        StaticValue::Literal(text.to_owned())
    }

    fn l(texts: &[&str]) -> StaticValue {
        StaticValue::List(texts.iter().map(|text| t(text)).collect())
    }

    fn shown(value: &StaticValue) -> String {
        match value {
            StaticValue::Literal(text) => text.clone(),
            StaticValue::List(items) => {
                format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(","))
            }
            StaticValue::Many(item) => format!("{}*", shown(item)),
            StaticValue::OneOf(items) => items.iter().map(shown).collect::<Vec<_>>().join("|"),
            StaticValue::Null => "null".to_owned(),
            StaticValue::Unknown => "?".to_owned(),
            other => format!("{other:?}"),
        }
    }

    /// As `terraform console` has them (1.11); a star stands behind what is any number of, in any order.
    #[test]
    fn functions_of_known_lists_give_what_terraform_gives() {
        let nested = StaticValue::List(vec![l(&["a"]), l(&[]), StaticValue::List(vec![t("b"), l(&["c"])])]);
        let null = StaticValue::List(vec![t("a"), t(""), StaticValue::Null, t("b")]);
        for (name, arguments, given) in [
            ("setproduct", vec![l(&["b", "a"]), l(&["y", "x"])], "[[b,y],[b,x],[a,y],[a,x]]"),
            ("setproduct", vec![l(&["a"]), l(&[])], "[]"),
            ("setproduct", vec![l(&["a"]), l(&["b"]), l(&["c", "d"])], "[[a,b,c],[a,b,d]]"),
            ("formatlist", vec![t("%s-x"), l(&["a", "b"])], "[a-x,b-x]"),
            ("formatlist", vec![t("%s-%s"), l(&["a", "b"]), t("c")], "[a-c,b-c]"),
            ("formatlist", vec![t("%s-%s"), l(&["a", "b"]), l(&["c", "d"])], "[a-c,b-d]"),
            ("formatlist", vec![t("%s"), l(&[])], "[]"),
            ("formatlist", vec![t("x")], "[x]"),
            ("formatlist", vec![t("%d-%02d"), l(&["1", "2"]), t("3")], "[1-03,2-03]"),
            ("chunklist", vec![l(&["a", "b", "c"]), t("2")], "[[a,b],[c]]"),
            ("chunklist", vec![l(&["a", "b", "c"]), t("0")], "[[a,b,c]]"),
            ("chunklist", vec![l(&[]), t("2")], "[]"),
            ("distinct", vec![l(&["b", "a", "b"])], "[b,a]"),
            ("sort", vec![l(&["b", "a", "é", "B", "10", "9"])], "[10,9,B,a,b,é]"),
            ("sort", vec![l(&[])], "[]"),
            ("compact", vec![null.clone()], "[a,b]"),
            ("range", vec![t("3")], "[0,1,2]"),
            ("range", vec![t("3"), t("1")], "[3,2]"),
            ("range", vec![t("1"), t("10"), t("4")], "[1,5,9]"),
            ("range", vec![t("10"), t("0"), t("-5")], "[10,5]"),
            ("range", vec![t("-2")], "[0,-1]"),
            ("range", vec![t("0"), t("0")], "[]"),
            ("element", vec![l(&["a", "b"]), t("3")], "b"),
            ("matchkeys", vec![l(&["a", "b", "c"]), l(&["1", "2", "1"]), l(&["1"])], "[a,c]"),
            ("matchkeys", vec![l(&["a"]), l(&["1"]), l(&[])], "[]"),
            ("setintersection", vec![l(&["b", "a", "c"]), l(&["c", "a"])], "a|c*"),
            ("setsubtract", vec![l(&["b", "a"]), l(&["a"])], "b*"),
            ("setsubtract", vec![l(&[]), l(&["a"])], "[]"),
            ("flatten", vec![nested.clone()], "[a,b,c]"),
            ("flatten", vec![l(&[])], "[]"),
            ("reverse", vec![l(&["a", "b"])], "[b,a]"),
            ("slice", vec![l(&["a", "b", "c"]), t("1"), t("2")], "[b]"),
        ] {
            assert_eq!(shown(&computed(name, arguments)), given, "{name}");
        }
    }

    /// What is not known, or an error, is anything that may be meant.
    #[test]
    fn what_is_not_known_is_told_roughly() {
        let half = StaticValue::List(vec![t("a"), StaticValue::Unknown]);
        let any = StaticValue::Many(Box::new(t("a")));
        for (name, arguments, given) in [
            ("sort", vec![half.clone()], "a|?*"),
            ("distinct", vec![half.clone()], "a|?*"),
            ("compact", vec![half.clone()], "a|?*"),
            ("element", vec![half.clone(), StaticValue::Unknown], "a|?"),
            ("element", vec![l(&["a", "b"]), t("-1")], "a|b"),
            ("chunklist", vec![any.clone(), t("2")], "a**"),
            ("formatlist", vec![t("%s.x"), any.clone()], "a.x*"),
            ("formatlist", vec![t("%s-%s"), l(&["a", "b"]), l(&["c"])], "a|b-c*"),
            ("setproduct", vec![any.clone(), l(&["x", "y"])], "[a,x|y]*"),
            ("matchkeys", vec![l(&["a", "b"]), half.clone(), l(&["1"])], "a|b*"),
            ("setsubtract", vec![half.clone(), l(&["a"])], "a|?*"),
            ("flatten", vec![StaticValue::Many(Box::new(l(&["a", "b"])))], "a|b*"),
            ("flatten", vec![StaticValue::List(vec![l(&["a"]), StaticValue::Unknown])], "a|?*"),
            ("range", vec![t("2000")], "?*"),
            ("range", vec![t("1"), t("2"), t("0")], "?*"),
            ("range", vec![StaticValue::Unknown], "?*"),
            ("slice", vec![l(&["a"]), t("0"), t("2")], "a*"),
        ] {
            let found = computed(name, arguments);
            let shown = match &found {
                StaticValue::Many(item) => match &**item {
                    StaticValue::Concat(parts) => format!("{}*", parts.iter().map(shown).collect::<String>()),
                    _ => shown(&found),
                },
                _ => shown(&found),
            };
            assert_eq!(shown, given, "{name}");
        }
    }

    #[test]
    fn no_more_items_are_made_than_the_bound() {
        let wide = StaticValue::List(vec![t("a"); 100]);
        assert!(matches!(computed("setproduct", vec![wide.clone(), wide.clone()]), StaticValue::Many(_)));
        assert!(matches!(
            computed("formatlist", vec![t("%s"), StaticValue::List(vec![t("a"); 2_000])]),
            StaticValue::Many(_)
        ));
        let deep = StaticValue::List(vec![wide; 100]);
        assert!(matches!(computed("flatten", vec![deep]), StaticValue::Many(_)));
    }

    #[test]
    fn a_collection_that_is_known_by_name_is_worked_out_later() {
        let local = StaticValue::Local("l".to_owned(), Vec::new());
        for name in ["sort", "distinct", "reverse", "flatten", "setproduct"] {
            let first = computed(name, vec![local.clone()]).step(Step::Item(0));
            assert!(matches!(first, StaticValue::Computed(..)), "{name}: {first:?}");
        }
    }
}
