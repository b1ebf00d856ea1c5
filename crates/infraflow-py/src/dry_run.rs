//! What applying would do.

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use infraflow_core::{
    catalog::UnitId,
    dry_run::{self as core, DryRunContext, DryRunner as _, Scope, SeenIn, UnitOutcome},
    git,
    observe::Observer,
    policy::CredentialProvider,
    store,
    terraform::Tool,
};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    catalog::Catalog,
    credentials::provider_of,
    data::{Holds as _, document, record, wrap},
    error::Result,
    impact::Impact,
    job::{Job, running_loop},
    observe::observer_of,
    policy::{Configuration, Policy},
    repository::Repository,
    store::Store,
    value::as_json,
};

as_json!(SeenIn, UnitOutcome);

document! {
    /// Which units are to be dry-run, at which revision, and why.
    DryRunPlan(core::DryRunPlan) { revision, units, skipped }
}

record! {
    /// A unit that is to be dry-run.
    PlannedUnit(core::PlannedUnit) { id, path, dialect, environment, reads, others, reasons }
}

record! {
    /// A unit that is not dry-run.
    SkippedUnit(core::SkippedUnit) { id, reasons }
}

document! {
    /// What applying would do, unit by unit, at one revision.
    DryRun(core::DryRun) { units }
}

record! {
    /// What applying would do to one unit.
    UnitDryRun(core::UnitDryRun) {
        id, path, environment, outcome, counts, drift, mocked, digest, fingerprint, commit, tool, seconds,
        sealed_log, plan_file, state, plan, reasons,
    }
}

document! {
    /// Where a revision, that should mirror what is deployed, does not.
    DriftReport(core::DriftReport) { revision, units }
}

record! {
    /// One unit, and where it no longer agrees.
    UnitDrift(core::UnitDrift) { id, path, environment, outcome, disagreements, reasons }
}

record! {
    /// One place where the revision, the state and the world do not agree.
    Disagreement(core::Disagreement) { address, path, actions, seen_in }
}

/// Where a dry run of a whole revision shows that it does not mirror what is deployed.
#[pyfunction]
pub(crate) fn drift_report(
    py: Python<'_>,
    plan: &Bound<'_, DryRunPlan>,
    dry_run: &Bound<'_, DryRun>,
) -> Result<Py<DriftReport>> {
    Ok(wrap(py, core::DriftReport::of(plan.get().held().revision, dry_run.get().held()))?)
}

/// A dry run, and the private folder with the files that it left: logs, saved plans, plan JSON. They hold
/// secrets. The folder goes with `close`, at the end of a `with` block, or with the last reference.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct DryRunOutcome {
    dry_run: Py<DryRun>,
    outcome: Mutex<Option<Arc<core::DryRunOutcome>>>,
}

#[pymethods]
impl DryRunOutcome {
    /// What applying would do, without any value.
    #[getter]
    fn dry_run(&self, py: Python<'_>) -> Py<DryRun> {
        self.dry_run.clone_ref(py)
    }

    /// The private folder.
    #[getter]
    fn folder(&self) -> Result<PathBuf> {
        Ok(self.files()?.folder.path().to_owned())
    }

    /// The files of each unit that was begun.
    #[getter]
    fn artefacts(&self) -> Result<Vec<UnitArtefacts>> {
        let files = |unit: &core::UnitArtefacts| UnitArtefacts {
            unit: unit.unit.to_string(),
            log: unit.log.clone(),
            plan_file: unit.plan_file.clone(),
            plan_json: unit.plan_json.clone(),
        };
        Ok(self.files()?.artefacts.iter().map(files).collect())
    }

    /// Removes the files.
    fn close(&self) {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __exit__(&self, _type: &Bound<'_, PyAny>, _value: &Bound<'_, PyAny>, _traceback: &Bound<'_, PyAny>) {
        self.close();
    }
}

impl DryRunOutcome {
    /// The outcome with its files, while they are there.
    pub(crate) fn files(&self) -> Result<Arc<core::DryRunOutcome>> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(outcome
            .ok_or_else(|| PyValueError::new_err("the files of this dry run were removed by close()"))?)
    }
}

/// The files that the dry run of one unit left. All of them hold secrets.
#[pyclass(frozen, get_all, module = "infraflow")]
pub(crate) struct UnitArtefacts {
    unit: String,
    log: PathBuf,
    plan_file: Option<PathBuf>,
    plan_json: Option<PathBuf>,
}

/// Dry-runs units with terraform or tofu: with `program`, or with the one that is found. At most `parallel`
/// units at once, and no command of the tool for longer than `time_limit` seconds.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct TerraformDryRunner(core::TerraformDryRunner);

#[pymethods]
impl TerraformDryRunner {
    #[new]
    #[pyo3(signature = (*, program = None, parallel = None, time_limit = None))]
    fn new(
        py: Python<'_>,
        program: Option<PathBuf>,
        parallel: Option<NonZeroUsize>,
        time_limit: Option<f64>,
    ) -> Result<Self> {
        let tool = py.detach(|| match program {
            Some(program) => Tool::at(program),
            None => Tool::find(),
        })?;
        let mut runner = core::TerraformDryRunner::new(tool);
        if let Some(units) = parallel {
            runner = runner.parallel(units);
        }
        if let Some(seconds) = time_limit {
            let limit = Duration::try_from_secs_f64(seconds);
            runner = runner.time_limit(limit.map_err(|error| PyValueError::new_err(error.to_string()))?);
        }
        Ok(Self(runner))
    }

