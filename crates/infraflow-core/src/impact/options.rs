use serde::{Deserialize, Serialize};

use super::Rules;

/// How an impact is worked out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImpactOptions {
    /// How many reasons each affected thing gets.
    pub reasons: ReasonsFor,
    /// What the repository says of paths beyond its references. Of a change request, those of trunk.
    pub rules: Rules,
}

impl ImpactOptions {
    /// By these rules, not the crate's defaults, with the shortest reason of each thing.
    pub fn by(rules: Rules) -> Self {
        Self { reasons: ReasonsFor::default(), rules }
    }

    /// With a reason for each changed file that leads to a thing. Takes time in proportion to the number of
    /// changed files.
    #[must_use]
    pub fn with_reasons_for(mut self, reasons: ReasonsFor) -> Self {
        self.reasons = reasons;
        self
    }
}

/// How many reasons each affected thing gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReasonsFor {
    /// One: the shortest chain from any changed file.
    #[default]
    TheThing,
    /// One for each changed file that leads to it, the shortest first.
    EachChange,
    /// Each chain of references from a changed file to it that meets nothing twice, the shortest first; at most
    /// [`ReasonsFor::MOST_CHAINS`] of a thing. How many are left out stands beside them, in `chains_left_out`.
    /// Where more than [`ReasonsFor::MOST_LINKS`] are told, or to look further would take long, what is left gets
    /// the shortest.
    EachChain,
}

impl ReasonsFor {
    /// The most chains that are told of one thing.
    pub const MOST_CHAINS: usize = 64;

    /// The most links of the chains of all things: about 50 MB.
    pub const MOST_LINKS: usize = 300_000;

    pub(super) fn most_chains(self) -> usize {
        match self {
            Self::TheThing | Self::EachChange => 1,
            Self::EachChain => Self::MOST_CHAINS,
        }
    }
}
