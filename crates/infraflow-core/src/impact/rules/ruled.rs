use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RuleAction;
use crate::proof::RepoPath;

/// A changed path that a rule of `[impact]` speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Ruled {
    /// The path.
    pub path: RepoPath,
    /// What the rule does.
    pub action: RuleAction,
    /// Which rule it is, for example `impact.rules[0]`.
    pub rule: String,
    /// Why the rule is there, in its author's words.
    pub reason: String,
    /// Whether the rule speaks of all modules and units, and not only of some.
    pub of_all: bool,
}
