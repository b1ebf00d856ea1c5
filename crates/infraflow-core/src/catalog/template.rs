//! What templates read by functions of their own.

use super::{
    ReferenceKind,
    fill::is_open,
    ground::Ground,
    path::{Paths, paths},
    record::Proof,
};
use crate::{
    git::GitError,
    proof::RepoPath,
    terraform::facts::{StaticValue, template_reads},
};

/// The largest template that is looked into, in bytes.
const MAX_BYTES: u64 = 256 << 10;

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
            Some(entry) => match ground.tree.read_up_to(&entry, MAX_BYTES) {
                Ok(content) => match std::str::from_utf8(&content) {
                    Ok(text) => template_reads(text),
                    Err(_) => Vec::new(),
                },
                Err(GitError::TooLarge { .. }) => Vec::new(),
                Err(error) => return Err(error),
            },
            None => Vec::new(),
        };
        let reads = reads.into_iter().map(|read| match read.function.as_deref() {
            Some("fileset") => (ReferenceKind::FileSet, read.path),
            _ => (ReferenceKind::FileRead, read.path),
        });
        found.push(Template { path, reads: reads.collect() });
    }
    Ok(found)
}
