use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::{
    AffectedCase, AffectedModule, AffectedUnit, Impact, ImpactOptions, Meant, ReasonsFor, References, Rules,
    reason::{Step, reason},
    rules::{Applied, ThingKind, Wanted, apply},
};
use crate::{
    catalog::{Catalog, Module, Node, ReferenceKind, Thing, ThingId, Unparsable},
    detect::{Change, ChangeSet},
    git::ChangeKind,
    proof::{Reason, RepoPath},
};

/// What a change set touches, each thing with the one shortest reason. `base` is the catalog of the merge
/// base, `head` that of the head. This is *plan*: it looks at nothing but its arguments.
pub fn assess(changes: &ChangeSet, base: &Catalog, head: &Catalog) -> Impact {
    assess_with(changes, base, head, &ImpactOptions::default())
}

/// As [`assess`], with options.
pub fn assess_with(changes: &ChangeSet, base: &Catalog, head: &Catalog, options: &ImpactOptions) -> Impact {
    let mut impact = assess_together(changes, base, head, &changes.changes, &options.rules);
    if options.reasons == ReasonsFor::EachChange && changes.changes.len() > 1 {
        for change in &changes.changes {
            let alone = assess_together(changes, base, head, std::slice::from_ref(change), &options.rules);
            add_reasons(&mut impact, alone);
        }
    }
    impact
}

fn assess_together(
    changes: &ChangeSet,
    base: &Catalog,
    head: &Catalog,
    part: &[Change],
    rules: &Rules,
) -> Impact {
    let applied = apply(rules, part);
    let found_in_base = search(base, part, rules, &applied);
    let found_in_head = search(head, part, rules, &applied);
    let standing: BTreeMap<Node, &Thing> = nodes(head);
    let mut all: BTreeMap<Node, (&Thing, Reason)> = BTreeMap::new();
    for (catalog, found) in [(head, found_in_head), (base, found_in_base)] {
        for (thing, reason) in found {
            let thing = as_it_stands(catalog.thing(thing), head);
            let entry = all.entry(thing.node());
            // Of two reasons the shorter one counts, and of equally short ones that of the head.
            entry
                .and_modify(|(_, known)| {
                    if reason.chain.len() < known.chain.len() {
                        *known = reason.clone();
                    }
                })
                .or_insert((thing, reason));
        }
    }
    for (node, thing) in nodes(base) {
        if !standing.contains_key(&node) && as_it_stands(thing, head) == thing {
            let reason = gone(thing, &changes.changes, all.get(&node).map(|(_, reason)| reason));
            all.insert(node, (thing, reason));
        }
    }

    let dependents = dependents(base, head, &all);
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
        dependents,
        ruled: Vec::new(),
        unparsable: head.unparsable().to_vec(),
        warnings: warnings(changes, base, head, &applied),
    };
    impact.ruled.extend(applied.ruled);
    impact.ruled.sort();
    for (node, (thing, reason)) in all {
        // What stands at the head stands there as the head has it.
        let (thing, stands) = match standing.get(&node) {
            Some(thing) => (*thing, true),
            None => (thing, false),
        };
        let reasons = vec![reason];
        match thing {
            Thing::Module(module) => {
                let module =
                    AffectedModule { path: module.path.clone(), dialect: module.dialect.clone(), reasons };
                if stands { &mut impact.modules } else { &mut impact.removed_modules }.push(module);
            }
            Thing::Unit(unit) => {
                let unit = AffectedUnit {
                    id: unit.id.clone(),
                    path: unit.path.clone(),
                    dialect: unit.dialect.clone(),
                    environment: unit.environment.clone(),
                    reasons,
                };
                if stands { &mut impact.units } else { &mut impact.removed_units }.push(unit);
            }
            Thing::Case(case) if stands => impact.cases.push(AffectedCase {
                id: case.id.clone(),
                module: case.module.clone(),
                path: case.path.clone(),
                kind: case.kind,
                reasons,
            }),
            // A case that is gone needs no test.
            Thing::Case(_) => {}
        }
    }
    impact
}

