//! What applying would do, and drift.
//!
//! A [`DryRun`] says, unit by unit, what the tool would do at one revision: without any value, so that it can
//! be shown, signed and sent to other machines. What holds values (logs, saved plans, plan JSON) stays in a
//! private folder, listed by [`UnitArtefacts`].

mod artefacts;
mod document;
mod error;

pub use artefacts::UnitArtefacts;
pub use document::{DryRun, UnitDryRun, UnitOutcome};
pub use error::DryRunError;
