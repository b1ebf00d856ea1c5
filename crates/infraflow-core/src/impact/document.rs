use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RenamedUnit, Ruled};
use crate::{
    catalog::{CaseId, CaseKind, DialectName, Unit, UnitId, Unparsable},
    detect::Change,
    git::{CommitId, Revision},
    policy::EnvironmentName,
    proof::{Document, Reason, RepoPath},
};

/// What a change set touches, each thing with the shortest chain of references back to a changed file.
///
/// Lists are sorted by path or id, and each thing is in its list once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Impact {
    /// What the head is compared against, as it was asked for.
    pub base: CommitId,
    /// What is compared.
    pub head: Revision,
    /// Where both parted.
    pub merge_base: CommitId,
    /// The files that differ.
    pub changes: Vec<Change>,
    /// Modules whose own tests can come out differently.
    pub modules: Vec<AffectedModule>,
    /// Units whose plan can come out differently.
    pub units: Vec<AffectedUnit>,
    /// Test cases that can come out differently.
    #[serde(default)]
    pub cases: Vec<AffectedCase>,
    /// Modules that are no longer there.
    pub removed_modules: Vec<AffectedModule>,
    /// Units that are no longer there. What they deployed may still stand.
    pub removed_units: Vec<AffectedUnit>,
    /// Removed units that another took the place of, and whether it finds their state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed_units: Vec<RenamedUnit>,
    /// Of the stacks among `units`, the units that they generate and whose plan can come out differently.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack_units: Vec<AffectedStackUnit>,
    /// Units that a stack generated and that it, or the stack, is no longer there to generate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_stack_units: Vec<AffectedStackUnit>,
    /// Units that only consume outputs of an affected one.
    pub dependents: Vec<AffectedUnit>,
    /// Changed paths that a rule of `[impact]` speaks of, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ruled: Vec<Ruled>,
    /// Files of the head that could not be understood: whatever could be in them is taken as changed.
    #[serde(default)]
    pub unparsable: Vec<Unparsable>,
    /// What a person should know about this answer, in sentences.
    pub warnings: Vec<String>,
}

impl Document for Impact {
    const KIND: &'static str = "impact";
    const SCHEMA_VERSION: u32 = 1;
}

impl Impact {
    /// The paths at which something differs: of what was renamed both.
    pub fn changed_paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.changes.iter().flat_map(Change::paths)
    }

    /// Whether nothing is affected, and nothing removed.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
            && self.units.is_empty()
            && self.cases.is_empty()
            && self.removed_modules.is_empty()
            && self.removed_units.is_empty()
    }
}

/// A module and why it is affected, or gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AffectedModule {
    /// Its directory.
    pub path: RepoPath,
    /// Who reads it.
    pub dialect: DialectName,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Where each chain of references is asked for: how many more there are at least than `reasons` tell, 0 where
    /// that was not found out. `None` where all are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chains_left_out: Option<u64>,
}

/// A unit and why it is affected, or gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AffectedUnit {
    /// What tells it from other units, of the same directory too.
    pub id: UnitId,
    /// Its directory.
    pub path: RepoPath,
    /// Who reads it.
    pub dialect: DialectName,
    /// The environment it belongs to, where the policy names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Where each chain of references is asked for: how many more there are at least than `reasons` tell, 0 where
    /// that was not found out. `None` where all are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chains_left_out: Option<u64>,
}

/// A unit that a stack generates, and why it is affected, or gone. It stands in no file of the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AffectedStackUnit {
    /// What tells it from other units.
    pub id: UnitId,
    /// Where it is generated, for example `live/.terragrunt-stack/vpc`.
    pub path: RepoPath,
    /// The directory of the stack that stands in the tree, whatever other stacks it generates on the way.
    pub stack: RepoPath,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// A test case and why it is affected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AffectedCase {
    /// What tells it from other cases.
    pub id: CaseId,
    /// The directory of the module it tests.
    pub module: RepoPath,
    /// The example's directory, or the test file.
    pub path: RepoPath,
    /// How it is run.
    pub kind: CaseKind,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Where each chain of references is asked for: how many more there are at least than `reasons` tell, 0 where
    /// that was not found out. `None` where all are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chains_left_out: Option<u64>,
}

impl AffectedUnit {
    pub(super) fn of(unit: Unit, reasons: Vec<Reason>) -> Self {
        let Unit { id, path, dialect, environment } = unit;
        Self { id, path, dialect, environment, reasons, chains_left_out: None }
    }
}
