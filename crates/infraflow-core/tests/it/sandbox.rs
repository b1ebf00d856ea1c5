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

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_for_something_else_is_refused_and_so_is_a_run_that_goes_on() {
    if !has("terraform", "a stale sandbox plan") {
        return;
    }
    let stage = Stage::example(&[]);
    let (plan, before) = (stage.plan(&[PATH]), stage.tree());
    stage.repo.write("modules/net/README.md", "");
    stage.repo.commit("docs: more");
    let cancel = CancellationToken::new();
    let error = stage.runner().execute(&plan, &stage.tree(), &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, SandboxError::Stale { what: "revision", .. }), "{error}");

    let other = AccountSandbox::new("account", Environment::empty());
    let runner = TerraformTestRunner::new(stage.tool.clone(), stage.store.clone(), Arc::new(other));
    let error = runner.execute(&plan, &before, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, SandboxError::Stale { what: "sandbox", .. }), "{error}");

    let owner = serde_json::to_string(&ProcessGroup::this()).unwrap();
    let key = Key::parse("sandbox/runs/r1/lock").unwrap();
    let lock = infraflow_core::store::Lock::request(&stage.store, &key, owner);
    let lock = lock.silence(Duration::from_millis(400)).take().await.unwrap();
    let error = stage.runner().execute(&plan, &before, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, SandboxError::RunBusy { .. }), "{error}");
    drop(lock);
    assert_eq!(stage.applied(), 0);
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

