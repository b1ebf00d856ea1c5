//! YAML as configuration files of teams are: mappings, lists, plain and quoted texts, and both written in one
//! line. Whatever else there is (anchors, tags, texts over several lines, several documents) is a value that
//! nobody knows, and is never misread.

use std::collections::BTreeMap;

use super::{
    source_file::json_data,
    value::{Members, Value},
};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 32;

/// The most lines that are read.
const MAX_LINES: usize = 20_000;

struct Line<'a> {
    indent: usize,
    text: &'a str,
}

/// What a document says; unknown where it uses more of YAML than is read here.
pub(super) fn parse(text: &str) -> Value {
    let trimmed = text.trim_start_matches('\u{feff}').trim();
    if trimmed.starts_with(['{', '[']) {
        return json_data(trimmed).unwrap_or(Value::Unknown);
    }
    let Some(lines) = lines(text) else { return Value::Unknown };
    if lines.is_empty() {
        return Value::Null;
    }
    let mut at = 0;
    match block(&lines, &mut at, lines[0].indent, 0) {
        Some(value) if at == lines.len() => value,
        _ => Value::Unknown,
    }
}

/// The lines that say something; `None` for what is not read here.
fn lines(text: &str) -> Option<Vec<Line<'_>>> {
    let mut found = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim_end();
        let text = line.trim_start_matches(' ');
        if text.is_empty() || text.starts_with('#') || (number == 0 && text == "---") {
            continue;
        }
        let more = text.starts_with("--- ") || text == "---" || text == "..." || text.starts_with('%');
        if more || text.starts_with('\t') || found.len() == MAX_LINES {
            return None;
        }
        found.push(Line { indent: line.len() - text.len(), text });
    }
    // The mark may follow comments.
    Some(found)
}

