use std::{sync::Arc, time::Instant};

use tokio_util::sync::CancellationToken;

use crate::{
    observe::{Observer, Outcome, Stage},
    proof::{Digest, Reason, RepoPath, RunId},
    terraform::{InitOptions, TerraformError, Tool},
};

use super::{
    CaseOutcome, CaseReport, Check, Expectations, How, Ledger, Left, Limits, Opened, PlannedDeployment,
    Sandbox, SandboxError, Swept,
    bundle::Bundle,
    copy::StateCopy,
    files::{LogFile, WorkFolder, room},
    record::Line,
    steps::Steps,
};

/// One case on its way through the sandbox.
#[derive(Debug)]
pub(super) struct CaseRun {
    pub(super) case: PlannedDeployment,
    pub(super) run: RunId,
    pub(super) plan: Digest,
    pub(super) tool: Tool,
    pub(super) sandbox: Arc<dyn Sandbox>,
    pub(super) ledger: Ledger,
    pub(super) limits: Limits,
    pub(super) work: WorkFolder,
    /// Cancelled when the case should end early.
    pub(super) stop: CancellationToken,
    /// Cancelled when even destroying must end: somebody else took the run over.
    pub(super) lost: CancellationToken,
}

/// What is known of a case so far.
#[derive(Debug)]
struct Tally {
    outcome: CaseOutcome,
    checks: Vec<Check>,
    reasons: Vec<Reason>,
    unmarked: Vec<String>,
}

impl CaseRun {
    /// The root module: the example itself, or the module of a test file.
    pub(super) fn root(&self) -> &RepoPath {
        match self.case.how {
            How::TestFile => &self.case.module,
            _ => &self.case.path,
        }
    }

    /// Runs the case to its end, destroying included.
    pub(super) async fn run(self, observer: &dyn Observer) -> CaseReport {
        let begun = Instant::now();
        let subject = self.case.id.to_string();
        observer.started(Stage::Sandbox, &subject);
        let mut tally = Tally {
            outcome: CaseOutcome::Passed,
            checks: Vec::new(),
            reasons: Vec::new(),
            unmarked: Vec::new(),
        };
        let left = match &self.case.how {
            How::Refused(reason) => tally.put_off(CaseOutcome::Refused, reason),
            How::Skipped(reason) => tally.put_off(CaseOutcome::Skipped, reason),
            _ if self.stop.is_cancelled() => {
                tally.outcome = CaseOutcome::Cancelled;
                Left::NeverMade
            }
            How::Deploy(_) | How::TestFile => self.work(&mut tally, observer).await,
        };
        if let (Left::Things(_), CaseOutcome::Passed) = (&left, tally.outcome) {
            tally.outcome = CaseOutcome::Failed;
        }
        observer.finished(
            Stage::Sandbox,
            &subject,
            match tally.outcome {
                CaseOutcome::Passed => Outcome::Done,
                CaseOutcome::Skipped => Outcome::Nothing,
                CaseOutcome::Failed | CaseOutcome::Refused => Outcome::Refused,
                CaseOutcome::Cancelled => Outcome::Cancelled,
                CaseOutcome::Error | CaseOutcome::TimedOut => Outcome::Failed,
            },
        );
        tally.report(&self.case, left, begun)
    }

    async fn work(&self, tally: &mut Tally, observer: &dyn Observer) -> Left {
        let steps = match self.begin().await {
            Ok(steps) => steps,
            Err(error) => {
                let still = matches!(error, SandboxError::StillInFlight { .. });
                tally.fault("prepared", error);
                return if still { Left::Things(vec![self.case.mark.to_string()]) } else { Left::NeverMade };
            }
        };
        let begun = Instant::now();
        let done = match &self.case.how {
            How::Deploy(expectations) => self.deploy(&steps, expectations, tally, observer).await,
            _ => self.test(&steps, tally, observer).await.map(|()| false),
        };
        let may_have_made = done.unwrap_or_else(|(may_have_made, error)| {
            tally.fault(may_have_made.rule(), error);
            matches!(may_have_made, At::Applying | At::Inspecting)
        });
        let left = if may_have_made {
            self.say(observer, "destroy");
            let undone = undo(&steps, &*self.sandbox, &self.case.mark, &self.lost).await;
            tally.undone(undone)
        } else {
            Left::NeverMade
        };
        let disturbed = !matches!(tally.outcome, CaseOutcome::Passed | CaseOutcome::Failed);
        let closed = match &left {
            // It stays open, for whoever reaps.
            Left::Things(_) => Ok(()),
            Left::Unproven(_) if disturbed => Ok(()),
            // Only what came to an end has a result that a second run may take over.
            left => {
                let report = (!disturbed).then(|| tally.clone_report(&self.case, left.clone(), begun));
                steps.entry.close(left.clone(), report).await
            }
        };
        if let Err(error) = closed {
            tally.fault("recorded", error);
        }
        left
    }

