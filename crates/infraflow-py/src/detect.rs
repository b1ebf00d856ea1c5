//! What changed between two revisions; the detectors of the core, and those that are written in Python.

use std::{collections::BTreeMap, sync::Arc};

use infraflow_core::{
    detect::{self as core, ChangeDetector, DetectError},
    git::{self, Patience, Revision},
};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::PyBytes,
};

use crate::{
    data::{Holds, document, record},
    error::Result,
    job::{Job, plain, running_loop},
    repository::{Repository, hurried, repo_path},
    value::as_json,
};

as_json!(core::Comparison);

document! {
    /// The files that differ between two revisions, from their merge base.
    ChangeSet(core::ChangeSet) { base, head, merge_base, changes, warnings }
}

record! {
    /// One file that differs.
    Change(core::Change) { path, kind, old_path }
}

record! {
    /// The two ends of a change, and where each was found, in words for people.
    Endpoints(core::Endpoints) { base, base_from, head, head_from, comparison, notes }

    /// Finds both ends in the variables of a CI system (GitHub Actions, GitLab CI, Buildkite, Azure Pipelines,
    /// Jenkins, Bitbucket Pipelines); outside of these, from the trunk to what is checked out. Without
    /// `variables`, in those of this process.
    #[staticmethod]
    #[pyo3(signature = (repository, variables = None))]
    fn from_environment(
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        variables: Option<BTreeMap<String, String>>,
    ) -> Result<Py<PyAny>> {
        let repository = repository.get().0.clone();
        // What is no Unicode is no variable of these systems.
        let of_process = || std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let variables = variables.unwrap_or_else(|| of_process().collect());
        let work = move |patience: Option<&Patience>| {
            Ok(core::Endpoints::from_environment(&variables, &hurried(&repository, patience))?)
        };
        Job::asking(work, plain).wait(py)
    }

    /// From the trunk to what is checked out.
    #[staticmethod]
    fn from_trunk(py: Python<'_>, repository: &Bound<'_, Repository>) -> Result<Py<PyAny>> {
        let repository = repository.get().0.clone();
        let work =
            move |patience: Option<&Patience>| Ok(core::Endpoints::from_trunk(&hurried(&repository, patience))?);
        Job::asking(work, plain).wait(py)
    }

    /// The same, ending in the working tree on top of the head.
    fn with_working_tree(&self) -> Self {
        Holds::hold(Arc::new((*self.value).clone().with_working_tree()))
    }

    /// The same, compared in another way: from the "merge_base", or the two "endpoints" with each other.
    fn with_comparison(&self, comparison: &str) -> Result<Self> {
        let comparison = match comparison {
            "merge_base" => core::Comparison::MergeBase,
            "endpoints" => core::Comparison::Endpoints,
            other => {
                let message = format!("comparison is \"merge_base\" or \"endpoints\", not {other:?}");
                return Err(PyValueError::new_err(message).into());
            }
        };
        Ok(Holds::hold(Arc::new((*self.value).clone().with_comparison(comparison))))
    }

    /// Tells what changed between both, by git. The notes are among the warnings.
    fn detect(&self, py: Python<'_>, repository: &Bound<'_, Repository>) -> Result<Py<PyAny>> {
        let (ends, repository) = (Arc::clone(&self.value), repository.get().0.clone());
        Job::asking(move |patience| Ok(ends.detect(&hurried(&repository, patience))?), plain).wait(py)
    }
}

/// Asks git: compares trees by their ids, from the merge base, with renames by git's own rule. With
/// `endpoints`, compares the two ends with each other. With `copies`, looks for copies too, as `git diff -C`:
/// a copy is added with an old path.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct GitDetector(core::GitDetector);

#[pymethods]
impl GitDetector {
    #[new]
    #[pyo3(signature = (*, endpoints = false, copies = false))]
    fn new(endpoints: bool, copies: bool) -> Self {
        let mut detector = core::GitDetector::new();
        if endpoints {
            detector = detector.endpoints();
        }
        Self(if copies { detector.copies() } else { detector })
    }

    /// Tells what changed.
    fn detect(
        &self,
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        base: &str,
        head: &str,
    ) -> Result<Py<PyAny>> {
        detecting(Arc::new(self.0), true, repository, Some(base), head).wait(py)
    }
}

/// Takes somebody else's list of changed files: paths, or the bytes that `git diff --name-only -z` writes.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct GivenFiles(core::GivenFiles);

#[pymethods]
impl GivenFiles {
    #[new]
    fn new(files: &Bound<'_, PyAny>) -> Result<Self> {
        if let Ok(bytes) = files.cast::<PyBytes>() {
            return Ok(Self(core::GivenFiles::parse0(bytes.as_bytes())?));
        }
        let paths = files.try_iter()?.map(|path| repo_path(&path?.extract::<String>()?));
        Ok(Self(core::GivenFiles::new(paths.collect::<Result<Vec<_>>>()?)))
    }

