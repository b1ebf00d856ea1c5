use std::fmt;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::process::Environment;

use super::{Mark, SandboxError};

/// An isolated place in which test cases are deployed: an account, a project, a folder.
///
/// # Contract
/// 1. `name` is stable: it stands in the ledger, and whoever reaps on another machine finds the sandbox by it.
/// 2. `environment` is all that a deployment's tools see. It leads them into this place and no other, and gives
///    them the mark (see [`Mark::environment`]). For the same mark it is the same every time and everywhere,
///    but for credentials, which are fresh: what was applied with it is destroyed with it.
/// 3. `sweep` removes everything in this place that carries the mark, and nothing else. It may be called again
///    and again, before anything was made and after everything is gone. What it returns in
///    [`Swept::Removed`] is gone, not merely asked to go.
/// 4. `sweep` answers [`Swept::Clean`] only after looking everywhere that a deployment can reach; who can't
///    look answers [`Swept::Unproven`].
/// 5. A cancelled token makes `sweep` stop soon, with an error or `Unproven`, never `Clean`.
#[async_trait]
pub trait Sandbox: fmt::Debug + Send + Sync {
    /// Its name.
    fn name(&self) -> &str;

    /// Everything that the tools of a deployment with this mark see.
    ///
    /// # Errors
    /// [`SandboxError`] where credentials cannot be had.
    async fn environment(&self, mark: &Mark) -> Result<Environment, SandboxError>;

    /// Removes what carries the mark.
    ///
    /// # Errors
    /// [`SandboxError::Sweep`] where something is there and will not go.
    async fn sweep(&self, mark: &Mark, cancel: &CancellationToken) -> Result<Swept, SandboxError>;
}

/// What a sweep found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Swept {
    /// Nothing was there.
    Clean,
    /// These were there, and are gone.
    Removed(Vec<String>),
    /// Nobody looked, for this reason.
    Unproven(String),
}
