//! What templates read by functions of their own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    ReferenceKind,
    fill::is_open,
    ground::Ground,
    path::{Paths, paths},
    record::Proof,
};
use crate::{
    git::{Entry, GitError, ObjectId},
    proof::RepoPath,
    terraform::facts::{StaticValue, template_reads},
};

/// The largest template that is parsed, in bytes. A larger one that may read a file may read any.
const MAX_PARSED: usize = 256 << 10;

/// What templates read, by their content: the links of many directories may lead to one.
#[derive(Default)]
pub(super) struct Templates(Mutex<HashMap<ObjectId, Arc<Mutex<Option<Reads>>>>>);

type Reads = Arc<[(ReferenceKind, StaticValue)]>;

impl Templates {
    /// What a template reads, looked for by one thread alone: it may be of many megabytes.
    fn of(&self, entry: &Entry, ground: &Ground<'_>) -> Result<Reads, GitError> {
        let known =
            Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(entry.id).or_default());
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known {
            return Ok(Arc::clone(known));
        }
        let reads: Reads = match ground.tree.show_entry(entry, reads) {
            Ok(reads) => reads.into(),
            // It is told by its size alone.
            Err(GitError::TooLarge { .. }) => Arc::from([anything()]),
            Err(error) => return Err(error),
        };
        *known = Some(Arc::clone(&reads));
        Ok(reads)
    }
}

fn reads(content: &[u8]) -> Vec<(ReferenceKind, StaticValue)> {
    let Ok(text) = std::str::from_utf8(content) else { return Vec::new() };
    let Some(reads) = template_reads(text, MAX_PARSED) else { return vec![anything()] };
    let reads = reads.into_iter().map(|read| match read.function.as_deref() {
        Some("fileset") => (ReferenceKind::FileSet, read.path),
        _ => (ReferenceKind::FileRead, read.path),
    });
    reads.collect()
}

/// A read of whatever file there is.
fn anything() -> (ReferenceKind, StaticValue) {
    (ReferenceKind::FileRead, StaticValue::Unknown)
}

/// A template that is filled in, and what it reads: from the directory in which the tool runs.
pub(super) struct Template {
    pub(super) path: RepoPath,
    pub(super) reads: Vec<(ReferenceKind, StaticValue)>,
}

/// The templates that a read of a file fills in, where its path is known: from `root`, if the tool runs there.
pub(super) fn templates(
    kind: ReferenceKind,
    value: &StaticValue,
    proof: Option<&Proof>,
    root: Option<&RepoPath>,
    ground: &Ground<'_>,
) -> Result<Vec<Template>, GitError> {
    let filled_in = proof.is_some_and(|proof| proof.text.contains("templatefile"));
    if kind != ReferenceKind::FileRead || !filled_in || (root.is_none() && is_open(value)) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for path in paths(value, root.unwrap_or(&RepoPath::root())) {
        let Paths::One(path) = path else { continue };
        let way = ground.links.follow(&RepoPath::root(), path.as_bytes());
        let Some(path) = way.end.filter(|_| way.submodule.is_none()) else { continue };
        let reads = match ground.tree.entry(&path)?.filter(|entry| entry.mode.is_file()) {
            Some(entry) => ground.memo.templates.of(&entry, ground)?.to_vec(),
            None => Vec::new(),
        };
        found.push(Template { path, reads });
    }
    Ok(found)
}
