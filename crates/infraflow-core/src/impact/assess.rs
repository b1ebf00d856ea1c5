use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::{
    AffectedCase, AffectedModule, AffectedUnit, Impact, ImpactOptions, Meant, ReasonsFor, References, Rules,
    reason::{Step, reasons},
    rules::{Applied, ThingKind, Wanted, apply},
    stack_units::stack_units,
};
use crate::{
    catalog::{Catalog, CatalogError, Module, Node, RecordId, ReferenceKind, Thing, Unparsable},
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
type Found = BTreeMap<Node, (Thing, Vec<Reason>)>;

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
    let in_head = Search::over(head, base, part, &options.rules, &applied, &alike, most)?;
    let in_base = Search::over(base, head, part, &options.rules, &applied, &alike, most)?;
    let mut all = Found::new();
    for (catalog, search) in [(head, &in_head), (base, &in_base)] {
        for &id in search.reached.keys() {
            for thing in catalog.things(id)? {
                let why = reasons(catalog, &search.reached, id, &thing, most)?;
                let thing = as_it_stands(thing, head)?;
                match all.entry(thing.node()) {
                    std::collections::btree_map::Entry::Vacant(place) => {
                        place.insert((thing, why));
                    }
                    std::collections::btree_map::Entry::Occupied(mut known) => {
                        merge(&mut known.get_mut().1, why, most);
                    }
                }
            }
        }
    }
    let mut gone_units: Vec<Node> = Vec::new();
    for thing in candidates(base, head, &in_base, &in_head, part)? {
        let node = thing.node();
        if head.find(&node)?.is_none() && as_it_stands(thing.clone(), head)? == thing {
            let known = all.get(&node).and_then(|(_, why)| why.first());
            let reason = gone(&thing, &changes.changes, known);
            gone_units.push(node.clone());
            all.insert(node, (thing, vec![reason]));
        }
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
    for (node, (thing, reasons)) in all {
        // What stands at the head stands there as the head has it.
        let (thing, stands) = match head.find(&node)? {
            Some(thing) => (thing, true),
            None => (thing, false),
        };
        match thing {
            Thing::Module(Module { path, dialect }) => {
                let module = AffectedModule { path, dialect, reasons };
                if stands { &mut impact.modules } else { &mut impact.removed_modules }.push(module);
            }
            Thing::Unit(unit) => {
                let unit = AffectedUnit::of(unit, reasons);
                if stands { &mut impact.units } else { &mut impact.removed_units }.push(unit);
            }
            Thing::Case(case) if stands => impact.cases.push(AffectedCase {
                id: case.id,
                module: case.module,
                path: case.path,
                kind: case.kind,
                reasons,
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

/// Of reasons for one thing, the shortest count; of equally short ones, those that were there first.
fn merge(known: &mut Vec<Reason>, more: Vec<Reason>, most: usize) {
    for reason in more {
        if !known.contains(&reason) {
            known.push(reason);
        }
    }
    known.sort_by_key(|reason| reason.chain.len());
    known.truncate(most);
}

/// What may be gone, or no longer what it was: whatever stands where something was touched, and what that
/// calls, since what nobody calls any more may have become something else.
fn candidates(
    base: &Catalog,
    head: &Catalog,
    in_base: &Search<'_>,
    in_head: &Search<'_>,
    changes: &[Change],
) -> Result<Vec<Thing>, CatalogError> {
    // Whatever a rule says of a path: what stood there and is gone is told.
    let touched = changes.iter().flat_map(touched).filter_map(|(path, _)| path.parent());
    let mut directories: BTreeSet<RepoPath> = touched.collect();
    let mut things = Vec::new();
    for (catalog, search) in [(base, in_base), (head, in_head)] {
        for &id in &search.direct {
            let record = catalog.record(id)?;
            directories.extend(record.called().cloned());
            directories.extend(catalog.examples_below(&record.directory));
            directories.insert(record.directory.clone());
        }
    }
    for &id in in_base.reached.keys() {
        things.extend(base.things(id)?);
    }
    for directory in directories {
        things.extend(base.standing_in(&directory)?.into_iter().map(|(_, thing)| thing));
    }
    Ok(things)
}

/// The units of the head that consume outputs of an affected or removed unit, over others too.
fn dependents(base: &Catalog, head: &Catalog, affected: &Found) -> Result<Vec<AffectedUnit>, CatalogError> {
    let mut found: BTreeMap<Node, AffectedUnit> = BTreeMap::new();
    for catalog in [head, base] {
        let mut reached: HashMap<RecordId, Vec<Step<'_>>> = HashMap::new();
        let mut work: VecDeque<RecordId> = VecDeque::new();
        for node in affected.keys() {
            work.extend(catalog.standing_for(node)?);
        }
        let begin: HashSet<RecordId> = work.iter().copied().collect();
        while let Some(id) = work.pop_front() {
            for (from, edge) in catalog.edges_to_record(id)? {
                if edge.kind != ReferenceKind::Dependency
                    || begin.contains(&from)
                    || reached.contains_key(&from)
                {
                    continue;
                }
                reached.insert(from, vec![Step::Thing { from: id, edge }]);
                work.push_back(from);
            }
        }
        for &id in reached.keys() {
            for thing in catalog.things(id)? {
                let node = thing.node();
                if affected.contains_key(&node) || found.contains_key(&node) || head.find(&node)?.is_none() {
                    continue;
                }
                let why = reasons(catalog, &reached, id, &thing, 1)?;
                if let Thing::Unit(unit) = thing {
                    found.insert(node, AffectedUnit::of(unit, why));
                }
            }
        }
    }
    Ok(found.into_values().collect())
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
fn as_it_stands(thing: Thing, head: &Catalog) -> Result<Thing, CatalogError> {
    match &thing {
        Thing::Module(Module { path, dialect }) => Ok(head.in_directory(path, dialect)?.unwrap_or(thing)),
        _ => Ok(thing),
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

/// Files of the head that could not be understood, where something touched could stand in them.
fn unparsable(head: &Catalog, search: &Search<'_>) -> Result<Vec<Unparsable>, CatalogError> {
    let reached: Vec<RecordId> = search.reached.keys().copied().collect();
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
    for &id in in_head.reached.keys() {
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
    let reached: Vec<RecordId> = in_base.reached.keys().copied().collect();
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

/// The things of a catalog that a rule means.
fn meant(catalog: &Catalog, wanted: &Wanted<'_>) -> Result<Vec<RecordId>, CatalogError> {
    let means = |wanted: &Wanted<'_>, thing: &Thing| match thing {
        Thing::Module(module) => {
            wanted.means(ThingKind::Module, &module.path, String::new, Some(&module.dialect))
        }
        Thing::Unit(unit) => {
            wanted.means(ThingKind::Unit, &unit.path, || unit.id.to_string(), Some(&unit.dialect))
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
            found.extend(standing.filter(|(_, thing)| means(&nearest, thing)).map(|(id, _)| id));
            at = directory.parent();
        }
    } else {
        for id in catalog.all()? {
            if catalog.things(id)?.iter().any(|thing| means(wanted, thing)) {
                found.push(id);
            }
        }
    }
    Ok(found)
}

/// More sentences than this nobody reads.
const MOST_WARNINGS: usize = 100;

/// Everything that depends on a changed file in one catalog, each with the last steps of the ways there, the
/// shortest first.
pub(super) struct Search<'a> {
    pub(super) reached: HashMap<RecordId, Vec<Step<'a>>>,
    /// What a changed file itself belongs to or concerns.
    direct: Vec<RecordId>,
    /// Scopes that a changed file asks to be left out, and that file.
    dismissed: BTreeMap<RecordId, RepoPath>,
    /// What is concerned as a whole, not by one of its references.
    pub(super) whole: HashSet<RecordId>,
}

impl<'a> Search<'a> {
    fn over(
        catalog: &Catalog,
        other: &Catalog,
        changes: &'a [Change],
        rules: &'a Rules,
        applied: &'a Applied<'a>,
        alike: &BTreeSet<&RepoPath>,
        most: usize,
    ) -> Result<Self, CatalogError> {
        let mut search = Self {
            reached: HashMap::new(),
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
                        search.step(id, Step::Own { change, path: path.clone() }, &mut work, most);
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
                        let step =
                            Step::File { change, path: path.clone(), kind: edge.kind, edge: Some(edge) };
                        search.step(id, step, &mut work, most);
                    }
                }
                if kind != ChangeKind::ModeChanged && !alike.contains(path) {
                    let beside = catalog.beside(path)?.into_iter();
                    let beside =
                        beside.filter(|(_, by)| references.counts(Meant::by(*by)) && counts(*by, kind));
                    for (id, by) in beside {
                        let step = Step::File { change, path: path.clone(), kind: by, edge: None };
                        search.step(id, step, &mut work, most);
                    }
                }
            }
        }
        for mark in &applied.marks {
            for id in meant(catalog, &mark.wanted)? {
                search.step(id, Step::Rule { mark }, &mut work, most);
            }
        }
        search.direct = work.iter().copied().collect();
        while let Some(id) = work.pop_front() {
            for (from, edge) in catalog.edges_to_record(id)? {
                if edge.kind != ReferenceKind::Dependency {
                    search.step(from, Step::Thing { from: id, edge }, &mut work, most);
                }
            }
            if rules.has_depends_also() {
                let directory = &catalog.record(id)?.key.at;
                for (name, rule) in rules.depending_on(directory) {
                    let because = format!("{name}: {}", rule.reason);
                    for also in meant(catalog, &Wanted::also(rule))? {
                        search.step(also, Step::Also { from: id, because: because.clone() }, &mut work, most);
                    }
                }
            }
        }
        Ok(search)
    }

    /// Takes a step. The first one to a thing is the last of the shortest way.
    fn step(&mut self, to: RecordId, step: Step<'a>, work: &mut VecDeque<RecordId>, most: usize) {
        if matches!(step, Step::File { edge: None, .. } | Step::Rule { .. } | Step::Also { .. }) {
            self.whole.insert(to);
        }
        let steps = self.reached.entry(to).or_default();
        if steps.is_empty() {
            work.push_back(to);
        }
        if steps.len() < most {
            steps.push(step);
        }
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
