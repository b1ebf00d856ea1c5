use std::{cmp::Ordering, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AddressError, module_constraint::neighbours};

/// The version of a provider: exactly three numbers, a pre-release, build metadata; no `v`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ProviderVersion {
    numbers: [u64; 3],
    prerelease: String,
    metadata: String,
}

/// What `version = "…"` of a required provider says: by the rules of `apparentlymart/go-versions` 1.0.3.
///
/// They are not the rules for modules ([`super::ModuleConstraint`]): here `~> 2` stops before 3, a
/// pre-release must be named exactly, build metadata matters for `=` and `!=`, and there may be an empty
/// term at the end.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ProviderConstraint {
    original: String,
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    operator: Operator,
    boundary: ProviderVersion,
}

/// In the order in which Terraform writes them into its lock file, for equal boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operator {
    Greater,
    GreaterOrEqual,
    Equal,
    MinorOnly,
    PatchOnly,
    LessOrEqual,
    Less,
    NotEqual,
}

impl ProviderVersion {
    /// Reads a version; missing numbers are zero.
    ///
    /// # Errors
    /// [`AddressError::Version`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let bad = |why: &str| AddressError::Version { text: text.to_owned(), why: why.to_owned() };
        let (scanned, rest) = Scanned::scan(text);
        if !scanned.operator.is_empty() {
            return Err(bad("it begins with an operator"));
        }
        if !scanned.separator.is_empty() {
            return Err(bad(if scanned.separator.contains('v') {
                "a \"v\" prefix should not be used"
            } else {
                "it begins with a space"
            }));
        }
        if !rest.is_empty() {
            return Err(bad("it is not numbers joined by dots, a pre-release and build metadata"));
        }
        scanned.version().map_err(|why| bad(&why))
    }

    /// Whether this is a pre-release.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// Compares by numbers and pre-release; build metadata does not count.
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.prerelease.as_str(), other.prerelease.as_str()) {
                (a, b) if a == b => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (a, b) => compare_extra(a, b),
            }
        })
    }
}

/// `VersionExtra.LessThan`: parts joined by dots, numbers before words; at the first place where one of
/// them has no more dots, that one comes first.
fn compare_extra(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        match (a.split_once('.'), b.split_once('.')) {
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (None, None) => return compare_words(a, b),
            (Some((x, rest_a)), Some((y, rest_b))) => {
                if x != y {
                    return compare_words(x, y);
                }
                (a, b) = (rest_a, rest_b);
            }
        }
    }
}

fn compare_words(a: &str, b: &str) -> Ordering {
    let numeric = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match (numeric(a), numeric(b)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (true, true) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (false, false) => a.cmp(b),
    }
}

