use std::{fmt, path::PathBuf};

use crate::{catalog::UnitId, terraform::plan::SensitiveValue};

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
    /// The sensitive values that are known: those of the plan or, where planning failed, those of the
    /// variables that the tool was given.
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
