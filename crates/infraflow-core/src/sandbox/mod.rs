//! Run test cases: each example is deployed into a sandbox with plain `apply`, inspected, planned again and
//! destroyed, and a ledger knows at every moment what may be left of it.
//!
//! # A case's way
//! A [`TestPlan`](crate::select::TestPlan) becomes a [`SandboxPlan`] ([`TestRunner::plan`]), and that a
//! [`TestReport`] ([`TestRunner::execute`]). An example goes through `init`, `plan`, `apply` of that plan,
//! the checks below, a second `plan` that must find no changes, and, whatever came of it, `destroy` and a
//! sweep.
//!
//! **What is checked.** Without a word from the example: that every output it declares has a value, that
//! no `check` block fails, and that planning again finds nothing to do. An `expect.toml` beside the example
//! says more, see [`Expectations`].
//!
//! # Nothing is left behind
//! Terraform can't promise that. A killed `apply` keeps what it completed, but the resource in flight exists
//! in the world and in no state, and its provisioner may run on. So there are three nets:
//! 1. **The ledger** ([`Ledger`]) is written to the store, durable, before the apply: who deploys what, where,
//!    with which configuration (a copy of it, so that another machine can destroy), what is planned, and each
//!    process group before its first instruction. The state is kept by the run itself in a local file, whatever
//!    backend the example names, and copied to the store while the tool works and after each step.
//! 2. **A mark** ([`Mark`]), made of the run's name and the case's, stands in everything that is made: the tool
//!    gets it as the variable `run_id` and in its environment, and the example uses it in names or tags.
//! 3. **The sweep** ([`Sandbox::sweep`]): each sandbox removes what carries a mark. One that can't answers
//!    [`Swept::Unproven`], and nobody calls that clean.
//!
//! What a dead process left is [`Reaper::reap`]'s: on any machine that reaches the store it ends the recorded
//! process group, destroys from the kept state, and sweeps.
//!
//! # How it ends early
//! A cancelled token or a time limit sends one SIGINT to the tool, then, after a grace period, SIGKILL to its
//! group. Destroying follows in any case, under a limit of its own, and is not cancelled by the same token.
//! Dropping the future of `execute` does the same in the background; [`TerraformTestRunner::shutdown`] waits
//! for it.
//!
//! # Test files
//! `terraform test` never deploys here: measured on Terraform 1.11.4, two SIGINTs or one SIGKILL leave
//! resources of which no state knows. A `*.tftest.hcl` (or `.tftest.json`, `.tofutest.hcl`) whose `run` blocks
//! all say `command = plan` deploys nothing and is run with `terraform test`. One that applies is refused, and
//! the report says at which line; write it as an example with an `expect.toml`. `applying_test_files = "skip"`
//! in the section `[sandbox]` of infraflow.toml leaves such files out without failing.
//!
//! # Quarantine and history
//! A case that the test plan holds in quarantine runs as any other, and its failure does not fail the report; what it
//! leaves behind does. [`TestReport::recorded`] gives what the next plan learns from a run.
//!
//! # Limitations
//! - OpenTofu writes its state every 20 seconds while it applies (Terraform after each resource). Where its
//!   machine dies with it, what it made since is found by the sweep alone.
//! - What an example makes without using its mark can't be swept after a crash. Resources whose state does
//!   not hold the mark are named in the report ([`CaseReport::unmarked`]).
//! - On systems without `/proc`, only a recorded group's first process is found again.
//! - Raw state, which may hold secrets, stands in the store until the case is closed.

mod account;
mod bundle;
mod case;
mod copy;
mod error;
mod expectation;
mod files;
mod folder;
mod ledger;
mod mark;
mod plan;
mod reap;
mod record;
mod recorded;
mod report;
mod run;
mod runner;
#[allow(clippy::module_inception)] // the folder's main word
mod sandbox;
mod settings;
mod state;
mod steps;
mod terraform_runner;
mod test_file;

pub use account::AccountSandbox;
pub use error::SandboxError;
pub use expectation::{Exact, Expectation, Expectations};
pub use folder::FolderSandbox;
pub use ledger::{InFlight, Ledger};
pub use mark::Mark;
pub use plan::{How, PlannedDeployment, SandboxPlan};
pub use reap::{Elsewhere, Reaper, Scope};
pub use record::{Opened, Record, Step};
pub use report::{
    CaseOutcome, CaseReport, Check, CheckOutcome, Left, ReapReport, Reaped, StillHeld, TestReport,
};
pub use runner::TestRunner;
pub use sandbox::{Sandbox, Swept};
pub use settings::{ApplyingTestFiles, Limits, SandboxSettings};
pub use terraform_runner::TerraformTestRunner;
