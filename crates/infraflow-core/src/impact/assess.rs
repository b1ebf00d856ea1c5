use std::collections::{BTreeMap, BTreeSet, HashSet, btree_map::Entry};

use super::{
    AffectedCase, AffectedModule, AffectedUnit, Impact, ImpactOptions, ReasonsFor,
    chains::{Chains, Total},
    come_and_gone::{candidates, come, gone, places, units_in},
    reason::{reason, reasons},
    rules::{Applied, apply},
    search::Search,
    stack_units::stack_units,
    ways::{Step, Ways},
};
use crate::{
    catalog::{Catalog, CatalogError, Concern, Module, Node, RecordId, ReferenceKind, Thing, Unparsable},
    detect::{Change, ChangeSet},
    git::{ChangeKind, GitError},
    proof::{Reason, RepoPath},
};

/// What a change set touches, each thing with the one shortest reason. `base` is the catalog of the merge
/// base, `head` that of the head. This is *plan*: it looks at nothing but its arguments.
///
/// # Errors
/// [`CatalogError`] where a catalog's tree can no longer be read.
pub fn assess(changes: &ChangeSet, base: &Catalog, head: &Catalog) -> Result<Impact, CatalogError> {
    assess_with(changes, base, head, &ImpactOptions::default())
}

/// As [`assess`], with options.
///
/// # Errors
/// As [`assess`].
pub fn assess_with(
    changes: &ChangeSet,
    base: &Catalog,
    head: &Catalog,
    options: &ImpactOptions,
) -> Result<Impact, CatalogError> {
    let mut impact = assess_together(changes, base, head, &changes.changes, options)?;
    if options.reasons == ReasonsFor::EachChange && changes.changes.len() > 1 {
        for change in &changes.changes {
            let alone = assess_together(changes, base, head, std::slice::from_ref(change), options)?;
            add_reasons(&mut impact, alone);
        }
    }
    Ok(impact)
}

/// Things by what tells them apart, each with why it is named.
type Found = BTreeMap<Node, (Thing, Told)>;

/// Why a thing is named, and how many chains of references lead to it.
struct Told {
    reasons: Vec<Reason>,
    total: Total,
}

impl From<Reason> for Told {
    fn from(reason: Reason) -> Self {
        Self { reasons: vec![reason], total: Total::exactly(1) }
    }
}

/// A reason without the places in its files.
fn placeless(reason: &Reason) -> (String, Vec<(RepoPath, String)>) {
    let links = reason.chain.iter().map(|link| (link.path.clone(), link.reference.clone()));
    (reason.text.clone(), links.collect())
}

impl Told {
    /// Of reasons for one thing, the shortest count; of equally short ones, those that were there first. What the
    /// other end says too stands in other lines there, and is told once.
    fn merge(&mut self, more: Self, most: usize) {
        let known: HashSet<(String, Vec<(RepoPath, String)>)> = self.reasons.iter().map(placeless).collect();
        self.reasons.extend(more.reasons.into_iter().filter(|reason| !known.contains(&placeless(reason))));
        self.total = self.total.and(more.total).and(Total::exactly(self.reasons.len()));
        self.reasons.sort_by_key(Reason::length);
        self.reasons.truncate(most);
    }
}

