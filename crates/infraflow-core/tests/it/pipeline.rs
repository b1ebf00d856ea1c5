//! Tests of pipeline: a walk is journaled, resumes, and does nothing twice.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use infraflow_core::{
    nature::Nature,
    observe::{Outcome, Silent, Stage},
    pipeline::{
        Effect, Phase, PipelineError, Run, Runner, Step, StepContext, StepGraph, StepResult, StepSpec,
        Verdict, WalkReport,
    },
    proof::{Digest, Document as _, Reason, RunId},
    store::Store,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

fn id() -> RunId {
    RunId::parse("walk").unwrap()
}

fn facts(text: &str) -> Digest {
    Digest::of_bytes(text)
}

#[tokio::test]
async fn a_step_that_ended_is_not_done_again_by_the_next_process() {
    let (store, done) = (Store::memory(), AtomicUsize::new(0));
    for _ in 0..3 {
        let run = Run::open(&store, id(), &Silent).await.unwrap();
        let look = async { panic!("nothing is in doubt") };
        let work = async { Ok(done.fetch_add(1, SeqCst)) };
        let first: usize = run.execute("push", Stage::Release, &facts("a"), look, work).await.unwrap();
        assert_eq!(first, 0);
        run.close().await.unwrap();
    }
    assert_eq!(done.load(SeqCst), 1);
}

#[tokio::test]
async fn a_step_that_changes_the_world_looks_before_it_does_so_again() {
    let store = Store::memory();
    let interrupted = async |look: StepResult<Option<u32>>| {
        let run = Run::open(&store, id(), &Silent).await.unwrap();
        let result = run.execute("apply", Stage::Deploy, &facts("a"), async { look }, async { Ok(2) }).await;
        run.close().await.unwrap();
        result
    };
    // The first process dies in the middle: its work never returns.
    let run = Run::open(&store, id(), &Silent).await.unwrap();
    let work = std::future::pending::<StepResult<u32>>();
    let inputs = facts("a");
    let step = run.execute("apply", Stage::Deploy, &inputs, async { Ok(None) }, work);
    let died = tokio::time::timeout(std::time::Duration::from_millis(50), step).await;
    assert!(died.is_err());
    run.close().await.unwrap();

    let unsure = interrupted(Err("nobody can tell".into())).await;
    assert!(matches!(unsure, Err(PipelineError::Step { .. })));
    assert_eq!(interrupted(Ok(Some(1))).await.unwrap(), 1);
    assert_eq!(interrupted(Ok(None)).await.unwrap(), 1, "it has ended by now");
}

#[tokio::test]
async fn a_step_that_was_interrupted_before_it_did_anything_is_done() {
    let store = Store::memory();
    let run = Run::open(&store, id(), &Silent).await.unwrap();
    let fails = async { Err::<u32, _>("no network".into()) };
    run.execute("push", Stage::Release, &facts("a"), async { Ok(None) }, fails).await.unwrap_err();
    let looked = AtomicUsize::new(0);
    let look = async {
        looked.fetch_add(1, SeqCst);
        Ok(None)
    };
    let result = run.execute("push", Stage::Release, &facts("a"), look, async { Ok(7) }).await.unwrap();
    assert_eq!((result, looked.load(SeqCst)), (7, 1));
    run.close().await.unwrap();
}

#[tokio::test]
async fn a_step_whose_facts_moved_is_refused() {
    let store = Store::memory();
    let run = Run::open(&store, id(), &Silent).await.unwrap();
    run.plan("release", Stage::Release, &facts("a"), || Ok(1)).await.unwrap();
    let error = run.plan("release", Stage::Release, &facts("b"), || Ok(2)).await.unwrap_err();
    assert!(matches!(error, PipelineError::Moved { .. }), "{error}");
    assert!(error.to_string().contains("begin a new run"));
    run.close().await.unwrap();
}

#[tokio::test]
async fn two_processes_cannot_walk_one_run() {
    let store = Store::memory();
    let run = Run::open(&store, id(), &Silent).await.unwrap();
    // This very process holds it, and lives, so its heartbeat is seen after a while.
    let second =
        tokio::time::timeout(std::time::Duration::from_secs(40), Run::open(&store, id(), &Silent)).await;
    assert!(!matches!(second, Ok(Ok(_))), "the run was walked twice at a time");
    run.close().await.unwrap();
    Run::open(&store, id(), &Silent).await.unwrap().close().await.unwrap();
}

/// Does every step of one stage, remembers the order, and refuses the subjects it was told to.
struct Remembers {
    stage: Stage,
    walked: Arc<Mutex<Vec<String>>>,
    refuses: Vec<&'static str>,
}

