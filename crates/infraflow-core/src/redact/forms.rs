//! The forms in which a secret may stand in a log.

use std::{collections::BTreeSet, fmt::Write as _};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};

use super::text::{ESC, Lines, solid, visible};
use crate::proof::hex;

/// A longer form is looked for in pieces of this length: so no more than this is ever held back, and a
/// part that is shown alone is found as well.
const PIECE: usize = 256;
/// The shortest line of a secret of several that is looked for by itself.
const SHORTEST_LINE: usize = 8;
/// The shortest run of base64 digits that is looked for by itself.
const SHORTEST_BASE64: usize = 8;
/// The shortest form that is looked for with white space in it, unless it has several lines.
const SHORTEST_SOLID: usize = 12;

/// Something to look for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    pub(super) bytes: Vec<u8>,
    pub(super) wherever: Wherever,
}

/// In which view of a log a form is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wherever {
    /// In the log's bytes, and without escape sequences.
    Shown,
    /// Without white space and marks as well.
    Solid,
}

/// All forms of a secret, without doubles.
pub(super) fn forms(secret: &[u8]) -> BTreeSet<Form> {
    let mut written = BTreeSet::from([secret.to_vec()]);
    if secret.contains(&ESC) {
        written.insert(visible(secret));
        written.insert(secret.iter().copied().filter(|&byte| byte != ESC).collect());
    }
    for line in secret.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.len() >= SHORTEST_LINE {
            written.insert(line.to_vec());
        }
    }
    written.insert(hex(secret).into_bytes());
    written.insert(hex(secret).to_uppercase().into_bytes());
    written.extend(base64(secret));
    written.extend(percent_encoded(secret));
    if let Ok(text) = std::str::from_utf8(secret) {
        written.extend(escaped(text).map(String::into_bytes));
    }

    let several_lines = secret.contains(&b'\n');
    let mut forms = BTreeSet::new();
    for bytes in &written {
        add(&mut forms, bytes, Wherever::Shown);
        let shown = visible(bytes);
        for lines in [Lines::BEGINNING, Lines::WITHIN] {
            let solid = solid(&shown, lines);
            if solid.len() >= SHORTEST_SOLID || (several_lines && solid.len() >= super::SHORTEST) {
                add(&mut forms, &solid, Wherever::Solid);
            }
        }
    }
    forms
}

/// Adds a form, a long one in pieces that together cover it.
fn add(forms: &mut BTreeSet<Form>, bytes: &[u8], wherever: Wherever) {
    let mut begin = 0;
    while bytes.len() - begin > PIECE {
        let end = boundary(bytes, begin + PIECE);
        forms.insert(Form { bytes: bytes[begin..end].to_vec(), wherever });
        begin = end;
    }
    // The last piece reaches back, so that it is no shorter than the others.
    let begin = if begin > 0 { boundary(bytes, bytes.len() - PIECE) } else { 0 };
    if begin < bytes.len() {
        forms.insert(Form { bytes: bytes[begin..].to_vec(), wherever });
    }
}

/// The last place up to `at` that is not within a character.
fn boundary(bytes: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at)
        .rev()
        .find(|&at| bytes.get(at).is_none_or(|byte| byte & 0xc0 != 0x80))
        .unwrap_or(at)
}

/// Base64, alone and within something longer: three bytes become four digits, so what stands before a
/// secret shifts its digits in one of three ways. The digits that mix with a neighbour are left out.
fn base64(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let with_newline = [secret, b"\n"].concat();
    for engine in [&STANDARD, &URL_SAFE] {
        for alone in [secret, &with_newline] {
            let digits = engine.encode(alone);
            found.push(digits.trim_end_matches('=').to_owned());
            found.push(digits);
        }
        for before in 0..3 {
            let digits = engine.encode([&[0; 3][..before], secret].concat());
            let first = (before * 8).div_ceil(6);
            let last = (before + secret.len()) * 8 / 6;
            if last - first >= SHORTEST_BASE64 {
                found.push(digits[first..last].to_owned());
            }
        }
    }
    found.into_iter().map(String::into_bytes).collect()
}

/// Percent-encoding, with each set of characters that some widespread function leaves as they are.
fn percent_encoded(secret: &[u8]) -> Vec<Vec<u8>> {
    // RFC 3986's unreserved ones; encodeURIComponent; encodeURI; Go's url.PathEscape and url.UserPassword.
    let left_alone: [&[u8]; 5] =
        [b"-._~", b"-._~!*'()", b"-._~!*'();/?:@&=+$,#", b"-._~$&+=:@", b"-._~$&+=,;"];
    let mut found = Vec::new();
    for kept in left_alone {
        for (upper, plus) in [(true, false), (true, true), (false, false), (false, true)] {
            let mut out = Vec::with_capacity(secret.len());
            for &byte in secret {
                match byte {
                    b' ' if plus => out.push(b'+'),
                    _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => out.push(byte),
                    _ if upper => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
                    _ => out.extend_from_slice(format!("%{byte:02x}").as_bytes()),
                }
            }
            found.push(out);
        }
    }
    found
}

