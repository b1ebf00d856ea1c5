//! Terraform and OpenTofu: plan JSON as types ([`plan`]), and what can go wrong with either.

mod error;
pub mod plan;

pub use error::TerraformError;
