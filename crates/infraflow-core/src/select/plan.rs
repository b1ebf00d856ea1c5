use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Content, Contents, Day, closure::unproven};
use crate::{
    catalog::{CaseId, CaseKind},
    git::Revision,
    proof::{Digest, Document, Reason, RepoPath, RunId, Timestamp},
    terraform::ToolVersion,
};

/// Which test cases run, which do not, and how they are dealt out to machines.
///
/// ```json
/// {"kind": "test_plan", "schema_version": 1, "digest": "sha256:…",
///  "cases": [{"id": "modules/network/examples/basic", "module": "modules/network",
///             "path": "modules/network/examples/basic", "kind": "example", "content": "sha256:…",
///             "reasons": [{"rule": "test_of", "text": "…", "chain": ["…"]}]}],
///  "skipped": [{"id": "modules/dns/examples/basic",
///               "reasons": [{"rule": "green", "text": "run nightly-118 passed on 2026-01-31 with …", "chain": []}],
///               "proof": {"run": "nightly-118", "content": "sha256:…", "at": "2026-01-31T02:10:44Z"}},
///              {"id": "modules/iam/examples/basic", "reasons": [{"rule": "not_affected", "…": "…"}]}],
///  "shards": [{"cases": ["modules/network/examples/basic"], "estimate_seconds": 600}],
///  "contents_of": {"revision": "77ab…", "tool": "terraform 1.11.4"},
///  "budget": {"minutes": 30, "left_out": 0, "planned_seconds": 600, "left_out_seconds": 0},
///  "warnings": []}
/// ```
///
/// The digest leaves out the shards, the seconds of the budget and the warnings: they follow from recorded durations,
/// which are guesses about time and no decision about what is tested. What a budget leaves out is such a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TestPlan {
    /// What runs, sorted by id.
    pub cases: Vec<PlannedCase>,
    /// What does not run, sorted by id.
    pub skipped: Vec<SkippedCase>,
    /// The cases dealt out to machines; each case is in one shard, in the order in which it runs there.
    pub shards: Vec<Shard>,
    /// What the contents of the cases are those of, where they were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents_of: Option<ContentsOf>,
    /// What became of the budget, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetUse>,
    /// What a person should know about this plan, in sentences.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl Document for TestPlan {
    const KIND: &'static str = "test_plan";
    const SCHEMA_VERSION: u32 = 1;
    const UNDIGESTED: &'static [&'static str] =
        &["shards", "warnings", "budget/planned_seconds", "budget/left_out_seconds"];
}

impl TestPlan {
    /// The contents of the cases that run, as this plan carries them to whoever runs it.
    pub fn contents(&self) -> Option<Contents> {
        let of = self.contents_of.as_ref()?;
        let content = |case: &PlannedCase| match &case.content {
            Some(digest) => Content::Known(digest.clone()),
            None => Content::Unknown(unproven(format!("the plan has no content of {}", case.id), [])),
        };
        let cases: BTreeMap<CaseId, Content> =
            self.cases.iter().map(|case| (case.id.clone(), content(case))).collect();
        Some(Contents::told(of.revision, of.tool.clone(), cases))
    }

    /// The part of this plan that one of its shards has, which is one shard. The other cases are in neither list.
    #[must_use]
    pub fn of_shard(mut self, shard: &Shard) -> Self {
        self.cases.retain(|case| shard.cases.contains(&case.id));
        self.shards = vec![shard.clone()];
        self
    }
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
    /// The digest of everything that it is made of, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Digest>,
    /// Why its failure does not fail the report, where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantined>,
}

/// A case that does not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SkippedCase {
    /// What tells it from other cases.
    pub id: CaseId,
    /// Why it does not run.
    pub reasons: Vec<Reason>,
    /// The run that passed with the same content, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<GreenRun>,
}

/// A run that passed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct GreenRun {
    /// The run.
    pub run: RunId,
    /// The content it passed with.
    pub content: Digest,
    /// When it ended.
    pub at: Timestamp,
}

/// Why a failure of a case does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Quarantined {
    /// The last day on which it does not.
    pub until: Day,
    /// Why.
    pub reason: String,
    /// Who takes care of it.
    pub who: String,
}

/// The cases of one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Shard {
    /// The cases in the order in which they run.
    pub cases: Vec<CaseId>,
    /// How long they took together when they last ran, one after the other; one that never ran is taken for
    /// [`Sharding::unknown_seconds`](super::Sharding::unknown_seconds).
    pub estimate_seconds: u64,
}

/// What contents are those of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ContentsOf {
    /// The revision.
    pub revision: Revision,
    /// The tool and its version.
    #[schemars(with = "String")]
    pub tool: ToolVersion,
}

impl ContentsOf {
    pub(super) fn new(contents: &Contents) -> Self {
        Self { revision: *contents.revision(), tool: contents.tool().clone() }
    }
}

/// What became of a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct BudgetUse {
    /// How long each machine may work.
    pub minutes: u64,
    /// How many cases are left out; they are among `skipped`, under the rule `budget`.
    pub left_out: usize,
    /// How long the cases that run are taken for, all machines together.
    pub planned_seconds: u64,
    /// How long the cases that are left out are taken for.
    pub left_out_seconds: u64,
}
