//! What a change set touches.

use infraflow_core::{
    catalog::{DialectName, UnitId, Unparsable as CoreUnparsable},
    impact,
    policy::EnvironmentName,
};

use crate::{
    data::{document, record},
    value::as_json,
};

as_json!(DialectName, EnvironmentName, UnitId);

document! {
    /// What a change set touches, each thing with the shortest chain of references back to a changed file.
    Impact(impact::Impact) {
        base, head, merge_base, changes, modules, units, cases, removed_modules, removed_units, dependents,
        unparsable, warnings,
    }
}

record! {
    /// A module, and why it is affected or gone.
    AffectedModule(impact::AffectedModule) { path, dialect, reasons }
}

record! {
    /// A unit, and why it is affected or gone.
    AffectedUnit(impact::AffectedUnit) { id, path, dialect, environment, reasons }
}

record! {
    /// A test case, and why it is affected.
    AffectedCase(impact::AffectedCase) { id, module, path, kind, reasons }
}

record! {
    /// A file that could not be understood: whatever could be in it is taken as changed.
    Unparsable(CoreUnparsable) { path, line, why }
}
