//! Tests of deploy: real git, real terraform, processes that die at the worst moment.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use infraflow_core::{
    approve::{ApprovalRequest, Approved, Approver, ChangeFacts, Nonce, SshApprover, Verdict},
    catalog::{DialectName, UnitId},
    deploy::{
        Dependencies, DeployContext, DeployError, DeployOutcome, DeployRules, DeployedUnit, Deployer,
        Deployment, DeploymentPlan, PlanFiles, SealedPlans, TerraformDeployer, Verification,
    },
    dry_run::{DryRun, DryRunContext, DryRunPlan, DryRunner, PlannedUnit, TerraformDryRunner},
    git::Repository,
    observe::Silent,
    policy::{AllowListed, Configuration, Policy},
    proof::{Digest, Document, Principal, ProofError, RunId, SigningKey, SystemClock, Timestamp},
    seal::{Sealer, SealingKey, SharedKeySealer},
    store::{Key, Store},
    terraform::Tool,
};
use tokio_util::sync::CancellationToken;

use crate::fixture::{git_in, has};

mod killed;
mod refused;

const POLICY: &str = "[environments.prod]\nunits = [\"prod/**\"]\norder = 1\n";

/// A live repository with a policy, a store, and a folder for what deployments leave. It can be opened again
/// by another process.
struct Scene {
    folder: PathBuf,
    repository: Repository,
    policy: Policy,
    store: Store,
    tool: Tool,
    _kept: Option<tempfile::TempDir>,
}

impl Scene {
    /// One unit, `prod/a`, with this configuration beside its backend. `@` stands for the scene's folder.
    fn new(configuration: &str) -> Self {
        Self::of(&[("prod/a", configuration)])
    }

    fn of(units: &[(&str, &str)]) -> Self {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().to_owned();
        let repo = folder.join("repo");
        std::fs::create_dir(&repo).unwrap();
        git_in(&repo, &["init", "-q", "-b", "main"]);
        let key = SigningKey::generate("bob").unwrap();
        std::fs::write(folder.join("key"), key.to_openssh().unwrap().as_bytes()).unwrap();
        std::fs::write(repo.join("infraflow.toml"), POLICY).unwrap();
        std::fs::write(repo.join("allowed_signers"), format!("bob {}\n", key.verifying_key())).unwrap();
        for (unit, configuration) in units {
            let state = folder.join(format!("{}.tfstate", unit.replace('/', "-")));
            let backend = format!("terraform {{\n  backend \"local\" {{\n    path = {state:?}\n  }}\n}}\n");
            let text = format!("{backend}{}", configuration.replace('@', folder.to_str().unwrap()));
            std::fs::create_dir_all(repo.join(unit)).unwrap();
            std::fs::write(repo.join(unit).join("main.tf"), text).unwrap();
        }
        git_in(&repo, &["add", "-A"]);
        git_in(&repo, &["commit", "-q", "-m", "feat: live"]);
        Self { _kept: Some(kept), ..Self::at(&folder) }
    }

    fn at(folder: &Path) -> Self {
        let repository = Repository::open(folder.join("repo")).unwrap();
        let trunk = repository.tree(&repository.revision("main").unwrap()).unwrap();
        Self {
            folder: folder.to_owned(),
            policy: Policy::read(&trunk).unwrap(),
            repository,
            store: Store::folder(&folder.join("store")).unwrap().declared_durable(),
            tool: Tool::find().unwrap(),
            _kept: None,
        }
    }

    fn credentials() -> AllowListed {
        AllowListed::new(Configuration::defaults().section().unwrap())
    }

