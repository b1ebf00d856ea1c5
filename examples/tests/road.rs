//! The whole road, killed at every step: a second process goes on where the first one died, nothing is done
//! twice, and two runs with the same keys and dates decide the same. And the half of it that plans on one's
//! own repositories.
#![allow(clippy::unwrap_used, clippy::print_stderr, unreachable_pub)]

#[path = "../../crates/infraflow-core/tests/it/fixture.rs"]
mod fixture;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fixture::Repo;
use serde_json::Value;

const NETWORK: &str = "variable \"cidr\" {\n  type = string\n}\n\nresource \"terraform_data\" \"net\" {\n  input = var.cidr\n}\n";
const SECRET: &str = "a-value-of-a-unit";

/// The program, built beside this test by `cargo test`, as long as no targets are chosen.
fn program(name: &str) -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    folder.join("examples").join(name)
}

struct Walk {
    folder: PathBuf,
    keys: PathBuf,
}

impl Walk {
    fn start(&self, resume: bool) -> Child {
        let folder = if resume { "--resume" } else { "--dir" };
        Command::new(program("trunk_to_live"))
            .args([folder.as_ref(), self.folder.as_os_str(), "--keys".as_ref(), self.keys.as_os_str()])
            .args(["--date", "2026-01-31T12:00:00Z"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn entries(&self) -> Vec<Value> {
        let journal = self.folder.join("store/runs/trunk-to-live/journal");
        let Ok(found) = fs::read_dir(journal) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
        paths.sort();
        paths
            .iter()
            .filter_map(|path| serde_json::from_slice::<Value>(&fs::read(path).ok()?).ok())
            .map(|line| line["entry"].clone())
            .collect()
    }

    /// The steps that an event was journaled for, in order.
    fn steps(&self, event: &str) -> Vec<String> {
        let entries = self.entries().into_iter().filter(|entry| entry["event"] == event);
        entries.map(|entry| entry["step"].as_str().unwrap().to_owned()).collect()
    }

    fn result(&self, step: &str) -> Value {
        let found = |entry: &Value| entry["event"] == "ended" && entry["step"] == step;
        self.entries().into_iter().find(found).unwrap_or_else(|| panic!("{step} did not end"))["result"]
            .clone()
    }

    /// What was decided: the digested results, and what every dry run means.
    fn decisions(&self) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        for step in ["impact", "select", "release", "dev.bump", "stage.bump", "prod.bump"] {
            found.insert(step.to_owned(), self.result(step));
        }
        for environment in ["dev", "stage", "prod"] {
            for step in ["dry_run", "plan_again"] {
                let posted = self.result(&format!("{environment}.{step}"));
                for unit in posted["dry_run"]["units"].as_array().unwrap() {
                    let name = format!("{environment}.{step} {}", unit["id"].as_str().unwrap());
                    found.insert(name, unit["fingerprint"].clone());
                }
            }
        }
        found
    }

    /// What the run made: tags and trunks, what each state holds, how many saved plans were taken to be applied.
    fn made(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for remote in ["infrastructure-modules", "infrastructure-live"] {
            let bare = self.folder.join("remotes").join(format!("{remote}.git"));
            found.insert(remote.to_owned(), fixture::git_in(&bare, &["for-each-ref"]));
        }
        for environment in ["dev", "stage", "prod"] {
            for state in fs::read_dir(self.folder.join("state").join(environment)).unwrap() {
                let path = state.unwrap().path();
                if path.extension().is_some_and(|end| end == "tfstate") {
                    // Not its serial: Terraform writes a state once or twice where two resources end at once.
                    let state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
                    let resources = state["resources"].as_array().unwrap().iter();
                    let inputs: Vec<String> = resources
                        .map(|it| {
                            format!(
                                "{} {} {}",
                                it["module"], it["name"], it["instances"][0]["attributes"]["input"]
                            )
                        })
                        .collect();
                    let name = path.strip_prefix(&self.folder).unwrap().display().to_string();
                    found.insert(name, inputs.join("\n"));
                }
            }
        }
        let plans = fs::read_dir(self.folder.join("store/deployments/plans")).unwrap().count();
        found.insert("saved plans that were applied".into(), plans.to_string());
        found
    }
}

fn finish(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn empty(folder: &Path) -> bool {
    !folder.exists() || fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn the_road_killed_at_every_step_ends_as_if_nobody_had_killed_it() {
    if !fixture::has("git", "the road") || !fixture::has("terraform", "the road") {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let walk = Walk { folder: place.path().join("demonstration"), keys: place.path().join("keys") };
    finish(walk.start(false));
    let (steps, decisions, made) = (walk.steps("ended"), walk.decisions(), walk.made());
    assert!(steps.len() > 35, "{steps:?}");
    fs::remove_dir_all(&walk.folder).unwrap();

    // The same again, in the same place: killed at each step, a little later each time.
    let mut killed = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let mut child = walk.start(number > 0);
        let began = Instant::now();
        while !walk.steps("began").contains(step) && child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(60), "{step} never began");
            std::thread::sleep(Duration::from_millis(3));
        }
        std::thread::sleep(Duration::from_millis(number as u64 * 53 % 240));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap(); // SIGKILL
        }
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || output.status.signal() == Some(9), "at {step}: {said}");
        if output.status.signal() == Some(9) {
            killed.push(step.clone());
        }
    }
    assert!(killed.len() > steps.len() / 2, "too few were killed: {killed:?}");
    finish(walk.start(true));

