use serde::{Deserialize, Serialize};

use crate::{
    policy::{PathPattern, Section},
    proof::RepoPath,
};

/// What tells modules, units and test cases apart: the section `[catalog]` of `infraflow.toml`. The rules
/// and their order stand in the documentation of [`crate::catalog`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CatalogRules {
    /// Directories that are units, whatever else holds.
    pub live: Vec<PathPattern>,
    /// Directories that are modules.
    pub modules: Vec<PathPattern>,
    /// Names of directories whose children are examples of the module above.
    pub examples: Vec<String>,
    /// Names of directories whose children are tests of the module above.
    pub tests: Vec<String>,
    /// Directories that are left out altogether.
    pub ignore: Vec<PathPattern>,
}

impl Section for CatalogRules {
    const NAME: &'static str = "catalog";
}

impl CatalogRules {
    /// Takes these directories for units too, as `--live` does.
    #[must_use]
    pub fn with_live(mut self, patterns: impl IntoIterator<Item = PathPattern>) -> Self {
        self.live.extend(patterns);
        self
    }

    /// Whether the rules say by a pattern that a directory is live.
    pub fn is_live(&self, directory: &RepoPath) -> bool {
        self.live.iter().any(|pattern| pattern.matches(directory))
    }
}
