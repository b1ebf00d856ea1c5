use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BumpError, RangeStrategy};
use crate::{
    address::{AddressError, AddressRules, PackageIdentity, SourceAddress, VersionedRef},
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
    /// Which directories of the package are meant.
    #[serde(default)]
    pub directories: Directories,
    /// What becomes of references without a version.
    #[serde(default)]
    pub unpinned: Unpinned,
    /// What becomes of constraints that are ranges.
    #[serde(default)]
    pub ranges: RangeStrategy,
}

/// Which directories of a target's package are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Directories {
    /// The one that the target's address names.
    #[default]
    Named,
    /// Each.
    Any,
}

/// What becomes of references without a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unpinned {
    /// They stay.
    #[default]
    Stays,
    /// They get the target's version.
    Pinned,
}

impl BumpTarget {
    /// A module, by any address of it, and its version.
    ///
    /// # Errors
    /// [`BumpError::Address`]; [`BumpError::BadReference`] where the version could not be one.
    pub fn new(source: &str, to: impl Into<String>) -> Result<Self, BumpError> {
        let to = to.into();
        check_reference(&to)?;
        Ok(Self {
            source: read_address(source, AddressRules::Terraform)?,
            to,
            from: None,
            directories: Directories::default(),
            unpinned: Unpinned::default(),
            ranges: RangeStrategy::default(),
        })
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

    /// Each module of the package, whatever its directory.
    #[must_use]
    pub fn in_any_directory(mut self) -> Self {
        self.directories = Directories::Any;
        self
    }

    /// References without a version too, where their kind can have one.
    #[must_use]
    pub fn pin_unpinned(mut self) -> Self {
        self.unpinned = Unpinned::Pinned;
        self
    }

    /// What becomes of constraints that are ranges.
    #[must_use]
    pub fn ranges(mut self, strategy: RangeStrategy) -> Self {
        self.ranges = strategy;
        self
    }

    /// Whether an address names this module, at whatever version. The address may be written otherwise: by
    /// another protocol, with or without `.git`, with the default registry named or not.
    pub fn is(&self, address: &SourceAddress) -> bool {
        PackageIdentity::of(&self.source) == PackageIdentity::of(address)
            && (self.directories == Directories::Any || self.directory() == directory_of(address))
    }

    /// What tells this module from others.
    pub(super) fn identity(&self) -> (PackageIdentity, Option<RepoPath>) {
        (PackageIdentity::of(&self.source), self.directory())
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

    /// The version of the target and what comes before it in the tag, where it is one.
    pub(super) fn version(&self) -> Option<VersionedRef> {
        VersionedRef::parse(&self.to)
    }
}

fn directory_of(address: &SourceAddress) -> Option<RepoPath> {
    RepoPath::root().resolve(address.subdir().unwrap_or_default())
}

/// Reads an address; `oci://` and `tfr://`, which Terraform does not know, as their tools have them.
pub(super) fn read_address(source: &str, rules: AddressRules) -> Result<SourceAddress, AddressError> {
    let rules = match rules {
        AddressRules::Terraform if source.starts_with("oci://") => AddressRules::OpenTofu,
        AddressRules::Terraform if source.starts_with("tfr://") => AddressRules::Terragrunt,
        rules => rules,
    };
    SourceAddress::parse_as(source, rules)
}

/// A version goes into a quoted text of a configuration file, and from there into git's command line.
pub(super) fn check_reference(reference: &str) -> Result<(), BumpError> {
    let why = if reference.trim().is_empty() {
        "it is empty"
    } else if reference.starts_with('-') {
        "it starts with -, which git takes for an option"
    } else if reference.chars().any(|c| c.is_control() || matches!(c, '"' | '\\')) {
        "it has a quote, a backslash or a control character"
    } else if reference.contains("${") || reference.contains("%{") {
        "it begins a template"
    } else {
        return Ok(());
    };
    Err(BumpError::BadReference { reference: reference.to_owned(), why })
}