    assert_eq!(walk.decisions(), decisions, "two runs with the same keys and dates decide the same");
    assert_eq!(walk.made(), made, "nothing was done twice");
    let ended = walk.steps("ended");
    let mut once = ended.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), ended.len(), "a step ended twice: {ended:?}");
    assert!(empty(&walk.folder.join("cloud")), "something was left in the sandbox");
}

#[test]
fn without_terraform_the_half_that_needs_none_is_walked() {
    if !fixture::has("git", "the half without terraform") {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    // A PATH with git and what git needs, and nothing else.
    let tools = place.path().join("bin");
    fs::create_dir(&tools).unwrap();
    for name in ["git", "sh", "env"] {
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|folder| folder.join(name))
            .find(|path| path.is_file());
        std::os::unix::fs::symlink(found.unwrap(), tools.join(name)).unwrap();
    }
    let output = Command::new(program("trunk_to_live"))
        .args(["--dir".as_ref(), place.path().join("d").as_os_str()])
        .env("PATH", &tools)
        .env_remove("INFRAFLOW_TERRAFORM")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("network/v1.1.0") && said.contains("bump plan"), "{said}");
    assert!(said.to_lowercase().contains("opentofu"), "it says how to get one: {said}");
}

/// A modules repository with a change on its trunk, and a live repository that fetches the modules from an
/// address; both with a remote. What a user of `trunk_to_live --modules-repo --live-repo` has.
fn own(address: impl Fn(&Repo) -> String) -> (Repo, Repo) {
    let modules =
        Repo::with(&[("modules/network/main.tf", NETWORK), ("modules/other/main.tf", NETWORK)]).with_origin();
    for tag in ["network/v1.0.0", "other/v1.0.0"] {
        modules.git(&["tag", "-a", "-m", tag, tag]);
        modules.git(&["push", "-q", "origin", tag]);
    }
    for module in ["network", "other"] {
        let text = NETWORK.replace("var.cidr", "upper(var.cidr)");
        modules.write(&format!("modules/{module}/main.tf"), text);
    }
    modules.commit("feat: upper case");
    modules.git(&["push", "-q", "origin", "main"]);

    let address = address(&modules);
    let live = Repo::empty();
    let rules =
        |name: &str, order: u8| format!("[environments.{name}]\nunits = [\"{name}/**\"]\norder = {order}\n");
    live.write("infraflow.toml", rules("prod", 2) + &rules("dev", 1));
    for environment in ["dev", "prod"] {
        let state = live.folder.path().join(format!("{environment}.tfstate"));
        let unit = format!(
            "terraform {{\n  backend \"local\" {{\n    path = \"{}\"\n  }}\n}}\n\nmodule \"network\" {{\n  source = \"{address}//modules/network?ref=network/v1.0.0\"\n  cidr   = \"{SECRET}\"\n}}\n",
            state.display()
        );
        live.write(&format!("{environment}/network/main.tf"), unit);
    }
    live.commit("feat: begin");
    (modules, live.with_origin())
}

