//! The `tm_` functions, which are Terraform's under another name, as far as lists of paths are made by them.

use super::{Files, Value, evaluate::LARGEST, yaml};
use crate::terraform::facts::READS;

/// The value of a function, by its name without `tm_`.
pub(super) fn call(name: &str, arguments: Vec<Value>, files: &mut dyn Files) -> Value {
    if READS.contains(&name) && name != "fileexists" {
        // What most of them make of the file is not known.
        let Some(path) = arguments.first().and_then(Value::text) else { return Value::Unknown };
        let content = files.read(path);
        return match content.as_deref().map(std::str::from_utf8) {
            Some(Ok(text)) if name == "file" => Value::Text(text.to_owned()),
            _ => Value::Unknown,
        };
    }
    match (name, arguments.as_slice()) {
        ("fileexists", [Value::Text(path)]) => Value::Bool(files.exists(path)),
        ("fileset", [Value::Text(directory), Value::Text(glob)]) => {
            let found = files.matching(directory, glob);
            found.map_or(Value::Unknown, |found| Value::List(found.into_iter().map(Value::Text).collect()))
        }
        _ => pure(name, arguments).unwrap_or(Value::Unknown),
    }
}

fn pure(name: &str, mut arguments: Vec<Value>) -> Option<Value> {
    Some(match (name, arguments.as_slice()) {
        ("upper", [Value::Text(text)]) => Value::Text(text.to_uppercase()),
        ("lower", [Value::Text(text)]) => Value::Text(text.to_lowercase()),
        ("trimspace", [Value::Text(text)]) => Value::Text(text.trim().to_owned()),
        ("chomp", [Value::Text(text)]) => Value::Text(text.trim_end_matches(['\r', '\n']).to_owned()),
        ("trimprefix", [Value::Text(text), Value::Text(start)]) => {
            Value::Text(text.strip_prefix(start.as_str()).unwrap_or(text).to_owned())
        }
        ("trimsuffix", [Value::Text(text), Value::Text(end)]) => {
            Value::Text(text.strip_suffix(end.as_str()).unwrap_or(text).to_owned())
        }
        ("trim", [Value::Text(text), Value::Text(cut)]) => {
            Value::Text(text.trim_matches(|c| cut.contains(c)).to_owned())
        }
        // Between slashes stands a regular expression.
        ("replace", [Value::Text(text), Value::Text(from), Value::Text(to)])
            if !(from.len() > 1 && from.starts_with('/') && from.ends_with('/')) =>
        {
            let most = text.len().saturating_mul(to.len().max(1));
            (most <= LARGEST || text.matches(from.as_str()).count().saturating_mul(to.len()) <= LARGEST)
                .then(|| Value::Text(text.replace(from.as_str(), to)))?
        }
        ("split", [Value::Text(by), Value::Text(text)]) => {
            let parts: Vec<Value> = match (by.as_str(), text.as_str()) {
                (_, "") => vec![Value::Text(String::new())],
                ("", text) => text.chars().map(|c| Value::Text(c.into())).collect(),
                (by, text) => text.split(by).map(|part| Value::Text(part.to_owned())).collect(),
            };
            Value::List(parts)
        }
        ("join", [Value::Text(by), rest @ ..]) => {
            let texts = texts(rest)?;
            (texts.len().saturating_mul(by.len()) <= LARGEST).then(|| Value::Text(texts.join(by)))?
        }
        ("format", [Value::Text(pattern), rest @ ..]) => Value::Text(format(pattern, rest)?),
        ("formatlist", [Value::Text(pattern), rest @ ..]) => {
            let length = rest.iter().filter_map(Value::list).map(<[Value]>::len).max()?;
            let longest = rest.iter().map(|argument| argument.size().saturating_mul(16)).sum::<usize>();
            if length.saturating_mul(pattern.len().saturating_add(longest)) > 16 * LARGEST {
                return None;
            }
            let lines = (0..length).map(|at| {
                let row = rest.iter().map(|argument| match argument {
                    Value::List(items) => items.get(at).cloned(),
                    other => Some(other.clone()),
                });
                format(pattern, &row.collect::<Option<Vec<_>>>()?).map(Value::Text)
            });
            Value::List(lines.collect::<Option<_>>()?)
        }
        ("concat" | "setunion", all) => {
            let mut items = Vec::new();
            for argument in all {
                items.extend(argument.list()?.iter().cloned());
            }
            if name == "setunion" { distinct(items)? } else { Value::List(items) }
        }
        ("flatten", [Value::List(items)]) => Value::List(flat(items)?),
        ("distinct" | "toset", [Value::List(_)]) => distinct(arguments.remove(0).list()?.to_vec())?,
        ("tolist" | "tomap", [_]) => arguments.remove(0),
        ("tostring", [value]) => Value::Text(value.spelled()?),
        ("sort", [list @ Value::List(_)]) => {
            let mut sorted = texts(std::slice::from_ref(list))?;
            sorted.sort();
            Value::List(sorted.into_iter().map(Value::Text).collect())
        }
        ("reverse", [Value::List(items)]) => Value::List(items.iter().rev().cloned().collect()),
        ("compact", [list @ Value::List(items)]) if list.is_known() => {
            let empty = |item: &&Value| !matches!(item, Value::Null) && item.text() != Some("");
            Value::List(items.iter().filter(empty).cloned().collect())
        }
        ("coalesce", all) => {
            all.iter().find(|value| **value != Value::Null && value.text() != Some(""))?.clone()
        }
        ("length", [Value::List(items)]) => Value::Number(items.len() as f64),
        ("length", [Value::Text(text)]) => Value::Number(text.chars().count() as f64),
        ("length", [Value::Object(members)]) => Value::Number(members.len() as f64),
        ("contains", [list @ Value::List(items), wanted]) if list.is_known() && wanted.is_known() => {
            Value::Bool(items.contains(wanted))
        }
        ("element", [Value::List(items), Value::Number(at)]) if !items.is_empty() && *at >= 0.0 => {
            items[*at as usize % items.len()].clone()
        }
        ("slice", [Value::List(items), Value::Number(from), Value::Number(to)]) => {
            Value::List(items.get(*from as usize..*to as usize)?.to_vec())
        }
        ("keys", [Value::Object(members)]) => {
            Value::List(members.iter().map(|(name, _)| Value::Text(name.clone())).collect())
        }
        ("values", [Value::Object(members)]) => {
            Value::List(members.iter().map(|(_, value)| value.clone()).collect())
        }
        ("lookup", [map @ Value::Object(members), Value::Text(key), rest @ ..]) => {
            match (members.iter().any(|(name, _)| name == key), rest.first()) {
                (true, _) => map.member(key),
                (false, Some(default)) => default.clone(),
                (false, None) => return None,
            }
        }
        ("merge", all) => {
            let mut members = Vec::new();
            for argument in all {
                let Value::Object(more) = argument else { return None };
                members.extend(more.iter().cloned());
            }
            Value::Object(members)
        }
        ("jsondecode", [Value::Text(text)]) => Value::of_json(serde_json::from_str(text).ok()?),
        ("yamldecode", [Value::Text(text)]) => yaml::decode(text)?,
        ("dirname", [Value::Text(path)]) => match path.rsplit_once('/') {
            Some(("", _)) => Value::Text("/".to_owned()),
            Some((directory, _)) => Value::Text(directory.to_owned()),
            None => Value::Text(".".to_owned()),
        },
        ("basename", [Value::Text(path)]) => {
            Value::Text(path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned())
        }
        _ => return None,
    })
}

