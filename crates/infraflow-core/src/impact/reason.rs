//! Why something is affected, in words and as a chain of places.

use std::collections::HashMap;

use crate::{
    catalog::{Catalog, Edge, ReferenceKind, Thing, ThingId},
    detect::Change,
    git::ChangeKind,
    proof::{Link, Reason, RepoPath},
};

/// The last step of the shortest way from a changed file to a thing.
pub(super) enum Step<'a> {
    /// The file is the thing's own configuration.
    Own { change: &'a Change, path: RepoPath },
    /// The thing refers to the file.
    File { change: &'a Change, path: RepoPath, edge: &'a Edge },
    /// The thing refers to another.
    Thing { from: ThingId, edge: &'a Edge },
}

/// The reason for a thing, put together from the steps that lead to it.
pub(super) fn reason(catalog: &Catalog, reached: &HashMap<ThingId, Step<'_>>, thing: ThingId) -> Reason {
    let mut steps = Vec::new();
    let mut at = Some(thing);
    while let Some(step) = at.and_then(|thing| reached.get(&thing)) {
        steps.push(step);
        at = match step {
            Step::Thing { from, .. } => Some(*from),
            _ => None,
        };
    }
    let mut chain = Vec::new();
    for step in steps.iter().rev() {
        match step {
            Step::Own { change, path } => chain.push(changed(change, path)),
            Step::File { change, path, edge } => {
                chain.push(changed(change, path));
                chain.extend(edge.links());
            }
            Step::Thing { edge, .. } => chain.extend(edge.links()),
        }
    }
    let rule = match steps.first() {
        None | Some(Step::Own { .. }) => ReferenceKind::Contains,
        Some(Step::File { edge, .. } | Step::Thing { edge, .. }) => edge.kind,
    };
    Reason::new(rule.as_str(), sentence(catalog, thing, &steps)).with_chain(chain)
}

fn changed(change: &Change, path: &RepoPath) -> Link {
    Link::whole(path.clone(), happened(change, path))
}

fn happened(change: &Change, path: &RepoPath) -> String {
    match (&change.old_path, change.kind) {
        (Some(old), _) if old == path => format!("renamed to {}", change.path),
        (Some(old), _) => format!("renamed from {old}"),
        (None, ChangeKind::Added) => "added".to_owned(),
        (None, ChangeKind::Deleted) => "deleted".to_owned(),
        (None, ChangeKind::TypeChanged) => "changed its type".to_owned(),
        (None, ChangeKind::ModeChanged) => "changed its mode".to_owned(),
        (None, _) => "modified".to_owned(),
    }
}

fn was(change: &Change, path: &RepoPath) -> String {
    let happened = happened(change, path);
    if happened.starts_with("changed") { happened } else { format!("was {happened}") }
}

/// `live/dev calls modules/cluster, which calls modules/network, whose main.tf was modified`.
fn sentence(catalog: &Catalog, thing: ThingId, steps: &[&Step<'_>]) -> String {
    let mut text = title(catalog.thing(thing));
    for (i, step) in steps.iter().enumerate() {
        match step {
            Step::Own { change, path } => {
                let own = directory(catalog, thing, steps, i);
                let name = path.relative_to(&own);
                let name = String::from_utf8_lossy(&name).into_owned();
                let was = was(change, path);
                let whose = if i == 0 { "'s " } else { ", whose " };
                text.push_str(&format!("{whose}{name} {was}"));
            }
            Step::File { change, path, edge } => {
                let joint = if i == 0 { " " } else { ", which " };
                text.push_str(&format!("{joint}{} {path}, which {}", verb(edge.kind), was(change, path)));
            }
            Step::Thing { from, edge } => {
                let joint = if i == 0 { " " } else { ", which " };
                text.push_str(&format!("{joint}{} {}", verb(edge.kind), title(catalog.thing(*from))));
            }
        }
    }
    text
}

fn directory(catalog: &Catalog, thing: ThingId, steps: &[&Step<'_>], at: usize) -> RepoPath {
    let thing = match at.checked_sub(1).map(|before| steps[before]) {
        Some(Step::Thing { from, .. }) => *from,
        _ => thing,
    };
    match catalog.thing(thing) {
        Thing::Module(module) => module.path.clone(),
        Thing::Unit(unit) => unit.path.clone(),
        Thing::Case(case) => case.path.clone(),
    }
}

fn title(thing: &Thing) -> String {
    match thing {
        Thing::Module(module) => module.path.to_string(),
        Thing::Unit(unit) => unit.id.to_string(),
        Thing::Case(case) => case.id.to_string(),
    }
}

fn verb(kind: ReferenceKind) -> &'static str {
    match kind {
        ReferenceKind::Contains => "contains",
        ReferenceKind::ModuleCall => "calls",
        ReferenceKind::FileRead => "reads",
        ReferenceKind::FileSet => "lists",
        ReferenceKind::PathNamed => "names",
        ReferenceKind::VariableFile => "may be given the values of",
        ReferenceKind::LockFile => "is pinned by",
        ReferenceKind::VersionFile => "is run by the version in",
        ReferenceKind::SymbolicLink => "goes through the link to",
        ReferenceKind::Submodule => "goes through the submodule",
        ReferenceKind::TestOf => "tests",
        ReferenceKind::Include => "includes",
        ReferenceKind::Dependency => "consumes outputs of",
        ReferenceKind::Watch => "watches",
        ReferenceKind::Presence => "looks for",
    }
}
