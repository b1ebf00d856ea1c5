//! The whole road, killed at every step: a second process goes on where the first one died, nothing is done
//! twice, and two runs with the same keys and dates decide the same.
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

use serde_json::Value;

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
