//! Plans that one process makes and another carries out.

use super::*;

/// Modules, one of which a branch changes.
fn changed_modules() -> Repo {
    let repo = modules();
    repo.branch("change");
    repo.write("modules/network/main.tf", NETWORK.replace("var.cidr", "upper(var.cidr)"));
    repo.commit("feat: upper case");
    repo
}

#[test]
fn a_release_plan_is_carried_out_from_its_file_and_refused_when_it_was_altered_or_somebody_was_faster() {
    let repo = modules();
    let plan = |file: &str| run(&repo.path, "release", &[&TAGGER[..], &["--out", file]].concat());
    plan("plan.json").ends(0);
    let tags = || git_in(&repo.origin(), &["tag", "--list"]);
    assert_eq!(tags(), "", "planning makes no tag");

    altered(&repo.path, "plan.json", "v1.0.0", "v9.0.0");
    run(&repo.path, "release", &["--execute", "altered.json"]).refused_because("altered");
    let other = format!("sha256:{}", "0".repeat(64));
    run(&repo.path, "release", &["--execute", "plan.json", "--expect-digest", &other])
        .refused_because(&other);
    assert_eq!(tags(), "");

    let digest = {
        let text = std::fs::read_to_string(repo.path.join("plan.json")).unwrap();
        ReleasePlan::from_json(&text).unwrap().digest().unwrap().to_string()
    };
    run(&repo.path, "release", &["--execute", "plan.json", "--expect-digest", &digest]).ends(0);
    assert_eq!(tags(), "cluster/v1.0.0\nnetwork/v1.0.0\nother/v1.0.0");
    let again: Released = run(&repo.path, "release", &["--execute", "plan.json", "--json"]).ends(0).is();
    assert_eq!(again.tags.len(), 3);

    repo.write("modules/network/main.tf", NETWORK.replace("var.cidr", "upper(var.cidr)"));
    repo.commit("feat: upper case");
    plan("second.json").ends(0);
    run(&repo.path, "release", &["--execute", "second.json"]).refused_because("does not hold it");
    repo.git(&["push", "-q", "origin", "main", "HEAD:refs/tags/network/v1.1.0"]);
    run(&repo.path, "release", &["--execute", "second.json"]).refused_because("network/v1.1.0");

    let smaller = ["--as", "modules/network=1.0.1", "--module", "modules/network"];
    run(&repo.path, "release", &smaller).ends(2);
}

#[test]
fn a_bump_plan_is_carried_out_from_its_file_and_refused_when_it_was_altered_or_trunk_moved() {
    let live = Live::new();
    let call = |unit: &str| {
        let source = "git::https://example.com/modules.git//network?ref=network/v1.0.0";
        live.repo
            .write(&format!("{unit}/call.tf"), format!("module \"n\" {{\n  source = \"{source}\"\n}}\n"));
    };
    call("dev/network");
    call("prod/network");
    live.repo.commit("feat: call");
    let to = ["--to", "git::https://example.com/modules.git//network=network/v1.1.0", "--environment", "dev"];
    let out = ["--repo", "repo", "--out", "bump.json", "--json"];
    let plan: BumpPlan = live.run("bump", &[&to[..], &out].concat()).ends(0).is();
    assert_eq!((plan.edits.len(), plan.skipped.len()), (1, 1));

    altered(&live.folder, "bump.json", "network/v1.1.0", "network/v6.6.6");
    live.run("bump", &["--repo", "repo", "--execute", "altered.json"]).refused_because("altered");
    let execute = ["--repo", "repo", "--execute", "bump.json", "--branch", "bump/dev", "--json"];
    let date = ["--date", "2026-01-31T12:00:00Z"];
    let bumped: Bumped = live.run("bump", &[&execute[..], &date].concat()).ends(0).is();
    let diff = live.repo.git(&["diff", "--numstat", "main", "bump/dev"]);
    assert_eq!(diff, "1\t1\tdev/network/call.tf");
    let again: Bumped = live.run("bump", &[&execute[..], &date].concat()).ends(0).is();
    assert_eq!(again, bumped, "a second process finds the commit");

    live.repo.git(&["merge", "-q", "--ff-only", "bump/dev"]);
    live.run("bump", &execute).refused_because("no longer hold");
    let promote = ["--repo", "repo", "--promote-from", "dev", "--environment", "prod", "--json"];
    let plan: BumpPlan = live.run("bump", &promote).ends(0).is();
    assert_eq!(plan.edits[0].to, "network/v1.1.0");
}