    /// Makes the folder and writes the first line of the ledger.
    async fn begin(&self) -> Result<Steps, SandboxError> {
        let entry = self.ledger.entry(&self.run, &self.case.mark);
        if entry.is_open().await? {
            return Err(SandboxError::StillInFlight {
                case: self.case.id.clone(),
                mark: self.case.mark.clone(),
            });
        }
        let environment = self.sandbox.environment(&self.case.mark).await?;
        let folder = self.work.case(&self.case.mark, self.root())?;
        let log = LogFile::create(&self.work.log(&self.case.mark))?;
        room(&folder.folder, self.limits.free)?;
        entry
            .open(Opened {
                run: self.run.clone(),
                mark: self.case.mark.clone(),
                sandbox: self.sandbox.name().to_owned(),
                case: self.case.id.clone(),
                module: self.case.module.clone(),
                root: self.root().clone(),
                plan: self.plan.clone(),
                tool: self.tool.version().to_string(),
                folder: folder.folder.clone(),
            })
            .await?;
        let state = StateCopy::new(entry.clone(), folder.state(), self.case.mark.clone());
        let (tool, limits) = (self.tool.clone(), self.limits.clone());
        Ok(Steps { tool, folder, environment, entry, limits, log, state })
    }

    /// Deploys and inspects. True, since something was made; an error says how far it came.
    async fn deploy(
        &self,
        steps: &Steps,
        expectations: &Expectations,
        tally: &mut Tally,
        observer: &dyn Observer,
    ) -> Result<bool, (At, SandboxError)> {
        self.say(observer, "init");
        steps.folder.write_override().map_err(|error| (At::Preparing, error))?;
        steps.init(&InitOptions::default(), &self.stop).await.map_err(|error| (At::Initializing, error))?;
        steps.folder.check_backend().map_err(|error| (At::Initializing, error))?;
        tally.checks.push(Check::passed("initialized", ""));
        self.keep(steps).await.map_err(|error| (At::Preparing, error))?;

        self.say(observer, "plan");
        let planned = steps.plan("first.tfplan", &self.stop).await.map_err(|error| (At::Planning, error))?;
        let line = Line::Planned { addresses: planned.addresses };
        steps.entry.write(&line).await.map_err(|error| (At::Preparing, error))?;
        tally.checks.push(Check::passed("planned", ""));
        room(&steps.folder.folder, self.limits.free).map_err(|error| (At::Preparing, error))?;

        self.say(observer, "apply");
        steps.apply("first.tfplan", &self.stop).await.map_err(|error| (At::Applying, error))?;
        tally.checks.push(Check::passed("applied", ""));

        let inspecting = |error| (At::Inspecting, error);
        let state = steps.state.now().await.map_err(inspecting)?;
        if !state.without.is_empty() {
            let text = format!(
                "a crash would leave what does not carry {}: {}",
                self.case.mark,
                state.without.join(", ")
            );
            observer.warning(Stage::Sandbox, &self.case.id.to_string(), text);
        }
        tally.unmarked = state.without;
        for (address, messages) in state.failed_checks {
            tally.check(Check::failed(
                "check_block",
                &address,
                format!("{address}: {}", messages.join("; ")),
            ));
        }
        let outputs = steps.outputs(&self.stop).await.map_err(inspecting)?;
        for check in expectations.check(&planned.outputs, &outputs, &self.case.mark) {
            tally.check(check);
        }

        self.say(observer, "plan again");
        let again = steps.plan("second.tfplan", &self.stop).await.map_err(inspecting)?;
        tally.check(if again.changes.is_empty() {
            Check::passed("no_changes_after_apply", "")
        } else {
            let text = format!("planning again would change {}", again.changes.join(", "));
            Check::failed("no_changes_after_apply", "", text)
        });
        Ok(true)
    }

