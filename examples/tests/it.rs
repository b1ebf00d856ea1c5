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

#[path = "it/affected.rs"]
mod affected;
#[path = "it/travelling.rs"]
mod travelling;

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
