//! What differs from trunk in the world.

use super::*;

fn disagreements(report: &DriftReport, id: &str) -> Vec<(String, String, SeenIn)> {
    let unit = report.units.iter().find(|unit| unit.id.to_string() == id).unwrap();
    unit.disagreements.iter().map(|d| (d.address.clone(), d.path.to_string(), d.seen_in)).collect()
}

#[tokio::test]
async fn what_was_applied_past_the_pipeline_is_named_by_unit_and_attribute_without_its_value() {
    let name = "what_was_applied_past_the_pipeline_is_named_by_unit_and_attribute_without_its_value";
    if !fixture::has("terraform", name) {
        return;
    }
    let live = Live::new();
    let text = |size: &str| {
        format!(
            "resource \"terraform_data\" \"db\" {{\n  input = {{ size = \"{size}\", name = \"db\" }}\n}}\n"
        )
    };
    live.unit("dev/database", &text("small-size"));
    live.unit("dev/network", "resource \"terraform_data\" \"n\" {}");
    live.repo.commit("feat: units");
    live.apply("dev/database").await;
    live.apply("dev/network").await;
    let units = ["dev/database", "dev/network"];
    let plan = live.plan("main", &units);
    let report = DriftReport::of(plan.revision, &live.run(&plan).await.dry_run);
    assert!(report.is_clean(), "{report:?}");

    // Somebody changes a value in another checkout, and applies that.
    let clone = tempfile::tempdir().unwrap();
    git_in(clone.path(), &["clone", "-q", live.repo.path.to_str().unwrap(), "."]);
    std::fs::write(clone.path().join("dev/database/main.tf"), text("large-size")).unwrap();
    let driver = tool().driver(clone.path().join("dev/database")).environment(live.environment.clone());
    driver.init(&InitOptions::default(), &live.cancel, &Discard).await.unwrap();
    driver.apply(&live.cancel, &Discard).await.unwrap();

    let report = DriftReport::of(plan.revision, &live.run(&plan).await.dry_run);
    let disagreeing: Vec<String> = report.disagreeing().map(|unit| unit.id.to_string()).collect();
    assert_eq!(disagreeing, ["dev/database"]);
    let expected = [("input.size", SeenIn::Plan), ("output", SeenIn::Plan)];
    let expected = expected.map(|(path, seen)| ("terraform_data.db".to_owned(), path.to_owned(), seen));
    assert_eq!(disagreements(&report, "dev/database"), expected);
    let json = report.to_json().unwrap();
    assert!(!json.contains("large-size") && !json.contains("small-size"));
    assert_eq!(DriftReport::from_json(&json).unwrap(), report);

    let note = Reason::new("deployment_failed", "run 7 stopped half-way");
    let noted = report.with_reason(&UnitId::parse("dev/database").unwrap(), note);
    assert_eq!(noted.units[0].reasons[0].rule, "deployment_failed");
}

#[tokio::test]
async fn what_changed_in_the_world_is_told_from_what_differs_in_the_plan() {
    let name = "what_changed_in_the_world_is_told_from_what_differs_in_the_plan";
    if !fixture::has("terraform", name) {
        return;
    }
    let Some(mirror) = provider_mirror(name) else { return };
    let mut live = Live::new();
    live.environment = live.environment.clone().with("TF_CLI_CONFIG_FILE", &mirror.configuration);
    let folder = live.repo.folder.path().join("world");
    let file = |name: &str| folder.join(name).display().to_string();
    live.unit(
        "dev/files",
        &format!(
            "resource \"local_file\" \"gone\" {{\n  filename = \"{}\"\n  content = \"x\"\n}}\n\
             resource \"local_file\" \"kept\" {{\n  filename = \"{}\"\n  content = \"y\"\n}}\n",
            file("gone"),
            file("kept")
        ),
    );
    live.repo.commit("feat: files");
    live.apply("dev/files").await;
    let plan = live.plan("main", &["dev/files"]);
    assert!(DriftReport::of(plan.revision, &live.run(&plan).await.dry_run).is_clean());

    std::fs::remove_file(file("gone")).unwrap();
    let outcome = live.run(&plan).await;
    let report = DriftReport::of(plan.revision, &outcome.dry_run);
    let gone = |seen| ("local_file.gone".to_owned(), String::new(), seen);
    assert_eq!(disagreements(&report, "dev/files"), [gone(SeenIn::Plan), gone(SeenIn::World)]);
    let unit = &outcome.dry_run.units[0];
    assert_eq!((unit.counts.create, unit.drift.len(), unit.drift[0].actions.destroys()), (1, 1, true));
}

#[tokio::test]
async fn trunk_is_clean_where_it_mirrors_what_is_deployed() {
    if !fixture::has("terraform", "trunk_is_clean_where_it_mirrors_what_is_deployed") {
        return;
    }
    let live = Live::new();
    live.unit("dev/a", "resource \"terraform_data\" \"a\" {}");
    live.unit("prod/a", "resource \"terraform_data\" \"a\" {}");
    live.repo.commit("feat: units");
    live.apply("dev/a").await;
    let (repository, revision, catalog) = catalog(&live.repo);
    let credentials = Provider(live.environment.clone());
    let context = DryRunContext {
        repository: &repository,
        credentials: &credentials,
        hmac: &live.hmac,
        cancel: &live.cancel,
        observer: &live.observer,
    };
    let runner: &dyn DryRunner = &live.runner;
    let (report, _) = check_drift(runner, &revision, &catalog, &policy(), &context).await.unwrap();
    let disagreeing: Vec<String> = report.disagreeing().map(|unit| unit.id.to_string()).collect();
    assert_eq!(disagreeing, ["prod/a"], "not applied yet");
    live.apply("prod/a").await;
    let (report, _) = check_drift(runner, &revision, &catalog, &policy(), &context).await.unwrap();
    assert!(report.is_clean() && report.units.len() == 2, "{report:?}");
}
