//! Who refers to what changed.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::{
    CaseKind, Catalog, CatalogError, DialectName, ReferenceKind, Role, Thing, UnitId,
    classify::Sort,
    fill::begins_in_a_module,
    ground::claims,
    group::hides,
    record::{Edge, End, Key, Proof, Record},
    view::RecordId,
};
use crate::{
    policy::EnvironmentName,
    proof::{Link, RepoPath},
};

/// A unit, its environment, and the chain of calls that leads to it.
pub(crate) type UnitOnTheWay = (UnitId, Option<EnvironmentName>, Vec<Link>);

impl Catalog {
    /// Whether two contents of a file mean the same to all dialects that know the file.
    pub(crate) fn means_the_same(&self, path: &RepoPath, before: &[u8], after: &[u8]) -> bool {
        let dialects = &self.makings().dialects;
        let mut known = claims(dialects, path).peekable();
        known.peek().is_some()
            && known.all(|(dialect, _)| dialects[usize::from(dialect)].means_the_same(path, before, after))
    }

    /// Whether a file at this path pins the version of a tool.
    pub(crate) fn pins(&self, path: &RepoPath) -> bool {
        claims(&self.makings().dialects, path).any(|(_, claim)| claim.role == Role::ToolVersion)
    }

    /// Whether another file is read in a file's stead.
    pub(super) fn is_hidden(&self, path: &RepoPath, dialect: u8) -> Result<bool, CatalogError> {
        match self.makings().dialects[usize::from(dialect)].hidden_by(path) {
            Some(other) => {
                let found = self.tree().entry(&other);
                let found = found.map_err(|source| CatalogError::git(self.tree(), source))?;
                Ok(found.is_some_and(|entry| hides(entry.mode)))
            }
            None => Ok(false),
        }
    }

    /// Whether a file at this path would be configuration.
    pub(crate) fn configures(&self, path: &RepoPath) -> bool {
        let mut claims = claims(&self.makings().dialects, path);
        claims.any(|(_, claim)| matches!(claim.role, Role::Configuration | Role::Test))
    }

    /// Whose configuration a file at this path is.
    pub(crate) fn owners(&self, path: &RepoPath) -> Result<Vec<RecordId>, CatalogError> {
        let directory = path.parent().unwrap_or_else(RepoPath::root);
        let mut found = Vec::new();
        for (dialect, claim) in claims(&self.makings().dialects, path) {
            if self.is_hidden(path, dialect)? {
                continue;
            }
            let key = match (claim.role, claim.scope) {
                (Role::Configuration, super::Scope::Directory) => {
                    Key { at: directory.clone(), dialect, test: false }
                }
                (Role::Configuration | Role::Test, _) => Key { at: path.clone(), dialect, test: true },
                _ => continue,
            };
            found.extend(self.view().id_of(&key)?);
        }
        Ok(found)
    }

    /// The directories right below that are called like the rules' `examples` and `tests`.
    pub(crate) fn examples_below(&self, directory: &RepoPath) -> Vec<RepoPath> {
        let rules = &self.makings().rules;
        let names = rules.examples.iter().chain(&rules.tests);
        names.map(|name| directory.join(name.as_bytes())).collect()
    }

    /// The edges that end at a path, of scopes for which they hold.
    pub(crate) fn edges_to_path(&self, path: &RepoPath) -> Result<Vec<(RecordId, Edge)>, CatalogError> {
        let found = self.view().edges_to_path(path, self.configures(path))?;
        self.holding(found)
    }

    /// The modules that read a path by the defaults of their own variables, below their own directory. Who calls them
    /// may give something else, and then reads another path.
    pub(crate) fn reading_by_default(&self, path: &RepoPath) -> Result<Vec<(RecordId, Edge)>, CatalogError> {
        let mut found = Vec::new();
        for (id, edge) in self.view().edges_to_path(path, self.configures(path))? {
            let known = !matches!(edge.to, End::Matching { unknown: true, .. });
            // Which module is called, where that is not known, says nothing of who reads.
            let reads = known && edge.kind != ReferenceKind::ModuleCall;
            if !edge.when_run || edge.looked || edge.proofs.len() != 1 || !reads {
                continue;
            }
            let record = self.view().record(id)?;
            let mut opens = record.open.iter().filter(|open| open.kind == edge.kind);
            if opens.any(|open| open.proofs == edge.proofs && begins_in_a_module(&open.value))
                && self.sort_of(&record)? == Sort::Module
            {
                found.push((id, edge));
            }
        }
        found.sort();
        Ok(found)
    }

