//! The driver of terraform and tofu.

mod diagnostic;
mod driver;
mod failure;
mod find;
mod options;
mod outputs;
mod plugin_cache;
mod version;

pub use diagnostic::Diagnostic;
pub use driver::Driver;
pub use find::Tool;
pub use options::{BackendUse, InitOptions, LockFile, PlanMode, PlanOptions, Planned};
pub use outputs::OutputValue;
pub use version::{Product, ToolVersion};
