//! The driver of terraform and tofu.

mod version;

pub use version::{Product, ToolVersion};
