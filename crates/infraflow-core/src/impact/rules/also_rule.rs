use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{policy::PathPattern, proof::RepoPath};

/// Units and modules that depend also on something that no file of theirs says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AlsoRule {
    /// Who depends: units, by directory or id.
    pub units: Vec<PathPattern>,
    /// Who depends: modules, by directory.
    pub modules: Vec<PathPattern>,
    /// On what: changed files, and affected modules and units by their directory.
    pub on: Vec<PathPattern>,
    /// Why, for the reasons of what it touches.
    pub reason: String,
}

impl AlsoRule {
    /// A rule for nobody yet, that something depends on what these patterns mean.
    pub fn on(on: impl IntoIterator<Item = PathPattern>, reason: impl Into<String>) -> Self {
        let on = on.into_iter().collect();
        Self { units: Vec::new(), modules: Vec::new(), on, reason: reason.into() }
    }

    /// The same for these units.
    #[must_use]
    pub fn with_units(mut self, units: impl IntoIterator<Item = PathPattern>) -> Self {
        self.units.extend(units);
        self
    }

    /// The same for these modules.
    #[must_use]
    pub fn with_modules(mut self, modules: impl IntoIterator<Item = PathPattern>) -> Self {
        self.modules.extend(modules);
        self
    }

    /// Whether a path is among what is depended on: a file, or the directory of a module or unit.
    pub fn is_on(&self, path: &RepoPath) -> bool {
        self.on.iter().any(|pattern| means(pattern, path))
    }

    pub(super) fn fault(&self) -> Option<String> {
        if self.on.is_empty() {
            Some("nothing is depended on\n  help: write on = [\"dir/**\"]".to_owned())
        } else if self.units.is_empty() && self.modules.is_empty() {
            Some(
                "nobody depends\n  help: write units = [\"live/**\"] or modules = [\"modules/x\"]".to_owned(),
            )
        } else if self.reason.trim().is_empty() {
            Some(
                "a rule without a reason leaves people guessing\n  help: say in reason why it is there"
                    .to_owned(),
            )
        } else {
            None
        }
    }
}

/// Whether a pattern means a directory; the root has no name that it could match, and is written `.`.
pub(super) fn means(pattern: &PathPattern, directory: &RepoPath) -> bool {
    pattern.matches(directory) || (directory.is_root() && matches!(pattern.as_str(), "." | "**"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    units: Vec<PathPattern>,
    #[serde(default)]
    modules: Vec<PathPattern>,
    on: Vec<PathPattern>,
    reason: String,
}

impl<'de> Deserialize<'de> for AlsoRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rule;
        impl<'de> Visitor<'de> for Rule {
            type Value = AlsoRule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a dependency: { units = […], on = […], reason = \"…\" }")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AlsoRule, A::Error> {
                let Written { units, modules, on, reason } =
                    Written::deserialize(MapAccessDeserializer::new(map))?;
                let rule = AlsoRule { units, modules, on, reason };
                rule.fault().map_or(Ok(rule), |why| Err(de::Error::custom(why)))
            }
        }
        deserializer.deserialize_map(Rule)
    }
}