impl ProviderConstraint {
    /// Reads a constraint: terms joined by commas, all of which must hold. An empty text allows every
    /// release.
    ///
    /// # Errors
    /// [`AddressError::Constraint`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let bad = |why: String| AddressError::Constraint { text: text.to_owned(), why };
        let mut terms = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (scanned, after) = Scanned::scan(rest);
            let consumed = &rest[..rest.len() - after.len()];
            terms.push(scanned.term().map_err(|why| bad(format!("{why} in {consumed:?}")))?);
            rest = after.trim();
            if rest.is_empty() {
                break;
            }
            rest = match rest.strip_prefix(',') {
                Some(after) => after.trim(),
                None if rest.starts_with('v') => {
                    return Err(bad("a \"v\" prefix should not be used".into()));
                }
                None => return Err(bad(format!("there is no comma after {consumed:?}"))),
            };
        }
        Ok(Self { original: text.to_owned(), terms })
    }

    /// Whether a version meets every term. A pre-release does only where a term names it exactly; 0.0.0
    /// never does, since the library keeps it for "no version".
    pub fn allows(&self, version: &ProviderVersion) -> bool {
        if version.numbers == [0; 3] && version.prerelease.is_empty() && version.metadata.is_empty() {
            return false;
        }
        let named =
            || self.terms.iter().any(|term| term.operator == Operator::Equal && term.boundary == *version);
        self.terms.iter().all(|term| term.allows(version)) && (!version.is_prerelease() || named())
    }

    /// A release that `self` allows and `new` does not, where there is one.
    pub fn excluded_by(&self, new: &Self) -> Option<ProviderVersion> {
        let mut around: Vec<_> = self
            .terms
            .iter()
            .chain(&new.terms)
            .flat_map(|term| neighbours(term.boundary.numbers))
            .map(|numbers| ProviderVersion { numbers, prerelease: String::new(), metadata: String::new() })
            .collect();
        around.sort_by(ProviderVersion::precedence);
        around.into_iter().find(|version| self.allows(version) && !new.allows(version))
    }

    /// The constraint as Terraform writes it into `.terraform.lock.hcl`: terms sorted, without doubles,
    /// missing numbers written as zero.
    pub fn canonical(&self) -> String {
        let mut terms: Vec<&Term> = Vec::new();
        for term in &self.terms {
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        terms.sort_by(|a, b| {
            a.boundary
                .precedence(&b.boundary)
                .then_with(|| compare_extra(&a.boundary.metadata, &b.boundary.metadata))
                .then_with(|| a.operator.cmp(&b.operator))
        });
        let words: Vec<_> = terms.iter().map(|term| term.to_string()).collect();
        words.join(", ")
    }
}

impl Term {
    fn allows(&self, version: &ProviderVersion) -> bool {
        let order = version.precedence(&self.boundary);
        match self.operator {
            Operator::Equal => *version == self.boundary,
            Operator::NotEqual => *version != self.boundary,
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::MinorOnly | Operator::PatchOnly => {
                let at = if self.operator == Operator::MinorOnly { 0 } else { 1 };
                let mut ceiling = ProviderVersion {
                    numbers: self.boundary.numbers,
                    prerelease: String::new(),
                    metadata: String::new(),
                };
                ceiling.numbers[at] = ceiling.numbers[at].saturating_add(1);
                ceiling.numbers[at + 1..].fill(0);
                order.is_ge() && version.precedence(&ceiling).is_lt()
            }
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.operator {
            Operator::Greater => "> ",
            Operator::GreaterOrEqual => ">= ",
            Operator::Equal => "",
            Operator::MinorOnly | Operator::PatchOnly => "~> ",
            Operator::LessOrEqual => "<= ",
            Operator::Less => "< ",
            Operator::NotEqual => "!= ",
        })?;
        let [major, minor, patch] = self.boundary.numbers;
        match self.operator {
            Operator::MinorOnly => write!(f, "{major}.{minor}")?,
            _ => write!(f, "{major}.{minor}.{patch}")?,
        }
        write_extras(f, &self.boundary)
    }
}

impl fmt::Display for ProviderVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        write_extras(f, self)
    }
}

fn write_extras(f: &mut fmt::Formatter<'_>, version: &ProviderVersion) -> fmt::Result {
    if !version.prerelease.is_empty() {
        write!(f, "-{}", version.prerelease)?;
    }
    if !version.metadata.is_empty() {
        write!(f, "+{}", version.metadata)?;
    }
    Ok(())
}

/// One constraint cut into its parts, as the library's scanner does, before any of them is judged.
struct Scanned<'a> {
    operator: &'a str,
    separator: &'a str,
    numbers: Vec<&'a str>,
    prerelease: &'a str,
    metadata: &'a str,
}

