use std::{fmt, sync::Arc, time::Instant};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    DeployContext, DeployError, DeployOutcome, DeployRules, DeployedUnit, Deployer, Deployment,
    DeploymentPlan, UnitDeployment, Verification, VerifiedUnit,
    apply::Attempt,
    facts,
    reconcile::Reconciling,
    record::{Record, Standing},
    workbench::Workbench,
};
use crate::{
    approve::Approved,
    dry_run::{DryRunContext, DryRunPlan, DryRunner, UnitOutcome},
    git::{Revision, Tree},
    observe::{Outcome, Stage},
    policy::Configuration,
    process::{Environment, Preset},
    proof::{Document, Hmac, Reason},
    store::Store,
    terraform::{Tool, plan::Plan},
};

/// Applies saved plans with terraform or tofu.
///
/// What it puts on record goes to the store, which must outlive the machine. The store also has the key under
/// which sensitive values entered the fingerprints of the dry run, so it is the same store.
#[derive(Clone)]
pub struct TerraformDeployer {
    tool: Tool,
    runner: Arc<dyn DryRunner>,
    store: Store,
    rules: DeployRules,
    unassigned: Environment,
}

/// One unit that is not applied yet, made ready.
struct Ready {
    bench: Workbench,
    /// What its saved plan does.
    approved: Plan,
}

impl TerraformDeployer {
    /// Applies with this tool, plans again with this runner, and keeps its record in this store.
    pub fn new(tool: Tool, runner: Arc<dyn DryRunner>, store: Store) -> Self {
        // The defaults are part of this crate, and a test reads them.
        #[allow(clippy::expect_used)]
        let rules = Configuration::defaults().section().expect("the crate's defaults have [deploy]");
        let unassigned = Environment::preset(&Preset::OF_TERRAFORM);
        Self { tool, runner, store, rules, unassigned }
    }

    /// The same by other rules.
    #[must_use]
    pub fn rules(mut self, rules: DeployRules) -> Self {
        self.rules = rules;
        self
    }

    /// What units outside of every environment see, in place of what nearly every tool needs: the presets
    /// base, proxies, CLI configuration, registry tokens, git and SSH agent of this process.
    #[must_use]
    pub fn unassigned(mut self, environment: Environment) -> Self {
        self.unassigned = environment;
        self
    }

    /// Checks every fact of a unit that can be checked before anything is applied.
    async fn make_ready(
        &self,
        tree: &Tree,
        unit: &UnitDeployment,
        standing: &Standing,
        hmac: &Hmac,
        approved: &Approved,
        context: &DeployContext<'_>,
    ) -> Result<Option<Ready>, DeployError> {
        if *standing == Standing::Applied {
            return Ok(None);
        }
        let bench =
            Workbench::set_up(&self.tool, &self.unassigned, tree, unit, &approved.run, context).await?;
        let plan = facts::same_meaning(&bench, unit, hmac, context).await?;
        if *standing == Standing::Fresh {
            facts::same_state(&bench, unit, context).await?;
        }
        Ok(Some(Ready { bench, approved: plan }))
    }

    /// Deploys one unit that is not applied yet.
    async fn unit(
        &self,
        plan: &DeploymentPlan,
        unit: &UnitDeployment,
        record: &Record,
        ready: &Ready,
        hmac: &Hmac,
        context: &DeployContext<'_>,
    ) -> Result<DeployedUnit, DeployError> {
        if context.cancel.is_cancelled() {
            return Err(DeployError::Cancelled);
        }
        let lock = record.lock(unit, &plan.repository, context.cancel).await?;
        let stop = context.cancel.child_token();
        let (lost, stopped) = (lock.lost().clone(), stop.clone());
        let watch = tokio::spawn(async move {
            lost.cancelled().await;
            stopped.cancel();
        });
        let deployed = self.under_lock(plan, unit, record, ready, hmac, context, &stop).await;
        watch.abort();
        // A lock that was lost, or can't be given back, ends by itself.
        let _ = lock.release().await;
        deployed
    }

    #[allow(clippy::too_many_arguments)] // the parts of one step, which has no other place to keep them
    async fn under_lock(
        &self,
        plan: &DeploymentPlan,
        unit: &UnitDeployment,
        record: &Record,
        ready: &Ready,
        hmac: &Hmac,
        context: &DeployContext<'_>,
        cancel: &CancellationToken,
    ) -> Result<DeployedUnit, DeployError> {
        let Ready { bench, approved } = ready;
        // Asked again: another process may have been at it until it gave the lock back.
        match record.standing(unit).await? {
            Standing::Applied => Ok(applied_before(unit)),
            Standing::Fresh => {
                facts::same_state(bench, unit, context).await?;
                record.claim(unit).await?;
                let attempt = Attempt {
                    bench,
                    record,
                    unit,
                    rules: &self.rules,
                    number: 1,
                    file: &bench.saved,
                    plan_file: unit.plan_file.clone(),
                    plan: approved,
                };
                Ok(attempt.run(context, cancel).await)
            }
            Standing::Begun(last) => {
                let reconciling = Reconciling {
                    plan,
                    unit,
                    approved,
                    last: &last,
                    bench,
                    record,
                    rules: &self.rules,
                    runner: &*self.runner,
                    hmac,
                };
                reconciling.run(context, cancel).await
            }
        }
    }
}

