//! What functions of the language give, as far as paths go.

use super::{
    StaticValue, Step,
    computed::{INDEX, REPOSITORY},
    named::ends_a_path,
};

/// What a function gives.
pub(super) fn function(name: &str, mut arguments: Vec<StaticValue>) -> StaticValue {
    let first = |arguments: Vec<StaticValue>| arguments.into_iter().next().unwrap_or(StaticValue::Unknown);
    match name {
        "abspath" => StaticValue::computed(name, arguments),
        "pathexpand" | "tostring" | "tolist" | "tomap" | "sensitive" | "nonsensitive" | "ephemeralasnull" => {
            first(arguments)
        }
        "reverse" | "slice" if matches!(arguments.first(), Some(StaticValue::Computed(..))) => {
            StaticValue::computed(name, arguments)
        }
        "toset" | "sort" | "distinct" | "reverse" | "compact" | "slice" => first(arguments).unordered(),
        "trimspace" | "chomp" => without_space(first(arguments)),
        "try" | "coalesce" | "coalescelist" | "merge" => StaticValue::one_of(arguments),
        "concat" => concat(arguments),
        "setunion" => concat(arguments).unordered(),
        "flatten" => match first(arguments) {
            StaticValue::List(items) => {
                StaticValue::Many(Box::new(StaticValue::one_of(items.into_iter().map(item_of).collect())))
            }
            StaticValue::Many(item) => StaticValue::Many(Box::new(item_of(*item))),
            other => other,
        },
        "values" => StaticValue::Many(Box::new(first(arguments).step(Step::Any))),
        "keys" => StaticValue::Many(Box::new(first(arguments).keys())),
        "element" | "one" => first(arguments).step(Step::Any),
        // Whatever key is asked for, one of the values is found.
        "zipmap" if arguments.len() == 2 => {
            let value = arguments.swap_remove(1).step(Step::Any);
            StaticValue::Map(Box::new(arguments.swap_remove(0).step(Step::Any)), Box::new(value))
        }
        "lookup" if arguments.len() >= 2 => {
            let default = arguments.get(2).cloned();
            let step = match &arguments[1] {
                StaticValue::Literal(name) => Step::Member(name.clone()),
                _ => Step::Any,
            };
            let found = arguments.swap_remove(0).step(step);
            StaticValue::one_of(std::iter::once(found).chain(default).collect())
        }
        "dirname" => StaticValue::directory(first(arguments)),
        "basename" => StaticValue::file_name(first(arguments)),
        "fileset" if arguments.len() == 2 => {
            let glob = arguments.swap_remove(1);
            StaticValue::FileSet(Box::new(arguments.swap_remove(0)), Box::new(glob))
        }
        // Between what anything else stands that ends a path, there is no path.
        "join"
            if matches!(arguments.first(), Some(StaticValue::Literal(text)) if text.contains(ends_a_path))
                && !matches!(arguments.get(1), Some(StaticValue::List(_))) =>
        {
            StaticValue::Unknown
        }
        "join" => StaticValue::computed(name, arguments),
        "format" => match arguments.split_first() {
            Some((StaticValue::Literal(pattern), rest)) => format(pattern, rest),
            _ => StaticValue::computed(name, arguments),
        },
        "jsondecode" | "yamldecode" => match first(arguments) {
            StaticValue::Contents(path) => StaticValue::Decoded(path, Vec::new()),
            _ => StaticValue::Unknown,
        },
        "file" => StaticValue::Contents(Box::new(first(arguments))),
        "trimsuffix" if arguments.len() == 2 => match without_end(&arguments[0], &arguments[1]) {
            StaticValue::Unknown => StaticValue::computed(name, arguments),
            known => known,
        },
        // What they give may be, or begin, a path.
        "lower" | "upper" | "title" | "strrev" | "trimprefix" | "trim" | "replace" | "substr" | "split"
        | "regex" | "templatestring" | "urlencode" => StaticValue::computed(name, arguments),
        _ => StaticValue::Unknown,
    }
}

/// A text without white space at its ends, as far as its parts tell. `chomp` takes off less, at the end alone:
/// no path that anybody reads begins or ends in white space.
fn without_space(text: StaticValue) -> StaticValue {
    match text {
        StaticValue::Literal(text) => StaticValue::Literal(text.trim().to_owned()),
        StaticValue::Concat(mut parts) => {
            if let Some(StaticValue::Literal(first)) = parts.first_mut() {
                *first = first.trim_start().to_owned();
            }
            if let Some(StaticValue::Literal(last)) = parts.last_mut() {
                *last = last.trim_end().to_owned();
            }
            StaticValue::concat(parts)
        }
        StaticValue::OneOf(values) => StaticValue::one_of(values.into_iter().map(without_space).collect()),
        other => other,
    }
}

