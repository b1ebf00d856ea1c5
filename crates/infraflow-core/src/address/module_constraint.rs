use std::{cmp::Ordering, fmt, sync::LazyLock};

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AddressError, AddressRules, Version, version::GRAMMAR};

#[allow(clippy::expect_used)] // a constant, compiled by every test of this module
static TERM: LazyLock<Regex> = LazyLock::new(|| {
    let space = r"[\t\n\x0C\r ]*";
    let operators = "<=|>=|!=|~>|<|>|=|";
    Regex::new(&format!("^{space}({operators}){space}({GRAMMAR}){space}$")).expect("the grammar compiles")
});

/// What `version = "…"` of a module call says, and `required_version`: by the rules of go-version 1.9.0.
///
/// They are not the rules for providers ([`super::ProviderConstraint`]): here `~> 2` has no ceiling, since
/// only the numbers before the last written one must be equal; a `v` and more than three numbers are fine;
/// and build metadata never matters.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ModuleConstraint {
    original: String,
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    operator: Operator,
    version: Version,
}

/// In the order in which go-version sorts them, which is that of their symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operator {
    Less,
    Equal,
    Greater,
    Pessimistic,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
}

impl ModuleConstraint {
    /// Reads a constraint: terms joined by commas, all of which must hold.
    ///
    /// # Errors
    /// [`AddressError::Constraint`] where one of the terms is none; an empty text is none.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let mut terms = Vec::new();
        for term in text.split(',') {
            let bad = |why: String| AddressError::Constraint { text: text.to_owned(), why };
            let found = TERM.captures(term).ok_or_else(|| {
                bad(if term.trim().is_empty() {
                    "one of its terms is empty".into()
                } else {
                    format!("{:?} is not an operator and a version", term.trim())
                })
            })?;
            let operator = match found.get(1).map_or("", |group| group.as_str()) {
                "!=" => Operator::NotEqual,
                ">" => Operator::Greater,
                "<" => Operator::Less,
                ">=" => Operator::GreaterOrEqual,
                "<=" => Operator::LessOrEqual,
                "~>" => Operator::Pessimistic,
                _ => Operator::Equal,
            };
            let version = Version::parse(found.get(2).map_or("", |group| group.as_str()))
                .map_err(|error| bad(error.to_string()))?;
            terms.push(Term { operator, version });
        }
        Ok(Self { original: text.to_owned(), terms })
    }

    /// Reads a `required_version`, which may not name a pre-release.
    ///
    /// # Errors
    /// [`AddressError::Constraint`].
    pub fn parse_required_version(text: &str) -> Result<Self, AddressError> {
        let constraint = Self::parse(text)?;
        match constraint.terms.iter().find(|term| term.version.is_prerelease()) {
            None => Ok(constraint),
            Some(term) => Err(AddressError::Constraint {
                text: text.to_owned(),
                why: format!("required_version may not name a pre-release, and {} is one", term.version),
            }),
        }
    }

    /// Whether a version meets every term.
    pub fn allows(&self, version: &Version) -> bool {
        self.terms.iter().all(|term| term.allows(version))
    }

    /// Whether the module installer would take a version: one that is allowed, and if it is a pre-release,
    /// one that the constraint names exactly and names nothing else.
    pub fn installs(&self, version: &Version) -> bool {
        let named = || match self.terms.as_slice() {
            [only] => only.operator == Operator::Equal && only.version.to_string() == version.to_string(),
            _ => false,
        };
        self.allows(version) && (!version.is_prerelease() || named())
    }

    /// The newest of the available versions that a tool would install. Terragrunt takes any that is allowed
    /// for its `tfr://`; Terraform and OpenTofu leave out pre-releases that are not asked for by name.
    pub fn select<'a>(
        &self,
        available: impl IntoIterator<Item = &'a Version>,
        rules: AddressRules,
    ) -> Option<&'a Version> {
        available
            .into_iter()
            .filter(|version| match rules {
                AddressRules::Terragrunt => self.allows(version),
                AddressRules::Terraform | AddressRules::OpenTofu => self.installs(version),
            })
            .max()
    }

    /// Whether any term names a pre-release.
    pub fn names_prerelease(&self) -> bool {
        self.terms.iter().any(|term| term.version.is_prerelease())
    }

    /// The only version that the constraint allows, where it is a single `=` (or bare) one.
    pub fn exact(&self) -> Option<&Version> {
        match self.terms.as_slice() {
            [Term { operator: Operator::Equal, version }] => Some(version),
            _ => None,
        }
    }

    /// How many terms there are.
    pub fn terms(&self) -> usize {
        self.terms.len()
    }

    /// A version that `old` allows and `new` does not, where there is one; each is several constraints that
    /// hold together, none at all allowing everything. Only releases are looked at.
    pub fn excluded(old: &[Self], new: &[Self]) -> Option<Version> {
        let all = |constraints: &[Self], version: &Version| constraints.iter().all(|c| c.allows(version));
        let limits = old.iter().chain(new).flat_map(|constraint| &constraint.terms);
        let mut around: Vec<_> = limits
            .flat_map(|term| neighbours([term.version.major(), term.version.minor(), term.version.patch()]))
            .map(|[major, minor, patch]| Version::release(major, minor, patch))
            .collect();
        around.sort();
        around.into_iter().find(|version| all(old, version) && !all(new, version))
    }

    fn sorted(&self) -> Vec<&Term> {
        let mut terms: Vec<_> = self.terms.iter().collect();
        terms.sort_by(|a, b| (a.operator, &a.version).cmp(&(b.operator, &b.version)));
        terms
    }
}

