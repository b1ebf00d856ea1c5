use std::fmt;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{git::Tree, observe::Observer, proof::RunId, select::TestPlan};

use super::{SandboxError, SandboxPlan, TestReport};

/// Runs test cases in a sandbox.
///
/// # Contract
/// 1. `plan` is pure: it reads the tree and writes nothing. Every case of the test plan is in its answer once,
///    with how it will be run or why it will not.
/// 2. `execute` refuses a plan that was made for another revision or another sandbox.
/// 3. `execute` writes to a durable ledger before anything is made in the sandbox, and what is made carries the
///    case's mark.
/// 4. What a case made is destroyed before `execute` returns: after a failure, a time limit and a cancelled token
///    too. What could not be destroyed stays in the ledger and is named in the report.
/// 5. A future of `execute` that is dropped goes on to destroy in the background.
/// 6. A second `execute` of the same plan under the same run first destroys what the first one left, and runs
///    again only cases without a result.
/// 7. No secret value is in the report or in an event.
#[async_trait]
pub trait TestRunner: fmt::Debug + Send + Sync {
    /// Decides how each case is run.
    ///
    /// # Errors
    /// [`SandboxError::NoCase`], [`SandboxError::Expectations`] or [`SandboxError::TestFile`] for a case that is not
    /// there or cannot be understood.
    fn plan(&self, tests: &TestPlan, tree: &Tree, run: &RunId) -> Result<SandboxPlan, SandboxError>;

    /// Runs the cases, from the files of this tree.
    ///
    /// # Errors
    /// [`SandboxError::Stale`] where the plan is for something else; [`SandboxError::RunBusy`] where somebody works
    /// on the same run; [`SandboxError::Full`] and [`SandboxError::Store`] where nothing could be begun. What
    /// happens to a single case stands in the report.
    async fn execute(
        &self,
        plan: &SandboxPlan,
        tree: &Tree,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<TestReport, SandboxError>;
}
