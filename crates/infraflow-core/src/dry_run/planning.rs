use std::collections::{BTreeMap, BTreeSet};

use super::{DryRunError, DryRunPlan, PlannedUnit, Scope, SkippedUnit};
use crate::{
    catalog::{Catalog, DialectName, Node, ReferenceKind, Unit, UnitId},
    git::Revision,
    policy::Policy,
    proof::{Reason, RepoPath},
};

/// What a runner of one dialect would dry-run.
pub(super) fn plan(
    dialect: &DialectName,
    revision: &Revision,
    catalog: &Catalog,
    scope: Scope<'_>,
    policy: &Policy,
) -> Result<DryRunPlan, DryRunError> {
    let units = catalog.units()?;
    let mut skipped = Vec::new();
    let mut wanted: BTreeMap<UnitId, (&DialectName, Vec<Reason>)> = BTreeMap::new();
    match scope {
        Scope::All => {
            for unit in &units {
                let reason = Reason::new("all", "every unit was asked for");
                wanted.insert(unit.id.clone(), (&unit.dialect, vec![reason]));
            }
        }
        Scope::Units(ids) => {
            for id in ids {
                let unit = named(&units, id)?;
                let reason = Reason::new("asked", format!("{id} was asked for"));
                wanted.insert(id.clone(), (&unit.dialect, vec![reason]));
            }
        }
        Scope::Impact(impact) => {
            for unit in &impact.units {
                wanted.insert(unit.id.clone(), (&unit.dialect, unit.reasons.clone()));
            }
            for unit in &impact.removed_units {
                let text = "it is no longer there, so nothing can plan it; what it deployed stays until it is destroyed from a revision that has it";
                let reasons = std::iter::once(Reason::new("removed", text)).chain(unit.reasons.clone());
                skipped.push(SkippedUnit { id: unit.id.clone(), reasons: reasons.collect() });
            }
        }
    }
    let reads = Reads::of(catalog)?;
    let mut planned = Vec::new();
    for (id, (of, reasons)) in wanted {
        if of != dialect {
            let text = format!("it is read by {of}, and this runner plans {dialect}");
            let reasons = std::iter::once(Reason::new("other_dialect", text)).chain(reasons).collect();
            skipped.push(SkippedUnit { id, reasons });
            continue;
        }
        let path = id.path().clone();
        let below =
            units.iter().map(|unit| &unit.path).filter(|other| **other != path && other.is_within(&path));
        let mut others: BTreeSet<RepoPath> = below.cloned().collect();
        others.extend(reads.of_others(&id, &units));
        planned.push(PlannedUnit {
            environment: policy
                .environment_of_id(&path, &id.to_string())
                .map(|environment| environment.name.clone()),
            reads: reads.from(&id),
            others: others.into_iter().collect(),
            dialect: of.clone(),
            path,
            id,
            reasons,
        });
    }
    skipped.sort();
    Ok(DryRunPlan { revision: *revision, units: planned, skipped })
}

/// The unit of that id; or the one of its directory, since which workspaces and variable files there are need not
/// be known to the catalog.
fn named<'a>(units: &'a [Unit], id: &UnitId) -> Result<&'a Unit, DryRunError> {
    let found = units.iter().find(|unit| unit.id == *id);
    let found = found.or_else(|| units.iter().find(|unit| unit.path == *id.path()));
    found.ok_or_else(|| {
        let asked = id.to_string();
        let nearest = units
            .iter()
            .map(|unit| unit.id.to_string())
            .min_by_key(|known| strsim::levenshtein(known, &asked));
        DryRunError::UnknownUnit { unit: id.clone(), nearest }
    })
}

/// What units and modules refer to, by node.
struct Reads(BTreeMap<Node, Vec<(Node, ReferenceKind)>>);

impl Reads {
    fn of(catalog: &Catalog) -> Result<Self, DryRunError> {
        let mut edges: BTreeMap<Node, Vec<(Node, ReferenceKind)>> = BTreeMap::new();
        for reference in catalog.references()? {
            edges.entry(reference.from).or_default().push((reference.to, reference.kind));
        }
        Ok(Self(edges))
    }

    /// The files that a unit, or a module that it calls, reads outside of its own directory.
    fn from(&self, id: &UnitId) -> Vec<RepoPath> {
        let mut found = self.files(id);
        // Variable files enter by the values that they give.
        found.retain(|file| !file.is_within(id.path()) && !id.var_files().contains(file));
        found.into_iter().collect()
    }

    /// The files that are named to other units of the same directory, and that the unit does not read.
    fn of_others(&self, id: &UnitId, units: &[Unit]) -> Vec<RepoPath> {
        let named = |id: &UnitId| -> BTreeSet<RepoPath> {
            let own = self.0.get(&Node::Unit(id.clone())).into_iter().flatten();
            let files = own.filter_map(|(to, kind)| match (to, kind) {
                (Node::File(file), ReferenceKind::VariableFile | ReferenceKind::BackendFile) => {
                    Some(file.clone())
                }
                _ => None,
            });
            files.collect()
        };
        let sharing = units.iter().filter(|other| other.path == *id.path() && other.id != *id);
        let mut others: BTreeSet<RepoPath> = sharing.flat_map(|other| named(&other.id)).collect();
        if !others.is_empty() {
            let read = self.files(id);
            others.retain(|file| !read.iter().any(|read| file.is_within(read)));
        }
        others.into_iter().collect()
    }

    /// The files that a unit, or a module that it calls, depends on.
    fn files(&self, id: &UnitId) -> BTreeSet<RepoPath> {
        let mut waiting = vec![Node::Unit(id.clone())];
        if !self.0.contains_key(&waiting[0]) {
            // What the catalog does not know by this id may be any unit of the directory.
            let known = self.0.keys().filter(|node| matches!(node, Node::Unit(of) if of.path() == id.path()));
            waiting.extend(known.cloned());
        }
        let mut seen: BTreeSet<Node> = waiting.iter().cloned().collect();
        let mut found: BTreeSet<RepoPath> = BTreeSet::new();
        while let Some(node) = waiting.pop() {
            for (to, kind) in self.0.get(&node).into_iter().flatten() {
                match to {
                    // Outputs of another unit are consumed through its state, not through its files.
                    _ if *kind == ReferenceKind::Dependency => {}
                    Node::File(file) => {
                        found.insert(file.clone());
                    }
                    Node::Module(_) | Node::Unit(_) if seen.insert(to.clone()) => waiting.push(to.clone()),
                    _ => {}
                }
            }
        }
        found
    }
}
