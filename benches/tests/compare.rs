//! The side-by-side runner itself, on repositories that are small enough for every test run.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::{io::Write as _, path::Path, process::Command};

#[test]
fn the_side_by_side_runner_measures_affected_and_names_each_peer_that_is_not_there() {
    let test = "the_side_by_side_runner_measures_affected_and_names_each_peer_that_is_not_there";
    let compare = Path::new(env!("CARGO_BIN_EXE_compare"));
    let affected = compare.parent().unwrap().join("examples/affected");
    if !affected.is_file() {
        let skipped = format!("{test} needs the example affected, which is not built");
        eprintln!("skipped: {skipped}");
        if let Some(file) = std::env::var_os("INFRAFLOW_SKIPPED") {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
            writeln!(file, "{skipped}").unwrap();
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(compare)
        .args(["--quick", "--peers"])
        .arg(folder.path())
        .env_remove("INFRAFLOW_TERRAMATE")
        .env_remove("INFRAFLOW_TERRAGRUNT")
        .output()
        .unwrap();
    let (out, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{complaint}");
    for (what, answer) in
        [("git diff --name-status", "right"), ("changed files", "right"), ("affected, cold", "right")]
    {
        let row = out.lines().find(|line| line.starts_with(what)).unwrap_or_else(|| panic!("{what}: {out}"));
        assert!(row.ends_with(answer), "{row}");
    }
    for peer in ["terramate", "terragrunt"] {
        assert!(out.contains(&format!("{peer} v")) && out.contains("is not measured: it is not in"), "{out}");
    }
    assert!(out.contains("2105 files: affected, warm, a new change / git diff --name-status"), "{out}");
}
