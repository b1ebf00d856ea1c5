//! Terraform and OpenTofu: what a file says ([`facts`]), plan JSON as types ([`plan`]), and what can go
//! wrong with either.

mod error;
pub mod facts;
pub mod plan;

pub use error::TerraformError;
