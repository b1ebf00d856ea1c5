//! What is not applied, whatever the papers say.

use super::*;

#[tokio::test]
async fn a_plan_that_another_run_began_with_is_refused_though_the_tool_would_apply_it() {
    if !has("terraform", "a_plan_that_another_run_began_with_is_refused_though_the_tool_would_apply_it") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let planned = scene.plan(&["prod/a"]).await;
    let file = &planned.deployment.units[0].plan_file;
    let key = Key::parse("deployments/plans").unwrap().join(file.hex());
    scene.store.create(&key, "run-0").await.unwrap();
    let approved = scene.approve(&planned.request, "run-1").await;
    let error = scene.deploy(&planned.deployment, &approved).await.unwrap_err();
    assert!(matches!(&error, DeployError::PlanUsed { by, .. } if by.as_str() == "run-0"), "{error}");
    assert_eq!(scene.lines("made"), 0);
}

#[tokio::test]
async fn what_nobody_approved_is_not_applied_whatever_the_papers_say() {
    if !has("terraform", "what_nobody_approved_is_not_applied_whatever_the_papers_say") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let Planned { deployment, request, dry_run, planned } = scene.plan(&["prod/a"]).await;
    let run = RunId::parse("run-1").unwrap();
    let verdict = |plan: &Digest, by| {
        Approved::new(plan.clone(), request.fingerprint.clone(), request.policy.clone(), run.clone(), by)
    };
    // An approver that asks for nobody: the saved plan itself is asked once more.
    let lax = verdict(&request.plan, Vec::new());
    let error = scene.deploy(&deployment, &lax).await.unwrap_err();
    insta::assert_snapshot!(error, @r"
    cannot deploy: not enough people approved of what the saved plans do
      environments.prod.approvals: 1 person must approve, and nobody did (who may: bob): prod/a would change
      help: ask for approval of this plan, by the policy of trunk
    ");
    // An approval of another plan.
    let other = verdict(&Digest::of_bytes("another"), Vec::new());
    assert!(matches!(scene.deploy(&deployment, &other).await, Err(DeployError::OtherPlan { .. })));
    // A deployment plan that was altered in its file.
    let altered = deployment.to_json().unwrap().replace("terraform_data.a", "terraform_data.z");
    assert!(matches!(DeploymentPlan::from_json(&altered), Err(ProofError::DigestMismatch { .. })));
    // One that was written anew, with right digests: another summary, then another meaning.
    let approved = scene.approve(&request, "run-1").await;
    let mut summary = deployment.clone();
    summary.units[0].summary.changes.clear();
    let error = scene.deploy(&summary, &approved).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherMeaning { .. }), "{error}");
    let mut meaning = deployment.clone();
    meaning.units[0].fingerprint = Digest::of_bytes("another");
    let error = scene.deploy(&meaning, &approved).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherMeaning { .. }), "{error}");
    // Documents of two dry runs.
    let mut stranger = request.clone();
    stranger.plan = Digest::of_bytes("another");
    let mixed = DeploymentPlan::of(&dry_run, &planned, &stranger, &scene.policy, &Dependencies::default());
    assert!(matches!(mixed, Err(DeployError::OtherPlan { .. })));
    assert_eq!(scene.lines("made"), 0);
}

#[tokio::test]
async fn what_cannot_be_put_on_record_is_not_applied() {
    if !has("terraform", "what_cannot_be_put_on_record_is_not_applied") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let planned = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&planned.request, "run-1").await;
    // A file stands where the folder of this run's records would be: the plan can be taken, not begun.
    let runs = scene.folder.join("store/deployments/runs");
    std::fs::create_dir_all(runs.parent().unwrap()).unwrap();
    std::fs::write(&runs, "").unwrap();
    let error = scene.deploy(&planned.deployment, &approved).await.unwrap_err();
    assert!(matches!(error, DeployError::Store(_)), "{error}");
    assert_eq!(scene.lines("made"), 0);
    std::fs::remove_file(&runs).unwrap();
    assert!(scene.deploy(&planned.deployment, &approved).await.unwrap().is_done());
}

