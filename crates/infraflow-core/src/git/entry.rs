use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::proof::RepoPath;

use super::ObjectId;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A regular file.
    File,
    /// A regular file that may be executed.
    Executable,
    /// A symbolic link; its content is its target.
    Link,
    /// A directory.
    Directory,
    /// A commit of another repository.
    Submodule,
}

impl Mode {
    /// Whether this is a regular file, executable or not.
    pub fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Executable)
    }

    /// Git tells types apart by the upper bits; of a regular file's permissions it knows only whether
    /// the owner may execute it (old trees have 100664 and the like).
    pub(super) fn from_raw(raw: u32) -> Option<Self> {
        match raw & 0o170_000 {
            0o100_000 if raw & 0o100 != 0 => Some(Self::Executable),
            0o100_000 => Some(Self::File),
            0o120_000 => Some(Self::Link),
            0o040_000 => Some(Self::Directory),
            0o160_000 => Some(Self::Submodule),
            _ => None,
        }
    }

    pub(super) fn raw(self) -> u32 {
        match self {
            Self::File => 0o100_644,
            Self::Executable => 0o100_755,
            Self::Link => 0o120_000,
            Self::Directory => 0o040_000,
            Self::Submodule => 0o160_000,
        }
    }
}

/// One path of a tree, and what stands there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Where, from the repository's root.
    pub path: RepoPath,
    /// What.
    pub mode: Mode,
    /// Its object: of a file or link a blob, of a directory a tree, of a submodule a commit of the other
    /// repository.
    pub id: ObjectId,
}
