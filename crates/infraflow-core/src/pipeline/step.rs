use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{StepResult, StepSpec};
use crate::{
    observe::{Observer, Stage},
    proof::Digest,
};

/// Carries out the steps of one stage of a [`StepGraph`](super::StepGraph). Each step of the road is
/// replaceable: implement this, and give it to the [`Runner`](super::Runner).
///
/// # Contract
/// 1. `inputs` is pure, and the digest of every fact the step stands on: the same facts, the same digest.
/// 2. `run` does what the spec says and returns its result as JSON without secrets, since it is journaled
///    in clear.
/// 3. An answer of "no" (tests failed, approval missing) is [`Verdict::Refused`], not an error.
/// 4. `look` is asked only for a step with [`Effect::Execute`](super::Effect) that an earlier process began
///    and did not end. It returns what the world already has, `None` where provably nothing was done or
///    doing it again does no harm, and an error where nobody can tell.
/// 5. `run` and `look` return soon after the token is cancelled, with nothing half-done that `look` could
///    not recognise.
#[async_trait]
pub trait Step: Send + Sync {
    /// The stage whose steps this carries out.
    fn stage(&self) -> Stage;

    /// The digest of the facts that a step stands on.
    ///
    /// # Errors
    /// Where the facts cannot be gathered.
    fn inputs(&self, spec: &StepSpec) -> StepResult<Digest>;

    /// Carries out a step.
    ///
    /// # Errors
    /// Where it could not be carried out; whoever walks the graph goes no further on this path.
    async fn run(&self, spec: &StepSpec, context: &StepContext<'_>) -> StepResult<Verdict>;

    /// What an interrupted step left behind.
    ///
    /// # Errors
    /// Where nobody can tell whether it was done.
    async fn look(&self, spec: &StepSpec, context: &StepContext<'_>) -> StepResult<Option<Verdict>>;
}

/// What a step is lent.
pub struct StepContext<'a> {
    /// The results of the steps it needs, by their names.
    pub results: &'a BTreeMap<String, Value>,
    /// Where progress goes.
    pub observer: &'a dyn Observer,
    /// Cancelled when the walk should end.
    pub cancel: &'a CancellationToken,
}

impl std::fmt::Debug for StepContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepContext").field("results", self.results).finish_non_exhaustive()
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was done, with this result.
    Done(Value),
    /// The answer is no, for these reasons; what needs this step is not walked.
    Refused(Vec<crate::proof::Reason>),
}
