//! What is there: the modules, units and test cases of one revision, and the references between them.

use std::sync::Arc;

use infraflow_core::{
    catalog::{self as core, CatalogRules, Node, ReferenceKind},
    git,
    policy::{self, PathPattern},
    terraform::facts::Text,
};
use pyo3::prelude::*;

use crate::{
    data::record,
    error::Result,
    job::Job,
    policy::{Configuration, Policy},
    repository::Repository,
    value::{ToPython, as_json},
};

as_json!(Node, ReferenceKind);

record! {
    /// A directory of reusable infrastructure code.
    Module(core::Module) { path, dialect }
}

record! {
    /// Live configuration that is planned and applied as one.
    Unit(core::Unit) { id, path, dialect, environment }
}

record! {
    /// One example deployment or test file of a module.
    Case(core::Case) { id, module, path, kind }
}

record! {
    /// One edge of the catalog: `from_` can come out differently when `to` changes, and `link` proves it.
    Reference(core::Reference) { from = "from_", to, kind, link }
}

record! {
    /// A module call with a constant source.
    ModuleCall(core::ModuleCall) { in_file, name, source, version, unit, module, target }
}

impl ToPython for Text {
    fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.value.to_python(py)
    }
}

/// All modules, units and test cases of one revision, and the references between them.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Catalog(pub(crate) Arc<core::Catalog>);

#[pymethods]
impl Catalog {
    /// Catalogs a revision; nothing of it is run. `configuration` and `policy` are the trunk's, where none are
    /// given: a change does not make the rules it is judged by. Directories that match a pattern of `live` are
    /// units, whatever the rules say.
    #[staticmethod]
    #[pyo3(signature = (repository, revision = "HEAD", *, configuration = None, policy = None, live = Vec::new()))]
    fn build(
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        revision: &str,
        configuration: Option<&Bound<'_, Configuration>>,
        policy: Option<&Bound<'_, Policy>>,
        live: Vec<String>,
    ) -> Result<Py<PyAny>> {
        let (repository, revision) = (repository.get().0.clone(), revision.to_owned());
        let configuration = configuration.map(|configuration| configuration.get().0.clone());
        let policy = policy.map(|policy| policy.get().0.clone());
        let work = move || build(&repository, &revision, configuration, policy, &live);
        Job::computing(work, |py, catalog| Ok(Py::new(py, Self(Arc::new(catalog)))?.into_any())).wait(py)
    }

    /// The modules, sorted by path.
    #[getter]
    fn modules(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        Ok(self.0.modules()?.to_python(py)?)
    }

    /// The units, sorted by id.
    #[getter]
    fn units(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        Ok(self.0.units()?.to_python(py)?)
    }

    /// The test cases, sorted by id.
    #[getter]
    fn cases(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        Ok(self.0.cases()?.to_python(py)?)
    }

    /// All references between things of this revision, and to files, sorted.
    #[getter]
    fn references(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        Ok(self.0.references()?.to_python(py)?)
    }

    /// The module calls with a constant source, sorted by file and place.
    #[getter]
    fn calls(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        Ok(self.0.calls()?.to_python(py)?)
    }

    /// Files that could not be understood. Whatever could be in them counts as changed.
    #[getter]
    fn unparsable(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        Ok(self.0.unparsable()?.to_python(py)?)
    }

    /// What a person should know about this catalog, in sentences.
    #[getter]
    fn warnings(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        Ok(self.0.warnings()?.to_python(py)?)
    }

    fn __repr__(&self) -> String {
        format!("Catalog({})", self.0.tree().revision())
    }
}

fn build(
    repository: &git::Repository,
    revision: &str,
    configuration: Option<policy::Configuration>,
    policy: Option<policy::Policy>,
    live: &[String],
) -> Result<core::Catalog> {
    let trunk = || -> Result<git::Tree> { Ok(repository.tree(&repository.trunk_tip()?.into())?) };
    let configuration = match configuration {
        Some(configuration) => configuration,
        None => policy::Configuration::read(&trunk()?)?,
    };
    let policy = match policy {
        Some(policy) => policy,
        None => policy::Policy::read(&trunk()?)?,
    };
    let live = live.iter().map(|pattern| PathPattern::parse(pattern)).collect::<Result<Vec<_>, _>>()?;
    let rules = configuration.section::<CatalogRules>()?.with_live(live);
    let tree = repository.tree(&repository.revision(revision)?)?;
    let catalog = core::Catalog::build(&tree, &core::standard_dialects(), &rules)?;
    Ok(catalog.with_environments(move |path| Some(policy.environment_of(path)?.name.clone())))
}
