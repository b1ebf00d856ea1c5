//! Terraform and OpenTofu: what a file says ([`facts`]), plan JSON as types ([`plan`]), states, and the
//! driver that runs the tool. Terragrunt: what its configuration comes to ([`terragrunt`]).
//!
//! [`Tool::find`] finds `terraform` or `tofu`; [`Tool::driver`] sets it to work in the folder of a root module:
//!
//! ```no_run
//! # async fn run() -> Result<(), infraflow_core::terraform::TerraformError> {
//! use infraflow_core::{process::Discard, terraform::{InitOptions, PlanOptions, Planned, Tool, plan::Plan}};
//! let cancel = tokio_util::sync::CancellationToken::new();
//! let driver = Tool::find()?.driver("live/dev/network").variable("region", "eu");
//! driver.init(&InitOptions::default(), &cancel, &Discard).await?;
//! if driver.plan(&PlanOptions::saved_to("plan.bin"), &cancel, &Discard).await? == Planned::Changes {
//!     let plan = Plan::parse(driver.show_json("plan.bin".as_ref(), &cancel, &Discard).await?)?;
//!     assert!(plan.counts().delete == 0);
//!     driver.apply_plan("plan.bin".as_ref(), &cancel, &Discard).await?;
//! }
//! # Ok(())
//! # }
//! ```

mod error;
pub mod facts;
pub mod fingerprint;
mod lock;
pub mod plan;
mod state;
mod state_key;
pub mod terragrunt;
pub(crate) mod terramate;
mod tool;

pub use error::TerraformError;
pub use lock::StateLock;
pub use state::{State, StateVersion};
pub use state_key::StateKey;
pub use tool::{
    BackendUse, Diagnostic, Driver, InitOptions, LockFile, OutputValue, PlanMode, PlanOptions, Planned,
    Product, Tool, ToolVersion,
};