/// The units of the head that consume outputs of an affected or removed unit, over others too.
fn dependents(
    base: &Catalog,
    head: &Catalog,
    affected: &BTreeMap<Node, (&Thing, Reason)>,
) -> Vec<AffectedUnit> {
    let mut found: BTreeMap<Node, AffectedUnit> = BTreeMap::new();
    for catalog in [head, base] {
        let mut reached: HashMap<ThingId, Step<'_>> = HashMap::new();
        let at = |id: &ThingId| affected.contains_key(&catalog.thing(*id).node());
        let mut work: VecDeque<ThingId> = (0..catalog.things().len()).filter(at).collect();
        while let Some(thing) = work.pop_front() {
            let consumers =
                catalog.edges_to_thing(thing).filter(|edge| edge.kind == ReferenceKind::Dependency);
            for edge in consumers {
                if !at(&edge.from) && step_into(&mut reached, edge.from, Step::Thing { from: thing, edge }) {
                    work.push_back(edge.from);
                }
            }
        }
        for &thing in reached.keys() {
            let Thing::Unit(unit) = catalog.thing(thing) else { continue };
            if head.unit(&unit.id).is_none() {
                continue;
            }
            let dependent = AffectedUnit {
                id: unit.id.clone(),
                path: unit.path.clone(),
                dialect: unit.dialect.clone(),
                environment: unit.environment.clone(),
                reasons: vec![reason(catalog, &reached, thing)],
            };
            found.entry(Node::Unit(unit.id.clone())).or_insert(dependent);
        }
    }
    found.into_values().collect()
}

