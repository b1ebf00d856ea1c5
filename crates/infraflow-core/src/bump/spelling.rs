//! From places in a constant's value to places in the file that spells it, escapes and all.

use std::ops::Range;

use crate::terraform::facts::Text;

/// The bytes of the file that spell the bytes `part` of a constant's value; `None` where the two cannot be
/// matched, or a boundary of the part lies within an escape.
pub(super) fn locate(content: &[u8], text: &Text, json: bool, part: Range<usize>) -> Option<Range<usize>> {
    let start = text.place.start;
    if text.verbatim {
        return (part.end <= text.value.len()).then(|| start + part.start..start + part.end);
    }
    let raw = std::str::from_utf8(content.get(text.place.range())?).ok()?;
    let (value, places) = decode(raw, json)?;
    if value != text.value {
        return None;
    }
    let at = |offset: usize| places.get(offset).copied().flatten().map(|raw| start + raw);
    Some(at(part.start)?..at(part.end)?)
}

/// A part of a value that stands in the file byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its place in the value.
    pub(super) value: Range<usize>,
    /// Where in the file it begins.
    pub(super) start: usize,
}

/// As [`locate`], for a value that was put together of pieces.
pub(super) fn locate_in(pieces: &[Piece], part: &Range<usize>) -> Option<Range<usize>> {
    let holds = |piece: &&Piece| piece.value.start <= part.start && part.end <= piece.value.end;
    let piece = pieces.iter().find(holds)?;
    let start = piece.start + (part.start - piece.value.start);
    Some(start..start + part.len())
}

/// The value of a spelled constant, and for each of its bytes, and its end, where the spelling of it begins;
/// `None` for a byte in the middle of what one escape spells.
fn decode(raw: &str, json: bool) -> Option<(String, Vec<Option<usize>>)> {
    let mut value = String::with_capacity(raw.len());
    let mut places = Vec::with_capacity(raw.len() + 1);
    let mut at = 0;
    while at < raw.len() {
        let rest = &raw[at..];
        let (c, length) = if rest.starts_with("$${") || rest.starts_with("%%{") {
            (rest.chars().next()?, 2)
        } else if rest.starts_with('\\') {
            escape(rest, json)?
        } else {
            let c = rest.chars().next()?;
            (c, c.len_utf8())
        };
        value.push(c);
        places.push(Some(at));
        places.resize(value.len(), None);
        at += length;
    }
    places.push(Some(at));
    Some((value, places))
}

/// The character that an escape at the start of a text spells, and the escape's length.
fn escape(text: &str, json: bool) -> Option<(char, usize)> {
    let code = |from: usize, digits: usize| {
        let hex = text.get(from..from + digits)?;
        hex.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(hex, 16).ok())?
    };
    Some(match text.as_bytes().get(1)? {
        b'n' => ('\n', 2),
        b'r' => ('\r', 2),
        b't' => ('\t', 2),
        b'"' => ('"', 2),
        b'\\' => ('\\', 2),
        b'/' if json => ('/', 2),
        b'b' if json => ('\u{8}', 2),
        b'f' if json => ('\u{c}', 2),
        b'u' => match code(2, 4)? {
            high @ 0xd800..=0xdbff if json && text.get(6..8) == Some("\\u") => {
                let low = code(8, 4)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                (char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?, 12)
            }
            code => (char::from_u32(code)?, 6),
        },
        b'U' if !json => (char::from_u32(code(2, 8)?)?, 10),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::facts::Place;

    fn text(raw: &str, value: &str) -> Text {
        let place = Place { start: 1, end: 1 + raw.len(), line: 1, column: 2 };
        Text { value: value.to_owned(), place, verbatim: raw == value }
    }

    #[test]
    fn a_part_is_found_behind_escapes() {
        for (raw, value, json) in [
            (r"git::https://h/r?depth=1\u0026ref=v1", "git::https://h/r?depth=1&ref=v1", true),
            (r"git::https:\/\/h\/r?ref=v1", "git::https://h/r?ref=v1", true),
            (r"h/\U0001F600?ref=v1", "h/😀?ref=v1", false),
            (r"h/\ud83d\ude00?ref=v1", "h/😀?ref=v1", true),
            ("h/$${x}?ref=v1", "h/${x}?ref=v1", false),
            ("h/é?ref=v1", "h/é?ref=v1", false),
        ] {
            let content = format!("\"{raw}\"");
            let at = value.find("v1").unwrap();
            let found = locate(content.as_bytes(), &text(raw, value), json, at..at + 2).unwrap();
            assert_eq!(&content[found], "v1", "{raw}");
        }
    }

    #[test]
    fn what_does_not_match_is_not_located() {
        let content = "\"a\\u0026b\"";
        assert!(locate(content.as_bytes(), &text(r"a\u0026b", "other"), true, 0..1).is_none());
        assert!(locate(content.as_bytes(), &text(r"a\x26b", "a&b"), true, 0..1).is_none());
        assert!(locate(b"\"short", &text("much longer than the file", "x"), true, 0..1).is_none());
    }
}
