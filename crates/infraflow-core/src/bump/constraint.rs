//! How the constraint of a registry module is changed so that it admits a version, in its author's style.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::{ModuleConstraint, Version};

/// What becomes of a constraint that is a range.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RangeStrategy {
    /// One that admits the version stays; another is moved to it: `~> 1.2.0` becomes `~> 2.0.7`.
    #[default]
    Admit,
    /// One that admits the version stays; another becomes the range in which it lies: `~> 1.2.0` becomes
    /// `~> 2.0.0`.
    Replace,
    /// Each is moved to the version: `~> 0.14.6` becomes `~> 0.14.7`.
    Raise,
}

/// What becomes of one constraint.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rewrite {
    /// It is written otherwise.
    To(String),
    /// It admits the version as it is.
    Admits,
    /// It cannot be changed so that it admits the version.
    Cannot(String),
}

pub(super) fn rewrite(text: &str, to: &Version, strategy: RangeStrategy) -> Rewrite {
    let constraint = match ModuleConstraint::parse(text) {
        Ok(constraint) => constraint,
        Err(error) => return Rewrite::Cannot(error.to_string()),
    };
    if let Some(exact) = constraint.exact() {
        let same = exact == to && exact.written_segments() <= 3;
        if same {
            return Rewrite::Admits;
        }
    } else if strategy != RangeStrategy::Raise && constraint.installs(to) {
        return Rewrite::Admits;
    }
    let mut out = String::with_capacity(text.len());
    for (at, term) in text.split(',').enumerate() {
        if at > 0 {
            out.push(',');
        }
        match rewrite_term(term, to, strategy) {
            Ok(term) => out.push_str(&term),
            Err(why) => return Rewrite::Cannot(why),
        }
    }
    match ModuleConstraint::parse(&out) {
        Ok(constraint) if constraint.installs(to) => Rewrite::To(out),
        _ => Rewrite::Cannot(format!("{text:?} cannot be moved so that it admits {to}")),
    }
}

fn rewrite_term(term: &str, to: &Version, strategy: RangeStrategy) -> Result<String, String> {
    let start = term.find(|c: char| c.is_ascii_digit() || c == 'v').unwrap_or(term.len());
    let (head, rest) = term.split_at(start);
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (written, tail) = rest.split_at(end);
    let operator = head.trim();
    let v = if written.starts_with('v') { "v" } else { "" };
    let limit = Version::parse(written).map_err(|error| error.to_string())?;
    let alone = ModuleConstraint::parse(term).map_err(|error| error.to_string())?;
    let moves = !alone.installs(to) || (strategy == RangeStrategy::Raise && operator == "~>");
    if !moves {
        return Ok(term.to_owned());
    }
    let segments = limit.written_segments().min(3);
    let numbers = [to.major(), to.minor(), to.patch()];
    let extras = || {
        let text = to.to_string();
        let from = text.find(['-', '+']).unwrap_or(text.len());
        text[from..].to_owned()
    };
    let cut = |count: usize| numbers[..count].iter().map(u64::to_string).collect::<Vec<_>>().join(".");
    let version = match operator {
        "" | "=" => {
            // As short as it was, where that says the same.
            let zeros = numbers[segments..].iter().all(|n| *n == 0);
            format!("{}{}", cut(if zeros { segments } else { 3 }), extras())
        }
        "~>" => match strategy {
            RangeStrategy::Replace if segments > 1 => format!("{}.0", cut(segments - 1)),
            _ if segments < 3 && !to.is_prerelease() => cut(segments),
            _ => format!("{}{}", cut(3), extras()),
        },
        "<=" => format!("{}{}", cut(3), extras()),
        "<" => match segments {
            // The next limit that is written as this one is.
            1 => format!("{}", to.major() + 1),
            2 if limit.minor() == 0 => format!("{}.0", to.major() + 1),
            2 => format!("{}.{}", to.major(), to.minor() + 1),
            _ if limit.minor() == 0 && limit.patch() == 0 => format!("{}.0.0", to.major() + 1),
            _ if limit.patch() == 0 => format!("{}.{}.0", to.major(), to.minor() + 1),
            _ => format!("{}.{}.{}", to.major(), to.minor(), to.patch() + 1),
        },
        other => return Err(format!("the term {:?} excludes {to} on purpose ({other})", term.trim())),
    };
    Ok(format!("{head}{v}{version}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(text: &str, version: &str, strategy: RangeStrategy) -> Option<String> {
        match rewrite(text, &Version::parse(version).unwrap(), strategy) {
            Rewrite::To(text) => Some(text),
            Rewrite::Admits => Some("admits".to_owned()),
            Rewrite::Cannot(_) => None,
        }
    }

    #[test]
    fn a_constraint_is_moved_in_its_authors_style() {
        use RangeStrategy::{Admit, Raise, Replace};
        for (text, version, strategy, expected) in [
            ("1.0.0", "12.0.0", Admit, Some("12.0.0")),
            ("= 1.0.0", "1.1.0", Admit, Some("= 1.1.0")),
            ("v1.0.0", "2.0.0", Admit, Some("v2.0.0")),
            ("0.14", "0.15.0", Admit, Some("0.15")),
            ("0.14", "0.15.3", Admit, Some("0.15.3")),
            ("~> 0.14", "0.15.0", Admit, Some("admits")),
            ("~> 0.14.0", "0.15.0", Admit, Some("~> 0.15.0")),
            ("~> 1.2.0", "2.0.7", Replace, Some("~> 2.0.0")),
            ("~> 1.2", "2.3.7", Replace, Some("~> 2.0")),
            ("~> 0.14.6", "0.14.7", Raise, Some("~> 0.14.7")),
            ("~>1.2", "2.1.0", Admit, Some("~>2.1")),
            ("~> 2", "4.0.0", Admit, Some("admits")),
            (">= 1.0, < 2.0", "2.3.1", Admit, Some(">= 1.0, < 3.0")),
            (">= 1.0.0 , <1.5.0", "1.7.2", Admit, Some(">= 1.0.0 , <1.8.0")),
            (">= 1.0", "1.2.0", Admit, Some("admits")),
            (">= 1.0", "2.0.0-rc1", Admit, None),
            (">= 2.0", "1.9.0", Admit, None),
            ("!= 1.2.0", "1.2.0", Admit, None),
            ("not one", "1.2.0", Admit, None),
        ] {
            assert_eq!(
                to(text, version, strategy).as_deref(),
                expected,
                "{text} to {version} ({strategy:?})"
            );
        }
    }
}
