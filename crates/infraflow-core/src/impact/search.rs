//! From changed files along the references of one catalog to everything that depends on them.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
};

use super::{
    Meant, References, Rules,
    reason::{Step, Ways},
    rules::{Applied, ThingKind, Wanted},
};
use crate::{
    catalog::{Catalog, CatalogError, Concern, Edge, RecordId, ReferenceKind, Thing},
    detect::Change,
    git::ChangeKind,
    proof::RepoPath,
};

/// Everything that depends on a changed file in one catalog, each with the last steps of the ways there, the
/// shortest first.
pub(super) struct Search<'a> {
    pub(super) reached: Ways<'a>,
    /// What a changed file itself belongs to or concerns.
    pub(super) direct: Vec<RecordId>,
    /// Scopes that a changed file asks to be left out, and that file.
    pub(super) dismissed: BTreeMap<RecordId, RepoPath>,
    /// What is concerned as a whole, not by one of its references.
    pub(super) whole: HashSet<RecordId>,
}

impl<'a> Search<'a> {
    pub(super) fn over(
        catalog: &Catalog,
        other: &Catalog,
        changes: &'a [Change],
        rules: &'a Rules,
        applied: &'a Applied<'a>,
        alike: &BTreeSet<&RepoPath>,
        most: usize,
    ) -> Result<Self, CatalogError> {
        let mut search = Self {
            reached: Ways::new(),
            direct: Vec::new(),
            dismissed: BTreeMap::new(),
            whole: HashSet::new(),
        };
        let mut work: VecDeque<RecordId> = VecDeque::new();
        for change in changes {
            for (path, kind) in touched(change) {
                let references = applied.references(path);
                if references == References::None {
                    continue;
                }
                if kind != ChangeKind::ModeChanged {
                    for id in catalog.owners(path)? {
                        let step = Step::Own { change, path: path.clone() };
                        search.step(id, (Concern::All, step), &mut work, most);
                    }
                }
                for (id, edge) in catalog.edges_to_path(path)? {
                    if edge.kind == ReferenceKind::Dismissal && kind != ChangeKind::Deleted {
                        search.dismissed.insert(id, path.clone());
                    }
                    if counts(edge.kind, kind)
                        && references.counts(Meant::by(edge.kind))
                        && !catalog.says_the_same(id, &edge, other)?
                    {
                        let leads = |edge: &Edge| edge.ends_at(path, catalog.configures(path));
                        let concern = catalog.concern(id, &edge, &leads)?;
                        let step =
                            Step::File { change, path: path.clone(), kind: edge.kind, edge: Some(edge) };
                        search.step(id, (concern, step), &mut work, most);
                    }
                }
                if kind != ChangeKind::ModeChanged && !alike.contains(path) {
                    let given = catalog.given(path)?.into_iter();
                    let beside = catalog.beside(path)?.into_iter().chain(given);
                    let beside =
                        beside.filter(|(_, by, _)| references.counts(Meant::by(*by)) && counts(*by, kind));
                    for (id, by, concern) in beside {
                        let step = Step::File { change, path: path.clone(), kind: by, edge: None };
                        search.step(id, (concern, step), &mut work, most);
                    }
                }
            }
        }
        for mark in &applied.marks {
            for (id, concern) in meant(catalog, &mark.wanted)? {
                search.step(id, (concern, Step::Rule { mark }), &mut work, most);
            }
        }
        search.direct = work.iter().copied().collect();
        while let Some(id) = work.pop_front() {
            for (from, edge) in catalog.edges_to_record(id)? {
                if edge.kind != ReferenceKind::Dependency {
                    search.step(from, (Concern::All, Step::Thing { from: id, edge }), &mut work, most);
                }
            }
            if rules.has_depends_also() {
                let directory = &catalog.record(id)?.key.at;
                for (name, rule) in rules.depending_on(directory) {
                    let because = format!("{name}: {}", rule.reason);
                    for (also, concern) in meant(catalog, &Wanted::also(rule))? {
                        let step = Step::Also { from: id, because: because.clone() };
                        search.step(also, (concern, step), &mut work, most);
                    }
                }
            }
        }
        Ok(search)
    }

    /// Takes a step. The first one to a thing is the last of the shortest way.
    fn step(
        &mut self,
        to: RecordId,
        (concern, step): (Concern, Step<'a>),
        work: &mut VecDeque<RecordId>,
        most: usize,
    ) {
        if matches!(step, Step::File { edge: None, .. } | Step::Rule { .. } | Step::Also { .. }) {
            self.whole.insert(to);
        }
        let steps = self.reached.entry(to).or_default();
        if steps.is_empty() {
            work.push_back(to);
        }
        let often = |holds: &dyn Fn(&Concern) -> bool| {
            steps.iter().filter(|(known, _)| holds(known)).take(most).count() == most
        };
        // Of units that share a directory each has reasons of its own.
        let enough = match &concern {
            Concern::All => often(&|known| *known == Concern::All),
            Concern::Only(places) => places.iter().all(|&place| often(&|known| known.holds(place))),
        };
        if !enough {
            steps.push((concern, step));
        }
    }

    /// Whether a thing is reached: that of a record, or of the units that share its directory the one at a
    /// place.
    pub(super) fn concerns(&self, id: RecordId, place: usize) -> bool {
        self.reached.get(&id).is_some_and(|steps| steps.iter().any(|(concern, _)| concern.holds(place)))
    }
}

/// The paths of a change, and what happened at each. A rename is two things to those who read the old name
/// or the new one; both are looked for at both ends, since a path may be read before it is there, and after
/// it is gone.
pub(super) fn touched(change: &Change) -> Vec<(&RepoPath, ChangeKind)> {
    match &change.old_path {
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
        (ReferenceKind::PathNamed, ChangeKind::ModeChanged) => true,
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
