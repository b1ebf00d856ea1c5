use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Effect, Phase, PipelineError, Run, Step, StepContext, StepGraph, StepResult, StepSpec, Verdict};
use crate::{
    observe::{Observer, Outcome, Stage},
    proof::{Document, Reason},
};

/// Walks a [`StepGraph`]: each step as soon as those it needs have ended, some of them side by side, each
/// at most once however often the walk is interrupted (see [`Run`]).
///
/// A step that is refused or fails takes with it only what needs it; everything else is still walked, so
/// that one run tells everything there is to tell.
pub struct Runner {
    steps: BTreeMap<Stage, Arc<dyn Step>>,
    parallel: usize,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner")
            .field("stages", &self.steps.keys())
            .field("parallel", &self.parallel)
            .finish()
    }
}

impl Default for Runner {
    fn default() -> Self {
        Self { steps: BTreeMap::new(), parallel: 4 }
    }
}

/// How each step of a walk ended.
///
/// ```json
/// {"kind": "walk_report", "schema_version": 1, "steps": [
///   {"id": "dry_run:dev/network", "outcome": "done", "reasons": []},
///   {"id": "approve:.", "outcome": "refused", "reasons": [{"rule": "…", "text": "…", "chain": []}]}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WalkReport {
    /// The steps in the order of the graph.
    pub steps: Vec<WalkedStep>,
}

impl Document for WalkReport {
    const KIND: &'static str = "walk_report";
    const SCHEMA_VERSION: u32 = 1;
}

impl WalkReport {
    /// Whether every step was done.
    pub fn is_done(&self) -> bool {
        self.steps.iter().all(|step| step.outcome == Outcome::Done)
    }
}

/// How one step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WalkedStep {
    /// The step's name.
    pub id: String,
    /// `done`, `refused`, `failed`, `cancelled`; or `nothing`, where it was not walked because a step that
    /// it needs did not end well.
    pub outcome: Outcome,
    /// Why, where it is not done.
    pub reasons: Vec<Reason>,
}

impl Runner {
    /// A runner without steps, walking four side by side.
    pub fn new() -> Self {
        Self::default()
    }

    /// Who carries out the steps of a stage; the last one given for a stage counts.
    #[must_use]
    pub fn with(mut self, step: Arc<dyn Step>) -> Self {
        self.steps.insert(step.stage(), step);
        self
    }

    /// How many steps are walked side by side, at least one.
    #[must_use]
    pub fn parallel(mut self, steps: usize) -> Self {
        self.parallel = steps.max(1);
        self
    }

    /// Walks the steps of one phase.
    ///
    /// # Errors
    /// [`PipelineError::NoStep`] before anything is walked where a stage has nobody to carry it out,
    /// [`PipelineError::Graph`], and [`PipelineError::Store`] where the journal cannot be kept. A failing
    /// step is no error: the report has it.
    pub async fn walk(
        &self,
        graph: &StepGraph,
        phase: Phase,
        run: &Run<'_>,
        observer: &dyn Observer,
        cancel: &CancellationToken,
    ) -> Result<WalkReport, PipelineError> {
        let due = graph.due(phase)?;
        for spec in &due {
            if !self.steps.contains_key(&spec.stage) {
                let stage = format!("{:?}", spec.stage);
                return Err(PipelineError::NoStep { step: spec.id.clone(), stage });
            }
        }
        let mut ended: BTreeMap<String, WalkedStep> = BTreeMap::new();
        let mut results: BTreeMap<String, Value> = BTreeMap::new();
        let mut waiting = due.clone();
        let mut walking = FuturesUnordered::new();
        loop {
            let mut still = Vec::new();
            for spec in waiting {
                let needs = spec.needs.iter().filter(|need| due.iter().any(|step| step.id == **need));
                let unmet: Vec<&String> = needs.filter(|need| !results.contains_key(*need)).collect();
                if let Some(broken) = unmet.iter().find(|need| ended.contains_key(**need)) {
                    let text = format!("{broken}, which it needs, did not end well");
                    let walked = WalkedStep {
                        id: spec.id.clone(),
                        outcome: Outcome::Nothing,
                        reasons: vec![Reason::new("needs", text)],
                    };
                    ended.insert(spec.id.clone(), walked);
                } else if unmet.is_empty() && walking.len() < self.parallel && !cancel.is_cancelled() {
                    let needed =
                        spec.needs.iter().filter_map(|need| Some((need.clone(), results.get(need)?.clone())));
                    walking.push(self.walk_one(spec, needed.collect(), run, observer, cancel));
                } else {
                    still.push(spec);
                }
            }
            waiting = still;
            match walking.next().await {
                Some((id, Ok(result))) => {
                    results.insert(id.clone(), result);
                    ended.insert(id.clone(), WalkedStep { id, outcome: Outcome::Done, reasons: vec![] });
                }
                Some((id, Err(PipelineError::Step { source, .. }))) => {
                    let (outcome, reasons) = match source.downcast::<Refusal>() {
                        Ok(refusal) => (Outcome::Refused, refusal.0),
                        Err(error) => (Outcome::Failed, vec![Reason::new("failed", error.to_string())]),
                    };
                    ended.insert(id.clone(), WalkedStep { id, outcome, reasons });
                }
                Some((_, Err(error))) => return Err(error),
                None if waiting.is_empty() => break,
                None if cancel.is_cancelled() => {
                    for spec in waiting.drain(..) {
                        let reasons =
                            vec![Reason::new("cancelled", "the walk was cancelled before it began")];
                        let walked = WalkedStep { id: spec.id.clone(), outcome: Outcome::Cancelled, reasons };
                        ended.insert(spec.id.clone(), walked);
                    }
                    break;
                }
                None => {} // steps were passed over just now; look again at what waits for them
            }
        }
        let steps = due.iter().filter_map(|spec| ended.remove(&spec.id)).collect();
        Ok(WalkReport { steps })
    }

    async fn walk_one(
        &self,
        spec: &StepSpec,
        results: BTreeMap<String, Value>,
        run: &Run<'_>,
        observer: &dyn Observer,
        cancel: &CancellationToken,
    ) -> (String, Result<Value, PipelineError>) {
        let result = async {
            let step = self.steps.get(&spec.stage).ok_or_else(|| PipelineError::NoStep {
                step: spec.id.clone(),
                stage: format!("{:?}", spec.stage),
            })?;
            let inputs =
                step.inputs(spec).map_err(|source| PipelineError::Step { step: spec.id.clone(), source })?;
            let context = StepContext { results: &results, observer, cancel };
            let work = async { done(step.run(spec, &context).await?) };
            let look = async { step.look(spec, &context).await?.map(done).transpose() };
            match spec.effect {
                Effect::Execute => run.execute(&spec.id, spec.stage, &inputs, look, work).await,
                Effect::Plan | Effect::Observe => run.observe(&spec.id, spec.stage, &inputs, work).await,
            }
        };
        (spec.id.clone(), result.await)
    }
}

/// A "no" is not journaled as the step's end: what was missing may have come when the walk is resumed.
#[derive(Debug, thiserror::Error)]
#[error("the answer is no")]
struct Refusal(Vec<Reason>);

fn done(verdict: Verdict) -> StepResult<Value> {
    match verdict {
        Verdict::Done(result) => Ok(result),
        Verdict::Refused(reasons) => Err(Box::new(Refusal(reasons))),
    }
}
