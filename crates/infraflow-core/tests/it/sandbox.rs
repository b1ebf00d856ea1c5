//! Tests of sandbox.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use infraflow_core::{
    catalog::CatalogRules,
    detect::{ChangeDetector, GitDetector},
    git::{Repository, Tree},
    impact::{Rules, assess},
    observe::{Collected, Happening, Silent},
    process::{Command, Environment, GroupEnd, Preset, ProcessGroup},
    proof::{Document, RunId, Timestamp},
    sandbox::{
        AccountSandbox, ApplyingTestFiles, CaseOutcome, CaseReport, Elsewhere, FolderSandbox, Left, Limits,
        Reaper, Sandbox, SandboxError, SandboxPlan, Scope, TerraformTestRunner, TestReport, TestRunner,
    },
    select::{
        Contents, Evidence, History, ImpactSelector, RunOutcome, SelectRules, Terms, TestPlan, TestSelector,
    },
    store::{Key, Store, StoreError},
    terraform::{Product, Tool},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    catalog::catalog_at,
    fixture::{Repo, has},
    store::Mount,
};

mod evidence;
mod killed;
mod refused;

/// An example that makes a file with the mark in its name, and removes it when it is destroyed.
const EXAMPLE: &str = r#"
variable "run_id" { type = string }
variable "sandbox_folder" { type = string }
module "net" {
  source = "../.."
  file   = "${var.sandbox_folder}/net-${var.run_id}.txt"
}
output "name" { value = "net-${var.run_id}" }
output "password" {
  value     = "hunter2"
  sensitive = true
}
terraform {
  backend "s3" {}
}
"#;

const MODULE: &str = r#"
variable "file" { type = string }
resource "terraform_data" "file" {
  input = var.file
  provisioner "local-exec" {
    command = "echo made > '${self.input}' && echo made >> \"$INFRAFLOW_SANDBOX_FOLDER/applied\""
  }
  provisioner "local-exec" {
    when    = destroy
    command = "rm '${self.input}'"
  }
}
"#;

/// An example whose second resource makes a file with the mark in its name and then sleeps: killed there, the
/// file is in no state.
const SLOW: &str = r#"
variable "run_id" { type = string }
variable "sandbox_folder" { type = string }
resource "terraform_data" "first" {
  input = "${var.sandbox_folder}/first-${var.run_id}"
  provisioner "local-exec" {
    command = "touch '${self.input}'"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "rm '${self.input}'"
  }
}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "touch '${var.sandbox_folder}/slow-${var.run_id}'; sleep 60; touch '${var.sandbox_folder}/late-${var.run_id}'"
  }
}
"#;

const PATH: &str = "modules/net/examples/basic";

struct Stage {
    repo: Repo,
    sandbox: Arc<FolderSandbox>,
    store: Store,
    tool: Tool,
}

impl Stage {
    fn new(files: &[(&str, &str)]) -> Self {
        let repo = Repo::with(files);
        let sandbox = Arc::new(FolderSandbox::new(repo.folder.path().join("sandbox")).unwrap());
        let store = Store::folder(&repo.folder.path().join("store")).unwrap().declared_durable();
        Self { sandbox, store, tool: Tool::find().unwrap(), repo }
    }

    fn example(files: &[(&str, &str)]) -> Self {
        let mut all = vec![("modules/net/main.tf", MODULE), ("modules/net/examples/basic/main.tf", EXAMPLE)];
        all.extend(files);
        Self::new(&all)
    }

    fn work(&self) -> PathBuf {
        self.repo.folder.path().join("work")
    }

    fn runner(&self) -> TerraformTestRunner {
        TerraformTestRunner::new(self.tool.clone(), self.store.clone(), self.sandbox.clone())
            .in_folder(self.work())
            .with_limits(limits())
    }

    fn tree(&self) -> Tree {
        let repository = Repository::open(&self.repo.path).unwrap();
        let head = repository.revision("HEAD").unwrap();
        repository.tree(&head).unwrap()
    }

    fn plan(&self, paths: &[&str]) -> SandboxPlan {
        self.runner().plan(&tests(paths), &self.tree(), &run()).unwrap()
    }

