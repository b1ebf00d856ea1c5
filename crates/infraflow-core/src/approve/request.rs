use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ApprovalStatement, ApproveError, Nonce, Requirement, UnitChange, judge::same};
use crate::{
    catalog::UnitId,
    detect::ChangeSet,
    dry_run::{DryRun, UnitDryRun, UnitOutcome},
    git::{CommitId, Revision},
    policy::Policy,
    proof::{Digest, Document, Principal, RepoPath, Timestamp},
};

/// What people are asked to approve, and what is asked of them.
///
/// ```json
/// {"kind": "approval_request", "schema_version": 1, "digest": "sha256:…",
///  "plan": "sha256:…", "fingerprint": "sha256:…", "repository": "infrastructure-live",
///  "commit": "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "units": ["prod/database"],
///  "authors": ["bob@example.com"], "policy": "sha256:…", "hours": 24, "gate": [],
///  "required": [{"rule": "environments.prod.approvals", "count": 1, "approvers": ["ada@example.com"],
///                "reasons": []}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ApprovalRequest {
    /// The digest of the dry run.
    pub plan: Digest,
    /// What the dry run means.
    pub fingerprint: Digest,
    /// The repository.
    pub repository: String,
    /// The commit that was planned.
    pub commit: CommitId,
    /// The units that would change, sorted.
    pub units: Vec<UnitId>,
    /// Who made the change, and so can't approve it; sorted.
    pub authors: Vec<Principal>,
    /// The digest of the policy that judges.
    pub policy: Digest,
    /// Where that policy was read; `None` where it came from outside the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_revision: Option<Revision>,
    /// The longest time that an approval may hold, in hours.
    pub hours: u32,
    /// The files of the policy that the change edits; it is judged by the policy that stood before it.
    pub gate: Vec<RepoPath>,
    /// What is asked for; all of it has to be met. Empty where nobody needs to approve.
    pub required: Vec<Requirement>,
}

impl Document for ApprovalRequest {
    const KIND: &'static str = "approval_request";
    const SCHEMA_VERSION: u32 = 1;
}

/// What a dry run alone does not say about the change it stands for.
#[derive(Clone, Debug)]
pub struct ChangeFacts<'a> {
    /// The repository, by the name that all parties use for it.
    pub repository: &'a str,
    /// The files that the change edits, against trunk as it stood before; `None` where trunk itself is
    /// deployed again without any change.
    pub files: Option<&'a ChangeSet>,
    /// Who made it: [`super::authors`], and whoever opened the change request.
    pub authors: Vec<Principal>,
}

impl ApprovalRequest {
    /// What has to be approved before a dry run is applied. Pure.
    ///
    /// # Errors
    /// - [`ApproveError::Mocked`], [`ApproveError::NotPlanned`], [`ApproveError::Uncommitted`],
    ///   [`ApproveError::OtherCommit`] for a unit that can't be approved;
    /// - [`ApproveError::PolicyElsewhere`] for a policy that was not read from where the change stands on;
    /// - [`ApproveError::Nothing`], [`ApproveError::Proof`].
    pub fn of(dry_run: &DryRun, policy: &Policy, change: &ChangeFacts<'_>) -> Result<Self, ApproveError> {
        let commit = commit_of(dry_run, change)?;
        if let (Some(files), Some(read)) = (change.files, policy.revision())
            && *read != Revision::Commit(files.base)
        {
            return Err(ApproveError::PolicyElsewhere { policy: *read, base: files.base });
        }
        let planned: Vec<_> =
            dry_run.units.iter().filter(|unit| unit.outcome != UnitOutcome::Skipped).collect();
        for unit in &planned {
            check(unit, commit)?;
        }
        let changing: Vec<_> = (planned.iter())
            .filter_map(|unit| unit.plan.as_ref().map(|summary| UnitChange { unit: &unit.id, summary }))
            .filter(|change| does_something(dry_run, change))
            .collect();
        let gate = gate(policy, change.files);
        let mut units: Vec<_> = changing.iter().map(|change| change.unit.clone()).collect();
        units.sort();
        let mut authors = change.authors.clone();
        authors.sort();
        authors.dedup();
        let mut required = Requirement::all(policy, &changing, &gate);
        if !policy.approval().allow_author {
            for requirement in &mut required {
                requirement.approvers.retain(|name| !authors.iter().any(|author| same(author, name)));
            }
        }
        Ok(Self {
            plan: dry_run.digest()?,
            fingerprint: dry_run.fingerprint().ok_or(ApproveError::Nothing)?,
            repository: change.repository.to_owned(),
            commit,
            units,
            authors,
            policy: policy.digest().clone(),
            policy_revision: policy.revision().copied(),
            hours: policy.approval().hours.get(),
            required,
            gate,
        })
    }

    /// What an approver signs to approve this.
    pub fn statement(&self, approver: Principal, not_after: Timestamp, nonce: Nonce) -> ApprovalStatement {
        ApprovalStatement {
            plan: self.plan.clone(),
            fingerprint: self.fingerprint.clone(),
            repository: self.repository.clone(),
            commit: self.commit,
            units: self.units.clone(),
            approver,
            not_after,
            nonce,
        }
    }
}

/// The commit that is judged: the change's, or that of the first unit.
fn commit_of(dry_run: &DryRun, change: &ChangeFacts<'_>) -> Result<CommitId, ApproveError> {
    let judged = change.files.map(|files| files.head);
    let planned = dry_run.units.first().map(|unit| unit.commit);
    match (judged.or(planned), dry_run.units.first()) {
        (Some(Revision::Commit(commit)), _) => Ok(commit),
        (Some(revision), Some(unit)) => {
            Err(ApproveError::Uncommitted { unit: Box::new(unit.id.clone()), revision })
        }
        _ => Err(ApproveError::Nothing),
    }
}

fn check(unit: &UnitDryRun, commit: CommitId) -> Result<(), ApproveError> {
    let id = || Box::new(unit.id.clone());
    match unit.commit {
        Revision::Commit(found) if found == commit => {}
        Revision::Commit(found) => {
            return Err(ApproveError::OtherCommit { unit: id(), expected: commit, found });
        }
        revision @ Revision::WorkingTree(_) => {
            return Err(ApproveError::Uncommitted { unit: id(), revision });
        }
    }
    if unit.mocked {
        return Err(ApproveError::Mocked { unit: id() });
    }
    if unit.outcome == UnitOutcome::Error {
        return Err(ApproveError::NotPlanned { unit: id(), why: "its dry run failed" });
    }
    match (&unit.plan, &unit.fingerprint) {
        (Some(plan), Some(_)) if !plan.errored => Ok(()),
        (Some(_), Some(_)) => Err(ApproveError::NotPlanned { unit: id(), why: "its plan is incomplete" }),
        _ => Err(ApproveError::NotPlanned { unit: id(), why: "its dry run has no plan" }),
    }
}

/// What the outcome says and what the plan says must both be "nothing" for nobody to be asked.
fn does_something(dry_run: &DryRun, change: &UnitChange<'_>) -> bool {
    let summary = change.summary;
    dry_run.unit(change.unit).is_some_and(UnitDryRun::has_changes)
        || !summary.changes.is_empty()
        || !summary.outputs.is_empty()
}

fn gate(policy: &Policy, files: Option<&ChangeSet>) -> Vec<RepoPath> {
    let edited = |path: &RepoPath| files.is_some_and(|files| files.paths().contains(&path));
    policy.gate_paths().into_iter().filter(edited).collect()
}
