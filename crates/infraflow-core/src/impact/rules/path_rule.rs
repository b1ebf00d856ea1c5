use std::fmt;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{catalog::DialectName, policy::PathPattern};

/// What follows from a changed path, by [the table](crate::impact::rules).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PathRule {
    /// The changed paths it speaks of; never empty.
    pub paths: Vec<PathPattern>,
    /// What follows.
    #[serde(rename = "do")]
    pub action: RuleAction,
    /// With `part_of`: the directories of the modules, units and cases; `None` for the nearest above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Vec<PathPattern>>,
    /// With `everything`: only these units, by directory or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<Vec<PathPattern>>,
    /// With `everything`: only these modules, by directory, and their test cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules: Option<Vec<PathPattern>>,
    /// With `everything`: only what these dialects read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialects: Option<Vec<DialectName>>,
    /// How it goes on.
    pub then: Then,
    /// Why the rule is there, for the reasons of what it touches.
    pub reason: String,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "action")]
#[non_exhaustive]
pub enum RuleAction {
    /// Only what states the file counts.
    Ignore,
    /// Nothing counts.
    IgnoreAlways,
    /// Everything is touched, or what the rule names.
    Everything,
    /// The file is configuration of what the rule names.
    PartOf,
    /// What refers to the file counts as ever, and the impact warns.
    Warn,
}

impl RuleAction {
    /// The word for it, also as the rule's name in reasons.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::IgnoreAlways => "ignore_always",
            Self::Everything => "everything",
            Self::PartOf => "part_of",
            Self::Warn => "warn",
        }
    }
}

/// How it goes on after a rule.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case", rename = "way to go on")]
#[non_exhaustive]
pub enum Then {
    /// No further rule is looked at; what refers to the file counts as ever.
    #[default]
    References,
    /// The rules that follow are looked at.
    GoOn,
    /// Nothing else counts.
    Stop,
}

impl PathRule {
    /// A rule. A text that is no pattern, and a key that does not go with the action, are refused when the
    /// rule is taken into [`Rules`](super::Rules).
    pub fn new(
        paths: impl IntoIterator<Item = PathPattern>,
        action: RuleAction,
        reason: impl Into<String>,
    ) -> Self {
        let then = match action {
            RuleAction::Ignore | RuleAction::IgnoreAlways => Then::Stop,
            _ => Then::References,
        };
        let paths = paths.into_iter().collect();
        let reason = reason.into();
        Self { paths, action, of: None, units: None, modules: None, dialects: None, then, reason }
    }

    /// The same for what stands in the directories that these patterns mean.
    #[must_use]
    pub fn with_of(mut self, directories: impl IntoIterator<Item = PathPattern>) -> Self {
        self.of.get_or_insert_default().extend(directories);
        self
    }

    /// The same for these units only.
    #[must_use]
    pub fn with_units(mut self, units: impl IntoIterator<Item = PathPattern>) -> Self {
        self.units.get_or_insert_default().extend(units);
        self
    }

    /// The same for these modules only.
    #[must_use]
    pub fn with_modules(mut self, modules: impl IntoIterator<Item = PathPattern>) -> Self {
        self.modules.get_or_insert_default().extend(modules);
        self
    }

    /// The same, going on in another way.
    #[must_use]
    pub fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    /// What does not go together.
    pub(super) fn fault(&self) -> Option<String> {
        let ignores = matches!(self.action, RuleAction::Ignore | RuleAction::IgnoreAlways);
        let narrows = self.units.is_some() || self.modules.is_some() || self.dialects.is_some();
        let word = self.action.as_str();
        if self.paths.is_empty() {
            Some("a rule without paths holds for nothing\n  help: write paths = [\"dir/**\"]".to_owned())
        } else if self.reason.trim().is_empty() {
            Some(
                "a rule without a reason leaves people guessing\n  help: say in reason why it is there"
                    .to_owned(),
            )
        } else if self.of.is_some() && self.action != RuleAction::PartOf {
            Some(format!("`of` does not go with do = \"{word}\"\n  help: it goes with do = \"part_of\""))
        } else if narrows && self.action != RuleAction::Everything {
            Some(format!(
                "`units`, `modules` and `dialects` do not go with do = \"{word}\"\n  help: they go with do = \"everything\""
            ))
        } else if ignores && self.then != Then::Stop {
            Some(format!(
                "`then` does not go with do = \"{word}\"\n  help: leave it out; a file that is ignored is ignored"
            ))
        } else {
            None
        }
    }
}

/// The rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    paths: Vec<PathPattern>,
    #[serde(rename = "do")]
    action: RuleAction,
    of: Option<Vec<PathPattern>>,
    units: Option<Vec<PathPattern>>,
    modules: Option<Vec<PathPattern>>,
    dialects: Option<Vec<DialectName>>,
    then: Option<Then>,
    reason: String,
}

impl From<Written> for PathRule {
    fn from(written: Written) -> Self {
        let Written { paths, action, of, units, modules, dialects, then, reason } = written;
        let plain = Self::new(paths, action, reason);
        let then = then.unwrap_or(plain.then);
        Self { of, units, modules, dialects, then, ..plain }
    }
}

// By a visitor of its own, so that a fault names the place of the rule, not of the list.
impl<'de> Deserialize<'de> for PathRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rule;
        impl<'de> Visitor<'de> for Rule {
            type Value = PathRule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rule: { paths = […], do = \"…\", reason = \"…\" }")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PathRule, A::Error> {
                let rule = PathRule::from(Written::deserialize(MapAccessDeserializer::new(map))?);
                rule.fault().map_or(Ok(rule), |why| Err(de::Error::custom(why)))
            }
        }
        deserializer.deserialize_map(Rule)
    }
}
