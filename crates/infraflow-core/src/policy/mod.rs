//! Who may see, approve and deploy what: environments, recipients, signers, risk rules; and the
//! configuration they are read from. Read from trunk, never from the change that is judged.
//!
//! [`Configuration`] is the crate's documented `defaults.toml` with a repository's `infraflow.toml` laid
//! over it. Each folder defines its own [`Section`] of it.

mod configuration;
mod environment_name;
mod error;
mod located;
mod pattern;
mod section;

pub use configuration::Configuration;
pub use environment_name::EnvironmentName;
pub use error::PolicyError;
pub use pattern::{NamePattern, PathPattern};
pub use section::Section;
