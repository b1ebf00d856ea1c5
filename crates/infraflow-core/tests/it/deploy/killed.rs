//! Applies whose process or tool is killed, and what is known of them afterwards.

use super::*;

/// Not a test of its own: the process that the tests below kill.
#[tokio::test]
async fn helper_that_deploys_and_is_killed() {
    let Some(folder) = std::env::var_os("INFRAFLOW_TEST_DEPLOYS") else { return };
    let scene = Scene::at(Path::new(&folder));
    let read = |file: &str| std::fs::read_to_string(scene.folder.join(file)).unwrap();
    let plan = DeploymentPlan::from_json(&read("deployment.json")).unwrap();
    let request = ApprovalRequest::from_json(&read("request.json")).unwrap();
    let approved = scene.count(&request, "run-1").await;
    let _ = scene.deploy(&plan, &approved).await;
}

/// Deploys in another process, and kills that when the apply has begun with its first resource.
async fn killed_in_the_middle(scene: &Scene) -> Planned {
    let planned = scene.plan(&["prod/a"]).await;
    scene.approve(&planned.request, "run-1").await;
    std::fs::write(scene.folder.join("deployment.json"), planned.deployment.to_json().unwrap()).unwrap();
    std::fs::write(scene.folder.join("request.json"), planned.request.to_json().unwrap()).unwrap();
    let mut deploying = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "deploy::killed::helper_that_deploys_and_is_killed"])
        .env("INFRAFLOW_TEST_DEPLOYS", &scene.folder)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while scene.lines("began") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the apply did not begin");
        std::thread::sleep(Duration::from_millis(10));
    }
    deploying.kill().unwrap();
    deploying.wait().unwrap();
    planned
}

#[tokio::test]
async fn an_apply_outlives_the_process_that_started_it_and_is_not_repeated() {
    if !has("terraform", "an_apply_outlives_the_process_that_started_it_and_is_not_repeated") {
        return;
    }
    let scene = Scene::new(SLOW);
    let planned = killed_in_the_middle(&scene).await;
    assert_eq!(scene.lines("made"), 0);
    let approved = scene.count(&planned.request, "run-1").await;
    let deployment = scene.deploy(&planned.deployment, &approved).await.unwrap();
    assert_eq!(only(&deployment).outcome, DeployOutcome::Applied, "{deployment:#?}");
    assert_eq!((scene.lines("began"), scene.lines("made")), (1, 2));
    assert!(scene.verify(&planned.deployment).await.holds());
}

/// Kills the apply that a killed process left, with everything it started.
async fn kill_the_apply(scene: &Scene) {
    let entries = scene.store.list(&Key::parse("deployments/runs").unwrap()).await.unwrap();
    for entry in entries {
        let bytes = scene.store.get(&entry).await.unwrap().unwrap();
        let entry: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        if let Ok(group) = serde_json::from_value(entry["entry"]["group"].clone()) {
            let group: infraflow_core::process::ProcessGroup = group;
            group.end(Duration::ZERO).unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_in_flight_in_a_killed_apply_is_named_and_left_to_a_person() {
    if !has("terraform", "what_was_in_flight_in_a_killed_apply_is_named_and_left_to_a_person") {
        return;
    }
    let scene = Scene::new(SLOW);
    let planned = killed_in_the_middle(&scene).await;
    kill_the_apply(&scene).await;
    let approved = scene.count(&planned.request, "run-1").await;
    let deployment = scene.deploy(&planned.deployment, &approved).await.unwrap();
    let unit = only(&deployment);
    assert_eq!(unit.outcome, DeployOutcome::NeedsPerson, "{unit:#?}");
    assert_eq!(unit.in_flight, ["terraform_data.a"]);
    assert_eq!(unit.remaining, ["terraform_data.a", "terraform_data.b"]);
    // Asked again, the answer is the same, and nothing is done.
    let again = scene.deploy(&planned.deployment, &approved).await.unwrap();
    assert_eq!(only(&again).in_flight, ["terraform_data.a"]);
    assert_eq!(scene.lines("began"), 1);
}

#[tokio::test]
async fn where_the_output_of_a_killed_apply_is_lost_all_that_is_left_may_have_been_in_flight() {
    if !has(
        "terraform",
        "where_the_output_of_a_killed_apply_is_lost_all_that_is_left_may_have_been_in_flight",
    ) {
        return;
    }
    let scene = Scene::new(SLOW);
    let planned = killed_in_the_middle(&scene).await;
    kill_the_apply(&scene).await;
    std::fs::remove_dir_all(scene.folder.join("work")).unwrap();
    let approved = scene.count(&planned.request, "run-1").await;
    let deployment = scene.deploy(&planned.deployment, &approved).await.unwrap();
    let unit = only(&deployment);
    assert_eq!(unit.outcome, DeployOutcome::NeedsPerson, "{unit:#?}");
    assert_eq!(unit.in_flight, ["terraform_data.a", "terraform_data.b"]);
    assert!(rules_of(unit).contains(&"output_lost"));
}

#[tokio::test]
async fn an_apply_whose_time_is_up_names_what_it_was_at() {
    if !has("terraform", "an_apply_whose_time_is_up_names_what_it_was_at") {
        return;
    }
    let scene = Scene::new(&SLOW.replace("sleep 1", "sleep 30"));
    let planned = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&planned.request, "run-1").await;
    let cancel = CancellationToken::new();
    let (stop, began) = (cancel.clone(), scene.folder.join("began"));
    tokio::spawn(async move {
        while !began.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
    });
    let deployment = scene.deploy_until(&planned.deployment, &approved, &cancel).await.unwrap();
    let unit = only(&deployment);
    assert_eq!(
        (unit.outcome, &unit.in_flight[..]),
        (DeployOutcome::NeedsPerson, &["terraform_data.a".to_owned()][..]),
        "{unit:#?}"
    );
    assert_eq!((scene.lines("began"), scene.lines("made")), (1, 0));
}

#[tokio::test]
async fn a_run_that_began_with_one_plan_does_not_go_on_with_another() {
    if !has("terraform", "a_run_that_began_with_one_plan_does_not_go_on_with_another") {
        return;
    }
    let scene = Scene::new(SLOW);
    killed_in_the_middle(&scene).await;
    kill_the_apply(&scene).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let again = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&again.request, "run-1").await;
    let error = scene.deploy(&again.deployment, &approved).await.unwrap_err();
    assert!(matches!(error, DeployError::RunBegan { .. }), "{error}");
    assert_eq!((scene.lines("began"), scene.lines("made")), (1, 0));
}