fn assess_together(
    changes: &ChangeSet,
    base: &Catalog,
    head: &Catalog,
    part: &[Change],
    options: &ImpactOptions,
) -> Result<Impact, CatalogError> {
    let most = options.reasons.most_chains();
    let applied = apply(&options.rules, part);
    let alike = alike(part, base, head)?;
    let in_head = Search::over(head, Some(base), part, &options.rules, &applied, &alike, options.reasons)?;
    let in_base = Search::over(base, Some(head), part, &options.rules, &applied, &alike, options.reasons)?;
    let mut all = Found::new();
    for (catalog, search) in [(head, &in_head), (base, &in_base)] {
        let mut chains = Chains::of(&search.ways, options.reasons);
        for id in search.ways.in_order(catalog)? {
            for (place, thing) in catalog.things(id)?.into_iter().enumerate() {
                if !search.ways.concerns(id, place) {
                    continue;
                }
                let (ways, total) = chains.to(id, Some(place));
                let reasons = reasons(catalog, &ways, id, &thing)?;
                let told = Told { total: total.told(reasons.len(), most), reasons };
                let thing = as_it_stands(thing, head)?;
                match all.entry(thing.node()) {
                    Entry::Vacant(place) => {
                        place.insert((thing, told));
                    }
                    Entry::Occupied(mut known) => known.get_mut().1.merge(told, most),
                }
            }
        }
    }
    let places = places((base, &in_base), (head, &in_head), part)?;
    for thing in candidates(base, &in_base, &places)? {
        let node = thing.node();
        if head.find(&node)?.is_none() && as_it_stands(thing.clone(), head)? == thing {
            let known = all.get(&node).and_then(|(_, told)| told.reasons.first());
            let now = units_in(head, thing.directory())?;
            let reason = gone(&thing, &changes.changes, known, places.get(thing.directory()), &now);
            all.insert(node, (thing, reason.into()));
        }
    }
    for (unit, reason) in come(base, head, &places)? {
        let thing = Thing::Unit(unit);
        all.entry(thing.node()).or_insert((thing, reason.into()));
    }

    let dismissed = dismiss(head, &in_head, &mut all)?;
    let unparsable = unparsable(head, &in_head)?;
    let mut warnings = warnings(changes, (base, &in_base), (head, &in_head), &unparsable)?;
    warnings.extend(ignored(&applied, base, head)?);
    warnings.extend(dismissed);
    warnings.sort();
    let mut impact = Impact {
        base: changes.base,
        head: changes.head,
        merge_base: changes.merge_base,
        changes: changes.changes.clone(),
        modules: Vec::new(),
        units: Vec::new(),
        cases: Vec::new(),
        removed_modules: Vec::new(),
        removed_units: Vec::new(),
        renamed_units: Vec::new(),
        stack_units: Vec::new(),
        removed_stack_units: Vec::new(),
        dependents: dependents(base, head, &all)?,
        ruled: Vec::new(),
        unparsable,
        warnings,
    };
    (impact.stack_units, impact.removed_stack_units) =
        stack_units((base, &in_base), (head, &in_head), part, &applied)?;
    impact.ruled.extend(applied.ruled);
    impact.ruled.sort();
    for (node, (thing, Told { reasons, total })) in all {
        let chains_left_out = total.beyond(reasons.len()).filter(|_| most > 1);
        // What stands at the head stands there as the head has it.
        let (thing, stands) = match head.find(&node)? {
            Some(thing) => (thing, true),
            None => (thing, false),
        };
        match thing {
            Thing::Module(Module { path, dialect }) => {
                let module = AffectedModule { path, dialect, reasons, chains_left_out };
                if stands { &mut impact.modules } else { &mut impact.removed_modules }.push(module);
            }
            Thing::Unit(unit) => {
                let unit = AffectedUnit { chains_left_out, ..AffectedUnit::of(unit, reasons) };
                if stands { &mut impact.units } else { &mut impact.removed_units }.push(unit);
            }
            Thing::Case(case) if stands => impact.cases.push(AffectedCase {
                id: case.id,
                module: case.module,
                path: case.path,
                kind: case.kind,
                reasons,
                chains_left_out,
            }),
            // A case that is gone needs no test.
            Thing::Case(_) => {}
        }
    }
    Ok(impact)
}

/// Takes out the units that a changed file asks to be left out, and says so.
fn dismiss(head: &Catalog, search: &Search<'_>, all: &mut Found) -> Result<Vec<String>, CatalogError> {
    let mut told = Vec::new();
    for (&id, file) in &search.dismissed {
        for thing in head.things(id)? {
            if matches!(thing, Thing::Unit(_)) && all.remove(&thing.node()).is_some() {
                told.push(format!(
                    "{} is left out although a change touches it: {file} asks for that",
                    thing.title()
                ));
            }
        }
    }
    Ok(told)
}

/// Version files that say the same of the tools which run here.
fn alike<'c>(
    changes: &'c [Change],
    base: &Catalog,
    head: &Catalog,
) -> Result<BTreeSet<&'c RepoPath>, CatalogError> {
    let mut found = BTreeSet::new();
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Modified) {
        let path = &change.path;
        if !head.pins(path) {
            continue;
        }
        let content = |catalog: &Catalog| {
            let tree = catalog.tree();
            let entry = tree.entry(path)?.filter(|entry| entry.mode.is_file());
            match entry.map(|entry| tree.read_entry(&entry)).transpose() {
                Err(GitError::TooLarge { .. }) => Ok(None),
                other => other,
            }
        };
        let failed = |catalog: &Catalog, source| CatalogError::git(catalog.tree(), source);
        let before = content(base).map_err(|source| failed(base, source))?;
        let after = content(head).map_err(|source| failed(head, source))?;
        if let (Some(before), Some(after)) = (before, after)
            && head.means_the_same(path, &before, &after)
        {
            found.insert(path);
        }
    }
    Ok(found)
}

