//! Post sealed logs and summaries, and open them again.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use infraflow_core::{
    policy::EnvironmentName,
    proof::{Principal, RunId, SystemClock},
    publish::{self as core, ItemName, OpenRequest, Publisher as _, Sealers},
    store::Key,
};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    data::{Holds as _, document, record},
    dry_run::{DryRun, DryRunOutcome},
    error::Result,
    job::{Job, plain},
    observe::observer_of,
    seal::SharedKeySealer,
    sign::{AllowedSigners, SigningKey},
    store::Store,
    value::as_json,
};

as_json!(ItemName, Key, RunId);

document! {
    /// What would be published of a dry run, and where.
    PublishPlan(core::PublishPlan) { repository, run, dry_run, units, skipped }
}

record! {
    /// What would be published of one unit.
    UnitPublishPlan(core::UnitPublishPlan) { unit, environment, plan, commit, manifest, sealed, clear }
}

record! {
    /// A unit of which there is nothing to publish.
    NotPublished(core::NotPublished) { unit, reasons }
}

document! {
    /// What was published of a dry run. It holds no secret.
    Published(core::Published) { dry_run, units, text, markdown, redaction }
}

record! {
    /// What was published of one unit; `manifest` is the key by which the rest is found and opened.
    UnitPublished(core::UnitPublished) { unit, plan, manifest, items }
}

record! {
    /// One thing that was published.
    PublishedItem(core::PublishedItem) { object, digest, length, key }
}

record! {
    /// One entry of the record of who opened what.
    Opening(core::Opening) { at, by, item, sealed }
}

/// Publishes to a store: logs and saved plans sealed, each environment's with its own sealer and all others with
/// `others`; a summary in clear, without secrets; a manifest signed with `key`.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct StorePublisher(Arc<core::StorePublisher>);

#[pymethods]
impl StorePublisher {
    #[new]
    #[pyo3(signature = (store, *, repository, run, key, sealers = BTreeMap::new(), others = None))]
    fn new(
        store: &Bound<'_, Store>,
        repository: &str,
        run: &str,
        key: &Bound<'_, SigningKey>,
        sealers: BTreeMap<String, Bound<'_, SharedKeySealer>>,
        others: Option<&Bound<'_, SharedKeySealer>>,
    ) -> Result<Self> {
        let mut known = Sealers::new();
        for (environment, sealer) in sealers {
            known = known.with(EnvironmentName::parse(&environment)?, sealer.get().0.clone());
        }
        if let Some(sealer) = others {
            known = known.with_others(sealer.get().0.clone());
        }
        let (store, key) = (store.get().0.clone(), key.get().0.clone());
        Ok(Self(Arc::new(core::StorePublisher::new(store, repository, RunId::parse(run)?, key, known))))
    }

    /// What would be published, and where.
    fn plan(&self, py: Python<'_>, dry_run: &Bound<'_, DryRun>) -> Result<Py<PyAny>> {
        let (publisher, dry_run) = (self.0.clone(), dry_run.get().held().clone());
        Job::computing(move || Ok(publisher.plan(&dry_run)?), plain).wait(py)
    }

    /// Publishes it. The same run publishes the same dry run once.
    #[pyo3(signature = (plan, outcome, *, observer = None))]
    fn execute(
        &self,
        py: Python<'_>,
        plan: &Bound<'_, PublishPlan>,
        outcome: &Bound<'_, DryRunOutcome>,
        observer: Option<Bound<'_, PyAny>>,
    ) -> Result<Py<PyAny>> {
        self.executing(plan, outcome, observer)?.wait(py)
    }

    /// As `execute`, to be awaited.
    #[pyo3(signature = (plan, outcome, *, observer = None))]
    fn execute_async<'py>(
        &self,
        py: Python<'py>,
        plan: &Bound<'py, PublishPlan>,
        outcome: &Bound<'py, DryRunOutcome>,
        observer: Option<Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>> {
        self.executing(plan, outcome, observer)?.awaitable(py)
    }
}

