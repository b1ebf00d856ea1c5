use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::CaseId,
    proof::{Digest, Document, RunId, Timestamp},
};

/// One run of one test case that came to a result.
///
/// ```json
/// {"case": "modules/network/examples/basic", "run": "nightly-118", "outcome": "passed", "seconds": 612,
///  "at": "2026-01-31T02:10:44Z", "content": "sha256:…"}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RecordedRun {
    /// The case.
    pub case: CaseId,
    /// The run it belonged to.
    pub run: RunId,
    /// What came of it.
    pub outcome: RunOutcome,
    /// How long it took, destroying included.
    pub seconds: u64,
    /// When it ended.
    pub at: Timestamp,
    /// The digest of everything it was made of, where that is known: see [`Contents`](super::Contents).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Digest>,
}

impl RecordedRun {
    /// A run of a case, of content that is not known.
    pub fn new(case: CaseId, run: RunId, outcome: RunOutcome, seconds: u64, at: Timestamp) -> Self {
        Self { case, run, outcome, seconds, at, content: None }
    }

    /// The same, of this content.
    #[must_use]
    pub fn of_content(mut self, content: Digest) -> Self {
        self.content = Some(content);
        self
    }
}

/// What came of a run of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunOutcome {
    /// Every check held, and nothing is left of it.
    Passed,
    /// A check did not hold, or something is left in the sandbox.
    Failed,
    /// Its time was up.
    TimedOut,
    /// It could not be done, for a reason that is not the module's: this says nothing about the case.
    Error,
}

impl RunOutcome {
    /// Whether the case was found wanting.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut)
    }
}

/// Runs of test cases, as one process recorded them.
///
/// ```json
/// {"kind": "test_runs", "schema_version": 1, "digest": "sha256:…",
///  "runs": [{"case": "modules/network/examples/basic", "run": "nightly-118", "outcome": "passed",
///            "seconds": 612, "at": "2026-01-31T02:10:44Z", "content": "sha256:…"}]}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TestRuns {
    /// The runs, sorted by case.
    pub runs: Vec<RecordedRun>,
}

impl Document for TestRuns {
    const KIND: &'static str = "test_runs";
    const SCHEMA_VERSION: u32 = 1;
}
