//! What a change set touches.

use infraflow_core::{
    address::{PackageIdentity, SourceAddress},
    catalog::{DialectName, UnitId, Unparsable as CoreUnparsable},
    git::Revision,
    impact::{self as core, ImpactOptions, ModuleAddresses, ReasonsFor, ScopeLimits},
    policy::{Configuration as CoreConfiguration, EnvironmentName, Section},
};

use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    catalog::Catalog,
    data::{Holds as _, document, record, wrap},
    detect::ChangeSet,
    error::Result,
    job::{Job, plain},
    policy::Configuration,
    repository::Repository,
    value::as_json,
};

as_json!(
    DialectName,
    EnvironmentName,
    UnitId,
    core::RuleAction,
    core::StateFate,
    core::ReachedWhen,
    core::GraphNode,
    core::GraphEdge,
);

document! {
    /// What a change set touches, each thing with the shortest chain of references back to a changed file.
    Impact(core::Impact) {
        base, head, merge_base, changes, modules, units, cases, removed_modules, removed_units, renamed_units,
        stack_units, removed_stack_units, dependents, ruled, unparsable, warnings,
    }
}

record! {
    /// A module, and why it is affected or gone.
    AffectedModule(core::AffectedModule) { path, dialect, reasons, chains_left_out }
}

record! {
    /// A unit, and why it is affected or gone.
    AffectedUnit(core::AffectedUnit) { id, path, dialect, environment, reasons, chains_left_out }
}

record! {
    /// A unit that a stack generates, and why it is affected or gone.
    AffectedStackUnit(core::AffectedStackUnit) { id, path, stack, reasons }
}

record! {
    /// A test case, and why it is affected.
    AffectedCase(core::AffectedCase) { id, module, path, kind, reasons, chains_left_out }
}

record! {
    /// A file that could not be understood: whatever could be in it is taken as changed.
    Unparsable(CoreUnparsable) { path, line, why }
}

record! {
    /// A changed path that a rule of `[impact]` speaks of.
    Ruled(core::Ruled) { path, action, rule, reason, of_all }
}

record! {
    /// A unit whose directory was renamed, and whether it finds its state.
    RenamedUnit(core::RenamedUnit) { from = "from_", to, state, reasons }
}

document! {
    /// Why something is affected, or why it is not.
    Why(core::Why) { asked, affected, things, reasons }
}

record! {
    /// A thing and why it is affected or gone.
    Answered(core::Answered) { what, name, reasons, chains_left_out }
}

document! {
    /// How large a change is, and how old its branch.
    Scope(core::Scope) {
        base, head, merge_base, files, modules, units, removed, cases, environments, depth, deepest, widest,
        branch, warnings,
    }
}

record! {
    /// How much is touched through one module.
    Width(core::Width) { module, things }
}

record! {
    /// How far a branch and trunk went apart.
    BranchAge(core::BranchAge) { ahead, behind, days }

    /// The age of a change's branch, from the histories of both ends; `None` where the clone is too shallow to
    /// tell.
    #[staticmethod]
    fn of(
        py: Python<'_>,
        changes: &Bound<'_, ChangeSet>,
        repository: &Bound<'_, Repository>,
    ) -> Result<Py<PyAny>> {
        let (changes, repository) = (changes.get().held().clone(), repository.get().0.clone());
        Job::computing(move || Ok(core::BranchAge::of(&changes, &repository)?), plain).wait(py)
    }
}

record! {
    /// The affected part of the graph, drawn from the reasons of an impact.
    Graph(core::Graph) { nodes, edges, left_out }
}

document! {
    /// Which units of a live repository the change of a modules repository reaches.
    Reach(core::Reach) { merge_base, head, live, reached, warnings }
}

record! {
    /// A unit of a live repository that calls an affected module of a modules repository.
    Reached(core::Reached) { unit, environment, module, pinned, newest, is_newest, when, reasons }
}

/// A section of the configuration, or its defaults.
fn section<T: Section>(configuration: Option<&Bound<'_, Configuration>>) -> Result<T> {
    Ok(match configuration {
        Some(configuration) => configuration.get().0.section()?,
        None => CoreConfiguration::defaults().section()?,
    })
}

/// As [`section`]; where no configuration is given, of the one that a catalog was made by.
fn section_for<T: Section>(catalog: &Catalog, given: Option<&Bound<'_, Configuration>>) -> Result<T> {
    Ok(given.map_or(&catalog.configuration, |given| &given.get().0).section()?)
}

