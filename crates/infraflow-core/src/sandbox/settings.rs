use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::Section;

/// The section `[sandbox]` of infraflow.toml.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SandboxSettings {
    /// How many cases are deployed at once.
    pub max_parallel: usize,
    /// How long an apply, or the run of a test file, may take.
    pub apply_minutes: u64,
    /// How long a destroy may take.
    pub destroy_minutes: u64,
    /// How long an init or a plan may take.
    pub plan_minutes: u64,
    /// How long a tool may go on after its SIGINT.
    pub grace_seconds: u64,
    /// How much room the disk must have before something is applied, in MiB.
    pub free_mib: u64,
    /// What becomes of test files that apply.
    pub applying_test_files: ApplyingTestFiles,
}

impl Section for SandboxSettings {
    const NAME: &'static str = "sandbox";
}

/// What becomes of test files that would deploy through `terraform test`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApplyingTestFiles {
    /// They are refused, and the report fails.
    #[default]
    Refuse,
    /// They are left out, which the report says.
    Skip,
}

/// How long and how much at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many cases are deployed at once; at least one is.
    pub parallel: usize,
    /// How long an apply, or the run of a test file, may take.
    pub apply: Duration,
    /// How long a destroy may take.
    pub destroy: Duration,
    /// How long an init or a plan may take.
    pub plan: Duration,
    /// How long a tool may go on after its SIGINT before it is killed.
    pub grace: Duration,
    /// How much room the disk must have before something is applied, in bytes.
    pub free: u64,
    /// How long another run's process may give no sign of life before it is taken for dead.
    pub silence: Duration,
}

impl Default for Limits {
    /// One at a time, an hour to apply or destroy, 15 minutes to plan, a minute of grace.
    fn default() -> Self {
        Self {
            parallel: 1,
            apply: Duration::from_secs(3600),
            destroy: Duration::from_secs(3600),
            plan: Duration::from_secs(900),
            grace: Duration::from_secs(60),
            free: 64 << 20,
            silence: Duration::from_secs(60),
        }
    }
}

impl From<&SandboxSettings> for Limits {
    fn from(settings: &SandboxSettings) -> Self {
        Self {
            parallel: settings.max_parallel.max(1),
            apply: Duration::from_secs(settings.apply_minutes.saturating_mul(60)),
            destroy: Duration::from_secs(settings.destroy_minutes.saturating_mul(60)),
            plan: Duration::from_secs(settings.plan_minutes.saturating_mul(60)),
            grace: Duration::from_secs(settings.grace_seconds),
            free: settings.free_mib.saturating_mul(1 << 20),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Configuration;

    #[test]
    fn the_defaults_are_read_and_a_misspelt_key_is_named() {
        let settings: SandboxSettings = Configuration::defaults().section().unwrap();
        assert_eq!(settings.applying_test_files, ApplyingTestFiles::Refuse);
        assert_eq!(Limits::from(&settings).apply, Duration::from_secs(3600));
        let wrong = Configuration::parse("[sandbox]\nmax_paralel = 2", "infraflow.toml").unwrap();
        let error = wrong.section::<SandboxSettings>().unwrap_err().to_string();
        assert!(error.contains("max_parallel") && error.contains("infraflow.toml:2"), "{error}");
    }
}
