use std::{num::NonZeroU64, time::Duration};

use serde::Deserialize;

use crate::policy::Section;

/// The section `[deploy]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployRules {
    /// How long one apply may take, in minutes.
    pub apply_minutes: NonZeroU64,
    /// How long an apply that is cancelled, or whose time is up, may go on after its SIGINT, in seconds.
    pub grace_seconds: u64,
    /// How long to wait for a state that somebody else holds, in seconds.
    pub lock_wait_seconds: u64,
}

impl Section for DeployRules {
    const NAME: &'static str = "deploy";
}

impl DeployRules {
    pub(super) fn time_limit(&self) -> Duration {
        Duration::from_secs(self.apply_minutes.get().saturating_mul(60))
    }

    pub(super) fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }

    pub(super) fn lock_wait(&self) -> Duration {
        Duration::from_secs(self.lock_wait_seconds)
    }
}