    fn change(&self, unit: &str, from: &str, to: &str) {
        let file = self.folder.join("repo").join(unit).join("main.tf");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from));
        std::fs::write(&file, text.replace(from, to)).unwrap();
        git_in(&self.folder.join("repo"), &["commit", "-qam", "feat: another value"]);
    }

    /// Dry-runs units at main, keeps their plans, and says what deploying them means.
    async fn plan(&self, units: &[&str]) -> Planned {
        self.plan_at("main", units).await
    }

    async fn plan_at(&self, revision: &str, units: &[&str]) -> Planned {
        let revision = self.repository.revision(revision).unwrap();
        let units = units.iter().map(|id| {
            let mut unit = PlannedUnit::new(UnitId::parse(id).unwrap(), DialectName::terraform(), Vec::new());
            unit.environment = self.policy.environment_of(&unit.path).map(|it| it.name.clone());
            unit
        });
        let planned = DryRunPlan { revision, units: units.collect(), skipped: Vec::new() };
        let hmac = self.store.hmac().await.unwrap();
        let context = DryRunContext {
            repository: &self.repository,
            credentials: &Self::credentials(),
            hmac: &hmac,
            cancel: &CancellationToken::new(),
            observer: &Silent,
        };
        let runner = TerraformDryRunner::new(self.tool.clone());
        let outcome = runner.observe(&planned, &context).await.unwrap();
        for (number, files) in outcome.artefacts.iter().enumerate() {
            let to = self.folder.join(format!("plan-{number}"));
            std::fs::copy(files.plan_file.as_ref().unwrap_or_else(|| panic!("{:?}", outcome.dry_run)), to)
                .unwrap();
        }
        let facts = ChangeFacts { repository: "live", files: None, authors: Vec::new() };
        let request = ApprovalRequest::of(&outcome.dry_run, &self.policy, &facts).unwrap();
        let deployment =
            DeploymentPlan::of(&outcome.dry_run, &planned, &request, &self.policy, &Dependencies::default());
        Planned { dry_run: outcome.dry_run, planned, request, deployment: deployment.unwrap() }
    }

    /// Bob approves.
    async fn approve(&self, request: &ApprovalRequest, run: &str) -> Approved {
        let key = SigningKey::read(&self.folder.join("key")).unwrap();
        let until = Timestamp::from_unix(
            i64::try_from(
                std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(),
            )
            .unwrap()
                + 3600,
        );
        let statement = request.statement(Principal("bob".into()), until, Nonce::random().unwrap());
        let approver = SshApprover::new(self.store.clone(), Arc::new(SystemClock));
        approver.stored().put(&key.sign(statement).unwrap()).await.unwrap();
        self.count(request, run).await
    }

    async fn count(&self, request: &ApprovalRequest, run: &str) -> Approved {
        let approver = SshApprover::new(self.store.clone(), Arc::new(SystemClock));
        let (cancel, run) = (CancellationToken::new(), RunId::parse(run).unwrap());
        let evidence = approver.observe(request, &cancel, &Silent).await.unwrap();
        match approver.execute(request, &self.policy, &evidence, &run, &cancel, &Silent).await.unwrap() {
            Verdict::Approved(approved) => approved,
            Verdict::Refused(refused) => panic!("{refused:#?}"),
        }
    }

    fn deployer(&self) -> TerraformDeployer {
        let runner = Arc::new(TerraformDryRunner::new(self.tool.clone()));
        TerraformDeployer::new(self.tool.clone(), runner, self.store.clone())
    }

    fn plans(&self, plan: &DeploymentPlan) -> PlanFiles {
        // Sorted by unit, as the dry run's artefacts are.
        let mut ids: Vec<_> = plan.units.iter().map(|unit| unit.unit.id.clone()).collect();
        ids.sort();
        PlanFiles::new(ids.into_iter().enumerate().map(|(n, id)| (id, self.folder.join(format!("plan-{n}")))))
    }

    async fn deploy(&self, plan: &DeploymentPlan, approved: &Approved) -> Result<Deployment, DeployError> {
        self.deploy_until(plan, approved, &CancellationToken::new()).await
    }

    async fn deploy_until(
        &self,
        plan: &DeploymentPlan,
        approved: &Approved,
        cancel: &CancellationToken,
    ) -> Result<Deployment, DeployError> {
        let (credentials, saved_plans, folder) =
            (Self::credentials(), self.plans(plan), self.folder.join("work"));
        let context = DeployContext {
            repository: &self.repository,
            policy: &self.policy,
            credentials: &credentials,
            saved_plans: &saved_plans,
            folder: &folder,
            cancel,
            observer: &Silent,
        };
        self.deployer().execute(plan, approved, &context).await
    }

    async fn verify(&self, plan: &DeploymentPlan) -> Verification {
        let (credentials, saved_plans, folder) =
            (Self::credentials(), self.plans(plan), self.folder.join("work"));
        let context = DeployContext {
            repository: &self.repository,
            policy: &self.policy,
            credentials: &credentials,
            saved_plans: &saved_plans,
            folder: &folder,
            cancel: &CancellationToken::new(),
            observer: &Silent,
        };
        self.deployer().verify(plan, &context).await.unwrap()
    }

    /// How often something wrote a line to a file of the scene.
    fn lines(&self, file: &str) -> usize {
        std::fs::read_to_string(self.folder.join(file)).map_or(0, |text| text.lines().count())
    }

    fn serial(&self, unit: &str) -> u64 {
        let state = self.folder.join(format!("{}.tfstate", unit.replace('/', "-")));
        let state: serde_json::Value = serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
        state["serial"].as_u64().unwrap()
    }
}

