//! What earlier runs spare the next one.

use super::*;

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
