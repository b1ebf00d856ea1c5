//! YAML as `yamldecode` has it: the one document of a file, its plain scalars typed.

use std::sync::Arc;

use super::value::{Members, Value};
use crate::yaml::{self, Node};

/// The most values of one file; aliases make a short file many.
const MOST_VALUES: usize = 100_000;

/// What a document says; unknown where it cannot be read to its end.
pub(super) fn parse(text: &str) -> Value {
    let read = yaml::read(text.as_bytes());
    let mut left = MOST_VALUES;
    match (&read.broken, read.documents.as_slice()) {
        (None, []) => Value::Null,
        (None, [document]) => value(document, &mut left).unwrap_or(Value::Unknown),
        _ => Value::Unknown,
    }
}

/// A node as a value; `None` where there are too many.
fn value(node: &Node, left: &mut usize) -> Option<Value> {
    *left = left.checked_sub(1)?;
    Some(match &node.value {
        yaml::Value::Scalar { text, plain: true } => typed(text),
        yaml::Value::Scalar { text, .. } => Value::text(text.as_str()),
        yaml::Value::List(items) => {
            Value::list(items.iter().map(|item| value(item, left)).collect::<Option<_>>()?)
        }
        yaml::Value::Mapping(members) => {
            let mut all = Members::new();
            // What is merged in stands below what the mapping itself says.
            for (_, merged) in members.iter().filter(|(key, _)| is_merge(key)) {
                let maps = std::iter::once(merged).chain(merged.items());
                for map in maps {
                    if let Value::Object(more) = value(map, left)? {
                        for (name, value) in more.iter() {
                            all.entry(Arc::clone(name)).or_insert_with(|| value.clone());
                        }
                    }
                }
            }
            for (key, member) in members.iter().filter(|(key, _)| !is_merge(key)) {
                // A key that is no scalar is an error of the configuration.
                let Some(name) = key.text() else { continue };
                all.insert(name.into(), value(member, left)?);
            }
            Value::object(all)
        }
    })
}

fn is_merge(key: &Node) -> bool {
    matches!(&key.value, yaml::Value::Scalar { text, plain: true } if text == "<<")
}

/// A plain scalar: <https://yaml.org/spec/1.2.2/#1032-tag-resolution>.
fn typed(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if !text.contains(|c: char| c.is_ascii_digit()) => Value::text(text),
        _ => match text.parse::<f64>() {
            // A number is spelled back as it was only where it is a plain one.
            Ok(number) if format!("{number}") == text => Value::Number(number),
            Ok(_) => Value::Unknown,
            Err(_) => Value::text(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(value: &Value, path: &[&str]) -> Value {
        path.iter().fold(value.clone(), |value, name| value.member(name))
    }

    #[test]
    fn mappings_lists_and_texts_are_read_through_anchors_too() {
        let text = "# comment\n---\nregion: eu-west-1\nname: \"a b\" # said\nempty:\nnested: &n\n  deep:\n    port: 80\n    on: true\nlist:\n- one\n- name: two\n  at: 'x: y'\n-\n  name: three\nflow: [a, b]\nurl: http://x/y#z\nmore:\n  <<: *n\n  own: {k: v}\nlong: |\n  b\n  c\n";
        let value = parse(text);
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
            (&["more", "deep", "port"], "80"),
            (&["more", "own", "k"], "v"),
            (&["long"], "b\nc\n"),
        ] {
            assert_eq!(at(&value, path).as_text().as_deref(), Some(expected), "{path:?} of {value:?}");
        }
        assert!(matches!(at(&value, &["empty"]), Value::Null));
    }

    #[test]
    fn what_is_not_read_is_unknown_and_never_misread() {
        assert!(matches!(parse("a: 007\n").member("a"), Value::Unknown));
        for text in ["a: 1\n---\nb: 2\n", "a: 1\n   b: 2\n", "a: [\n"] {
            assert!(matches!(parse(text), Value::Unknown), "{text:?}: {:?}", parse(text));
        }
        let deep: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(matches!(parse(&deep), Value::Unknown));
        let doubled: String = (1..40).map(|n| format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)).collect();
        assert!(matches!(parse(&format!("a0: &a0 x\n{doubled}")), Value::Unknown));
    }
}