/// Versions at, just below and just above a limit, and at the limits that `~>` derives from it: sets of
/// versions whose ends are these limits differ in one of them, if at all.
pub(super) fn neighbours([major, minor, patch]: [u64; 3]) -> Vec<[u64; 3]> {
    const HIGH: u64 = 1 << 32;
    let up = |n: u64| n.saturating_add(1);
    let mut around = vec![
        [major, minor, patch],
        [major, minor, up(patch)],
        [major, minor, HIGH],
        [major, up(minor), 0],
        [major, HIGH, HIGH],
        [up(major), 0, 0],
        [HIGH, HIGH, HIGH],
    ];
    if let Some(below) = patch.checked_sub(1) {
        around.push([major, minor, below]);
    } else if let Some(below) = minor.checked_sub(1) {
        around.push([major, below, HIGH]);
    } else if let Some(below) = major.checked_sub(1) {
        around.push([below, HIGH, HIGH]);
    }
    around
}

impl Term {
    fn allows(&self, version: &Version) -> bool {
        let limit = &self.version;
        let order = version.compare_as_terraform(limit);
        match self.operator {
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::Greater => comparable(version, limit) && order.is_gt(),
            Operator::Less => comparable(version, limit) && order.is_lt(),
            Operator::GreaterOrEqual => comparable(version, limit) && order.is_ge(),
            Operator::LessOrEqual => comparable(version, limit) && order.is_le(),
            Operator::Pessimistic => pessimistic(version, limit, order),
        }
    }
}

/// A pre-release meets an inequality only where the limit is a pre-release of the same numbers.
fn comparable(version: &Version, limit: &Version) -> bool {
    !version.is_prerelease() || (limit.is_prerelease() && version.segments() == limit.segments())
}

fn pessimistic(version: &Version, limit: &Version, order: Ordering) -> bool {
    if !comparable(version, limit) || (limit.is_prerelease() && !version.is_prerelease()) || order.is_lt() {
        return false;
    }
    let (have, want) = (version.segments(), limit.segments());
    let last = want.len() - 1;
    want.len() <= have.len()
        && have[..limit.written_segments() - 1] == want[..limit.written_segments() - 1]
        && want[last] <= have[last]
}

impl PartialEq for ModuleConstraint {
    /// The same terms in any order.
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.sorted(), other.sorted());
        let same = |(a, b): (&&Term, &&Term)| {
            a.operator == b.operator && a.version.compare_as_terraform(&b.version).is_eq()
        };
        a.len() == b.len() && a.iter().zip(&b).all(same)
    }
}

impl fmt::Display for ModuleConstraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.original)
    }
}

impl fmt::Debug for ModuleConstraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.original)
    }
}

impl TryFrom<String> for ModuleConstraint {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<ModuleConstraint> for String {
    fn from(constraint: ModuleConstraint) -> Self {
        constraint.original
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(constraint: &str, version: &str) -> bool {
        ModuleConstraint::parse(constraint).unwrap().allows(&Version::parse(version).unwrap())
    }

    #[test]
    fn a_pessimistic_major_has_no_ceiling() {
        assert!(allows("~> 2", "3.0.0") && !allows("~> 2", "1.9.0"));
        assert!(allows("~> 2.0", "2.9.0") && !allows("~> 2.0", "3.0.0"));
        assert!(!allows("~> 0.14", "1.0.0") && allows("~> 0.14", "0.15.0"));
    }

    #[test]
    fn an_empty_term_is_refused() {
        for bad in ["", ">= 1.0,", ",", "=> 1.0", "^1.0", "1.x"] {
            assert!(ModuleConstraint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_narrowed_constraint_names_a_version_it_excludes() {
        let read =
            |texts: &[&str]| texts.iter().map(|t| ModuleConstraint::parse(t).unwrap()).collect::<Vec<_>>();
        for (old, new, expected) in [
            (&[][..], &[">= 1.5"][..], true),
            (&[">= 1.5"], &[], false),
            (&[">= 1.5"], &[">= 1.6"], true),
            (&[">= 1.6"], &[">= 1.5"], false),
            (&[">= 1.5, < 2.0"], &[">= 1.5", "< 2.0.0"], false),
            (&["~> 1.5"], &[">= 1.5, < 2.0"], false),
            (&["~> 1.5"], &["~> 1.6"], true),
            (&[">= 1.5"], &["~> 1.5"], true),
            (&["!= 1.7.3"], &[], false),
            (&[], &["!= 1.7.3"], true),
        ] {
            let excluded = ModuleConstraint::excluded(&read(old), &read(new));
            assert_eq!(excluded.is_some(), expected, "{old:?} to {new:?}: {excluded:?}");
        }
    }

    #[test]
    fn the_installer_takes_a_prerelease_only_by_its_name() {
        let version = Version::parse("1.0.0-rc1").unwrap();
        let installs = |text: &str| ModuleConstraint::parse(text).unwrap().installs(&version);
        assert!(installs("1.0.0-rc1") && installs("= v1.0.0-rc1"));
        assert!(!installs(">= 1.0.0-rc1") && !installs("1.0.0-rc1, 1.0.0-rc1"));
    }
}
