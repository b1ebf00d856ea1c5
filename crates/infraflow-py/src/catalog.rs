//! What is there: the modules, units and test cases of one revision, and the references between them.

use std::{path::PathBuf, sync::Arc};

use infraflow_core::{
    catalog::{self as core, CatalogError, Node, ReferenceKind},
    policy::Configuration as CoreConfiguration,
    terraform::facts::Text,
};
use pyo3::{prelude::*, sync::PyOnceLock, types::PyTuple};

use crate::{
    cataloging::Cataloging,
    data::record,
    error::Result,
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
    ModuleCall(core::ModuleCall) { in_file, name, source, version, units, module, target }
}

impl ToPython for Text {
    fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.value.to_python(py)
    }
}

/// All modules, units and test cases of one revision, and the references between them.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Catalog {
    pub(crate) core: Arc<core::Catalog>,
    /// What it was made by.
    pub(crate) configuration: CoreConfiguration,
    lists: [PyOnceLock<Py<PyAny>>; 7],
}

impl Catalog {
    fn new(core: core::Catalog, configuration: &CoreConfiguration) -> Self {
        let configuration = configuration.clone();
        Self { core: Arc::new(core), configuration, lists: [const { PyOnceLock::new() }; 7] }
    }

    /// A list as Python sees it, made once.
    fn list<T: ToPython + Send>(
        &self,
        py: Python<'_>,
        at: usize,
        of: impl Fn(&core::Catalog) -> Result<T, CatalogError> + Send + Sync,
    ) -> Result<Py<PyAny>> {
        if let Some(known) = self.lists[at].get(py) {
            return Ok(known.clone_ref(py));
        }
        let made = py.detach(|| of(&self.core))?;
        Ok(self.lists[at].get_or_try_init(py, || made.to_python(py))?.clone_ref(py))
    }
}

#[pymethods]
impl Catalog {
    /// Catalogs a revision; nothing of it is run. `configuration` and `policy` are the trunk's, where none are
    /// given: a change does not make the rules it is judged by. Directories that match a pattern of `live` are
    /// units, whatever the rules say. `dialects` are names of infraflow's own and objects of yours; without them,
    /// all of infraflow's.
    #[staticmethod]
    #[allow(clippy::too_many_arguments)] // keywords of Python
    #[pyo3(signature = (repository, revision = "HEAD", *, configuration = None, policy = None, live = Vec::new(), dialects = None))]
    fn build(
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        revision: &str,
        configuration: Option<&Bound<'_, Configuration>>,
        policy: Option<&Bound<'_, Policy>>,
        live: Vec<String>,
        dialects: Option<&Bound<'_, PyAny>>,
    ) -> Result<Py<PyAny>> {
        let cache = CatalogCache::none();
        cache.catalog(py, repository, revision, configuration, policy, live, dialects)
    }

    /// The modules, sorted by path.
    #[getter]
    fn modules(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        self.list(py, 0, core::Catalog::modules)
    }

    /// The units, sorted by id.
    #[getter]
    fn units(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        self.list(py, 1, core::Catalog::units)
    }

    /// The test cases, sorted by id.
    #[getter]
    fn cases(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        self.list(py, 2, core::Catalog::cases)
    }

    /// All references between things of this revision, and to files, sorted.
    #[getter]
    fn references(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        self.list(py, 3, core::Catalog::references)
    }

    /// The module calls with a constant source, sorted by file and place.
    #[getter]
    fn calls(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        self.list(py, 4, core::Catalog::calls)
    }

    /// Files that could not be understood. Whatever could be in them counts as changed.
    #[getter]
    fn unparsable(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        self.list(py, 5, core::Catalog::unparsable)
    }

    /// What a person should know about this catalog, in sentences.
    #[getter]
    fn warnings(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        self.list(py, 6, core::Catalog::warnings)
    }

    /// The revision that is cataloged.
    #[getter]
    fn revision(&self) -> String {
        self.core.tree().revision().to_string()
    }

