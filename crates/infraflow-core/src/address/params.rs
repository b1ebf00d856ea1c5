use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One `name=value` of an address's query, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Param {
    /// The name, as written.
    pub name: String,
    /// The value, as written; `None` where there is no `=`.
    pub value: Option<String>,
    /// Where the whole piece stands in the address, in bytes.
    pub span: Range<usize>,
    /// Where the value stands; empty, at the end of the piece, where there is none.
    pub value_span: Range<usize>,
}

impl Param {
    /// The value with its escapes resolved; empty where there is none.
    pub fn decoded(&self) -> String {
        decode(self.value.as_deref().unwrap_or_default())
    }

    /// The piece as written: `name=value`.
    pub fn raw(&self) -> String {
        match &self.value {
            Some(value) => format!("{}={value}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Splits the query that stands at `span` of `text`; empty pieces (`a=1&&b=2`) are left out.
pub(super) fn split(text: &str, span: Range<usize>) -> Vec<Param> {
    let mut params = Vec::new();
    let mut start = span.start;
    for piece in text[span].split('&') {
        let end = start + piece.len();
        if !piece.is_empty() {
            let (name, value, value_start) = match piece.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned()), end - value.len()),
                None => (piece, None, end),
            };
            params.push(Param {
                name: name.to_owned(),
                value,
                span: start..end,
                value_span: value_start..end,
            });
        }
        start = end + 1;
    }
    params
}

/// Resolves `%XX` and `+`, as Go's `net/url` reads a query; what is no escape stays as it is.
pub(super) fn decode(raw: &str) -> String {
    let bytes = raw.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| raw.get(at + 1..at + 3))
            .flatten()
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], hex) {
            (_, Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes a value so that [`decode`] gives it back; `/` and `:` stay readable, since refs carry them.
pub(super) fn encode(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::with_capacity(value.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~/:@!$'()*,;".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_as_it_was_given() {
        for value in ["v1.2.3", "net/v1.0.0+build", "a&b=c#d?e%f", "é x"] {
            assert_eq!(decode(&encode(value)), value);
        }
        assert_eq!(encode("modules/net/v1.0.0"), "modules/net/v1.0.0");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%é"), "%é");
    }

    #[test]
    fn pieces_keep_their_places() {
        let text = "x?depth=1&&ref=v1&flag";
        let params = split(text, 2..text.len());
        let raw: Vec<_> = params.iter().map(|p| &text[p.span.clone()]).collect();
        assert_eq!(raw, ["depth=1", "ref=v1", "flag"]);
        assert_eq!(&text[params[1].value_span.clone()], "v1");
        assert!(params[2].value_span.is_empty());
    }
}
