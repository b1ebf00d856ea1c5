use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{
    DeployContext, DeployOutcome, DeployRules, DeployedUnit, UnitDeployment,
    flight::in_flight,
    record::{End, Entry, Record},
    workbench::Workbench,
};
use crate::{
    process::OutputFiles,
    proof::Digest,
    terraform::{TerraformError, plan::Plan},
};

/// One apply of one plan.
pub(super) struct Attempt<'a> {
    pub(super) bench: &'a Workbench,
    pub(super) record: &'a Record,
    pub(super) unit: &'a UnitDeployment,
    pub(super) rules: &'a DeployRules,
    /// From 1.
    pub(super) number: u32,
    /// The plan to apply, and its digest.
    pub(super) file: &'a Path,
    pub(super) plan_file: Digest,
    /// What that plan does.
    pub(super) plan: &'a Plan,
}

impl Attempt<'_> {
    /// Applies it. Whatever comes of it is an outcome: from here on the world may have changed.
    pub(super) async fn run(self, context: &DeployContext<'_>, cancel: &CancellationToken) -> DeployedUnit {
        let name = format!("apply-{}-{}", self.plan_file.short(), self.number);
        let output = OutputFiles {
            stdout: self.bench.folder.join(format!("{name}.out")),
            stderr: self.bench.folder.join(format!("{name}.err")),
        };
        let began = Arc::new(AtomicBool::new(false));
        let driver = self
            .bench
            .driver
            .clone()
            .time_limit(self.rules.time_limit())
            .grace(self.rules.grace())
            .lock_timeout(self.rules.lock_wait())
            .output_files(output.clone())
            .on_start({
                let (record, began, runtime) = (self.record.clone(), began.clone(), Handle::current());
                let (attempt, plan_file) = (self.number, self.plan_file.clone());
                let output = output.stdout.clone();
                Arc::new(move |group| {
                    // It may be on record even where writing it fails.
                    began.store(true, Ordering::Release);
                    let (plan_file, group, output) = (plan_file.clone(), group.clone(), output.clone());
                    let starting = Entry::Starting { attempt, plan_file, group, output };
                    Ok(runtime.block_on(record.append(&starting))?)
                })
            });
        let applied = driver.apply_plan(self.file, cancel, &self.bench.log).await;
        let id = self.unit.unit.id.clone();
        let Err(error) = applied else {
            return self.applied(context).await;
        };
        let failed =
            |outcome| DeployedUnit::new(id.clone(), outcome).because("apply_failed", error.to_string());
        if !began.load(Ordering::Acquire) {
            return failed(DeployOutcome::Failed);
        }
        let how = end_of(&error);
        let mut unit = failed(DeployOutcome::Failed);
        if how == End::CutOff {
            let said = tokio::fs::read(&output.stdout).await.unwrap_or_default();
            let addresses = self.plan.resource_changes.iter().map(|change| change.address.as_str());
            unit.in_flight = in_flight(&String::from_utf8_lossy(&said), addresses);
            if !unit.in_flight.is_empty() {
                unit.outcome = DeployOutcome::NeedsPerson;
                unit = unit.because("in_flight", flying(&self.unit.unit.path.to_string()));
            }
        }
        self.ended(how, unit).await
    }

    async fn applied(&self, context: &DeployContext<'_>) -> DeployedUnit {
        let unit = DeployedUnit::new(self.unit.unit.id.clone(), DeployOutcome::Applied);
        let mut unit = self.ended(End::Applied, unit).await;
        // Only for the report: that it was applied is known.
        unit.state = self.bench.state(context).await.ok().flatten();
        unit
    }

    /// Puts on record how it ended.
    async fn ended(&self, how: End, mut unit: DeployedUnit) -> DeployedUnit {
        if let Err(error) = self.record.append(&Entry::Ended { attempt: self.number, how }).await {
            unit.outcome = unit.outcome.max(DeployOutcome::Failed);
            let text = format!(
                "the apply ended, and that could not be put on record: {error}\n  help: resume the run"
            );
            unit = unit.because("not_recorded", text);
        }
        unit
    }
}

/// What a failed apply leaves: a tool that reports its errors has recorded what it did; one that was ended, or
/// crashed, may not have.
fn end_of(error: &TerraformError) -> End {
    match error {
        TerraformError::PlanStale { .. }
        | TerraformError::StateLocked { .. }
        | TerraformError::LockFileStale { .. } => End::Failed,
        // Both tools exit with 1 after an error, and with 11 after a crash of their own.
        TerraformError::Failed { verdict, .. } if verdict == "exit code 1" => End::Failed,
        _ => End::CutOff,
    }
}

/// What a person has to do about addresses in flight.
pub(super) fn flying(unit: &str) -> String {
    format!(
        "an apply of {unit} was cut off while it was at these addresses: they may exist in the world and in no state\n  help: look; import what is there or remove it, then plan again and ask for approval"
    )
}