    fn __repr__(&self) -> String {
        format!("Catalog({})", self.core.tree().revision())
    }
}

/// Where indexes of trees are kept between runs, so that an answer takes as long as the change is large.
/// Deleting what is kept is always safe.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct CatalogCache(core::CatalogCache, Option<PathBuf>);

#[pymethods]
impl CatalogCache {
    /// Keeps indexes in a folder, which is made when the first one is written.
    #[staticmethod]
    fn in_folder(folder: PathBuf) -> Self {
        Self(core::CatalogCache::in_folder(&folder), Some(folder))
    }

    /// Keeps indexes in the user's cache folder; keeps nothing where there is none.
    #[staticmethod]
    fn of_user() -> Self {
        let cache = core::CatalogCache::of_user();
        let folder = cache.folder().map(ToOwned::to_owned);
        Self(cache, folder)
    }

    /// Keeps nothing.
    #[staticmethod]
    fn none() -> Self {
        Self(core::CatalogCache::none(), None)
    }

    /// Where indexes are kept; `None` where they are not.
    #[getter]
    fn folder(&self) -> Option<PathBuf> {
        self.1.clone()
    }

    /// The catalogs of both ends of a change: of its merge base and of its head. The second costs what differs
    /// from the first. Options are those of `Catalog.build`.
    #[pyo3(signature = (repository, base, head, *, configuration = None, policy = None, live = Vec::new(), dialects = None))]
    #[allow(clippy::too_many_arguments)] // keywords of Python
    fn ends(
        &self,
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        base: &str,
        head: &str,
        configuration: Option<&Bound<'_, Configuration>>,
        policy: Option<&Bound<'_, Policy>>,
        live: Vec<String>,
        dialects: Option<&Bound<'_, PyAny>>,
    ) -> Result<Py<PyAny>> {
        let cataloging = Cataloging::new(repository, configuration, policy, live, dialects)?;
        let (cache, base, head) = (self.0.clone(), base.to_owned(), head.to_owned());
        let work = move |cataloging: &Cataloging| cataloging.ends(&cache, &base, &head);
        let convert = |py: Python<'_>, ((base, head), configuration)| {
            let ends = (Catalog::new(base, &configuration), Catalog::new(head, &configuration));
            Ok(ends.into_pyobject(py)?.into_any().unbind())
        };
        cataloging.job(work, convert).wait(py)
    }

    /// The catalog of one revision. Options are those of `Catalog.build`.
    #[allow(clippy::too_many_arguments)] // keywords of Python
    #[pyo3(signature = (repository, revision = "HEAD", *, configuration = None, policy = None, live = Vec::new(), dialects = None))]
    fn catalog(
        &self,
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        revision: &str,
        configuration: Option<&Bound<'_, Configuration>>,
        policy: Option<&Bound<'_, Policy>>,
        live: Vec<String>,
        dialects: Option<&Bound<'_, PyAny>>,
    ) -> Result<Py<PyAny>> {
        let cataloging = Cataloging::new(repository, configuration, policy, live, dialects)?;
        let (cache, revision) = (self.0.clone(), revision.to_owned());
        let work = move |cataloging: &Cataloging| cataloging.catalog(&cache, &revision);
        let convert = |py: Python<'_>, (catalog, configuration)| {
            Ok(Py::new(py, Catalog::new(catalog, &configuration))?.into_any())
        };
        cataloging.job(work, convert).wait(py)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().1 == self.1)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.1.as_ref().into_pyobject(py)?.hash()
    }

    fn __repr__(&self) -> String {
        match &self.1 {
            Some(folder) => format!("CatalogCache.in_folder({folder:?})"),
            None => "CatalogCache.none()".to_owned(),
        }
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let made = match &slf.get().1 {
            Some(_) => "in_folder",
            None => "none",
        };
        let folder: Vec<&PathBuf> = slf.get().1.iter().collect();
        Ok((slf.get_type().getattr(made)?, PyTuple::new(slf.py(), folder)?))
    }
}
