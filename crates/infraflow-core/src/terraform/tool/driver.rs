use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    BackendUse, InitOptions, LockFile, OutputValue, PlanMode, PlanOptions, Planned, Tool, failure,
    plugin_cache::PluginCache,
};
use crate::{
    process::{
        Command, Discard, Ended, Environment, Finished, LogStream, OnStart, OutputFiles, Preset, Source,
    },
    terraform::{State, TerraformError},
};

/// Variables that change what the tool does behind its arguments: never passed on.
const NEVER: [&str; 7] =
    ["TF_LOG", "TF_LOG_CORE", "TF_LOG_PROVIDER", "TF_LOG_PATH", "TF_DATA_DIR", "TF_WORKSPACE", "TF_CLI_ARGS"];

/// The tool at work in the folder of a root module: with this environment, these variables and limits.
///
/// Every call runs one command, never asks anything (`-input=false`) and has no colours. What the tool
/// writes goes to the log as it comes, after a line with the command; of an error's text the log has all, and
/// the [`TerraformError`] has only what is no secret. Commands whose output is data (`show -json`, `output -json`,
/// `state pull`) write nothing of it to the log.
#[derive(Clone)]
#[must_use]
pub struct Driver {
    tool: Tool,
    folder: PathBuf,
    environment: Environment,
    var_files: Vec<PathBuf>,
    lock_timeout: Duration,
    time_limit: Option<Duration>,
    grace: Option<Duration>,
    on_start: Option<OnStart>,
    output_files: Option<OutputFiles>,
}

impl Driver {
    pub(super) fn new(tool: Tool, folder: PathBuf) -> Self {
        Self {
            tool,
            folder,
            environment: Environment::preset(&[Preset::Base, Preset::Proxies, Preset::CliConfig]),
            var_files: Vec::new(),
            lock_timeout: Duration::ZERO,
            time_limit: None,
            grace: None,
            on_start: None,
            output_files: None,
        }
    }

    /// The whole environment that the tool sees; the presets base, proxies and CLI configuration of this
    /// process by default. `TF_LOG*`, `TF_CLI_ARGS*`, `TF_DATA_DIR` and `TF_WORKSPACE` are dropped. Call it
    /// before [`Driver::variable`], [`Driver::workspace`] and [`Driver::data_folder`].
    pub fn environment(mut self, environment: Environment) -> Self {
        let dropped: Vec<OsString> = environment
            .iter()
            .map(|(name, _)| name.to_owned())
            .filter(|name| {
                NEVER.iter().any(|never| name == never) || name.to_string_lossy().starts_with("TF_CLI_ARGS_")
            })
            .collect();
        self.environment = dropped.into_iter().fold(environment, Environment::without);
        self
    }

