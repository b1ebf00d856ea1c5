//! What applying would do.

use infraflow_core::dry_run::{self as core, UnitOutcome};

use crate::{
    data::{document, record},
    value::as_json,
};

as_json!(UnitOutcome);

document! {
    /// What applying would do, unit by unit, at one revision.
    DryRun(core::DryRun) { units }
}

record! {
    /// What applying would do to one unit.
    UnitDryRun(core::UnitDryRun) {
        id, path, environment, outcome, counts, drift, mocked, digest, fingerprint, commit, tool, seconds,
        sealed_log, plan_file, state, plan, reasons,
    }
}
