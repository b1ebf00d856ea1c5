//! Functions of texts, where all of the texts are known: what Terraform gives, or nothing.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256, Sha512};

use super::{StaticValue, computed::REPOSITORY};
use crate::terraform::terragrunt::static_data;

/// A text of more bytes than this is no part of a path that anybody reads (Linux: 4,096), whatever is done with it.
pub(super) const LONGEST_TEXT: usize = 1 << 16;

/// The most memory in bytes that a regular expression takes once it is compiled.
const LARGEST_EXPRESSION: usize = 1 << 16;

/// The most parts of what a text is decoded to, and the most matches that are listed.
pub(super) const MOST_PARTS: usize = 2_000;

/// What a function gives for these texts; `None` where that is not worked out.
pub(super) fn of_texts(name: &str, texts: &[&str]) -> Option<StaticValue> {
    if texts.iter().any(|text| text.len() > LONGEST_TEXT) {
        return None;
    }
    match (name, texts) {
        ("split", ["", text]) if text.is_ascii() => {
            let parts = text.chars().map(|part| StaticValue::Literal(part.to_string()));
            Some(StaticValue::List(parts.collect()))
        }
        ("split", [separator, text]) if !separator.is_empty() => {
            let parts = text.split(separator).map(|part| StaticValue::Literal(part.to_owned()));
            Some(StaticValue::List(parts.collect()))
        }
        ("dirname", [text]) => Some(StaticValue::directory(StaticValue::Literal((*text).to_owned()))),
        ("jsondecode", [text]) => json(&serde_json::from_str(text).ok()?, &mut { MOST_PARTS }),
        ("yamldecode", [text]) => Some(static_data(text, MOST_PARTS)),
        ("regex", [pattern, text]) => {
            let pattern = expression(pattern, text)?;
            Some(matched(&pattern, &pattern.captures(text)?))
        }
        ("regexall", [pattern, text]) => {
            let pattern = expression(pattern, text)?;
            let found: Vec<_> = pattern.captures_iter(text).take(MOST_PARTS + 1).collect();
            if found.len().saturating_mul(pattern.captures_len()) > MOST_PARTS {
                return None;
            }
            Some(StaticValue::List(found.iter().map(|found| matched(&pattern, found)).collect()))
        }
        _ => text_of(name, texts).map(StaticValue::Literal),
    }
}

/// The text that a function gives for these texts; `None` where it gives something else, or that is not worked out.
pub(in crate::terraform) fn text_of(name: &str, texts: &[&str]) -> Option<String> {
    Some(match (name, texts) {
        ("lower", [text]) => each(text, char::to_lowercase),
        ("upper", [text]) => each(text, char::to_uppercase),
        ("title", [text]) if text.is_ascii() => {
            let mut before = ' ';
            let raised = text.chars().map(|c| {
                let within = before.is_ascii_alphanumeric() || before == '_';
                let raised = if within { c } else { c.to_ascii_uppercase() };
                before = c;
                raised
            });
            raised.collect()
        }
        ("strrev", [text]) if text.is_ascii() => text.chars().rev().collect(),
        ("trimprefix", [text, prefix]) => text.strip_prefix(prefix).unwrap_or(text).to_owned(),
        ("trimsuffix", [text, suffix]) => text.strip_suffix(suffix).unwrap_or(text).to_owned(),
        ("trim", [text, cut]) => text.trim_matches(|c| cut.contains(c)).to_owned(),
        ("startswith", [text, start]) => text.starts_with(start).to_string(),
        ("endswith", [text, end]) => text.ends_with(end).to_string(),
        ("strcontains", [text, part]) => text.contains(part).to_string(),
        ("replace", [text, from, to]) => replaced(text, from, to)?,
        ("substr", [text, from, length]) => part_of(text, from, length)?,
        // Nobody knows what the directory of the repository is called.
        ("basename", [text]) if *text != REPOSITORY => match text.trim_end_matches('/') {
            "" if text.starts_with('/') => "/".to_owned(),
            "" => ".".to_owned(),
            text => text.rsplit('/').next().unwrap_or(text).to_owned(),
        },
        ("indent", [spaces, text]) => {
            let between = format!("\n{:width$}", "", width = spaces.parse::<u16>().ok()?.min(256).into());
            bounded(text, "\n", &between)?
        }
        ("urlencode", [text]) => url(text),
        ("base64encode", [text]) => STANDARD.encode(text),
        ("base64decode", [text]) => {
            let plain: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            String::from_utf8(STANDARD.decode(plain).ok()?).ok()?
        }
        ("sha256", [text]) => hex(&Sha256::digest(text)),
        ("sha512", [text]) => hex(&Sha512::digest(text)),
        ("base64sha256", [text]) => STANDARD.encode(Sha256::digest(text)),
        ("base64sha512", [text]) => STANDARD.encode(Sha512::digest(text)),
        ("format", [pattern, text]) => padded(pattern, text)?,
        ("parseint", [text, base]) => {
            i64::from_str_radix(text, base.parse().ok().filter(|base| (2..=36).contains(base))?)
                .ok()?
                .to_string()
        }
        ("abs" | "ceil" | "floor" | "signum", [number]) => {
            let number: i64 = number.parse().ok()?;
            match name {
                "abs" => number.checked_abs()?,
                "signum" => number.signum(),
                _ => number,
            }
            .to_string()
        }
        ("max" | "min", [_, ..]) => {
            let numbers = texts.iter().map(|text| text.parse::<i64>().ok()).collect::<Option<Vec<_>>>()?;
            let numbers = numbers.into_iter();
            if name == "max" { numbers.max() } else { numbers.min() }?.to_string()
        }
        _ => return None,
    })
}

