//! The example programs, as a person or a CI system runs them: real processes, real git, real terraform.
#![allow(clippy::unwrap_used, clippy::print_stderr, unreachable_pub)]

#[path = "../../crates/infraflow-core/tests/it/fixture.rs"]
mod fixture;

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use fixture::{Repo, git_in, has};
use infraflow_core::{
    bump::{BumpPlan, Bumped},
    deploy::{DeployOutcome, Deployment, DeploymentPlan, Verification},
    dry_run::{DriftReport, DryRun, DryRunPlan},
    impact::{Impact, Reach, Scope, Why},
    pipeline::StepGraph,
    proof::{Document, SigningKey},
    release::{ReleasePlan, Released},
    sandbox::{SandboxPlan, TestReport},
    seal::SealingKey,
    select::TestPlan,
};

const PROGRAMS: [&str; 15] = [
    "affected",
    "approve",
    "bump",
    "deploy",
    "drift",
    "dry_run",
    "emit",
    "nightly",
    "open_log",
    "own_dialect",
    "plan_summary",
    "release",
    "sandbox",
    "select_tests",
    "trunk_to_live",
];

const NETWORK: &str = "variable \"cidr\" {\n  type = string\n}\n\nresource \"terraform_data\" \"net\" {\n  input = var.cidr\n}\n\noutput \"cidr\" {\n  value = terraform_data.net.output\n}\n";
const EXAMPLE: &str = "module \"it\" {\n  source = \"../..\"\n  cidr   = \"10.0.0.0/16\"\n}\n\noutput \"cidr\" {\n  value = module.it.cidr\n}\n";
const SECRET: &str = "a-sensitive-value-of-a-unit";

