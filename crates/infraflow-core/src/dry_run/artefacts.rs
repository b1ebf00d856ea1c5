use std::{
    fmt,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;

use super::{DryRun, DryRunError};
use crate::{catalog::UnitId, terraform::plan::SensitiveValue};

/// A dry run, and the files that it left.
#[derive(Debug)]
#[non_exhaustive]
pub struct DryRunOutcome {
    /// What applying would do, without any value.
    pub dry_run: DryRun,
    /// The files of each unit that was begun, sorted by unit.
    pub artefacts: Vec<UnitArtefacts>,
    /// The folder of all of them.
    pub folder: PrivateFolder,
}

impl DryRunOutcome {
    /// A dry run with its files in a private folder.
    pub fn new(dry_run: DryRun, mut artefacts: Vec<UnitArtefacts>, folder: PrivateFolder) -> Self {
        artefacts.sort_by(|a, b| a.unit.cmp(&b.unit));
        Self { dry_run, artefacts, folder }
    }

    /// The files of a unit.
    pub fn artefacts_of(&self, unit: &UnitId) -> Option<&UnitArtefacts> {
        self.artefacts.iter().find(|artefacts| artefacts.unit == *unit)
    }
}

/// A folder that only its owner can enter (0700), removed with everything in it when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct PrivateFolder(Arc<TempDir>);

impl PrivateFolder {
    /// A new one below `folder`, or below the system's temporary folder.
    ///
    /// # Errors
    /// [`DryRunError::Folder`] where it cannot be made.
    pub fn below(folder: Option<&Path>) -> Result<Self, DryRunError> {
        let below = folder.map_or_else(std::env::temp_dir, Path::to_path_buf);
        tempfile::Builder::new()
            .prefix("infraflow-dry-run-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir_in(&below)
            .map(|folder| Self(Arc::new(folder)))
            .map_err(|source| DryRunError::Folder { path: below, source })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The files that a unit's dry run left in its private folder. All of them hold secrets: none leaves the
/// machine unsealed.
#[derive(Clone)]
#[non_exhaustive]
pub struct UnitArtefacts {
    /// The unit.
    pub unit: UnitId,
    /// Everything that the tool wrote, as it wrote it.
    pub log: PathBuf,
    /// The saved plan, for `apply`; `None` where planning failed.
    pub plan_file: Option<PathBuf>,
    /// What `show -json` wrote of it.
    pub plan_json: Option<PathBuf>,
    /// The sensitive values that are known: those of the plan, and those of the variables that the tool was
    /// given. Where planning failed, the latter alone.
    pub sensitive: Vec<SensitiveValue>,
}

impl UnitArtefacts {
    /// The artefacts of a unit: a log, and nothing yet beside it.
    pub fn new(unit: UnitId, log: PathBuf) -> Self {
        Self { unit, log, plan_file: None, plan_json: None, sensitive: Vec::new() }
    }
}

impl fmt::Debug for UnitArtefacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitArtefacts")
            .field("unit", &self.unit)
            .field("log", &self.log)
            .field("plan_file", &self.plan_file)
            .field("plan_json", &self.plan_json)
            .field("sensitive", &format_args!("{} values", self.sensitive.len()))
            .finish()
    }
}
