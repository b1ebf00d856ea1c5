//! Functions of texts and of numbers.

use std::sync::Arc;

use super::value::{MAX_ITEMS, MAX_TEXT, Value};
use crate::terraform::facts::{Groups, expression, groups, text_of};

pub(super) fn path_part(name: &str, value: &Value) -> Value {
    let directory = name == "dirname";
    match value {
        // What ends in a slash is a directory's path as a whole.
        Value::Text(text) if directory => match text.rfind('/') {
            Some(at) if text[..at].trim_end_matches('/').is_empty() => Value::text("/"),
            Some(at) => Value::text(text[..at].trim_end_matches('/')),
            None => Value::text("."),
        },
        Value::Text(text) => {
            let trimmed = text.trim_end_matches('/');
            Value::text(trimmed.rfind('/').map_or(trimmed, |at| &trimmed[at + 1..]))
        }
        Value::Parts(parts) => {
            let mut parts = parts.to_vec();
            let last = parts.pop();
            match last {
                Some(Value::Text(text)) if text.contains('/') => {
                    let at = text.rfind('/').unwrap_or(0);
                    if !directory {
                        return Value::text(&text[at + 1..]);
                    }
                    parts.push(Value::text(&text[..at]));
                    Value::concat(parts)
                }
                Some(name @ Value::Name(_)) if !directory => name,
                // The unknown part may be several names.
                _ if directory => {
                    parts.push(Value::Unknown);
                    Value::concat(parts)
                }
                _ => Value::Unknown,
            }
        }
        Value::Name(_) if !directory => value.clone(),
        _ => Value::Unknown,
    }
}

pub(super) fn join(arguments: &[Value]) -> Value {
    let Some(separator) = arguments.first().and_then(Value::as_text) else { return Value::Unknown };
    let mut parts = Vec::new();
    for list in &arguments[1..] {
        let Value::List(items) = list else { return Value::Unknown };
        for item in items.iter() {
            if !parts.is_empty() {
                parts.push(Value::Text(Arc::clone(&separator)));
            }
            parts.push(item.clone());
        }
    }
    Value::concat(parts)
}

/// Whole numbers alone; of others nobody needs to know.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // checked: below 2^52
pub(super) fn whole(name: &str, arguments: &[Value]) -> Option<Value> {
    let texts = arguments.iter().map(|argument| {
        let number = argument.as_number().filter(|n| n.fract() == 0.0 && n.abs() < (1_u64 << 52) as f64)?;
        Some((number as i64).to_string())
    });
    let texts = texts.collect::<Option<Vec<String>>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    text_of(name, &texts)?.parse().ok().map(Value::Number)
}

/// `format`: plain `%s`, `%v` and `%d` are filled in, and others where what they are given is known.
pub(super) fn format(arguments: &[Value]) -> Value {
    let Some(pattern) = arguments.first().and_then(Value::as_text) else { return Value::Unknown };
    let mut rest: &str = &pattern;
    let mut given = arguments[1..].iter();
    let mut parts = Vec::new();
    while let Some(at) = rest.find('%') {
        parts.push(Value::text(&rest[..at]));
        let verb = &rest[at + 1..];
        if let Some(after) = verb.strip_prefix('%') {
            parts.push(Value::text("%"));
            rest = after;
        } else if let Some(after) = verb.strip_prefix(['s', 'v', 'd']) {
            parts.push(given.next().cloned().unwrap_or(Value::Failed));
            rest = after;
        } else {
            let end = verb.find(|c: char| c.is_ascii_alphabetic()).map_or(verb.len(), |end| end + 1);
            let text = given.next().and_then(Value::as_text);
            let padded = text.and_then(|text| text_of("format", &[&format!("%{}", &verb[..end]), &text]));
            parts.push(padded.map_or(Value::Unknown, Value::text));
            rest = &verb[end..];
        }
    }
    parts.push(Value::text(rest));
    Value::concat(parts)
}

pub(super) fn text_function(name: &str, arguments: &[Value]) -> Option<Value> {
    let owned;
    let subject: &str = match arguments.first()? {
        Value::Content(file) => file.text()?,
        other => {
            owned = other.as_text()?;
            &owned
        }
    };
    let argument = |at: usize| arguments.get(at).and_then(Value::as_text);
    Some(match name {
        "trimspace" | "chomp" => {
            Value::text(if name == "chomp" { subject.trim_end_matches(['\r', '\n']) } else { subject.trim() })
        }
        "trim" => {
            let cut: Vec<char> = argument(1)?.chars().collect();
            Value::text(subject.trim_matches(&cut[..]))
        }
        "trimprefix" => {
            let cut = argument(1)?;
            Value::text(subject.strip_prefix(&*cut).unwrap_or(subject))
        }
        "trimsuffix" => {
            let cut = argument(1)?;
            Value::text(subject.strip_suffix(&*cut).unwrap_or(subject))
        }
        "startswith" => Value::Bool(subject.starts_with(&*argument(1)?)),
        "endswith" => Value::Bool(subject.ends_with(&*argument(1)?)),
        "strcontains" => Value::Bool(subject.contains(&*argument(1)?)),
        "split" => {
            let text = argument(1)?;
            if subject.is_empty() || text.len() > MAX_TEXT {
                return None;
            }
            let items: Vec<Value> = text.split(subject).take(MAX_ITEMS + 1).map(Value::text).collect();
            if items.len() > MAX_ITEMS { Value::Unknown } else { Value::list(items) }
        }
        "replace" => {
            let (from, to) = (argument(1)?, argument(2)?);
            let pattern = from.len() > 1 && from.starts_with('/') && from.ends_with('/');
            if pattern {
                let pattern = expression(&from[1..from.len() - 1], subject)?;
                bounded(pattern.replace_all(subject, &*to).into_owned())
            } else if from.is_empty() || subject.len().saturating_mul(to.len().max(1)) > MAX_TEXT {
                Value::Unknown
            } else {
                bounded(subject.replace(&*from, &to))
            }
        }
        "regex" => {
            let text = argument(1)?;
            let pattern = expression(subject, &text)?;
            pattern.captures(&text).map_or(Value::Failed, |found| matched(&pattern, &found))
        }
        "regexall" => {
            let text = argument(1)?;
            let pattern = expression(subject, &text)?;
            let found: Vec<Value> = pattern
                .captures_iter(&text)
                .take(MAX_ITEMS + 1)
                .map(|found| matched(&pattern, &found))
                .collect();
            if found.len() > MAX_ITEMS { Value::Unknown } else { Value::list(found) }
        }
        _ => {
            let rest = arguments[1..].iter().map(Value::as_text).collect::<Option<Vec<_>>>()?;
            let texts: Vec<&str> = std::iter::once(subject).chain(rest.iter().map(|text| &**text)).collect();
            Value::text(text_of(name, &texts)?)
        }
    })
}

fn matched(pattern: &regex::Regex, found: &regex::Captures<'_>) -> Value {
    let group = |part: Option<&str>| part.map_or(Value::Null, Value::text);
    match groups(pattern, found) {
        Groups::Whole(whole) => Value::text(whole),
        Groups::Named(named) => {
            Value::object(named.into_iter().map(|(name, part)| (name.into(), group(part))).collect())
        }
        Groups::Listed(listed) => Value::list(listed.into_iter().map(group).collect()),
    }
}

fn bounded(text: String) -> Value {
    if text.len() > MAX_TEXT { Value::Unknown } else { Value::text(text) }
}
