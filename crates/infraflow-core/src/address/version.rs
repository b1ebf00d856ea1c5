use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::LazyLock,
};

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AddressError;

/// The grammar of `hashicorp/go-version` 1.9.0, which both Terraform and OpenTofu use for modules.
pub(super) const GRAMMAR: &str = concat!(
    r"v?([0-9]+(\.[0-9]+)*?)",
    r"(-([0-9]+[0-9A-Za-z\-~]*(\.[0-9A-Za-z\-~]+)*)|(-?([A-Za-z\-~]+[0-9A-Za-z\-~]*(\.[0-9A-Za-z\-~]+)*)))?",
    r"(\+([0-9A-Za-z\-~]+(\.[0-9A-Za-z\-~]+)*))?",
    r"?"
);

#[allow(clippy::expect_used)] // a constant, compiled by every test of this module
static VERSION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!("^(?:{GRAMMAR})$")).expect("the grammar compiles"));

/// The version of a module, of a tag or of a tool: numbers, a pre-release, build metadata.
///
/// Anything that Terraform accepts as a module's version is one: `1.2`, `v1.2.3`, `1.7rc2`, `1.2.3.4`.
/// The order is that of versions: numbers first, missing ones as zero, then a pre-release before its
/// release. What Terraform's own comparison does otherwise, [`Version::compare_as_terraform`] does too.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Version {
    key: OrderKey,
    /// As many as were written, filled up to three.
    segments: Vec<u64>,
    written: usize,
    metadata: String,
    original: String,
}

/// What the order goes by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OrderKey {
    /// Without trailing zeros.
    segments: Vec<u64>,
    prerelease: Prerelease,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Prerelease(String);

impl Ord for Prerelease {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0.as_str(), other.0.as_str()) {
            (a, b) if a == b => Ordering::Equal,
            ("", _) => Ordering::Greater,
            (_, "") => Ordering::Less,
            (a, b) => {
                let parts = a.split('.').map(Part::of).cmp(b.split('.').map(Part::of));
                parts.then_with(|| a.cmp(b))
            }
        }
    }
}

impl PartialOrd for Prerelease {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Semantic Versioning 2.0.0, item 11: numbers before words, numbers by their size.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Number(u64),
    Word(&'a str),
}

impl<'a> Part<'a> {
    fn of(text: &'a str) -> Self {
        text.parse().map_or(Self::Word(text), Self::Number)
    }
}

impl Version {
    /// Reads a version, with or without a `v`.
    ///
    /// # Errors
    /// [`AddressError::Version`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let bad = |why: &str| AddressError::Version { text: text.to_owned(), why: why.to_owned() };
        let found = VERSION.captures(text).ok_or_else(|| bad("it is not made of numbers joined by dots"))?;
        let numbers = found.get(1).map_or("", |group| group.as_str());
        let mut segments = Vec::with_capacity(3);
        for number in numbers.split('.') {
            // Terraform keeps them in 64 bits with a sign.
            let value = number.parse::<i64>().map_err(|_| bad("one of its numbers is too large"))?;
            segments.push(value.unsigned_abs());
        }
        let written = segments.len();
        segments.resize(written.max(3), 0);
        let group = |at: usize| found.get(at).map(|group| group.as_str()).filter(|text| !text.is_empty());
        let prerelease = group(7).or_else(|| group(4)).unwrap_or_default().to_owned();
        let significant = segments.iter().rposition(|&n| n > 0).map_or(0, |at| at + 1);
        Ok(Self {
            key: OrderKey { segments: segments[..significant].to_vec(), prerelease: Prerelease(prerelease) },
            segments,
            written,
            metadata: group(10).unwrap_or_default().to_owned(),
            original: text.to_owned(),
        })
    }

    /// The release with these three numbers.
    pub fn release(major: u64, minor: u64, patch: u64) -> Self {
        let segments = vec![major, minor, patch];
        let significant = segments.iter().rposition(|&n| n > 0).map_or(0, |at| at + 1);
        Self {
            key: OrderKey {
                segments: segments[..significant].to_vec(),
                prerelease: Prerelease(String::new()),
            },
            original: format!("{major}.{minor}.{patch}"),
            segments,
            written: 3,
            metadata: String::new(),
        }
    }

