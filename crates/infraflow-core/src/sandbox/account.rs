use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::process::{Command, Discard, Environment};

use super::{Mark, Sandbox, SandboxError, Swept};

/// A cloud account, project or subscription as a sandbox: whatever its environment leads to.
///
/// What removes leftovers there is a program of yours. It is run with the sandbox's environment and the mark in
/// `INFRAFLOW_RUN_ID`; it removes everything that carries the mark, writes a line per removed thing to its
/// standard output, and exits with 0 when nothing with that mark is left. Without a program, every sweep is
/// [`Swept::Unproven`].
#[derive(Clone, Debug)]
pub struct AccountSandbox {
    name: String,
    environment: Environment,
    sweeper: Option<Command>,
}

impl AccountSandbox {
    /// The place that this environment leads to: credentials, region, project.
    pub fn new(name: impl Into<String>, environment: Environment) -> Self {
        Self { name: name.into(), environment, sweeper: None }
    }

    /// The same with a program that sweeps. Its environment is replaced by the sandbox's.
    #[must_use]
    pub fn with_sweeper(mut self, sweeper: Command) -> Self {
        self.sweeper = Some(sweeper);
        self
    }
}

#[async_trait]
impl Sandbox for AccountSandbox {
    fn name(&self) -> &str {
        &self.name
    }

    async fn environment(&self, mark: &Mark) -> Result<Environment, SandboxError> {
        Ok(self.environment.clone().and(&mark.environment()))
    }

    async fn sweep(&self, mark: &Mark, cancel: &CancellationToken) -> Result<Swept, SandboxError> {
        let Some(sweeper) = &self.sweeper else {
            return Ok(Swept::Unproven(format!("the sandbox {} has no sweeper", self.name)));
        };
        let failed = |source| SandboxError::Sweep { sandbox: self.name.clone(), mark: mark.clone(), source };
        let sweeper = sweeper.clone().environment(self.environment(mark).await?);
        let finished = sweeper.run(cancel, &Discard).await.map_err(|error| failed(error.into()))?;
        if !finished.success() {
            return Err(failed(format!("its sweeper ended with {}", finished.verdict()).into()));
        }
        let text = String::from_utf8_lossy(&finished.stdout);
        let removed: Vec<String> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Ok(if removed.is_empty() { Swept::Clean } else { Swept::Removed(removed) })
    }
}
