use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PipelineError;
use crate::{
    impact::Impact,
    nature::{Nature, NatureOfChange},
    observe::Stage,
    proof::{Document, Reason},
    select::TestPlan,
};

/// What a step does to the world; see [the one rule](crate#the-one-rule).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It decides, and touches nothing.
    Plan,
    /// It looks.
    Observe,
    /// It changes the world.
    Execute,
}

/// When a step is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// While the change is proposed.
    ChangeRequest,
    /// Once it is merged.
    Trunk,
}

/// One step of a [`StepGraph`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepSpec {
    /// The step's name, unique in its graph: `STAGE:SUBJECT`.
    pub id: String,
    /// The stage that carries it out.
    pub stage: Stage,
    /// What it is about: a unit, a test case, or `.` for the whole change.
    pub subject: String,
    /// When it is due.
    pub phase: Phase,
    /// What it does to the world.
    pub effect: Effect,
    /// The steps that must have ended well before it, by name, sorted.
    pub needs: Vec<String>,
    /// Why it is here.
    pub reasons: Vec<Reason>,
}

/// The steps that follow from the nature of a change, as data: walked by a [`Runner`](super::Runner), or
/// translated for another engine.
///
/// ```json
/// {"kind": "step_graph", "schema_version": 1, "nature": "live", "reasons": [], "steps": [
///   {"id": "dry_run:dev/network", "stage": "dry_run", "subject": "dev/network", "phase": "change_request",
///    "effect": "observe", "needs": [], "reasons": []}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepGraph {
    /// The nature of the change.
    pub nature: Nature,
    /// Why it has that nature.
    pub reasons: Vec<Reason>,
    /// The steps, each after those that it needs.
    pub steps: Vec<StepSpec>,
}

impl Document for StepGraph {
    const KIND: &'static str = "step_graph";
    const SCHEMA_VERSION: u32 = 1;
}

impl StepGraph {
    /// The graph of steps for a change: the road of the library's documentation, as far as this change
    /// walks it.
    ///
    /// - A change that touches no plan and no test has no steps; its reasons say so.
    /// - Every selected test case is deployed in a sandbox; on trunk, when all have passed, the modules are
    ///   released, and their references in the first environment are bumped by a change of live.
    /// - Every affected unit is dry-run, the logs are published, and an approval is asked for. On trunk the
    ///   unit is planned again, deployed, and verified.
    pub fn of(nature: &NatureOfChange, impact: &Impact, tests: &TestPlan) -> Self {
        let mut steps = Vec::new();
        let mut tested = Vec::new();
        for case in &tests.cases {
            let id = format!("sandbox:{}", case.id);
            tested.push(id.clone());
            steps.push(StepSpec {
                id,
                stage: Stage::Sandbox,
                subject: case.id.to_string(),
                phase: Phase::ChangeRequest,
                effect: Effect::Execute,
                needs: Vec::new(),
                reasons: case.reasons.clone(),
            });
        }
        if !impact.modules.is_empty() || !impact.removed_modules.is_empty() {
            steps.extend(release_and_bump(tested));
        }
        steps.extend(live_steps(impact));
        Self { nature: nature.nature, reasons: nature.reasons.clone(), steps }
    }

    /// The steps of one phase, each after those that it needs; what they need of an earlier phase is taken
    /// as done.
    ///
    /// # Errors
    /// [`PipelineError::Graph`] where a name stands twice, a needed step is missing, or steps need each
    /// other in a circle.
    pub fn due(&self, phase: Phase) -> Result<Vec<&StepSpec>, PipelineError> {
        let mut by_id: BTreeMap<&str, &StepSpec> = BTreeMap::new();
        for step in &self.steps {
            if by_id.insert(&step.id, step).is_some() {
                return Err(PipelineError::Graph { why: format!("the step {} stands twice", step.id) });
            }
        }
        for step in &self.steps {
            if let Some(missing) = step.needs.iter().find(|need| !by_id.contains_key(need.as_str())) {
                let why = format!("{} needs {missing}, which is no step of it", step.id);
                return Err(PipelineError::Graph { why });
            }
        }
        let mut waiting: Vec<&StepSpec> = self.steps.iter().filter(|step| step.phase == phase).collect();
        let mut open: BTreeSet<&str> = waiting.iter().map(|step| step.id.as_str()).collect();
        let mut ordered = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let (ready, rest): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .partition(|step| step.needs.iter().all(|need| !open.contains(need.as_str())));
            if ready.is_empty() {
                let circle: Vec<&str> = rest.iter().map(|step| step.id.as_str()).collect();
                let why = format!("these steps need each other in a circle: {}", circle.join(", "));
                return Err(PipelineError::Graph { why });
            }
            for step in &ready {
                open.remove(step.id.as_str());
            }
            ordered.extend(ready);
            waiting = rest;
        }
        Ok(ordered)
    }
}

fn release_and_bump(tested: Vec<String>) -> [StepSpec; 2] {
    let release = StepSpec {
        id: "release:.".into(),
        stage: Stage::Release,
        subject: ".".into(),
        phase: Phase::Trunk,
        effect: Effect::Execute,
        needs: tested,
        reasons: vec![Reason::new(
            "module_changed",
            "a merged change of a module becomes an immutable release, once its tests have passed",
        )],
    };
    let bump = StepSpec {
        id: "bump:.".into(),
        stage: Stage::Bump,
        subject: ".".into(),
        phase: Phase::Trunk,
        effect: Effect::Execute,
        needs: vec![release.id.clone()],
        reasons: vec![Reason::new(
            "released",
            "a release reaches live by a reference to it, first environment first",
        )],
    };
    [release, bump]
}

fn live_steps(impact: &Impact) -> Vec<StepSpec> {
    let mut steps = Vec::new();
    let mut planned = Vec::new();
    for unit in &impact.units {
        let subject = unit.id.to_string();
        let step = |stage, name: &str, phase, effect, needs| StepSpec {
            id: format!("{name}:{subject}"),
            stage,
            subject: subject.clone(),
            phase,
            effect,
            needs,
            reasons: unit.reasons.clone(),
        };
        let plan = step(Stage::DryRun, "dry_run", Phase::ChangeRequest, Effect::Observe, vec![]);
        planned.push(plan.id.clone());
        let again =
            step(Stage::DryRun, "plan_again", Phase::Trunk, Effect::Observe, vec!["approve:.".into()]);
        let deploy = step(Stage::Deploy, "deploy", Phase::Trunk, Effect::Execute, vec![again.id.clone()]);
        let verify = step(Stage::Verify, "verify", Phase::Trunk, Effect::Observe, vec![deploy.id.clone()]);
        steps.extend([plan, again, deploy, verify]);
    }
    if !planned.is_empty() {
        let whole = |stage, id: &str, effect, needs, rule: &str, text: &str| StepSpec {
            id: id.into(),
            stage,
            subject: ".".into(),
            phase: Phase::ChangeRequest,
            effect,
            needs,
            reasons: vec![Reason::new(rule, text)],
        };
        steps.push(whole(
            Stage::Publish,
            "publish:.",
            Effect::Execute,
            planned,
            "logs_hold_secrets",
            "whoever approves reads the whole log, and nobody else does",
        ));
        steps.push(whole(
            Stage::Approve,
            "approve:.",
            Effect::Execute,
            vec!["publish:.".into()],
            "live_changes",
            "what reaches an environment is approved by its policy, as trunk has it",
        ));
    }
    steps
}
