//! What a plan of Terraform or OpenTofu does.

use infraflow_core::terraform::{
    StateVersion as CoreStateVersion, ToolVersion,
    plan::{self, Actions, AttributePath, ResourceMode},
};
use pyo3::{prelude::*, pybacked::PyBackedBytes};

use crate::{
    data::{document, record},
    error::Result,
    job::{Job, plain},
    value::as_json,
};

as_json!(Actions, AttributePath, ResourceMode, ToolVersion);

document! {
    /// What a plan does, without any value of a resource.
    PlanSummary(plan::PlanSummary) {
        format_version, tool_version, counts, drift, deferred, errored, changes, outputs,
    }
}

record! {
    /// How many resource instances would be what.
    Counts(plan::Counts) { create, update, delete, replace, read, import = "import_", forget, r#move }
}

record! {
    /// What would be done to one resource instance; `actions` in the plan's own order.
    ResourceChange(plan::ChangeSummary) {
        address, previous_address, r#type, mode, actions, reason, attributes, forced_by, import = "import_",
    }
}

record! {
    /// One attribute that was changed in the world, past the tool.
    Drift(plan::Drift) { address, path, actions }
}

record! {
    /// What would change in an output.
    OutputChange(plan::OutputSummary) { name, actions, sensitive }
}

record! {
    /// Which state, and which version of it.
    StateVersion(CoreStateVersion) { lineage, serial }
}

/// What a plan does; `plan` is what `terraform show -json` prints of it.
#[pyfunction]
pub(crate) fn plan_summary(py: Python<'_>, plan: PyBackedBytes) -> Result<Py<PyAny>> {
    Job::computing(move || Ok(plan::Plan::parse(&plan)?.summary()), plain).wait(py)
}