/// How strings are written between quotes.
fn escaped(text: &str) -> impl Iterator<Item = String> {
    let json = serde_json::Value::from(text).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let go_json = with(&json, |c| match c {
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => Some(format!("\\u{:04x}", u32::from(c))),
        _ => None,
    });
    // Go before 1.22 has no short form for these two.
    let old_go_json = go_json.replace("\\b", "\\u0008").replace("\\f", "\\u000c");
    let ascii_json = with(&json, |c| {
        let mut units = [0; 2];
        (!c.is_ascii()).then(|| {
            c.encode_utf16(&mut units).iter().fold(String::new(), |mut out, unit| {
                let _ = write!(out, "\\u{unit:04x}");
                out
            })
        })
    });
    let slashed_json = json.replace('/', "\\/");
    let hcl = json.replace("${", "$${").replace("%{", "%%{");
    let go = with(text, |c| match c {
        '\\' => Some("\\\\".into()),
        '"' => Some("\\\"".into()),
        '\x07' => Some("\\a".into()),
        '\x08' => Some("\\b".into()),
        '\x0c' => Some("\\f".into()),
        '\n' => Some("\\n".into()),
        '\r' => Some("\\r".into()),
        '\t' => Some("\\t".into()),
        '\x0b' => Some("\\v".into()),
        c if c.is_ascii_control() => Some(format!("\\x{:02x}", u32::from(c))),
        c if c.is_control() => Some(format!("\\u{:04x}", u32::from(c))),
        _ => None,
    });
    let twice = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let double = [twice(&json), twice(&go_json), twice(&hcl)];
    let xml = |quote: &str, apostrophe: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.replace('"', quote).replace('\'', apostrophe)
    };
    let xml = [xml("&quot;", "&#39;"), xml("&#34;", "&#39;"), xml("&quot;", "&apos;"), xml("\"", "'")];
    let shell = with(text, |c| {
        (c.is_ascii() && !c.is_ascii_alphanumeric() && !"_-+=:,./@%".contains(c)).then(|| format!("\\{c}"))
    });
    let quoted =
        [text.replace('\'', "'\\''"), text.replace('\'', "'\"'\"'"), text.replace('\'', "''"), shell];
    [json, go_json, old_go_json, ascii_json, slashed_json, hcl, go]
        .into_iter()
        .chain(double)
        .chain(xml)
        .chain(quoted)
}

fn with(text: &str, escape: impl Fn(char) -> Option<String>) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match escape(c) {
            Some(escaped) => out.push_str(&escaped),
            None => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(secret: &str, form: &str) -> bool {
        forms(secret.as_bytes())
            .contains(&Form { bytes: form.as_bytes().to_vec(), wherever: Wherever::Shown })
    }

    #[test]
    fn a_plain_word_has_few_forms() {
        let forms: Vec<_> = forms(b"hunter2")
            .into_iter()
            .filter(|form| form.wherever == Wherever::Shown)
            .map(|form| String::from_utf8(form.bytes).unwrap())
            .collect();
        assert_eq!(
            forms,
            [
                "68756E74657232",
                "68756e74657232",
                "aHVudGVyM",
                "aHVudGVyMg",
                "aHVudGVyMg==",
                "aHVudGVyMgo",
                "aHVudGVyMgo=",
                "h1bnRlcj",
                "hunter2",
                "odW50ZXIy",
            ]
        );
    }

    #[test]
    fn each_way_of_writing_is_known() {
        let secret = "a\"b\\c ${d}<é>'\t\u{7}/\u{1f511}";
        for form in [
            r#"a\"b\\c ${d}<é>'\t\u0007/🔑"#,
            r#"a\"b\\c ${d}\u003cé\u003e'\t\u0007/🔑"#,
            r#"a\"b\\c ${d}<\u00e9>'\t\u0007/\ud83d\udd11"#,
            r#"a\"b\\c $${d}<é>'\t\u0007/🔑"#,
            r#"a\"b\\c ${d}<é>'\t\a/🔑"#,
            r#"a\\\"b\\\\c ${d}<é>'\\t\\u0007/🔑"#,
            "a%22b%5Cc%20%24%7Bd%7D%3C%C3%A9%3E%27%09%07%2F%F0%9F%94%91",
            "a%22b%5cc+%24%7bd%7d%3c%c3%a9%3e%27%09%07%2f%f0%9f%94%91",
            "a&quot;b\\c ${d}&lt;é&gt;&#39;\t\u{7}/🔑",
            "a\"b\\c ${d}<é>'\\''\t\u{7}/🔑",
        ] {
            assert!(has(secret, form), "{form}");
        }
    }

    #[test]
    fn base64_is_known_wherever_it_begins() {
        let secret = b"correct horse";
        for before in ["", "u", "us", "user:"] {
            let text = STANDARD.encode([before.as_bytes(), secret, b"@host"].concat());
            let found =
                base64(secret).into_iter().filter(|form| text.contains(std::str::from_utf8(form).unwrap()));
            let longest = found.map(|form| form.len()).max().unwrap_or(0);
            assert!(longest >= secret.len() * 8 / 6 - 1, "{before}: {longest}");
        }
    }

    #[test]
    fn a_long_secret_is_looked_for_in_pieces_that_cover_it() {
        let secret: String = (0..300).map(|number| format!("ä{number:x}")).collect();
        let forms = forms(secret.as_bytes());
        assert!(forms.iter().all(|form| form.bytes.len() <= PIECE + 3));
        let mut covered = vec![false; secret.len()];
        for form in forms.iter().filter(|form| form.wherever == Wherever::Shown) {
            let Ok(piece) = std::str::from_utf8(&form.bytes) else { panic!("cut within a character") };
            for (at, _) in secret.match_indices(piece) {
                covered[at..at + piece.len()].fill(true);
            }
        }
        assert!(covered.iter().all(|&covered| covered));
    }
}
