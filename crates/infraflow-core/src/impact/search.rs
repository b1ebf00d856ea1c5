//! From changed files along the references of one catalog to everything that depends on them.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use super::{
    Meant, ReasonsFor, References, RuleName, Rules,
    rules::{Applied, ThingKind, Wanted},
    ways::{Step, Ways},
};
use crate::{
    catalog::{Catalog, CatalogError, Concern, Edge, RecordId, ReferenceKind, Thing},
    detect::Change,
    git::ChangeKind,
    proof::RepoPath,
};

/// What depends on changed files in one catalog.
pub(super) struct Search<'a> {
    pub(super) ways: Ways<'a>,
    /// What a changed file itself belongs to or concerns.
    pub(super) direct: Vec<RecordId>,
    /// Scopes that a changed file asks to be left out, and that file.
    pub(super) dismissed: BTreeMap<RecordId, RepoPath>,
}

impl<'a> Search<'a> {
    /// `other` is the catalog of the other end, where parts of files are to be compared with it.
    pub(super) fn over(
        catalog: &Catalog,
        other: Option<&Catalog>,
        changes: &'a [Change],
        rules: &'a Rules,
        applied: &'a Applied<'a>,
        alike: &BTreeSet<&RepoPath>,
        reasons: ReasonsFor,
    ) -> Result<Self, CatalogError> {
        let (mut ways, mut dismissed) = (Ways::with(reasons), BTreeMap::new());
        let mut by_default = Vec::new();
        for change in changes {
            for (path, kind) in touched(change) {
                let references = applied.references(path);
                if references == References::None {
                    continue;
                }
                if kind != ChangeKind::ModeChanged {
                    for id in catalog.owners(path)? {
                        let step = Step::Own { change, path: path.clone() };
                        ways.step(catalog, id, (Concern::All, step))?;
                    }
                }
                for (id, edge) in catalog.edges_to_path(path)? {
                    if edge.kind == ReferenceKind::Dismissal && kind != ChangeKind::Deleted {
                        dismissed.insert(id, path.clone());
                    }
                    let same = match other {
                        Some(other) => catalog.says_the_same(id, &edge, other)?,
                        None => false,
                    };
                    if counts(edge.kind, kind) && references.counts(Meant::by(edge.kind)) && !same {
                        let leads = |edge: &Edge| edge.ends_at(path, catalog.configures(path));
                        let concern = catalog.concern(id, &edge, &leads)?;
                        let step =
                            Step::File { change, path: path.clone(), kind: edge.kind, edge: Some(edge) };
                        ways.step(catalog, id, (concern, step))?;
                    }
                }
                for (id, edge) in catalog.reading_by_default(path)? {
                    if counts(edge.kind, kind) && references.counts(Meant::by(edge.kind)) {
                        let (path, kind) = (path.clone(), edge.kind);
                        by_default.push((id, Step::File { change, path, kind, edge: Some(edge) }));
                    }
                }
                if kind != ChangeKind::ModeChanged && !alike.contains(path) {
                    let given = catalog.given(path)?.into_iter();
                    let beside = catalog.beside(path)?.into_iter().chain(given);
                    let beside =
                        beside.filter(|(_, by, _)| references.counts(Meant::by(*by)) && counts(*by, kind));
                    for (id, by, concern) in beside {
                        let step = Step::File { change, path: path.clone(), kind: by, edge: None };
                        ways.step(catalog, id, (concern, step))?;
                    }
                }
            }
        }
        for mark in &applied.marks {
            for (id, concern) in meant(catalog, &mark.wanted)? {
                ways.step(catalog, id, (concern, Step::Rule { mark }))?;
            }
        }
        let direct = ways.ids().collect();
        // What a rule means takes a look at all things.
        let mut also: HashMap<RuleName, Vec<(RecordId, Concern)>> = HashMap::new();
        while let Some(id) = ways.next() {
            for (from, edge) in catalog.edges_to_record(id)? {
                if edge.kind != ReferenceKind::Dependency {
                    ways.step(catalog, from, (Concern::All, Step::Thing { from: id, edge }))?;
                }
            }
            if rules.has_depends_also() {
                let directory = &catalog.record(id)?.key.at;
                for (name, rule) in rules.depending_on(directory) {
                    let known = also.get(&name).cloned();
                    let meant = known.map_or_else(|| meant(catalog, &Wanted::also(rule)), Ok)?;
                    for (to, concern) in meant.iter().filter(|(to, _)| *to != id) {
                        let because = format!("{name}: {}", rule.reason);
                        ways.step(catalog, *to, (concern.clone(), Step::Also { from: id, because }))?;
                    }
                    also.insert(name, meant);
                }
            }
        }
        // Who calls such a module has reads of its own: the way ends here.
        for (id, step) in by_default {
            if ways.get(id).is_none() {
                ways.step(catalog, id, (Concern::All, step))?;
            }
        }
        while ways.next().is_some() {}
        if reasons == ReasonsFor::EachChain {
            ways.sort(catalog)?;
        }
        Ok(Self { ways, direct, dismissed })
    }
}