#[test]
fn a_case_that_is_not_there_or_cannot_be_understood_is_an_error_of_the_plan() {
    if !has("terraform", "a sandbox plan") {
        return;
    }
    let stage = Stage::example(&[
        ("modules/net/examples/odd/main.tf", ""),
        ("modules/net/examples/odd/expect.toml", "outputs.a = { equal = 1 }"),
        ("modules/net/tests/broken.tftest.hcl", "run \"a\" {"),
    ]);
    let plan = |path: &str| stage.runner().plan(&tests(&[path]), &stage.tree(), &run()).unwrap_err();
    assert!(matches!(plan("modules/net/examples/gone"), SandboxError::NoCase { .. }));
    assert!(matches!(plan("modules/net/tests/gone.tftest.hcl"), SandboxError::NoCase { .. }));
    assert!(matches!(plan("modules/net/examples/odd"), SandboxError::Expectations { .. }));
    assert!(matches!(plan("modules/net/tests/broken.tftest.hcl"), SandboxError::TestFile { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn test_files_that_only_plan_are_run_and_those_that_apply_are_refused() {
    if !has("terraform", "test files") {
        return;
    }
    let test = |condition: &str| {
        format!(
            "variables {{\n  file = \"/nowhere\"\n}}\nrun \"a\" {{\n  command = plan\n  assert {{\n    condition = {condition}\n    error_message = \"no\"\n  }}\n}}\n"
        )
    };
    let good = test("terraform_data.file.input == \"/nowhere\"");
    let (bad, applies) =
        (test("terraform_data.file.input == \"\""), good.replace("command = plan", "command = apply"));
    let stage = Stage::example(&[
        ("modules/net/tests/good.tftest.hcl", &good),
        ("modules/net/bad.tftest.hcl", &bad),
        ("modules/net/checks/elsewhere.tftest.hcl", &good),
        ("modules/net/tests/applies.tftest.hcl", &applies),
    ]);
    let paths = [
        "modules/net/bad.tftest.hcl",
        "modules/net/checks/elsewhere.tftest.hcl",
        "modules/net/tests/applies.tftest.hcl",
        "modules/net/tests/good.tftest.hcl",
    ];
    let report = stage.execute(&paths).await;
    let outcomes: Vec<_> = report.cases.iter().map(|case| case.outcome).collect();
    use CaseOutcome::{Failed, Passed, Refused, Skipped};
    assert_eq!(outcomes, [Failed, Passed, Refused, Passed], "{report:#?}");
    let reason = &report.cases[2].reasons[0];
    assert_eq!((reason.rule.as_str(), reason.chain[0].line), ("test_file_applies", 4));
    assert!(!report.passed());
    stage.assert_nothing_left().await;

    let runner = stage.runner().with_applying_test_files(ApplyingTestFiles::Skip);
    let plan = runner.plan(&tests(&paths[2..]), &stage.tree(), &run()).unwrap();
    let report = runner.execute(&plan, &stage.tree(), &CancellationToken::new(), &Silent).await.unwrap();
    assert_eq!(report.cases[0].outcome, Skipped);
    assert!(report.passed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_without_a_sweeper_is_never_called_clean() {
    if !has("terraform", "a sandbox without a sweeper") {
        return;
    }
    let stage =
        Stage::new(&[("modules/net/examples/basic/main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    let account = AccountSandbox::new("account", Environment::preset(&[Preset::Base]));
    let runner = |account: AccountSandbox| {
        TerraformTestRunner::new(stage.tool.clone(), stage.store.clone(), Arc::new(account))
            .in_folder(stage.work())
            .with_limits(limits())
    };
    let execute = async |account: AccountSandbox, run: &str| {
        let runner = runner(account);
        let plan = runner.plan(&tests(&[PATH]), &stage.tree(), &RunId::parse(run).unwrap()).unwrap();
        runner
            .execute(&plan, &stage.tree(), &CancellationToken::new(), &Silent)
            .await
            .unwrap()
            .cases
            .pop()
            .unwrap()
    };
    let case = execute(account.clone(), "r1").await;
    assert!(matches!(&case.left, Left::Unproven(why) if why.contains("no sweeper")), "{case:#?}");

    let sweeper = Command::new("sh").arg("-c").arg("echo \"removed $INFRAFLOW_RUN_ID\"");
    let case = execute(account.clone().with_sweeper(sweeper), "r2").await;
    assert_eq!(case.left, Left::Swept(vec![format!("removed {}", case.mark)]));

    let broken = account.clone().with_sweeper(Command::new("sh").arg("-c").arg("exit 3"));
    let case = execute(broken.clone(), "r3").await;
    assert!(matches!(&case.left, Left::Things(things) if things[0].contains("exit code 3")), "{case:#?}");
    assert_eq!(case.outcome, CaseOutcome::Failed);
    let ledger = runner(account.clone()).ledger().clone();
    assert_eq!(ledger.in_flight().await.unwrap().len(), 1);
    let case = execute(broken, "r3").await;
    assert_eq!(
        (case.outcome, case.reasons[0].text.contains("is still in the ledger")),
        (CaseOutcome::Error, true)
    );
    let run = RunId::parse("r3").unwrap();
    ledger.close_by_hand(&run, &case.mark, "looked, and nothing was there").await.unwrap();
    assert_eq!(ledger.in_flight().await.unwrap(), []);

    let hangs = account.with_sweeper(Command::new("sleep").arg("60"));
    let mut short = limits();
    short.destroy = Duration::from_secs(3);
    let runner = runner(hangs).with_limits(short);
    let plan = runner.plan(&tests(&[PATH]), &stage.tree(), &RunId::parse("r4").unwrap()).unwrap();
    let report = runner.execute(&plan, &stage.tree(), &CancellationToken::new(), &Silent).await.unwrap();
    assert!(matches!(&report.cases[0].left, Left::Things(_)), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_last_or_cannot_be_written_lets_nothing_be_made() {
    if !has("terraform", "a sandbox without a store") {
        return;
    }
    let mut stage = Stage::example(&[]);
    let (plan, tree, cancel) = (stage.plan(&[PATH]), stage.tree(), CancellationToken::new());
    stage.store = Store::memory();
    let error = stage.runner().execute(&plan, &tree, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, SandboxError::Store(StoreError::NotDurable { .. })), "{error}");

    let Some(mount) = Mount::tmpfs("size=1m", "a sandbox whose store only reads") else { return };
    stage.store = Store::folder(&mount.path.join("store")).unwrap().declared_durable();
    mount.remount("ro");
    let error = stage.runner().execute(&plan, &tree, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, SandboxError::Store(StoreError::Refused { .. })), "{error}");
    assert_eq!((stage.applied(), files_below(&stage.work())), (0, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_before_anything_is_made() {
    if !has("terraform", "a full disk") {
        return;
    }
    let large = "x".repeat(1 << 20);
    let stage = Stage::example(&[("large", &large)]);
    let Some(mount) = Mount::tmpfs("size=512k", "a full disk in the sandbox") else { return };
    let (plan, tree, cancel) = (stage.plan(&[PATH]), stage.tree(), CancellationToken::new());
    let runner = stage.runner().in_folder(&mount.path);
    let error = runner.execute(&plan, &tree, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, SandboxError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("help:"));
    assert_eq!(files_below(&mount.path), ["r1"], "nothing is half written");

    let mut limits = limits();
    limits.free = 1 << 20;
    let error = runner.with_limits(limits).execute(&plan, &tree, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, SandboxError::Full { .. }), "{error:?}");
    assert_eq!(stage.applied(), 0);
    stage.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_fills_the_disk_is_undone_all_the_same() {
    if !has("terraform", "an apply that fills the disk") {
        return;
    }
    let Some(mount) = Mount::tmpfs("size=3m", "an apply that fills the disk") else { return };
    let fills = r#"
variable "run_id" { type = string }
variable "sandbox_folder" { type = string }
resource "terraform_data" "first" { input = "1" }
resource "terraform_data" "fills" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "cat /dev/zero > '${var.sandbox_folder}/large-${var.run_id}'"
  }
}
"#;
    let mut stage = Stage::new(&[("modules/net/examples/basic/main.tf", fills)]);
    stage.sandbox = Arc::new(FolderSandbox::new(mount.path.join("sandbox")).unwrap());
    let (plan, tree) = (stage.plan(&[PATH]), stage.tree());
    let runner = stage.runner().in_folder(mount.path.join("work"));
    let report = runner.execute(&plan, &tree, &CancellationToken::new(), &Silent).await.unwrap();
    let case = &report.cases[0];
    assert_eq!(case.outcome, CaseOutcome::Failed, "{case:#?}");
    assert!(matches!(&case.left, Left::Swept(things) if things[0].starts_with("large-")), "{case:#?}");
    stage.assert_nothing_left().await;
}

/// What the test below starts as another process, and kills.
#[test]
#[ignore = "a part of another test"]
fn a_runner_that_will_be_killed() {
    let Some(folder) = std::env::var_os("INFRAFLOW_TEST_KILLED").map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let store = Store::folder(&folder.join("store")).unwrap().declared_durable();
    let sandbox = Arc::new(FolderSandbox::new(folder.join("sandbox")).unwrap());
    let runner = TerraformTestRunner::new(Tool::find().unwrap(), store, sandbox)
        .in_folder(folder.join("work"))
        .with_limits(limits());
    let plan = SandboxPlan::from_json(&std::fs::read_to_string(folder.join("plan.json")).unwrap()).unwrap();
    let repository = Repository::open(folder.join("repo")).unwrap();
    let tree = repository.tree(&plan.revision).unwrap();
    runtime.block_on(runner.execute(&plan, &tree, &CancellationToken::new(), &Silent)).unwrap();
}

/// Starts a runner as a process of its own.
fn start(stage: &Stage) -> std::process::Child {
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sandbox::a_runner_that_will_be_killed", "--ignored"])
        .env("INFRAFLOW_TEST_KILLED", stage.repo.folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Starts a runner as a process of its own and kills it with SIGKILL in the middle of the slow apply. The apply
/// itself goes on.
async fn killed() -> Stage {
    let stage = Stage::new(&[("modules/net/examples/basic/main.tf", SLOW)]);
    let plan = stage.plan(&[PATH]);
    std::fs::write(stage.repo.folder.path().join("plan.json"), plan.to_json().unwrap()).unwrap();
    let mut runner = start(&stage);
    wait_for("the slow resource", || stage.things().iter().any(|thing| thing.starts_with("slow-"))).await;
    // Until the state with the first resource was copied.
    tokio::time::sleep(Duration::from_millis(600)).await;
    runner.kill().unwrap();
    runner.wait().unwrap();
    stage
}

fn token_of(stage: &Stage) -> ProcessGroup {
    let journal = stage.repo.folder.path().join("store/sandbox/runs/r1");
    let mut last = None;
    let mut files: Vec<PathBuf> = walk(&journal);
    files.sort();
    for file in files.iter().filter(|file| file.to_string_lossy().contains("/journal/")) {
        let line: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        if let Some(group) = line.pointer("/entry/started/group") {
            last = Some(serde_json::from_value(group.clone()).unwrap());
        }
    }
    last.unwrap()
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_runner_left_is_ended_named_destroyed_and_swept() {
    if !has("terraform", "a killed runner is reaped") {
        return;
    }
    let stage = killed().await;
    let group = token_of(&stage);
    assert!(group.alive(), "the apply survives its runner");
    assert_eq!(stage.runner().ledger().in_flight().await.unwrap().len(), 1);

    let observed = Collected::default();
    let report =
        stage.runner().reaper().reap(&Scope::All, &CancellationToken::new(), &observed).await.unwrap();
    let reaped = &report.reaped[0];
    assert_eq!(reaped.group, Some(GroupEnd::Interrupted), "{reaped:#?}");
    assert!(!group.alive());
    assert!(reaped.in_flight.contains(&"terraform_data.slow".to_owned()), "{reaped:#?}");
    assert_eq!(reaped.destroyed, ["terraform_data.first", "terraform_data.slow"]);
    assert!(matches!(&reaped.left, Left::Swept(things) if things[0].starts_with("slow-r1-")), "{reaped:#?}");
    assert!(report.clean());
    stage.assert_nothing_left().await;
    assert!(!observed.events().is_empty());
    let again = stage.runner().reaper().reap(&Scope::All, &CancellationToken::new(), &Silent).await.unwrap();
    assert!(again.reaped.is_empty() && again.clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_reaps_what_the_killed_one_left_and_comes_to_a_result() {
    if !has("terraform", "a killed runner is resumed") {
        return;
    }
    let stage = killed().await;
    let mut limits = limits();
    limits.apply = Duration::from_secs(3);
    limits.grace = Duration::from_secs(1);
    let runner = stage.runner().with_limits(limits);
    let plan = stage.plan(&[PATH]);
    let report = runner.execute(&plan, &stage.tree(), &CancellationToken::new(), &Silent).await.unwrap();
    assert_eq!(report.cases[0].outcome, CaseOutcome::TimedOut, "{report:#?}");
    stage.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_a_runner_is_killed_nothing_is_left_after_the_reaper() {
    if !has("terraform", "runners killed at any time") {
        return;
    }
    // Lines of its ledger: opened, init, plan, apply, the second plan, destroy, closed.
    for lines in [1, 2, 5, 8, 10, 12, 14] {
        let stage = Stage::example(&[]);
        let plan = stage.plan(&[PATH]);
        std::fs::write(stage.repo.folder.path().join("plan.json"), plan.to_json().unwrap()).unwrap();
        let mut runner = start(&stage);
        let journal = stage.repo.folder.path().join("store/sandbox/runs/r1");
        let written =
            || walk(&journal).iter().filter(|file| file.to_string_lossy().ends_with(".json")).count();
        wait_for("the ledger", || written() >= lines || runner.try_wait().unwrap().is_some()).await;
        runner.kill().unwrap();
        runner.wait().unwrap();
        let report =
            stage.runner().reaper().reap(&Scope::All, &CancellationToken::new(), &Silent).await.unwrap();
        assert!(report.clean() && report.held.is_empty(), "after {lines} lines: {report:#?}");
        stage.assert_nothing_left().await;
        let report = stage.execute(&[PATH]).await;
        assert!(report.passed(), "after {lines} lines: {report:#?}");
        stage.assert_nothing_left().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_that_sets_a_backend_behind_ours_is_not_applied() {
    if !has("terraform", "a backend behind ours") {
        return;
    }
    let sneaky = "terraform {\n  backend \"local\" {\n    path = \"elsewhere.tfstate\"\n  }\n}\n";
    let stage = Stage::example(&[("modules/net/examples/basic/zzzz_override.tf", sneaky)]);
    let case = stage.only().await;
    assert_eq!(
        (case.outcome, &case.left, stage.applied()),
        (CaseOutcome::Error, &Left::NeverMade, 0),
        "{case:#?}"
    );
    assert!(case.reasons[0].text.contains("another backend"));
    let cloud = "terraform {\n  cloud {\n    organization = \"x\"\n  }\n}\n";
    let example = EXAMPLE.replace("terraform {\n  backend \"s3\" {}\n}\n", cloud);
    assert!(example.contains("organization"));
    let stage =
        Stage::new(&[("modules/net/main.tf", MODULE), ("modules/net/examples/basic/main.tf", &example)]);
    assert_eq!(stage.only().await.outcome, CaseOutcome::Passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_machine_destroys_from_the_store_alone_and_does_not_call_it_proven() {
    if !has("terraform", "reaping on another machine") {
        return;
    }
    let stage = killed().await;
    // As another machine sees it: the process is unknown there, and so is the folder.
    token_of(&stage).end(Duration::ZERO).unwrap();
    std::fs::remove_dir_all(stage.work()).unwrap();
    std::fs::remove_dir_all(&stage.repo.path).unwrap();
    for file in walk(&stage.repo.folder.path().join("store")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        std::fs::write(&file, text.replace(boot.trim(), "another-boot")).unwrap();
    }
    let reaper = Reaper::new(stage.tool.clone(), stage.store.clone())
        .with_limits(limits())
        .in_folder(stage.repo.folder.path().join("other"));
    let (cancel, all) = (CancellationToken::new(), Scope::Run(run()));
    let error = reaper.reap(&all, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, SandboxError::UnknownSandbox { .. }), "{error}");

    let reaper = reaper.with_sandbox(stage.sandbox.clone());
    let report = reaper.reap(&all, &cancel, &Silent).await.unwrap();
    let reaped = &report.reaped[0];
    assert_eq!(reaped.group, Some(GroupEnd::Elsewhere));
    // OpenTofu had not written its state yet: the sweep did it alone.
    let known = matches!(stage.tool.version().product, Product::Terraform);
    assert_eq!(reaped.destroyed.contains(&"terraform_data.first".to_owned()), known, "{reaped:#?}");
    assert!(matches!(&reaped.left, Left::Unproven(why) if why.contains("another machine")), "{reaped:#?}");
    assert!(!report.clean() && stage.things().is_empty());

    let report = reaper.with_elsewhere(Elsewhere::IsGone).reap(&all, &cancel, &Silent).await.unwrap();
    assert_eq!(report.reaped[0].left, Left::Nothing, "{report:#?}");
    stage.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_being_worked_on_is_not_reaped() {
    if !has("terraform", "a living run is not reaped") {
        return;
    }
    let stage = Stage::new(&[("modules/net/examples/basic/main.tf", SLOW)]);
    let (runner, plan, tree) = (stage.runner(), stage.plan(&[PATH]), stage.tree());
    let cancel = CancellationToken::new();
    let reap = async {
        wait_for("the slow resource", || stage.things().iter().any(|thing| thing.starts_with("slow-"))).await;
        let report =
            stage.runner().reaper().reap(&Scope::All, &CancellationToken::new(), &Silent).await.unwrap();
        cancel.cancel();
        report
    };
    let (_, report) = tokio::join!(runner.execute(&plan, &tree, &cancel, &Silent), reap);
    assert!(report.reaped.is_empty());
    assert_eq!(report.held[0].run, run());
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

/// A change's plan by what is recorded: `run` or the run that proves, for each case.
fn selected(stage: &Stage, history: &History) -> (TestPlan, Vec<String>) {
    let repository = Repository::open(&stage.repo.path).unwrap();
    let (base, head) = (repository.resolve("main").unwrap().into(), repository.revision("HEAD").unwrap());
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let rules = CatalogRules::default();
    let (before, after) = (catalog_at(&stage.repo, "main", &rules), catalog_at(&stage.repo, "HEAD", &rules));
    let cases: Vec<_> = after.cases().unwrap();
    let (rules, impact) = (SelectRules::default(), assess(&changes, &before, &after).unwrap());
    let contents =
        Contents::of(&stage.tree(), &after, stage.tool.version(), &rules, &Rules::default()).unwrap();
    let evidence = Evidence::at(Timestamp::from_unix(1_800_000_000)).with_history(history.clone());
    let selector =
        ImpactSelector::on(Terms::default().with_evidence(evidence.with_contents(contents))).skipping_green();
    let plan = selector.select(&impact, &cases);
    let run = plan.cases.iter().map(|case| format!("run {}", case.id));
    let proofs =
        plan.skipped.iter().filter_map(|case| Some(format!("proven by {}", case.proof.as_ref()?.run)));
    let told = run.chain(proofs).collect();
    (plan, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_passed_is_skipped_by_its_run_until_a_file_of_its_own_changes() {
    if !has("terraform", "a case that passed is skipped") {
        return;
    }
    // A backend would make it a unit.
    let example = EXAMPLE.replace("backend \"s3\" {}", "");
    let files = [("modules/net/main.tf", MODULE), ("modules/net/examples/basic/main.tf", &example)];
    let stage = Stage::new(&[&files[..], &[("README.md", "one\n")]].concat());
    stage.repo.branch("feature");
    stage.repo.write("modules/net/more.tf", "locals {}\n");
    stage.repo.commit("feat: more");
    let mut history = History::default();
    let (tests, told) = selected(&stage, &history);
    assert_eq!(told, [format!("run {PATH}")]);

    let plan = stage.runner().plan(&tests, &stage.tree(), &run()).unwrap();
    let report =
        stage.runner().execute(&plan, &stage.tree(), &CancellationToken::new(), &Silent).await.unwrap();
    assert!(report.passed(), "{report:#?}");
    let at = Timestamp::from_unix(1_799_999_000);
    let recorded = report.recorded(&plan, tests.contents().as_ref(), at);
    assert_eq!((recorded.len(), recorded[0].outcome), (1, RunOutcome::Passed));
    assert!(report.recorded(&plan, None, at)[0].content.is_none());
    History::append_store(&stage.store, &recorded).await.unwrap();
    history = History::read_store(&stage.store, Timestamp::from_unix(0)).await.unwrap();
    assert_eq!(selected(&stage, &history).1, ["proven by r1"]);

    stage.repo.write("README.md", "two\n");
    stage.repo.commit("docs: two");
    assert_eq!(selected(&stage, &history).1, ["proven by r1"], "no test reads it");
    let elsewhere = report.recorded(&stage.plan(&[PATH]), tests.contents().as_ref(), at);
    assert!(elsewhere[0].content.is_none(), "contents of another commit are not those that ran");
    stage.repo.write("modules/net/more.tf", "locals {\n  x = 1\n}\n");
    stage.repo.commit("feat: x");
    assert_eq!(selected(&stage, &history).1, [format!("run {PATH}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_case_that_fails_does_not_fail_the_report() {
    if !has("terraform", "a quarantined case") {
        return;
    }
    let stage = Stage::example(&[(
        "modules/net/examples/basic/bad.tf",
        "output \"x\" {\n  value = file(\"none\")\n}\n",
    )]);
    let mut tests = tests(&[PATH]);
    let quarantine = json!({"until": "2026-01-31", "reason": "issue 7", "who": "ada"});
    tests.cases[0].quarantine = serde_json::from_value(quarantine).unwrap();
    let plan = stage.runner().plan(&tests, &stage.tree(), &run()).unwrap();
    let mut report =
        stage.runner().execute(&plan, &stage.tree(), &CancellationToken::new(), &Silent).await.unwrap();
    assert_eq!(report.cases[0].outcome, CaseOutcome::Failed);
    assert!(report.passed());
    let at = Timestamp::from_unix(0);
    assert_eq!(
        report.recorded(&plan, None, at)[0].outcome,
        RunOutcome::Failed,
        "and it is recorded as it was"
    );
    report.cases[0].left = Left::Things(vec!["a".into()]);
    assert!(!report.passed(), "what it leaves behind counts");
}
