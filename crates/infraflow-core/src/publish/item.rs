use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the things that are published for a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ItemName {
    /// Everything that the tool wrote; sealed.
    Log,
    /// The saved plan, which `deploy` applies; sealed.
    PlanFile,
    /// The plan as JSON, with every value; sealed.
    PlanJson,
    /// The summary for a terminal, without secrets; in clear.
    SummaryText,
    /// The summary in Markdown, without secrets; in clear.
    SummaryMarkdown,
}

impl ItemName {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Log, Self::PlanFile, Self::PlanJson, Self::SummaryText, Self::SummaryMarkdown];

    /// The name in a manifest and in keys of the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::PlanFile => "plan_file",
            Self::PlanJson => "plan_json",
            Self::SummaryText => "summary_text",
            Self::SummaryMarkdown => "summary_markdown",
        }
    }

    /// Reads a name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.as_str() == text)
    }

    /// Whether it holds secrets, so that it leaves the machine sealed only.
    pub fn is_sealed(self) -> bool {
        matches!(self, Self::Log | Self::PlanFile | Self::PlanJson)
    }
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
