use std::sync::Arc;

use serde::Deserialize;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{
    process::{Command, Environment, Finished, OnStart},
    proof::RepoPath,
    terraform::{Driver, InitOptions, OutputValue, PlanOptions, Planned, TerraformError, Tool, plan::Plan},
};

use super::{
    Limits, SandboxError, Step,
    copy::StateCopy,
    files::{CaseFolder, LogFile},
    ledger::Entry,
    record::Line,
};

/// The steps of one deployment, each recorded in the ledger before its first instruction and after its end.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) tool: Tool,
    pub(super) folder: CaseFolder,
    pub(super) environment: Environment,
    pub(super) entry: Entry,
    pub(super) limits: Limits,
    pub(super) log: LogFile,
    pub(super) state: StateCopy,
}

/// What a plan says.
#[derive(Debug)]
pub(super) struct PlanFacts {
    /// Addresses of managed resources that it would make, change or destroy.
    pub(super) addresses: Vec<String>,
    /// Names of the root module's outputs.
    pub(super) outputs: Vec<String>,
    /// What it would do, for people, where it would do anything.
    pub(super) changes: Vec<String>,
}

impl Steps {
    pub(super) async fn init(
        &self,
        options: &InitOptions,
        cancel: &CancellationToken,
    ) -> Result<(), SandboxError> {
        self.ended(Step::Init, self.driver(Step::Init).init(options, cancel, &self.log).await).await
    }

    /// Plans, and saves the plan under this name.
    pub(super) async fn plan(
        &self,
        name: &str,
        cancel: &CancellationToken,
    ) -> Result<PlanFacts, SandboxError> {
        let saved = self.folder.saved_plan(name);
        let driver = self.driver(Step::Plan);
        let planned = driver.plan(&PlanOptions::saved_to(&saved), cancel, &self.log).await;
        let planned = self.ended(Step::Plan, planned).await?;
        let json = self.unrecorded().show_json(&saved, cancel, &self.log).await?;
        Ok(PlanFacts::read(&json, planned)?)
    }

    /// Applies a saved plan, its state copied to the store meanwhile.
    pub(super) async fn apply(&self, name: &str, cancel: &CancellationToken) -> Result<(), SandboxError> {
        let saved = self.folder.saved_plan(name);
        let driver = self.driver(Step::Apply);
        let applied = self.state.during(driver.apply_plan(&saved, cancel, &self.log)).await;
        // What was made must be known, whatever came of it.
        let copied = self.state.copy().await;
        self.ended(Step::Apply, applied).await?;
        copied
    }

    pub(super) async fn outputs(
        &self,
        cancel: &CancellationToken,
    ) -> Result<std::collections::BTreeMap<String, OutputValue>, SandboxError> {
        Ok(self.unrecorded().outputs(cancel, &self.log).await?)
    }

    /// Destroys everything in the state. A ledger that cannot be written does not keep it from doing so.
    pub(super) async fn destroy(&self, cancel: &CancellationToken) -> Result<(), SandboxError> {
        let driver = self.driver(Step::Destroy);
        let destroyed = self.state.during(driver.destroy(cancel, &self.log)).await;
        let copied = self.state.copy().await;
        let ended = self.ended(Step::Destroy, destroyed).await;
        match ended {
            Err(SandboxError::Terraform(error)) => Err(error.into()),
            // The ledger then still says that it runs, and whoever reaps finds an empty state.
            _ => copied,
        }
    }

    /// Runs a test file whose runs only plan.
    pub(super) async fn test(
        &self,
        file: &RepoPath,
        module: &RepoPath,
        cancel: &CancellationToken,
    ) -> Result<Finished, SandboxError> {
        let relative = String::from_utf8_lossy(&file.relative_to(module)).into_owned();
        let mut command = Command::new(self.tool.program()).args(["test", "-no-color"]);
        match relative.rsplit_once('/') {
            None | Some(("tests", _)) => {}
            Some((folder, _)) => command = command.arg(format!("-test-directory={folder}")),
        }
        let record = self.record(Step::Test);
        let command = command
            .arg(format!("-filter={relative}"))
            .current_dir(&self.folder.module)
            .environment(
                self.environment
                    .clone()
                    .with("TF_DATA_DIR", self.folder.data())
                    .with("TF_IN_AUTOMATION", "1")
                    .with("CHECKPOINT_DISABLE", "1"),
            )
            .time_limit(self.limits.apply)
            .grace(self.limits.grace)
            .on_start(move |group| record(group))
            .output_files(self.folder.output());
        let finished = command.run(cancel, &self.log).await?;
        self.entry.write(&Line::Ended { step: Step::Test, verdict: finished.verdict() }).await?;
        Ok(finished)
    }

    fn unrecorded(&self) -> Driver {
        self.tool
            .driver(&self.folder.module)
            .environment(self.environment.clone())
            .data_folder(self.folder.data())
            .time_limit(self.limits.plan)
            .grace(self.limits.grace)
    }

    fn driver(&self, step: Step) -> Driver {
        let limit = match step {
            Step::Init | Step::Plan => self.limits.plan,
            Step::Apply | Step::Test => self.limits.apply,
            Step::Destroy => self.limits.destroy,
        };
        self.unrecorded().time_limit(limit).on_start(self.record(step)).output_files(self.folder.output())
    }

    /// Writes a started process to the ledger before it runs. Called on a thread of the process, not of the
    /// runtime, so it may block on it.
    fn record(&self, step: Step) -> OnStart {
        let (runtime, entry) = (Handle::current(), self.entry.clone());
        Arc::new(move |group| {
            let line = Line::Started { step, group: group.clone() };
            match runtime.block_on(entry.write(&line)) {
                // Better destroyed without a record than left with one.
                Err(_) if step == Step::Destroy => Ok(()),
                written => Ok(written?),
            }
        })
    }

    async fn ended<T>(&self, step: Step, result: Result<T, TerraformError>) -> Result<T, SandboxError> {
        let verdict = match &result {
            Ok(_) => "done".to_owned(),
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        let written = self.entry.write(&Line::Ended { step, verdict }).await;
        let done = result?;
        written.map(|()| done)
    }
}

impl PlanFacts {
    fn read(json: &[u8], planned: Planned) -> Result<Self, TerraformError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Whole {
            configuration: Configuration,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Configuration {
            root_module: Module,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Module {
            outputs: std::collections::BTreeMap<String, serde::de::IgnoredAny>,
        }
        let plan = Plan::parse(json)?;
        // A plan that parses is JSON; without these members it has no outputs.
        let whole: Whole = serde_json::from_slice(json).unwrap_or_default();
        let addresses = plan
            .effective_changes()
            .filter(|change| change.mode == crate::terraform::plan::ResourceMode::Managed)
            .map(|change| change.address.clone())
            .collect();
        let resources = plan.effective_changes().map(|change| {
            let actions: Vec<_> =
                change.change.actions.0.iter().map(|action| action.as_str().to_owned()).collect();
            format!("{} ({})", change.address, actions.join(", "))
        });
        let outputs = plan.effective_outputs().map(|(name, _)| format!("output {name}"));
        let changes = match planned {
            Planned::NoChanges => Vec::new(),
            Planned::Changes => resources.chain(outputs).collect(),
        };
        Ok(Self {
            addresses,
            outputs: whole.configuration.root_module.outputs.into_keys().collect(),
            changes,
        })
    }
}
