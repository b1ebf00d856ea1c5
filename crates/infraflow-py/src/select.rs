//! Which test cases run.

use infraflow_core::{
    catalog::{CaseId, CaseKind},
    select,
};

use crate::{
    data::{document, record},
    value::as_json,
};

as_json!(CaseId, CaseKind);

document! {
    /// Which test cases run, which do not, each with its reasons, and how they are dealt out to machines.
    TestPlan(select::TestPlan) { cases, skipped, shards }
}

record! {
    /// A test case that runs.
    PlannedCase(select::PlannedCase) { id, module, path, kind, reasons }
}

record! {
    /// A test case that does not run.
    SkippedCase(select::SkippedCase) { id, reasons }
}

record! {
    /// The test cases of one machine, in the order in which they run there.
    Shard(select::Shard) { cases, estimate_seconds }
}