/// Every file below a folder, with its bytes: a repository, its working tree and its remote.
fn bytes_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(bytes_below(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// Plans on one's own repositories, and returns what was said.
#[track_caller]
fn plan_own(modules: &Repo, live: &Repo, more: &[&str], code: i32) -> String {
    let paths =
        ["--modules-repo".as_ref(), modules.path.as_os_str(), "--live-repo".as_ref(), live.path.as_os_str()];
    let output = Command::new(program("trunk_to_live"))
        .args(paths)
        .args(more)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

#[test]
fn ones_own_repositories_are_planned_without_a_byte_written_and_written_to_with_execute() {
    if !fixture::has("terraform", "one's own repositories") {
        return;
    }
    let (modules, live) = own(|modules| format!("git::file://{}", modules.origin().display()));
    let before = [bytes_below(modules.folder.path()), bytes_below(live.folder.path())];
    let said = plan_own(&modules, &live, &[], 0);
    for part in [
        "touched: modules/network",
        "network/v1.1.0 (minor)",
        "dev/network/main.tf:8  network/v1.0.0 -> network/v1.1.0",
        "modules/other is called by no unit of dev",
        "Changes dev/network",
        "create  module.network.terraform_data.net",
        "its sealed log would go below sealed/",
    ] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    assert!(!said.contains("prod/network") && !said.contains(SECRET), "{said}");
    assert!(before == [bytes_below(modules.folder.path()), bytes_below(live.folder.path())], "{said}");

    let said = plan_own(&modules, &live, &["--execute", "--date", "2026-01-31T12:00:00Z"], 0);
    assert!(said.contains("2 tags pushed") && said.contains("Changes dev/network"), "{said}");
    let refs =
        |repo: &Repo| fixture::git_in(&repo.origin(), &["for-each-ref", "--format=%(objecttype) %(refname)"]);
    assert!(refs(&modules).contains("tag refs/tags/network/v1.1.0"), "{}", refs(&modules));
    assert_eq!(refs(&live), "commit refs/heads/bump/dev\ncommit refs/heads/main", "nothing is merged");
    let bumped = fixture::git_in(&live.origin(), &["diff", "--numstat", "main", "bump/dev"]);
    assert_eq!(bumped, "1\t1\tdev/network/main.tf");
    assert!(!live.folder.path().join("dev.tfstate").exists(), "nothing is deployed");
}

#[test]
fn a_rehearsal_fetches_the_unreleased_modules_from_its_own_clone_whatever_their_address() {
    if !fixture::has("terraform", "a rehearsal") {
        return;
    }
    // Nobody answers at this address: what Terraform clones can only be the rehearsal's.
    let (modules, live) = own(|_| "git::https://modules.invalid/acme/modules.git".into());
    let said = plan_own(&modules, &live, &[], 2);
    assert!(said.contains("error: cannot tell how the units fetch the modules"), "{said}");
    let said = plan_own(&modules, &live, &["--environment", "stage"], 2);
    assert!(said.contains("error: cannot bump in stage") && said.contains("it has dev, prod"), "{said}");
    let package = ["--package", "git::https://modules.invalid/acme/modules.git", "--environment", "prod"];
    let said = plan_own(&modules, &live, &package, 0);
    assert!(said.contains("Changes prod/network"), "{said}");

    // A unit that cannot be planned is the answer no.
    live.write("prod/network/bad.tf", "output \"bad\" {\n  value = var.nowhere\n}\n");
    live.commit("feat: bad");
    live.git(&["push", "-q", "origin", "main"]);
    let said = plan_own(&modules, &live, &package, 1);
    assert!(said.contains("Error prod/network"), "{said}");
    // Half of the options is a mistake.
    for half in [&["--live-repo", "."][..], &["--execute"]] {
        let output = Command::new(program("trunk_to_live")).args(half).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
    }
}
