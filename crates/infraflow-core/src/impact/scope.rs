use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Impact, ScopeLimits};
use crate::{
    detect::ChangeSet,
    git::{CommitId, GitError, Repository, Revision},
    policy::EnvironmentName,
    proof::{Document, Reason, RepoPath, Timestamp},
};

/// How large a change is, and how old its branch: what keeps changes small and frequent.
///
/// ```json
/// {"kind": "scope", "schema_version": 1, "digest": "sha256:…", "base": "1f0c…", "head": "77ab…",
///  "merge_base": "1f0c…", "files": 3, "modules": 2, "units": 4, "removed": 0, "cases": 2,
///  "environments": ["dev", "prod"], "depth": 2, "deepest": "live/dev/app",
///  "widest": {"module": "modules/net", "things": 6},
///  "branch": {"ahead": 2, "behind": 31, "days": 4},
///  "warnings": [{"rule": "scope.days", "text": "the branch is 9 days old, more than 5", "chain": []}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Scope {
    /// What the head is compared against, as it was asked for.
    pub base: CommitId,
    /// What is compared.
    pub head: Revision,
    /// Where both parted.
    pub merge_base: CommitId,
    /// Changed files.
    pub files: u64,
    /// Affected modules.
    pub modules: u64,
    /// Affected units.
    pub units: u64,
    /// Modules and units that are gone.
    pub removed: u64,
    /// Affected test cases.
    pub cases: u64,
    /// The environments of affected and removed units, sorted.
    pub environments: Vec<EnvironmentName>,
    /// The most references that lead from a changed file to a thing.
    pub depth: u64,
    /// A thing that lies so deep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deepest: Option<String>,
    /// The affected module through which the most things are touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widest: Option<Width>,
    /// The age of the branch, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<BranchAge>,
    /// What is over a limit of `[scope]`.
    pub warnings: Vec<Reason>,
}

/// How much is touched through one module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Width {
    /// The module.
    pub module: RepoPath,
    /// Things whose shortest reason leads through it, itself not counted.
    pub things: u64,
}

/// How far a branch and trunk went apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct BranchAge {
    /// Commits that only the branch has.
    pub ahead: u64,
    /// Commits that only trunk has.
    pub behind: u64,
    /// Whole days from the merge base to the later of the two tips, by their commit times.
    pub days: u64,
}

impl BranchAge {
    /// The age of a branch, from the commit times of the merge base and both tips. No clock is asked: a branch
    /// that nobody touched ages as trunk goes on.
    pub fn new(ahead: u64, behind: u64, merge_base: Timestamp, trunk: Timestamp, head: Timestamp) -> Self {
        let seconds = trunk.max(head).unix().saturating_sub(merge_base.unix());
        Self { ahead, behind, days: u64::try_from(seconds).unwrap_or(0) / 86_400 }
    }

    /// The age of a change's branch, from the histories of both ends. `None` where the clone is too shallow to
    /// tell.
    ///
    /// # Errors
    /// [`GitError`] where a commit cannot be read.
    pub fn of(changes: &ChangeSet, repository: &Repository) -> Result<Option<Self>, GitError> {
        let (base, head) = (changes.base, changes.head.commit());
        let apart = |tip: &CommitId| match repository.history(Some(&changes.merge_base), tip) {
            Ok(commits) => Ok(Some(count(commits.len()))),
            Err(GitError::HistoryCut { .. } | GitError::MissingObjects { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        let (Some(ahead), Some(behind)) = (apart(&head)?, apart(&base)?) else { return Ok(None) };
        let time = |id: &CommitId| Ok::<_, GitError>(repository.commit(id)?.committer.when);
        Ok(Some(Self::new(ahead, behind, time(&changes.merge_base)?, time(&base)?, time(&head)?)))
    }
}

impl Document for Scope {
    const KIND: &'static str = "scope";
    const SCHEMA_VERSION: u32 = 1;
}

impl Scope {
    /// The scope of a change. This is *plan*: it looks at nothing but its arguments.
    pub fn of(impact: &Impact, branch: Option<BranchAge>, limits: &ScopeLimits) -> Self {
        let units = || impact.units.iter().chain(&impact.removed_units);
        let environments: BTreeSet<&EnvironmentName> =
            units().filter_map(|unit| unit.environment.as_ref()).collect();
        let modules = impact.modules.iter().chain(&impact.removed_modules);
        let all: Vec<(String, &RepoPath, &[Reason])> = units()
            .map(|unit| (unit.id.to_string(), &unit.path, &unit.reasons[..]))
            .chain(modules.map(|module| (module.path.to_string(), &module.path, &module.reasons[..])))
            .chain(impact.cases.iter().map(|case| (case.id.to_string(), &case.path, &case.reasons[..])))
            .collect();
        let deep = |reasons: &[Reason]| reasons.first().map_or(0, |it| it.length().saturating_sub(1));
        let depth = all.iter().map(|(_, _, reasons)| deep(reasons)).max().unwrap_or(0);
        let deepest = all.iter().find(|(_, _, reasons)| depth > 0 && deep(reasons) == depth);
        let mut scope = Self {
            base: impact.base,
            head: impact.head,
            merge_base: impact.merge_base,
            files: count(impact.changes.len()),
            modules: count(impact.modules.len()),
            units: count(impact.units.len()),
            removed: count(impact.removed_units.len() + impact.removed_modules.len()),
            cases: count(impact.cases.len()),
            environments: environments.into_iter().cloned().collect(),
            depth: count(depth),
            deepest: deepest.map(|(name, ..)| name.clone()),
            widest: widest(impact, &all),
            branch,
            warnings: Vec::new(),
        };
        scope.warnings = limits.over(&scope);
        scope
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The module in which the most chains have a place; of equal ones the first.
fn widest(impact: &Impact, all: &[(String, &RepoPath, &[Reason])]) -> Option<Width> {
    let modules: BTreeSet<&RepoPath> =
        impact.modules.iter().chain(&impact.removed_modules).map(|module| &module.path).collect();
    let mut through: BTreeMap<&RepoPath, u64> = BTreeMap::new();
    for (_, own, reasons) in all {
        let links = reasons.first().into_iter().flat_map(|reason| &reason.chain);
        let seen: BTreeSet<&RepoPath> = links
            .filter_map(|link| {
                let parent = link.path.parent().unwrap_or_else(RepoPath::root);
                modules.get(&parent).copied()
            })
            .filter(|module| module != own)
            .collect();
        seen.into_iter().for_each(|module| *through.entry(module).or_default() += 1);
    }
    let most = through.into_iter().rev().max_by_key(|(_, things)| *things);
    most.map(|(module, things)| Width { module: module.clone(), things })
}
