use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stage of the road, by the name of the folder that does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs)] // each is named after its folder, whose documentation says what it does
pub enum Stage {
    Git,
    Detect,
    Catalog,
    Impact,
    Select,
    Sandbox,
    Release,
    Bump,
    DryRun,
    Redact,
    Seal,
    Publish,
    Approve,
    Deploy,
    Verify,
    Pipeline,
}

/// One thing that happened, to one subject, in one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Where it happened.
    pub stage: Stage,
    /// To what: a unit, a test case, a tag.
    pub subject: String,
    /// What happened.
    pub happening: Happening,
}

/// What happened. None of these carries the output of a tool, which may hold secrets: that goes through
/// the redactor into a sealed log, and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Happening {
    /// It began.
    Started,
    /// So much of it is done; `total` is `None` where nobody knows.
    Progress {
        /// Parts done.
        done: u64,
        /// Parts in all.
        total: Option<u64>,
    },
    /// A sentence for people, without secrets.
    Note(String),
    /// Something that is no failure and needs attention, without secrets.
    Warning(String),
    /// It ended.
    Finished(Outcome),
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It did what it should.
    Done,
    /// There was nothing to do.
    Nothing,
    /// The answer is no: a test failed, a plan was refused.
    Refused,
    /// It could not be done.
    Failed,
    /// It was cancelled.
    Cancelled,
}