/// The units of the head that consume outputs of an affected or removed unit, over others too.
fn dependents(base: &Catalog, head: &Catalog, affected: &Found) -> Result<Vec<AffectedUnit>, CatalogError> {
    let mut found: BTreeMap<Node, AffectedUnit> = BTreeMap::new();
    for catalog in [head, base] {
        let mut begin: BTreeSet<RecordId> = BTreeSet::new();
        for node in affected.keys() {
            begin.extend(catalog.standing_for(node)?);
        }
        let mut ways = Ways::default();
        for &id in &begin {
            consumers(catalog, id, &begin, &mut ways)?;
        }
        while let Some(id) = ways.next() {
            consumers(catalog, id, &begin, &mut ways)?;
        }
        for id in ways.in_order(catalog)? {
            for (place, thing) in catalog.things(id)?.into_iter().enumerate() {
                let node = thing.node();
                if affected.contains_key(&node) || found.contains_key(&node) || head.find(&node)?.is_none() {
                    continue;
                }
                let why = reason(catalog, &ways, (id, Some(place)), &thing)?;
                if let Thing::Unit(unit) = thing {
                    found.insert(node, AffectedUnit::of(unit, vec![why]));
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Takes the steps to those who consume outputs of a unit.
fn consumers(
    catalog: &Catalog,
    id: RecordId,
    begin: &BTreeSet<RecordId>,
    ways: &mut Ways<'_>,
) -> Result<(), CatalogError> {
    for (from, edge) in catalog.edges_to_record(id)? {
        if edge.kind == ReferenceKind::Dependency && !begin.contains(&from) {
            ways.step(catalog, from, (Concern::All, Step::Thing { from: id, edge }))?;
        }
    }
    Ok(())
}

/// Adds the reasons that a part of the changes gives for what all of them touch.
fn add_reasons(impact: &mut Impact, part: Impact) {
    fn add<T>(
        whole: &mut [T],
        part: Vec<T>,
        same: fn(&T, &T) -> bool,
        reasons: fn(&mut T) -> &mut Vec<Reason>,
    ) {
        for mut item in part {
            if let Some(known) = whole.iter_mut().find(|known| same(known, &item)) {
                let known = reasons(known);
                for reason in reasons(&mut item).drain(..) {
                    if !known.contains(&reason) {
                        known.push(reason);
                    }
                }
                known.sort_by(|one, two| (one.length(), one).cmp(&(two.length(), two)));
            }
        }
    }
    let same_module =
        |one: &AffectedModule, two: &AffectedModule| one.path == two.path && one.dialect == two.dialect;
    let same_unit = |one: &AffectedUnit, two: &AffectedUnit| one.id == two.id && one.dialect == two.dialect;
    add(&mut impact.modules, part.modules, same_module, |module| &mut module.reasons);
    add(&mut impact.removed_modules, part.removed_modules, same_module, |module| &mut module.reasons);
    add(&mut impact.units, part.units, same_unit, |unit| &mut unit.reasons);
    add(&mut impact.removed_units, part.removed_units, same_unit, |unit| &mut unit.reasons);
    add(&mut impact.cases, part.cases, |one, two| one.id == two.id, |case| &mut case.reasons);
}

/// A module that has become an example, or the other way round, is judged as what it is now. A unit that is
/// no longer one is gone, whatever took its place.
fn as_it_stands(thing: Thing, head: &Catalog) -> Result<Thing, CatalogError> {
    match &thing {
        Thing::Module(Module { path, dialect }) => Ok(head.in_directory(path, dialect)?.unwrap_or(thing)),
        _ => Ok(thing),
    }
}

/// Files of the head that could not be understood, where something touched could stand in them.
fn unparsable(head: &Catalog, search: &Search<'_>) -> Result<Vec<Unparsable>, CatalogError> {
    let reached: Vec<RecordId> = search.ways.ids().collect();
    let mut found = head.broken_in(&reached)?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn warnings(
    changes: &ChangeSet,
    (base, in_base): (&Catalog, &Search<'_>),
    (head, in_head): (&Catalog, &Search<'_>),
    broken: &[Unparsable],
) -> Result<Vec<String>, CatalogError> {
    let mut warnings = changes.warnings.clone();
    for id in in_head.ways.ids() {
        warnings.extend(head.warnings_of(id)?);
    }
    warnings.extend(broken.iter().map(|file| {
        let line = file.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!(
            "{}{line} could not be understood ({}); whatever could be in it counts as changed",
            file.path, file.why
        )
    }));
    // At the base only what the head does not say is of interest.
    let told: HashSet<&RepoPath> = broken.iter().map(|file| &file.path).collect();
    let reached: Vec<RecordId> = in_base.ways.ids().collect();
    let broken = base.broken_in(&reached)?;
    warnings.extend(broken.iter().filter(|file| !told.contains(&file.path)).map(|file| {
        format!(
            "{} could not be understood at the merge base; whatever could be in it counts as changed",
            file.path
        )
    }));
    warnings.sort();
    warnings.dedup();
    if let Some(more) = warnings.len().checked_sub(MOST_WARNINGS).filter(|&more| more > 0) {
        warnings.truncate(MOST_WARNINGS);
        warnings.push(format!("and {more} more of the same kind"));
    }
    Ok(warnings)
}

/// What is to be said of changed files that a rule leaves out although something reads them.
fn ignored(applied: &Applied<'_>, base: &Catalog, head: &Catalog) -> Result<Vec<String>, CatalogError> {
    let mut readers: BTreeMap<RepoPath, BTreeSet<String>> = BTreeMap::new();
    for path in applied.left_out() {
        for catalog in [base, head] {
            let edges = catalog.edges_to_path(path)?.into_iter().map(|(id, _)| id);
            for id in edges.chain(catalog.owners(path)?) {
                let titles = catalog.things(id)?.iter().map(Thing::title).collect::<Vec<_>>();
                readers.entry(path.clone()).or_default().extend(titles);
            }
        }
    }
    Ok(applied.warnings(|path| readers.get(path).into_iter().flatten().cloned().collect()))
}

/// More sentences than this nobody reads.
const MOST_WARNINGS: usize = 100;
