//! What is not deployed, and what no run is called clean without.

use super::*;

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
