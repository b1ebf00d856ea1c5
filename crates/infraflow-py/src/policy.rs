//! The configuration and the policy of a repository.

use std::path::PathBuf;

use infraflow_core::{git::Patience, policy as core};
use pyo3::prelude::*;

use crate::{
    error::Result,
    job::Job,
    repository::{Repository, hurried, repo_path},
    value::ToPython,
};

/// The crate's documented defaults, and a repository's `infraflow.toml` laid over them.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Configuration(pub(crate) core::Configuration);

#[pymethods]
impl Configuration {
    /// The defaults alone.
    #[new]
    fn new() -> Self {
        Self(core::Configuration::defaults())
    }

    /// The configuration that a text in TOML describes; `origin` is what messages call it.
    #[staticmethod]
    #[pyo3(signature = (text, *, origin = "infraflow.toml"))]
    fn parse(text: &str, origin: &str) -> Result<Self> {
        Ok(Self(core::Configuration::parse(text, origin)?))
    }

    /// The configuration in a file outside any repository.
    #[staticmethod]
    fn read_file(path: PathBuf) -> Result<Self> {
        Ok(Self(core::Configuration::read_file(&path)?))
    }

    /// The configuration of a revision: its `infraflow.toml`, or the defaults where it has none.
    #[staticmethod]
    fn read(py: Python<'_>, repository: &Bound<'_, Repository>, revision: String) -> Result<Py<PyAny>> {
        let repository = repository.get().0.clone();
        let work = move |patience: Option<&Patience>| {
            let repository = hurried(&repository, patience);
            let tree = repository.tree(&repository.revision(&revision)?)?;
            Ok(core::Configuration::read(&tree)?)
        };
        Job::asking(work, |py, read| Ok(Py::new(py, Self(read))?.into_any())).wait(py)
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// Who may see, approve and deploy what: always trunk's, never that of the change that is judged.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Policy(pub(crate) core::Policy);

#[pymethods]
impl Policy {
    /// The policy of trunk; `revision` names another commit that stood before the change.
    #[staticmethod]
    #[pyo3(signature = (repository, revision = None))]
    fn read(
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        revision: Option<String>,
    ) -> Result<Py<PyAny>> {
        let repository = repository.get().0.clone();
        let work = move |patience: Option<&Patience>| {
            let repository = hurried(&repository, patience);
            let trunk = match &revision {
                Some(revision) => repository.revision(revision)?,
                None => repository.trunk_tip()?.into(),
            };
            Ok(core::Policy::read(&repository.tree(&trunk)?)?)
        };
        Job::asking(work, |py, read| Ok(Py::new(py, Self(read))?.into_any())).wait(py)
    }

    /// The policy that a configuration and the text of its allowed-signers file describe.
    #[staticmethod]
    #[pyo3(signature = (configuration, *, signers = ""))]
    fn of(configuration: &Bound<'_, Configuration>, signers: &str) -> Result<Self> {
        Ok(Self(core::Policy::of(&configuration.get().0, signers)?))
    }

    /// The name of the environment that the unit at a path belongs to; `None` where it belongs to none.
    fn environment_of(&self, path: &str) -> Result<Option<String>> {
        let path = repo_path(path)?;
        Ok(self.0.environment_of(&path).map(|environment| environment.name.to_string()))
    }

    /// The names of the environments in the order in which a change is promoted; those of one step together.
    #[getter]
    fn promotion_order(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.0.promotion_order().to_python(py)
    }

    /// Everybody who has a key here.
    #[getter]
    fn signers(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.0.signers().all().to_python(py)
    }

    /// The digest of everything that this policy says.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0.digest() == self.0.digest())
    }

    fn __hash__(&self) -> u64 {
        u64::from_str_radix(&self.0.digest().hex()[..15], 16).unwrap_or_default()
    }

    fn __repr__(&self) -> String {
        format!("Policy(digest='{}')", self.0.digest())
    }
}
