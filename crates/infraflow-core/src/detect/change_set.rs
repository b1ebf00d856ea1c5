use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    git::{ChangeKind, CommitId, Revision, TreeChange},
    proof::{Document, RepoPath},
};

/// The files that differ between two revisions, from their merge base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeSet {
    /// What the head is compared against, as it was asked for.
    pub base: CommitId,
    /// What is compared.
    pub head: Revision,
    /// Where both parted: the files are compared with this commit's. The base itself where endpoints were
    /// compared.
    pub merge_base: CommitId,
    /// What differs, sorted by path, each path once.
    pub changes: Vec<Change>,
    /// What a person should know about this answer, in sentences.
    pub warnings: Vec<String>,
}

impl ChangeSet {
    /// Every path that is touched, sorted, without doubles: of a renamed file both.
    pub fn paths(&self) -> Vec<&RepoPath> {
        let mut paths: Vec<_> =
            self.changes.iter().flat_map(|change| change.old_path.iter().chain([&change.path])).collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl Document for ChangeSet {
    const KIND: &'static str = "change_set";
    const SCHEMA_VERSION: u32 = 1;
}

/// One file that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Where it is now, or was, if it is gone.
    pub path: RepoPath,
    /// What became of it.
    pub kind: ChangeKind,
    /// Where it was, if it was renamed; of something added, what it was copied from, where copies were asked
    /// for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_path: Option<RepoPath>,
}

impl Change {
    /// Where it was, if it is no longer there: the old path of what was renamed, not of a copy.
    pub fn left(&self) -> Option<&RepoPath> {
        self.old_path.as_ref().filter(|_| self.kind == ChangeKind::Renamed)
    }

    /// The paths at which something differs: where it was, if it is no longer there, and where it is.
    pub fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.left().into_iter().chain([&self.path])
    }
}

impl From<TreeChange> for Change {
    fn from(change: TreeChange) -> Self {
        Self { path: change.path, kind: change.kind, old_path: change.old_path }
    }
}