struct Planned {
    dry_run: DryRun,
    planned: DryRunPlan,
    request: ApprovalRequest,
    deployment: DeploymentPlan,
}

fn only(deployment: &Deployment) -> &DeployedUnit {
    assert_eq!(deployment.units.len(), 1);
    &deployment.units[0]
}

fn rules_of(unit: &DeployedUnit) -> Vec<&str> {
    unit.reasons.iter().map(|reason| reason.rule.as_str()).collect()
}

const PLAIN: &str = r#"
resource "terraform_data" "a" {
  input = "one"
  provisioner "local-exec" {
    command = "echo made >> @/made"
  }
}
"#;

/// Takes a second, and says when it begins and ends.
const SLOW: &str = r#"
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "echo began >> @/began; sleep 1; echo made >> @/made"
  }
}
resource "terraform_data" "b" {
  input = terraform_data.a.id
  provisioner "local-exec" {
    command = "echo made >> @/made"
  }
}
"#;

#[tokio::test]
async fn what_was_planned_and_approved_is_applied_from_its_file_and_then_nothing_is_left() {
    if !has("terraform", "what_was_planned_and_approved_is_applied_from_its_file_and_then_nothing_is_left") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let planned = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&planned.request, "run-1").await;
    assert!(!scene.verify(&planned.deployment).await.holds());
    // The plan travels as a file.
    let plan = DeploymentPlan::from_json(&planned.deployment.to_json().unwrap()).unwrap();
    let deployment = scene.deploy(&plan, &approved).await.unwrap();
    assert!(deployment.is_done(), "{deployment:#?}");
    assert_eq!(Deployment::from_json(&deployment.to_json().unwrap()).unwrap().units.len(), 1);
    assert_eq!(
        (scene.lines("made"), scene.serial("prod/a")),
        (1, only(&deployment).state.as_ref().unwrap().serial)
    );
    let verification = scene.verify(&plan).await;
    assert!(verification.holds(), "{verification:#?}");
    let log = std::fs::read_to_string(only(&deployment).log.as_ref().unwrap()).unwrap();
    assert!(log.contains("Apply complete!"), "{log}");
}

#[tokio::test]
async fn what_was_approved_on_the_branch_is_deployed_from_trunk_unless_trunk_means_something_else() {
    if !has(
        "terraform",
        "what_was_approved_on_the_branch_is_deployed_from_trunk_unless_trunk_means_something_else",
    ) {
        return;
    }
    let scene = Scene::new(PLAIN);
    let repo = scene.folder.join("repo");
    git_in(&repo, &["checkout", "-q", "-b", "change"]);
    scene.change("prod/a", "\"one\"", "\"two\"");
    let branch = scene.plan_at("change", &["prod/a"]).await;
    scene.approve(&branch.request, "run-0").await;
    git_in(&repo, &["checkout", "-q", "main"]);
    // Trunk moves elsewhere, and the change is merged.
    std::fs::write(repo.join("README.md"), "more\n").unwrap();
    git_in(&repo, &["add", "-A"]);
    git_in(&repo, &["commit", "-q", "-m", "docs: more"]);
    git_in(&repo, &["merge", "-q", "--no-ff", "-m", "Merge", "change"]);
    let trunk = scene.plan(&["prod/a"]).await;
    assert_ne!(trunk.request.plan, branch.request.plan);
    assert_eq!(trunk.request.fingerprint, branch.request.fingerprint);
    let approved = scene.count(&trunk.request, "run-0").await;
    assert_eq!(approved.by[0].reasons[0].rule, "equal_fingerprint");
    // An approval of the branch's plan is not one of trunk's: it is counted for each.
    let of_branch = scene.count(&branch.request, "run-0").await;
    assert!(matches!(scene.deploy(&trunk.deployment, &of_branch).await, Err(DeployError::OtherPlan { .. })));
    assert!(scene.deploy(&trunk.deployment, &approved).await.unwrap().is_done());
    // Had a provisioner changed meanwhile, which shows in no resource change, the approval would be lost.
    let scene = Scene::new(PLAIN);
    let before = scene.plan(&["prod/a"]).await;
    scene.change("prod/a", "echo made", "echo made again");
    let after = scene.plan(&["prod/a"]).await;
    assert_eq!(before.dry_run.units[0].plan, after.dry_run.units[0].plan);
    assert_ne!(before.request.fingerprint, after.request.fingerprint);
}

