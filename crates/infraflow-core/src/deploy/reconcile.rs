use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{
    DeployContext, DeployError, DeployOutcome, DeployRules, DeployedUnit, DeploymentPlan, UnitDeployment,
    apply::{self, flying},
    flight::in_flight,
    record::{Attempt, End, Entry, Record},
    remaining::{not_approved, remaining},
    workbench::{Workbench, digest_of_file},
};
use crate::{
    dry_run::{DryRunContext, DryRunPlan, DryRunner, UnitOutcome},
    git::Revision,
    observe::Stage,
    process::GroupState,
    proof::Hmac,
    terraform::plan::Plan,
};

/// A unit of which an apply was begun and did not come to a good end.
pub(super) struct Reconciling<'a> {
    pub(super) plan: &'a DeploymentPlan,
    pub(super) unit: &'a UnitDeployment,
    /// What the saved plan does: this was approved.
    pub(super) approved: &'a Plan,
    pub(super) last: &'a Attempt,
    pub(super) bench: &'a Workbench,
    pub(super) record: &'a Record,
    pub(super) rules: &'a DeployRules,
    pub(super) runner: &'a dyn DryRunner,
    pub(super) hmac: &'a Hmac,
}

impl Reconciling<'_> {
    /// Looks, then finishes only what is provably missing.
    pub(super) async fn run(
        self,
        context: &DeployContext<'_>,
        cancel: &CancellationToken,
    ) -> Result<DeployedUnit, DeployError> {
        let outcome = |outcome| DeployedUnit::new(self.unit.unit.id.clone(), outcome);
        if !self.has_ended(context, cancel).await? {
            let text = format!(
                "the apply that was begun still runs, as process {}\n  help: wait until it has ended, and resume the run",
                self.last.group.pid
            );
            return Ok(outcome(DeployOutcome::Failed).because("still_running", text));
        }
        let planned = DryRunPlan {
            revision: Revision::Commit(self.plan.commit),
            units: vec![self.unit.unit.clone()],
            skipped: Vec::new(),
        };
        let lent = DryRunContext {
            repository: context.repository,
            credentials: context.credentials,
            hmac: self.hmac,
            cancel,
            observer: context.observer,
        };
        let found = self.runner.observe(&planned, &lent).await?;
        let Some(entry) = found.dry_run.unit(&self.unit.unit.id) else {
            return Ok(outcome(DeployOutcome::Failed).because("not_planned", "it could not be planned again"));
        };
        match entry.outcome {
            UnitOutcome::NoChanges => {
                self.record.append(&Entry::Ended { attempt: self.last.number, how: End::Applied }).await?;
                let mut unit = outcome(DeployOutcome::Applied)
                    .because("reconciled", "planned again, nothing is left to be done of what was approved");
                unit.state = entry.state.clone();
                return Ok(unit);
            }
            UnitOutcome::Changes if !entry.mocked => {}
            _ => {
                let mut unit = outcome(DeployOutcome::Failed)
                    .because("not_planned", "it could not be planned again to see what is left");
                unit.reasons.extend(entry.reasons.iter().cloned());
                return Ok(unit);
            }
        }
        let files = found.artefacts_of(&self.unit.unit.id);
        let Some((json, again)) = files.and_then(|it| Some((it.plan_json.as_ref()?, it.plan_file.as_ref()?)))
        else {
            return Ok(outcome(DeployOutcome::Failed).because("not_planned", "its new plan was not saved"));
        };
        let unreadable =
            |source| DeployError::File { doing: "read the new plan", path: json.clone(), source };
        let now = Plan::parse(tokio::fs::read(json).await.map_err(unreadable)?)?;
        let mut unit = self.judge(&now, outcome(DeployOutcome::NeedsPerson)).await;
        let looked =
            Entry::Reconciled { in_flight: unit.in_flight.clone(), remaining: unit.remaining.clone() };
        self.record.append(&looked).await?;
        if !unit.reasons.is_empty() {
            unit.state = entry.state.clone();
            return Ok(unit);
        }
        let unreadable =
            |source| DeployError::File { doing: "read the new plan", path: again.clone(), source };
        let attempt = apply::Attempt {
            bench: self.bench,
            record: self.record,
            unit: self.unit,
            rules: self.rules,
            number: self.last.number + 1,
            file: again,
            plan_file: digest_of_file(again).await.map_err(unreadable)?,
            plan: &now,
        };
        let done = attempt.run(context, cancel).await;
        let left = format!(
            "an apply was cut off; what was left of it was approved, and was applied: {}",
            unit.remaining.join(", ")
        );
        Ok(if done.outcome == DeployOutcome::Applied { done.because("reconciled", left) } else { done })
    }

    /// What is left, what was in flight, and each reason for which a person is needed.
    async fn judge(&self, now: &Plan, mut unit: DeployedUnit) -> DeployedUnit {
        unit.remaining = remaining(now);
        unit.in_flight = match self.last.end {
            // The tool ended by itself, and has recorded what it did.
            Some(End::Failed | End::Applied) => Vec::new(),
            Some(End::CutOff) | None => match tokio::fs::read(&self.last.output).await {
                Ok(said) => {
                    let addresses = self.approved.resource_changes.iter().chain(&now.resource_changes);
                    in_flight(&String::from_utf8_lossy(&said), addresses.map(|it| it.address.as_str()))
                }
                Err(_) => {
                    unit = unit.because(
                        "output_lost",
                        "what the apply said before it was cut off is not on this machine, so everything that is left may have been in flight",
                    );
                    unit.remaining.clone()
                }
            },
        };
        if !unit.in_flight.is_empty() {
            unit = unit.because("in_flight", flying(&self.unit.unit.path.to_string()));
        }
        for text in not_approved(self.approved, now) {
            unit = unit.because("not_approved", text);
        }
        unit
    }

    /// Waits for an apply that outlived the process which started it. It is the approved plan that is being
    /// applied: to end it would only leave more in flight.
    async fn has_ended(
        &self,
        context: &DeployContext<'_>,
        cancel: &CancellationToken,
    ) -> Result<bool, DeployError> {
        let begun = Instant::now();
        let mut told = false;
        loop {
            let group = self.last.group.clone();
            let state = tokio::task::spawn_blocking(move || group.state())
                .await
                .map_err(|source| DeployError::Thread { doing: "looked for the apply", source })?;
            if state != GroupState::Running {
                return Ok(true);
            }
            if !told {
                told = true;
                let text = format!(
                    "an apply that was begun before still runs, as process {}: waiting for it",
                    self.last.group.pid
                );
                context.observer.note(Stage::Deploy, &self.unit.unit.id.to_string(), text);
            }
            let pause = cancel.run_until_cancelled(tokio::time::sleep(Duration::from_millis(200))).await;
            if pause.is_none() || begun.elapsed() > self.rules.time_limit() + self.rules.grace() {
                return Ok(false);
            }
        }
    }
}
