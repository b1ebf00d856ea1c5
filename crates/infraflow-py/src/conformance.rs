//! The core's test suites for implementations of its traits, for those that are written in Python.

use infraflow_core::conformance;
use pyo3::prelude::*;

use crate::{
    detect::{detector_of, ends},
    error::Result,
    job::{Job, plain},
    repository::Repository,
};

/// Holds a change detector against the numbers of its contract, on two commits of a repository; a trunk that
/// has moved on since the branch began shows the most. Gives back what it breaks, in sentences.
#[pyfunction]
pub(crate) fn check_change_detector(
    py: Python<'_>,
    detector: &Bound<'_, PyAny>,
    repository: &Bound<'_, Repository>,
    base: String,
    head: String,
) -> Result<Py<PyAny>> {
    let (detector, repository) = (detector_of(Some(detector), None)?, repository.get().0.clone());
    let work = move || {
        let (base, head) = ends(&repository, Some(&base), &head)?;
        let violations = conformance::change_detector(&*detector, &repository, &base, &head);
        Ok(violations.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    Job::computing(work, plain).wait(py)
}
