use std::collections::BTreeMap;

use serde::{Serialize, de::Error as _};
use serde_json::{Value, value::RawValue};

use super::ProofError;

/// The largest integer that every JSON reader keeps exactly (RFC 8785, section 3.2.2.3, by way of ECMAScript).
pub(crate) const MAX_EXACT: u64 = 1 << 53;

/// The canonical JSON of a value, as RFC 8785 has it: members sorted by UTF-16 code units, no space,
/// shortest escapes.
///
/// Floats are refused, and so are integers beyond 2^53: a digested type writes those as strings.
///
/// # Errors
/// [`ProofError::NotCanonical`] for a number without an exact form; [`ProofError::Json`] where the value
/// cannot be serialized at all.
pub fn canonical_json<T: Serialize + ?Sized>(what: &str, value: &T) -> Result<String, ProofError> {
    let value =
        serde_json::to_value(value).map_err(|source| ProofError::Json { what: what.to_owned(), source })?;
    canonical_value(what, &value)
}

/// As [`canonical_json`], of a value that is JSON already.
pub(super) fn canonical_value(what: &str, value: &Value) -> Result<String, ProofError> {
    let mut out = String::new();
    write_value(what, value, &mut out)?;
    Ok(out)
}

fn write_value(what: &str, value: &Value, out: &mut String) -> Result<(), ProofError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            let exact = number.as_i64().is_some_and(|n| n.unsigned_abs() <= MAX_EXACT);
            if !exact {
                return Err(ProofError::NotCanonical { what: what.to_owned(), value: number.to_string() });
            }
            out.push_str(&number.to_string());
        }
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(what, item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|a, b| in_order(a.0, b.0));
            out.push('{');
            for (i, (name, value)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write_value(what, value, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

// serde_json escapes exactly what RFC 8785, section 3.2.2.2, asks for: the quote, the backslash and the
// control characters, the latter by \b \t \n \f \r where there is one and \u00xx in lower case otherwise.
fn write_string(text: &str, out: &mut String) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

/// The order of names by their UTF-16 code units (RFC 8785, section 3.2.3), which of ASCII is that of bytes.
fn in_order(a: &str, b: &str) -> std::cmp::Ordering {
    match a.is_ascii() && b.is_ascii() {
        true => a.cmp(b),
        false => a.encode_utf16().cmp(b.encode_utf16()),
    }
}

/// The canonical text of JSON that somebody else wrote: sorted and without space like
/// [`canonical_json`], but each number kept as it was written, since it may be one that no integer or
/// float type holds.
///
/// # Errors
/// [`ProofError::Json`] where the text is not JSON.
pub fn canonical_foreign(what: &str, text: &str) -> Result<String, ProofError> {
    let mut out = String::new();
    write_foreign(text.trim(), DEEPEST, &mut out)
        .map_err(|source| ProofError::Json { what: what.to_owned(), source })?;
    Ok(out)
}

/// As deep as serde_json itself reads by default; deeper text could exhaust the stack.
const DEEPEST: usize = 128;

fn write_foreign(text: &str, depth: usize, out: &mut String) -> Result<(), serde_json::Error> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(serde_json::Error::custom(format!("it is nested deeper than {DEEPEST}")));
    };
    match text.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            let mut sorted: Vec<_> = members.into_iter().collect();
            sorted.sort_by(|a, b| in_order(&a.0, &b.0));
            out.push('{');
            for (i, (name, value)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(&name, out);
                out.push(':');
                write_foreign(value.get(), below, out)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            out.push('[');
            for (i, item) in items.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_foreign(item.get(), below, out)?;
            }
            out.push(']');
        }
        Some(b'"') => write_string(&serde_json::from_str::<String>(text)?, out),
        _ => {
            let scalar: &RawValue = serde_json::from_str(text)?;
            out.push_str(scalar.get());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_sorted_by_utf16_code_units() {
        // U+E000 sorts before U+10000 by code point and after it by UTF-16 code unit (RFC 8785, 3.2.3).
        let value = json!({"\u{e000}": 1, "\u{10000}": 2, "a": 3});
        assert_eq!(canonical_json("t", &value).unwrap(), "{\"a\":3,\"\u{10000}\":2,\"\u{e000}\":1}");
    }

    #[test]
    fn a_float_and_a_large_integer_are_refused() {
        assert!(canonical_json("t", &json!({"a": 1.5})).is_err());
        assert!(canonical_json("t", &json!({"a": 9_007_199_254_740_993_u64})).is_err());
        assert_eq!(
            canonical_json("t", &json!([9_007_199_254_740_992_u64, -1])).unwrap(),
            "[9007199254740992,-1]"
        );
    }

    #[test]
    fn foreign_numbers_keep_their_text() {
        let text = r#" { "b" : [ 1.10, 1e400, 123456789012345678901234567890 ], "a" : "\u0041\n" } "#;
        assert_eq!(
            canonical_foreign("t", text).unwrap(),
            "{\"a\":\"A\\n\",\"b\":[1.10,1e400,123456789012345678901234567890]}"
        );
    }

    #[test]
    fn foreign_text_that_is_nested_too_deep_is_an_error_and_no_crash() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(canonical_foreign("t", &deep).is_err());
        let fine = "[".repeat(100) + &"]".repeat(100);
        assert_eq!(canonical_foreign("t", &fine).unwrap(), fine);
    }

    #[test]
    fn foreign_text_that_is_not_json_is_an_error() {
        assert!(canonical_foreign("t", "{\"a\":").is_err());
        assert!(canonical_foreign("t", "1 2").is_err());
    }
}
