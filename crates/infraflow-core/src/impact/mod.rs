//! What a change set touches: a change set and the catalogs of both ends to an [`Impact`].
//!
//! ```json
//! {"kind": "impact", "schema_version": 1, "digest": "sha256:…",
//!  "base": "1f0c…", "head": "77ab…", "merge_base": "1f0c…",
//!  "changes": [{"path": "modules/network/main.tf", "kind": "modified"}],
//!  "modules": [{"path": "modules/network", "dialect": "terraform",
//!    "reasons": [{"rule": "contains", "text": "modules/network/main.tf was modified",
//!      "chain": [{"path": "modules/network/main.tf", "start": 0, "end": 0, "line": 1, "column": 1,
//!                 "reference": "modified"}]}]}],
//!  "units": [{"id": "live/dev", "path": "live/dev", "dialect": "terraform", "environment": "dev",
//!    "reasons": [{"rule": "module_call", "text": "…", "chain": ["…"]}]}],
//!  "cases": [], "removed_modules": [], "removed_units": [], "dependents": [], "unparsable": [],
//!  "warnings": []}
//! ```

mod document;

pub use document::{AffectedCase, AffectedModule, AffectedUnit, Impact};
