//! What a changed file touches, or why it touches nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Answered, Impact, ReasonsFor, RuleAction, Rules, reason::reason, rules::apply, search::Search};
use crate::{
    catalog::{Catalog, CatalogError, Thing},
    detect::Change,
    git::ChangeKind,
    proof::{Link, Reason, RepoPath},
};

/// What a changed file touches of all that is affected or gone. A thing that another changed file touches over a
/// shorter way may have no reason that begins here; then the ways from this file alone are told.
pub(super) fn touched_by(
    change: &Change,
    path: &RepoPath,
    all: &[(&RepoPath, Answered)],
    head: &Catalog,
    rules: &Rules,
) -> Result<Vec<Answered>, CatalogError> {
    let begins = |reason: &Reason| reason.chain.first().is_some_and(|link| link.path == *path);
    let told = all.iter().filter(|(_, thing)| thing.reasons.iter().any(begins));
    let mut found: Vec<Answered> = told.map(|(_, thing)| thing.clone()).collect();
    let told: HashSet<(String, String)> = found.iter().map(named).collect();
    let known: HashSet<(String, String)> = all.iter().map(|(_, thing)| named(thing)).collect();
    let alone = std::slice::from_ref(change);
    let applied = apply(rules, alone);
    let search = Search::over(head, None, alone, rules, &applied, &Default::default(), ReasonsFor::TheThing)?;
    for id in search.ways.in_order(head)? {
        for (place, thing) in head.things(id)?.into_iter().enumerate() {
            let (what, name) = match &thing {
                Thing::Unit(unit) => ("unit", unit.id.to_string()),
                Thing::Module(module) => ("module", module.path.to_string()),
                Thing::Case(case) => ("case", case.id.to_string()),
            };
            let called = (what.to_owned(), name);
            if search.ways.concerns(id, place) && known.contains(&called) && !told.contains(&called) {
                let reasons = vec![reason(head, &search.ways, (id, Some(place)), &thing)?];
                let (what, name) = called;
                found.push(Answered { what, name, reasons, chains_left_out: None });
            }
        }
    }
    let gone = all.iter().filter(|(own, thing)| {
        let own = path.parent().as_ref() == Some(own) || path == *own;
        own && thing.what.starts_with("removed") && !told.contains(&named(thing))
    });
    found.extend(gone.map(|(_, thing)| thing.clone()));
    let places: HashMap<(String, String), usize> =
        all.iter().enumerate().map(|(place, (_, thing))| (named(thing), place)).collect();
    found.sort_by_cached_key(|thing| places.get(&named(thing)).copied());
    found.dedup_by(|one, two| named(one) == named(two));
    Ok(found)
}

fn named(thing: &Answered) -> (String, String) {
    (thing.what.clone(), thing.name.clone())
}

/// Why a changed file touches nothing.
pub(super) fn not_counting(
    change: &Change,
    path: &RepoPath,
    impact: &Impact,
    head: &Catalog,
) -> Result<Reason, CatalogError> {
    let ignores = [RuleAction::Ignore, RuleAction::IgnoreAlways];
    let ruled = impact.ruled.iter().find(|ruled| ruled.path == *path && ignores.contains(&ruled.action));
    let link = || vec![Link::whole(path.clone(), path.to_string())];
    if let Some(ruled) = ruled {
        let text = format!("{path} changed, and is ignored: {} ({})", ruled.reason, ruled.rule);
        return Ok(Reason::new("ignored", text).with_chain(link()));
    }
    if change.kind == ChangeKind::ModeChanged {
        let text = format!("only the mode of {path} changed, and nothing names it to run it");
        return Ok(Reason::new("mode_only", text).with_chain(link()));
    }
    if change.kind == ChangeKind::Deleted || change.left() == Some(path) {
        let text = format!("{path} is gone, and nothing that is still there reads it");
        return Ok(Reason::new("not_read", text).with_chain(link()));
    }
    let place = match nearest_above(path, head)? {
        Some(thing) => format!("it lies in {thing}, which does not read it"),
        None => "it lies in no module, unit or test case, and none reads it".to_owned(),
    };
    let text = format!(
        "{path} changed, and touches nothing: {place}; if a tool of yours does, say so with do = \"part_of\" in [[impact.rules]]"
    );
    Ok(Reason::new("not_read", text).with_chain(link()))
}

/// The module, unit or case in the nearest directory above a path.
fn nearest_above(path: &RepoPath, head: &Catalog) -> Result<Option<String>, CatalogError> {
    let mut names: BTreeMap<RepoPath, String> = BTreeMap::new();
    names.extend(head.cases()?.iter().map(|case| (case.path.clone(), case.id.to_string())));
    names.extend(head.modules()?.iter().map(|module| (module.path.clone(), module.path.to_string())));
    names.extend(head.units()?.iter().map(|unit| (unit.path.clone(), unit.id.to_string())));
    let mut at = path.parent();
    while let Some(directory) = at {
        if let Some(name) = names.get(&directory) {
            return Ok(Some(name.clone()));
        }
        at = directory.parent();
    }
    Ok(None)
}
