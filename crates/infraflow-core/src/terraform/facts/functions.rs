//! What functions of the language give, as far as paths go.

use super::{StaticValue, Step};

/// What a function gives.
pub(super) fn function(name: &str, mut arguments: Vec<StaticValue>) -> StaticValue {
    let first = |arguments: Vec<StaticValue>| arguments.into_iter().next().unwrap_or(StaticValue::Unknown);
    match name {
        "abspath" | "pathexpand" | "tostring" | "tolist" | "tomap" | "sensitive" | "nonsensitive"
        | "ephemeralasnull" => first(arguments),
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
        "zipmap" if arguments.len() == 2 => arguments.swap_remove(1),
        "lookup" if arguments.len() >= 2 => {
            let default = arguments.get(2).cloned();
            let step = match &arguments[1] {
                StaticValue::Literal(name) => Step::Member(name.clone()),
                _ => Step::Any,
            };
            let found = arguments.swap_remove(0).step(step);
            StaticValue::one_of(std::iter::once(found).chain(default).collect())
        }
        "dirname" => StaticValue::Directory(Box::new(first(arguments))),
        "basename" => StaticValue::FileName(Box::new(first(arguments))),
        "fileset" if arguments.len() == 2 => {
            let glob = arguments.swap_remove(1);
            StaticValue::FileSet(Box::new(arguments.swap_remove(0)), Box::new(glob))
        }
        "join" if arguments.len() == 2 => match (&arguments[0], &arguments[1]) {
            (StaticValue::Literal(separator), StaticValue::List(items)) => {
                let mut parts = Vec::with_capacity(items.len() * 2);
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        parts.push(StaticValue::Literal(separator.clone()));
                    }
                    parts.push(item.clone());
                }
                StaticValue::concat(parts)
            }
            _ => StaticValue::Unknown,
        },
        "format" => match arguments.split_first() {
            Some((StaticValue::Literal(pattern), rest)) => format(pattern, rest),
            _ => StaticValue::Unknown,
        },
        "jsondecode" | "yamldecode" => match first(arguments) {
            StaticValue::Contents(path) => StaticValue::Decoded(path, Vec::new()),
            _ => StaticValue::Unknown,
        },
        "file" => StaticValue::Contents(Box::new(first(arguments))),
        "trimsuffix" if arguments.len() == 2 => without_end(first(arguments.clone()), &arguments[1]),
        name => of_constants(name, &arguments).unwrap_or(StaticValue::Unknown),
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
fn without_end(text: StaticValue, end: &StaticValue) -> StaticValue {
    let StaticValue::Literal(end) = end else { return StaticValue::Unknown };
    let parts = match text {
        StaticValue::Literal(text) => vec![StaticValue::Literal(text)],
        StaticValue::Concat(parts) => parts,
        _ => return StaticValue::Unknown,
    };
    let mut parts = parts;
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

/// Functions of texts, where all of the texts are known.
fn of_constants(name: &str, arguments: &[StaticValue]) -> Option<StaticValue> {
    let texts = arguments.iter().map(|argument| match argument {
        StaticValue::Literal(text) => Some(text.as_str()),
        _ => None,
    });
    let texts = texts.collect::<Option<Vec<&str>>>()?;
    let text = match (name, texts.as_slice()) {
        ("lower", [text]) => text.to_lowercase(),
        ("upper", [text]) => text.to_uppercase(),
        ("title", [text]) => {
            let mut before = ' ';
            let raised = text.chars().map(|c| {
                let raised = if before.is_alphanumeric() { c } else { c.to_ascii_uppercase() };
                before = c;
                raised
            });
            raised.collect()
        }
        ("trimprefix", [text, prefix]) => text.strip_prefix(prefix).unwrap_or(text).to_owned(),
        ("trim", [text, cut]) => text.trim_matches(|c| cut.contains(c)).to_owned(),
        // Between slashes stands a regular expression.
        ("replace", [text, from, to])
            if !(from.is_empty() || from.len() > 1 && from.starts_with('/') && from.ends_with('/')) =>
        {
            let grown = text.matches(from).count().saturating_mul(to.len());
            if grown.saturating_add(text.len()) > LONGEST_TEXT {
                return None;
            }
            text.replace(from, to)
        }
        ("substr", [text, from, length]) => {
            let (from, length): (usize, i64) = (from.parse().ok()?, length.parse().ok()?);
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
        _ => return None,
    };
    Some(StaticValue::Literal(text))
}

/// `format`: plain `%s` and `%v` are filled in, every other verb is unknown.
fn format(pattern: &str, arguments: &[StaticValue]) -> StaticValue {
    let mut parts = Vec::new();
    let mut arguments = arguments.iter();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        parts.push(StaticValue::Literal(rest[..at].to_owned()));
        let verb = &rest[at + 1..];
        if let Some(after) = verb.strip_prefix('%') {
            parts.push(StaticValue::Literal("%".to_owned()));
            rest = after;
        } else if let Some(after) = verb.strip_prefix(['s', 'v']) {
            parts.push(arguments.next().cloned().unwrap_or(StaticValue::Unknown));
            rest = after;
        } else {
            let end = verb.find(|c: char| c.is_ascii_alphabetic()).map_or(verb.len(), |end| end + 1);
            parts.push(StaticValue::Unknown);
            arguments.next();
            rest = &verb[end..];
        }
    }
    parts.push(StaticValue::Literal(rest.to_owned()));
    StaticValue::concat(parts)
}
