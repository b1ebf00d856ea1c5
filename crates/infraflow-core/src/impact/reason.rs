//! Why something is affected, in words and as a chain of places.

use std::collections::HashMap;

use super::rules::Mark;
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
    /// A rule says that the file touches the thing.
    Rule { mark: &'a Mark<'a> },
    /// A rule says that the thing depends also on another.
    Also { from: ThingId, because: String },
}

/// The reason for a thing, put together from the steps that lead to it.
pub(super) fn reason(catalog: &Catalog, reached: &HashMap<ThingId, Step<'_>>, thing: ThingId) -> Reason {
    let mut steps = Vec::new();
    let mut at = Some(thing);
    while let Some(step) = at.and_then(|thing| reached.get(&thing)) {
        steps.push(step);
        at = match step {
            Step::Thing { from, .. } | Step::Also { from, .. } => Some(*from),
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
            Step::Rule { mark } => chain.push(changed(mark.change, &mark.path)),
            Step::Also { .. } => {}
        }
    }
    let rule = match steps.first() {
        None | Some(Step::Own { .. }) => ReferenceKind::Contains.as_str(),
        Some(Step::File { edge, .. } | Step::Thing { edge, .. }) => edge.kind.as_str(),
        Some(Step::Rule { mark }) => mark.kind,
        Some(Step::Also { .. }) => "depends_also",
    };
    Reason::new(rule, sentence(catalog, thing, &steps)).with_chain(chain)
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
    let mut text = catalog.thing(thing).title();
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
                text.push_str(&format!("{joint}{} {}", verb(edge.kind), catalog.thing(*from).title()));
            }
            Step::Rule { mark } => {
                let joint = if i == 0 { " " } else { ", which " };
                let (verb, path) = (rule_verb(mark.kind), &mark.path);
                let was = was(mark.change, path);
                text.push_str(&format!("{joint}{verb} {path}, which {was} ({})", mark.because));
            }
            Step::Also { from, because } => {
                let joint = if i == 0 { " " } else { ", which " };
                let from = catalog.thing(*from).title();
                text.push_str(&format!("{joint}{} {from} ({because})", rule_verb("depends_also")));
            }
        }
    }
    text
}

fn directory(catalog: &Catalog, thing: ThingId, steps: &[&Step<'_>], at: usize) -> RepoPath {
    let thing = match at.checked_sub(1).map(|before| steps[before]) {
        Some(Step::Thing { from, .. } | Step::Also { from, .. }) => *from,
        _ => thing,
    };
    catalog.thing(thing).directory().clone()
}

fn rule_verb(kind: &str) -> &'static str {
    match kind {
        "everything" => "is touched by",
        "part_of" => "has for a part",
        _ => "depends also on",
    }
}

impl Thing {
    /// What people call it.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Module(module) => module.path.to_string(),
            Self::Unit(unit) => unit.id.to_string(),
            Self::Case(case) => case.id.to_string(),
        }
    }

    /// Its directory; of a test file, the file.
    pub(super) fn directory(&self) -> &RepoPath {
        match self {
            Self::Module(module) => &module.path,
            Self::Unit(unit) => &unit.path,
            Self::Case(case) => &case.path,
        }
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
