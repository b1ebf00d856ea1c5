//! From history and interface to versions and tags.

use std::{collections::BTreeMap, sync::Arc};

use infraflow_core::{
    address::Version,
    git::{self, BranchName, ObjectId, RemoteName},
    interface::{self, Severity},
    policy,
    release::{self as core, ReleaseRequest, ReleaseTagger as _, TagState},
};
use pyo3::prelude::*;

use crate::{
    catalog::Catalog,
    data::{Holds as _, document, record},
    error::Result,
    job::{Job, plain},
    observe::observer_of,
    policy::Configuration,
    repository::{Repository, repo_path},
    value::as_json,
};

as_json!(core::Bump, ObjectId, RemoteName, Severity, TagState, Version);

record! {
    /// Who does something in git, and when: an RFC 3339 time.
    Identity(git::Identity) { name, email, when }
}

record! {
    /// A tag and the commit that it names.
    Tag(git::Tag) { name, target, object, annotated }
}

document! {
    /// Which versions would be tagged, and why.
    ReleasePlan(core::ReleasePlan) { head, trunk, remote, tagger, releases, unchanged, refused }
}

record! {
    /// One version of one module.
    Release(core::Release) {
        module, previous, next, tag, commit, elsewhere, bump, reasons, notes, interface, commits,
    }
}

record! {
    /// A module without a version in a plan.
    Unreleased(core::Unreleased) { module, reasons }
}

record! {
    /// A commit within a release.
    ReleasedCommit(core::ReleasedCommit) { id, subject, bump }
}

record! {
    /// What changed for callers of a module, and what it means to them.
    InterfaceChange(interface::InterfaceChange) { severity, rule, subject, text, value_dependent, link }
}

document! {
    /// What became of a release plan.
    Released(core::Released) { tags, without_events }
}

record! {
    /// One tag of a release, and whether it was made now.
    ReleasedTag(core::ReleasedTag) { tag, object, commit, state }
}

/// Versions a repository's modules, each with tags of its own, by the rules of the configuration.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct ModuleTags(Arc<core::ModuleTags>);

#[pymethods]
impl ModuleTags {
    #[new]
    #[pyo3(signature = (configuration = None))]
    fn new(configuration: Option<&Bound<'_, Configuration>>) -> Result<Self> {
        let configuration =
            configuration.map_or_else(policy::Configuration::defaults, |it| it.get().0.clone());
        Ok(Self(Arc::new(core::ModuleTags::of(&configuration)?)))
    }

    /// The versions that a commit would be, and why. `catalog` is that commit's. `tags` are those that there
    /// are: the clone's, where none are given; `observe_tags` asks the remote. The tagger's date stands in the
    /// tags, so that a second try makes the same ones. `only` names the modules that may be released, and
    /// `versions` asks for a version of a module; one that is too small is refused.
    #[pyo3(signature = (
        repository, catalog, *, tagger, head = "HEAD", tags = None, remote = "origin", trunk = None,
        only = Vec::new(), versions = BTreeMap::new(),
    ))]
    #[allow(clippy::too_many_arguments)] // they are keywords in Python
    fn plan(
        &self,
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        catalog: &Bound<'_, Catalog>,
        tagger: &Bound<'_, Identity>,
        head: &str,
        tags: Option<Vec<Bound<'_, Tag>>>,
        remote: &str,
        trunk: Option<&str>,
        only: Vec<String>,
        versions: BTreeMap<String, String>,
    ) -> Result<Py<PyAny>> {
        let (releases, repository) = (self.0.clone(), repository.get().0.clone());
        let (catalog, tagger) = (catalog.get().core.clone(), git::Identity::clone(tagger.get().held()));
        let (head, remote) = (head.to_owned(), RemoteName::parse(remote)?);
        let trunk = trunk.map(BranchName::parse).transpose()?;
        let tags =
            tags.map(|tags| tags.iter().map(|tag| git::Tag::clone(tag.get().held())).collect::<Vec<_>>());
        let work = move || {
            let tags = match tags {
                Some(tags) => tags,
                None => repository.tags()?,
            };
            let mut request =
                ReleaseRequest::new(repository.resolve(&head)?, tagger).tags(tags).remote(remote);
            if let Some(trunk) = trunk {
                request = request.trunk(trunk);
            }
            for module in &only {
                request = request.only(repo_path(module)?);
            }
            for (module, version) in &versions {
                request = request.version(repo_path(module)?, Version::parse(version)?);
            }
            Ok(releases.plan(&request, &repository, &catalog)?)
        };
        Job::computing(work, plain).wait(py)
    }

    /// Makes the tags of a plan: all of them or none, in one push. A second call makes nothing.
    #[pyo3(signature = (plan, repository, *, observer = None))]
    fn execute(
        &self,
        py: Python<'_>,
        plan: &Bound<'_, ReleasePlan>,
        repository: &Bound<'_, Repository>,
        observer: Option<Bound<'_, PyAny>>,
    ) -> Result<Py<PyAny>> {
        self.executing(plan, repository, observer).wait(py)
    }

    /// As `execute`, to be awaited.
    #[pyo3(signature = (plan, repository, *, observer = None))]
    fn execute_async<'py>(
        &self,
        py: Python<'py>,
        plan: &Bound<'py, ReleasePlan>,
        repository: &Bound<'py, Repository>,
        observer: Option<Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>> {
        self.executing(plan, repository, observer).awaitable(py)
    }
}

impl ModuleTags {
    fn executing(
        &self,
        plan: &Bound<'_, ReleasePlan>,
        repository: &Bound<'_, Repository>,
        observer: Option<Bound<'_, PyAny>>,
    ) -> Job<core::Released> {
        let (releases, plan) = (self.0.clone(), plan.get().held().clone());
        let (repository, observer) = (repository.get().0.clone(), observer_of(observer));
        let work =
            move |cancel| async move { Ok(releases.execute(&plan, &repository, &cancel, &*observer).await?) };
        Job::waiting(work, plain)
    }
}

/// The tags that a remote has now.
#[pyfunction]
#[pyo3(signature = (repository, remote = "origin"))]
pub(crate) fn observe_tags(
    py: Python<'_>,
    repository: &Bound<'_, Repository>,
    remote: &str,
) -> Result<Py<PyAny>> {
    observing(repository, remote)?.wait(py)
}

/// As `observe_tags`, to be awaited.
#[pyfunction]
#[pyo3(signature = (repository, remote = "origin"))]
pub(crate) fn observe_tags_async<'py>(
    py: Python<'py>,
    repository: &Bound<'py, Repository>,
    remote: &str,
) -> Result<Bound<'py, PyAny>> {
    observing(repository, remote)?.awaitable(py)
}

fn observing(repository: &Bound<'_, Repository>, remote: &str) -> Result<Job<Vec<git::Tag>>> {
    let (repository, remote) = (repository.get().0.clone(), RemoteName::parse(remote)?);
    let work = |cancel| async move { Ok(ReleaseRequest::observe_tags(&repository, &remote, &cancel).await?) };
    Ok(Job::waiting(work, plain))
}