    /// Gives a root module variable its value, through the environment: arguments are seen by every process
    /// of the machine. Anything but a string is written as HCL.
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment = self.environment.with(format!("TF_VAR_{name}"), value);
        self
    }

    /// Adds a variable file.
    pub fn var_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.var_files.push(file.into());
        self
    }

    /// The workspace, which must exist.
    pub fn workspace(mut self, name: &str) -> Self {
        self.environment = self.environment.with("TF_WORKSPACE", name);
        self
    }

    /// Where modules and providers are installed, in place of `.terraform`.
    pub fn data_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.environment = self.environment.with("TF_DATA_DIR", folder.into());
        self
    }

    /// How long to wait for the state's lock; not at all by default.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// How long each command may run; without limit by default.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// How long a command may go on after its SIGINT; as [`Command::grace`] by default.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Records the start of each command; see [`Command::on_start`].
    pub fn on_start(mut self, record: OnStart) -> Self {
        self.on_start = Some(record);
        self
    }

    /// Lets commands whose output is for people write it to files, so that they go on where this process
    /// dies; see [`Command::output_files`]. The log has it all the same.
    pub fn output_files(mut self, files: OutputFiles) -> Self {
        self.output_files = Some(files);
        self
    }

    /// The tool.
    pub fn tool(&self) -> &Tool {
        &self.tool
    }

    /// The root module's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Installs modules and providers, and sets up the backend. Where a plugin cache is configured, one
    /// `init` at a time fills it, in this process and in others.
    ///
    /// # Errors
    /// [`TerraformError::LockFileStale`] where the lock file is held to and does not have what is needed;
    /// otherwise as [`Driver::validate`].
    pub async fn init(
        &self,
        options: &InitOptions,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<(), TerraformError> {
        let product = self.tool.version().product;
        let _held = PluginCache::hold(&self.environment, product, cancel).await;
        let mut args = arguments(["-input=false"]);
        match options.state {
            BackendUse::Configured => {
                args.extend(
                    options.backend.iter().map(|setting| format!("-backend-config={setting}").into()),
                );
            }
            BackendUse::LeftAlone => args.push("-backend=false".into()),
        }
        if options.lock_file == LockFile::HeldTo {
            args.push("-lockfile=readonly".into());
        }
        self.succeed("init", &["init"], args, cancel, log).await.map(drop)
    }

    /// Checks the configuration, which must be initialized.
    ///
    /// # Errors
    /// [`TerraformError::Failed`] with the tool's diagnostics, [`TerraformError::Cancelled`],
    /// [`TerraformError::TimedOut`], or [`TerraformError::Process`] where the tool could not be run.
    pub async fn validate(
        &self,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<(), TerraformError> {
        self.succeed("validate", &["validate"], Vec::new(), cancel, log).await.map(drop)
    }

    /// Plans, and saves the plan.
    ///
    /// # Errors
    /// [`TerraformError::StateLocked`] where somebody else holds the state; otherwise as [`Driver::validate`].
    pub async fn plan(
        &self,
        options: &PlanOptions,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<Planned, TerraformError> {
        let mut args = arguments(["-input=false", "-detailed-exitcode"]);
        args.push(joined("-out=", &options.out));
        match options.mode {
            PlanMode::Normal => {}
            PlanMode::Destroy => args.push("-destroy".into()),
            PlanMode::RefreshOnly => args.push("-refresh-only".into()),
        }
        self.with_state(&mut args);
        self.with_var_files(&mut args);
        let finished = self.run(&["plan"], args, cancel, log, Output::Logged).await?;
        match (finished.ended, finished.code) {
            (Ended::Exited, Some(0)) => Ok(Planned::NoChanges),
            (Ended::Exited, Some(2)) => Ok(Planned::Changes),
            _ => Err(self.failure("plan", &finished)),
        }
    }

    /// The JSON of a saved plan. It has every value in clear.
    ///
    /// # Errors
    /// As [`Driver::validate`], and [`TerraformError::TooMuchOutput`].
    pub async fn show_json(
        &self,
        plan: &Path,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<Vec<u8>, TerraformError> {
        self.data("show", &["show"], vec!["-json".into(), plan.into()], cancel, log).await
    }

    /// Applies a saved plan: exactly that, and without asking.
    ///
    /// # Errors
    /// [`TerraformError::PlanStale`] where the state moved since; otherwise as [`Driver::plan`].
    pub async fn apply_plan(
        &self,
        plan: &Path,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<(), TerraformError> {
        let mut args = arguments(["-input=false"]);
        self.with_state(&mut args);
        args.push(plan.into());
        self.succeed("apply", &["apply"], args, cancel, log).await.map(drop)
    }

    /// Plans and applies at once, without asking: for sandboxes.
    ///
    /// # Errors
    /// As [`Driver::plan`].
    pub async fn apply(&self, cancel: &CancellationToken, log: &dyn LogStream) -> Result<(), TerraformError> {
        self.without_asking("apply", cancel, log).await
    }

    /// Destroys everything that the state has, without asking: for sandboxes.
    ///
    /// # Errors
    /// As [`Driver::plan`].
    pub async fn destroy(
        &self,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<(), TerraformError> {
        self.without_asking("destroy", cancel, log).await
    }

    async fn without_asking(
        &self,
        what: &'static str,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<(), TerraformError> {
        let mut args = arguments(["-input=false", "-auto-approve"]);
        self.with_state(&mut args);
        self.with_var_files(&mut args);
        self.succeed(what, &[what], args, cancel, log).await.map(drop)
    }

    /// The root module's outputs, sensitive ones in clear.
    ///
    /// # Errors
    /// As [`Driver::show_json`], and [`TerraformError::Outputs`] where they cannot be understood.
    pub async fn outputs(
        &self,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<BTreeMap<String, OutputValue>, TerraformError> {
        let json = self.data("output", &["output"], vec!["-json".into()], cancel, log).await?;
        serde_json::from_slice(&json).map_err(|_| TerraformError::Outputs)
    }

    /// The state, as the backend has it; `None` where nothing was ever written.
    ///
    /// # Errors
    /// As [`Driver::show_json`], and [`TerraformError::State`].
    pub async fn state_pull(
        &self,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<Option<State>, TerraformError> {
        let json = self.data("state pull", &["state", "pull"], Vec::new(), cancel, log).await?;
        State::parse(json)
    }

    /// The providers that `init` chose: full names to versions. Built-in ones are not among them.
    ///
    /// # Errors
    /// As [`Driver::show_json`], and [`TerraformError::Outputs`] where the answer cannot be understood.
    pub async fn providers(
        &self,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<BTreeMap<String, String>, TerraformError> {
        #[derive(serde::Deserialize)]
        struct Versions {
            #[serde(default)]
            provider_selections: BTreeMap<String, String>,
        }
        let json = self.data("version", &["version"], vec!["-json".into()], cancel, log).await?;
        let versions: Versions = serde_json::from_slice(&json).map_err(|_| TerraformError::Outputs)?;
        Ok(versions.provider_selections)
    }

    /// Takes away a lock on the state that a dead process left, by the id that
    /// [`TerraformError::StateLocked`] names.
    ///
    /// # Errors
    /// As [`Driver::validate`].
    pub async fn force_unlock(
        &self,
        id: &str,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<(), TerraformError> {
        let args = vec!["-force".into(), "--".into(), id.into()];
        self.succeed("force-unlock", &["force-unlock"], args, cancel, log).await.map(drop)
    }

    fn with_state(&self, args: &mut Vec<OsString>) {
        args.push(format!("-lock-timeout={}s", self.lock_timeout.as_secs()).into());
    }

    fn with_var_files(&self, args: &mut Vec<OsString>) {
        args.extend(self.var_files.iter().map(|file| joined("-var-file=", file)));
    }

    async fn data(
        &self,
        what: &'static str,
        command: &[&str],
        args: Vec<OsString>,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<Vec<u8>, TerraformError> {
        let finished = self.run(command, args, cancel, log, Output::Data).await?;
        if !finished.success() {
            return Err(self.failure(what, &finished));
        }
        if finished.truncated {
            return Err(TerraformError::TooMuchOutput { command: what, folder: self.folder.clone() });
        }
        Ok(finished.stdout)
    }

    async fn succeed(
        &self,
        what: &'static str,
        command: &[&str],
        args: Vec<OsString>,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<Finished, TerraformError> {
        let finished = self.run(command, args, cancel, log, Output::Logged).await?;
        if finished.success() { Ok(finished) } else { Err(self.failure(what, &finished)) }
    }

    async fn run(
        &self,
        command: &[&str],
        mut args: Vec<OsString>,
        cancel: &CancellationToken,
        log: &dyn LogStream,
        output: Output,
    ) -> Result<Finished, TerraformError> {
        if matches!(output, Output::Logged) {
            args.insert(0, "-no-color".into());
        }
        let mut line = format!("$ {}", self.tool.version().product.program());
        for arg in command.iter().map(OsStr::new).chain(args.iter().map(OsString::as_os_str)) {
            line.push(' ');
            line.push_str(&shown(&arg.to_string_lossy()));
        }
        line.push('\n');
        log.chunk(Source::Stdout, line.as_bytes());
        let mut runs = Command::new(self.tool.program())
            .args(command.iter().copied())
            .args(args)
            .current_dir(&self.folder)
            .environment(
                self.environment
                    .clone()
                    .with("TF_IN_AUTOMATION", "1")
                    .with("TF_INPUT", "0")
                    .with("CHECKPOINT_DISABLE", "1"),
            );
        runs = match output {
            Output::Logged => runs.capture_limit(1 << 20),
            Output::Data => runs.capture_limit(2 << 30),
        };
        if let Some(limit) = self.time_limit {
            runs = runs.time_limit(limit);
        }
        if let Some(grace) = self.grace {
            runs = runs.grace(grace);
        }
        if let Some(record) = self.on_start.clone() {
            runs = runs.on_start(move |group| record(group));
        }
        if let (Output::Logged, Some(files)) = (&output, &self.output_files) {
            runs = runs.output_files(files.clone());
        }
        let finished = match output {
            Output::Logged => runs.run(cancel, log).await?,
            Output::Data => {
                let finished = runs.run(cancel, &Discard).await?;
                log.chunk(Source::Stderr, &finished.stderr);
                finished
            }
        };
        Ok(finished)
    }

    fn failure(&self, command: &'static str, finished: &Finished) -> TerraformError {
        failure::of(self.tool.version(), command, &self.folder, finished, &self.hidden())
    }

    /// Values of the environment that a summary must not repeat: variables, and whatever is named as a secret.
    fn hidden(&self) -> Vec<String> {
        let secret = |name: &str| {
            let name = name.to_ascii_uppercase();
            name.starts_with("TF_VAR_")
                || ["TOKEN", "SECRET", "PASSWORD", "KEY", "CREDENTIAL"].iter().any(|word| name.contains(word))
        };
        self.environment
            .iter()
            .filter(|(name, _)| secret(&name.to_string_lossy()))
            .map(|(_, value)| value.to_string_lossy().into_owned())
            .collect()
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("tool", &self.tool)
            .field("folder", &self.folder)
            .field("environment", &self.environment)
            .field("var_files", &self.var_files)
            .finish_non_exhaustive()
    }
}

/// Whether a command's standard output is for people or for us.
#[derive(Clone, Copy)]
enum Output {
    Logged,
    Data,
}

fn arguments<const N: usize>(args: [&str; N]) -> Vec<OsString> {
    args.iter().map(OsString::from).collect()
}

fn joined(option: &str, path: &Path) -> OsString {
    let mut joined = OsString::from(option);
    joined.push(path);
    joined
}

/// An argument as the log shows it: backend settings may be credentials.
fn shown(arg: &str) -> String {
    match arg.strip_prefix("-backend-config=").and_then(|setting| setting.split_once('=')) {
        Some((key, _)) => format!("-backend-config={key}=…"),
        None => arg.to_owned(),
    }
}