#[test]
fn a_first_deployment_is_scaffolded_from_the_modules_variables() {
    let (live, modules) = (Live::new(), modules());
    modules.git(&["tag", "network/v1.0.0"]);
    let to = ["--repo", "repo", "--to", "git::https://example.com/m.git//modules/network=network/v1.0.0"];
    let first = ["--scaffold", "dev/second=modules/network", "--value", "cidr=\"10.4.0.0/16\"", "--json"];
    let from = ["--modules", modules.path.to_str().unwrap()];
    let plan: BumpPlan = live.run("bump", &[&to[..], &first, &from].concat()).ends(0).is();
    assert_eq!(plan.edits.len(), 1);
    assert_eq!(plan.edits[0].before, "");
    assert!(
        plan.edits[0].after.contains("ref=network/v1.0.0") && plan.edits[0].after.contains("10.4.0.0/16")
    );
    let gone = ["--scaffold", "dev/second=modules/gone"];
    live.run("bump", &[&to[..], &gone, &from].concat()).refused_because("modules/gone");
}

#[test]
fn a_test_plan_travels_from_selection_to_the_sandbox() {
    if !has("terraform", "a_test_plan_travels_from_selection_to_the_sandbox") {
        return;
    }
    let repo = changed_modules();
    let at = ["--sandbox", "../sandbox", "--store", "../store", "--run"];
    run(&repo.path, "select_tests", &["--out", "../tests.json"]).ends(0);
    let planned = ["--tests", "../tests.json", "--out", "../sandbox.json", "--json"];
    let plan: SandboxPlan = run(&repo.path, "sandbox", &[&at[..], &["r1"], &planned].concat()).ends(0).is();
    assert_eq!(plan.cases.len(), 1);
    altered(repo.folder.path(), "sandbox.json", "examples/basic", "examples/other");
    let execute = ["--execute", "../altered.json"];
    run(&repo.path, "sandbox", &[&at[..], &["r1"], &execute].concat()).refused_because("altered");
    let execute = ["--execute", "../sandbox.json", "--json"];
    let report: TestReport = run(&repo.path, "sandbox", &[&at[..], &["r1"], &execute].concat()).ends(0).is();
    assert!(report.passed());

    repo.write("modules/network/examples/basic/expect.toml", "[outputs]\ncidr = \"another\"\n");
    repo.commit("test: expect something else");
    let all: TestReport = run(&repo.path, "nightly", &[&at[..], &["r2", "--json"]].concat()).ends(1).is();
    assert!(!all.passed());
    let none = run(&repo.path, "nightly", &[&at[..], &["r3", "--shard", "2/2", "--json"]].concat()).ends(0);
    assert!(none.is::<TestReport>().cases.is_empty());
    run(&repo.path, "sandbox", &[&at[..], &["r4", "--reap"]].concat()).ends(0);
}

#[test]
fn what_a_run_records_orders_and_spares_the_next_one() {
    if !has("terraform", "what_a_run_records_orders_and_spares_the_next_one") {
        return;
    }
    let repo = changed_modules();
    // Runs of other tests have other names: on one machine a run's name is its folder.
    let at = ["--sandbox", "../sandbox", "--store", "../store", "--run"];
    let skip = ["--store", "../store", "--skip-green", "--out", "../tests.json"];
    let first = run(&repo.path, "select_tests", &skip).ends(0);
    assert!(first.out.starts_with("1 case runs"), "{}", first.out);
    let tests = ["--tests", "../tests.json"];
    run(&repo.path, "sandbox", &[&at[..], &["night-1"], &tests].concat()).ends(0);
    let second = run(&repo.path, "select_tests", &skip).ends(0);
    assert!(
        second.out.starts_with("0 cases run") && second.out.contains("green: run night-1 passed on"),
        "{}",
        second.out
    );

    // The nightly run skips nothing, and a failure that it records counts on the next day.
    repo.write("modules/network/examples/basic/expect.toml", "[outputs]\ncidr = \"another\"\n");
    repo.commit("test: expect something else");
    let file = ["--history", "../history.jsonl"];
    run(&repo.path, "nightly", &[&at[..], &["night-2"], &file].concat()).ends(1);
    let budget = [&file[..], &["--budget", "0", "--json"]].concat();
    let plan: TestPlan = run(&repo.path, "select_tests", &budget).ends(0).is();
    let rules: Vec<_> = plan.skipped.iter().map(|case| case.reasons[0].rule.as_str()).collect();
    assert!(plan.cases.is_empty() && rules.contains(&"budget") && plan.warnings.len() == 1, "{plan:?}");
    // Held in quarantine it runs, and the run passes.
    let quarantine =
        "[[select.quarantine]]\ncases = '**'\nuntil = '2999-01-31'\nreason = 'issue 7'\nwho = 'ada'\n";
    std::fs::write(repo.folder.path().join("other.toml"), quarantine).unwrap();
    let config = ["--config", "../other.toml"];
    let held = run(&repo.path, "nightly", &[&at[..], &["night-3"], &config].concat()).ends(0);
    assert!(held.out.contains("in quarantine until 2999-01-31: issue 7 (ada)"), "{}", held.out);
}
