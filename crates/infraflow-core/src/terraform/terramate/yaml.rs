//! YAML as `tm_yamldecode` has it: one document, its plain scalars typed.

use super::value::Value;
use crate::yaml::{self, Node};

/// The most values of one text; aliases make a short text many.
const MOST_VALUES: usize = 100_000;

/// What a document says; `None` where it cannot be read to its end, and where it merges mappings.
pub(super) fn decode(text: &str) -> Option<Value> {
    let read = yaml::read(text.as_bytes());
    let mut left = MOST_VALUES;
    match (&read.broken, read.documents.as_slice()) {
        (None, []) => Some(Value::Null),
        (None, [document]) => value(document, &mut left),
        _ => None,
    }
}

fn value(node: &Node, left: &mut usize) -> Option<Value> {
    *left = left.checked_sub(1)?;
    Some(match &node.value {
        yaml::Value::Scalar { text, plain: true } => typed(text),
        yaml::Value::Scalar { text, .. } => Value::Text(text.clone()),
        yaml::Value::List(items) => {
            Value::List(items.iter().map(|item| value(item, left)).collect::<Option<_>>()?)
        }
        yaml::Value::Mapping(members) => {
            let members = members.iter().map(|(key, member)| {
                let name = key.text().filter(|name| *name != "<<")?;
                Some((name.to_owned(), value(member, left)?))
            });
            Value::Object(members.collect::<Option<_>>()?)
        }
    })
}

/// A plain scalar: <https://yaml.org/spec/1.2.2/#1032-tag-resolution>.
fn typed(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match text.parse::<f64>() {
            Ok(number) if number.to_string() == text => Value::Number(number),
            // Spelled in another way, or a word that only Rust takes for a number.
            Ok(_) if text.contains(|c: char| c.is_ascii_digit()) => Value::Unknown,
            _ => Value::Text(text.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_typed_and_what_is_not_understood_is_not_guessed() {
        let text = "files:\n  - /a\n  - \"1\"\n  - 2\n  - true\n  - nan\n  - 1e3\n";
        let found = decode(text).unwrap().member("files");
        let expected = [
            Value::Text("/a".into()),
            Value::Text("1".into()),
            Value::Number(2.0),
            Value::Bool(true),
            Value::Text("nan".into()),
            Value::Unknown,
        ];
        assert_eq!(found, Value::List(expected.to_vec()));
        assert_eq!(decode(""), Some(Value::Null));
        for not in ["a: [", "a: 1\n---\nb: 2\n", "x: &x {a: 1}\ny:\n  <<: *x\n"] {
            assert_eq!(decode(not), None, "{not}");
        }
    }
}
