use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::UnitId,
    git::BlobId,
    policy::EnvironmentName,
    proof::{Document, Reason, RepoPath},
};

/// Which bytes of which files would become what, and which references stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BumpPlan {
    /// The edits, sorted by path and place.
    pub edits: Vec<BumpEdit>,
    /// References that stay as they are, sorted by path.
    pub skipped: Vec<SkippedReference>,
}

impl Document for BumpPlan {
    const KIND: &'static str = "bump_plan";
    const SCHEMA_VERSION: u32 = 1;
}

/// One replacement of bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct BumpEdit {
    /// The file.
    pub path: RepoPath,
    /// Its blob, which the edit was made for; left out where the file does not exist yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobId>,
    /// The first byte that goes.
    pub start: usize,
    /// One past the last byte that goes.
    pub end: usize,
    /// What stands there; empty for a new file.
    pub before: String,
    /// What stands there afterwards.
    pub after: String,
    /// The module, by its directory in its package, or its registry address.
    pub module: String,
    /// The unit whose reference it is; left out where it stands in a module of the live repository, or in a
    /// directory that several units share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// The unit's environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// The version before; left out for a first deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The version afterwards.
    pub to: String,
}

/// A reference that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SkippedReference {
    /// The file it stands in.
    pub path: RepoPath,
    /// Why it stays; the chain leads to it.
    pub reasons: Vec<Reason>,
}