impl<'a> Scanned<'a> {
    /// The parts, and what comes after them.
    fn scan(text: &'a str) -> (Self, &'a str) {
        let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
        let (operator, rest) = take(text, |c| {
            !(c.is_ascii_digit() || space(c) || c.is_ascii_alphabetic() || c == '.' || c == '*')
        });
        let (separator, mut rest) = take(rest, |c| space(c) || c == 'v');
        let mut numbers = Vec::new();
        loop {
            let (digits, after) = match rest.as_bytes().first() {
                Some(b'*' | b'x' | b'X') => rest.split_at(1),
                _ => take(rest, |c| c.is_ascii_digit()),
            };
            if digits.is_empty() {
                break;
            }
            numbers.push(digits);
            rest = after;
            match rest.strip_prefix('.') {
                Some(after) if after.starts_with(|c: char| c.is_ascii_digit() || "*xX".contains(c)) => {
                    rest = after;
                }
                _ => break,
            }
        }
        let extra = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let after_sign = |rest: &'a str, sign: char| match rest.strip_prefix(sign) {
            Some(after) if !numbers.is_empty() && after.starts_with(extra) => take(after, extra),
            _ => ("", rest),
        };
        let (prerelease, rest) = after_sign(rest, '-');
        let (metadata, rest) = after_sign(rest, '+');
        (Self { operator, separator, numbers, prerelease, metadata }, rest)
    }

    fn term(&self) -> Result<Term, String> {
        let operator = match (self.operator, self.numbers.len()) {
            ("" | "=", _) => Operator::Equal,
            ("!=", _) => Operator::NotEqual,
            (">", _) => Operator::Greater,
            (">=", _) => Operator::GreaterOrEqual,
            ("<", _) => Operator::Less,
            ("<=", _) => Operator::LessOrEqual,
            ("~>", 3) => Operator::PatchOnly,
            ("~>", _) => Operator::MinorOnly,
            ("=<", _) => return Err("the operator =< is not known (did you mean <=?)".into()),
            ("=>", _) => return Err("the operator => is not known (did you mean >=?)".into()),
            (other, _) => return Err(format!("the operator {other} is not known")),
        };
        match self.separator {
            "" => {}
            " " if !self.operator.is_empty() => {}
            separator if separator.contains('v') => return Err("a \"v\" prefix should not be used".into()),
            _ => return Err("there is more than one space before the version".into()),
        }
        let mut boundary = self.version()?;
        // Metadata counts for exact matches alone.
        if !matches!(operator, Operator::Equal | Operator::NotEqual) {
            boundary.metadata.clear();
        }
        Ok(Term { operator, boundary })
    }

    fn version(&self) -> Result<ProviderVersion, String> {
        if self.numbers.is_empty() {
            return Err("there is no number".into());
        }
        if self.numbers.len() > 3 {
            return Err("there are more than three numbers".into());
        }
        let mut numbers = [0; 3];
        for (number, text) in numbers.iter_mut().zip(&self.numbers) {
            if matches!(*text, "*" | "x" | "X") {
                return Err("there is a wildcard; leave out the numbers that do not matter".into());
            }
            *number = text.parse().map_err(|_| format!("the number {text} is too large"))?;
        }
        Ok(ProviderVersion {
            numbers,
            prerelease: self.prerelease.to_owned(),
            metadata: self.metadata.to_owned(),
        })
    }
}

fn take(text: &str, good: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !good(c)).unwrap_or(text.len()))
}

impl fmt::Display for ProviderConstraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.original)
    }
}

impl fmt::Debug for ProviderConstraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.original)
    }
}

impl TryFrom<String> for ProviderVersion {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<ProviderVersion> for String {
    fn from(version: ProviderVersion) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for ProviderConstraint {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<ProviderConstraint> for String {
    fn from(constraint: ProviderConstraint) -> Self {
        constraint.original
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pessimistic_major_stops_before_the_next_one() {
        let allows = |constraint: &str, version: &str| {
            ProviderConstraint::parse(constraint).unwrap().allows(&ProviderVersion::parse(version).unwrap())
        };
        assert!(allows("~> 2", "2.9.0") && !allows("~> 2", "3.0.0"));
        assert!(allows("~> 1.2.3", "1.2.9") && !allows("~> 1.2.3", "1.3.0"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,24}") {
            if let Ok(constraint) = ProviderConstraint::parse(&text) {
                let canonical = constraint.canonical();
                prop_assert_eq!(ProviderConstraint::parse(&canonical).unwrap().canonical(), canonical);
            }
        }
    }
}
