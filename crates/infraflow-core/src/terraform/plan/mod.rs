//! The JSON of a plan, as `terraform show -json PLANFILE` and `tofu show -json PLANFILE` write it, in
//! types that keep what they do not know.
//!
//! Every release adds members, so each type here has a field `other` with those that this build has no
//! name for, and writes them back. Values that belong to providers stay [`Foreign`]: their own text, so that
//! a number keeps its digits. `Debug` never shows a value, since `show -json` prints secrets in clear.
//!
//! ```
//! use infraflow_core::terraform::plan::{Plan, Replacement};
//! let plan = Plan::parse(br#"{
//!   "format_version": "1.2", "terraform_version": "1.11.4", "added_later": [1],
//!   "resource_changes": [{"address": "terraform_data.a", "mode": "managed", "type": "terraform_data",
//!     "name": "a", "change": {"actions": ["delete", "create"], "before": {"input": 1}, "after": {"input": 2},
//!                             "after_unknown": {"id": true}}}]}"#)?;
//! assert_eq!(plan.counts().replace, 1);
//! assert_eq!(plan.resource_changes[0].change.actions.replacement(), Some(Replacement::DeleteFirst));
//! assert_eq!(plan.other["added_later"].text(), "[1]");
//! # Ok::<(), infraflow_core::terraform::TerraformError>(())
//! ```

mod action;
mod attribute;
mod change;
mod counts;
mod difference;
mod document;
mod foreign;
mod open;
mod sensitive;
mod summary;

pub use action::{Action, Actions, Replacement};
pub use attribute::{AttributePath, Step};
pub use change::{Change, DeferredChange, Importing, ResourceChange, ResourceMode};
pub use counts::Counts;
pub use document::{Plan, PlanVariable};
pub(crate) use foreign::DEPTH;
pub use foreign::{Foreign, Members, Shape};
pub use sensitive::SensitiveValue;
pub use summary::{ChangeSummary, Drift, OutputSummary, PlanSummary};
