use serde::{Deserialize, Serialize};

use crate::policy::{PathPattern, Section};

/// Which files are documentation, and which concern everything: the section `[nature]` of
/// `infraflow.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NatureRules {
    /// Documentation.
    pub docs: Vec<PathPattern>,
    /// Files that decide about everything.
    pub global: Vec<PathPattern>,
}

impl Section for NatureRules {
    const NAME: &'static str = "nature";
}
