//! All references and calls of a tree.

use std::collections::HashMap;

use super::{
    Catalog, CatalogError, Concern, ModuleCall, Node, Reference, ReferenceKind, Thing, UnitId, edges::tested,
    record::End,
};
use crate::proof::{Link, RepoPath};

impl Catalog {
    /// The module calls with a constant source, sorted by file and place.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn calls(&self) -> Result<Vec<ModuleCall>, CatalogError> {
        let mut calls = Vec::new();
        for id in self.view().all()? {
            let record = self.view().record(id)?;
            if record.calls.iter().all(|call| call.source.is_none()) {
                continue;
            }
            let things = self.things(id)?;
            let units = things.iter().filter_map(|thing| match thing {
                Thing::Unit(unit) => Some(unit.id.clone()),
                _ => None,
            });
            let units: Vec<UnitId> = units.collect();
            let module = things.iter().find_map(|thing| match thing {
                Thing::Module(module) => Some(module.path.clone()),
                _ => None,
            });
            for call in &record.calls {
                let Some(source) = &call.source else { continue };
                calls.push(ModuleCall {
                    in_file: call.in_file.clone(),
                    name: call.name.clone(),
                    place: call.place,
                    source: source.clone(),
                    version: call.version.clone(),
                    units: units.clone(),
                    module: module.clone(),
                    target: call.target.clone(),
                });
            }
        }
        calls.sort_by(|one, two| (&one.in_file, one.place).cmp(&(&two.in_file, two.place)));
        Ok(calls)
    }

    /// The units by where they keep their state.
    fn keeping(&self) -> Result<HashMap<RepoPath, Vec<Node>>, CatalogError> {
        let mut found: HashMap<RepoPath, Vec<Node>> = HashMap::new();
        for id in self.view().all()? {
            let record = self.view().record(id)?;
            let things = if record.key.test { Vec::new() } else { self.things(id)? };
            let units = things.iter().filter(|thing| matches!(thing, Thing::Unit(_))).map(Thing::node);
            found.entry(record.state()).or_default().extend(units);
        }
        Ok(found)
    }

    /// All references between things of this tree, and to files, sorted. That a directory contains its own
    /// configuration files goes without saying. A pattern of files stands as the directory it begins in.
    ///
    /// # Errors
    /// As [`Catalog::units`], and [`CatalogError::Git`] where the tree cannot be listed.
    pub fn references(&self) -> Result<Vec<Reference>, CatalogError> {
        let mut references = Vec::new();
        let mut keeping: Option<HashMap<RepoPath, Vec<Node>>> = None;
        for id in self.view().all()? {
            let record = self.view().record(id)?;
            let run = self.sort_of(&record)?.is_run();
            let from: Vec<Node> = self.things(id)?.iter().map(Thing::node).collect();
            let counting = record.edges.iter().filter(|edge| run || !edge.when_run);
            let mut edges: Vec<(Vec<Node>, ReferenceKind, Option<Link>, Concern)> = Vec::new();
            for edge in counting {
                let concern = self.concern(id, edge, &|other| other.to == edge.to)?;
                let to = match &edge.to {
                    End::Scope(directory) => {
                        self.standing_in(directory)?.iter().map(|(_, thing)| thing.node()).collect()
                    }
                    End::State(at) => {
                        if keeping.is_none() {
                            keeping = Some(self.keeping()?);
                        }
                        keeping.iter().filter_map(|keeping| keeping.get(at)).flatten().cloned().collect()
                    }
                    other => vec![Node::File(other.path().clone())],
                };
                edges.push((to, edge.kind, edge.links().last(), concern));
            }
            if let Some(module) = self.exemplifies(&record)? {
                let to = self.standing_in(&module)?.iter().map(|(_, thing)| thing.node()).collect();
                edges.push((to, ReferenceKind::TestOf, tested(&record).links().last(), Concern::All));
            }
            for (path, kind, concern) in self.named_to(&record)? {
                let text = String::from_utf8_lossy(path.file_name()).into_owned();
                let link = Link::whole(path.clone(), text);
                edges.push((vec![Node::File(path)], kind, Some(link), concern));
            }
            for (to, kind, link, concern) in edges {
                let Some(link) = link else { continue };
                for (_, from) in from.iter().enumerate().filter(|(place, _)| concern.holds(*place)) {
                    references.extend(to.iter().filter(|to| *to != from).map(|to| Reference {
                        from: from.clone(),
                        to: to.clone(),
                        kind,
                        link: link.clone(),
                    }));
                }
            }
        }
        let entries = self.tree().walk(&RepoPath::root());
        for entry in entries.map_err(|source| CatalogError::git(self.tree(), source))? {
            for (id, kind, concern) in self.beside(&entry.path)? {
                let text = String::from_utf8_lossy(entry.path.file_name()).into_owned();
                let link = Link::whole(entry.path.clone(), text);
                let things = self.things(id)?.into_iter().enumerate();
                for (_, thing) in things.filter(|(place, _)| concern.holds(*place)) {
                    let (from, to) = (thing.node(), Node::File(entry.path.clone()));
                    references.push(Reference { from, to, kind, link: link.clone() });
                }
            }
        }
        references.sort();
        references.dedup();
        Ok(references)
    }
}
