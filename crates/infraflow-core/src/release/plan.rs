use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    address::Version,
    git::{BranchName, CommitId, Identity, RemoteName, TagName},
    interface::InterfaceChange,
    proof::{Document, Reason, RepoPath},
};

/// Which versions would be tagged, and why. Everything that makes the tags stands in it, so that each try
/// makes the same objects.
///
/// ```json
/// {"kind": "release_plan", "schema_version": 1, "digest": "sha256:…",
///  "head": "9f3c1d2…", "trunk": "main", "remote": "origin",
///  "tagger": {"name": "release", "email": "release@example.com", "when": "2026-01-31T12:00:00Z"},
///  "releases": [{"module": "modules/network", "previous": "1.2.0", "next": "1.3.0",
///                "tag": "network/v1.3.0", "commit": "9f3c1d2…", "bump": "minor",
///                "reasons": [{"rule": "commit", "text": "feat: flow logs (4be01c7)", "chain": []}],
///                "notes": "### Features\n\n- flow logs (4be01c7)\n", "interface": [], "commits": []}],
///  "unchanged": [{"module": "modules/database",
///                 "reasons": [{"rule": "unchanged", "text": "nothing of it changed since database/v1.0.0", "chain": []}]}],
///  "refused": []}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ReleasePlan {
    /// The commit that is tagged.
    pub head: CommitId,
    /// The branch of the remote that must hold it; `None` where that is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk: Option<BranchName>,
    /// Where the tags are made.
    pub remote: RemoteName,
    /// Who tags, and the date that the tags bear.
    pub tagger: Identity,
    /// The versions, by module.
    pub releases: Vec<Release>,
    /// Modules that need no version, each with its reasons.
    pub unchanged: Vec<Unreleased>,
    /// Modules that would need one and cannot have it, each with its reasons.
    pub refused: Vec<Unreleased>,
}

impl Document for ReleasePlan {
    const KIND: &'static str = "release_plan";
    const SCHEMA_VERSION: u32 = 1;
}

/// One version of one module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Release {
    /// The module.
    pub module: RepoPath,
    /// The version before; `None` for the first.
    pub previous: Option<Version>,
    /// This version.
    pub next: Version,
    /// Its tag.
    pub tag: TagName,
    /// The commit it names.
    pub commit: CommitId,
    /// Later versions that stand outside this history, for example those of another branch; they were known
    /// when this one was counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<TagName>,
    /// What it asks of those who use the module.
    pub bump: Bump,
    /// Why this version: commits, the interface, modules that it calls.
    pub reasons: Vec<Reason>,
    /// What to tell people, in Markdown.
    pub notes: String,
    /// What changed for callers.
    pub interface: Vec<InterfaceChange>,
    /// The commits that it holds and the version before does not, the newest first.
    pub commits: Vec<ReleasedCommit>,
}

impl Release {
    /// The message of its tag.
    pub fn message(&self) -> String {
        format!("{}\n\n{}", self.tag, self.notes)
    }
}

/// A commit within a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ReleasedCommit {
    /// Its id.
    pub id: CommitId,
    /// The first line of its message.
    pub subject: String,
    /// What it alone would ask for; `None` for nothing.
    pub bump: Option<Bump>,
}

/// A module without a version in this plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Unreleased {
    /// The module.
    pub module: RepoPath,
    /// Why it has none.
    pub reasons: Vec<Reason>,
}

/// What a version asks of those who use a module, by semantic versioning; the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bump {
    /// Nothing: something was mended.
    Patch,
    /// Nothing, and there is something new.
    Minor,
    /// They may have to change their calls, or their plans.
    Major,
    /// There was no version before.
    Initial,
}

impl Bump {
    /// The name that JSON has.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Initial => "initial",
        }
    }
}
