//! Modules, units and test cases told apart. The rules stand in the documentation of the folder.

use super::{CaseKind, CatalogError, MarkKind, ReferenceKind, build::Makings, record::Record, view::View};
use crate::proof::RepoPath;

/// What a scope is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Module,
    Unit,
    /// The configuration that a unit of another dialect runs in the same directory.
    Part {
        dialect: u8,
    },
    Case {
        module: RepoPath,
        kind: CaseKind,
    },
}

impl Sort {
    /// Whether a tool is run there, so that relative paths begin there.
    pub(super) fn is_run(&self) -> bool {
        *self != Self::Module
    }
}

pub(super) fn sort(view: &View, makings: &Makings, record: &Record) -> Result<Sort, CatalogError> {
    if record.key.test {
        return Ok(Sort::Case { module: record.directory.clone(), kind: CaseKind::TestFile });
    }
    if says_of_others(makings, record) {
        return Ok(Sort::Module);
    }
    for id in view.records_at(&record.key.at)? {
        let other = view.record(id)?;
        // What another dialect takes for a unit is one with the configuration that stands there.
        if !other.key.test
            && other.key.dialect != record.key.dialect
            && makings.runs(other.key.dialect, record.key.dialect)
            && other.marks.contains(&MarkKind::Unit)
            && (!record.marks.contains(&MarkKind::Unit) || other.key.dialect > record.key.dialect)
            && alone(view, makings, &other)? == Sort::Unit
        {
            return Ok(Sort::Part { dialect: other.key.dialect });
        }
    }
    alone(view, makings, record)
}

/// Whether the files of a scope say something of units elsewhere alone: their directory stands for nothing.
pub(super) fn says_of_others(makings: &Makings, record: &Record) -> bool {
    !record.marks.contains(&MarkKind::Unit)
        && !makings.dialects[usize::from(record.key.dialect)].has_modules()
}

/// What a scope is by itself.
fn alone(view: &View, makings: &Makings, record: &Record) -> Result<Sort, CatalogError> {
    let rules = &makings.rules;
    let directory = &record.directory;
    if rules.is_live(directory) {
        return Ok(Sort::Unit);
    }
    if rules.is_module(directory) {
        return Ok(Sort::Module);
    }
    if record.marks.contains(&MarkKind::Unit) {
        return Ok(Sort::Unit);
    }
    let called = called(view, makings, record)?;
    if !called && let Some(above) = above(view, makings, record)? {
        let module = exemplified(view, makings, record, above)?;
        return Ok(Sort::Case { module, kind: CaseKind::Example });
    }
    if record.marks.contains(&MarkKind::Case) {
        let above = directory.parent().unwrap_or_else(RepoPath::root);
        let module = exemplified(view, makings, record, above)?;
        return Ok(Sort::Case { module, kind: CaseKind::Example });
    }
    if called || directory.names().any(|name| name == b"modules") {
        return Ok(Sort::Module);
    }
    if record.valued || record.marks.contains(&MarkKind::LikelyUnit) {
        return Ok(Sort::Unit);
    }
    Ok(Sort::Module)
}

/// Whether another directory calls this one, or links to its files: that lends them, as a module does.
fn called(view: &View, makings: &Makings, called: &Record) -> Result<bool, CatalogError> {
    let directory = &called.directory;
    let by_another = |record: &Record, edge: &super::record::Edge| {
        edge.kind == ReferenceKind::ModuleCall
            && record.directory != *directory
            && makings.runs(record.key.dialect, called.key.dialect)
    };
    Ok(view.any_end(directory, by_another)? || view.lends(directory)?)
}

/// The directory above `examples` or `tests`, the innermost. `examples` itself is a case only where the
/// directory above it is configured: otherwise it is a directory of somebody's own choosing.
fn above(view: &View, makings: &Makings, record: &Record) -> Result<Option<RepoPath>, CatalogError> {
    let (rules, directory) = (&makings.rules, &record.directory);
    let mut at = directory.clone();
    while let Some(parent) = at.parent() {
        let mut named = rules.examples.iter().chain(&rules.tests);
        if named.any(|name| name.as_bytes() == at.file_name())
            && (at != *directory || makings.runs_any(record.key.dialect, &view.configured(&parent)?))
        {
            return Ok(Some(parent));
        }
        at = parent;
    }
    Ok(None)
}

/// The module of which a directory is an example: the one above, if it calls that, or nothing of this
/// repository; otherwise the first that it calls.
fn exemplified(
    view: &View,
    makings: &Makings,
    record: &Record,
    above: RepoPath,
) -> Result<RepoPath, CatalogError> {
    let mut first = None;
    for target in record.calls.iter().filter_map(|call| call.target.as_ref()) {
        if *target == above {
            return Ok(above);
        }
        if first.is_none() && makings.runs_any(record.key.dialect, &view.configured(target)?) {
            first = Some(target.clone());
        }
    }
    Ok(first.unwrap_or(above))
}
