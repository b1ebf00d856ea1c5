//! Byte-exact edits of references, promotion, and the first-time scaffold.
//!
//! ```text
//! ReleasePlan, or what the environment before carries ─► BumpTargets ┐
//! live: Tree + Catalog ──────────────────────────────────────────────┴─► plan ─► BumpPlan ─► execute ─► a branch
//! ```
//! A [`BumpTarget`] is a module and the version that its callers should have. A [`RefBumper`] finds the
//! references to it in a live repository and says, as a [`BumpPlan`], which bytes of which file would become
//! what, and of each reference that stays, why. Nothing is reprinted: every byte that is not the reference
//! stays as it was. Carrying the plan out makes one commit on a branch.
//!
//! ```json
//! {"kind": "bump_plan", "schema_version": 1, "digest": "sha256:…",
//!  "edits": [{"path": "dev/network/main.tf", "blob": "…", "start": 212, "end": 226,
//!             "before": "network/v1.0.0", "after": "network/v1.1.0", "module": "modules/network",
//!             "unit": "dev/network", "environment": "dev", "from": "network/v1.0.0", "to": "network/v1.1.0"}],
//!  "skipped": [{"path": "dev/cluster/main.tf", "reasons": [{"rule": "newer", "text": "…", "chain": []}]}]}
//! ```
//!
//! # What is a reference, and what is left alone
//! A reference is a module call with a constant source whose package and subdirectory are the target's, however
//! they are written. Its version is the `ref` of a git source, the `tag` of an image, the `version` in `tfr://`
//! or beside a registry source, or the local that holds it and nothing else. These stay, each with its reason:
//! one that pins nothing (`unpinned`), one that pins a branch or anything else that is no version and no commit
//! (`not_a_version`), one that is at the target (`current`) or beyond it (`newer`), one at tags of another kind
//! (`other_tags`) or at another version than was asked for (`other_version`), a constraint that allows the target
//! already (`allowed`) or excludes it on purpose (`constraint`), one whose version is computed (`computed`), one
//! that cannot be edited in part (`escaped`, `linked`), one of another environment (`other_environment`), and of a
//! promotion one that the environment before has at several versions (`several_versions`). Files that cannot be
//! read, and sources that are none, are named too (`unparsable`, `bad_source`).

mod apply;
mod bumper;
mod call;
mod constraint;
mod error;
mod judge;
mod local;
mod plan;
mod request;
mod scaffold;
mod spelling;
mod target;
mod terraform_bumper;
mod terragrunt;
mod tool_version;

pub use bumper::{BumpCommit, Bumped, RefBumper};
pub use constraint::RangeStrategy;
pub use error::BumpError;
pub use plan::{BumpEdit, BumpPlan, SkippedReference};
pub use request::BumpRequest;
pub use scaffold::Scaffold;
pub use target::{BumpTarget, Directories, Unpinned};
pub use terraform_bumper::TerraformBumper;
