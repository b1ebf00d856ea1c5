//! Byte-exact edits of references, promotion, and the first deployment of a module.

use std::{collections::BTreeMap, sync::Arc};

use infraflow_core::{
    bump::{self as core, BumpCommit, BumpRequest, RefBumper as _},
    git::{self, BlobId, BranchName, RemoteName},
    interface::Interface,
    policy::EnvironmentName,
};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    catalog::Catalog,
    data::{Holds as _, document, record},
    error::Result,
    job::{Job, plain},
    observe::observer_of,
    release::{Identity, ReleasePlan},
    repository::{Repository, repo_path},
    value::as_json,
};

as_json!(BlobId);

document! {
    /// Which bytes of which files would become what, and which references stay.
    BumpPlan(core::BumpPlan) { edits, skipped }
}

record! {
    /// One replacement of bytes; a file without a blob is new.
    BumpEdit(core::BumpEdit) {
        path, blob, start, end, before, after, module, unit, environment, from = "from_", to,
    }
}

record! {
    /// A reference that stays as it is, and why.
    SkippedReference(core::SkippedReference) { path, reasons }
}

record! {
    /// What came of a bump: the commit, and its branch.
    Bumped(core::Bumped) { base, commit, branch }
}

/// A module, by any address of it, and the version that its callers should have; with `only_from`, only those
/// that have that version now.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct BumpTarget(core::BumpTarget);

#[pymethods]
impl BumpTarget {
    #[new]
    #[pyo3(signature = (source, to, *, only_from = None))]
    fn new(source: &str, to: &str, only_from: Option<&str>) -> Result<Self> {
        let target = core::BumpTarget::new(source, to)?;
        Ok(Self(match only_from {
            Some(from) => target.only_from(from),
            None => target,
        }))
    }