/// What a change set touches; `base` is the catalog of its merge base, `head` that of its head. The rules of
/// `[impact]` are those of the configuration: where none is given, of the one that the catalog of the head was made by,
/// which is trunk's unless that was given another. Each thing has its "shortest" reason; with `reasons="each_change"`
/// one for each changed file that leads to it, with "all" each chain of references that does: the 64 shortest, and
/// in `chains_left_out` how many more there are.
#[pyfunction]
#[pyo3(signature = (changes, base, head, *, configuration = None, reasons = "shortest"))]
pub(crate) fn impact(
    py: Python<'_>,
    changes: &Bound<'_, ChangeSet>,
    base: &Bound<'_, Catalog>,
    head: &Bound<'_, Catalog>,
    configuration: Option<&Bound<'_, Configuration>>,
    reasons: &str,
) -> Result<Py<Impact>> {
    let reasons = match reasons {
        "shortest" => ReasonsFor::TheThing,
        "each_change" => ReasonsFor::EachChange,
        "all" => ReasonsFor::EachChain,
        other => {
            let message = format!("reasons is \"shortest\", \"each_change\" or \"all\", not {other:?}");
            return Err(PyValueError::new_err(message).into());
        }
    };
    let rules = section_for(head.get(), configuration)?;
    let options = ImpactOptions::by(rules).with_reasons_for(reasons);
    let (changes, base, head) = (changes.get().held(), &base.get().core, &head.get().core);
    Ok(wrap(py, py.detach(|| core::assess_with(changes, base, head, &options))?)?)
}

/// The same impact with what became of renamed units: whether they find their state, or would be destroyed and
/// created anew.
#[pyfunction]
pub(crate) fn tell_renames(
    py: Python<'_>,
    impact: &Bound<'_, Impact>,
    repository: &Bound<'_, Repository>,
) -> Result<Py<Impact>> {
    let (mut impact, repository) = ((**impact.get().held()).clone(), repository.get().0.clone());
    let told = py.detach(|| -> Result<core::Impact> {
        let base = repository.tree(&Revision::Commit(impact.merge_base))?;
        let head = repository.tree(&impact.head)?;
        core::tell_renames(&mut impact, &base, &head)?;
        Ok(impact)
    });
    Ok(wrap(py, told?)?)
}

/// Why a path or a unit's id is affected, or why it is not; `head` is the catalog of the head. The rules of `[impact]`
/// are those that `impact` takes.
#[pyfunction]
#[pyo3(signature = (asked, impact, head, *, configuration = None))]
pub(crate) fn why(
    py: Python<'_>,
    asked: &str,
    impact: &Bound<'_, Impact>,
    head: &Bound<'_, Catalog>,
    configuration: Option<&Bound<'_, Configuration>>,
) -> Result<Py<Why>> {
    let rules = section_for(head.get(), configuration)?;
    let (impact, head) = (impact.get().held(), &head.get().core);
    Ok(wrap(py, py.detach(|| core::why(asked, impact, head, &rules))?)?)
}

/// How large a change is, and what is over a limit of `[scope]`.
#[pyfunction]
#[pyo3(signature = (impact, *, branch = None, configuration = None))]
pub(crate) fn scope(
    py: Python<'_>,
    impact: &Bound<'_, Impact>,
    branch: Option<&Bound<'_, BranchAge>>,
    configuration: Option<&Bound<'_, Configuration>>,
) -> Result<Py<Scope>> {
    let limits: ScopeLimits = section(configuration)?;
    let (impact, branch) = (impact.get().held(), branch.map(|branch| **branch.get().held()));
    Ok(wrap(py, core::Scope::of(impact, branch, &limits))?)
}

/// The affected part of the graph, of at most so many nodes.
#[pyfunction]
#[pyo3(signature = (impact, *, most = 200))]
pub(crate) fn graph(py: Python<'_>, impact: &Bound<'_, Impact>, most: usize) -> Result<Py<Graph>> {
    let impact = impact.get().held();
    Ok(wrap(py, py.detach(|| core::Graph::of(impact, most)))?)
}

/// A graph as a flowchart of Mermaid.
#[pyfunction]
pub(crate) fn mermaid(graph: &Bound<'_, Graph>) -> String {
    graph.get().held().mermaid()
}

/// A graph in the language of Graphviz.
#[pyfunction]
pub(crate) fn dot(graph: &Bound<'_, Graph>) -> String {
    graph.get().held().dot()
}

/// Which units of a live repository a change of a modules repository reaches, once it is released and their
/// refs are raised. `modules` are the addresses under which the modules repository is fetched; by `[impact]` of
/// the configuration modules are published in a registry; `tags` tell which ref is the newest.
#[pyfunction]
#[pyo3(signature = (impact, live, modules, *, configuration = None, tags = Vec::new()))]
pub(crate) fn reach(
    py: Python<'_>,
    impact: &Bound<'_, Impact>,
    live: &Bound<'_, Catalog>,
    modules: Vec<String>,
    configuration: Option<&Bound<'_, Configuration>>,
    tags: Vec<String>,
) -> Result<Py<Reach>> {
    let addresses = modules.iter().map(|address| Ok(PackageIdentity::of(&SourceAddress::parse(address)?)));
    let rules: core::Rules = section(configuration)?;
    let addresses = ModuleAddresses::of(addresses.collect::<Result<Vec<_>>>()?)
        .with_published(rules.published().iter().cloned())
        .with_tags(tags);
    let (impact, live) = (impact.get().held(), &live.get().core);
    let found = py.detach(|| -> Result<core::Reach> {
        let reached = core::reach(impact, live, &addresses)?;
        Ok(core::Reach::new(impact, Some(*live.tree().revision()), reached, live.warnings()?))
    })?;
    Ok(wrap(py, found)?)
}
