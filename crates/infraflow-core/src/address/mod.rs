//! Source addresses, refs and version constraints, by the rules of Terraform's module and provider evaluators.
//!
//! [`SourceAddress`] reads what stands in `source = "…"` and keeps the byte span of each part, so that a ref
//! can be changed without touching anything else. [`PackageIdentity`] says when two addresses name the
//! same package although they are written differently. There are two version languages, because Terraform
//! has two: [`ModuleConstraint`] for modules and `required_version`, [`ProviderConstraint`] for providers.
//! [`VersionSource`] asks the world which versions of a module there are; [`GitTags`] reads them from the
//! tags of a remote.

mod error;
mod git_tags;
mod identity;
mod kind;
mod module_constraint;
mod oci;
mod params;
mod provider_constraint;
mod reference;
mod registry;
mod shorthand;
mod source;
mod version;
mod version_source;
mod versioned_ref;

pub use error::AddressError;
pub use git_tags::GitTags;
pub use identity::PackageIdentity;
pub use kind::{AddressRules, SourceKind};
pub use module_constraint::ModuleConstraint;
pub use params::Param;
pub use provider_constraint::{ProviderConstraint, ProviderVersion};
pub use reference::SpanEdit;
pub use registry::RegistryAddress;
pub use source::SourceAddress;
pub use version::Version;
pub use version_source::{AvailableVersion, VersionSource};
pub use versioned_ref::VersionedRef;
