//! Why something is affected, in words and as a chain of places.

use super::{
    chains::{Way, shortest},
    ways::{HALF, Step, Ways},
};
use crate::{
    catalog::{Catalog, CatalogError, RecordId, ReferenceKind, Thing},
    detect::Change,
    git::ChangeKind,
    proof::{Link, Reason, RepoPath},
};

/// The reasons for a thing, one for each way to it.
pub(super) fn reasons(
    catalog: &Catalog,
    ways: &[Way<'_, '_>],
    id: RecordId,
    thing: &Thing,
) -> Result<Vec<Reason>, CatalogError> {
    let mut found: Vec<Reason> = Vec::new();
    for way in ways {
        let reason = told(catalog, thing, id, way)?;
        if !found.contains(&reason) {
            found.push(reason);
        }
    }
    Ok(found)
}

/// The shortest reason for a thing that is reached, the one at a place of those that share its directory.
pub(super) fn reason(
    catalog: &Catalog,
    ways: &Ways<'_>,
    (id, place): (RecordId, Option<usize>),
    thing: &Thing,
) -> Result<Reason, CatalogError> {
    told(catalog, thing, id, &shortest(ways, id, place))
}

fn told(catalog: &Catalog, thing: &Thing, id: RecordId, way: &Way<'_, '_>) -> Result<Reason, CatalogError> {
    let rule = match way.near.first() {
        None | Some(Step::Own { .. }) => ReferenceKind::Contains.as_str(),
        Some(Step::File { kind, .. }) => kind.as_str(),
        Some(Step::Thing { edge, .. }) => edge.kind.as_str(),
        Some(Step::Rule { mark }) => mark.kind,
        Some(Step::Also { .. }) => "depends_also",
    };
    let mut reason = Reason::new(rule, sentence(catalog, thing, id, way)?);
    let (mut far, mut near) = (links(&way.far), links(&way.near));
    if way.left_out > 0 || near.len() > 2 * HALF {
        if way.left_out == 0 {
            far = near.clone();
        }
        let half = HALF.min(far.len()).min(near.len());
        far.truncate(half);
        near.drain(..near.len() - half);
        reason.links_left_out = way.length.saturating_sub(2 * half);
    }
    far.append(&mut near);
    Ok(reason.with_chain(far))
}

/// The links of steps that stand in the order from the thing on, in the order from the changed file on.
fn links(steps: &[&Step<'_>]) -> Vec<Link> {
    let mut chain = Vec::new();
    for step in steps.iter().rev() {
        match step {
            Step::Own { change, path } => chain.push(changed(change, path)),
            Step::File { change, path, edge, .. } => {
                chain.push(changed(change, path));
                chain.extend(edge.iter().flat_map(|edge| edge.links()));
            }
            Step::Thing { edge, .. } => chain.extend(edge.links()),
            Step::Rule { mark } => chain.push(changed(mark.change, &mark.path)),
            Step::Also { .. } => {}
        }
    }
    chain
}

pub(super) fn changed(change: &Change, path: &RepoPath) -> Link {
    Link::whole(path.clone(), happened(change, path))
}

fn happened(change: &Change, path: &RepoPath) -> String {
    match (&change.old_path, change.kind) {
        (Some(old), ChangeKind::Added) => format!("added as a copy of {old}"),
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
    way: &Way<'_, '_>,
) -> Result<String, CatalogError> {
    let mut text = thing.title();
    let mut at = id;
    let gap = way.near.len();
    for (i, step) in way.near.iter().chain(&way.far).enumerate() {
        if i == gap {
            text.push_str(&format!(", and so on over {} more, the last of which", way.left_out));
        }
        let joint = if i == 0 || i == gap { " " } else { ", which " };
        match step {
            Step::Own { change, path } => {
                let name = path.relative_to(&catalog.record(at)?.key.at);
                let whose = match (&name[..], i) {
                    // A file that stands for itself.
                    (b".", 0) => String::new(),
                    (b".", _) => ", which".to_owned(),
                    (name, 0) => format!("'s {}", String::from_utf8_lossy(name)),
                    (name, _) => format!(", whose {}", String::from_utf8_lossy(name)),
                };
                text.push_str(&format!("{whose} {}", was(change, path)));
            }
            Step::File { change, path, kind, .. } => {
                let given =
                    matches!(thing, Thing::Unit(unit) if i == 0 && unit.id.var_files().contains(path));
                let verb = if given { "is given the values of" } else { verb(*kind) };
                text.push_str(&format!("{joint}{verb} {path}, which {}", was(change, path)));
            }
            Step::Thing { from, edge } => {
                let to = catalog.outline(*from)?.title();
                text.push_str(&format!("{joint}{} {to}", verb(edge.kind)));
                at = *from;
            }
            Step::Rule { mark } => {
                let (verb, path) = (rule_verb(mark.kind), &mark.path);
                let was = was(mark.change, path);
                text.push_str(&format!("{joint}{verb} {path}, which {was} ({})", mark.because));
            }
            Step::Also { from, because } => {
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
        ReferenceKind::PathGiven => "gives a module",
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
