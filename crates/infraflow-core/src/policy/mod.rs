//! Who may see, approve and deploy what: environments, recipients, signers, risk rules; and the
//! configuration they are read from. Read from trunk, never from the change that is judged.
//!
//! [`Configuration`] is the crate's documented `defaults.toml` with a repository's `infraflow.toml` laid
//! over it. Each folder defines its own [`Section`] of it.

mod allow_listed;
mod any_of;
mod configuration;
mod credential_provider;
mod defaults;
mod environment;
mod environment_name;
mod error;
mod located;
mod pattern;
mod pattern_set;
#[allow(clippy::module_inception)] // the folder's word is the type's word
mod policy;
mod risk;
mod section;
mod text_file;

pub use allow_listed::{AllowListed, CredentialRules, PresetName, VariableName};
pub use any_of::AnyOf;
pub use configuration::Configuration;
pub use credential_provider::{CredentialProvider, Purpose};
pub use environment::{Environment, EnvironmentRules, Recipient};
pub use environment_name::EnvironmentName;
pub use error::PolicyError;
pub use pattern::{NamePattern, PathPattern};
pub use pattern_set::PathPatternSet;
pub use policy::{ApprovalRules, Policy};
pub use risk::{RiskAction, RiskConditions, RiskRule, Touch};
pub use section::Section;
