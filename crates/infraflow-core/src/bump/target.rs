use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BumpError;
use crate::{
    address::{PackageIdentity, SourceAddress, Version},
    proof::RepoPath,
    release::Release,
};

/// A module, and the version that its callers should have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BumpTarget {
    /// Where the module is fetched from; what this says of a version does not count.
    pub source: SourceAddress,
    /// The version: a tag for git, a version for a registry.
    pub to: String,
    /// Only references at this version; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

impl BumpTarget {
    /// A module, by any address of it, and its version.
    ///
    /// # Errors
    /// [`BumpError::Address`].
    pub fn new(source: &str, to: impl Into<String>) -> Result<Self, BumpError> {
        Ok(Self { source: SourceAddress::parse(source)?, to: to.into(), from: None })
    }

    /// Only where a reference has this version.
    #[must_use]
    pub fn only_from(mut self, from: impl Into<String>) -> Self {
        self.from = Some(from.into());
        self
    }

    /// A release of a modules repository that is fetched from `package`, an address without subdirectory and
    /// ref such as `git::https://example.com/modules.git`.
    ///
    /// # Errors
    /// [`BumpError::Address`].
    pub fn released(package: &str, release: &Release) -> Result<Self, BumpError> {
        let subdirectory =
            if release.module.is_root() { String::new() } else { format!("//{}", release.module) };
        Self::new(&format!("{package}{subdirectory}"), release.tag.as_str())
    }

    /// Whether an address names this module, at whatever version.
    pub fn is(&self, address: &SourceAddress) -> bool {
        let same_directory = self.directory() == directory_of(address);
        match (self.source.registry(), address.registry()) {
            (Some(ours), Some(theirs)) => ours == theirs && same_directory,
            (None, None) => {
                PackageIdentity::of(&self.source) == PackageIdentity::of(address) && same_directory
            }
            _ => false,
        }
    }

    /// The module's directory in its package.
    pub fn directory(&self) -> Option<RepoPath> {
        directory_of(&self.source)
    }

    /// The module's name for people: its directory, or the package's address.
    pub fn module(&self) -> String {
        match self.directory() {
            Some(directory) if !directory.is_root() => directory.to_string(),
            _ => self.source.url().to_owned(),
        }
    }

    /// The version of the target, where it is one.
    pub(super) fn version(&self) -> Option<Version> {
        version_of(&self.to)
    }
}

fn directory_of(address: &SourceAddress) -> Option<RepoPath> {
    RepoPath::root().resolve(address.subdir().unwrap_or_default())
}

/// The version in a tag: what follows its last slash, with or without a `v`.
pub(super) fn version_of(reference: &str) -> Option<Version> {
    let name = reference.rsplit('/').next()?;
    Version::parse(name).or_else(|_| Version::parse(name.strip_prefix('v').unwrap_or(name))).ok()
}