    /// Tells what changed.
    fn detect(
        &self,
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        base: &str,
        head: &str,
    ) -> Result<Py<PyAny>> {
        detecting(Arc::new(self.0.clone()), true, repository, Some(base), head).wait(py)
    }
}

/// Tells what changed from the base (the trunk, where none is given) to the head.
///
/// `detector` is one of this package, or any object with a method `detect(repository, base, head)` that
/// returns a `ChangeSet`.
#[pyfunction]
#[pyo3(signature = (repository, base = None, head = "HEAD", *, detector = None))]
pub(crate) fn detect(
    py: Python<'_>,
    repository: &Bound<'_, Repository>,
    base: Option<&str>,
    head: &str,
    detector: Option<&Bound<'_, PyAny>>,
) -> Result<Py<PyAny>> {
    let is_own = detector.is_none_or(is_of_the_core);
    detecting(detector_of(detector, None)?, is_own, repository, base, head).wait(py)
}

/// As `detect`, to be awaited. A `detect` of your detector that is a coroutine runs on the caller's loop, one
/// that is not, in a thread.
#[pyfunction]
#[pyo3(signature = (repository, base = None, head = "HEAD", *, detector = None))]
pub(crate) fn detect_async<'py>(
    py: Python<'py>,
    repository: &Bound<'py, Repository>,
    base: Option<&str>,
    head: &str,
    detector: Option<&Bound<'py, PyAny>>,
) -> Result<Bound<'py, PyAny>> {
    detecting(detector_of(detector, Some(running_loop(py)?))?, false, repository, base, head).awaitable(py)
}

/// One call of a detector; one of the core's `own` is tried first.
fn detecting(
    detector: Arc<dyn ChangeDetector>,
    own: bool,
    repository: &Bound<'_, Repository>,
    base: Option<&str>,
    head: &str,
) -> Job<core::ChangeSet> {
    let (repository, base, head) = (repository.get().0.clone(), base.map(str::to_owned), head.to_owned());
    let work = move |patience: Option<&Patience>| {
        let repository = hurried(&repository, patience);
        let (base, head) = ends(&repository, base.as_deref(), &head)?;
        Ok(detector.detect(&repository, &base, &head)?)
    };
    if own { Job::asking(work, plain) } else { Job::computing(move || work(None), plain) }
}

/// The revisions that two words stand for; without a base, the trunk.
pub(crate) fn ends(
    repository: &git::Repository,
    base: Option<&str>,
    head: &str,
) -> Result<(Revision, Revision)> {
    let base = match base {
        Some(base) => repository.revision(base)?,
        None => repository.trunk_tip()?.into(),
    };
    Ok((base, repository.revision(head)?))
}

/// Whether a detector is none that is written in Python.
fn is_of_the_core(given: &Bound<'_, PyAny>) -> bool {
    given.is_instance_of::<GitDetector>() || given.is_instance_of::<GivenFiles>()
}

/// The detector that Python code gave: one of the core's, or an adapter.
pub(crate) fn detector_of(
    given: Option<&Bound<'_, PyAny>>,
    caller: Option<Bound<'_, PyAny>>,
) -> Result<Arc<dyn ChangeDetector>> {
    let Some(given) = given else { return Ok(Arc::new(core::GitDetector::new())) };
    if let Ok(detector) = given.cast::<GitDetector>() {
        return Ok(Arc::new(detector.get().0));
    }
    if let Ok(detector) = given.cast::<GivenFiles>() {
        return Ok(Arc::new(detector.get().0.clone()));
    }
    let name = given.get_type().name()?.extract()?;
    if !given.hasattr("detect")? {
        let message =
            format!("{name} is no change detector: it has no method detect(repository, base, head)");
        return Err(PyTypeError::new_err(message).into());
    }
    Ok(Arc::new(PythonDetector { name, object: given.clone().unbind(), caller: caller.map(Bound::unbind) }))
}

/// A change detector that is written in Python.
struct PythonDetector {
    name: String,
    object: Py<PyAny>,
    /// The event loop that awaits the call, if one does.
    caller: Option<Py<PyAny>>,
}

impl ChangeDetector for PythonDetector {
    fn detect(
        &self,
        repository: &git::Repository,
        base: &Revision,
        head: &Revision,
    ) -> Result<core::ChangeSet, DetectError> {
        let answer = Python::attach(|py| {
            let arguments = (Repository(repository.clone()), base.to_string(), head.to_string());
            let answer = self.object.bind(py).call_method1("detect", arguments)?;
            let caller = self.caller.as_ref().map(|caller| caller.bind(py));
            let answer = py.import("infraflow._bridge")?.call_method1("answer_of", (answer, caller))?;
            let wrong = || PyTypeError::new_err(format!("{}.detect returned no ChangeSet", self.name));
            answer.cast::<ChangeSet>().map(|set| (**set.get().held()).clone()).map_err(|_| wrong())
        });
        answer.map_err(|error: PyErr| DetectError::Detector {
            detector: self.name.clone(),
            source: Box::new(error),
        })
    }
}