    async fn execute(&self, paths: &[&str]) -> TestReport {
        let plan = self.plan(paths);
        self.runner().execute(&plan, &self.tree(), &CancellationToken::new(), &Silent).await.unwrap()
    }

    async fn only(&self) -> CaseReport {
        let mut report = self.execute(&[PATH]).await;
        let case = report.cases.pop().unwrap();
        assert!(report.cases.is_empty());
        case
    }

    /// Names of the files in the sandbox.
    fn things(&self) -> Vec<String> {
        files_below(self.sandbox.root())
    }

    async fn assert_nothing_left(&self) {
        assert_eq!(self.runner().ledger().in_flight().await.unwrap(), []);
        let things: Vec<_> = self.things().into_iter().filter(|thing| thing != "applied").collect();
        assert!(things.is_empty(), "{things:?}");
        let kept = self.store.list(&Key::parse("sandbox/runs").unwrap()).await.unwrap();
        assert!(kept.iter().all(|key| !["state", "files"].contains(&key.name())), "{kept:?}");
    }

    fn applied(&self) -> usize {
        std::fs::read_to_string(self.sandbox.root().join("applied")).unwrap_or_default().lines().count()
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.grace = Duration::from_secs(5);
    limits.silence = Duration::from_secs(2);
    limits.free = 0;
    limits
}

fn run() -> RunId {
    RunId::parse("r1").unwrap()
}

fn tests(paths: &[&str]) -> TestPlan {
    let case = |path: &&str| {
        let kind = if path.contains("tftest") { "test_file" } else { "example" };
        json!({"id": path, "module": "modules/net", "path": path, "kind": kind, "reasons": []})
    };
    let cases: Vec<_> = paths.iter().map(case).collect();
    let plan = json!({"kind": "test_plan", "schema_version": 1, "cases": cases, "skipped": [], "shards": []});
    TestPlan::from_json(&plan.to_string()).unwrap()
}

fn files_below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&entry.path()));
        }
        files.push(entry.file_name().into_string().unwrap());
    }
    files.sort();
    files
}

fn failed(case: &CaseReport) -> Vec<(&str, &str)> {
    let failed = case.checks.iter().filter(|check| !check.held());
    failed.map(|check| (check.rule.as_str(), check.text.as_str())).collect()
}

