use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::VariantRule;
use crate::{
    policy::{PathPattern, Section},
    proof::RepoPath,
};

/// What tells modules, units and test cases apart: the section `[catalog]` of `infraflow.toml`. The rules
/// and their order stand in the documentation of [`crate::catalog`], the defaults in
/// [`Configuration::defaults_text`](crate::policy::Configuration::defaults_text).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Addresses under which this repository is fetched by module sources, besides its remotes.
    pub addresses: Vec<String>,
    /// What a read counts for whose path cannot be known without a plan.
    pub unknown_reads: UnknownReads,
    /// Which of Terraform and OpenTofu runs.
    pub tool: ToolChoice,
    /// Which units share a directory; see [`variants`](mod@super::variants).
    pub variants: Vec<VariantRule>,
    /// Whether units that share a directory are found by what stands there, where nothing is declared.
    pub find_variants: bool,
}

/// What a read counts for whose path cannot be known without a plan, not even its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnknownReads {
    /// Any file below the directory that reads, configuration of others left out.
    #[default]
    Directory,
    /// Any file of the repository, configuration of others left out.
    Repository,
}

/// Which of the two tools runs: they read different files, and only one of them computes module sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolChoice {
    /// Nobody says: whatever one of them reads counts.
    #[default]
    Either,
    /// Terraform: `.tofu` files are not read, and a module source is a constant.
    Terraform,
    /// OpenTofu: `x.tofu` is read in place of `x.tf`, and sources may name variables and locals.
    Opentofu,
}

impl Section for CatalogRules {
    const NAME: &'static str = "catalog";
}

impl Default for CatalogRules {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let patterns =
            |texts: &[&str]| texts.iter().filter_map(|text| PathPattern::parse(text).ok()).collect();
        Self {
            live: Vec::new(),
            modules: Vec::new(),
            examples: names(&["examples"]),
            tests: names(&["tests"]),
            ignore: patterns(&["**/.terraform", "**/.terragrunt-cache"]),
            addresses: Vec::new(),
            unknown_reads: UnknownReads::Directory,
            tool: ToolChoice::Either,
            variants: Vec::new(),
            find_variants: true,
        }
    }
}

impl CatalogRules {
    /// Takes these directories for units too, as `--live` does.
    #[must_use]
    pub fn with_live(mut self, patterns: impl IntoIterator<Item = PathPattern>) -> Self {
        self.live.extend(patterns);
        self
    }

    /// Knows this repository by another address too.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<String>) -> Self {
        self.addresses.push(address.into());
        self
    }

    /// Knows which tool runs.
    #[must_use]
    pub fn with_tool(mut self, tool: ToolChoice) -> Self {
        self.tool = tool;
        self
    }

    /// Whether the rules say by a pattern that a directory is live.
    pub fn is_live(&self, directory: &RepoPath) -> bool {
        means(&self.live, directory)
    }

    /// Whether the rules say by a pattern that a directory is a module.
    pub fn is_module(&self, directory: &RepoPath) -> bool {
        means(&self.modules, directory)
    }

    /// Whether the rules leave a directory out, or one above it.
    pub fn is_ignored(&self, directory: &RepoPath) -> bool {
        let mut at = Some(directory.clone());
        while let Some(directory) = at {
            if means(&self.ignore, &directory) {
                return true;
            }
            at = directory.parent();
        }
        false
    }

    pub(super) fn unknown_reads_anywhere(&self) -> bool {
        self.unknown_reads == UnknownReads::Repository
    }
}

/// The root has no name that a pattern could match; it is written `.`.
fn means(patterns: &[PathPattern], directory: &RepoPath) -> bool {
    patterns
        .iter()
        .any(|pattern| pattern.matches(directory) || (directory.is_root() && pattern.as_str() == "."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Configuration;

    #[test]
    fn the_defaults_in_code_are_those_of_the_documented_file() {
        assert_eq!(Configuration::defaults().section::<CatalogRules>().unwrap(), CatalogRules::default());
    }

    #[test]
    fn the_root_is_live_where_a_pattern_says_so() {
        let rules = CatalogRules::default().with_live([PathPattern::parse(".").unwrap()]);
        assert!(rules.is_live(&RepoPath::root()) && !rules.is_live(&RepoPath::parse("a").unwrap()));
        assert!(rules.is_ignored(&RepoPath::parse("a/.terraform/modules/x").unwrap()));
    }
}