#[async_trait]
impl Deployer for TerraformDeployer {
    async fn execute(
        &self,
        plan: &DeploymentPlan,
        approved: &Approved,
        context: &DeployContext<'_>,
    ) -> Result<Deployment, DeployError> {
        self.store.require_durable("the record of what was applied")?;
        facts::approved_this(plan, approved, context.policy)?;
        let tree = context.repository.tree(&Revision::Commit(plan.commit))?;
        let hmac = self.store.hmac().await?;
        let mut jobs = Vec::new();
        for unit in &plan.units {
            let record = Record::open(&self.store, &approved.run, unit)?;
            let standing = record.standing(unit).await?;
            let ready = self.make_ready(&tree, unit, &standing, &hmac, approved, context).await?;
            jobs.push((unit, record, ready));
        }
        let summaries: Vec<_> = (jobs.iter())
            .map(|(unit, _, ready)| match ready {
                Some(ready) => (*unit, ready.approved.summary()),
                None => (*unit, unit.summary.clone()),
            })
            .collect();
        facts::approved_enough(approved, context.policy, summaries.iter().map(|(unit, it)| (*unit, it)))?;
        for (unit, record, _) in &jobs {
            record.claim(unit).await?;
        }

        let mut units: Vec<DeployedUnit> = Vec::new();
        for (unit, record, ready) in &jobs {
            let subject = unit.unit.id.to_string();
            if units.iter().any(|unit| unit.outcome != DeployOutcome::Applied) {
                let text = "it comes after a unit that was not applied";
                let left = DeployedUnit::new(unit.unit.id.clone(), DeployOutcome::NotStarted);
                units.push(left.because("order", text));
                continue;
            }
            let Some(ready) = ready else {
                units.push(applied_before(unit));
                continue;
            };
            context.observer.started(Stage::Deploy, &subject);
            let begun = Instant::now();
            let deployed = self.unit(plan, unit, record, ready, &hmac, context).await;
            let mut deployed = match deployed {
                Ok(deployed) => deployed,
                // Nothing of this unit was applied; whether something was before it decides whose answer it is.
                Err(error) if units.is_empty() => {
                    context.observer.finished(Stage::Deploy, &subject, Outcome::Failed);
                    return Err(error);
                }
                Err(error) => DeployedUnit::new(unit.unit.id.clone(), DeployOutcome::Refused)
                    .because("refused", error.to_string()),
            };
            deployed.seconds = (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
            deployed.log = Some(ready.bench.log.path.clone());
            if deployed.outcome == DeployOutcome::Applied {
                ready.bench.clear();
            }
            let outcome = match deployed.outcome {
                DeployOutcome::Applied => Outcome::Done,
                DeployOutcome::Refused | DeployOutcome::NeedsPerson => Outcome::Refused,
                DeployOutcome::Failed if context.cancel.is_cancelled() => Outcome::Cancelled,
                DeployOutcome::Failed => Outcome::Failed,
                DeployOutcome::NotStarted => Outcome::Nothing,
            };
            context.observer.finished(Stage::Deploy, &subject, outcome);
            units.push(deployed);
        }
        Ok(Deployment { run: approved.run.clone(), plan: plan.digest()?, units })
    }

    async fn verify(
        &self,
        plan: &DeploymentPlan,
        context: &DeployContext<'_>,
    ) -> Result<Verification, DeployError> {
        let planned = DryRunPlan {
            revision: Revision::Commit(plan.commit),
            units: plan.units.iter().map(|unit| unit.unit.clone()).collect(),
            skipped: Vec::new(),
        };
        let hmac = self.store.hmac().await?;
        let lent = DryRunContext {
            repository: context.repository,
            credentials: context.credentials,
            hmac: &hmac,
            cancel: context.cancel,
            observer: context.observer,
        };
        let found = self.runner.observe(&planned, &lent).await?;
        if context.cancel.is_cancelled() {
            return Err(DeployError::Cancelled);
        }
        let units = plan.units.iter().map(|unit| {
            let id = unit.unit.id.clone();
            let again = found.dry_run.unit(&id);
            let holds = again.is_some_and(|again| again.outcome == UnitOutcome::NoChanges);
            let mut reasons = Vec::new();
            if let Some(again) = again.filter(|_| !holds) {
                let changes = again.plan.iter().flat_map(|plan| &plan.changes);
                reasons.extend(changes.map(|change| {
                    Reason::new("not_as_planned", format!("{} would be {}", change.address, change.actions))
                }));
                reasons.extend(again.reasons.iter().cloned());
            }
            VerifiedUnit { id, holds, reasons }
        });
        Ok(Verification { commit: plan.commit, units: units.collect() })
    }
}

fn applied_before(unit: &UnitDeployment) -> DeployedUnit {
    DeployedUnit::new(unit.unit.id.clone(), DeployOutcome::Applied)
        .because("applied_before", "this run applied it already")
}

impl fmt::Debug for TerraformDeployer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerraformDeployer")
            .field("tool", &self.tool)
            .field("store", &self.store)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
