//! Terraform and OpenTofu: what a file says ([`facts`]), plan JSON as types ([`plan`]), states, and what can
//! go wrong with either.

mod error;
pub mod facts;
pub mod plan;
mod state;
mod tool;

pub use error::TerraformError;
pub use state::{State, StateVersion};
pub use tool::{Product, ToolVersion};
