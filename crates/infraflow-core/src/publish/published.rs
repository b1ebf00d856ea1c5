use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ItemName;
use crate::{
    catalog::UnitId,
    dry_run::DryRun,
    proof::{Digest, Document},
    redact::RedactionReport,
    seal::KeyId,
    store::Key,
};

/// What was published of a dry run. It holds no secret, and can be posted as it is.
///
/// ```json
/// {"kind": "published", "schema_version": 1, "digest": "sha256:…", "dry_run": "sha256:…",
///  "units": [{"unit": "prod/database", "plan": "sha256:…", "manifest": "sealed/…/manifest",
///             "items": {"log": {"object": "sealed/…/items/log/9f3c…", "digest": "sha256:9f3c…",
///                               "length": 1380, "key": "8f1c0a9b3d2e4f56"}}}],
///  "text": "dry run of 4b825dc642cb: 1 of 1 units would change\n…", "markdown": "### Dry run …",
///  "redaction": {"redacted": [], "left_alone": []}}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Published {
    /// The digest of the dry run.
    pub dry_run: Digest,
    /// The units, in the dry run's order.
    pub units: Vec<UnitPublished>,
    /// The summary for a terminal.
    pub text: String,
    /// The summary in Markdown, for a comment on a change request.
    pub markdown: String,
    /// What was taken out of the summary: usually nothing, since it is made without values.
    pub redaction: RedactionReport,
}

impl Document for Published {
    const KIND: &'static str = "published";
    const SCHEMA_VERSION: u32 = 1;
    // Sealing the same log twice gives other bytes.
    const UNDIGESTED: &'static [&'static str] = &["units/*/manifest", "units/*/items", "text", "markdown"];
}

/// What was published of one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnitPublished {
    /// The unit.
    pub unit: UnitId,
    /// The digest of its plan.
    pub plan: Digest,
    /// The key of the signed manifest, by which the rest is found and opened.
    pub manifest: Key,
    /// What was published.
    pub items: BTreeMap<ItemName, PublishedItem>,
}

/// One thing that was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedItem {
    /// Where it stands.
    pub object: Key,
    /// The digest of its bytes as they stand there.
    pub digest: Digest,
    /// How many bytes stand there.
    pub length: u64,
    /// The key that opens it; left out where it stands in clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
}

impl Published {
    /// What was published of a unit.
    pub fn unit(&self, id: &UnitId) -> Option<&UnitPublished> {
        self.units.iter().find(|unit| unit.unit == *id)
    }

    /// The dry run with the places of its sealed logs, which change no digest.
    #[must_use]
    pub fn with_logs(&self, mut dry_run: DryRun) -> DryRun {
        for unit in &mut dry_run.units {
            unit.sealed_log = self.unit(&unit.id).map(|published| published.manifest.to_string());
        }
        dry_run
    }
}
