//! What the records of a tree stand for.

use super::{
    Case, CaseId, Catalog, CatalogError, DialectName, Module, Node, Unit, UnitId,
    classify::{Sort, says_of_others, sort},
    record::Record,
    view::RecordId,
};
use crate::proof::RepoPath;

/// A module, a unit or a test case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    Module(Module),
    Unit(Unit),
    Case(Case),
}

impl Thing {
    pub(crate) fn node(&self) -> Node {
        match self {
            Self::Module(module) => Node::Module(module.path.clone()),
            Self::Unit(unit) => Node::Unit(unit.id.clone()),
            Self::Case(case) => Node::Case(case.id.clone()),
        }
    }
}

impl Catalog {
    /// What a record stands for: a module, a case, or the units of its directory in the order of its variants.
    /// None where its files say something of units elsewhere.
    pub(crate) fn things(&self, id: RecordId) -> Result<Vec<Thing>, CatalogError> {
        if says_of_others(self.makings(), &*self.view().record(id)?) {
            return Ok(Vec::new());
        }
        match self.outline(id)? {
            // What shares a directory with another dialect's unit is one.
            Thing::Unit(unit) if unit.id.dialect().is_some() => Ok(vec![Thing::Unit(unit)]),
            Thing::Unit(unit) => self.units_at(&unit.path, &unit.dialect),
            thing => Ok(vec![thing]),
        }
    }

    /// The same with the units of one directory taken for one, for which nothing has to be looked up.
    pub(crate) fn outline(&self, id: RecordId) -> Result<Thing, CatalogError> {
        let record = self.view().record(id)?;
        let name = |dialect: u8| self.makings().dialects[usize::from(dialect)].name();
        let path = record.directory.clone();
        Ok(match self.sort_of(&record)? {
            Sort::Module => Thing::Module(Module { path, dialect: name(record.key.dialect) }),
            Sort::Unit => self.unit_at(path, record.key.dialect)?,
            Sort::Part { dialect } => self.unit_at(path, dialect)?,
            Sort::Case { module, kind } => {
                let path = record.key.at.clone();
                Thing::Case(Case { id: CaseId::new(path.clone()), module, path, kind })
            }
        })
    }

    /// The units of a directory, in the order of its variants.
    fn units_at(&self, path: &RepoPath, dialect: &DialectName) -> Result<Vec<Thing>, CatalogError> {
        let shared = self.shared(path, dialect)?;
        Ok(shared.ids.iter().map(|id| self.unit_of(id.clone(), dialect.clone())).collect())
    }

    fn unit_of(&self, id: UnitId, dialect: DialectName) -> Thing {
        let (path, environment) = (id.path().clone(), self.environment_of(&id));
        Thing::Unit(Unit { id, path, dialect, environment })
    }

    fn unit_at(&self, path: RepoPath, dialect: u8) -> Result<Thing, CatalogError> {
        let name = self.makings().dialects[usize::from(dialect)].name();
        let first = self.first_unit_in(&path)?;
        let mut id = UnitId::new(path);
        if first.is_some_and(|first| first != dialect) {
            id = id.with_dialect(name.clone());
        }
        Ok(self.unit_of(id, name))
    }

    /// Of dialects that have a unit each in a directory, the first: its unit is called by the directory alone.
    fn first_unit_in(&self, directory: &RepoPath) -> Result<Option<u8>, CatalogError> {
        let ids = self.view().records_at(directory)?;
        if ids.len() == 1 {
            return Ok(None);
        }
        let mut first = None;
        for id in ids {
            let record = self.view().record(id)?;
            let dialect = match self.sort_of(&record)? {
                Sort::Unit => record.key.dialect,
                Sort::Part { dialect } => dialect,
                Sort::Module | Sort::Case { .. } => continue,
            };
            first = Some(first.map_or(dialect, |first: u8| first.min(dialect)));
        }
        Ok(first)
    }

    /// The thing of a name, where it stands.
    pub(crate) fn find(&self, node: &Node) -> Result<Option<Thing>, CatalogError> {
        for id in self.standing_for(node)? {
            if let (Node::Unit(unit), Thing::Unit(of)) = (node, self.outline(id)?) {
                return Ok(Some(self.unit_of(unit.clone(), of.dialect)));
            }
            let found = self.things(id)?.into_iter().find(|thing| thing.node() == *node);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The records that a thing of this name is made of.
    pub(crate) fn standing_for(&self, node: &Node) -> Result<Vec<RecordId>, CatalogError> {
        let path = match node {
            Node::Module(path) => path,
            Node::Unit(id) => id.path(),
            Node::Case(id) => id.path(),
            Node::File(_) | Node::External(_) => return Ok(Vec::new()),
        };
        let mut found = Vec::new();
        for id in self.view().records_at(path)? {
            let stands = match node {
                Node::Unit(unit) if unit.dialect().is_some() => self.outline(id)?.node() == *node,
                // A unit that says its dialect is no other's.
                Node::Unit(_) if matches!(self.outline(id)?, Thing::Unit(of) if of.id.dialect().is_some()) => {
                    false
                }
                Node::Unit(unit) => {
                    let shared = self.shared_by(&*self.view().record(id)?)?;
                    shared.is_some_and(|shared| shared.ids.contains(unit))
                }
                _ => self.things(id)?.iter().any(|thing| thing.node() == *node),
            };
            if stands {
                found.push((self.view().record(id)?.key.dialect, id));
            }
        }
        // Modules of two dialects in a directory have one name: the first speaks for both.
        found.sort();
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    /// What stands in a directory, test files left out.
    pub(crate) fn standing_in(&self, directory: &RepoPath) -> Result<Vec<(RecordId, Thing)>, CatalogError> {
        let mut found = Vec::new();
        for id in self.view().records_at(directory)? {
            if !self.view().record(id)?.key.test {
                found.extend(self.things(id)?.into_iter().map(|thing| (id, thing)));
            }
        }
        Ok(found)
    }

    /// What a dialect has in a directory.
    pub(crate) fn in_directory(
        &self,
        directory: &RepoPath,
        dialect: &DialectName,
    ) -> Result<Option<Thing>, CatalogError> {
        let name = |dialect: u8| self.makings().dialects[usize::from(dialect)].name();
        for id in self.view().records_at(directory)? {
            let record = self.view().record(id)?;
            if !record.key.test && name(record.key.dialect) == *dialect {
                return Ok(self.things(id)?.into_iter().next());
            }
        }
        Ok(None)
    }

    pub(super) fn sort_of(&self, record: &Record) -> Result<Sort, CatalogError> {
        if let Some(known) = self.sorts().get(&record.key) {
            return Ok(known.clone());
        }
        let sort = sort(self.view(), self.makings(), record)?;
        self.sorts().insert(record.key.clone(), sort.clone());
        Ok(sort)
    }
}