/// What `concat` gives.
fn concat(arguments: Vec<StaticValue>) -> StaticValue {
    let known = arguments.iter().all(|argument| matches!(argument, StaticValue::List(_)));
    let items = arguments.into_iter().flat_map(|argument| match argument {
        StaticValue::List(items) => items,
        other => vec![other.step(Step::Any)],
    });
    let items = StaticValue::List(items.collect());
    if known { items } else { items.unordered() }
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

/// A text without what it may end in, as far as its last part tells.
fn without_end(text: &StaticValue, end: &StaticValue) -> StaticValue {
    let StaticValue::Literal(end) = end else { return StaticValue::Unknown };
    let mut parts = match text {
        StaticValue::Literal(text) => vec![StaticValue::Literal(text.clone())],
        StaticValue::Concat(parts) => parts.clone(),
        _ => return StaticValue::Unknown,
    };
    match parts.last_mut() {
        Some(StaticValue::Literal(last)) if last.len() >= end.len() || last.ends_with(end.as_str()) => {
            if let Some(cut) = last.strip_suffix(end.as_str()) {
                *last = cut.to_owned();
            }
            StaticValue::concat(parts)
        }
        _ => StaticValue::Unknown,
    }
}

/// A text of more bytes than this is no part of a path that anybody reads (Linux: 4,096), whatever is done with it.
const LONGEST_TEXT: usize = 1 << 16;

/// The most memory in bytes that a regular expression takes once it is compiled.
const LARGEST_EXPRESSION: usize = 1 << 16;

/// Functions of texts, where all of the texts are known.
pub(super) fn of_constants(name: &str, arguments: &[StaticValue]) -> Option<StaticValue> {
    if let Some(StaticValue::List(items)) = arguments.first() {
        return of_items(name, items, &arguments[1..]);
    }
    let texts = arguments.iter().map(|argument| match argument {
        StaticValue::Literal(text) => Some(text.as_str()),
        _ => None,
    });
    if name == "join" {
        return match arguments {
            [StaticValue::Literal(separator), StaticValue::List(items)] => Some(joined(separator, items)),
            _ => None,
        };
    }
    let texts = texts.collect::<Option<Vec<&str>>>()?;
    let text = match (name, texts.as_slice()) {
        ("lower", [text]) => text.to_lowercase(),
        ("upper", [text]) => text.to_uppercase(),
        ("title", [text]) if text.is_ascii() => {
            let mut before = ' ';
            let raised = text.chars().map(|c| {
                let within = before.is_ascii_alphanumeric() || before == '_';
                let raised = if within { c } else { c.to_ascii_uppercase() };
                before = c;
                raised
            });
            raised.collect()
        }
        ("strrev", [text]) if text.is_ascii() => text.chars().rev().collect(),
        ("trimprefix", [text, prefix]) => text.strip_prefix(prefix).unwrap_or(text).to_owned(),
        ("trimsuffix", [text, suffix]) => text.strip_suffix(suffix).unwrap_or(text).to_owned(),
        ("trim", [text, cut]) => text.trim_matches(|c| cut.contains(c)).to_owned(),
        ("replace", [text, from, to]) => replaced(text, from, to)?,
        // It counts what a reader takes for characters, which are bytes here alone.
        ("substr", [text, from, length]) if text.is_ascii() => {
            let (from, length): (i64, i64) = (from.parse().ok()?, length.parse().ok()?);
            let from = match usize::try_from(from) {
                Ok(from) => from,
                Err(_) => text.len().saturating_sub(usize::try_from(from.unsigned_abs()).ok()?),
            };
            let rest = text.chars().skip(from);
            match usize::try_from(length) {
                Ok(length) => rest.take(length).collect(),
                Err(_) => rest.collect(),
            }
        }
        ("split", [separator, text]) if !separator.is_empty() => {
            let parts = text.split(separator).map(|part| StaticValue::Literal(part.to_owned()));
            return Some(StaticValue::List(parts.collect()));
        }
        ("dirname", [text]) => return Some(StaticValue::directory(StaticValue::Literal((*text).to_owned()))),
        // Nobody knows what the directory of the repository is called.
        ("basename", [text]) if *text != REPOSITORY => match text.trim_end_matches('/') {
            "" if text.starts_with('/') => "/".to_owned(),
            "" => ".".to_owned(),
            text => text.rsplit('/').next().unwrap_or(text).to_owned(),
        },
        _ => return None,
    };
    Some(StaticValue::Literal(text))
}

/// What `replace` gives. Between slashes stands a regular expression.
fn replaced(text: &str, from: &str, to: &str) -> Option<String> {
    if from.is_empty() || text.len() > LONGEST_TEXT {
        return None;
    }
    let expression = from.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let Some(expression) = expression else {
        let grown = text.matches(from).count().saturating_mul(to.len());
        return (grown.saturating_add(text.len()) <= LONGEST_TEXT).then(|| text.replace(from, to));
    };
    let expression = regex::RegexBuilder::new(expression).size_limit(LARGEST_EXPRESSION).build().ok()?;
    // Each of the groups that the replacement names may be the whole text.
    let grown = expression.find_iter(text).count().saturating_mul(to.len().saturating_mul(text.len().max(1)));
    (grown.saturating_add(text.len()) <= LONGEST_TEXT).then(|| expression.replace_all(text, to).into_owned())
}

/// Functions of lists, where the items are known.
fn of_items(name: &str, items: &[StaticValue], rest: &[StaticValue]) -> Option<StaticValue> {
    let number = |at: usize| match rest.get(at) {
        Some(StaticValue::Literal(number)) => number.parse::<usize>().ok(),
        _ => None,
    };
    match name {
        "reverse" => Some(StaticValue::List(items.iter().rev().cloned().collect())),
        "slice" => Some(StaticValue::List(items.get(number(0)?..number(1)?)?.to_vec())),
        INDEX => {
            let step = number(0).map_or(Step::Any, |index| Step::Item(index as u64));
            Some(StaticValue::List(items.to_vec()).step(step))
        }
        _ => None,
    }
}

/// Items with a text between them.
fn joined(separator: &str, items: &[StaticValue]) -> StaticValue {
    let mut parts = Vec::with_capacity(items.len() * 2);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            parts.push(StaticValue::Literal(separator.to_owned()));
        }
        parts.push(item.clone());
    }
    StaticValue::concat(parts)
}