#[tokio::test]
async fn a_plan_is_applied_once_by_its_run_and_by_no_other() {
    if !has("terraform", "a_plan_is_applied_once_by_its_run_and_by_no_other") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let planned = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&planned.request, "run-1").await;
    assert!(scene.deploy(&planned.deployment, &approved).await.unwrap().is_done());
    let again = scene.deploy(&planned.deployment, &approved).await.unwrap();
    assert_eq!(rules_of(only(&again)), ["applied_before"]);
    assert!(again.is_done() && scene.lines("made") == 1);
    // Another run, with an approval of its own: the state has moved, and the plan is taken.
    let other = scene.approve(&planned.request, "run-2").await;
    let error = scene.deploy(&planned.deployment, &other).await.unwrap_err();
    assert!(matches!(error, DeployError::StateMoved { .. }), "{error}");
    assert_eq!(scene.lines("made"), 1);
}

#[tokio::test]
async fn units_are_applied_in_order_and_none_after_one_that_failed() {
    if !has("terraform", "units_are_applied_in_order_and_none_after_one_that_failed") {
        return;
    }
    let failing = r#"
resource "terraform_data" "b" {
  provisioner "local-exec" {
    command = "exit 3"
  }
}
"#;
    let scene = Scene::of(&[("prod/a", PLAIN), ("prod/b", failing), ("prod/c", PLAIN)]);
    let planned = scene.plan(&["prod/a", "prod/b", "prod/c"]).await;
    let approved = scene.approve(&planned.request, "run-1").await;
    let deployment = scene.deploy(&planned.deployment, &approved).await.unwrap();
    let outcomes: Vec<_> = deployment.units.iter().map(|unit| unit.outcome).collect();
    assert_eq!(outcomes, [DeployOutcome::Applied, DeployOutcome::Failed, DeployOutcome::NotStarted]);
    assert!(deployment.is_partial() && scene.lines("made") == 1);
    // What failed is tainted, which was not approved: trying again does not replace it.
    let again = scene.deploy(&planned.deployment, &approved).await.unwrap();
    let b = &again.units[1];
    assert_eq!((b.outcome, rules_of(b)), (DeployOutcome::NeedsPerson, vec!["not_approved"]), "{b:#?}");
    assert_eq!(b.remaining, ["terraform_data.b"]);
    assert_eq!(scene.lines("made"), 1);
}

#[tokio::test]
async fn what_is_left_of_a_failed_apply_is_finished_where_all_of_it_was_approved() {
    if !has("terraform", "what_is_left_of_a_failed_apply_is_finished_where_all_of_it_was_approved") {
        return;
    }
    // The condition can be known only after a is made.
    let scene = Scene::new(
        r#"
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "echo made >> @/made"
  }
}
resource "terraform_data" "b" {
  input = terraform_data.a.id
  lifecycle {
    precondition {
      condition     = terraform_data.a.id != "" && fileexists("@/ready")
      error_message = "Not ready."
    }
  }
}
output "b" {
  value = terraform_data.b.output
}
"#,
    );
    let planned = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&planned.request, "run-1").await;
    let failed = scene.deploy(&planned.deployment, &approved).await.unwrap();
    assert_eq!(only(&failed).outcome, DeployOutcome::Failed, "{failed:#?}");
    std::fs::write(scene.folder.join("ready"), "").unwrap();
    let done = scene.deploy(&planned.deployment, &approved).await.unwrap();
    assert_eq!(
        (only(&done).outcome, rules_of(only(&done))),
        (DeployOutcome::Applied, vec!["reconciled"]),
        "{done:#?}"
    );
    assert_eq!(scene.lines("made"), 1);
    assert!(scene.verify(&planned.deployment).await.holds());
}

#[tokio::test]
async fn an_apply_that_ended_unseen_is_looked_at_and_not_repeated() {
    if !has("terraform", "an_apply_that_ended_unseen_is_looked_at_and_not_repeated") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let planned = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&planned.request, "run-1").await;
    assert!(scene.deploy(&planned.deployment, &approved).await.unwrap().is_done());
    // As if the process had died just before it could write that the apply ended.
    let entries = scene.store.list(&Key::parse("deployments/runs").unwrap()).await.unwrap();
    scene.store.delete(entries.last().unwrap()).await.unwrap();
    let again = scene.deploy(&planned.deployment, &approved).await.unwrap();
    assert_eq!(rules_of(only(&again)), ["reconciled"], "{again:#?}");
    assert!(again.is_done() && scene.lines("made") == 1);
}