/// The texts of lists one after another.
fn texts(lists: &[Value]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for list in lists {
        for item in list.list()? {
            all.push(item.spelled()?);
        }
    }
    Some(all)
}

fn flat(items: &[Value]) -> Option<Vec<Value>> {
    let mut all = Vec::new();
    for item in items {
        match item {
            Value::List(inner) => all.extend(flat(inner)?),
            Value::Unknown => return None,
            other => all.push(other.clone()),
        }
    }
    Some(all)
}

/// Each item once. Comparing all with all is bounded: a list is no longer than a watch list can be.
fn distinct(items: Vec<Value>) -> Option<Value> {
    const MOST: usize = 4_096;
    if items.len() > MOST {
        return None;
    }
    let mut found: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        if !found.contains(&item) {
            found.push(item);
        }
    }
    Some(Value::List(found))
}

/// `%s`, `%v`, `%d` and `%%`; any other verb is not known.
fn format(pattern: &str, arguments: &[Value]) -> Option<String> {
    let mut made = String::new();
    let mut arguments = arguments.iter();
    let mut rest = pattern;
    while let Some((before, verb)) = rest.split_once('%') {
        made.push_str(before);
        let mut verbs = verb.chars();
        match verbs.next()? {
            '%' => made.push('%'),
            's' | 'v' | 'd' => made.push_str(&arguments.next()?.spelled()?),
            _ => return None,
        }
        rest = verbs.as_str();
    }
    made.push_str(rest);
    Some(made)
}
