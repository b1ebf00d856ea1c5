use std::{fmt, path::Path};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Dependencies, DeployError, Deployment, DeploymentPlan, SavedPlans, Verification};
use crate::{
    approve::{ApprovalRequest, Approved},
    dry_run::{DryRun, DryRunPlan},
    git::Repository,
    observe::Observer,
    policy::{CredentialProvider, Policy},
};

/// Applies what was planned and approved, and verifies that it stands.
///
/// # Contract
/// 1. `plan` is pure.
/// 2. `execute` applies exactly the saved plans that the deployment plan names, by their digests, and refuses
///    where a fact no longer holds: another tool, a state that moved, a saved plan that is not what the dry run
///    says of it, an approval that is missing, or that was given to another run.
/// 3. What people must approve is asked once more of the saved plans themselves: a dry run that was altered
///    on its way changes nothing.
/// 4. A saved plan is applied at most once, by one run. That an apply begins is on record, durably, before it
///    does, and how it ended afterwards.
/// 5. A call with the same run resumes: what is applied stays, what never began is applied, and what was cut off
///    is reconciled: looked at, planned again, and finished only where everything that is left was in the
///    approved plan and nothing was in flight. Otherwise the unit's outcome is
///    [`super::DeployOutcome::NeedsPerson`], with the addresses.
/// 6. Units are applied in the plan's order, and none after one that was not applied.
/// 7. An error means that this call applied nothing. Once it applied something, it returns a [`Deployment`].
/// 8. `verify` plans again, and says of each unit whether nothing is to be done.
#[async_trait]
pub trait Deployer: Send + Sync {
    /// What carrying out a dry run means. Plan.
    ///
    /// # Errors
    /// As [`DeploymentPlan::of`].
    fn plan(
        &self,
        dry_run: &DryRun,
        planned: &DryRunPlan,
        request: &ApprovalRequest,
        policy: &Policy,
        dependencies: &Dependencies,
    ) -> Result<DeploymentPlan, DeployError> {
        DeploymentPlan::of(dry_run, planned, request, policy, dependencies)
    }

    /// Applies it. Execute.
    ///
    /// # Errors
    /// A [`DeployError`] where nothing was applied by this call.
    async fn execute(
        &self,
        plan: &DeploymentPlan,
        approved: &Approved,
        context: &DeployContext<'_>,
    ) -> Result<Deployment, DeployError>;

    /// Plans the same units again at the same commit, and says whether nothing is to be done. Observe.
    ///
    /// # Errors
    /// [`DeployError::DryRun`], [`DeployError::Cancelled`].
    async fn verify(
        &self,
        plan: &DeploymentPlan,
        context: &DeployContext<'_>,
    ) -> Result<Verification, DeployError>;
}

/// What a deployment is lent.
#[derive(Clone, Copy)]
pub struct DeployContext<'a> {
    /// The repository that has the plan's commit.
    pub repository: &'a Repository,
    /// The policy that the approval was judged by: trunk's, as it stood before the change.
    pub policy: &'a Policy,
    /// Who hands out credentials, for applying and for planning again.
    pub credentials: &'a dyn CredentialProvider,
    /// Where the saved plans come from.
    pub saved_plans: &'a dyn SavedPlans,
    /// A folder for what a deployment needs on this machine: files of the commit, saved plans, what the tools
    /// wrote. It holds secrets; it is made with mode 0700. The same folder lets a run resume that was cut off.
    pub folder: &'a Path,
    /// Ends the deployment: the tool gets one SIGINT, and what has not begun is left.
    pub cancel: &'a CancellationToken,
    /// Who is told what happens.
    pub observer: &'a dyn Observer,
}

impl fmt::Debug for DeployContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeployContext")
            .field("repository", &self.repository.root())
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