/// `format`: plain `%s` and `%v`, of the next argument or of one by its number, are filled in; what other verbs give
/// is not known.
fn format(pattern: &str, arguments: &[StaticValue]) -> StaticValue {
    let mut parts = Vec::new();
    let mut next = 0;
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        parts.push(StaticValue::Literal(rest[..at].to_owned()));
        let verb = &rest[at + 1..];
        if let Some(after) = verb.strip_prefix('%') {
            parts.push(StaticValue::Literal("%".to_owned()));
            rest = after;
            continue;
        }
        let numbered = verb.strip_prefix('[').and_then(|verb| verb.split_once(']'));
        let (number, plain) = match numbered {
            Some((number, verb)) => {
                (number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)), verb)
            }
            None => (Some(next), verb),
        };
        let argument =
            number.and_then(|number| arguments.get(number)).cloned().unwrap_or(StaticValue::Unknown);
        next = number.map_or(next, |number| number + 1);
        if let Some(after) = plain.strip_prefix(['s', 'v']) {
            parts.push(argument);
            rest = after;
        } else {
            let end = verb.find(|c: char| c.is_ascii_alphabetic()).map_or(verb.len(), |end| end + 1);
            let given = StaticValue::Literal(format!("%{}", &verb[..end]));
            parts.push(StaticValue::computed("format", vec![given, argument]));
            rest = &verb[end..];
        }
    }
    parts.push(StaticValue::Literal(rest.to_owned()));
    StaticValue::concat(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `terraform console` has them (1.11).
    #[test]
    fn functions_of_known_texts_give_what_terraform_gives() {
        for (name, arguments, given) in [
            ("dirname", &["a/b/"][..], "a/b"),
            ("dirname", &["a/b"], "a"),
            ("dirname", &["/a/"], "/a"),
            ("dirname", &["a"], "."),
            ("basename", &["a/b/"], "b"),
            ("basename", &[""], "."),
            ("basename", &["./"], "."),
            ("basename", &["/"], "/"),
            ("title", &["a_b c'd"], "A_b C'D"),
            ("title", &["a-b c.d"], "A-B C.D"),
            ("substr", &["abc", "-5", "2"], "ab"),
            ("substr", &["abc", "-2", "1"], "b"),
            ("substr", &["abc", "1", "-1"], "bc"),
            ("replace", &["a.b", "/./", "$0$0"], "aa..bb"),
            ("replace", &["ab", "/(a)/", "$1x"], "b"),
            ("replace", &["ab", "/(a)/", "${1}x"], "axb"),
            ("trim", &["--a--", "-"], "a"),
            ("trimprefix", &["aab", "a"], "ab"),
            ("trimsuffix", &["abb", "b"], "ab"),
        ] {
            let texts: Vec<StaticValue> =
                arguments.iter().map(|&text| StaticValue::Literal(text.to_owned())).collect();
            let found = of_constants(name, &texts);
            assert_eq!(found, Some(StaticValue::Literal(given.to_owned())), "{name}({arguments:?})");
        }
        // What it counts as one character may be several here.
        let text = |text: &str| StaticValue::Literal(text.to_owned());
        assert_eq!(of_constants("substr", &[text("a\u{308}bc"), text("1"), text("1")]), None);
    }
}
