use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::proof::Link;

/// What a difference means to those who call the module; the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A call that worked is refused, or its plan destroys something.
    Breaking,
    /// Some calls, or some plans, may come out differently.
    Risk,
    /// Callers can use something new.
    Addition,
    /// Nobody notices.
    Compatible,
}

impl Severity {
    /// The name that JSON has.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Risk => "risk",
            Self::Addition => "addition",
            Self::Compatible => "compatible",
        }
    }
}

/// One difference between two interfaces.
///
/// ```json
/// {"rule": "variable_removed", "severity": "breaking", "subject": "variable.azs",
///  "text": "the interface lost variable \"azs\"", "value_dependent": false,
///  "link": {"path": "modules/vpc/variables.tf", "start": 210, "end": 224, "line": 14, "column": 1,
///           "reference": "variable.azs"}}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct InterfaceChange {
    /// What it means to callers, by the rule.
    pub severity: Severity,
    /// The rule's name in `rules.toml`.
    pub rule: String,
    /// What changed: `variable.NAME`, `output.NAME`, `provider.NAME`, a resource's address, …
    pub subject: String,
    /// A sentence for people.
    pub text: String,
    /// Whether it depends on the values that a caller passes: `"3"` still converts to a number.
    pub value_dependent: bool,
    /// Where it stands: in the new files, or for what is gone in the old ones.
    pub link: Link,
}

impl fmt::Display for InterfaceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.text, self.link.path, self.link.line)
    }
}
