use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{ApprovalRequest, ApproveError, ChangeFacts, Evidence, Verdict};
use crate::{dry_run::DryRun, observe::Observer, policy::Policy, proof::RunId};

/// Finds out whether enough people approved of what a dry run would do.
///
/// # Contract
/// 1. `plan` is pure. The policy it gets was read from trunk as it stood before the change, or comes from
///    outside the repository; it is the only source of who may approve and of how many must.
/// 2. A plan with a mocked input, a failed unit or uncommitted files is an error of `plan`.
/// 3. `observe` looks for evidence and judges none of it. What it cannot read it returns as
///    [`super::Testimony::Unreadable`].
/// 4. `execute` counts evidence for one plan: the plan's own, or one with an equal fingerprint. It never
///    counts the author (unless the policy says so), one person twice, evidence that expired, and evidence
///    that another run used.
/// 5. When `execute` returns [`Verdict::Approved`], it is on record, durably, that this run used what was
///    counted, all of it, and no other run can. The same run may ask again, and gets the same answer.
/// 6. [`Verdict::Refused`] says who is missing, and of each piece of evidence why it does not count. Unless
///    another run used evidence in the same moment, nothing was used up.
/// 7. `execute` refuses a request that was made by another policy than the one it gets
///    ([`ApproveError::PolicyMoved`]).
#[async_trait]
pub trait Approver: Send + Sync {
    /// What has to be approved before a dry run is applied, and by how many. Plan.
    ///
    /// # Errors
    /// As [`ApprovalRequest::of`].
    fn plan(
        &self,
        dry_run: &DryRun,
        policy: &Policy,
        change: &ChangeFacts<'_>,
    ) -> Result<ApprovalRequest, ApproveError> {
        ApprovalRequest::of(dry_run, policy, change)
    }

    /// What there is that may count as an approval. Observe.
    ///
    /// # Errors
    /// [`ApproveError::Store`] where it could not be looked for, [`ApproveError::Cancelled`].
    async fn observe(
        &self,
        request: &ApprovalRequest,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Vec<Evidence>, ApproveError>;

    /// Counts evidence, and uses up what counts. Execute.
    ///
    /// # Errors
    /// [`ApproveError::PolicyMoved`], [`ApproveError::Store`], [`ApproveError::Cancelled`].
    async fn execute(
        &self,
        request: &ApprovalRequest,
        policy: &Policy,
        evidence: &[Evidence],
        run: &RunId,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Verdict, ApproveError>;
}
