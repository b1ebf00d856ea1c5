use std::path::PathBuf;

/// What `init` may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitOptions {
    /// Settings for `-backend-config`, each `key=value` or the path of a file, in order.
    pub backend: Vec<String>,
    /// What becomes of the dependency lock file.
    pub lock_file: LockFile,
    /// Whether the backend is set up. Without it, only what needs no state works, such as `validate`.
    pub state: BackendUse,
}

/// What `init` may do with the dependency lock file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockFile {
    /// Written where it does not have what the configuration needs.
    #[default]
    Written,
    /// Held to: where it does not have what the configuration needs, `init` fails
    /// ([`LockFileStale`](crate::terraform::TerraformError::LockFileStale)).
    HeldTo,
}

/// Whether `init` sets up the backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendUse {
    /// It does.
    #[default]
    Configured,
    /// It does not, so that no credentials are needed.
    LeftAlone,
}

/// What is planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanMode {
    /// What the configuration asks for.
    #[default]
    Normal,
    /// The destruction of everything.
    Destroy,
    /// What changed in the world, to be written to the state. Its exit code is not to be trusted (Terraform
    /// 1.11.4 exits 2 without drift, and 0 with a pending move): read the plan's `resource_drift`.
    RefreshOnly,
}

/// How a plan is made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// Where the plan is saved.
    pub out: PathBuf,
    /// What is planned.
    pub mode: PlanMode,
}

impl PlanOptions {
    /// A normal plan, saved there.
    pub fn saved_to(out: impl Into<PathBuf>) -> Self {
        Self { out: out.into(), mode: PlanMode::Normal }
    }

    /// The same in another mode.
    #[must_use]
    pub fn with_mode(mut self, mode: PlanMode) -> Self {
        self.mode = mode;
        self
    }
}

impl InitOptions {
    /// The same with one more backend setting.
    #[must_use]
    pub fn with_backend(mut self, setting: impl Into<String>) -> Self {
        self.backend.push(setting.into());
        self
    }

    /// The same, doing this with the lock file.
    #[must_use]
    pub fn with_lock_file(mut self, lock_file: LockFile) -> Self {
        self.lock_file = lock_file;
        self
    }

    /// The same, with the backend left alone.
    #[must_use]
    pub fn without_backend(mut self) -> Self {
        self.state = BackendUse::LeftAlone;
        self
    }
}

/// What `-detailed-exitcode` says of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planned {
    /// Exit code 0: nothing to do.
    NoChanges,
    /// Exit code 2: something to do, be it only to outputs.
    Changes,
}