async fn wait_for(what: &str, mut fact: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !fact() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_is_deployed_inspected_planned_again_and_destroyed() {
    if !has("terraform", "an example is deployed") {
        return;
    }
    let expect = "[outputs]\nname = \"net-${run_id}\"\npassword = { equals = 'hunter2', sensitive = true }\n";
    let stage = Stage::example(&[("modules/net/examples/basic/expect.toml", expect)]);
    let plan = stage.plan(&[PATH]);
    assert_eq!(SandboxPlan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
    let observed = Collected::default();
    let report =
        stage.runner().execute(&plan, &stage.tree(), &CancellationToken::new(), &observed).await.unwrap();
    assert!(report.passed(), "{report:#?}");
    let case = &report.cases[0];
    let rules: Vec<_> = case.checks.iter().map(|check| check.rule.as_str()).collect();
    let all = [
        "initialized",
        "planned",
        "applied",
        "output_expected",
        "output_expected",
        "no_changes_after_apply",
        "destroyed",
    ];
    assert_eq!(rules, all);
    assert_eq!((case.left.clone(), stage.applied()), (Left::Nothing, 1));
    stage.assert_nothing_left().await;
    assert!(!report.to_json().unwrap().contains("hunter2"));
    assert_eq!(TestReport::from_json(&report.to_json().unwrap()).unwrap(), report);

    let happenings: Vec<_> = observed.events().into_iter().map(|event| event.happening).collect();
    assert!(matches!(happenings[..], [Happening::Started, .., Happening::Finished(_)]), "{happenings:?}");
    let log = stage.runner().log(&run(), &case.mark);
    assert!(std::fs::read_to_string(&log).unwrap().contains("Apply complete"));
    assert_eq!(files_below(&stage.work()), ["logs", "r1", log.file_name().unwrap().to_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_before_an_apply_failed_is_destroyed() {
    if !has("terraform", "a failed apply") {
        return;
    }
    let fails = "resource \"terraform_data\" \"bad\" {\n  depends_on = [module.net]\n  provisioner \"local-exec\" {\n    command = \"exit 7\"\n  }\n}\n";
    let stage = Stage::example(&[("modules/net/examples/basic/bad.tf", fails)]);
    let case = stage.only().await;
    assert_eq!((case.outcome, case.left.clone()), (CaseOutcome::Failed, Left::Nothing), "{case:#?}");
    assert_eq!(failed(&case)[0].0, "applied");
    assert_eq!(stage.applied(), 1);
    stage.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_checks_and_a_second_plan_that_changes_something_fail_a_case() {
    if !has("terraform", "checks fail a case") {
        return;
    }
    let more = r#"
resource "terraform_data" "restless" { input = timestamp() }
output "missing" { value = null }
output "also" { value = 1 }
check "never" {
  assert {
    condition     = terraform_data.restless.input == "x"
    error_message = "restless it is"
  }
}
"#;
    let stage = Stage::example(&[
        ("modules/net/examples/basic/more.tf", more),
        ("modules/net/examples/basic/expect.toml", "[outputs]\nalso = 2\nnowhere = 1\n"),
    ]);
    let case = stage.only().await;
    assert_eq!(case.outcome, CaseOutcome::Failed);
    let failed = failed(&case);
    let of = |rule: &str| {
        failed.iter().filter(|(name, _)| *name == rule).map(|(_, text)| *text).collect::<Vec<_>>()
    };
    assert_eq!(of("check_block"), ["check.never: restless it is"]);
    assert_eq!(of("output_has_value").len(), 1);
    assert_eq!(of("output_expected").len(), 2);
    assert!(of("no_changes_after_apply")[0].contains("terraform_data.restless (update)"), "{failed:?}");
    stage.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_does_not_initialize_or_plan_fails_and_makes_nothing() {
    if !has("terraform", "a module that does not plan") {
        return;
    }
    for (text, rule) in [
        ("module \"gone\" {\n  source = \"../gone\"\n}\n", "initialized"),
        (
            "variable \"secret\" {\n  default = \"hunter2\"\n  sensitive = true\n  validation {\n    condition = var.secret == \"\"\n    error_message = \"no\"\n  }\n}\n",
            "planned",
        ),
    ] {
        let stage = Stage::example(&[("modules/net/examples/basic/bad.tf", text)]);
        let report = stage.execute(&[PATH]).await;
        let case = &report.cases[0];
        assert_eq!((case.outcome, &case.left), (CaseOutcome::Failed, &Left::NeverMade), "{case:#?}");
        assert_eq!(failed(case)[0].0, rule);
        assert!(!report.to_json().unwrap().contains("hunter2"));
        assert_eq!(stage.applied(), 0);
        stage.assert_nothing_left().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_ends_the_apply_and_what_was_in_flight_is_swept() {
    if !has("terraform", "a time limit in the sandbox") {
        return;
    }
    let stage = Stage::new(&[("modules/net/examples/basic/main.tf", SLOW)]);
    let mut limits = limits();
    limits.apply = Duration::from_secs(3);
    limits.grace = Duration::from_millis(500);
    let runner = stage.runner().with_limits(limits);
    let plan = stage.plan(&[PATH]);
    let report = runner.execute(&plan, &stage.tree(), &CancellationToken::new(), &Silent).await.unwrap();
    let case = &report.cases[0];
    assert_eq!(case.outcome, CaseOutcome::TimedOut, "{case:#?}");
    assert!(
        matches!(&case.left, Left::Swept(things) if things.len() == 1 && things[0].starts_with("slow-r1-"))
    );
    stage.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_destroys_what_it_made_and_begins_nothing_more() {
    if !has("terraform", "a cancelled run") {
        return;
    }
    let stage = Stage::new(&[
        ("modules/net/examples/basic/main.tf", SLOW),
        ("modules/net/examples/second/main.tf", SLOW),
    ]);
    let cancel = CancellationToken::new();
    let plan = stage.plan(&[PATH, "modules/net/examples/second"]);
    let (runner, tree) = (stage.runner(), stage.tree());
    let execute = runner.execute(&plan, &tree, &cancel, &Silent);
    let canceller = async {
        wait_for("the slow resource", || stage.things().iter().any(|thing| thing.starts_with("slow-"))).await;
        cancel.cancel();
    };
    let (report, ()) = tokio::join!(execute, canceller);
    let report = report.unwrap();
    assert_eq!(report.cases[0].outcome, CaseOutcome::Cancelled, "{report:#?}");
    assert!(matches!(&report.cases[0].left, Left::Swept(_)), "{report:#?}");
    assert_eq!((report.cases[1].outcome, &report.cases[1].left), (CaseOutcome::Cancelled, &Left::NeverMade));
    assert!(!report.passed());
    stage.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_future_goes_on_to_destroy_in_the_background() {
    if !has("terraform", "a dropped future") {
        return;
    }
    let stage = Stage::new(&[("modules/net/examples/basic/main.tf", SLOW)]);
    let (runner, plan, tree) = (stage.runner(), stage.plan(&[PATH]), stage.tree());
    let cancel = CancellationToken::new();
    tokio::select! {
        report = runner.execute(&plan, &tree, &cancel, &Silent) => panic!("{report:?}"),
        () = wait_for("the slow resource", || stage.things().iter().any(|thing| thing.starts_with("slow-"))) => {}
    }
    assert_eq!(runner.ledger().in_flight().await.unwrap().len(), 1);
    runner.shutdown().await;
    stage.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_cases_than_the_quota_are_deployed_at_once() {
    if !has("terraform", "the sandbox quota") {
        return;
    }
    let example = r#"
variable "sandbox_folder" { type = string }
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "cd '${var.sandbox_folder}' && echo begin >> applied && sleep 1 && echo end >> applied"
  }
}
"#;
    let paths: Vec<String> = (0..5).map(|n| format!("modules/net/examples/e{n}")).collect();
    let files: Vec<(String, &str)> = paths.iter().map(|path| (format!("{path}/main.tf"), example)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let stage = Stage::new(&files);
    let mut limits = limits();
    limits.parallel = 2;
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let plan = stage.plan(&paths);
    let runner = stage.runner().with_limits(limits);
    let report = runner.execute(&plan, &stage.tree(), &CancellationToken::new(), &Silent).await.unwrap();
    assert!(report.passed(), "{report:#?}");
    let (mut now, mut most) = (0, 0);
    for line in std::fs::read_to_string(stage.sandbox.root().join("applied")).unwrap().lines() {
        now += if line == "begin" { 1 } else { -1 };
        most = most.max(now);
    }
    assert_eq!((now, most), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_of_the_same_plan_deploys_nothing_twice() {
    if !has("terraform", "a second run") {
        return;
    }
    let stage = Stage::example(&[]);
    // Digests, since the second run takes less time.
    let first = stage.execute(&[PATH]).await.digest().unwrap();
    assert_eq!((stage.execute(&[PATH]).await.digest().unwrap(), stage.applied()), (first, 1));
    stage.repo.write("modules/net/README.md", "");
    stage.repo.commit("docs: more");
    stage.execute(&[PATH]).await;
    assert_eq!(stage.applied(), 2, "another revision is another plan");
}

#[test]
fn a_shard_has_its_cases_in_its_order() {
    if !has("terraform", "a shard of a sandbox plan") {
        return;
    }
    let paths = ["modules/net/examples/a", "modules/net/examples/b", "modules/net/examples/c"];
    let files: Vec<_> = paths.iter().map(|path| (format!("{path}/main.tf"), "")).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let shard =
        serde_json::from_value(json!({"cases": [paths[2], paths[0]], "estimate_seconds": 1})).unwrap();
    let plan = Stage::new(&files).plan(&paths).of_shard(&shard);
    let ids: Vec<_> = plan.cases.iter().map(|case| case.id.to_string()).collect();
    assert_eq!(ids, [paths[2], paths[0]]);
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn a_folder_sandbox_tells_its_deployments_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = FolderSandbox::new(folder.path()).unwrap();
    let plan = json!("r1-01234567");
    let mark = serde_json::from_value(plan).unwrap();
    let environment = sandbox.environment(&mark).await.unwrap();
    assert_eq!(environment.get("TF_VAR_run_id").unwrap(), "r1-01234567");
    assert_eq!(environment.get("TF_VAR_sandbox_folder").unwrap(), sandbox.root());
}
