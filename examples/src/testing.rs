use std::{fmt::Write as _, path::PathBuf, sync::Arc};

use clap::Args;
use infraflow_core::{
    git::Tree,
    policy::Configuration,
    proof::RunId,
    sandbox::{
        CaseOutcome, FolderSandbox, Left, ReapReport, SandboxPlan, SandboxSettings, Scope,
        TerraformTestRunner, TestReport, TestRunner as _,
    },
    select::TestPlan,
    store::Store,
    terraform::{Tool, ToolVersion},
};
use tokio_util::sync::CancellationToken;

use crate::{Answer, Console, Failure, cancel_on_interrupt};

/// Where test cases are deployed, and where the ledger is kept.
#[derive(Args, Clone, Debug)]
pub struct Testing {
    /// The folder that stands for a cloud account.
    #[arg(long, value_name = "DIR")]
    pub sandbox: PathBuf,
    /// The store's folder. It must outlive this machine's process: what a dead run left is found by it.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The run's name; what it makes carries it, and the same name resumes it.
    #[arg(long, value_name = "NAME", value_parser = |text: &str| RunId::parse(text))]
    pub run: RunId,
}

/// A sandbox that is ready to run test cases.
pub struct Tester {
    /// What runs them.
    pub runner: TerraformTestRunner,
    /// The tool it runs them with.
    pub tool: ToolVersion,
    /// Where the ledger and the records of runs are kept.
    pub store: Store,
    /// Cancelled by an interrupt.
    pub cancel: CancellationToken,
    console: Console,
    run: RunId,
}

impl std::fmt::Debug for Tester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tester").field("run", &self.run).finish_non_exhaustive()
    }
}

impl Testing {
    /// Opens the store and the sandbox, and finds Terraform or OpenTofu.
    ///
    /// # Errors
    /// Where one of them is not there.
    pub fn open(&self, configuration: &Configuration) -> Result<Tester, Failure> {
        let settings: SandboxSettings = configuration.section()?;
        let store = Store::folder(&self.store)?.declared_durable();
        let sandbox = Arc::new(FolderSandbox::new(&self.sandbox)?);
        let tool = Tool::find()?;
        let version = tool.version().clone();
        let runner = TerraformTestRunner::new(tool, store.clone(), sandbox)
            .with_limits((&settings).into())
            .with_applying_test_files(settings.applying_test_files);
        let (cancel, console) = (cancel_on_interrupt()?, Console::new());
        Ok(Tester { runner, tool: version, store, cancel, console, run: self.run.clone() })
    }
}

impl Tester {
    /// How the cases of a test plan are run.
    ///
    /// # Errors
    /// Where a case is not there or cannot be understood.
    pub fn plan(&self, tests: &TestPlan, tree: &Tree) -> Result<SandboxPlan, Failure> {
        Ok(self.runner.plan(tests, tree, &self.run)?)
    }

    /// Runs them.
    ///
    /// # Errors
    /// Where nothing could be begun.
    pub async fn run(&self, plan: &SandboxPlan, tree: &Tree) -> Result<TestReport, Failure> {
        let report = self.runner.execute(plan, tree, &self.cancel, &self.console).await;
        self.runner.shutdown().await;
        Ok(report?)
    }

    /// Destroys and sweeps what dead runs left.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub async fn reap(&self) -> Result<ReapReport, Failure> {
        Ok(self.runner.reaper().reap(&Scope::All, &self.cancel, &self.console).await?)
    }
}

/// 0 where every case passed, 1 where one did not, 3 where one could not be run.
pub fn answer_of(report: &TestReport) -> Answer {
    let undone = [CaseOutcome::Error, CaseOutcome::Cancelled];
    match report.passed() {
        true => Answer::Done,
        false if report.cases.iter().any(|case| undone.contains(&case.outcome)) => Answer::Part,
        false => Answer::No,
    }
}

/// A test report in words.
pub fn people(report: &TestReport) -> String {
    let mut text = String::new();
    for case in &report.cases {
        let left = match &case.left {
            Left::Things(things) => format!("; LEFT IN THE SANDBOX: {}", things.join(", ")),
            Left::Unproven(why) => format!("; nothing known to be left, unproven: {why}"),
            _ => String::new(),
        };
        let quarantine = case.quarantine.as_ref().map_or(String::new(), |entry| {
            format!("; in quarantine until {}: {} ({})", entry.until, entry.reason, entry.who)
        });
        let _ = writeln!(text, "{:?} {} ({} s{left}{quarantine})", case.outcome, case.id, case.seconds);
        for check in case.checks.iter().filter(|check| !check.held()) {
            let _ = writeln!(text, "  {} {}: {}", check.rule, check.subject, check.text);
        }
        for reason in &case.reasons {
            let _ = writeln!(text, "  {}: {}", reason.rule, reason.text);
        }
    }
    text
}
