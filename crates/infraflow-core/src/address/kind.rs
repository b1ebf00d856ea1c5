use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose rules an address is read by: the tools do not agree.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AddressRules {
    /// Terraform: `./…` is local, three or four names are a registry module, the rest goes to go-getter.
    #[default]
    Terraform,
    /// OpenTofu: as Terraform, with another default registry and with `oci://`.
    OpenTofu,
    /// Terragrunt: go-getter alone, where any relative path is local and `gitlab.com/…` is known; `tfr://`
    /// for registries; `https://github.com/…` is git.
    Terragrunt,
}

impl AddressRules {
    /// The registry that is meant where an address names none.
    pub fn default_registry(self) -> &'static str {
        match self {
            Self::Terraform => "registry.terraform.io",
            Self::OpenTofu | Self::Terragrunt => "registry.opentofu.org",
        }
    }
}

/// How a package is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SourceKind {
    /// A directory of the same package, relative to the caller.
    Local,
    /// A module registry.
    Registry,
    /// A git repository.
    Git,
    /// A Mercurial repository.
    Mercurial,
    /// An archive, or an address that redirects to one, over HTTP.
    Http,
    /// An object of an S3 bucket.
    S3,
    /// An object of a Google Cloud Storage bucket.
    Gcs,
    /// An image of an OCI registry (OpenTofu, Terragrunt).
    Oci,
    /// An absolute path of the machine that runs the tool.
    File,
    /// Something with a scheme that none of the above is; see [`super::SourceAddress::scheme`].
    Other,
}

impl SourceKind {
    /// The name that JSON has, for messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Registry => "registry",
            Self::Git => "git",
            Self::Mercurial => "mercurial",
            Self::Http => "http",
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Oci => "oci",
            Self::File => "file",
            Self::Other => "other",
        }
    }

    /// The parameter that pins a version in an address of this kind.
    pub fn pin(self) -> Option<&'static str> {
        match self {
            Self::Git => Some("ref"),
            Self::Mercurial => Some("rev"),
            Self::Oci => Some("tag"),
            _ => None,
        }
    }

    /// The kind that a scheme or a forced prefix means.
    pub(super) fn of_scheme(scheme: &str) -> Self {
        match scheme {
            "git" => Self::Git,
            "hg" => Self::Mercurial,
            "http" | "https" => Self::Http,
            "s3" => Self::S3,
            "gcs" => Self::Gcs,
            "oci" => Self::Oci,
            "file" => Self::File,
            _ => Self::Other,
        }
    }
}
