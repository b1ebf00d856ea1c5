//! The nature of a change, and the steps that follow from it.

use infraflow_core::{
    nature::{self as core, Nature as CoreNature, NatureRules},
    observe::Stage,
    pipeline::{self, Effect, Phase},
};
use pyo3::prelude::*;

use crate::{
    data::{Holds as _, document, record, wrap},
    error::Result,
    impact::Impact,
    policy::Configuration,
    select::TestPlan,
    value::as_json,
};

as_json!(CoreNature, Effect, Phase, Stage);

document! {
    /// The nature of a change, and why.
    Nature(core::NatureOfChange) { nature, reasons }
}

document! {
    /// The steps that follow from a change, each after those that it needs.
    StepGraph(pipeline::StepGraph) { nature, reasons, steps }
}

record! {
    /// One step.
    StepSpec(pipeline::StepSpec) { id, stage, subject, phase, effect, needs, reasons }
}

/// The nature of a change, by the rules of the configuration.
#[pyfunction]
#[pyo3(signature = (impact, *, configuration = None))]
pub(crate) fn nature(
    py: Python<'_>,
    impact: &Bound<'_, Impact>,
    configuration: Option<&Bound<'_, Configuration>>,
) -> Result<Py<Nature>> {
    let rules: NatureRules = match configuration {
        Some(configuration) => configuration.get().0.section()?,
        None => infraflow_core::policy::Configuration::defaults().section()?,
    };
    let impact = impact.get().held();
    Ok(wrap(py, py.detach(|| core::of(impact, &rules)))?)
}

/// The steps that follow from a change.
#[pyfunction]
pub(crate) fn steps(
    py: Python<'_>,
    nature: &Bound<'_, Nature>,
    impact: &Bound<'_, Impact>,
    tests: &Bound<'_, TestPlan>,
) -> Result<Py<StepGraph>> {
    let (nature, impact, tests) = (nature.get().held(), impact.get().held(), tests.get().held());
    Ok(wrap(py, py.detach(|| pipeline::StepGraph::of(nature, impact, tests)))?)
}
