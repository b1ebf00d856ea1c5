use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::git::{CommitId, Repository, Revision};

use super::{ChangeDetector as _, ChangeSet, DetectError, GitDetector, ci};

/// How two revisions are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The head with the merge base of both (`git diff BASE...HEAD`): what a change is.
    #[default]
    MergeBase,
    /// The head with the base itself (`git diff BASE HEAD`): what became of a trunk.
    Endpoints,
}

/// The two ends of a change, and where each was found, in words for people.
///
/// ```no_run
/// use infraflow_core::{detect::Endpoints, git::Repository};
/// let repository = Repository::open(".")?;
/// let endpoints = Endpoints::from_environment(&std::env::vars().collect(), &repository)?;
/// println!("{} ({})", endpoints.base, endpoints.base_from);
/// let changes = endpoints.detect(&repository)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```json
/// {"base": "1f0c…", "base_from": "the target of pull request 7, first parent of the merge commit (GitHub Actions)",
///  "head": "77ab…", "head_from": "HEAD", "comparison": "merge_base", "notes": []}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Endpoints {
    /// What the change is compared with.
    pub base: CommitId,
    /// Where that was found.
    pub base_from: String,
    /// Where the change ends: the commit that is checked out, unless the environment names another.
    pub head: Revision,
    /// Where that was found.
    pub head_from: String,
    /// How both are compared.
    pub comparison: Comparison,
    /// What a person should know about this choice, in sentences.
    pub notes: Vec<String>,
}

impl Endpoints {
    /// Finds both ends in the variables of a CI system: GitHub Actions, GitLab CI, Buildkite, Azure Pipelines,
    /// Jenkins or Bitbucket Pipelines. Where none of them is there, as [`Endpoints::from_trunk`].
    ///
    /// | what runs | base |
    /// |---|---|
    /// | a change request | its target: the first parent where the system checked out a merge of both, else the merge base with the target's branch |
    /// | a merge queue or train | what the queue builds on |
    /// | a push to trunk | what stood there before, compared end to end |
    /// | anything else on a branch | trunk |
    ///
    /// Systems that do not tell what stood before a push (Buildkite, Azure, Bitbucket) are answered with the
    /// first parent of the head, and a note: of several commits pushed at once only the last is seen.
    ///
    /// Which variable means what is in the documentation of each system:
    /// [GitHub](https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows)
    /// (`GITHUB_EVENT_NAME`, `GITHUB_REF`, `GITHUB_BASE_REF`, and the event at `GITHUB_EVENT_PATH`),
    /// [GitLab](https://docs.gitlab.com/ci/variables/predefined_variables/) (`CI_MERGE_REQUEST_DIFF_BASE_SHA`,
    /// `CI_MERGE_REQUEST_TARGET_BRANCH_SHA`, `CI_COMMIT_BEFORE_SHA`, which is all zeros where there was none),
    /// [Buildkite](https://buildkite.com/docs/pipelines/configure/environment-variables)
    /// (`BUILDKITE_PULL_REQUEST_BASE_BRANCH`, `BUILDKITE_PIPELINE_DEFAULT_BRANCH`),
    /// [Azure](https://learn.microsoft.com/azure/devops/pipelines/build/variables)
    /// (`SYSTEM_PULLREQUEST_TARGETBRANCH`, `BUILD_SOURCEBRANCH`),
    /// [Jenkins](https://plugins.jenkins.io/git/#plugin-content-environment-variables) (`CHANGE_TARGET`,
    /// `GIT_PREVIOUS_SUCCESSFUL_COMMIT`), and
    /// [Bitbucket](https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/)
    /// (`BITBUCKET_PR_DESTINATION_COMMIT`, which may be abbreviated, `BITBUCKET_PR_DESTINATION_BRANCH`).
    ///
    /// Nothing is fetched, and but for the event's file nothing outside of the repository is read: the same
    /// variables, event and repository give the same answer.
    ///
    /// # Errors
    /// [`DetectError::NotInClone`] for a commit or branch that the clone lacks, with what mends it;
    /// [`DetectError::Environment`] for variables that contradict their documentation; [`DetectError::Git`].
    pub fn from_environment(
        variables: &BTreeMap<String, String>,
        repository: &Repository,
    ) -> Result<Self, DetectError> {
        match ci::Surroundings::of(variables, repository) {
            Some(surroundings) => surroundings.endpoints(),
            None => Self::from_trunk(repository),
        }
    }

    /// From the trunk to what is checked out.
    ///
    /// # Errors
    /// [`DetectError::Git`] where there is no trunk, or no commit.
    pub fn from_trunk(repository: &Repository) -> Result<Self, DetectError> {
        let head = repository.resolve("HEAD")?;
        let (trunk, base) = (repository.trunk()?, repository.trunk_tip()?);
        Ok(Self::new(base, format!("the tip of trunk, {trunk}"), head))
    }

    pub(super) fn new(base: CommitId, base_from: impl Into<String>, head: CommitId) -> Self {
        Self::given(base, base_from, Revision::Commit(head), "HEAD")
    }

    /// Ends that somebody named, and how they did.
    pub fn given(
        base: CommitId,
        base_from: impl Into<String>,
        head: Revision,
        head_from: impl Into<String>,
    ) -> Self {
        Self {
            base,
            base_from: base_from.into(),
            head,
            head_from: head_from.into(),
            comparison: Comparison::MergeBase,
            notes: Vec::new(),
        }
    }

    /// The same, ending in the working tree on top of the head instead of the head itself.
    #[must_use]
    pub fn with_working_tree(mut self) -> Self {
        if !self.head.is_working_tree() {
            self.head = Revision::WorkingTree(self.head.commit());
            self.head_from = format!("the working tree on {}", self.head_from);
        }
        self
    }

    /// The same, compared in another way.
    #[must_use]
    pub fn with_comparison(mut self, comparison: Comparison) -> Self {
        self.comparison = comparison;
        self
    }

    /// Tells what changed between both, by git. The notes are among the answer's warnings, and so is that both
    /// are one commit.
    ///
    /// # Errors
    /// As [`ChangeDetector::detect`](super::ChangeDetector::detect).
    pub fn detect(&self, repository: &Repository) -> Result<ChangeSet, DetectError> {
        let mut changes = GitDetector::new().compare(self.comparison).detect(
            repository,
            &Revision::Commit(self.base),
            &self.head,
        )?;
        changes.warnings.splice(0..0, self.notes.iter().cloned());
        if self.head == Revision::Commit(self.base) {
            changes.warnings.push(format!(
                "base and head are the same commit, {}, so nothing differs: {}; name another base to see more",
                self.base.short(),
                self.base_from
            ));
        }
        Ok(changes)
    }
}
