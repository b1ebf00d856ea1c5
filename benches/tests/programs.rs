//! The programs that measure, on repositories that are small enough for every test run.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use infraflow_benches::workload::{Checkout, Flavour, Workload};

/// An example program that cargo built beside this; where it did not, the test is reported as skipped.
fn example(name: &str, test: &str) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_BIN_EXE_compare")).parent().unwrap().join("examples").join(name);
    if program.is_file() {
        return Some(program);
    }
    let skipped = format!("{test} needs the example {name}, which is not built");
    eprintln!("skipped: {skipped}");
    if let Some(file) = std::env::var_os("INFRAFLOW_SKIPPED") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
        writeln!(file, "{skipped}").unwrap();
    }
    None
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{complaint}");
    out.into_owned()
}

#[test]
fn the_side_by_side_runner_measures_affected_and_names_each_peer_that_is_not_there() {
    let test = "the_side_by_side_runner_measures_affected_and_names_each_peer_that_is_not_there";
    let Some(affected) = example("affected", test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = run(Command::new(env!("CARGO_BIN_EXE_compare"))
        .args(["--quick", "--affected"])
        .arg(affected)
        .arg("--peers")
        .arg(folder.path())
        .env_remove("INFRAFLOW_TERRAMATE")
        .env_remove("INFRAFLOW_TERRAGRUNT"));
    for what in ["git diff --name-status", "changed files", "affected, cold"] {
        let row = out.lines().find(|line| line.starts_with(what)).unwrap_or_else(|| panic!("{what}: {out}"));
        assert!(row.ends_with("right"), "{row}");
    }
    for peer in ["terramate", "terragrunt"] {
        assert!(out.contains(&format!("{peer} v")) && out.contains("is not measured: it is not in"), "{out}");
    }
    assert!(out.contains("2105 files: affected, warm, a new change / git diff --name-status"), "{out}");
}

#[test]
fn a_replay_tells_what_each_commit_touched_and_how_long_it_took() {
    let Some(replay) = example("replay", "a_replay_tells_what_each_commit_touched_and_how_long_it_took")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let workload = Workload { modules: 30, flavour: Flavour::Terraform };
    workload.write(folder.path(), Checkout::Nothing).unwrap();
    let command = |words: &[&str]| run(Command::new(&replay).arg("--repo").arg(folder.path()).args(words));
    let table = command(&[]);
    assert!(table.starts_with("1 commits, 0 failed\n"), "{table}");
    assert!(table.contains("fix: one base"), "{table}");
    let told: serde_json::Value = serde_json::from_str(&command(&["--json", "--commits", "3"])).unwrap();
    assert_eq!(
        (told["commits"][0]["units"].as_u64(), told["commits"].as_array().unwrap().len()),
        (Some(3), 1)
    );
}