/// Each character by itself, as Go does it: what becomes several stays as it is, and no final sigma is another.
fn each<I: Iterator<Item = char>>(text: &str, change: impl Fn(char) -> I) -> String {
    let changed = text.chars().map(|c| {
        let mut changed = change(c);
        match (changed.next(), changed.next()) {
            (Some(one), None) => one,
            _ => c,
        }
    });
    changed.collect()
}

/// `substr` counts what a reader takes for characters, which are bytes in ASCII alone.
fn part_of(text: &str, from: &str, length: &str) -> Option<String> {
    if !text.is_ascii() {
        return None;
    }
    let (from, length): (i64, i64) = (from.parse().ok()?, length.parse().ok()?);
    let from = match usize::try_from(from) {
        Ok(from) => from,
        Err(_) => text.len().saturating_sub(usize::try_from(from.unsigned_abs()).ok()?),
    };
    let rest = text.chars().skip(from);
    Some(match usize::try_from(length) {
        Ok(length) => rest.take(length).collect(),
        Err(_) => rest.collect(),
    })
}

/// A regular expression as Go's RE2 takes it, for a text; `None` where it is another one here: letters, digits and
/// spaces are those of ASCII there, and classes hold no classes.
pub(in crate::terraform) fn expression(pattern: &str, text: &str) -> Option<regex::Regex> {
    let classes = pattern.contains('\\') || pattern.contains("(?");
    if classes && !(text.is_ascii() && pattern.is_ascii() && !text.contains('\u{b}')) {
        return None;
    }
    let mut plain = pattern.replace("\\\\", "").replace("\\[", "").replace("\\]", "");
    for name in ["alnum", "alpha", "digit", "lower", "punct", "space", "upper", "word", "xdigit"] {
        plain = plain.replace(&format!("[:{name}:]"), "");
    }
    // Where words begin and end, which are characters there.
    if ["\\<", "\\>", "\\b{"].iter().any(|anchor| plain.contains(anchor)) {
        return None;
    }
    let classes: Vec<&str> = plain.split('[').skip(1).collect();
    let nested = classes.iter().rev().skip(1).any(|class| !class.contains(']'));
    let operators = ["&&", "--", "~~"].iter().any(|operator| plain.contains(operator));
    if nested || (operators && !classes.is_empty()) {
        return None;
    }
    regex::RegexBuilder::new(pattern).size_limit(LARGEST_EXPRESSION).build().ok()
}

