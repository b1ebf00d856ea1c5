use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::{DialectName, UnitId},
    git::Revision,
    policy::EnvironmentName,
    proof::{Document, Reason, RepoPath},
};

/// Which units are to be dry-run, at which revision, and why.
///
/// ```json
/// {"kind": "dry_run_plan", "schema_version": 1, "digest": "sha256:…",
///  "revision": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
///  "units": [{"id": "dev/cluster", "path": "dev/cluster", "dialect": "terraform", "environment": "dev",
///             "reads": ["policies/nodes.json"], "others": [],
///             "reasons": [{"rule": "contains", "text": "dev/cluster/main.tf changed", "chain": []}]}],
///  "skipped": []}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DryRunPlan {
    /// The revision whose files are planned.
    pub revision: Revision,
    /// The units, sorted by id.
    pub units: Vec<PlannedUnit>,
    /// Units that were asked for, or affected, and can't be dry-run.
    pub skipped: Vec<SkippedUnit>,
}

impl Document for DryRunPlan {
    const KIND: &'static str = "dry_run_plan";
    const SCHEMA_VERSION: u32 = 1;
}

/// A unit that is to be dry-run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedUnit {
    /// The unit.
    pub id: UnitId,
    /// Its directory.
    pub path: RepoPath,
    /// Who reads it.
    pub dialect: DialectName,
    /// Its environment, by trunk's policy: whose credentials it gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// Files and directories elsewhere in the repository that its configuration is known to read; they are
    /// part of its fingerprint.
    #[serde(default)]
    pub reads: Vec<RepoPath>,
    /// The directories of units below its own, which are no part of it.
    #[serde(default)]
    pub others: Vec<RepoPath>,
    /// Why it is dry-run.
    pub reasons: Vec<Reason>,
}

/// A unit that is not dry-run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SkippedUnit {
    /// The unit.
    pub id: UnitId,
    /// Why not.
    pub reasons: Vec<Reason>,
}

impl PlannedUnit {
    /// A unit that is a directory of the given dialect, without an environment.
    pub fn new(id: UnitId, dialect: DialectName, reasons: Vec<Reason>) -> Self {
        let path = id.path().clone();
        Self { id, path, dialect, environment: None, reads: Vec::new(), others: Vec::new(), reasons }
    }
}
