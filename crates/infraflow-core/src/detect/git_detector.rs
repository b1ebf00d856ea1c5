use crate::git::{CommitId, Repository, Revision};

use super::{ChangeDetector, ChangeSet, DetectError};

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
    endpoints: bool,
}

impl GitDetector {
    /// From the merge base, as `git diff BASE...HEAD`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compares the two ends with each other, as `git diff BASE HEAD`: what the base gained since the head
    /// left it then appears as taken back. Meant for two states of one trunk.
    pub fn endpoints(mut self) -> Self {
        self.endpoints = true;
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
        let merge_base = if self.endpoints {
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
        let changes = repository.compare(&old, &new)?.into_iter().map(Into::into).collect();
        Ok(ChangeSet { base, head: *head, merge_base, changes, warnings })
    }
}

pub(super) fn commit_of(base: &Revision) -> Result<CommitId, DetectError> {
    match base {
        Revision::Commit(id) => Ok(*id),
        Revision::WorkingTree(commit) => Err(DetectError::BaseIsWorkingTree { commit: *commit }),
    }
}