    /// The newest release of several: what is installed where no version is asked for.
    pub fn newest_release<'a>(available: impl IntoIterator<Item = &'a Self>) -> Option<&'a Self> {
        available.into_iter().filter(|version| !version.is_prerelease()).max()
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.segments[0]
    }

    /// The second number.
    pub fn minor(&self) -> u64 {
        self.segments[1]
    }

    /// The third number.
    pub fn patch(&self) -> u64 {
        self.segments[2]
    }

    /// All numbers, at least three.
    pub fn segments(&self) -> &[u64] {
        &self.segments
    }

    /// How many numbers were written.
    pub fn written_segments(&self) -> usize {
        self.written
    }

    /// The pre-release, without its dash; empty for a release.
    pub fn prerelease(&self) -> &str {
        &self.key.prerelease.0
    }

    /// Whether this is a pre-release.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease().is_empty()
    }

    /// The build metadata, without its plus; empty where there is none.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The text it was read from.
    pub fn as_written(&self) -> &str {
        &self.original
    }

    /// Compares as go-version does, which is no order: versions of different length are compared without
    /// their pre-releases, and `5.4-alpha` comes after `5.4-alpha.beta`.
    pub fn compare_as_terraform(&self, other: &Self) -> Ordering {
        if self.to_string() == other.to_string() {
            return Ordering::Equal;
        }
        if self.segments == other.segments {
            return match (self.prerelease(), other.prerelease()) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (a, b) => compare_prereleases(a, b),
            };
        }
        self.key.segments.cmp(&other.key.segments)
    }
}

impl Ord for Version {
    /// Build metadata comes last, so that equal means interchangeable; how it was written does not count.
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.key, &self.metadata).cmp(&(&other.key, &other.metadata))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.key, &self.metadata).hash(state);
    }
}

fn compare_prereleases(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<_>, Vec<_>) = (a.split('.').collect(), b.split('.').collect());
    for at in 0..a.len().max(b.len()) {
        let (a, b) = (a.get(at).copied().unwrap_or(""), b.get(at).copied().unwrap_or(""));
        let order = compare_parts(a, b);
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// go-version's `comparePart`, whose missing part comes before a number and after a word.
fn compare_parts(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (left, right) = (a.parse::<i64>().ok(), b.parse::<i64>().ok());
    match (a, b) {
        ("", _) if right.is_some() => return Ordering::Less,
        ("", _) => return Ordering::Greater,
        (_, "") if left.is_some() => return Ordering::Greater,
        (_, "") => return Ordering::Less,
        _ => {}
    }
    match (left, right) {
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
        (Some(left), Some(right)) if left > right => Ordering::Greater,
        (Some(_), Some(_)) => Ordering::Less,
    }
}

impl fmt::Display for Version {
    /// At least three numbers, without `v`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.segments.iter().enumerate() {
            let dot = if i > 0 { "." } else { "" };
            write!(f, "{dot}{segment}")?;
        }
        if self.is_prerelease() {
            write!(f, "-{}", self.prerelease())?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Version {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn a_prerelease_comes_before_its_release() {
        let mut versions = ["1.0.0", "1.0.0-rc.1", "1.0.0-2", "0.9", "1.0.0-rc.beta", "v1.0.1"].map(version);
        versions.sort();
        let sorted: Vec<_> = versions.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, ["0.9.0", "1.0.0-2", "1.0.0-rc.1", "1.0.0-rc.beta", "1.0.0", "1.0.1"]);
    }

    #[test]
    fn the_numbers_are_filled_up_to_three() {
        assert_eq!((version("1").patch(), version("1.2.3.4").segments().len()), (0, 4));
        assert_eq!(version("v1.7rc2").to_string(), "1.7.0-rc2");
        assert_eq!(Version::release(1, 2, 3), version("v1.2.3"));
        assert_eq!(version("1.2"), version("1.2.0.0"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,24}") {
            if let Ok(version) = Version::parse(&text) {
                prop_assert_eq!(Version::parse(&version.to_string()).unwrap().to_string(), version.to_string());
            }
        }

        #[test]
        fn both_comparisons_agree_on_releases(a in [0u64..4, 0..4, 0..4], b in [0u64..4, 0..4, 0..4]) {
            let (x, y) = (Version::release(a[0], a[1], a[2]), Version::release(b[0], b[1], b[2]));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x.compare_as_terraform(&y), a.cmp(&b));
        }
    }
}
