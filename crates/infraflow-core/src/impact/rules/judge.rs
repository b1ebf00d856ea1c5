use std::fmt;

use super::PathRule;
use crate::catalog::ReferenceKind;

/// What the rules say of a changed path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Judged<'a> {
    /// Which references to it count.
    pub references: References,
    /// The rules that hold, in order; none of them after one that ends the search.
    pub verdicts: Vec<Verdict<'a>>,
}

/// A rule that holds for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict<'a> {
    /// Where it stands.
    pub name: RuleName,
    /// The rule.
    pub rule: &'a PathRule,
}

/// Which references to a changed path count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum References {
    /// None.
    None,
    /// Those that state the file: not those that merely have it below them, or may mean it.
    Stated,
    /// All.
    All,
}

/// How a reference means a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Meant {
    /// By its path, or by a pattern that lists it.
    Stated,
    /// By a directory above it that counts as a whole, or by a path that only a plan knows.
    Perhaps,
}

impl References {
    /// Whether a reference counts.
    pub fn counts(self, meant: Meant) -> bool {
        match self {
            Self::None => false,
            Self::Stated => meant == Meant::Stated,
            Self::All => true,
        }
    }
}

impl Meant {
    /// What the kind of a reference tells: who watches a directory means its files as a whole.
    pub fn by(kind: ReferenceKind) -> Self {
        if kind == ReferenceKind::Watch { Self::Perhaps } else { Self::Stated }
    }
}

/// Where a rule stands: `impact.rules[0]`, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName {
    list: &'static str,
    at: usize,
}

impl RuleName {
    pub(super) fn new(list: &'static str, at: usize) -> Self {
        Self { list, at }
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "impact.{}[{}]", self.list, self.at)
    }
}
