use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Node;
use crate::proof::Link;

/// One edge of the catalog: `from` can come out differently when `to` changes, and `link` proves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Reference {
    /// Who depends.
    pub from: Node,
    /// On what.
    pub to: Node,
    /// How.
    pub kind: ReferenceKind,
    /// Where that is written.
    pub link: Link,
}

/// How one thing depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReferenceKind {
    /// It is one of its own configuration files.
    Contains,
    /// A module call.
    ModuleCall,
    /// A function that reads a file.
    FileRead,
    /// A function that lists files by a pattern.
    FileSet,
    /// A path that an argument names, and that something may read.
    PathNamed,
    /// A path that an argument gives to a module of this repository or of elsewhere, and that it may read.
    PathGiven,
    /// A file with values of variables.
    VariableFile,
    /// A file with settings of the backend.
    BackendFile,
    /// The lock file.
    LockFile,
    /// A version file of the tool, in this directory or one above it.
    VersionFile,
    /// A symbolic link on the way.
    SymbolicLink,
    /// A submodule on the way.
    Submodule,
    /// A test case of a module.
    TestOf,
    /// Configuration that is merged in.
    Include,
    /// Outputs that are consumed.
    Dependency,
    /// A file that is watched by declaration.
    Watch,
    /// A file or directory that is looked for: it counts that it is there, not what is in it.
    Presence,
    /// A file that asks for its unit to be run, by being new or changed; that it goes asks for nothing.
    Trigger,
    /// A file that asks for its unit to be left out, by being new or changed.
    Dismissal,
    /// What is looked at to find out what counts, and does not count itself.
    Consideration,
}

impl ReferenceKind {
    /// The rule's name in reasons.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::ModuleCall => "module_call",
            Self::FileRead => "file_read",
            Self::FileSet => "file_set",
            Self::PathNamed => "path_named",
            Self::PathGiven => "path_given",
            Self::VariableFile => "variable_file",
            Self::BackendFile => "backend_file",
            Self::LockFile => "lock_file",
            Self::VersionFile => "version_file",
            Self::SymbolicLink => "symbolic_link",
            Self::Submodule => "submodule",
            Self::TestOf => "test_of",
            Self::Include => "include",
            Self::Dependency => "dependency",
            Self::Watch => "watch",
            Self::Presence => "presence",
            Self::Trigger => "trigger",
            Self::Dismissal => "dismissal",
            Self::Consideration => "consideration",
        }
    }
}
