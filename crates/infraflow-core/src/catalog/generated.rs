//! Units that a scope generates: they stand in no file of the tree, so they are found out from the scope when
//! somebody asks.

use std::sync::Arc;

use super::{
    Catalog, CatalogError, ReferenceKind,
    group::Grouped,
    link::{carried, finished},
    record::{Edge, End, Record},
    scope::{Scope, generated},
    view::RecordId,
};
use crate::proof::{Link, RepoPath};

/// A unit that a scope generates, linked.
#[derive(Clone, Debug)]
pub(crate) struct Generated {
    /// Where it is generated.
    pub(crate) directory: RepoPath,
    /// What the scope says of it; none where not all of that is known.
    pub(crate) definition: Option<String>,
    /// Its block.
    pub(crate) link: Link,
    pub(crate) edges: Vec<Edge>,
}

impl Catalog {
    /// The units that the scopes of a directory generate, sorted by directory.
    pub(crate) fn generated_in(&self, directory: &RepoPath) -> Result<Vec<Generated>, CatalogError> {
        let failed = |source| CatalogError::git(self.tree(), source);
        let makings = self.makings();
        let Some(here) = self.tree().directory(directory).map_err(failed)? else { return Ok(Vec::new()) };
        let view = self.view();
        let ground = makings.ground(self.tree(), &view.links);
        let mut found = Vec::new();
        for group in Grouped::of(&here, makings).map_err(failed)?.groups {
            let dialect = &makings.dialects[usize::from(group.key.dialect)];
            if group.key.test || !group.files.iter().any(|entry| dialect.generates(&entry.path)) {
                continue;
            }
            let mut files = ground.read_all(&group.files, &**dialect).map_err(failed)?;
            let (facts, _) = ground.resolve(&group, &mut files).map_err(failed)?;
            let scopes = facts.generated.iter().map(|unit| generated(&group, unit, &ground));
            let scopes = scopes.collect::<Result<Vec<_>, _>>().map_err(failed)?;
            let configured = |dialect: u8, directory: &RepoPath| {
                makings.runs_any(dialect, &view.configured(directory).unwrap_or_default())
            };
            let outside = |directory: &RepoPath| -> Result<Vec<Arc<Record>>, CatalogError> {
                let mut found = Vec::new();
                for id in view.records_at(directory)? {
                    let record = view.record(id)?;
                    if !record.key.test {
                        found.push(record);
                    }
                }
                Ok(found)
            };
            let scopes: Vec<&Scope> = scopes.iter().collect();
            let drafts = carried(&scopes, &ground, &outside)?;
            let records = finished(drafts, &ground, &configured)?;
            found.extend(facts.generated.into_iter().zip(records).map(|(unit, record)| {
                let name = String::from_utf8_lossy(unit.directory.file_name()).into_owned();
                let link = unit.place.link(unit.in_file, name);
                let (directory, definition) = (unit.directory, unit.definition);
                Generated { directory, definition, link, edges: record.edges }
            }));
        }
        found.sort_by(|one, two| one.directory.cmp(&two.directory));
        Ok(found)
    }

    /// What an edge of a generated unit ends at, where that is a scope.
    pub(crate) fn ends_of(&self, edge: &Edge) -> Result<Vec<RecordId>, CatalogError> {
        let End::Scope(directory) = &edge.to else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for id in self.view().records_at(directory)? {
            let record = self.view().record(id)?;
            if !record.key.test && (edge.kind != ReferenceKind::ModuleCall || self.is_called(&record)) {
                found.push(id);
            }
        }
        Ok(found)
    }
}