    /// The tool and its version.
    #[getter]
    fn tool(&self) -> String {
        self.0.tool().version().to_string()
    }

    /// What would be dry-run: the units that `impact` names, or the given ones, or all of the catalog. `policy`
    /// is the trunk's.
    #[pyo3(signature = (repository, revision, catalog, *, policy = None, impact = None, units = None))]
    #[allow(clippy::too_many_arguments)] // they are keywords in Python
    fn plan(
        &self,
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        revision: String,
        catalog: &Bound<'_, Catalog>,
        policy: Option<&Bound<'_, Policy>>,
        impact: Option<&Bound<'_, Impact>>,
        units: Option<Vec<String>>,
    ) -> Result<Py<PyAny>> {
        let (runner, repository) = (self.0.clone(), repository.get().0.clone());
        let (catalog, policy) = (catalog.get().core.clone(), policy.map(|policy| policy.get().0.clone()));
        let impact = impact.map(|impact| impact.get().held().clone());
        let units =
            units.map(|units| units.iter().map(|unit| UnitId::parse(unit)).collect::<Result<Vec<_>, _>>());
        let units = units.transpose()?;
        let work = move || {
            let scope = match (&impact, &units) {
                (Some(_), Some(_)) => {
                    return Err(PyValueError::new_err("give an impact or units, not both").into());
                }
                (Some(impact), None) => Scope::Impact(impact),
                (None, Some(units)) => Scope::Units(units),
                (None, None) => Scope::All,
            };
            let policy = match policy {
                Some(policy) => policy,
                None => {
                    infraflow_core::policy::Policy::read(&repository.tree(&repository.trunk_tip()?.into())?)?
                }
            };
            Ok(runner.plan(&repository.revision(&revision)?, &catalog, scope, &policy)?)
        };
        Job::computing(work, crate::job::plain).wait(py)
    }

    /// Dry-runs the units of a plan.
    ///
    /// `store` is the one that approvals are kept in: its key guards the sensitive values in fingerprints, so
    /// that those of another store do not compare. `credentials` is an object with a method
    /// `credentials(environment, purpose)`, plain or a coroutine, that returns everything the tool may see of
    /// the environment; without one, `[credentials]` of the configuration says what is handed on. `observer` is
    /// called with each `Event`.
    #[pyo3(signature = (
        repository, plan, *, store = None, credentials = None, configuration = None, observer = None,
    ))]
    #[allow(clippy::too_many_arguments)]
    fn observe(
        &self,
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        plan: &Bound<'_, DryRunPlan>,
        store: Option<&Bound<'_, Store>>,
        credentials: Option<&Bound<'_, PyAny>>,
        configuration: Option<&Bound<'_, Configuration>>,
        observer: Option<Bound<'_, PyAny>>,
    ) -> Result<Py<PyAny>> {
        let credentials = provider_of(credentials, configuration, None)?;
        Observation::new(self, repository, plan, store, credentials, observer).job().wait(py)
    }

    /// As `observe`, to be awaited. Cancelling it interrupts the tools, and waits until they have ended.
    #[pyo3(signature = (
        repository, plan, *, store = None, credentials = None, configuration = None, observer = None,
    ))]
    #[allow(clippy::too_many_arguments)]
    fn observe_async<'py>(
        &self,
        py: Python<'py>,
        repository: &Bound<'py, Repository>,
        plan: &Bound<'py, DryRunPlan>,
        store: Option<&Bound<'py, Store>>,
        credentials: Option<&Bound<'py, PyAny>>,
        configuration: Option<&Bound<'py, Configuration>>,
        observer: Option<Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>> {
        let credentials = provider_of(credentials, configuration, Some(running_loop(py)?))?;
        Observation::new(self, repository, plan, store, credentials, observer).job().awaitable(py)
    }

    fn __repr__(&self) -> String {
        format!("TerraformDryRunner(tool='{}')", self.tool())
    }
}

/// The arguments of `observe`, out of Python's hands.
struct Observation {
    runner: core::TerraformDryRunner,
    repository: git::Repository,
    plan: Arc<core::DryRunPlan>,
    store: store::Store,
    credentials: Arc<dyn CredentialProvider>,
    observer: Arc<dyn Observer>,
}

impl Observation {
    fn new(
        runner: &TerraformDryRunner,
        repository: &Bound<'_, Repository>,
        plan: &Bound<'_, DryRunPlan>,
        store: Option<&Bound<'_, Store>>,
        credentials: Arc<dyn CredentialProvider>,
        observer: Option<Bound<'_, PyAny>>,
    ) -> Self {
        Self {
            runner: runner.0.clone(),
            repository: repository.get().0.clone(),
            plan: plan.get().held().clone(),
            store: store.map_or_else(store::Store::memory, |store| store.get().0.clone()),
            credentials,
            observer: observer_of(observer),
        }
    }

    fn job(self) -> Job<core::DryRunOutcome> {
        let work = move |cancel| async move {
            let context = DryRunContext {
                repository: &self.repository,
                credentials: &*self.credentials,
                hmac: &self.store.hmac().await?,
                cancel: &cancel,
                observer: &*self.observer,
            };
            Ok(self.runner.observe(&self.plan, &context).await?)
        };
        Job::waiting(work, |py, outcome| {
            let dry_run = wrap::<DryRun>(py, outcome.dry_run.clone())?;
            let outcome = Mutex::new(Some(Arc::new(outcome)));
            Ok(Py::new(py, DryRunOutcome { dry_run, outcome })?.into_any())
        })
    }
}
