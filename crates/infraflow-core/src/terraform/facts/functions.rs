//! What functions of the language give, as far as paths go.

use super::{StaticValue, Step, collections, known::LONGEST_TEXT, named::ends_a_path};

/// What a function gives.
pub(super) fn function(name: &str, mut arguments: Vec<StaticValue>) -> StaticValue {
    let first = |arguments: Vec<StaticValue>| arguments.into_iter().next().unwrap_or(StaticValue::Unknown);
    match name {
        "abspath" => StaticValue::computed(name, arguments),
        "pathexpand" | "tostring" | "tomap" | "sensitive" | "nonsensitive" | "ephemeralasnull" => {
            first(arguments)
        }
        // What a variable holds may be a set, whose order is another than it is written in.
        "tolist" | "toset" if by_name(arguments.first()) => first(arguments).unordered(),
        "tolist" => first(arguments),
        "toset" => first(arguments).unordered(),
        "trimspace" | "chomp" => without_space(first(arguments)),
        "try" => StaticValue::one_of(up_to(arguments, is_certain)),
        "coalesce" => StaticValue::one_of(up_to(arguments, |value| is_certain(value) && !is_empty(value))),
        "coalescelist" | "merge" => StaticValue::one_of(arguments),
        "concat" => concat(arguments),
        "setunion" => concat(arguments).unordered(),
        "values" => StaticValue::Many(Box::new(first(arguments).step(Step::Any))),
        "keys" => StaticValue::Many(Box::new(first(arguments).keys())),
        "one" => first(arguments).step(Step::Any),
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
        "format" => match arguments.split_first() {
            Some((StaticValue::Literal(pattern), rest)) => format(pattern, rest),
            _ => StaticValue::computed(name, arguments),
        },
        "jsondecode" | "yamldecode" if matches!(arguments.first(), Some(StaticValue::Contents(_))) => {
            match first(arguments) {
                StaticValue::Contents(path) => StaticValue::Decoded(path, Vec::new()),
                _ => StaticValue::Unknown,
            }
        }
        "file" => StaticValue::Contents(Box::new(first(arguments))),
        "trimsuffix" if arguments.len() == 2 => match without_end(&arguments[0], &arguments[1]) {
            StaticValue::Unknown => StaticValue::computed(name, arguments),
            known => known,
        },
        // What they give may be, or begin, a path.
        _ if OF_TEXTS.contains(&name) || collections::NAMES.contains(&name) => {
            StaticValue::computed(name, arguments)
        }
        _ => StaticValue::Unknown,
    }
}

/// Functions of texts that are worked out once the texts are known.
const OF_TEXTS: [&str; 33] = [
    "abs",
    "base64decode",
    "base64encode",
    "base64sha256",
    "base64sha512",
    "ceil",
    "endswith",
    "floor",
    "indent",
    "join",
    "jsondecode",
    "lower",
    "max",
    "min",
    "parseint",
    "regex",
    "regexall",
    "replace",
    "sha256",
    "sha512",
    "signum",
    "split",
    "startswith",
    "strcontains",
    "strrev",
    "substr",
    "templatestring",
    "title",
    "trim",
    "trimprefix",
    "upper",
    "urlencode",
    "yamldecode",
];

/// Whether a value is known by a name only, or made of such a one.
pub(super) fn by_name(value: Option<&StaticValue>) -> bool {
    match value {
        Some(StaticValue::Local(..) | StaticValue::Variable(..) | StaticValue::Computed(..)) => true,
        Some(StaticValue::OneOf(values)) => values.iter().any(|value| by_name(Some(value))),
        _ => false,
    }
}

/// The arguments up to the first of which this holds.
fn up_to(arguments: Vec<StaticValue>, last: impl Fn(&StaticValue) -> bool) -> Vec<StaticValue> {
    let end = arguments.iter().position(last).map_or(arguments.len(), |at| at + 1);
    arguments.into_iter().take(end).collect()
}

/// Whether it is a text that nothing can make an error.
fn is_certain(value: &StaticValue) -> bool {
    match value {
        StaticValue::Literal(_) | StaticValue::Base(_) => true,
        StaticValue::Concat(parts) => parts.iter().all(is_certain),
        _ => false,
    }
}

fn is_empty(value: &StaticValue) -> bool {
    matches!(value, StaticValue::Literal(text) if text.is_empty())
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

/// `format`: plain `%s` and `%v`, of the next argument or of one by its number, are filled in; what other verbs give
/// is not known.
pub(super) fn format(pattern: &str, arguments: &[StaticValue]) -> StaticValue {
    let mut parts = Vec::new();
    let (mut next, mut size) = (0, 0);
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
        // One argument may be filled in as often as somebody likes.
        size += collections::size(&argument);
        if size > LONGEST_TEXT {
            return StaticValue::Unknown;
        }
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
