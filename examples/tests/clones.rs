//! `affected` in clones that lack something, and with files that somebody else lists: real processes and real
//! git, over `file://` remotes.
#![allow(clippy::unwrap_used, clippy::print_stderr, unreachable_pub)]

#[path = "../../crates/infraflow-core/tests/it/fixture.rs"]
mod fixture;

use std::{
    io::Write as _,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fixture::{Repo, git_in};
use infraflow_core::{git::ChangeKind, impact::Impact, proof::Document as _};

struct Ran {
    code: i32,
    out: Vec<u8>,
    err: String,
    /// The words of each call of git.
    git: Vec<String>,
}

/// Runs `affected` in a folder; what it reads is given, and each call of git is written down.
fn affected(folder: &Path, options: &[&str], input: &[u8]) -> Ran {
    let built =
        std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("examples/affected");
    assert!(built.is_file(), "{} is not built: cargo build --examples", built.display());
    let spy = tempfile::tempdir().unwrap();
    let (log, script) = (spy.path().join("log"), spy.path().join("git"));
    let git = Command::new("sh").args(["-c", "command -v git"]).output().unwrap().stdout;
    let git = String::from_utf8(git).unwrap();
    let text =
        format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{}'\nexec {} \"$@\"\n", log.display(), git.trim());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", spy.path().display(), std::env::var("PATH").unwrap());
    let mut child = Command::new(built)
        .args(options)
        .args(["--no-cache"])
        .current_dir(folder)
        .env("PATH", path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let git = std::fs::read_to_string(log).unwrap_or_default();
    Ran {
        code: output.status.code().unwrap(),
        out: output.stdout,
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        git: git.lines().map(str::to_owned).collect(),
    }
}

impl Ran {
    #[track_caller]
    fn impact(&self) -> Impact {
        assert_eq!(self.code, 0, "{}", self.err);
        Impact::from_json(std::str::from_utf8(&self.out).unwrap()).unwrap()
    }

    fn fetches(&self) -> usize {
        self.git.iter().filter(|words| words.contains(" fetch ")).count()
    }
}

const BACKEND: &str = "terraform {\n  backend \"local\" {}\n}\n";

/// A remote whose branch `feature` changes a module, renames another, and removes a file that a unit reads; 90
/// commits on each side.
fn remote() -> Repo {
    let call = |to: &str| format!("{BACKEND}module \"m\" {{\n  source = \"../../modules/{to}\"\n}}\n");
    let repo = Repo::with(&[
        ("modules/a/main.tf", "# 1\n"),
        ("modules/b/main.tf", "locals {\n  a = 1\n  b = 2\n  c = 3\n}\n"),
        ("modules/b/notes.txt", "1\n"),
        ("live/a/main.tf", &call("a")),
        ("live/b/main.tf", &call("b")),
        ("live/c/main.tf", &format!("{BACKEND}locals {{\n  x = file(\"x.json\")\n}}\n")),
        ("live/c/x.json", "{}"),
        ("live/d/terragrunt.hcl", "locals {\n  all = yamldecode(file(\"../../common/all.yaml\"))\n}\n"),
        ("common/all.yaml", "a: 1\n"),
        ("README.md", "1\n"),
    ]);
    let fill = |name: &str| {
        for n in 0..90 {
            repo.write(name, format!("{n}\n"));
            repo.commit("docs: one more");
        }
    };
    fill("a.md");
    repo.branch("feature");
    repo.write("modules/a/main.tf", "# 2\n");
    repo.git(&["mv", "modules/b/main.tf", "modules/b/other.tf"]);
    repo.write("modules/b/other.tf", "locals {\n  a = 1\n  b = 2\n  c = 4\n}\n");
    repo.remove("live/c/x.json");
    repo.write("common/all.yaml", "a: 2\n");
    repo.commit("feat: change");
    fill("b.md");
    repo.checkout("main");
    repo.write("live/a/new.tf", "# new\n");
    repo.commit("feat: on main");
    let repo = repo.with_origin();
    git_in(&repo.origin(), &["config", "uploadpack.allowFilter", "true"]);
    git_in(&repo.origin(), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    repo
}

fn clone(repo: &Repo, name: &str, options: &[&str]) -> PathBuf {
    let url = format!("file://{}", repo.origin().display());
    let mut words = vec!["clone", "-q", "--branch", "feature"];
    words.extend(options);
    words.extend([url.as_str(), name]);
    git_in(repo.folder.path(), &words);
    repo.folder.path().join(name)
}

const ASK: [&str; 3] = ["--base", "origin/main", "--json"];

#[test]
fn a_shallow_clone_is_refused_or_deepened_and_then_answers_as_a_whole_one() {
    let repo = remote();
    let whole = affected(&clone(&repo, "whole", &[]), &ASK, b"");
    let right = whole.impact();
    assert_eq!(whole.fetches(), 0, "{:?}", whole.git);
    let units: Vec<String> = right.units.iter().map(|unit| unit.id.to_string()).collect();
    assert_eq!(units, ["live/a", "live/b", "live/c", "live/d"]);
    let shallow = clone(&repo, "shallow", &["--depth=1", "--no-single-branch"]);
    let refused = affected(&shallow, &ASK, b"");
    assert_eq!((refused.code, refused.fetches()), (2, 0), "{}", refused.err);
    assert!(refused.err.contains("fetch --unshallow") && refused.err.contains("--deepen"), "{}", refused.err);
    let deepened = affected(&shallow, &[&ASK[..], &["--deepen"]].concat(), b"");
    assert_eq!(deepened.impact(), right);
    assert!((1..=3).contains(&deepened.fetches()), "{:?}", deepened.git);
    // What was fetched stays.
    assert_eq!(affected(&shallow, &ASK, b"").impact(), right);
}

#[test]
fn what_a_partial_clone_left_out_is_fetched_in_one_batch() {
    let repo = remote();
    let right = affected(&clone(&repo, "whole", &[]), &ASK, b"").impact();
    let partial = clone(&repo, "partial", &["--filter=blob:none", "--no-checkout"]);
    let refused = affected(&partial, &[&ASK[..], &["--offline"]].concat(), b"");
    assert_eq!((refused.code, refused.fetches()), (2, 0), "{}", refused.err);
    assert!(refused.err.contains("not in this clone"), "{}", refused.err);
    let found = affected(&partial, &ASK, b"");
    assert_eq!(found.impact(), right);
    // One for all that is told by its name, and one at each end for the file that only a configuration names.
    assert_eq!(found.fetches(), 3, "{:?}", found.git);
    let again = affected(&partial, &ASK, b"");
    assert_eq!((again.impact(), again.fetches()), (right.clone(), 0));
    let bare = clone(&repo, "no-trees", &["--filter=tree:0", "--no-checkout"]);
    let found = affected(&bare, &ASK, b"");
    assert_eq!(found.impact(), right);
    assert!(found.fetches() <= 5, "{:?}", found.git);
}

#[test]
fn a_sparse_partial_clone_answers_for_its_working_tree_too() {
    let repo = remote();
    let whole = clone(&repo, "whole", &[]);
    let sparse = clone(&repo, "sparse", &["--filter=blob:none", "--sparse"]);
    git_in(&sparse, &["sparse-checkout", "set", "modules/b"]);
    assert!(!sparse.join("live").exists());
    for clone in [&whole, &sparse] {
        std::fs::write(clone.join("modules/b/notes.txt"), "2\n").unwrap();
        std::fs::write(clone.join("modules/b/more.tf"), "# new\n").unwrap();
        std::fs::remove_file(clone.join("modules/b/other.tf")).unwrap();
    }
    let ask = [&ASK[..], &["--head", "WORKTREE"]].concat();
    let (right, found) = (affected(&whole, &ask, b"").impact(), affected(&sparse, &ask, b"").impact());
    assert_eq!(found.changes, right.changes);
    assert_eq!(found, right);
}

#[test]
fn changed_files_are_taken_from_a_list_whatever_their_bytes() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let repo = Repo::with(&[
        ("live/a/main.tf", &format!("{BACKEND}locals {{\n  x = fileset(path.module, \"d/*\")\n}}\n")),
        ("live/b/main.tf", BACKEND),
        ("live/b/gone.tf", "# 1\n"),
        ("live/c/main.tf", BACKEND),
    ]);
    repo.branch("feature");
    let odd: &[u8] = b"live/a/d/\xff\n\"\t\xe4.txt";
    std::fs::create_dir_all(repo.path.join("live/a/d")).unwrap();
    std::fs::write(repo.path.join(OsStr::from_bytes(odd)), "1").unwrap();
    repo.remove("live/b/gone.tf");
    repo.commit("feat: change");
    let list = Command::new("git")
        .args(["diff", "--name-only", "--no-renames", "-z", "main...HEAD"])
        .current_dir(&repo.path)
        .output()
        .unwrap()
        .stdout;
    assert!(list.windows(odd.len()).any(|window| window == odd));
    let ask = ["--base", "main", "--json", "--changed-files0", "-"];
    let found = affected(&repo.path, &ask, &list).impact();
    let said: Vec<(String, ChangeKind)> =
        found.changes.iter().map(|change| (change.path.to_string(), change.kind)).collect();
    assert_eq!(
        said,
        [
            ("live/a/d/%FF\n\"\t%E4.txt".to_owned(), ChangeKind::Added),
            ("live/b/gone.tf".to_owned(), ChangeKind::Deleted)
        ]
    );
    let units: Vec<String> = found.units.iter().map(|unit| unit.id.to_string()).collect();
    assert_eq!(units, ["live/a", "live/b"]);
    // The same as by comparing.
    let compared = affected(&repo.path, &["--base", "main", "--json"], b"").impact();
    assert_eq!((compared.units, compared.changes), (found.units, found.changes));
    for drawing in ["mermaid", "dot"] {
        let drawn = affected(&repo.path, &["--base", "main", "--graph", drawing], b"");
        assert!(drawn.code == 0 && std::str::from_utf8(&drawn.out).is_ok_and(|text| text.contains("live/a")));
    }
    for bad in [&b"../outside\0"[..], b"/etc/passwd\0", b"live\0"] {
        let refused = affected(&repo.path, &ask, bad);
        assert!(refused.code == 2 && refused.err.starts_with("error: cannot "), "{}", refused.err);
    }
    // What is in neither revision is told, and is no error: the list may be of a forge that knows more.
    let unknown = affected(&repo.path, &ask, b"live/c/never.tf").impact();
    assert!(unknown.warnings.iter().any(|text| text.contains("live/c/never.tf")), "{:?}", unknown.warnings);
    assert_eq!(affected(&repo.path, &ask, b"").impact().units, []);
}

#[test]
fn all_chains_are_shown_to_people() {
    let call = |name: &str, to: &str| format!("module \"{name}\" {{\n  source = \"{to}\"\n}}\n");
    let both = format!("{BACKEND}{}{}", call("one", "../../modules/m"), call("two", "../../modules/m"));
    let repo = Repo::with(&[("modules/m/main.tf", "# 1\n"), ("live/a/main.tf", &both)]);
    repo.branch("feature");
    repo.write("modules/m/main.tf", "# 2\n");
    repo.commit("feat: change");
    let shown = affected(&repo.path, &["--base", "main", "--reasons", "all"], b"");
    let text = String::from_utf8(shown.out).unwrap();
    assert!(
        text.contains("live/a/main.tf:4:1 module.one") && text.contains("live/a/main.tf:7:1 module.two"),
        "{text}"
    );
}