/// The paths of a change, and what happened at each. A rename is two things to those who read the old name
/// or the new one; both are looked for at both ends, since a path may be read before it is there, and after
/// it is gone.
pub(super) fn touched(change: &Change) -> Vec<(&RepoPath, ChangeKind)> {
    match change.left() {
        Some(old) => vec![(old, ChangeKind::Deleted), (&change.path, ChangeKind::Added)],
        None => vec![(&change.path, change.kind)],
    }
}

/// Whether a change of this kind can change what such a reference gives.
pub(super) fn counts(reference: ReferenceKind, change: ChangeKind) -> bool {
    match (reference, change) {
        // `fileset` gives names.
        (
            ReferenceKind::FileSet | ReferenceKind::Presence,
            ChangeKind::Modified | ChangeKind::ModeChanged,
        ) => false,
        (ReferenceKind::Consideration | ReferenceKind::Dismissal, _) => false,
        (ReferenceKind::Trigger, ChangeKind::Deleted) => false,
        // What is named may be run, and then its mode matters.
        (ReferenceKind::PathNamed | ReferenceKind::PathGiven, ChangeKind::ModeChanged) => true,
        (_, ChangeKind::ModeChanged) => false,
        _ => true,
    }
}

/// The things of a catalog that a rule means.
fn meant(catalog: &Catalog, wanted: &Wanted<'_>) -> Result<Vec<(RecordId, Concern)>, CatalogError> {
    // Only what speaks of ids tells the units of one directory apart.
    let by_id = Cell::new(false);
    let means = |wanted: &Wanted<'_>, thing: &Thing| match thing {
        Thing::Module(module) => {
            wanted.means(ThingKind::Module, &module.path, String::new, Some(&module.dialect))
        }
        Thing::Unit(unit) => {
            let id = || {
                by_id.set(true);
                unit.id.to_string()
            };
            wanted.means(ThingKind::Unit, &unit.path, id, Some(&unit.dialect))
        }
        Thing::Case(case) if matches!(wanted, Wanted::Named { .. }) => {
            wanted.means(ThingKind::Case, &case.module, String::new, None)
        }
        Thing::Case(_) => wanted.means(ThingKind::Case, thing.directory(), String::new, None),
    };
    let mut found = Vec::new();
    if let Wanted::NearestTo(directory) = wanted {
        let mut at = Some(directory.clone());
        while let Some(directory) = at.filter(|_| found.is_empty()) {
            let nearest = Wanted::NearestTo(directory.clone());
            let standing = catalog.standing_in(&directory)?.into_iter();
            found.extend(
                standing.filter(|(_, thing)| means(&nearest, thing)).map(|(id, _)| (id, Concern::All)),
            );
            found.dedup();
            at = directory.parent();
        }
    } else {
        for id in catalog.all()? {
            by_id.set(false);
            let meant = means(wanted, &catalog.outline(id)?);
            if by_id.get() {
                let things = catalog.things(id)?;
                let places: Vec<usize> = (0..things.len()).filter(|&at| means(wanted, &things[at])).collect();
                if !places.is_empty() {
                    found.push((id, Concern::of(places, things.len())));
                }
            } else if meant {
                found.push((id, Concern::All));
            }
        }
    }
    Ok(found)
}
