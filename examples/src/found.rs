use std::sync::Arc;

use infraflow_core::{
    catalog::{Catalog, Dialect, standard_dialects},
    detect::{ChangeDetector as _, ChangeSet, Comparison, Endpoints},
    git::{CommitId, GitError, RemoteName, Repository, Revision},
    impact::{self, BranchAge, Impact, ImpactOptions, ReasonsFor},
    policy::{Configuration, Policy},
};

use crate::{Changes, Failure};

/// What a change is, and what it touches: the beginning of every pipeline.
#[derive(Debug)]
pub struct Found {
    /// The repository.
    pub repository: Repository,
    /// The configuration, of trunk: a change does not decide about the rules it is judged by.
    pub configuration: Configuration,
    /// The policy, of trunk.
    pub policy: Policy,
    /// Where the change begins and ends, and who says so.
    pub ends: Endpoints,
    /// What changed.
    pub changes: ChangeSet,
    /// What is there at head.
    pub catalog: Catalog,
    /// What is touched.
    pub impact: Impact,
}

impl Changes {
    /// Where the change begins and ends: `--base` and `--head`; without them, what the CI system says, and
    /// else the trunk.
    ///
    /// # Errors
    /// Where there is no such commit, or the CI system names one that this clone has not.
    pub fn endpoints(&self, repository: &Repository) -> Result<Endpoints, Failure> {
        let is_default = matches!(self.at.head.as_str(), "HEAD" | Revision::WORKING_TREE);
        let mut ends = match &self.base {
            None if is_default => Endpoints::from_environment(&std::env::vars().collect(), repository)?,
            base => {
                let head = repository.revision(&self.at.head)?;
                let (base, from) = match base {
                    Some(base) => (repository.resolve(base)?, format!("--base {base}")),
                    None => (repository.trunk_tip()?, "the tip of trunk".to_owned()),
                };
                Endpoints::given(base, from, head, format!("--head {}", self.at.head))
            }
        };
        if self.worktree || self.at.head == Revision::WORKING_TREE {
            ends = ends.with_working_tree();
        }
        if self.endpoints {
            ends = ends.with_comparison(Comparison::Endpoints);
        }
        Ok(ends)
    }

    /// Where both ends parted, with as much history as that takes where --deepen allows it.
    fn merge_base(&self, repository: &Repository, ends: &Endpoints) -> Result<CommitId, Failure> {
        if ends.comparison == Comparison::Endpoints {
            return Ok(ends.base);
        }
        let (base, head) = (&ends.base, &ends.head.commit());
        match repository.merge_base(base, head) {
            Err(GitError::ShallowClone { .. }) if self.at.fetching.deepen => {
                Ok(repository.merge_base_deepening(&RemoteName::origin(), base, head)?)
            }
            // Given files need none: their detector compares with the base then, and says so.
            Err(GitError::ShallowClone { .. }) if self.changed_files0.is_some() => Ok(*base),
            Err(error @ GitError::ShallowClone { .. }) => {
                Err(format!("{error}, or give --deepen, and it is fetched until the merge base is certain")
                    .into())
            }
            found => Ok(found?),
        }
    }

    /// Detects the change and assesses what it touches.
    ///
    /// # Errors
    /// Where the repository, its configuration or one of its revisions cannot be read.
    pub fn find(&self) -> Result<Found, Failure> {
        self.find_with(ReasonsFor::default())
    }

    /// As [`Changes::find`], with so many reasons for each thing.
    ///
    /// # Errors
    /// As [`Changes::find`].
    pub fn find_with(&self, reasons: ReasonsFor) -> Result<Found, Failure> {
        self.find_by(&standard_dialects(), reasons)
    }

    /// As [`Changes::find_with`], by these dialects.
    ///
    /// # Errors
    /// As [`Changes::find`].
    pub fn find_by(&self, dialects: &[Arc<dyn Dialect>], reasons: ReasonsFor) -> Result<Found, Failure> {
        let (repository, fetching) = (self.at.repository()?, self.at.fetching);
        let ends = self.endpoints(&repository)?;
        let (base, head) = (Revision::Commit(ends.base), ends.head);
        let merge_base = self.merge_base(&repository, &ends)?;
        let old = fetching.tree(&repository, &merge_base.into())?;
        let new = fetching.tree(&repository, &head)?;
        fetching.bring(&repository, &[&old, &new])?;
        let trunk = fetching.tree(&repository, &base)?;
        let (configuration, policy) = self.at.judges(&repository, &trunk)?;
        let given = self.given_files()?;
        let changes = fetching.within(&repository, || {
            Ok(match &given {
                Some(files) => files.detect(&repository, &base, &head)?,
                None => ends.detect(&repository)?,
            })
        })?;
        let old = fetching.tree(&repository, &changes.merge_base.into())?;
        let (before, catalog) = fetching
            .within(&repository, || self.at.catalogs(dialects, &configuration, &policy, &old, &new))?;
        let options = ImpactOptions::by(configuration.section()?).with_reasons_for(reasons);
        let impact = fetching.within(&repository, || {
            let mut impact = impact::assess_with(&changes, &before, &catalog, &options)?;
            impact::tell_renames(&mut impact, &old, &new)?;
            Ok(impact)
        })?;
        Ok(Found { repository, configuration, policy, ends, changes, catalog, impact })
    }
}

impl Found {
    /// How far the change and what it is compared with went apart. `None` where the clone is too shallow to
    /// tell.
    ///
    /// # Errors
    /// Where a commit cannot be read.
    pub fn branch_age(&self) -> Result<Option<BranchAge>, Failure> {
        Ok(BranchAge::of(&self.changes, &self.repository)?)
    }
}