    /// The modules of a release plan, of a repository that is fetched from `package`.
    #[staticmethod]
    fn released(package: &str, plan: &Bound<'_, ReleasePlan>) -> Result<Vec<Self>> {
        let request = BumpRequest::releases(package, plan.get().held())?;
        Ok(request.targets().iter().cloned().map(Self).collect())
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// A unit that is deployed for the first time: the directory `unit` gets a call of the module that stands in
/// `module` of a revision of the modules repository. `values` are HCL expressions by variable, a text with its
/// quotes; `settings` is HCL that stands before the call, such as the backend.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Scaffold(core::Scaffold);

#[pymethods]
impl Scaffold {
    #[new]
    #[pyo3(signature = (unit, module, modules, revision = "HEAD", *, values = BTreeMap::new(), settings = ""))]
    fn new(
        py: Python<'_>,
        unit: &str,
        module: &str,
        modules: &Bound<'_, Repository>,
        revision: &str,
        values: BTreeMap<String, String>,
        settings: &str,
    ) -> Result<Self> {
        let (unit, module, modules) = (repo_path(unit)?, repo_path(module)?, &modules.get().0);
        let interface = py.detach(|| -> Result<Interface> {
            Ok(Interface::read(&modules.tree(&modules.revision(revision)?)?, &module)?)
        })?;
        let scaffold = core::Scaffold::new(unit, module, interface).settings(settings);
        Ok(Self(values.into_iter().fold(scaffold, |scaffold, (name, value)| scaffold.value(name, value))))
    }
}

/// Bumps module calls of Terraform and OpenTofu: the `ref` of git sources, the `version` beside registry
/// sources.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct TerraformBumper;

#[pymethods]
impl TerraformBumper {
    #[new]
    fn new() -> Self {
        Self
    }

    /// What would be edited; `live` is the catalog of that revision. Either `targets` say what is bumped, or it
    /// is what the environment `carried_from` carries now.
    #[pyo3(signature = (
        repository, live, targets = Vec::new(), *, revision = "HEAD", environment = None, carried_from = None,
        scaffolds = Vec::new(),
    ))]
    #[allow(clippy::too_many_arguments)] // they are keywords in Python
    fn plan(
        &self,
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        live: &Bound<'_, Catalog>,
        targets: Vec<Bound<'_, BumpTarget>>,
        revision: &str,
        environment: Option<&str>,
        carried_from: Option<&str>,
        scaffolds: Vec<Bound<'_, Scaffold>>,
    ) -> Result<Py<PyAny>> {
        let live = live.get().core.clone();
        let mut request = match carried_from {
            Some(_) if !targets.is_empty() => {
                return Err(PyValueError::new_err("give targets or carried_from, not both").into());
            }
            Some(from) => {
                let from = EnvironmentName::parse(from)?;
                py.detach(|| BumpRequest::promotion(&live, &from))?
            }
            None => BumpRequest::new(targets.iter().map(|target| target.get().0.clone())),
        };
        if let Some(environment) = environment {
            request = request.in_environment(EnvironmentName::parse(environment)?);
        }
        for scaffold in scaffolds {
            request = request.scaffold(scaffold.get().0.clone());
        }
        let (repository, revision) = (repository.get().0.clone(), revision.to_owned());
        let work = move || {
            let tree = repository.tree(&repository.revision(&revision)?)?;
            Ok(core::TerraformBumper.plan(&request, &tree, &live)?)
        };
        Job::computing(work, plain).wait(py)
    }

    /// Commits the edits on a branch: one commit on `base`, the commit that the plan was made for. With `push`,
    /// the branch goes to that remote. A second call finds the commit of the first.
    #[pyo3(signature = (
        plan, repository, *, base, branch, message, author, push = None, observer = None,
    ))]
    #[allow(clippy::too_many_arguments)]
    fn execute(
        &self,
        py: Python<'_>,
        plan: &Bound<'_, BumpPlan>,
        repository: &Bound<'_, Repository>,
        base: &str,
        branch: &str,
        message: String,
        author: &Bound<'_, Identity>,
        push: Option<&str>,
        observer: Option<Bound<'_, PyAny>>,
    ) -> Result<Py<PyAny>> {
        let commit = Commit { base, branch, message, author, push };
        executing(plan, repository, commit, observer)?.wait(py)
    }

    /// As `execute`, to be awaited.
    #[pyo3(signature = (
        plan, repository, *, base, branch, message, author, push = None, observer = None,
    ))]
    #[allow(clippy::too_many_arguments)]
    fn execute_async<'py>(
        &self,
        py: Python<'py>,
        plan: &Bound<'py, BumpPlan>,
        repository: &Bound<'py, Repository>,
        base: &str,
        branch: &str,
        message: String,
        author: &Bound<'py, Identity>,
        push: Option<&str>,
        observer: Option<Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>> {
        let commit = Commit { base, branch, message, author, push };
        executing(plan, repository, commit, observer)?.awaitable(py)
    }
}

/// The commit of a bump, as Python names it.
struct Commit<'a, 'py> {
    base: &'a str,
    branch: &'a str,
    message: String,
    author: &'a Bound<'py, Identity>,
    push: Option<&'a str>,
}

fn executing(
    plan: &Bound<'_, BumpPlan>,
    repository: &Bound<'_, Repository>,
    commit: Commit<'_, '_>,
    observer: Option<Bound<'_, PyAny>>,
) -> Result<Job<core::Bumped>> {
    let (plan, observer): (Arc<_>, _) = (plan.get().held().clone(), observer_of(observer));
    let repository = repository.get().0.clone();
    let commit = BumpCommit {
        base: repository.resolve(commit.base)?,
        branch: BranchName::parse(commit.branch)?,
        message: commit.message,
        author: git::Identity::clone(commit.author.get().held()),
        push: commit.push.map(RemoteName::parse).transpose()?,
    };
    let work = move |cancel| async move {
        Ok(core::TerraformBumper.execute(&plan, &repository, &commit, &cancel, &*observer).await?)
    };
    Ok(Job::waiting(work, plain))
}
