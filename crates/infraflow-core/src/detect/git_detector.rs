use crate::git::{CommitId, Repository, Revision};

use super::{ChangeDetector, ChangeSet, Comparison, DetectError};

/// Asks git: compares the trees by their ids, with renames by git's own rule.
///
/// ```no_run
/// use infraflow_core::{detect::{ChangeDetector, GitDetector}, git::{Repository, Revision}};
/// let repository = Repository::open(".")?;
/// let base = Revision::Commit(repository.trunk_tip()?);
/// let changes = GitDetector::new().detect(&repository, &base, &repository.revision("WORKTREE")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct GitDetector {
    comparison: Comparison,
    copies: bool,
}

impl GitDetector {
    /// From the merge base, as `git diff BASE...HEAD`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compares the two ends with each other, as `git diff BASE HEAD`: what the base gained since the head
    /// left it then appears as taken back. Meant for two states of one trunk.
    pub fn endpoints(self) -> Self {
        self.compare(Comparison::Endpoints)
    }

    /// Compares in this way.
    pub fn compare(mut self, comparison: Comparison) -> Self {
        self.comparison = comparison;
        self
    }

    /// Looks for copies too, as `git diff -C` does: among what was added, for content that a file which this
    /// change also touches had before. A copy is `added` with an `old_path`; unlike a rename's, the file at
    /// `old_path` is still there.
    pub fn copies(mut self) -> Self {
        self.copies = true;
        self
    }
}

impl ChangeDetector for GitDetector {
    fn detect(
        &self,
        repository: &Repository,
        base: &Revision,
        head: &Revision,
    ) -> Result<ChangeSet, DetectError> {
        let base = commit_of(base)?;
        let mut warnings = Vec::new();
        let merge_base = if self.comparison == Comparison::Endpoints {
            base
        } else {
            let bases = repository.merge_bases(&base, &head.commit())?;
            if bases.len() > 1 {
                let all: Vec<String> = bases.iter().map(CommitId::short).collect();
                warnings.push(format!(
                    "base and head have {} merge bases ({}), since they were merged both ways; the newest is taken",
                    bases.len(),
                    all.join(", ")
                ));
            }
            bases[0]
        };
        let (old, new) = (repository.tree(&merge_base.into())?, repository.tree(head)?);
        let changes = if self.copies {
            repository.compare_with_copies(&old, &new)?
        } else {
            repository.compare(&old, &new)?
        };
        let changes = changes.into_iter().map(Into::into).collect();
        Ok(ChangeSet { base, head: *head, merge_base, changes, warnings })
    }
}

pub(super) fn commit_of(base: &Revision) -> Result<CommitId, DetectError> {
    match base {
        Revision::Commit(id) => Ok(*id),
        Revision::WorkingTree(commit) => Err(DetectError::BaseIsWorkingTree { commit: *commit }),
    }
}
