use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::UnitId,
    git::CommitId,
    proof::{Digest, Document, Reason, RunId},
    terraform::StateVersion,
};

/// What came of a deployment.
///
/// ```json
/// {"kind": "deployment", "schema_version": 1, "digest": "sha256:…", "run": "run-1", "plan": "sha256:…",
///  "units": [{"id": "prod/database", "outcome": "applied", "state": {"lineage": "…", "serial": 4},
///             "in_flight": [], "remaining": [], "seconds": 0.4, "reasons": []}]}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Deployment {
    /// The run that deployed.
    pub run: RunId,
    /// The digest of the deployment plan.
    pub plan: Digest,
    /// The units, in the plan's order.
    pub units: Vec<DeployedUnit>,
}

impl Document for Deployment {
    const KIND: &'static str = "deployment";
    const SCHEMA_VERSION: u32 = 1;
    const UNDIGESTED: &'static [&'static str] = &["units/*/seconds"];
}

impl Deployment {
    /// Whether every unit is applied.
    pub fn is_done(&self) -> bool {
        self.units.iter().all(|unit| unit.outcome == DeployOutcome::Applied)
    }

    /// Whether it is not done, and something was applied all the same, be it part of a unit.
    pub fn is_partial(&self) -> bool {
        let untouched = [DeployOutcome::NotStarted, DeployOutcome::Refused];
        !self.is_done() && self.units.iter().any(|unit| !untouched.contains(&unit.outcome))
    }

    /// The unit of that id.
    pub fn unit(&self, id: &UnitId) -> Option<&DeployedUnit> {
        self.units.iter().find(|unit| unit.id == *id)
    }
}

/// What came of one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DeployedUnit {
    /// The unit.
    pub id: UnitId,
    /// How it came out.
    pub outcome: DeployOutcome,
    /// Its state afterwards, as far as it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateVersion>,
    /// The addresses that something was being done to when an apply was cut off: they may exist in the world
    /// and in no state. A person has to look.
    pub in_flight: Vec<String>,
    /// The addresses to which something still would have to be done.
    pub remaining: Vec<String>,
    /// How long it took; not digested.
    pub seconds: f64,
    /// Why it came out like that; without secrets.
    pub reasons: Vec<Reason>,
    /// What the tools wrote, on this machine. It holds secrets, and is no part of the document.
    #[serde(skip)]
    pub log: Option<PathBuf>,
}

/// How the deployment of a unit came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeployOutcome {
    /// What was approved stands, by this call or an earlier one of the same run.
    Applied,
    /// It was not begun, because one before it was not applied.
    NotStarted,
    /// Its facts no longer hold: nothing of it was applied.
    Refused,
    /// The tool failed. The same run may try again: what is missing is then planned anew.
    Failed,
    /// An apply was cut off, and what it left can't be finished without a person: see `in_flight`,
    /// `remaining` and `reasons`.
    NeedsPerson,
}

impl DeployedUnit {
    pub(super) fn new(id: UnitId, outcome: DeployOutcome) -> Self {
        Self {
            id,
            outcome,
            state: None,
            in_flight: Vec::new(),
            remaining: Vec::new(),
            seconds: 0.0,
            reasons: Vec::new(),
            log: None,
        }
    }

    pub(super) fn because(mut self, rule: &str, text: impl Into<String>) -> Self {
        self.reasons.push(Reason::new(rule, text));
        self
    }
}

/// Whether what was deployed is true: planned again, nothing is to be done.
///
/// ```json
/// {"kind": "verification", "schema_version": 1, "digest": "sha256:…",
///  "commit": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
///  "units": [{"id": "prod/database", "holds": true, "reasons": []}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Verification {
    /// The commit that was planned again.
    pub commit: CommitId,
    /// The units, in the deployment's order.
    pub units: Vec<VerifiedUnit>,
}

impl Document for Verification {
    const KIND: &'static str = "verification";
    const SCHEMA_VERSION: u32 = 1;
}

impl Verification {
    /// Whether every unit is as trunk says.
    pub fn holds(&self) -> bool {
        self.units.iter().all(|unit| unit.holds)
    }
}

/// Whether one unit is as trunk says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedUnit {
    /// The unit.
    pub id: UnitId,
    /// Whether planning it again finds nothing to do.
    pub holds: bool,
    /// Why not.
    pub reasons: Vec<Reason>,
}
