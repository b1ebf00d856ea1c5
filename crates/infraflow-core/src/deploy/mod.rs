//! Apply what was planned and approved; verify.
//!
//! A [`DeploymentPlan`] names saved plans by their digests, the states that they were made against, and the
//! order. A [`Deployer`] applies them, each at most once, and says in a [`Deployment`] what came of each unit.
//!
//! # At most once
//! A saved plan that was applied is stale, so that the tool refuses it; one whose apply was killed before it
//! wrote any state is not, and Terraform 1.11.4 would apply it again. So the record in the store decides:
//! that a run takes a plan, that an apply begins (before its first instruction) and how it ended.
//!
//! An apply writes its output to files, not to a pipe, and so outlives the process that started it: that one
//! can be killed at any moment, and the tool goes on and records what it made. Whoever resumes the run waits for
//! it to end, then looks.
//!
//! # Reconciling
//! An apply that was cut off leaves a stale plan. It is never repeated: the unit is planned again.
//! - Nothing is left to be done: it is applied.
//! - Something is left, all of it was in the approved plan (address, actions, values), and nothing was in
//!   flight: the new plan is applied under the same approval.
//! - Anything else needs a person: the addresses are named. The way on is a new plan, with a new approval.
//!
//! What was in flight is told by the tool's output, which lies in the deployment's folder. On another machine
//! there is none, and then everything that is left may have been in flight.
//!
//! # Limitations
//! - Where a value contains the path of the folder that was planned in (`abspath`), its plan means something
//!   else in another folder, and is refused.
//! - An apply that still runs on a machine that nobody can reach is kept away by the state's lock alone.

mod apply;
mod deployer;
mod deployment;
mod error;
mod facts;
mod flight;
mod order;
mod plan;
mod reconcile;
mod record;
mod remaining;
mod saved_plans;
mod settings;
mod terraform_deployer;
mod workbench;

pub use deployer::{DeployContext, Deployer};
pub use deployment::{DeployOutcome, DeployedUnit, Deployment, Verification, VerifiedUnit};
pub use error::DeployError;
pub use plan::{Dependencies, DeploymentPlan, UnitDeployment, dependencies};
pub use saved_plans::{PlanFiles, SavedPlans, SealedPlans};
pub use settings::DeployRules;
pub use terraform_deployer::TerraformDeployer;