    /// Keeps the configuration, so that whoever reaps can destroy without a clone.
    async fn keep(&self, steps: &Steps) -> Result<(), SandboxError> {
        let (tree, module, data) = (self.work.tree(), steps.folder.module.clone(), steps.folder.data());
        let pack = move || Bundle::pack(&tree, &module, &data)?.to_bytes();
        let packed = tokio::task::spawn_blocking(pack).await;
        let bytes = packed.map_err(|error| SandboxError::stopped("keep the configuration", error))??;
        steps.entry.keep_files(bytes).await
    }

    async fn test(
        &self,
        steps: &Steps,
        tally: &mut Tally,
        observer: &dyn Observer,
    ) -> Result<(), (At, SandboxError)> {
        self.say(observer, "init");
        let options = InitOptions::default().without_backend();
        steps.init(&options, &self.stop).await.map_err(|error| (At::Initializing, error))?;
        tally.checks.push(Check::passed("initialized", ""));
        self.say(observer, "test");
        let finished = steps
            .test(&self.case.path, &self.case.module, &self.stop)
            .await
            .map_err(|error| (At::Preparing, error))?;
        match finished.ended {
            crate::process::Ended::Cancelled => tally.outcome = CaseOutcome::Cancelled,
            crate::process::Ended::TimedOut => tally.outcome = CaseOutcome::TimedOut,
            _ => {}
        }
        tally.check(if finished.success() {
            Check::passed("tests_passed", "")
        } else {
            let text =
                format!("{} test ended with {}; its log says more", self.tool.version(), finished.verdict());
            Check::failed("tests_passed", "", text)
        });
        Ok(())
    }

    fn say(&self, observer: &dyn Observer, step: &str) {
        observer.note(Stage::Sandbox, &self.case.id.to_string(), step);
    }
}

/// How far a case came.
#[derive(Clone, Copy, Debug)]
enum At {
    Preparing,
    Initializing,
    Planning,
    Applying,
    Inspecting,
}

impl At {
    /// The rule that does not hold where the tool fails here.
    fn rule(self) -> &'static str {
        match self {
            Self::Preparing => "prepared",
            Self::Initializing => "initialized",
            Self::Planning => "planned",
            Self::Applying => "applied",
            Self::Inspecting => "inspected",
        }
    }
}

impl Tally {
    fn put_off(&mut self, outcome: CaseOutcome, reason: &Reason) -> Left {
        self.outcome = outcome;
        self.reasons.push(reason.clone());
        Left::NeverMade
    }

    fn check(&mut self, check: Check) {
        if !check.held() && self.outcome == CaseOutcome::Passed {
            self.outcome = CaseOutcome::Failed;
        }
        self.checks.push(check);
    }

    /// Something could not be done: the tool's own failure is a check that does not hold, anything else no
    /// word on the module.
    fn fault(&mut self, rule: &'static str, error: SandboxError) {
        let outcome = match &error {
            SandboxError::Terraform(TerraformError::Cancelled { .. }) => CaseOutcome::Cancelled,
            SandboxError::Terraform(TerraformError::TimedOut { .. }) => CaseOutcome::TimedOut,
            SandboxError::Terraform(TerraformError::Failed { .. } | TerraformError::LockFileStale { .. }) => {
                CaseOutcome::Failed
            }
            _ => CaseOutcome::Error,
        };
        match outcome {
            CaseOutcome::Error => self.reasons.push(Reason::new(rule, error.to_string())),
            _ => self.checks.push(Check::failed(rule, "", error.to_string())),
        }
        if matches!(self.outcome, CaseOutcome::Passed | CaseOutcome::Failed) {
            self.outcome = outcome;
        }
    }

    fn undone(&mut self, undone: Undone) -> Left {
        let emptied = undone.remaining.is_empty();
        self.check(match (emptied, undone.faults.is_empty()) {
            (true, true) => Check::passed("destroyed", ""),
            _ => Check::failed("destroyed", "", undone.faults.join("\n")),
        });
        undone.left
    }

