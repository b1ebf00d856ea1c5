//! What a change touches, asked of the programs.

use super::*;

#[test]
fn affected_says_why_and_why_not_and_draws_it_and_measures_it() {
    let repo = modules();
    repo.branch("change");
    repo.write("modules/network/main.tf", NETWORK.replace("var.cidr", "upper(var.cidr)"));
    repo.commit("feat: upper case");
    let affected = |options: &[&str]| run(&repo.path, "affected", options);
    let cluster: Why = affected(&["--why", "modules/cluster", "--json"]).ends(0).is();
    assert_eq!(cluster.things[0].reasons[0].rule, "module_call");
    let other: Why = affected(&["--why-not", "modules/other", "--json"]).ends(0).is();
    assert_eq!(other.reasons[0].rule, "nothing_changed");
    assert!(affected(&["--why", "modules/other"]).ends(1).out.starts_with("modules/other is not affected\n"));
    affected(&["--why-not", "modules/cluster"]).ends(1);
    assert!(affected(&["--graph", "mermaid"]).ends(0).out.starts_with("flowchart LR\n"));
    assert!(affected(&["--graph", "dot"]).ends(0).out.starts_with("digraph affected {\n"));
    let scope: Scope = affected(&["--scope", "--json"]).ends(0).is();
    assert_eq!((scope.files, scope.modules, scope.cases), (1, 2, 1));
    assert_eq!(scope.branch.map(|branch| (branch.ahead, branch.behind)), Some((1, 0)));
    let text = affected(&["--reasons", "all", "--limit", "1"]).ends(0).out;
    assert!(text.contains("modules (2):") && text.contains("and 1 more (--limit 0 shows all)"), "{text}");
    assert!(text.contains("scope: 1 file, 2 modules, 0 units, 1 test case"), "{text}");

    let origin = repo.origin();
    let source = format!("git::file://{}//modules/cluster?ref=cluster/v1.0.0", origin.display());
    let unit =
        format!("terraform {{\n  backend \"local\" {{}}\n}}\nmodule \"c\" {{\n  source = \"{source}\"\n}}\n");
    let live = Repo::with(&[("prod/cluster/main.tf", &unit)]);
    let live_repo = live.path.to_str().unwrap();
    let address = format!("file://{}", origin.display());
    let options = ["--live-repo", live_repo, "--address", &address];
    let reach: Reach = affected(&[&options[..], &["--json"]].concat()).ends(0).is();
    assert_eq!(reach.reached.len(), 1, "{reach:?}");
    assert_eq!(reach.reached[0].pinned.as_deref(), Some("cluster/v1.0.0"));
    let text = affected(&options).ends(0).out;
    assert!(text.contains("prod/cluster (cluster/v1.0.0: once it is raised)"), "{text}");
}

#[test]
fn all_chains_are_told_on_request_and_how_many_are_left_out() {
    let file = |at: usize| format!("m/{at:02}/main.tf");
    let texts: Vec<(String, String)> = (0..40)
        .map(|at| {
            let call = |name: &str| format!("module \"{name}\" {{\n  source = \"../{:02}\"\n}}\n", at + 1);
            (file(at), call("a") + &call("b"))
        })
        .chain([(file(40), "# end\n".to_owned())])
        .collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let repo = Repo::with(&files);
    repo.branch("feature");
    repo.write(&file(40), "# changed\n");
    repo.commit("feat: change");
    let all = run(&repo.path, "affected", &["--base", "main", "--reasons", "all", "--why", "m/00"]).ends(0);
    assert!(all.out.contains("      and at least 1099511627712 more chains\n"), "{}", all.out);
    assert!(all.out.contains("        … 9 more references\n"), "{}", all.out);
    assert_eq!(all.out.matches("module_call: m/00 calls").count(), 64);
    let all = run(&repo.path, "affected", &["--base", "main", "--reasons", "all", "--why", "m/35"]).ends(0);
    assert_eq!(all.out.matches("module_call: m/35 calls").count(), 32, "{}", all.out);
    assert!(!all.out.contains("more chain"), "{}", all.out);
    let one = run(&repo.path, "affected", &["--base", "main", "--why", "m/00"]).ends(0);
    assert_eq!(one.out.matches("module_call: m/00 calls").count(), 1);
}

#[test]
fn a_dialect_of_ones_own_is_asked_with_those_of_the_crate() {
    let repo = Repo::with(&[
        ("shop/compose.yaml", "include:\n  - ../base/compose.yaml\n"),
        ("base/compose.yaml", "services:\n  db:\n    env_file: db.env\n"),
        ("base/db.env", "A=1\n"),
        (
            "live/main.tf",
            "terraform {\n  backend \"local\" {}\n}\nlocals {\n  a = file(\"../base/db.env\")\n}\n",
        ),
    ]);
    repo.branch("change");
    repo.write("base/db.env", "A=2\n");
    repo.commit("feat: change");
    let impact: Impact = run(&repo.path, "own_dialect", &["--no-cache", "--json"]).ends(0).is();
    let units: Vec<String> =
        impact.units.iter().map(|unit| format!("{} {}", unit.path, unit.dialect)).collect();
    assert_eq!(units, ["base compose", "live terraform", "shop compose"]);
    let told = run(&repo.path, "own_dialect", &["--no-cache"]).ends(0).out;
    assert!(told.contains("shop (compose)\n") && told.contains("base/compose.yaml"), "{told}");
    run(&repo.path, "own_dialect", &["--head", "nowhere"]).refused_because("nowhere");
}

#[test]
fn what_cannot_be_read_ends_with_2_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    for program in ["affected", "select_tests", "release", "dry_run", "emit", "drift"] {
        run(folder.path(), program, &[]).refused_because("repository");
    }
    let repo = modules();
    run(&repo.path, "affected", &["--head", "nowhere"]).refused_because("nowhere");
    run(&repo.path, "release", &["--execute", "gone.json"]).refused_because("gone.json");
    run(&repo.path, "release", &["--as", "modules/gone=2.0.0"]).refused_because("modules/gone");
    run(&repo.path, "release", &["--head", "WORKTREE"]).refused_because("working tree");
    run(&repo.path, "bump", &["--to", "../network=v1.0.0", "--environment", "prod"]).refused_because("prod");
    run(&repo.path, "dry_run", &["--unit", "dev/gone"]).refused_because("dev/gone");
    repo.write("garbage", "not json");
    run(&repo.path, "plan_summary", &["garbage"]).refused_because("plan");
    let nothing = r#"{"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": []}"#;
    repo.write("nothing", nothing);
    run(&repo.path, "plan_summary", &["nothing"]).ends(0);
}