/// What a match gives. A group that took no part in it is none.
pub(in crate::terraform) enum Groups<'p, 't> {
    /// The text, where there are no groups.
    Whole(&'t str),
    /// The groups by their names, where some have one.
    Named(Vec<(&'p str, Option<&'t str>)>),
    /// The groups in their order.
    Listed(Vec<Option<&'t str>>),
}

/// What a match gives.
pub(in crate::terraform) fn groups<'p, 't>(
    pattern: &'p regex::Regex,
    found: &regex::Captures<'t>,
) -> Groups<'p, 't> {
    let text = |part: Option<regex::Match<'t>>| part.map(|part| part.as_str());
    let mut named = pattern.capture_names().flatten().peekable();
    if named.peek().is_some() {
        return Groups::Named(named.map(|name| (name, text(found.name(name)))).collect());
    }
    match text(found.get(0)) {
        Some(whole) if found.len() == 1 => Groups::Whole(whole),
        _ => Groups::Listed(found.iter().skip(1).map(text).collect()),
    }
}

fn matched(pattern: &regex::Regex, found: &regex::Captures<'_>) -> StaticValue {
    let text = |text: &str| StaticValue::Literal(text.to_owned());
    let group = |part: Option<&str>| part.map_or(StaticValue::Null, text);
    match groups(pattern, found) {
        Groups::Whole(whole) => text(whole),
        Groups::Named(named) => StaticValue::Object(
            named.into_iter().map(|(name, part)| (name.to_owned(), group(part))).collect(),
        ),
        Groups::Listed(listed) => StaticValue::List(listed.into_iter().map(group).collect()),
    }
}

/// What `replace` gives. Between slashes stands a regular expression.
fn replaced(text: &str, from: &str, to: &str) -> Option<String> {
    if from.is_empty() || text.len() > LONGEST_TEXT {
        return None;
    }
    let pattern = from.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let Some(pattern) = pattern else { return bounded(text, from, to) };
    let pattern = expression(pattern, text)?;
    // Each of the groups that the replacement names may be the whole text.
    let grown = pattern.find_iter(text).count().saturating_mul(to.len().saturating_mul(text.len().max(1)));
    (grown.saturating_add(text.len()) <= LONGEST_TEXT).then(|| pattern.replace_all(text, to).into_owned())
}

fn bounded(text: &str, from: &str, to: &str) -> Option<String> {
    let grown = text.matches(from).count().saturating_mul(to.len());
    (grown.saturating_add(text.len()) <= LONGEST_TEXT).then(|| text.replace(from, to))
}

/// A text as it stands in a URL, where a space is a plus.
fn url(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => all.push(byte.into()),
            b' ' => all.push('+'),
            _ => all.push_str(&format!("%{byte:02X}")),
        }
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What `format` gives for one verb with a width: `%03d`, `%-5s`, `%d`.
fn padded(pattern: &str, text: &str) -> Option<String> {
    let verb = pattern.strip_prefix('%')?;
    let kind = verb.chars().last()?;
    let flags = &verb[..verb.len() - kind.len_utf8()];
    let (left, flags) = flags.strip_prefix('-').map_or((false, flags), |flags| (true, flags));
    let (zeros, flags) = flags.strip_prefix('0').map_or((false, flags), |flags| (!left, flags));
    if !flags.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let width: usize = if flags.is_empty() { 0 } else { flags.parse().ok().filter(|width| *width <= 256)? };
    let (sign, digits) = match kind {
        's' | 'v' if text.is_ascii() && !zeros => ("", text),
        'd' => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            // As a number it is written without zeros in front of it.
            let whole = whole && (text == "0" || !digits.starts_with('0'));
            let sign = if digits.len() < text.len() { "-" } else { "" };
            whole.then_some((sign, digits))?
        }
        _ => return None,
    };
    let missing = width.saturating_sub(text.len());
    Some(match (left, zeros) {
        (true, _) => format!("{text}{:missing$}", ""),
        (false, true) => format!("{sign}{}{digits}", "0".repeat(missing)),
        (false, false) => format!("{:missing$}{text}", ""),
    })
}

/// What a JSON document says; `None` where it is of too many parts, or has numbers that are written otherwise here.
fn json(value: &serde_json::Value, left: &mut usize) -> Option<StaticValue> {
    *left = left.checked_sub(1)?;
    Some(match value {
        serde_json::Value::Null => StaticValue::Null,
        serde_json::Value::Bool(value) => StaticValue::Literal(value.to_string()),
        serde_json::Value::Number(number) if number.is_f64() => {
            let text = number.to_string();
            if text.len() > 15 || text.contains(['e', 'E']) || text.ends_with(".0") {
                StaticValue::Unknown
            } else {
                StaticValue::Literal(text)
            }
        }
        serde_json::Value::Number(number) => StaticValue::Literal(number.to_string()),
        serde_json::Value::String(text) => StaticValue::Literal(text.clone()),
        serde_json::Value::Array(items) => {
            StaticValue::List(items.iter().map(|item| json(item, left)).collect::<Option<_>>()?)
        }
        serde_json::Value::Object(members) => {
            let members = members.iter().map(|(name, value)| Some((name.clone(), json(value, left)?)));
            StaticValue::Object(members.collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &StaticValue) -> String {
        match value {
            StaticValue::Literal(text) => text.clone(),
            StaticValue::List(items) => {
                format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(","))
            }
            StaticValue::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("{name}={}", shown(value)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
            StaticValue::Null => "null".to_owned(),
            other => format!("{other:?}"),
        }
    }

    /// As `terraform console` has them (1.11).
    #[test]
    fn functions_of_known_texts_give_what_terraform_gives() {
        for (name, arguments, given) in [
            ("dirname", &["a/b/"][..], "a/b"),
            ("dirname", &["a/b"], "a"),
            ("dirname", &["/a/"], "/a"),
            ("dirname", &["a"], "."),
            ("basename", &["a/b/"], "b"),
            ("basename", &[""], "."),
            ("basename", &["./"], "."),
            ("basename", &["/"], "/"),
            ("basename", &["a/.."], ".."),
            ("title", &["a_b c'd"], "A_b C'D"),
            ("title", &["a-b c.d"], "A-B C.D"),
            ("upper", &["éß"], "Éß"),
            ("lower", &["ÉΣ"], "éσ"),
            ("substr", &["abc", "-5", "2"], "ab"),
            ("substr", &["abc", "-2", "1"], "b"),
            ("substr", &["abc", "1", "-1"], "bc"),
            ("replace", &["a.b", "/./", "$0$0"], "aa..bb"),
            ("replace", &["ab", "/(a)/", "$1x"], "b"),
            ("replace", &["ab", "/(a)/", "${1}x"], "axb"),
            ("trim", &["--a--", "-"], "a"),
            ("trim", &["  a ", ""], "  a "),
            ("trimprefix", &["aab", "a"], "ab"),
            ("trimsuffix", &["abb", "b"], "ab"),
            ("split", &["", "ab"], "[a,b]"),
            ("split", &[",", ""], "[]"),
            ("split", &[",", "a,,b"], "[a,,b]"),
            ("regex", &["[a-z]+", "12ab"], "ab"),
            ("regex", &["(a)|(b)", "b"], "[null,b]"),
            ("regex", &["(?P<x>a)(?P<y>b)?", "a"], "{x=a,y=null}"),
            ("regex", &["[[:alpha:]]+", "1ab"], "ab"),
            ("regex", &["(?:a)(b)", "ab"], "[b]"),
            ("regexall", &["[a-z]+", "ab 1 cd"], "[ab,cd]"),
            ("regexall", &["([a-z])([0-9])?", "a1b"], "[[a,1],[b,null]]"),
            ("regexall", &["(?P<k>[a-z])", "ab"], "[{k=a},{k=b}]"),
            ("regexall", &["x*", "axb"], "[,x,]"),
            ("regexall", &["z", "ab"], "[]"),
            ("regexall", &["", "ab"], "[,,]"),
            ("regexall", &["é+", "aéé"], "[éé]"),
            ("regexall", &["a.c", "a\nc abc"], "[abc]"),
            ("regexall", &["(?i)K", "kK"], "[k,K]"),
            ("base64decode", &["YS9i"], "a/b"),
            ("base64decode", &["w6k="], "é"),
            ("base64decode", &[""], ""),
            ("base64decode", &["YQ\n=="], "a"),
            ("base64encode", &["a/é"], "YS/DqQ=="),
            ("base64encode", &["5"], "NQ=="),
            ("urlencode", &["a b/é&=+~._-*"], "a+b%2F%C3%A9%26%3D%2B~._-%2A"),
            ("urlencode", &[""], ""),
            ("jsondecode", &["[\"a\",1,true,null]"], "[a,1,true,null]"),
            ("jsondecode", &["{\"a\":{\"b\":[1.50,\"x\"]}}"], "{a={b=[1.5,x]}}"),
            ("jsondecode", &["\"x\""], "x"),
            ("jsondecode", &["12345678901234567890"], "12345678901234567890"),
            ("jsondecode", &["{\"a\":1,\"a\":2}"], "{a=2}"),
            ("jsondecode", &["\"\\u00e9\\ud83d\\ude00\""], "é😀"),
            ("startswith", &["abc", "a"], "true"),
            ("endswith", &["abc", "b"], "false"),
            ("strcontains", &["abc", ""], "true"),
            ("abs", &["-2"], "2"),
            ("min", &["3", "2", "10"], "2"),
            ("max", &["3", "12", "10"], "12"),
            ("max", &["-1"], "-1"),
            ("signum", &["-3"], "-1"),
            ("parseint", &["ff", "16"], "255"),
            ("parseint", &["-10", "2"], "-2"),
            ("parseint", &["z", "36"], "35"),
            ("sha256", &["a/é"], "1b1e98fb1aaacbb9ec6c810a64e852871ab5ae96f70568e75167b79f25758e04"),
            ("base64sha256", &["a"], "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="),
            ("indent", &["2", "a\nb\n"], "a\n  b\n  "),
            ("format", &["%03d", "7"], "007"),
            ("format", &["%02d", "123"], "123"),
            ("format", &["%03d", "-7"], "-07"),
            ("format", &["%5s", "a"], "    a"),
            ("format", &["%-5s", "b"], "b    "),
            ("format", &["%d", "5"], "5"),
        ] {
            let found = of_texts(name, arguments);
            assert_eq!(found.as_ref().map(shown).as_deref(), Some(given), "{name}({arguments:?})");
        }
    }

    /// An error, or what is told otherwise there.
    #[test]
    fn what_may_be_another_text_is_not_worked_out() {
        for (name, arguments) in [
            // What it counts as one character may be several here.
            ("substr", &["a\u{308}bc", "1", "1"][..]),
            ("strrev", &["e\u{301}a"]),
            // A letter is one of ASCII there.
            ("regex", &["\\w+", "é"]),
            ("replace", &["aéb", "/\\w/", "x"]),
            ("regex", &["\\s", "\u{b}"]),
            // No class has an operator there.
            ("regex", &["[a&&b]+", "&b"]),
            ("regex", &["[[a]b]", "[b]"]),
            ("regex", &["z", "a"]),
            ("regex", &["(", "a"]),
            ("base64decode", &["YQ"]),
            ("base64decode", &["/w=="]),
            ("jsondecode", &[""]),
            ("jsondecode", &["[1,]"]),
            ("abs", &["-1.5"]),
            // A word begins and ends at characters there.
            ("regex", &["\\<(.*)\\>", "q<a>r"]),
            ("regexall", &["\\b{start}a", "a"]),
            ("format", &["%05s", "a"]),
            ("format", &["%+3d", "7"]),
            ("format", &["%d", "007"]),
            ("format", &["%x", "255"]),
        ] {
            assert_eq!(of_texts(name, arguments), None, "{name}({arguments:?})");
        }
        assert_eq!(of_texts("jsondecode", &["1e3"]), Some(StaticValue::Unknown));
    }

    #[test]
    fn what_grows_without_end_is_not_worked_out() {
        let long = "a".repeat(LONGEST_TEXT);
        for (name, arguments) in [
            ("regexall", &["a", &long][..]),
            ("indent", &["200", &"\n".repeat(1_000)]),
            ("jsondecode", &[&format!("[{}1]", "1,".repeat(MOST_PARTS))]),
            ("replace", &[&long, "a", "aa"]),
            ("format", &["%9999d", "1"]),
        ] {
            assert_eq!(of_texts(name, arguments), None, "{name}");
        }
    }
}