    fn clone_report(&self, case: &PlannedDeployment, left: Left, begun: Instant) -> CaseReport {
        let (checks, reasons) = (self.checks.clone(), self.reasons.clone());
        Self { checks, reasons, unmarked: self.unmarked.clone(), ..*self }.report(case, left, begun)
    }

    fn report(self, case: &PlannedDeployment, left: Left, begun: Instant) -> CaseReport {
        CaseReport {
            id: case.id.clone(),
            module: case.module.clone(),
            mark: case.mark.clone(),
            outcome: self.outcome,
            checks: self.checks,
            left,
            unmarked: self.unmarked,
            reasons: self.reasons,
            seconds: begun.elapsed().as_secs(),
            quarantine: case.quarantine.clone(),
        }
    }
}

/// What became of an attempt to undo.
#[derive(Debug)]
pub(super) struct Undone {
    /// Addresses that were in the state before and are not after.
    pub(super) destroyed: Vec<String>,
    /// Addresses that are still in the state.
    pub(super) remaining: Vec<String>,
    pub(super) left: Left,
    pub(super) faults: Vec<String>,
}

/// Destroys what the state knows, then sweeps what carries the mark. Where destroying failed, it is tried once
/// more after the sweep, which may have made room, or have removed what stood in the way.
pub(super) async fn undo(
    steps: &Steps,
    sandbox: &dyn Sandbox,
    mark: &super::Mark,
    cancel: &CancellationToken,
) -> Undone {
    let mut faults = Vec::new();
    let before = addresses(steps, &mut faults).await;
    let mut failed = None;
    if !before.is_empty() {
        failed = steps.destroy(cancel).await.err();
    }
    let mut swept = sweep(steps, sandbox, mark, cancel, &mut faults).await;
    if failed.is_some() && !cancel.is_cancelled() {
        failed = steps.destroy(cancel).await.err();
        // What the second try did not want any more may be there still.
        if let Swept::Removed(first) = &mut swept
            && let Swept::Removed(second) = sweep(steps, sandbox, mark, cancel, &mut faults).await
        {
            first.extend(second);
        }
    }
    let remaining = if before.is_empty() { Vec::new() } else { addresses(steps, &mut faults).await };
    faults.extend(failed.map(|error| error.to_string()));
    let destroyed = before.into_iter().filter(|address| !remaining.contains(address)).collect();
    let left = match (remaining.is_empty(), faults.is_empty(), swept) {
        (false, ..) => Left::Things(remaining.clone()),
        (true, false, _) => Left::Things(faults.clone()),
        (true, true, Swept::Clean) => Left::Nothing,
        (true, true, Swept::Removed(things)) => Left::Swept(things),
        (true, true, Swept::Unproven(why)) => Left::Unproven(why),
    };
    Undone { destroyed, remaining, left, faults }
}

async fn addresses(steps: &Steps, faults: &mut Vec<String>) -> Vec<String> {
    match steps.state.now().await {
        Ok(state) => state.addresses,
        Err(error) => {
            faults.push(error.to_string());
            Vec::new()
        }
    }
}

async fn sweep(
    steps: &Steps,
    sandbox: &dyn Sandbox,
    mark: &super::Mark,
    cancel: &CancellationToken,
    faults: &mut Vec<String>,
) -> Swept {
    let stop = cancel.child_token();
    let limit = steps.limits.destroy;
    let sweep = sandbox.sweep(mark, &stop);
    tokio::pin!(sweep);
    let swept = tokio::select! {
        swept = &mut sweep => swept,
        () = tokio::time::sleep(limit) => {
            stop.cancel();
            // It has a moment to stop; then it is left alone, and reaped another time.
            let late = SandboxError::stopped("sweep", format!("it took longer than {limit:?}"));
            tokio::time::timeout(steps.limits.grace, &mut sweep).await.unwrap_or(Err(late))
        }
    };
    match swept {
        Ok(swept) => swept,
        Err(error) => {
            faults.push(error.to_string());
            Swept::Unproven(error.to_string())
        }
    }
}
