use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    ApprovalRequest, ApproveError, Approved, Approver, Evidence, Missing, StoredApprovals, Testimony,
    Verdict, judge::Bench,
};
use crate::{
    observe::{Observer, Outcome, Stage},
    policy::Policy,
    proof::{Clock, RunId},
    store::Store,
};

/// Counts SSH signatures over [`super::ApprovalStatement`]s that stand in a store.
///
/// Who signed is decided by the keys of the policy's allowed signers. The store must outlive the machine:
/// it holds the record that an approval was used.
#[derive(Clone)]
pub struct SshApprover {
    stored: StoredApprovals,
    clock: Arc<dyn Clock>,
}

impl SshApprover {
    /// Looks for approvals in a store, and at a clock for whether they still hold.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { stored: StoredApprovals::new(store), clock }
    }

    /// Where approvals are found and their use is recorded.
    pub fn stored(&self) -> &StoredApprovals {
        &self.stored
    }
}

#[async_trait]
impl Approver for SshApprover {
    async fn observe(
        &self,
        request: &ApprovalRequest,
        cancel: &CancellationToken,
        _: &dyn Observer,
    ) -> Result<Vec<Evidence>, ApproveError> {
        let found = cancel.run_until_cancelled(self.stored.all(&request.fingerprint)).await;
        found.unwrap_or(Err(ApproveError::Cancelled))
    }

    async fn execute(
        &self,
        request: &ApprovalRequest,
        policy: &Policy,
        evidence: &[Evidence],
        run: &RunId,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Verdict, ApproveError> {
        if request.policy != *policy.digest() {
            return Err(ApproveError::PolicyMoved {
                asked: request.policy.clone(),
                found: policy.digest().clone(),
            });
        }
        self.stored.require_durable()?;
        let subject = request.plan.short();
        observer.started(Stage::Approve, subject);
        let verdict = self.count(request, policy, evidence, run, cancel).await;
        let outcome = match &verdict {
            Ok(Verdict::Approved(_)) => Outcome::Done,
            Ok(Verdict::Refused(_)) => Outcome::Refused,
            Err(ApproveError::Cancelled) => Outcome::Cancelled,
            Err(_) => Outcome::Failed,
        };
        observer.finished(Stage::Approve, subject, outcome);
        verdict
    }
}

impl SshApprover {
    async fn count(
        &self,
        request: &ApprovalRequest,
        policy: &Policy,
        evidence: &[Evidence],
        run: &RunId,
        cancel: &CancellationToken,
    ) -> Result<Verdict, ApproveError> {
        let mut used = BTreeMap::new();
        for piece in evidence {
            // A statement without a digest is not counted, so nobody can have used it either.
            if let Testimony::Signature(signed) = &piece.testimony
                && let Ok(statement) = signed.statement_digest()
                && let Some(by) = self.stored.used_by(&statement).await?
            {
                used.insert(statement, by);
            }
        }
        loop {
            let bench = Bench { request, policy, now: self.clock.now(), run, used: &used };
            let judgement = bench.judge(evidence);
            let missing = Missing::of(&request.required, &judgement.counted);
            if !missing.is_empty() {
                return Ok(Verdict::Refused(bench.refuse(judgement, missing)));
            }
            // Cancelled before the first use is recorded, or not at all.
            if cancel.is_cancelled() {
                return Err(ApproveError::Cancelled);
            }
            let mut lost = false;
            for counted in &judgement.counted {
                let by = self.stored.claim(&counted.statement, run).await?;
                lost |= by != *run;
                used.insert(counted.statement.clone(), by);
            }
            // Another run was faster with one of them: count again without it.
            if !lost {
                return Ok(Verdict::Approved(Approved::new(
                    request.plan.clone(),
                    request.fingerprint.clone(),
                    request.policy.clone(),
                    run.clone(),
                    judgement.counted,
                )));
            }
        }
    }
}

impl fmt::Debug for SshApprover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SshApprover").field("stored", &self.stored).finish_non_exhaustive()
    }
}
