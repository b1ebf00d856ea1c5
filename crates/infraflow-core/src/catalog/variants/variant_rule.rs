use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::template::Template;
use crate::{policy::PathPattern, proof::RepoPath};

/// Which units share a directory: one `[[catalog.variants]]`, as
/// [the folder's documentation](mod@crate::catalog::variants) explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct VariantRule {
    /// The directories it speaks of.
    pub directories: Vec<PathPattern>,
    /// The values of `{name}`; empty to find them by the files that are there.
    pub names: Vec<String>,
    /// The workspace that is selected, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Template>,
    /// Variable files, in the order in which they are given.
    pub var_files: Vec<Template>,
    /// Backend settings: `key=value`, or the path of a file.
    pub backend: Vec<Template>,
}

impl VariantRule {
    /// Whether a directory is meant.
    pub fn means(&self, directory: &RepoPath) -> bool {
        let means = |pattern: &PathPattern| {
            pattern.matches(directory) || (directory.is_root() && matches!(pattern.as_str(), "." | "**"))
        };
        self.directories.iter().any(means)
    }

    /// The words in braces, of all its parts.
    pub(super) fn words(&self) -> BTreeSet<&str> {
        self.parts().flat_map(Template::words).collect()
    }

    fn parts(&self) -> impl Iterator<Item = &Template> {
        self.workspace.iter().chain(&self.var_files).chain(&self.backend)
    }

    /// The paths of files, each with whether it is one of a variable file.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Template> {
        self.var_files.iter().chain(self.backend.iter().filter(|setting| !setting.is_setting()))
    }

    fn fault(&self) -> Option<String> {
        let words = self.words();
        let keeps_apart =
            self.workspace.iter().chain(&self.backend).any(|part| part.words().next().is_some());
        // Who reads other names is not told by the documentation of Terraform:
        // https://developer.hashicorp.com/terraform/language/values/variables#variable-definitions-tfvars-files
        let other = self.var_files.iter().find(|file| !file.ends_with(&[".tfvars", ".tfvars.json"]));
        if self.directories.is_empty() {
            Some("no directories are meant\n  help: write directories = [\"live/app\"]".to_owned())
        } else if let Some(other) = other {
            Some(format!(
                "\"{other}\" is no file of variables\n  help: it has to end in .tfvars or .tfvars.json"
            ))
        } else if words.is_empty() && self.names.is_empty() {
            None
        } else if !keeps_apart {
            Some(
                "these units would share one state\n  help: give each a workspace = \"{name}\", or a backend = [\"backends/{name}.hcl\"]"
                    .to_owned(),
            )
        } else if !self.names.is_empty() && words.iter().any(|word| *word != "name") {
            Some(
                "`names` gives the values of {name} only\n  help: leave names out, or the other words"
                    .to_owned(),
            )
        } else if self.names.is_empty()
            && !self.paths().any(|path| path.words().collect::<BTreeSet<_>>() == words)
        {
            let words: Vec<String> = words.iter().map(|word| format!("{{{word}}}")).collect();
            Some(format!(
                "no path of a file has {} in it, so nothing tells which there are\n  help: write names = [\"dev\", \"prod\"]",
                words.join(" and ")
            ))
        } else {
            None
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    directories: Vec<PathPattern>,
    #[serde(default)]
    names: Vec<String>,
    workspace: Option<Template>,
    #[serde(default)]
    var_files: Vec<Template>,
    #[serde(default)]
    backend: Vec<Template>,
}

// By a visitor of its own, so that a fault names the place of the rule, not of the list.
impl<'de> Deserialize<'de> for VariantRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rule;
        impl<'de> Visitor<'de> for Rule {
            type Value = VariantRule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("units of a directory: { directories = […], workspace = \"{name}\", … }")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<VariantRule, A::Error> {
                let Written { directories, names, workspace, var_files, backend } =
                    Written::deserialize(MapAccessDeserializer::new(map))?;
                let rule = VariantRule { directories, names, workspace, var_files, backend };
                rule.fault().map_or(Ok(rule), |why| Err(de::Error::custom(why)))
            }
        }
        deserializer.deserialize_map(Rule)
    }
}
