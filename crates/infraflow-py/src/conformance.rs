//! The core's test suites for implementations of its traits, for those that are written in Python.

use std::collections::BTreeMap;

use infraflow_core::conformance;
use pyo3::prelude::*;

use crate::{
    detect::{detector_of, ends},
    dialect::PythonDialect,
    error::Result,
    job::{Job, plain},
    repository::{Repository, repo_path},
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

/// Holds a dialect against the numbers of its contract, on files as they stand in one tree: some that it claims, some
/// that it does not, some that include each other. Gives back what it breaks, in sentences.
#[pyfunction]
pub(crate) fn check_dialect(
    py: Python<'_>,
    dialect: &Bound<'_, PyAny>,
    files: BTreeMap<String, Vec<u8>>,
) -> Result<Py<PyAny>> {
    let dialect = PythonDialect::new(dialect)?.remembering_nothing();
    let files = files.into_iter().map(|(path, content)| Ok((repo_path(&path)?, content)));
    let files = files.collect::<Result<Vec<_>>>()?;
    let work = move || {
        let violations = conformance::dialect(&dialect, &files);
        Ok(violations.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    Job::computing(work, plain).wait(py)
}
