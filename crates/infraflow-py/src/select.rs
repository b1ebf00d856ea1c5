//! Which test cases run.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use infraflow_core::{
    catalog::{CaseId, CaseKind},
    impact::Rules,
    proof::{Clock as _, SystemClock, Timestamp},
    select::{
        self as core, Evidence, ImpactSelector, Nightly, SelectRules, Sharding, Terms, TestSelector as _,
    },
    terraform::ToolVersion,
};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyType};

use crate::{
    catalog::Catalog,
    data::{Holds as _, document, record, wrap},
    error::{Failure, Result},
    impact::Impact,
    job::Job,
    policy::Configuration,
    repository::{Repository, repo_path},
    store::Store,
    value::{ToPython as _, as_json},
};

as_json!(CaseId, CaseKind, core::Day, core::RunOutcome);

document! {
    /// Which test cases run, which do not, each with its reasons, and how they are dealt out to machines.
    TestPlan(core::TestPlan) { cases, skipped, shards, contents_of, budget, warnings }
}

record! {
    /// A test case that runs.
    PlannedCase(core::PlannedCase) { id, module, path, kind, reasons, content, quarantine }
}

record! {
    /// A test case that does not run.
    SkippedCase(core::SkippedCase) { id, reasons, proof }
}

record! {
    /// The test cases of one machine, in the order in which they run there.
    Shard(core::Shard) { cases, estimate_seconds }
}

record! {
    /// Of which revision, and of which tool, the contents of a plan are.
    ContentsOf(core::ContentsOf) { revision, tool }
}

record! {
    /// What became of a budget.
    BudgetUse(core::BudgetUse) { minutes, left_out, planned_seconds, left_out_seconds }
}

record! {
    /// A run that passed.
    GreenRun(core::GreenRun) { run, content, at }
}

record! {
    /// Why a failure of a case does not fail the report.
    Quarantined(core::Quarantined) { until, reason, who }
}

record! {
    /// One run of one test case that came to a result.
    RecordedRun(core::RecordedRun) { case, run, outcome, seconds, at, content }
}

record! {
    /// A case that passed and failed with the same content.
    Flaky(core::Flaky) { case, content, passed, failed }
}

/// What is known of earlier runs: for each case its recorded runs.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct History(Arc<core::History>);

#[pymethods]
impl History {
    /// A history of these runs.
    #[new]
    #[pyo3(signature = (runs = Vec::new()))]
    fn new(runs: Vec<Bound<'_, RecordedRun>>) -> Self {
        let runs = runs.iter().map(|run| (**run.get().held()).clone());
        Self(Arc::new(core::History::of(runs)))
    }

    /// Reads a history from a file of JSON lines; a file that is not there is an empty history. Runs that ended
    /// before `since` are left out.
    #[classmethod]
    #[pyo3(signature = (path, *, since = None))]
    fn read_file(
        _: &Bound<'_, PyType>,
        py: Python<'_>,
        path: PathBuf,
        since: Option<&str>,
    ) -> Result<Py<PyAny>> {
        let since = moment(since)?.unwrap_or_else(|| Timestamp::from_unix(0));
        let work = move || Ok(core::History::read_file(&path, since)?);
        Job::computing(work, |py, history| Ok(Py::new(py, Self(Arc::new(history)))?.into_any())).wait(py)
    }

    /// Reads a history from a store. Runs that ended before `since` are left out.
    #[classmethod]
    #[pyo3(signature = (store, *, since = None))]
    fn read_store(
        _: &Bound<'_, PyType>,
        py: Python<'_>,
        store: &Bound<'_, Store>,
        since: Option<&str>,
    ) -> Result<Py<PyAny>> {
        let since = moment(since)?.unwrap_or_else(|| Timestamp::from_unix(0));
        let store = store.get().0.clone();
        let work = move |_| async move { Ok(core::History::read_store(&store, since).await?) };
        Job::waiting(work, |py, history| Ok(Py::new(py, Self(Arc::new(history)))?.into_any())).wait(py)
    }

    /// Appends these runs to a file, one line of JSON each.
    fn append_file(&self, py: Python<'_>, path: PathBuf) -> Result<()> {
        let runs: Vec<_> = self.0.runs().cloned().collect();
        Ok(py.detach(|| core::History::append_file(&path, &runs))?)
    }

    /// All runs, by case, the newest of each first.
    #[getter]
    fn runs(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.0.runs().cloned().collect::<Vec<_>>().to_python(py)
    }

    /// Cases that passed and failed with the same content.
    #[getter]
    fn flaky(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.0.flaky().to_python(py)
    }

    /// What could not be read, in sentences.
    #[getter]
    fn warnings(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.0.warnings().to_vec().to_python(py)
    }

    /// How many seconds a case takes; `None` where no run of it is known.
    fn seconds_of(&self, case: &str) -> Result<Option<u64>> {
        Ok(self.0.seconds_of(&CaseId::new(repo_path(case)?)))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __repr__(&self) -> String {
        format!("History(runs=<{} items>)", self.0.runs().count())
    }
}

/// What each test case of a revision is made of, as digests.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Contents(Arc<core::Contents>);

#[pymethods]
impl Contents {
    /// The contents of all test cases of a revision and its catalog; `tool` is the tool that will run them, for
    /// example "terraform 1.11.4". `configuration` is the trunk's, or the crate's defaults.
    #[staticmethod]
    #[pyo3(signature = (repository, revision, catalog, *, tool, configuration = None))]
    fn of(
        py: Python<'_>,
        repository: &Bound<'_, Repository>,
        revision: String,
        catalog: &Bound<'_, Catalog>,
        tool: &str,
        configuration: Option<&Bound<'_, Configuration>>,
    ) -> Result<Py<PyAny>> {
        let (repository, catalog) = (repository.get().0.clone(), catalog.get().core.clone());
        let tool = ToolVersion::parse(tool)?;
        let (rules, impact): (SelectRules, Rules) = match configuration {
            Some(configuration) => (configuration.get().0.section()?, configuration.get().0.section()?),
            None => (SelectRules::default(), Rules::default()),
        };
        let work = move || {
            let tree = repository.tree(&repository.revision(&revision)?)?;
            Ok(core::Contents::of(&tree, &catalog, &tool, &rules, &impact)?)
        };
        Job::computing(work, |py, contents| Ok(Py::new(py, Self(Arc::new(contents)))?.into_any())).wait(py)
    }