fn nodes(catalog: &Catalog) -> BTreeMap<Node, &Thing> {
    catalog.things().iter().map(|thing| (thing.node(), thing)).collect()
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
                known.sort_by(|one, two| (one.chain.len(), one).cmp(&(two.chain.len(), two)));
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
fn as_it_stands<'a>(thing: &'a Thing, head: &'a Catalog) -> &'a Thing {
    match thing {
        Thing::Module(Module { path, dialect }) => head.in_directory(path, dialect).unwrap_or(thing),
        _ => thing,
    }
}

fn gone(thing: &Thing, changes: &[Change], known: Option<&Reason>) -> Reason {
    let (what, path) = match thing {
        Thing::Module(module) => ("module", &module.path),
        Thing::Unit(unit) => ("unit", &unit.path),
        Thing::Case(case) => ("test case", &case.path),
    };
    let own = |path_of: &RepoPath| path_of.parent().as_ref() == Some(path) || path_of == path;
    let moved = changes.iter().find_map(|change| {
        let old = change.old_path.as_ref().filter(|old| own(old))?;
        change.path.parent().filter(|parent| parent != path).map(|to| (old, to))
    });
    let chain = known.map(|reason| reason.chain.clone()).unwrap_or_default();
    match moved {
        Some((old, to)) => {
            let text = format!("the {what} {path} is gone; its {} went to {to}", name(old));
            Reason::new("moved", text).with_chain(chain)
        }
        None => Reason::new("removed", format!("the {what} {path} is gone")).with_chain(chain),
    }
}

fn name(path: &RepoPath) -> String {
    String::from_utf8_lossy(path.file_name()).into_owned()
}

fn warnings(changes: &ChangeSet, base: &Catalog, head: &Catalog, applied: &Applied<'_>) -> Vec<String> {
    let mut warnings = changes.warnings.clone();
    warnings.extend(applied.warnings(|path| {
        let readers = [base, head].into_iter().flat_map(|catalog| {
            let edges = catalog.edges_to_path(path).into_iter().map(|edge| edge.from);
            edges.chain(catalog.owners(path)).map(|thing| catalog.thing(thing).title())
        });
        readers.collect::<BTreeSet<_>>().into_iter().collect()
    }));
    warnings.extend(head.warnings().iter().cloned());
    warnings.extend(head.unparsable().iter().map(|file| {
        let line = file.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!(
            "{}{line} could not be understood ({}); whatever could be in it counts as changed",
            file.path, file.why
        )
    }));
    // At the base only what the head does not say is of interest.
    let told = |file: &Unparsable| head.unparsable().iter().any(|known| known.path == file.path);
    warnings.extend(base.unparsable().iter().filter(|file| !told(file)).map(|file| {
        format!(
            "{} could not be understood at the merge base; whatever could be in it counts as changed",
            file.path
        )
    }));
    warnings.sort();
    warnings.dedup();
    warnings
}

/// Everything that depends on a changed file in one catalog, each with its shortest reason.
fn search(
    catalog: &Catalog,
    changes: &[Change],
    rules: &Rules,
    applied: &Applied<'_>,
) -> HashMap<ThingId, Reason> {
    let mut reached: HashMap<ThingId, Step<'_>> = HashMap::new();
    let mut work: VecDeque<ThingId> = VecDeque::new();
    for change in changes {
        for (path, kind) in touched(change) {
            let references = applied.references(path);
            if references == References::None {
                continue;
            }
            for thing in catalog.owners(path).into_iter().filter(|_| kind != ChangeKind::ModeChanged) {
                if step_into(&mut reached, thing, Step::Own { change, path: path.clone() }) {
                    work.push_back(thing);
                }
            }
            for edge in catalog.edges_to_path(path) {
                if counts(edge.kind, kind)
                    && references.counts(Meant::by(edge.kind))
                    && step_into(&mut reached, edge.from, Step::File { change, path: path.clone(), edge })
                {
                    work.push_back(edge.from);
                }
            }
        }
    }
    for mark in &applied.marks {
        for thing in meant(catalog, &mark.wanted) {
            if step_into(&mut reached, thing, Step::Rule { mark }) {
                work.push_back(thing);
            }
        }
    }
    while let Some(thing) = work.pop_front() {
        for edge in catalog.edges_to_thing(thing) {
            if edge.kind != ReferenceKind::Dependency
                && step_into(&mut reached, edge.from, Step::Thing { from: thing, edge })
            {
                work.push_back(edge.from);
            }
        }
        if rules.has_depends_also() {
            for (name, rule) in rules.depending_on(catalog.thing(thing).directory()) {
                let because = format!("{name}: {}", rule.reason);
                for also in meant(catalog, &Wanted::also(rule)) {
                    if step_into(&mut reached, also, Step::Also { from: thing, because: because.clone() }) {
                        work.push_back(also);
                    }
                }
            }
        }
    }
    reached.keys().map(|&thing| (thing, reason(catalog, &reached, thing))).collect()
}

/// The things of a catalog that a rule means.
fn meant(catalog: &Catalog, wanted: &Wanted<'_>) -> Vec<ThingId> {
    let means = |wanted: &Wanted<'_>| {
        let all = catalog.things().iter().enumerate();
        let found = all.filter(|(_, thing)| {
            let named = matches!(wanted, Wanted::Named { .. });
            match thing {
                Thing::Module(module) => {
                    wanted.means(ThingKind::Module, &module.path, String::new, Some(&module.dialect))
                }
                Thing::Unit(unit) => {
                    wanted.means(ThingKind::Unit, &unit.path, || unit.id.to_string(), Some(&unit.dialect))
                }
                Thing::Case(case) if named => wanted.means(ThingKind::Case, &case.module, String::new, None),
                Thing::Case(_) => wanted.means(ThingKind::Case, thing.directory(), String::new, None),
            }
        });
        found.map(|(at, _)| at).collect::<Vec<_>>()
    };
    let Wanted::NearestTo(directory) = wanted else { return means(wanted) };
    let mut at = Some(directory.clone());
    while let Some(directory) = at {
        at = directory.parent();
        let found = means(&Wanted::NearestTo(directory));
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The paths of a change, and what happened at each. A rename is two things to those who read the old name
/// or the new one; both are looked for at both ends, since a path may be read before it is there, and after
/// it is gone.
fn touched(change: &Change) -> Vec<(&RepoPath, ChangeKind)> {
    match &change.old_path {
        Some(old) => vec![(old, ChangeKind::Deleted), (&change.path, ChangeKind::Added)],
        None => vec![(&change.path, change.kind)],
    }
}

/// Whether a change of this kind can change what such a reference gives.
fn counts(reference: ReferenceKind, change: ChangeKind) -> bool {
    match (reference, change) {
        // `fileset` gives names.
        (
            ReferenceKind::FileSet | ReferenceKind::Presence,
            ChangeKind::Modified | ChangeKind::ModeChanged,
        ) => false,
        // What is named may be run, and then its mode matters.
        (ReferenceKind::PathNamed, ChangeKind::ModeChanged) => true,
        (_, ChangeKind::ModeChanged) => false,
        _ => true,
    }
}

/// Takes the step unless the thing was reached before, by a way that is no longer.
fn step_into<'a>(reached: &mut HashMap<ThingId, Step<'a>>, thing: ThingId, step: Step<'a>) -> bool {
    match reached.entry(thing) {
        std::collections::hash_map::Entry::Occupied(_) => false,
        std::collections::hash_map::Entry::Vacant(place) => {
            place.insert(step);
            true
        }
    }
}
