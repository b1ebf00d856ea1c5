//! What a change set touches.

use infraflow_core::{
    address::{PackageIdentity, SourceAddress},
    catalog::{DialectName, UnitId, Unparsable as CoreUnparsable},
    impact as core,
    policy::EnvironmentName,
};

use pyo3::prelude::*;

use crate::{
    catalog::Catalog,
    data::{Holds as _, document, record, wrap},
    detect::ChangeSet,
    error::Result,
    value::{ToPython as _, as_json},
};

as_json!(DialectName, EnvironmentName, UnitId);

document! {
    /// What a change set touches, each thing with the shortest chain of references back to a changed file.
    Impact(core::Impact) {
        base, head, merge_base, changes, modules, units, cases, removed_modules, removed_units, dependents,
        unparsable, warnings,
    }
}

record! {
    /// A module, and why it is affected or gone.
    AffectedModule(core::AffectedModule) { path, dialect, reasons }
}

record! {
    /// A unit, and why it is affected or gone.
    AffectedUnit(core::AffectedUnit) { id, path, dialect, environment, reasons }
}

record! {
    /// A test case, and why it is affected.
    AffectedCase(core::AffectedCase) { id, module, path, kind, reasons }
}

record! {
    /// A file that could not be understood: whatever could be in it is taken as changed.
    Unparsable(CoreUnparsable) { path, line, why }
}

record! {
    /// A unit of a live repository that calls an affected module of a modules repository.
    Reached(core::Reached) { unit, environment, module, pinned, reasons }
}

/// What a change set touches; `base` is the catalog of its merge base, `head` that of its head.
#[pyfunction]
pub(crate) fn impact(
    py: Python<'_>,
    changes: &Bound<'_, ChangeSet>,
    base: &Bound<'_, Catalog>,
    head: &Bound<'_, Catalog>,
) -> Result<Py<Impact>> {
    let (changes, base, head) = (changes.get().held(), &base.get().0, &head.get().0);
    Ok(wrap(py, py.detach(|| core::assess(changes, base, head)))?)
}

/// Which units of a live repository a change of a modules repository reaches, once it is released and their
/// refs are raised. `modules` are the addresses under which the modules repository is fetched.
#[pyfunction]
pub(crate) fn reach(
    py: Python<'_>,
    impact: &Bound<'_, Impact>,
    live: &Bound<'_, Catalog>,
    modules: Vec<String>,
) -> Result<Py<PyAny>> {
    let addresses = modules.iter().map(|address| Ok(PackageIdentity::of(&SourceAddress::parse(address)?)));
    let addresses: Vec<_> = addresses.collect::<Result<_>>()?;
    let (impact, live) = (impact.get().held(), &live.get().0);
    Ok(py.detach(|| core::reach(impact, live, &addresses)).to_python(py)?)
}
