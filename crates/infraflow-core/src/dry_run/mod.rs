//! What applying would do, and drift.
//!
//! ```text
//! Catalog + Scope + Policy ─► plan ─► DryRunPlan ─► observe ─► DryRunOutcome: DryRun, and files in a private folder
//! ```
//! A [`DryRunner`] says which units are to be dry-run, at which revision and why, as a [`DryRunPlan`], and does it:
//! [`TerraformDryRunner`] on an export of that revision in a private folder. A [`DryRun`] says, unit by unit, what the tool would do: without
//! any value, so that it can be shown, signed and sent to other machines. What holds values (logs, saved plans, plan
//! JSON) stays in the private folder, listed by [`UnitArtefacts`], and is removed with the [`DryRunOutcome`].
//! [`check_drift`] asks the same of all units of trunk, where the answer should be "no changes" everywhere.

mod artefacts;
mod context;
mod declared;
mod document;
mod drift;
mod error;
mod fault;
mod local_state;
mod log_file;
mod plan;
mod planning;
mod runner;
mod terraform_runner;
mod unit_run;

pub use artefacts::{DryRunOutcome, PrivateFolder, UnitArtefacts};
pub use context::DryRunContext;
pub use document::{DryRun, UnitDryRun, UnitOutcome};
pub use drift::{Disagreement, DriftReport, SeenIn, UnitDrift, check_drift};
pub use error::DryRunError;
pub use plan::{DryRunPlan, PlannedUnit, SkippedUnit};
pub use runner::{DryRunner, Scope};
pub use terraform_runner::TerraformDryRunner;