    /// Whether a scope depends on the same part of the same file in another tree: then a change of the file left
    /// that part as it was.
    pub(crate) fn says_the_same(
        &self,
        id: RecordId,
        edge: &Edge,
        other: &Self,
    ) -> Result<bool, CatalogError> {
        if edge.part.is_none() {
            return Ok(false);
        }
        let Some(there) = other.view().id_of(&self.view().record(id)?.key)? else { return Ok(false) };
        let there = other.view().record(there)?;
        Ok(there
            .edges
            .iter()
            .any(|known| known.to == edge.to && known.kind == edge.kind && known.part == edge.part))
    }

    /// The edges that end at a record's scope.
    pub(crate) fn edges_to_record(&self, id: RecordId) -> Result<Vec<(RecordId, Edge)>, CatalogError> {
        let record = self.view().record(id)?;
        if record.key.test {
            return Ok(Vec::new());
        }
        let mut found = self.view().ends(b's', &record.key.at)?;
        found.extend(self.view().ends(b'r', &record.state())?);
        let mut found = self.holding(found)?;
        if !self.is_called(&record) {
            found.retain(|(_, edge)| edge.kind != ReferenceKind::ModuleCall);
        }
        let mut read = Vec::with_capacity(found.len());
        for (from, edge) in found.drain(..) {
            let dialect = self.view().record(from)?.key.dialect;
            if self.makings().runs(dialect, record.key.dialect) {
                read.push((from, edge));
            }
        }
        let mut found = read;
        let rules = &self.makings().rules;
        for name in rules.examples.iter().chain(&rules.tests) {
            for example in self.view().records_below(&record.key.at.join(name.as_bytes()))? {
                let example_record = self.view().record(example)?;
                if self.exemplifies(&example_record)?.as_ref() == Some(&record.key.at) {
                    found.push((example, tested(&example_record)));
                }
            }
        }
        found.retain(|(from, _)| *from != id);
        Ok(found)
    }

    /// Whether a module call can mean a scope: the configuration of Terragrunt in a directory says how that is run
    /// there, and whoever calls it reads the rest.
    pub(super) fn is_called(&self, record: &Record) -> bool {
        let dialect = &self.makings().dialects[usize::from(record.key.dialect)];
        dialect.name() != DialectName::terragrunt()
    }

    fn holding(&self, edges: Vec<(RecordId, Edge)>) -> Result<Vec<(RecordId, Edge)>, CatalogError> {
        let mut found = Vec::with_capacity(edges.len());
        for (id, edge) in edges {
            if !edge.when_run || self.sort_of(&*self.view().record(id)?)?.is_run() {
                found.push((id, edge));
            }
        }
        found.sort();
        Ok(found)
    }

    /// The module that an example which calls nothing is there for.
    pub(super) fn exemplifies(&self, record: &Record) -> Result<Option<RepoPath>, CatalogError> {
        let Sort::Case { module, kind: CaseKind::Example } = self.sort_of(record)? else { return Ok(None) };
        for call in &record.calls {
            if let Some(target) = &call.target
                && self.makings().runs_any(record.key.dialect, &self.view().configured(target)?)
            {
                return Ok(None);
            }
        }
        Ok(Some(module))
    }

    /// The units that call the module in a directory, over other modules too, each with the shortest chain
    /// of calls.
    pub(crate) fn units_that_reach(&self, module: &RepoPath) -> Result<Vec<UnitOnTheWay>, CatalogError> {
        let begin: BTreeMap<RecordId, ()> =
            self.standing_in(module)?.into_iter().map(|(id, _)| (id, ())).collect();
        let mut seen: HashSet<RecordId> = begin.keys().copied().collect();
        let mut work: VecDeque<(RecordId, Vec<Link>)> =
            begin.into_keys().map(|id| (id, Vec::new())).collect();
        let mut units = Vec::new();
        while let Some((id, way)) = work.pop_front() {
            for thing in self.things(id)? {
                if let Thing::Unit(unit) = thing {
                    units.push((unit.id, unit.environment, way.clone()));
                }
            }
            for (from, edge) in self.edges_to_record(id)? {
                if edge.kind != ReferenceKind::Dependency && seen.insert(from) {
                    let mut way = way.clone();
                    way.extend(edge.links());
                    work.push_back((from, way));
                }
            }
        }
        Ok(units)
    }
}

/// The edge of an example to the module above it.
pub(super) fn tested(record: &Record) -> Edge {
    let proof = Proof::whole_file(record.key.at.clone(), "the module it tests");
    Edge::new(End::Scope(record.directory.clone()), ReferenceKind::TestOf, proof)
}
