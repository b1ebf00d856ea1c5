//! What applying would do, and drift.
//!
//! A [`DryRunPlan`] says which units are to be dry-run, at which revision and why. [`TerraformDryRunner`] does it, on an
//! export of that revision in a private folder. A [`DryRun`] says, unit by unit, what the tool would do: without
//! any value, so that it can be shown, signed and sent to other machines. What holds values (logs, saved plans, plan
//! JSON) stays in the private folder, listed by [`UnitArtefacts`], and is removed with the [`DryRunOutcome`].

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
mod terraform_runner;
mod unit_run;

pub use artefacts::{DryRunOutcome, PrivateFolder, UnitArtefacts};
pub use context::DryRunContext;
pub use document::{DryRun, UnitDryRun, UnitOutcome};
pub use drift::{Disagreement, DriftReport, SeenIn, UnitDrift};
pub use error::DryRunError;
pub use plan::{DryRunPlan, PlannedUnit, SkippedUnit};
pub use terraform_runner::TerraformDryRunner;