#[tokio::test]
async fn a_plan_that_was_taken_and_not_begun_may_be_exchanged_and_one_that_was_applied_followed() {
    if !has(
        "terraform",
        "a_plan_that_was_taken_and_not_begun_may_be_exchanged_and_one_that_was_applied_followed",
    ) {
        return;
    }
    let scene = Scene::new(PLAIN);
    let first = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&first.request, "run-1").await;
    let cancel = CancellationToken::new();
    // It claims the plan, and is stopped before it applies it.
    let credentials = Scene::credentials();
    let (saved_plans, folder) = (scene.plans(&first.deployment), scene.folder.join("work"));
    struct StopsAtDeploy(CancellationToken);
    impl infraflow_core::observe::Observer for StopsAtDeploy {
        fn event(&self, event: &infraflow_core::observe::Event) {
            if event.stage == infraflow_core::observe::Stage::Deploy {
                self.0.cancel();
            }
        }
    }
    let context = DeployContext {
        repository: &scene.repository,
        policy: &scene.policy,
        credentials: &credentials,
        saved_plans: &saved_plans,
        folder: &folder,
        cancel: &cancel,
        observer: &StopsAtDeploy(cancel.clone()),
    };
    let stopped = scene.deployer().execute(&first.deployment, &approved, &context).await;
    assert!(matches!(stopped, Err(DeployError::Cancelled)), "{stopped:?}");
    // The same commit planned once more: the same meaning, another file, since it has the second in it.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let second = scene.plan(&["prod/a"]).await;
    assert_eq!(second.request.fingerprint, first.request.fingerprint);
    let approved = scene.count(&second.request, "run-1").await;
    assert!(scene.deploy(&second.deployment, &approved).await.unwrap().is_done());
    assert_eq!(scene.lines("made"), 1);
    // The first one can't be applied any more.
    let approved = scene.count(&first.request, "run-1").await;
    let error = scene.deploy(&first.deployment, &approved).await.unwrap_err();
    assert!(matches!(error, DeployError::PlanFileAltered { .. }), "{error}");
    // The same run may change the unit once more.
    scene.change("prod/a", "\"one\"", "\"two\"");
    let third = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&third.request, "run-1").await;
    let done = scene.deploy(&third.deployment, &approved).await.unwrap();
    assert!(done.is_done() && rules_of(only(&done)).is_empty(), "{done:#?}");
    assert_eq!(
        rules_of(only(&scene.deploy(&third.deployment, &approved).await.unwrap())),
        ["applied_before"]
    );
}

#[tokio::test]
async fn a_deployment_that_was_cancelled_before_it_began_can_be_resumed() {
    if !has("terraform", "a_deployment_that_was_cancelled_before_it_began_can_be_resumed") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let planned = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&planned.request, "run-1").await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert!(scene.deploy_until(&planned.deployment, &approved, &cancel).await.is_err());
    assert_eq!(scene.lines("made"), 0);
    assert!(scene.deploy(&planned.deployment, &approved).await.unwrap().is_done());
    assert_eq!(scene.lines("made"), 1);
}

#[tokio::test]
async fn a_saved_plan_is_opened_from_the_store_where_it_was_sealed() {
    if !has("terraform", "a_saved_plan_is_opened_from_the_store_where_it_was_sealed") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let Planned { mut deployment, request, .. } = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&request, "run-1").await;
    let sealer: Arc<dyn Sealer> = Arc::new(SharedKeySealer::new(SealingKey::generate().unwrap()));
    let (plain, sealed) = (scene.folder.join("plan-0"), scene.folder.join("plan.sealed"));
    sealer.seal_file(&plain, &sealed).unwrap();
    std::fs::remove_file(plain).unwrap();
    let key = Key::parse("sealed/plan").unwrap();
    scene.store.upload(&key, &sealed).await.unwrap();
    deployment.units[0].saved_plan = Some(key);
    let saved_plans = SealedPlans::new(scene.store.clone(), sealer);
    let folder = scene.folder.join("work");
    let context = DeployContext {
        repository: &scene.repository,
        policy: &scene.policy,
        credentials: &Scene::credentials(),
        saved_plans: &saved_plans,
        folder: &folder,
        cancel: &CancellationToken::new(),
        observer: &Silent,
    };
    let done = scene.deployer().execute(&deployment, &approved, &context).await.unwrap();
    assert!(done.is_done(), "{done:#?}");
    let left: Vec<_> = walk(&folder).into_iter().filter(|path| path.ends_with("plan")).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn the_rules_of_a_deployment_have_defaults() {
    let rules: DeployRules = Configuration::defaults().section().unwrap();
    assert_eq!(rules.apply_minutes.get(), 120);
}
