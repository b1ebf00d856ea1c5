//! One tree's scopes as an index has them, with what the tree has otherwise laid over it.

use std::{collections::BTreeSet, ops::Bound, sync::Arc};

use super::{
    CatalogError,
    image::LENDS,
    index::Index,
    links::Links,
    patch::Patch,
    record::{Edge, End, Key, Record},
};
use crate::proof::RepoPath;

/// Whether a file is documentation, or a tool's own that works on the repository: what a path of which nothing is
/// known does not mean.
pub(super) fn is_about_the_repository(path: &RepoPath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    let endings: [&[u8]; 3] = [b".md", b".adoc", b".rst"];
    let beginnings: [&[u8]; 10] = [
        b"license",
        b"licence",
        b"changelog",
        b"codeowners",
        b"notice",
        b".git",
        b".pre-commit",
        b".tflint",
        b".editorconfig",
        b".terraform-docs",
    ];
    endings.iter().any(|ending| name.ends_with(ending))
        || beginnings.iter().any(|beginning| name.starts_with(beginning))
        || path.names().any(|name| name == b".github" || name == b".gitlab")
}

/// Which record: one of the index, or one laid over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RecordId {
    Kept(u32),
    Laid(u32),
}

#[derive(Clone)]
pub(super) struct View {
    pub(super) index: Arc<Index>,
    pub(super) patch: Arc<Patch>,
    pub(super) links: Links,
    pub(super) versions: BTreeSet<(RepoPath, u8)>,
}

impl View {
    /// An index as it is.
    pub(super) fn of(index: &Arc<Index>) -> Result<Self, CatalogError> {
        let meta = index.meta()?;
        Ok(Self {
            index: Arc::clone(index),
            patch: Arc::default(),
            links: Links {
                links: meta.links.into_iter().collect(),
                submodules: meta.submodules.into_iter().collect(),
            },
            versions: meta.versions.into_iter().collect(),
        })
    }

    /// The same index with something else laid over it.
    pub(super) fn with(&self, patch: Patch, links: Links, versions: BTreeSet<(RepoPath, u8)>) -> Self {
        Self { index: Arc::clone(&self.index), patch: Arc::new(patch), links, versions }
    }

    pub(super) fn record(&self, id: RecordId) -> Result<Arc<Record>, CatalogError> {
        match id {
            RecordId::Kept(number) => self.index.record(number),
            RecordId::Laid(number) => Ok(Arc::clone(&self.patch.records[number as usize])),
        }
    }

    /// All records, in no particular order.
    pub(super) fn all(&self) -> Result<Vec<RecordId>, CatalogError> {
        self.records_below(&RepoPath::root())
    }

    pub(super) fn id_of(&self, key: &Key) -> Result<Option<RecordId>, CatalogError> {
        if let Some(laid) = self.patch.by_key.get(key) {
            return Ok(laid.map(RecordId::Laid));
        }
        for number in self.index.at(&key.at)? {
            if self.index.record(number)?.key == *key {
                return Ok(Some(RecordId::Kept(number)));
            }
        }
        Ok(None)
    }

    /// The records whose key is at a path: the scopes of a directory, or a test file.
    pub(super) fn records_at(&self, path: &RepoPath) -> Result<Vec<RecordId>, CatalogError> {
        let mut found = self.kept(self.index.at(path)?)?;
        let first = Key { at: path.clone(), dialect: 0, test: false };
        let laid = self.patch.by_key.range((Bound::Included(first), Bound::Unbounded));
        let laid = laid.take_while(|(key, _)| key.at == *path);
        found.extend(laid.filter_map(|(_, number)| number.map(RecordId::Laid)));
        Ok(found)
    }

    /// The records at a directory and below it.
    pub(super) fn records_below(&self, directory: &RepoPath) -> Result<Vec<RecordId>, CatalogError> {
        let mut found = self.kept(self.index.below(directory)?)?;
        let first = Key { at: directory.clone(), dialect: 0, test: false };
        let laid = self.patch.by_key.range((Bound::Included(first), Bound::Unbounded));
        // Between a directory and what is below it stand names that begin like it.
        let laid = laid.take_while(|(key, _)| key.at.as_bytes().starts_with(directory.as_bytes()));
        let laid = laid.filter(|(key, _)| key.at.is_within(directory));
        found.extend(laid.filter_map(|(_, number)| number.map(RecordId::Laid)));
        Ok(found)
    }