#[async_trait]
impl Step for Remembers {
    fn stage(&self) -> Stage {
        self.stage
    }
    fn inputs(&self, spec: &StepSpec) -> StepResult<Digest> {
        Ok(Digest::of_bytes(&spec.subject))
    }
    async fn run(&self, spec: &StepSpec, context: &StepContext<'_>) -> StepResult<Verdict> {
        assert_eq!(context.results.keys().collect::<Vec<_>>(), spec.needs.iter().collect::<Vec<_>>());
        self.walked.lock().unwrap().push(spec.id.clone());
        if self.refuses.contains(&spec.subject.as_str()) {
            return Ok(Verdict::Refused(vec![Reason::new("told_to", "no")]));
        }
        Ok(Verdict::Done(json!({ "subject": spec.subject })))
    }
    async fn look(&self, _: &StepSpec, _: &StepContext<'_>) -> StepResult<Option<Verdict>> {
        Ok(None)
    }
}

fn spec(id: &str, needs: &[&str]) -> StepSpec {
    let (stage, subject) = id.split_once(':').unwrap();
    let (stage, effect) = match stage {
        "dry_run" => (Stage::DryRun, Effect::Observe),
        "deploy" => (Stage::Deploy, Effect::Execute),
        _ => (Stage::Verify, Effect::Observe),
    };
    StepSpec {
        id: id.into(),
        stage,
        subject: subject.into(),
        phase: Phase::Trunk,
        effect,
        needs: needs.iter().map(|&need| need.into()).collect(),
        reasons: vec![],
    }
}

fn graph() -> StepGraph {
    let steps = vec![
        spec("verify:a", &["deploy:a"]),
        spec("deploy:a", &["dry_run:a"]),
        spec("deploy:b", &["dry_run:b"]),
        spec("verify:b", &["deploy:b"]),
        spec("dry_run:a", &[]),
        spec("dry_run:b", &[]),
    ];
    StepGraph { nature: Nature::Live, reasons: vec![], steps }
}

async fn walk(store: &Store, refuses: &[&'static str], walked: &Arc<Mutex<Vec<String>>>) -> WalkReport {
    let step = |stage, refuses: &[&'static str]| {
        Arc::new(Remembers { stage, walked: walked.clone(), refuses: refuses.to_vec() })
    };
    let runner = Runner::new()
        .parallel(2)
        .with(step(Stage::DryRun, &[]))
        .with(step(Stage::Deploy, refuses))
        .with(step(Stage::Verify, &[]));
    let run = Run::open(store, id(), &Silent).await.unwrap();
    let report = runner.walk(&graph(), Phase::Trunk, &run, &Silent, &CancellationToken::new()).await.unwrap();
    run.close().await.unwrap();
    report
}

#[tokio::test]
async fn a_refused_step_takes_with_it_only_what_needs_it_and_is_asked_again_on_resume() {
    let (store, walked) = (Store::memory(), Arc::new(Mutex::new(Vec::new())));
    let report = walk(&store, &["a"], &walked).await;
    let outcomes: Vec<_> = report.steps.iter().map(|step| (step.id.as_str(), step.outcome)).collect();
    assert_eq!(
        outcomes,
        [
            ("dry_run:a", Outcome::Done),
            ("dry_run:b", Outcome::Done),
            ("deploy:a", Outcome::Refused),
            ("deploy:b", Outcome::Done),
            ("verify:a", Outcome::Nothing),
            ("verify:b", Outcome::Done),
        ]
    );
    assert!(!report.is_done());
    WalkReport::from_json(&report.to_json().unwrap()).unwrap();

    walked.lock().unwrap().clear();
    assert!(walk(&store, &[], &walked).await.is_done());
    assert_eq!(*walked.lock().unwrap(), ["deploy:a", "verify:a"], "only what was missing");
}

#[tokio::test]
async fn a_graph_that_does_not_hold_together_is_refused_before_anything_is_walked() {
    let (store, cancel) = (Store::memory(), CancellationToken::new());
    let run = Run::open(&store, id(), &Silent).await.unwrap();
    let mut circle = graph();
    circle.steps[4].needs = vec!["verify:a".into()];
    let error = Runner::new().walk(&circle, Phase::Trunk, &run, &Silent, &cancel).await.unwrap_err();
    assert!(error.to_string().contains("circle"), "{error}");
    let mut missing = graph();
    missing.steps[4].needs = vec!["nowhere:a".into()];
    assert!(matches!(missing.due(Phase::Trunk), Err(PipelineError::Graph { .. })));
    let error = Runner::new().walk(&graph(), Phase::Trunk, &run, &Silent, &cancel).await.unwrap_err();
    assert!(matches!(error, PipelineError::NoStep { .. }), "{error}");
    run.close().await.unwrap();
}