#[tokio::test]
async fn a_saved_plan_that_was_exchanged_is_refused() {
    if !has("terraform", "a_saved_plan_that_was_exchanged_is_refused") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let Planned { mut deployment, request, .. } = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&request, "run-1").await;
    let saved = scene.folder.join("plan-0");
    let good = std::fs::read(&saved).unwrap();
    // Another plan of the same unit: it would do something else.
    scene.change("prod/a", "\"one\"", "\"two\"");
    scene.plan(&["prod/a"]).await;
    let other = std::fs::read(&saved).unwrap();
    let error = scene.deploy(&deployment, &approved).await.unwrap_err();
    assert!(matches!(error, DeployError::PlanFileAltered { .. }), "{error}");
    // The same with its digest in the papers.
    deployment.units[0].plan_file = Digest::of_bytes(&other);
    let error = scene.deploy(&deployment, &approved).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherMeaning { .. }), "{error}");
    // Cut short.
    std::fs::write(&saved, &good[..good.len() / 2]).unwrap();
    deployment.units[0].plan_file = Digest::of_bytes(&good);
    let error = scene.deploy(&deployment, &approved).await.unwrap_err();
    assert!(matches!(error, DeployError::PlanFileAltered { .. }), "{error}");
    assert_eq!(scene.lines("made"), 0);
    std::fs::write(&saved, good).unwrap();
    assert!(scene.deploy(&deployment, &approved).await.unwrap().is_done());
}

#[tokio::test]
async fn a_state_that_moved_since_the_plan_is_refused() {
    if !has("terraform", "a_state_that_moved_since_the_plan_is_refused") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let first = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&first.request, "run-1").await;
    assert!(scene.deploy(&first.deployment, &approved).await.unwrap().is_done());
    scene.change("prod/a", "\"one\"", "\"two\"");
    let second = scene.plan(&["prod/a"]).await;
    let approved = scene.approve(&second.request, "run-2").await;
    // Somebody applies something by hand.
    let by_hand = scene.folder.join("by-hand");
    git_in(&scene.folder, &["clone", "-q", "repo", "by-hand"]);
    let main = by_hand.join("prod/a/main.tf");
    std::fs::write(&main, std::fs::read_to_string(&main).unwrap().replace("two", "three")).unwrap();
    for args in [&["init"][..], &["apply", "-auto-approve"]] {
        let status = std::process::Command::new("terraform")
            .args(args)
            .current_dir(by_hand.join("prod/a"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }
    let error = scene.deploy(&second.deployment, &approved).await.unwrap_err();
    assert!(matches!(error, DeployError::StateMoved { .. }), "{error}");
    assert!(error.to_string().contains("help:"), "{error}");
    let verification = scene.verify(&second.deployment).await;
    assert!(!verification.holds());
    assert_eq!(verification.units[0].reasons[0].text, "terraform_data.a would be update");
}

#[tokio::test]
async fn a_unit_whose_state_lies_in_a_checkout_is_not_deployed() {
    if !has("terraform", "a_unit_whose_state_lies_in_a_checkout_is_not_deployed") {
        return;
    }
    let scene = Scene::new(PLAIN);
    let file = scene.folder.join("repo/prod/a/main.tf");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[text.find("resource").unwrap()..]).unwrap();
    git_in(&scene.folder.join("repo"), &["commit", "-qam", "feat: no backend"]);
    let revision = scene.repository.revision("main").unwrap();
    let unit = PlannedUnit::new(UnitId::parse("prod/a").unwrap(), DialectName::terraform(), Vec::new());
    let planned = DryRunPlan { revision, units: vec![unit], skipped: Vec::new() };
    let hmac = scene.store.hmac().await.unwrap();
    let context = DryRunContext {
        repository: &scene.repository,
        credentials: &Scene::credentials(),
        hmac: &hmac,
        cancel: &CancellationToken::new(),
        observer: &Silent,
    };
    let dry_run =
        TerraformDryRunner::new(scene.tool.clone()).observe(&planned, &context).await.unwrap().dry_run;
    let facts = ChangeFacts { repository: "live", files: None, authors: Vec::new() };
    let request = ApprovalRequest::of(&dry_run, &scene.policy, &facts).unwrap();
    let plan = DeploymentPlan::of(&dry_run, &planned, &request, &scene.policy, &Dependencies::default());
    assert!(matches!(plan, Err(DeployError::LocalState { .. })), "{plan:?}");
}
