use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ApprovalStatement;
use crate::proof::Signed;

/// Something that may count as a person's approval. Nothing in it is trusted before it is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Where it was found: a key of the store, the address of a review.
    pub source: String,
    /// What was found.
    pub testimony: Testimony,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Testimony {
    /// A statement with an SSH signature.
    Signature(Signed<ApprovalStatement>),
    /// Something that cannot be read, and why. It counts for nothing, and is reported.
    Unreadable(String),
    /// What another [`super::Approver`] understands, for example a review on a forge. No other counts it.
    Other(serde_json::Value),
}
