//! What is gone or has come where something was touched.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    reason::changed,
    search::{Search, touched},
};
use crate::{
    catalog::{Catalog, CatalogError, Thing, Unit, UnitId},
    detect::Change,
    proof::{Link, Reason, RepoPath},
};

/// Directories to look at, each with the changed file that tells so, where one does without a reference.
pub(super) type Places = BTreeMap<RepoPath, Option<Link>>;

/// Where something may be gone, or no longer what it was: wherever something was touched, and what that calls,
/// since what nobody calls any more may have become something else.
pub(super) fn places(
    (base, in_base): (&Catalog, &Search<'_>),
    (head, in_head): (&Catalog, &Search<'_>),
    changes: &[Change],
) -> Result<Places, CatalogError> {
    let mut places = Places::new();
    // Whatever a rule says of a path: what stood there and is gone is told.
    for change in changes {
        for (path, _) in touched(change) {
            let mut near: BTreeSet<RepoPath> = path.parent().into_iter().collect();
            for catalog in [base, head] {
                for id in catalog.sharing(path)? {
                    near.insert(catalog.record(id)?.directory.clone());
                }
            }
            for directory in near {
                places.entry(directory).or_insert_with(|| Some(changed(change, path)));
            }
        }
    }
    for (catalog, search) in [(base, in_base), (head, in_head)] {
        for &id in &search.direct {
            let record = catalog.record(id)?;
            let examples = catalog.examples_below(&record.directory);
            let near = record.called().cloned().chain(examples).chain([record.directory.clone()]);
            for directory in near {
                places.entry(directory).or_default();
            }
        }
    }
    Ok(places)
}

/// What may be gone.
pub(super) fn candidates(
    base: &Catalog,
    in_base: &Search<'_>,
    places: &Places,
) -> Result<Vec<Thing>, CatalogError> {
    let mut things = Vec::new();
    for id in in_base.ways.ids() {
        things.extend(base.things(id)?);
    }
    for directory in places.keys() {
        things.extend(base.standing_in(directory)?.into_iter().map(|(_, thing)| thing));
    }
    Ok(things)
}

/// Units that share a directory or have it to themselves, and did not at the base, where the directory's units
/// were others. Files that are given to them by name need not have changed for that.
pub(super) fn come(
    base: &Catalog,
    head: &Catalog,
    places: &Places,
) -> Result<Vec<(Unit, Reason)>, CatalogError> {
    let mut found = Vec::new();
    for (directory, link) in places {
        let (before, now) = (units_in(base, directory)?, units_in(head, directory)?);
        if before.is_empty() {
            continue;
        }
        for unit in now.iter().filter(|unit| before.iter().all(|other| other.id != unit.id)) {
            let text = format!("the unit {} is new: {directory} was {}", unit.id, named(&before));
            let reason = Reason::new("other_units", text).with_chain(link.iter().cloned().collect());
            found.push((unit.clone(), reason));
        }
    }
    Ok(found)
}

/// The units of a directory.
pub(super) fn units_in(catalog: &Catalog, directory: &RepoPath) -> Result<Vec<Unit>, CatalogError> {
    let things = catalog.standing_in(directory)?.into_iter();
    let units = things.filter_map(|(_, thing)| match thing {
        Thing::Unit(unit) => Some(unit),
        _ => None,
    });
    let mut units: Vec<Unit> = units.collect();
    units.sort();
    units.dedup();
    Ok(units)
}

/// Why something is gone. `known` is why it was touched, `link` what else tells to look at its directory, and
/// `now` are the units that stand there.
pub(super) fn gone(
    thing: &Thing,
    changes: &[Change],
    known: Option<&Reason>,
    link: Option<&Option<Link>>,
    now: &[Unit],
) -> Reason {
    let (what, path) = match thing {
        Thing::Module(module) => ("module", &module.path),
        Thing::Unit(unit) => ("unit", &unit.path),
        Thing::Case(case) => ("test case", &case.path),
    };
    let own = |path_of: &RepoPath| path_of.parent().as_ref() == Some(path) || path_of == path;
    let moved = changes.iter().find_map(|change| {
        let old = change.left().filter(|old| own(old))?;
        change.path.parent().filter(|parent| parent != path).map(|to| (old, to))
    });
    let told = |rule: &str, text: String| match known.filter(|reason| !reason.chain.is_empty()) {
        Some(reason) => reason.led_on(rule, text, []),
        None => Reason::new(rule, text).with_chain(link.into_iter().flatten().cloned().collect()),
    };
    let title = thing.title();
    match (thing, moved) {
        (Thing::Unit(unit), _) if !now.is_empty() => {
            let text = format!("the unit {title} is gone: {} is {}", unit.path, named(now));
            told("other_units", text)
        }
        (_, Some((old, to))) => {
            let name = String::from_utf8_lossy(old.file_name()).into_owned();
            let text = format!("the {what} {title} is gone; its {name} went to {to}");
            told("moved", text)
        }
        _ => told("removed", format!("the {what} {title} is gone")),
    }
}

/// `the unit a`, or `2 units: a, b`.
fn named(units: &[Unit]) -> String {
    let ids: Vec<&UnitId> = units.iter().map(|unit| &unit.id).collect();
    match ids[..] {
        [only] => format!("the unit {only}"),
        _ => {
            let first: Vec<String> = ids.iter().take(MOST_NAMED).map(ToString::to_string).collect();
            let more = ids.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{} units: {}{more}", ids.len(), first.join(", "))
        }
    }
}

/// More units than this nobody reads of.
const MOST_NAMED: usize = 5;