/// What a program left: its exit code, and what it wrote.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// Runs an example program in a folder; what it is named, and its options.
fn run(folder: &Path, program: &str, options: &[&str]) -> Ran {
    // Cargo builds the examples beside the folder of the test's own binary.
    let built = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("examples");
    let program = built.join(program);
    assert!(program.is_file(), "{} is not built: cargo build --examples", program.display());
    let mut command = Command::new(program);
    command.args(options).current_dir(folder).env("USER", "ada").env("GIT_CONFIG_GLOBAL", "/dev/null");
    // These tests may run in a CI system, whose variables speak of another repository.
    for name in
        ["GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "TF_BUILD", "BITBUCKET_BUILD_NUMBER", "JENKINS_URL"]
    {
        command.env_remove(name);
    }
    let output = command.env_remove("GIT_COMMITTER_NAME").env_remove("GIT_COMMITTER_EMAIL").output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// It ended with this code.
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// It wrote nothing but a document of this kind.
    #[track_caller]
    fn is<D: Document>(&self) -> D {
        D::from_json(&self.out).unwrap_or_else(|error| panic!("{error}\n{}", self.out))
    }

    /// It did nothing, exit code 2, and said why and what to do.
    #[track_caller]
    fn refused_because(self, why: &str) {
        let ran = self.ends(2);
        assert!(ran.err.starts_with("error: cannot ") && ran.err.contains(why), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
}

/// The same document with something else in it, and its old digest.
fn altered(folder: &Path, file: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}: {text}");
    std::fs::write(folder.join("altered.json"), text.replacen(from, to, 1)).unwrap();
}

/// A modules repository with an origin: `cluster` calls `network`, which has an example.
fn modules() -> Repo {
    let cluster = NETWORK.replace(
        "resource \"terraform_data\" \"net\" {\n  input = var.cidr\n}",
        "module \"network\" {\n  source = \"../network\"\n  cidr   = var.cidr\n}",
    );
    let cluster = cluster.replace("terraform_data.net.output", "module.network.cidr");
    Repo::with(&[
        ("modules/network/main.tf", NETWORK),
        ("modules/network/examples/basic/main.tf", EXAMPLE),
        ("modules/cluster/main.tf", &cluster),
        ("modules/other/main.tf", NETWORK),
    ])
    .with_origin()
}

const TAGGER: [&str; 6] =
    ["--name", "Pipeline", "--email", "pipeline@example.com", "--date", "2026-01-31T12:00:00Z"];

#[test]
fn every_program_explains_itself() {
    let folder = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        let help = run(folder.path(), program, &["--help"]).ends(0);
        assert!(help.out.contains("Usage: "), "{program}: {}", help.out);
        run(folder.path(), program, &["--no-such-option"]).ends(2);
    }
    for part in ["request", "sign", "check"] {
        run(folder.path(), "approve", &[part, "--help"]).ends(0);
    }
}

#[test]
fn json_is_a_document_and_nothing_else() {
    let repo = modules();
    repo.branch("change");
    repo.write("modules/network/main.tf", NETWORK.replace("var.cidr", "upper(var.cidr)"));
    repo.commit("feat: upper case");
    let impact: Impact = run(&repo.path, "affected", &["--json"]).ends(0).is();
    assert_eq!(impact.modules.len(), 2);
    let tests: TestPlan = run(&repo.path, "select_tests", &["--json"]).ends(0).is();
    assert_eq!(tests.cases.len(), 1);
    let plan: ReleasePlan = run(&repo.path, "release", &["--json"]).ends(0).is();
    assert_eq!(plan.releases.len(), 3);
    let steps: StepGraph = run(&repo.path, "emit", &["--json"]).ends(0).is();
    assert!(steps.steps.iter().any(|step| step.id == "release:."), "{steps:?}");
    let bump: BumpPlan = run(&repo.path, "bump", &["--json", "--to", "../network=v1.0.0"]).ends(0).is();
    assert!(bump.edits.is_empty());
    let units: DryRunPlan = run(&repo.path, "dry_run", &["--json", "--out", "p.json"]).ends(0).is();
    assert!(units.units.is_empty());
}

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

/// A live repository, its keys, and a store; states stand beside it.
struct Live {
    repo: Repo,
    folder: PathBuf,
}

impl Live {
    fn new() -> Self {
        let repo = Repo::empty();
        let folder = repo.folder.path().to_owned();
        let live = Self { repo, folder };
        let bob = live.key("bob");
        let pipeline = live.key("pipeline");
        let line = |who: &str, key: &SigningKey| format!("{who}@example.com {}\n", key.verifying_key());
        std::fs::write(live.folder.join("signers"), line("pipeline", &pipeline)).unwrap();
        SealingKey::generate().unwrap().write(&live.folder.join("seal.key")).unwrap();
        live.repo.write("allowed_signers", line("bob", &bob));
        let environments = "[environments.dev]\nunits = [\"dev/**\"]\norder = 1\n\n[environments.prod]\nunits = [\"prod/**\"]\norder = 2\n";
        live.repo.write("infraflow.toml", environments);
        for unit in ["dev/network", "prod/network"] {
            live.unit(unit, "10.0.0.0/16");
        }
        live.repo.commit("feat: live");
        Self { repo: live.repo.with_origin(), folder: live.folder }
    }

    fn key(&self, name: &str) -> SigningKey {
        let key = SigningKey::generate(name).unwrap();
        let file = self.folder.join(name);
        std::fs::write(&file, key.to_openssh().unwrap().as_bytes()).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        key
    }

    fn unit(&self, unit: &str, cidr: &str) {
        let state = self.folder.join(format!("{}.tfstate", unit.replace('/', "-")));
        let text = format!(
            "terraform {{\n  backend \"local\" {{\n    path = {state:?}\n  }}\n}}\n\nvariable \"secret\" {{\n  default   = \"{SECRET}\"\n  sensitive = true\n}}\n\nresource \"terraform_data\" \"net\" {{\n  input = {{ cidr = \"{cidr}\", secret = var.secret }}\n}}\n"
        );
        self.repo.write(&format!("{unit}/main.tf"), text);
    }

    /// In the folder beside the repository, where plans and keys are.
    fn run(&self, program: &str, options: &[&str]) -> Ran {
        run(&self.folder, program, options)
    }

    /// Plans the units that the branch changes, posts it, and asks for approval.
    fn dry_run(&self, name: &str) -> DryRun {
        let file = |what: &str| format!("{name}.{what}.json");
        self.run("dry_run", &["--repo", "repo", "--out", &file("units")]).ends(0);
        let posting = ["--store", "store", "--key", "seal.key", "--signing-key", "pipeline"];
        let names = ["--repository", "live", "--run", name, "--published", &file("published"), "--json"];
        let what = ["--repo", "repo", "--execute", &file("units")];
        let ran = self.run("dry_run", &[&what[..], &posting, &names].concat()).ends(0);
        assert!(!ran.out.contains(SECRET) && !ran.err.contains(SECRET));
        std::fs::write(self.folder.join(file("dry_run")), &ran.out).unwrap();
        let options = ["--repo", "repo", "--dry-run", &file("dry_run"), "--repository", "live"];
        let out = ["--out", &file("request")];
        self.run("approve", &[&["request"], &options[..], &out].concat()).ends(0);
        ran.is()
    }

    fn sign(&self, name: &str) {
        let request = format!("{name}.request.json");
        let who = ["--key", "bob", "--as", "bob@example.com", "--store", "store"];
        self.run("approve", &[&["sign", "--request", &request], &who[..]].concat()).ends(0);
    }

    fn check(&self, name: &str, run: &str) -> Ran {
        let request = format!("{name}.request.json");
        let options = ["--repo", "repo", "--store", "store", "--run", run, "--json"];
        self.run("approve", &[&["check", "--request", &request], &options[..]].concat())
    }

    fn plan_deployment(&self, name: &str) {
        let file = |what: &str| format!("{name}.{what}.json");
        let (dry_run, units, published, request) =
            (file("dry_run"), file("units"), file("published"), file("request"));
        let from = ["--dry-run", &dry_run, "--dry-run-plan", &units, "--published", &published];
        let to = ["--request", &request, "--repo", "repo", "--out", &file("deployment"), "--json"];
        let _: DeploymentPlan = self.run("deploy", &[&from[..], &to].concat()).ends(0).is();
    }

    fn deploy(&self, name: &str, plan: &str, more: &[&str]) -> Ran {
        let request = format!("{name}.request.json");
        let what = ["--repo", "repo", "--execute", plan, "--request", &request, "--run", name, "--json"];
        let with = ["--store", "store", "--key", "seal.key", "--folder", "work"];
        self.run("deploy", &[&what[..], &with, more].concat())
    }
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
    let repo = modules();
    repo.branch("change");
    repo.write("modules/network/main.tf", NETWORK.replace("var.cidr", "upper(var.cidr)"));
    repo.commit("feat: upper case");
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
    let repo = modules();
    repo.branch("change");
    repo.write("modules/network/main.tf", NETWORK.replace("var.cidr", "upper(var.cidr)"));
    repo.commit("feat: upper case");
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

#[test]
fn a_dry_run_is_approved_and_deployed_by_processes_that_share_files_and_a_store() {
    if !has("terraform", "a_dry_run_is_approved_and_deployed_by_processes_that_share_files_and_a_store") {
        return;
    }
    let live = Live::new();
    live.repo.branch("change");
    live.unit("dev/network", "10.1.0.0/16");
    live.repo.commit("feat: move dev");
    let dry_run = live.dry_run("r1");
    assert_eq!(dry_run.units.len(), 1, "only the unit that the change touches");

    // The whole log is sealed, and opens with the key; what was posted in clear holds no secret.
    let manifest = dry_run.units[0].sealed_log.clone().unwrap();
    let open = ["--store", "store", "--manifest", &manifest, "--key", "seal.key", "--signers", "signers"];
    let plan = live.run("open_log", &[&open[..], &["--item", "plan_json"]].concat()).ends(0);
    assert!(plan.out.contains(SECRET));
    live.run("open_log", &open).ends(0);

    // Nobody approved: the answer is no, and nothing is applied.
    live.plan_deployment("r1");
    let refused = live.check("r1", "r1").ends(1);
    assert_eq!(refused.is::<infraflow_core::approve::Refused>().missing.len(), 1);
    live.deploy("r1", "r1.deployment.json", &[]).ends(1);
    assert!(!live.folder.join("dev-network.tfstate").exists());

    // Approved: for one run, from the unaltered plan, once.
    live.sign("r1");
    altered(&live.folder, "r1.deployment.json", "dev/network", "prod/network");
    live.deploy("r1", "altered.json", &[]).refused_because("altered");
    let deployed: Deployment = live.deploy("r1", "r1.deployment.json", &[]).ends(0).is();
    assert!(deployed.is_done());
    live.deploy("r1", "r1.deployment.json", &[]).ends(0);
    let verified = live.deploy("r1", "r1.deployment.json", &["--verify"]).ends(0);
    assert!(verified.is::<Verification>().holds());
    let used = live.check("r1", "r2").ends(1);
    assert!(used.out.contains("r1"), "{}", used.out);
    assert!(live.check("r1", "r1").ends(0).out.contains("\"approved\""));
}

#[test]
fn a_deployment_is_refused_when_the_state_moved_and_drift_names_what_no_longer_agrees() {
    if !has("terraform", "a_deployment_is_refused_when_the_state_moved_and_drift_names_what_no_longer_agrees")
    {
        return;
    }
    let live = Live::new();
    let apply = |unit: &str, cidr: &str| {
        live.unit(unit, cidr);
        let unit = live.repo.path.join(unit);
        for words in [&["init", "-input=false"][..], &["apply", "-auto-approve", "-input=false"]] {
            let output = Command::new("terraform").args(words).current_dir(&unit).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        std::fs::remove_dir_all(unit.join(".terraform")).unwrap();
        live.repo.git(&["checkout", "-q", "--", "."]);
    };
    apply("dev/network", "10.0.0.0/16");
    live.repo.branch("change");
    live.unit("dev/network", "10.1.0.0/16");
    live.repo.commit("feat: move dev");
    live.dry_run("r1");
    live.plan_deployment("r1");
    live.sign("r1");
    apply("dev/network", "10.9.0.0/16"); // by hand, past the pipeline
    let ran = live.deploy("r1", "r1.deployment.json", &[]);
    assert!([1, 2].contains(&ran.code), "{}: {} {}", ran.code, ran.out, ran.err);
    assert!(format!("{}{}", ran.out, ran.err).contains("serial"), "{} {}", ran.out, ran.err);
    let state = std::fs::read_to_string(live.folder.join("dev-network.tfstate")).unwrap();
    assert!(state.contains("10.9.0.0/16"), "nothing was applied");

    let report: DriftReport = live.run("drift", &["--repo", "repo", "--json"]).ends(1).is();
    let dev = &report.units[0];
    assert_eq!(dev.id.to_string(), "dev/network");
    assert!(
        dev.disagreements
            .iter()
            .any(|it| { it.address == "terraform_data.net" && it.path.to_string().starts_with("input") })
    );
    apply("dev/network", "10.0.0.0/16");
    apply("prod/network", "10.0.0.0/16");
    let report: DriftReport = live.run("drift", &["--repo", "repo", "--json"]).ends(0).is();
    assert!(report.is_clean(), "trunk says what is deployed; the branch does not count");
}

#[test]
fn a_deployment_that_stops_half_way_is_done_in_part() {
    if !has("terraform", "a_deployment_that_stops_half_way_is_done_in_part") {
        return;
    }
    let live = Live::new();
    live.repo.branch("change");
    live.unit("dev/network", "10.1.0.0/16");
    let fails = "resource \"terraform_data\" \"fails\" {\n  provisioner \"local-exec\" {\n    command = \"exit 1\"\n  }\n}\n";
    live.repo.write("prod/network/fails.tf", fails);
    live.repo.commit("feat: move dev, break prod");
    live.dry_run("r1");
    live.plan_deployment("r1");
    live.sign("r1");
    let deployment: Deployment = live.deploy("r1", "r1.deployment.json", &[]).ends(3).is();
    let outcomes: Vec<_> = deployment.units.iter().map(|unit| unit.outcome).collect();
    assert_eq!(outcomes, [DeployOutcome::Applied, DeployOutcome::Failed]);
    live.deploy("r1", "r1.deployment.json", &["--verify"]).ends(1);
}

#[test]
fn a_unit_that_cannot_be_planned_is_the_answer_no() {
    if !has("terraform", "a_unit_that_cannot_be_planned_is_the_answer_no") {
        return;
    }
    let live = Live::new();
    live.repo.branch("change");
    live.repo.write("dev/network/bad.tf", "resource \"no_such_thing\" \"x\" {\n  count = var.nowhere\n}\n");
    live.repo.commit("feat: bad");
    let dry_run: DryRun = live.run("dry_run", &["--repo", "repo", "--json"]).ends(1).is();
    assert_eq!(dry_run.units[0].outcome, infraflow_core::dry_run::UnitOutcome::Error);
    std::fs::write(live.folder.join("bad.json"), dry_run.to_json().unwrap()).unwrap();
    let ask = ["request", "--repo", "repo", "--dry-run", "bad.json", "--repository", "live"];
    live.run("approve", &ask).refused_because("dev/network");
    let good = live.run("dry_run", &["--repo", "repo", "--unit", "prod/network", "--json"]).ends(0);
    assert_eq!(good.is::<DryRun>().units[0].counts.create, 1);
}

#[test]
fn steps_are_emitted_as_a_flowchart_and_as_matrices_of_at_most_256_jobs() {
    let live = Live::new();
    live.repo.branch("change");
    live.unit("dev/network", "10.1.0.0/16");
    live.repo.commit("feat: move dev");
    let flowchart = live.run("emit", &["--repo", "repo"]).ends(0).out;
    assert!(flowchart.starts_with("flowchart LR\n") && flowchart.contains("[\"dry_run:dev/network\"]"));
    let github = |code: i32| live.run("emit", &["--repo", "repo", "--format", "github"]).ends(code);
    let matrix = |out: &str, stage: &str| {
        let line =
            out.lines().find_map(|line| line.strip_prefix(stage)?.strip_prefix('=')).map(str::to_owned);
        line.map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap())
    };
    let dry_runs = matrix(&github(0).out, "dry_run").unwrap();
    assert_eq!(dry_runs["include"][0]["subject"], "dev/network");

    for number in 0..256 {
        live.unit(&format!("dev/unit-{number}"), "10.2.0.0/16");
    }
    live.repo.commit("feat: many units");
    let ran = github(3);
    assert!(ran.err.contains("257 steps"), "{}", ran.err);
    assert_eq!(matrix(&ran.out, "dry_run"), None);
    assert!(matrix(&ran.out, "publish").is_some());
}