    /// The dialects of which a directory has configuration.
    pub(super) fn configured(&self, directory: &RepoPath) -> Result<BTreeSet<u8>, CatalogError> {
        let mut dialects = BTreeSet::new();
        for id in self.records_at(directory)? {
            let record = self.record(id)?;
            if !record.key.test {
                dialects.insert(record.key.dialect);
            }
        }
        Ok(dialects)
    }

    /// The edges that end at a path in the way that a letter tells.
    pub(super) fn ends(&self, kind: u8, path: &RepoPath) -> Result<Vec<(RecordId, Edge)>, CatalogError> {
        let mut found = Vec::new();
        for (number, at) in self.index.ends(kind, path)? {
            let record = self.index.record(number)?;
            if self.patch.by_key.contains_key(&record.key) {
                continue;
            }
            if let Some(edge) = record.edges.get(at as usize)
                && edge.to.place() == (kind, path)
            {
                found.push((RecordId::Kept(number), edge.clone()));
            }
        }
        for &(number, at) in self.patch.ends.get(&(kind, path.clone())).into_iter().flatten() {
            if let Some(edge) = self.patch.records[number as usize].edges.get(at as usize) {
                found.push((RecordId::Laid(number), edge.clone()));
            }
        }
        Ok(found)
    }

    /// Whether one of the edges that end at a directory's scopes is of a kind.
    pub(super) fn any_end(
        &self,
        directory: &RepoPath,
        holds: impl Fn(&Record, &Edge) -> bool,
    ) -> Result<bool, CatalogError> {
        for (number, at) in self.index.ends(b's', directory)? {
            let record = self.index.record(number)?;
            let counts = |edge: &&Edge| edge.to.place() == (b's', directory) && holds(&record, edge);
            if !self.patch.by_key.contains_key(&record.key)
                && record.edges.get(at as usize).filter(counts).is_some()
            {
                return Ok(true);
            }
        }
        let laid = self.patch.ends.get(&(b's', directory.clone())).into_iter().flatten();
        Ok(laid.into_iter().any(|&(number, at)| {
            let record = &self.patch.records[number as usize];
            record.edges.get(at as usize).is_some_and(|edge| holds(record, edge))
        }))
    }

    /// Whether files of a directory are linked into others.
    pub(super) fn lends(&self, directory: &RepoPath) -> Result<bool, CatalogError> {
        for (number, _) in self.index.ends(LENDS, directory)? {
            let record = self.index.record(number)?;
            if record.lends.contains(directory) && !self.patch.by_key.contains_key(&record.key) {
                return Ok(true);
            }
        }
        Ok(self.patch.ends.contains_key(&(LENDS, directory.clone())))
    }

    /// The edges that end at a path: at the file itself, at a directory above it, or at a pattern it
    /// matches. `configures` says that the path is configuration: what is merely not known to be something
    /// else does not mean another directory's configuration.
    pub(super) fn edges_to_path(
        &self,
        path: &RepoPath,
        configures: bool,
    ) -> Result<Vec<(RecordId, Edge)>, CatalogError> {
        let mut found = self.ends(b'f', path)?;
        // Of those who take everything below a directory, the nearest of each dialect counts.
        let mut taken: BTreeSet<u8> = BTreeSet::new();
        let mut at = Some(path.clone());
        while let Some(directory) = at {
            found.extend(self.ends(b't', &directory)?);
            for (id, edge) in self.ends(b'm', &directory)? {
                if let End::Matching { glob, unknown, except, .. } = &edge.to {
                    let from = directory.as_bytes().len() + usize::from(!directory.is_root());
                    let rest = path.as_bytes().get(from..).unwrap_or_default();
                    let meant =
                        !(*unknown && (configures || glob.is_anything() && is_about_the_repository(path)));
                    let counts = glob.matches(rest) && !except.iter().any(|glob| glob.matches(rest));
                    if meant && counts {
                        found.push((id, edge));
                    }
                }
            }
            let mut here = BTreeSet::new();
            for (id, edge) in self.ends(b'b', &directory)? {
                let dialect = self.record(id)?.key.dialect;
                here.insert(dialect);
                if !taken.contains(&dialect) {
                    found.push((id, edge));
                }
            }
            taken.extend(here);
            at = directory.parent();
        }
        Ok(found)
    }

    fn kept(&self, numbers: Vec<u32>) -> Result<Vec<RecordId>, CatalogError> {
        let mut found = Vec::with_capacity(numbers.len());
        for number in numbers {
            if self.patch.by_key.is_empty()
                || !self.patch.by_key.contains_key(&self.index.record(number)?.key)
            {
                found.push(RecordId::Kept(number));
            }
        }
        Ok(found)
    }
}
