use std::collections::BTreeMap;

use serde::Deserialize;

use super::{InterfaceError, Severity};
use crate::policy::Section;

const RULES: &str = include_str!("rules.toml");

/// What each kind of difference means, and why: `rules.toml`, with what a repository sets over it.
#[derive(Clone, Debug)]
pub struct InterfaceRules(BTreeMap<String, InterfaceRule>);

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceRule {
    /// What a difference of this kind means to callers.
    pub severity: Severity,
    /// Whether those who call a caller notice too.
    #[serde(default)]
    pub through: bool,
    /// The fact behind it.
    pub why: String,
}

/// The section `[interface]` of the configuration: severities by the names of rules.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceSection {
    /// Severities that differ from the crate's.
    pub severity: BTreeMap<String, Severity>,
}

impl Section for InterfaceSection {
    const NAME: &'static str = "interface";
}

impl InterfaceRules {
    /// The rules of this crate.
    pub fn defaults() -> Self {
        // The file is part of this crate, and a test reads it.
        #[allow(clippy::expect_used)]
        Self(toml::from_str(RULES).expect("the crate's rules are TOML"))
    }

    /// The crate's rules with a repository's severities over them.
    ///
    /// # Errors
    /// [`InterfaceError::UnknownRule`] for a rule that there is not.
    pub fn of(section: &InterfaceSection) -> Result<Self, InterfaceError> {
        let mut rules = Self::defaults();
        for (name, severity) in &section.severity {
            let Some(rule) = rules.0.get_mut(name) else {
                let known = rules.0.keys();
                let nearest = known.min_by_key(|known| strsim::damerau_levenshtein(name, known));
                return Err(InterfaceError::UnknownRule {
                    rule: name.clone(),
                    help: format!("did you mean {:?}?", nearest.map_or("", String::as_str)),
                });
            };
            rule.severity = *severity;
        }
        Ok(rules)
    }

    /// A rule by its name.
    pub fn get(&self, name: &str) -> Option<&InterfaceRule> {
        self.0.get(name)
    }

    /// All rules, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &InterfaceRule)> {
        self.0.iter().map(|(name, rule)| (name.as_str(), rule))
    }

    pub(super) fn severity(&self, name: &str) -> Severity {
        self.0.get(name).map_or(Severity::Risk, |rule| rule.severity)
    }
}

impl Default for InterfaceRules {
    fn default() -> Self {
        Self::defaults()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_sets_severities_and_a_misspelt_rule_is_named() {
        let section = |name: &str| InterfaceSection {
            severity: BTreeMap::from([(name.to_owned(), Severity::Breaking)]),
        };
        let rules = InterfaceRules::of(&section("default_changed")).unwrap();
        assert_eq!(rules.severity("default_changed"), Severity::Breaking);
        let error = InterfaceRules::of(&section("default_change")).unwrap_err().to_string();
        assert!(error.contains("did you mean \"default_changed\"?"), "{error}");
    }

    #[test]
    fn the_section_stands_in_the_defaults() {
        let section: InterfaceSection = crate::policy::Configuration::defaults().section().unwrap();
        assert!(section.severity.is_empty());
    }

    #[test]
    fn every_rule_that_the_code_names_stands_in_the_file() {
        let rules = InterfaceRules::defaults();
        let sources = [
            include_str!("variables.rs"),
            include_str!("outputs.rs"),
            include_str!("requirements.rs"),
            include_str!("addresses.rs"),
        ];
        let named: std::collections::BTreeSet<&str> = sources
            .iter()
            .flat_map(|text| text.split("rule!(\"").skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let known: std::collections::BTreeSet<&str> = rules.iter().map(|(name, _)| name).collect();
        assert_eq!(named, known);
    }
}
