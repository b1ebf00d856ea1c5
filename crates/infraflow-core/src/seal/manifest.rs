use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::KeyId;
use crate::proof::{Digest, RunId, Statement};

/// What was sealed for one unit, and what it belongs to. Signed, it says who vouches for that.
///
/// The statement binds the *sealed* bytes, so that a forgery is found before anything is opened. It is
/// verifiable without infraflow: `jq -Scj .statement manifest.json | ssh-keygen -Y verify -f
/// allowed_signers -I WHO -n infraflow-manifest -s manifest.sig`, with `jq -r .signature manifest.json`
/// written to `manifest.sig`.
///
/// ```json
/// {"repository": "infrastructure-live", "unit": "prod/database",
///  "commit": "9f3c1d2e4b5a69788796a5b4c3d2e1f001122334",
///  "plan": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "run": "run-17",
///  "items": {"log": {"digest": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
///                    "length": 1380, "key": "8f1c0a9b3d2e4f56"}}}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The repository, as the pipeline names it.
    pub repository: String,
    /// The id of the unit.
    pub unit: String,
    /// The commit whose tree was planned.
    pub commit: String,
    /// The digest of the unit's plan.
    pub plan: Digest,
    /// The run that sealed it.
    pub run: RunId,
    /// What belongs to it, by name.
    pub items: BTreeMap<String, ManifestItem>,
}

/// One thing that belongs to a [`Manifest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestItem {
    /// The digest of its bytes as they are stored: sealed, where they are sealed.
    pub digest: Digest,
    /// How many bytes are stored.
    pub length: u64,
    /// The key that opens it; left out where it stands in clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
}

impl Statement for Manifest {
    const NAMESPACE: &'static str = "infraflow-manifest";
}