    /// The digest of a case's content; `None` where it cannot be told.
    fn digest_of(&self, case: &str) -> Result<Option<String>> {
        Ok(self.0.digest_of(&CaseId::new(repo_path(case)?)).map(ToString::to_string))
    }

    /// Why a case's content cannot be told; `None` where it can.
    fn unknown(&self, py: Python<'_>, case: &str) -> Result<Py<PyAny>> {
        let case = CaseId::new(repo_path(case)?);
        Ok(match self.0.of_case(&case) {
            Some(core::Content::Unknown(reason)) => Some(reason.clone()),
            _ => None,
        }
        .to_python(py)?)
    }

    fn __repr__(&self) -> String {
        format!("Contents(revision='{}', cases=<{} items>)", self.0.revision(), self.0.cases().count())
    }
}

/// Which test cases a change touches, and no others; dealt out to so many machines, by the seconds that each
/// case is said or recorded to take. With `contents` and `skip_green`, not those that passed with the same content;
/// with `budget_minutes`, those for which the time does not suffice are among `skipped`, under the rule `budget`.
#[pyfunction]
#[pyo3(signature = (impact, catalog, *, shards = 1, seconds = BTreeMap::new(), history = None, contents = None,
    skip_green = false, budget_minutes = None, configuration = None, at = None))]
#[allow(clippy::too_many_arguments)] // keywords of Python
pub(crate) fn select(
    py: Python<'_>,
    impact: &Bound<'_, Impact>,
    catalog: &Bound<'_, Catalog>,
    shards: usize,
    seconds: BTreeMap<String, u64>,
    history: Option<&Bound<'_, History>>,
    contents: Option<&Bound<'_, Contents>>,
    skip_green: bool,
    budget_minutes: Option<u64>,
    configuration: Option<&Bound<'_, Configuration>>,
    at: Option<&str>,
) -> Result<Py<TestPlan>> {
    if skip_green && contents.is_none() {
        return Err(PyValueError::new_err(
            "skip_green needs contents: what passed is told by what it is made of",
        )
        .into());
    }
    let evidence = evidence(history, contents, configuration, at)?;
    let mut selector = ImpactSelector::on(
        Terms::default().with_sharding(sharding(shards, seconds)?).with_evidence(evidence),
    );
    selector.minutes = budget_minutes;
    if skip_green {
        selector = selector.skipping_green();
    }
    let (impact, catalog) = (impact.get().held(), &catalog.get().core);
    Ok(wrap(py, py.detach(|| Ok::<_, Failure>(selector.select(impact, &catalog.cases()?)))?)?)
}

/// Every test case, always: providers and clouds change too.
#[pyfunction]
#[pyo3(signature = (catalog, *, shards = 1, seconds = BTreeMap::new(), history = None, contents = None,
    configuration = None, at = None))]
#[allow(clippy::too_many_arguments)] // keywords of Python
pub(crate) fn nightly(
    py: Python<'_>,
    catalog: &Bound<'_, Catalog>,
    shards: usize,
    seconds: BTreeMap<String, u64>,
    history: Option<&Bound<'_, History>>,
    contents: Option<&Bound<'_, Contents>>,
    configuration: Option<&Bound<'_, Configuration>>,
    at: Option<&str>,
) -> Result<Py<TestPlan>> {
    let evidence = evidence(history, contents, configuration, at)?;
    let nightly =
        Nightly::on(Terms::default().with_sharding(sharding(shards, seconds)?).with_evidence(evidence));
    let catalog = &catalog.get().core;
    Ok(wrap(py, py.detach(|| Ok::<_, Failure>(nightly.all(&catalog.cases()?)))?)?)
}

/// The moment is now where none is given.
fn evidence(
    history: Option<&Bound<'_, History>>,
    contents: Option<&Bound<'_, Contents>>,
    configuration: Option<&Bound<'_, Configuration>>,
    at: Option<&str>,
) -> Result<Evidence> {
    let mut evidence = Evidence::at(moment(at)?.unwrap_or_else(|| SystemClock.now()));
    if let Some(configuration) = configuration {
        evidence = evidence.with_rules(configuration.get().0.section()?);
    }
    if let Some(history) = history {
        evidence = evidence.with_history(Arc::clone(&history.get().0));
    }
    if let Some(contents) = contents {
        evidence = evidence.with_contents(Arc::clone(&contents.get().0));
    }
    Ok(evidence)
}

fn moment(text: Option<&str>) -> Result<Option<Timestamp>> {
    Ok(text.map(Timestamp::parse).transpose()?)
}

fn sharding(shards: usize, seconds: BTreeMap<String, u64>) -> Result<Sharding> {
    let seconds = seconds.into_iter().map(|(case, seconds)| Ok((CaseId::new(repo_path(&case)?), seconds)));
    Ok(Sharding::over(shards).with_seconds(seconds.collect::<Result<_>>()?))
}
