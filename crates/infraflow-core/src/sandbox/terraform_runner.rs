use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{git::Tree, observe::Observer, proof::RunId, select::TestPlan, store::Store, terraform::Tool};

use super::{
    ApplyingTestFiles, Ledger, Limits, Mark, Reaper, Sandbox, SandboxError, SandboxPlan, SandboxSettings,
    TestReport, TestRunner,
    files::WorkFolder,
    ledger::owner,
    run::{Events, Run},
};

/// Runs test cases with Terraform or OpenTofu: `apply`, inspection, `plan` again, `destroy`.
///
/// It needs a durable store, for the ledger, and works in a folder of this machine, where it also writes a log
/// per case ([`TerraformTestRunner::log`]). Both hold secrets.
#[derive(Clone, Debug)]
pub struct TerraformTestRunner {
    tool: Tool,
    ledger: Ledger,
    sandbox: Arc<dyn Sandbox>,
    work: PathBuf,
    limits: Limits,
    applying: ApplyingTestFiles,
    tasks: TaskTracker,
}

impl TerraformTestRunner {
    /// A runner with the default limits, which works in a folder `infraflow-sandbox` of the system's temporary
    /// folder.
    pub fn new(tool: Tool, store: Store, sandbox: Arc<dyn Sandbox>) -> Self {
        Self {
            tool,
            ledger: Ledger::new(store),
            sandbox,
            work: std::env::temp_dir().join("infraflow-sandbox"),
            limits: Limits::default(),
            applying: ApplyingTestFiles::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// The same with the limits and rules of a configuration.
    #[must_use]
    pub fn with_settings(self, settings: &SandboxSettings) -> Self {
        self.with_limits(settings.into()).with_applying_test_files(settings.applying_test_files)
    }

    /// The same with these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, doing this with test files that apply.
    #[must_use]
    pub fn with_applying_test_files(mut self, applying: ApplyingTestFiles) -> Self {
        self.applying = applying;
        self
    }

    /// The same, working in this folder: a folder per run is made in it.
    #[must_use]
    pub fn in_folder(mut self, work: impl Into<PathBuf>) -> Self {
        self.work = work.into();
        self
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Where everything that the tool said of a case is written, secrets included. The file is private, and stays
    /// when the case is over.
    pub fn log(&self, run: &RunId, mark: &Mark) -> PathBuf {
        WorkFolder::of(&self.work, run).log(mark)
    }

    /// A reaper over the same ledger, sandbox and limits.
    pub fn reaper(&self) -> Reaper {
        Reaper::new(self.tool.clone(), self.ledger.store().clone())
            .with_sandbox(Arc::clone(&self.sandbox))
            .with_limits(self.limits.clone())
            .in_folder(&self.work)
    }

    /// Waits for everything that goes on in the background: runs whose future was dropped, and that destroy what
    /// they made.
    pub async fn shutdown(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    async fn begin(
        &self,
        plan: &SandboxPlan,
        tree: &Tree,
        stop: CancellationToken,
        events: Events,
    ) -> Result<tokio::task::JoinHandle<Result<TestReport, SandboxError>>, SandboxError> {
        let stale = |what, planned: String, found: String| Err(SandboxError::Stale { what, planned, found });
        if plan.revision != *tree.revision() {
            return stale("revision", plan.revision.to_string(), tree.revision().to_string());
        }
        if plan.sandbox != self.sandbox.name() {
            return stale("sandbox", plan.sandbox.clone(), self.sandbox.name().to_owned());
        }
        self.ledger.store().require_durable("the sandbox ledger")?;
        let lock = match self.ledger.lock(&plan.run, &owner(), self.limits.silence).await? {
            Ok(lock) => lock,
            Err(owner) => return Err(SandboxError::RunBusy { run: plan.run.clone(), owner }),
        };
        let run = Run {
            plan: plan.clone(),
            tree: tree.clone(),
            tool: self.tool.clone(),
            sandbox: Arc::clone(&self.sandbox),
            ledger: self.ledger.clone(),
            limits: self.limits.clone(),
            work: WorkFolder::of(&self.work, &plan.run),
            reaper: self.reaper(),
            stop,
            events,
        };
        Ok(self.tasks.spawn(run.run(lock)))
    }
}

#[async_trait]
impl TestRunner for TerraformTestRunner {
    fn plan(&self, tests: &TestPlan, tree: &Tree, run: &RunId) -> Result<SandboxPlan, SandboxError> {
        SandboxPlan::new(tests, tree, run, self.sandbox.name(), self.applying)
    }

    async fn execute(
        &self,
        plan: &SandboxPlan,
        tree: &Tree,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<TestReport, SandboxError> {
        let (events, mut happening) = tokio::sync::mpsc::unbounded_channel();
        // Cancelled with the caller's token, and when this future is dropped.
        let stop = cancel.child_token();
        let _dropped = stop.clone().drop_guard();
        let mut run = self.begin(plan, tree, stop, Events(events)).await?;
        loop {
            tokio::select! {
                biased;
                Some(event) = happening.recv() => observer.event(&event),
                report = &mut run => {
                    while let Ok(event) = happening.try_recv() {
                        observer.event(&event);
                    }
                    return report.unwrap_or_else(|error| Err(SandboxError::stopped("run the cases", error)));
                }
            }
        }
    }
}