impl StorePublisher {
    fn executing(
        &self,
        plan: &Bound<'_, PublishPlan>,
        outcome: &Bound<'_, DryRunOutcome>,
        observer: Option<Bound<'_, PyAny>>,
    ) -> Result<Job<core::Published>> {
        let (publisher, plan) = (self.0.clone(), plan.get().held().clone());
        let (outcome, observer) = (outcome.get().files()?, observer_of(observer));
        let work = move |cancel| async move {
            let (dry_run, artefacts) = (&outcome.dry_run, &outcome.artefacts);
            Ok(publisher.execute(&plan, dry_run, artefacts, &cancel, &*observer).await?)
        };
        Ok(Job::waiting(work, plain))
    }
}

/// Opens what was published under a manifest into the new file `destination`, readable by its owner alone: the
/// log, unless `item` says otherwise. The manifest must be signed by one of `signers`; that `by` opened it is
/// recorded first.
#[pyfunction]
#[pyo3(signature = (store, manifest, destination, *, signers, sealer, by, item = "log"))]
#[allow(clippy::too_many_arguments)] // they are keywords in Python
pub(crate) fn open_log(
    py: Python<'_>,
    store: &Bound<'_, Store>,
    manifest: &str,
    destination: PathBuf,
    signers: &Bound<'_, AllowedSigners>,
    sealer: &Bound<'_, SharedKeySealer>,
    by: String,
    item: &str,
) -> Result<Py<PyAny>> {
    opening(store, manifest, destination, signers, sealer, by, item)?.wait(py)
}

/// As `open_log`, to be awaited.
#[pyfunction]
#[pyo3(signature = (store, manifest, destination, *, signers, sealer, by, item = "log"))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn open_log_async<'py>(
    py: Python<'py>,
    store: &Bound<'py, Store>,
    manifest: &str,
    destination: PathBuf,
    signers: &Bound<'py, AllowedSigners>,
    sealer: &Bound<'py, SharedKeySealer>,
    by: String,
    item: &str,
) -> Result<Bound<'py, PyAny>> {
    opening(store, manifest, destination, signers, sealer, by, item)?.awaitable(py)
}

/// What was opened: the digest of the plain bytes, and how many there are.
#[pyclass(frozen, get_all, module = "infraflow")]
pub(crate) struct OpenedItem {
    unit: String,
    signers: Vec<String>,
    digest: String,
    length: u64,
}

fn opening(
    store: &Bound<'_, Store>,
    manifest: &str,
    destination: PathBuf,
    signers: &Bound<'_, AllowedSigners>,
    sealer: &Bound<'_, SharedKeySealer>,
    by: String,
    item: &str,
) -> Result<Job<core::OpenedItem>> {
    let unknown = || PyValueError::new_err(format!("nothing that is published is called {item:?}"));
    let (item, manifest) = (ItemName::parse(item).ok_or_else(unknown)?, Key::parse(manifest)?);
    let (store, signers) = (store.get().0.clone(), signers.get().0.clone());
    let sealer = sealer.get().0.clone();
    let work = move |_| async move {
        let (store, manifest, signers, by) = (&store, &manifest, &signers, Principal(by));
        let request = OpenRequest { store, manifest, item, signers, sealer, by };
        Ok(core::open_log(&request, &destination, &SystemClock).await?)
    };
    Ok(Job::waiting(work, |py, opened| {
        let opened = OpenedItem {
            unit: opened.manifest.manifest.unit,
            signers: opened.manifest.signers.iter().map(ToString::to_string).collect(),
            digest: opened.digest.to_string(),
            length: opened.length,
        };
        Ok(Py::new(py, opened)?.into_any())
    }))
}

/// Who opened what of a manifest, in the order of time.
#[pyfunction]
pub(crate) fn openings(py: Python<'_>, store: &Bound<'_, Store>, manifest: &str) -> Result<Py<PyAny>> {
    let (store, manifest) = (store.get().0.clone(), Key::parse(manifest)?);
    Job::waiting(move |_| async move { Ok(core::openings(&store, &manifest).await?) }, plain).wait(py)
}
