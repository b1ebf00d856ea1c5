//! Why something is affected, in words and as a chain of places.

use std::collections::HashMap;

use super::rules::Mark;
use crate::{
    catalog::{Catalog, CatalogError, Concern, Edge, RecordId, ReferenceKind, Thing},
    detect::Change,
    git::ChangeKind,
    proof::{Link, Reason, RepoPath},
};

/// The last step of a way from a changed file to a thing.
pub(super) enum Step<'a> {
    /// The file is the thing's own configuration.
    Own { change: &'a Change, path: RepoPath },
    /// The thing refers to the file; without an edge, because of where both stand.
    File { change: &'a Change, path: RepoPath, kind: ReferenceKind, edge: Option<Edge> },
    /// The thing refers to another.
    Thing { from: RecordId, edge: Edge },
    /// A rule says that the file touches the thing.
    Rule { mark: &'a Mark<'a> },
    /// A rule says that the thing depends also on another.
    Also { from: RecordId, because: String },
}

/// The last steps of the ways to each scope, the shortest first, each with which of the units that share its
/// directory it leads to.
pub(super) type Ways<'a> = HashMap<RecordId, Vec<(Concern, Step<'a>)>>;

/// What is reached, sorted by directory and dialect. Two dialects' scopes may stand for one thing: of equally short
/// ways to it the same one is told in every run, and over a kept index too.
pub(super) fn in_order(catalog: &Catalog, reached: &Ways<'_>) -> Result<Vec<RecordId>, CatalogError> {
    let mut found = Vec::with_capacity(reached.len());
    for &id in reached.keys() {
        found.push((catalog.record(id)?.key.clone(), id));
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// The reasons for a thing, the one at a place of those that share its directory, put together from the steps that lead to it, the shortest first.
pub(super) fn reasons(
    catalog: &Catalog,
    reached: &Ways<'_>,
    (id, place): (RecordId, Option<usize>),
    thing: &Thing,
    most: usize,
) -> Result<Vec<Reason>, CatalogError> {
    let mut ways = Vec::new();
    follow(reached, (id, place), &mut Vec::new(), &mut vec![id], &mut ways, most);
    let mut found: Vec<Reason> = Vec::new();
    for way in ways {
        let reason = told(catalog, thing, id, &way)?;
        if !found.contains(&reason) {
            found.push(reason);
        }
    }
    found.sort_by_key(|reason| reason.chain.len());
    Ok(found)
}

/// The ways from a thing back to changed files that meet nothing twice.
fn follow<'s, 'c>(
    reached: &'s Ways<'c>,
    (id, place): (RecordId, Option<usize>),
    steps: &mut Vec<&'s Step<'c>>,
    met: &mut Vec<RecordId>,
    ways: &mut Vec<Vec<&'s Step<'c>>>,
    most: usize,
) {
    // The first steps lead along the shortest way; nothing on it is met twice, so it is always found. What
    // stands at its beginning was not reached.
    let Some(known) = reached.get(&id) else {
        ways.push(steps.clone());
        return;
    };
    let counts = |concern: &Concern| place.is_none_or(|place| concern.holds(place));
    for step in known.iter().filter(|(concern, _)| counts(concern)).map(|(_, step)| step) {
        if ways.len() >= most {
            return;
        }
        steps.push(step);
        match step {
            Step::Thing { from, .. } | Step::Also { from, .. } if met.contains(from) => {}
            Step::Thing { from, .. } | Step::Also { from, .. } => {
                met.push(*from);
                follow(reached, (*from, None), steps, met, ways, most);
                met.pop();
            }
            _ => ways.push(steps.clone()),
        }
        steps.pop();
    }
}

fn told(catalog: &Catalog, thing: &Thing, id: RecordId, steps: &[&Step<'_>]) -> Result<Reason, CatalogError> {
    let mut chain = Vec::new();
    for step in steps.iter().rev() {
        match step {
            Step::Own { change, path } => chain.push(changed(change, path)),
            Step::File { change, path, edge, .. } => {
                chain.push(changed(change, path));
                chain.extend(edge.iter().flat_map(Edge::links));
            }
            Step::Thing { edge, .. } => chain.extend(edge.links()),
            Step::Rule { mark } => chain.push(changed(mark.change, &mark.path)),
            Step::Also { .. } => {}
        }
    }
    let rule = match steps.first() {
        None | Some(Step::Own { .. }) => ReferenceKind::Contains.as_str(),
        Some(Step::File { kind, .. }) => kind.as_str(),
        Some(Step::Thing { edge, .. }) => edge.kind.as_str(),
        Some(Step::Rule { mark }) => mark.kind,
        Some(Step::Also { .. }) => "depends_also",
    };
    Ok(Reason::new(rule, sentence(catalog, thing, id, steps)?).with_chain(chain))
}

pub(super) fn changed(change: &Change, path: &RepoPath) -> Link {
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

pub(super) fn was(change: &Change, path: &RepoPath) -> String {
    let happened = happened(change, path);
    if happened.starts_with("changed") { happened } else { format!("was {happened}") }
}

/// `live/dev calls modules/cluster, which calls modules/network, whose main.tf was modified`.
fn sentence(
    catalog: &Catalog,
    thing: &Thing,
    id: RecordId,
    steps: &[&Step<'_>],
) -> Result<String, CatalogError> {
    let mut text = thing.title();
    let mut at = id;
    for (i, step) in steps.iter().enumerate() {
        match step {
            Step::Own { change, path } => {
                let name = path.relative_to(&catalog.record(at)?.key.at);
                let name = match &name[..] {
                    b"." => path.file_name().to_vec(),
                    _ => name,
                };
                let name = String::from_utf8_lossy(&name).into_owned();
                let was = was(change, path);
                let whose = if i == 0 { "'s " } else { ", whose " };
                text.push_str(&format!("{whose}{name} {was}"));
            }
            Step::File { change, path, kind, .. } => {
                let joint = if i == 0 { " " } else { ", which " };
                let given =
                    matches!(thing, Thing::Unit(unit) if i == 0 && unit.id.var_files().contains(path));
                let verb = if given { "is given the values of" } else { verb(*kind) };
                text.push_str(&format!("{joint}{verb} {path}, which {}", was(change, path)));
            }
            Step::Thing { from, edge } => {
                let joint = if i == 0 { " " } else { ", which " };
                let to = catalog.outline(*from)?.title();
                text.push_str(&format!("{joint}{} {to}", verb(edge.kind)));
                at = *from;
            }
            Step::Rule { mark } => {
                let joint = if i == 0 { " " } else { ", which " };
                let (verb, path) = (rule_verb(mark.kind), &mark.path);
                let was = was(mark.change, path);
                text.push_str(&format!("{joint}{verb} {path}, which {was} ({})", mark.because));
            }
            Step::Also { from, because } => {
                let joint = if i == 0 { " " } else { ", which " };
                let to = catalog.outline(*from)?.title();
                text.push_str(&format!("{joint}{} {to} ({because})", rule_verb("depends_also")));
                at = *from;
            }
        }
    }
    Ok(text)
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

pub(super) fn verb(kind: ReferenceKind) -> &'static str {
    match kind {
        ReferenceKind::Contains => "contains",
        ReferenceKind::ModuleCall => "calls",
        ReferenceKind::FileRead => "reads",
        ReferenceKind::FileSet => "lists",
        ReferenceKind::PathNamed => "names",
        ReferenceKind::VariableFile => "may be given the values of",
        ReferenceKind::BackendFile => "has the settings of its backend from",
        ReferenceKind::LockFile => "is pinned by",
        ReferenceKind::VersionFile => "is run by the version in",
        ReferenceKind::SymbolicLink => "goes through the link to",
        ReferenceKind::Submodule => "goes through the submodule",
        ReferenceKind::TestOf => "tests",
        ReferenceKind::Include => "includes",
        ReferenceKind::Dependency => "consumes outputs of",
        ReferenceKind::Watch => "watches",
        ReferenceKind::Presence => "looks for",
        ReferenceKind::Trigger => "is triggered by",
        ReferenceKind::Dismissal => "is dismissed by",
        ReferenceKind::Consideration => "looks at",
    }
}
