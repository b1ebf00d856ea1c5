//! Runners that are killed, and what is left of what they made.

use super::*;

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
        .args(["--exact", "sandbox::killed::a_runner_that_will_be_killed", "--ignored"])
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
