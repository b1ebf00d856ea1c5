use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EnvironmentName, PolicyError};
use crate::process;

/// What credentials are for. Each has its own, so that what runs on a change request can plan and not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// Deploying an example into a sandbox, and destroying it.
    Test,
    /// Reading what is there, to say what would be done.
    Plan,
    /// Doing it.
    Apply,
}

/// Hands out credentials, as the environment in which a tool runs.
///
/// # Contract
/// 1. `credentials` is asked when a step starts, never ahead of it: a short-lived token would expire before
///    an approval comes. It observes: it may use the network.
/// 2. The result is everything that the tool's process sees: an allow-list that begins empty, never the
///    caller's own environment.
/// 3. Sealing keys, signing keys and the CI system's own token service are never in it.
/// 4. What is handed out for one environment and purpose is good for no other, where the provider can see to
///    that.
/// 5. An error's message holds no secret.
///
/// ```
/// use infraflow_core::{policy::{CredentialProvider, EnvironmentName, PolicyError, Purpose}, process::{Environment, Preset}};
/// struct Roles;
/// #[async_trait::async_trait]
/// impl CredentialProvider for Roles {
///     async fn credentials(&self, environment: &EnvironmentName, purpose: Purpose) -> Result<Environment, PolicyError> {
///         let role = match purpose {
///             Purpose::Apply => format!("{environment}-apply"),
///             _ => format!("{environment}-read"),
///         };
///         Ok(Environment::preset(&[Preset::Base]).with("AWS_PROFILE", role))
///     }
/// }
/// ```
#[async_trait]
pub trait CredentialProvider: Send + Sync {
    /// The environment in which a tool runs, for one environment of the policy and one purpose.
    ///
    /// # Errors
    /// [`PolicyError::Credentials`] where there are none.
    async fn credentials(
        &self,
        environment: &EnvironmentName,
        purpose: Purpose,
    ) -> Result<process::Environment, PolicyError>;
}
