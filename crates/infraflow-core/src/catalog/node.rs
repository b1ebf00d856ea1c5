use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseId, DialectName, UnitId};
use crate::{policy::EnvironmentName, proof::RepoPath};

/// A directory of reusable infrastructure code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Module {
    /// Its directory.
    pub path: RepoPath,
    /// Who reads it.
    pub dialect: DialectName,
}

/// Live configuration that is planned and applied as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Unit {
    /// What tells it from other units, of the same directory too.
    pub id: UnitId,
    /// Its directory.
    pub path: RepoPath,
    /// Who reads it.
    pub dialect: DialectName,
    /// The environment it belongs to, where the policy names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
}

/// One example deployment or test file of a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Case {
    /// What tells it from other cases.
    pub id: CaseId,
    /// The directory of the module it tests.
    pub module: RepoPath,
    /// The example's directory, or the test file.
    pub path: RepoPath,
    /// How it is run.
    pub kind: CaseKind,
}

/// How a test case is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CaseKind {
    /// A directory that is deployed, inspected and destroyed.
    Example,
    /// A file for `terraform test`.
    TestFile,
}

/// One end of a reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Node {
    /// A file, a link or a submodule of the tree; or where one would be read, if it were there.
    File(RepoPath),
    /// A module, by its directory.
    Module(RepoPath),
    /// A unit.
    Unit(UnitId),
    /// A test case.
    Case(CaseId),
    /// Something outside the repository, by its source address.
    External(String),
}

/// A file that could not be understood. Whatever could be in it is taken as changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Unparsable {
    /// The file.
    pub path: RepoPath,
    /// The line, from 1, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Why, in words.
    pub why: String,
}

impl Unparsable {
    /// A file that could not be understood, from the given line on.
    pub fn new(path: RepoPath, line: Option<usize>, why: impl Into<String>) -> Self {
        Self { path, line, why: why.into() }
    }
}