fn block(lines: &[Line<'_>], at: &mut usize, indent: usize, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    let first = lines.get(*at)?;
    if first.text == "-" || first.text.starts_with("- ") {
        return list(lines, at, indent, depth);
    }
    if key(first.text).is_some() {
        return mapping(lines, at, indent, depth);
    }
    let value = scalar(first.text)?;
    *at += 1;
    Some(value)
}

fn list(lines: &[Line<'_>], at: &mut usize, indent: usize, depth: usize) -> Option<Value> {
    let mut items = Vec::new();
    while let Some(line) = lines.get(*at).filter(|line| line.indent == indent) {
        let Some(rest) = line.text.strip_prefix('-').filter(|rest| rest.is_empty() || rest.starts_with(' '))
        else {
            break;
        };
        let inner = rest.trim_start();
        let comment = inner.starts_with('#');
        if inner.is_empty() || comment {
            *at += 1;
            items.push(nested(lines, at, indent + 1, depth)?);
        } else if key(inner).is_some() {
            // A mapping begins on the line of its dash.
            let shift = line.text.len() - inner.len();
            items.push(dashed(lines, at, indent + shift, inner, depth)?);
        } else {
            *at += 1;
            items.push(scalar(inner)?);
        }
    }
    Some(Value::list(items))
}

/// What stands deeper than a line; nothing where no line does.
fn nested(lines: &[Line<'_>], at: &mut usize, least: usize, depth: usize) -> Option<Value> {
    match lines.get(*at) {
        Some(next) if next.indent >= least => block(lines, at, next.indent, depth + 1),
        _ => Some(Value::Null),
    }
}

fn dashed(lines: &[Line<'_>], at: &mut usize, indent: usize, first: &str, depth: usize) -> Option<Value> {
    let mut members = BTreeMap::new();
    member(lines, at, indent, first, depth, &mut members)?;
    rest(lines, at, indent, depth, &mut members)?;
    Some(Value::object(members))
}

fn mapping(lines: &[Line<'_>], at: &mut usize, indent: usize, depth: usize) -> Option<Value> {
    let mut members = BTreeMap::new();
    rest(lines, at, indent, depth, &mut members)?;
    Some(Value::object(members))
}

fn rest(
    lines: &[Line<'_>],
    at: &mut usize,
    indent: usize,
    depth: usize,
    members: &mut Members,
) -> Option<()> {
    while let Some(line) = lines.get(*at).filter(|line| line.indent == indent) {
        if line.text == "-" || line.text.starts_with("- ") {
            break;
        }
        member(lines, at, indent, line.text, depth, members)?;
    }
    // What is indented like nothing above it is no YAML.
    match lines.get(*at) {
        Some(line) if line.indent > indent => None,
        _ => Some(()),
    }
}

fn member(
    lines: &[Line<'_>],
    at: &mut usize,
    indent: usize,
    text: &str,
    depth: usize,
    members: &mut Members,
) -> Option<()> {
    let (name, value) = key(text)?;
    *at += 1;
    let value = if value.is_empty() || value.starts_with('#') {
        match lines.get(*at) {
            // A list may stand as far left as its name.
            Some(next) if next.indent == indent && (next.text == "-" || next.text.starts_with("- ")) => {
                list(lines, at, indent, depth + 1)?
            }
            _ => nested(lines, at, indent + 1, depth)?,
        }
    } else if value.starts_with(['|', '>']) {
        while lines.get(*at).is_some_and(|line| line.indent > indent) {
            *at += 1;
        }
        Value::Unknown
    } else {
        scalar(value)?
    };
    members.insert(name.into(), value);
    Some(())
}

/// A name and what follows its colon.
fn key(text: &str) -> Option<(String, &str)> {
    if let Some(quote) = text.chars().next().filter(|c| ['"', '\''].contains(c)) {
        let end = text[1..].find(quote)? + 1;
        let rest = text[end + 1..].trim_start().strip_prefix(':')?;
        let plain = !text[1..end].contains('\\');
        return (plain && (rest.is_empty() || rest.starts_with(' ')))
            .then(|| (text[1..end].to_owned(), rest.trim()));
    }
    if text.starts_with(['{', '[', '&', '*', '!', '|', '>', '?', '%', '@', '`', '#']) {
        return None;
    }
    let colon = text.find(": ").or_else(|| text.strip_suffix(':').map(str::len))?;
    let comment = text.find(" #").is_some_and(|comment| comment < colon);
    (!comment).then(|| (text[..colon].trim_end().to_owned(), text[colon + 1..].trim()))
}

fn scalar(text: &str) -> Option<Value> {
    let text = text.trim();
    match text.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = text[1..].find(quote)? + 1;
            let (inner, after) = (&text[1..end], text[end + 1..].trim());
            let simple = !inner.contains('\\') && (after.is_empty() || after.starts_with('#'));
            Some(if simple { Value::text(inner) } else { Value::Unknown })
        }
        '{' | '[' => Some(flow(text)),
        '&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' | '?' => Some(Value::Unknown),
        _ => {
            let plain = text.find(" #").map_or(text, |at| text[..at].trim_end());
            Some(match plain {
                "~" | "null" | "Null" | "NULL" | "" => Value::Null,
                "true" | "True" | "TRUE" => Value::Bool(true),
                "false" | "False" | "FALSE" => Value::Bool(false),
                _ => match plain.parse::<f64>() {
                    // A number is spelled back as it was only where it is a plain one.
                    Ok(number) if format!("{number}") == plain => Value::Number(number),
                    Ok(_) => Value::Unknown,
                    Err(_) => Value::text(plain),
                },
            })
        }
    }
}

/// A list or mapping in one line, of plain texts.
fn flow(text: &str) -> Value {
    if let Ok(value) = json_data(text) {
        return value;
    }
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(inner) if !inner.contains(['[', ']', '{', '}', '"', '\'', ':', '#']) => {
            let items = inner.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::list(items.map(|item| scalar(item).unwrap_or(Value::Unknown)).collect())
        }
        _ => Value::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(value: &Value, path: &[&str]) -> Value {
        path.iter().fold(value.clone(), |value, name| value.member(name))
    }

    #[test]
    fn mappings_lists_and_texts_are_read() {
        let text = "# comment\n---\nregion: eu-west-1\nname: \"a b\" # said\nempty:\nnested:\n  deep:\n    port: 80\n    on: true\nlist:\n- one\n- name: two\n  at: 'x: y'\n-\n  name: three\nflow: [a, b]\nurl: http://x/y#z\n";
        let value = parse(text);
        // The mark stands after a comment, which is more than is read.
        assert!(matches!(value, Value::Unknown));
        let value = parse(&text.replace("# comment\n", ""));
        for (path, expected) in [
            (&["region"][..], "eu-west-1"),
            (&["name"], "a b"),
            (&["nested", "deep", "port"], "80"),
            (&["nested", "deep", "on"], "true"),
            (&["list", "0"], "one"),
            (&["list", "1", "name"], "two"),
            (&["list", "1", "at"], "x: y"),
            (&["list", "2", "name"], "three"),
            (&["flow", "1"], "b"),
            (&["url"], "http://x/y#z"),
        ] {
            assert_eq!(at(&value, path).as_text().as_deref(), Some(expected), "{path:?} of {value:?}");
        }
        assert!(matches!(at(&value, &["empty"]), Value::Null));
    }

    #[test]
    fn what_is_not_read_is_unknown_and_never_misread() {
        for text in ["a: &x 1\n", "a: *x\n", "a: |\n  b\n  c\n", "a: {b: c}\n", "a: 007\n", "a: \"x\\ty\"\n"]
        {
            assert!(matches!(parse(text).member("a"), Value::Unknown), "{text:?}: {:?}", parse(text));
        }
        for text in ["a: 1\n---\nb: 2\n", "\ta: 1\n", "a: 1\n   b: 2\n"] {
            assert!(matches!(parse(text), Value::Unknown), "{text:?}: {:?}", parse(text));
        }
        assert!(matches!(parse(&"- ".repeat(100_000)), Value::Unknown | Value::List(_)));
        let deep: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(matches!(parse(&deep), Value::Unknown));
    }
}
