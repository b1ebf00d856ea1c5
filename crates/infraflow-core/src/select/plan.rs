use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::{CaseId, CaseKind},
    proof::{Document, Reason, RepoPath},
};

/// Which test cases run, which do not, and how they are dealt out to machines.
///
/// ```json
/// {"kind": "test_plan", "schema_version": 1, "digest": "sha256:…",
///  "cases": [{"id": "modules/network/examples/basic", "module": "modules/network",
///             "path": "modules/network/examples/basic", "kind": "example", "reasons": [{"rule": "…"}]}],
///  "skipped": [{"id": "modules/dns/examples/basic", "reasons": [{"rule": "not_affected"}]}],
///  "shards": [{"cases": ["modules/network/examples/basic"], "estimate_seconds": 600}]}
/// ```
///
/// The digest leaves the shards out: they follow from recorded durations, which are guesses about time
/// and no decision about what is tested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TestPlan {
    /// What runs, sorted by id.
    pub cases: Vec<PlannedCase>,
    /// What does not run, sorted by id.
    pub skipped: Vec<SkippedCase>,
    /// The cases dealt out to machines; each case is in one shard, in the order in which it runs there.
    pub shards: Vec<Shard>,
}

impl Document for TestPlan {
    const KIND: &'static str = "test_plan";
    const SCHEMA_VERSION: u32 = 1;
    const UNDIGESTED: &'static [&'static str] = &["shards"];
}

/// A case that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PlannedCase {
    /// What tells it from other cases.
    pub id: CaseId,
    /// The directory of the module it tests.
    pub module: RepoPath,
    /// The example's directory, or the test file.
    pub path: RepoPath,
    /// How it is run.
    pub kind: CaseKind,
    /// Why it runs.
    pub reasons: Vec<Reason>,
}

/// A case that does not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SkippedCase {
    /// What tells it from other cases.
    pub id: CaseId,
    /// Why it does not run.
    pub reasons: Vec<Reason>,
}

/// The cases of one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Shard {
    /// The cases in the order in which they run.
    pub cases: Vec<CaseId>,
    /// How long they took together when they last ran; one that never ran is taken for
    /// [`Sharding::unknown_seconds`](super::Sharding::unknown_seconds).
    pub estimate_seconds: u64,
}
