//! The mistakes of other tools that ours does not make, each by its name. What Terragrunt gets wrong stands in
//! `terragrunt.rs`; here stands what Terramate gets wrong, and what nobody answers.
//!
//! `INFRAFLOW_TERRAMATE` and `INFRAFLOW_TERRAGRUNT` name the programs: then each answer that is wrong is shown
//! to be given, by the real tool. Where they are not named, that half is skipped, and said to be.

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use infraflow_core::{
    catalog::{Catalog, CatalogRules},
    detect::{ChangeDetector, GitDetector},
    git::{Repository, Revision},
    impact::{Impact, assess},
};

use crate::{
    catalog::dialects,
    fixture::{self, Repo},
    impact::{impact_with, units},
};

const STACK: &str = "stack {\n}\n";
const ONE: &str = "output \"v\" {\n  value = 1\n}\n";
const TWO: &str = "output \"v\" {\n  value = 2\n}\n";

fn calls(source: &str) -> String {
    format!("module \"m\" {{\n  source = \"{source}\"\n}}\n")
}

/// What Terramate lists as changed: `Err` with what it says where it refuses; `None` where no program is named.
fn terramate(repo: &Repo, test: &str) -> Option<Result<BTreeSet<String>, String>> {
    let Some(program) = std::env::var_os("INFRAFLOW_TERRAMATE").map(PathBuf::from) else {
        eprintln!("skipped: what Terramate answers in {test}, for INFRAFLOW_TERRAMATE names no program");
        return None;
    };
    let mut command = Command::new(program);
    command.args(["list", "--changed", "--git-change-base", "main"]).current_dir(&repo.path);
    command.envs([("CHECKPOINT_DISABLE", "1"), ("TM_DISABLE_TELEMETRY", "1"), ("HOME", "/nonexistent")]);
    let output = command.output().unwrap();
    if !output.status.success() {
        return Some(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Some(Ok(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()))
}

/// A repository on a branch, changed and committed.
fn changed(files: &[(&str, &str)], change: impl FnOnce(&Repo)) -> Repo {
    let repo = Repo::with(files);
    repo.branch("feature");
    change(&repo);
    repo.commit("feat: change");
    repo
}

fn ours(repo: &Repo) -> Impact {
    impact_with(repo, &CatalogRules::default())
}

/// What the peer misses of the right answer, where it answers at all.
fn misses(repo: &Repo, test: &str, missed: &[&str]) {
    if let Some(Ok(listed)) = terramate(repo, test) {
        for unit in missed {
            assert!(!listed.contains(*unit), "{test}: Terramate has learned it: {listed:?}");
        }
    }
}

#[test]
fn terramate_takes_two_directories_of_one_source_text_for_one() {
    let test = "terramate_takes_two_directories_of_one_source_text_for_one";
    let repo = changed(
        &[
            ("s/stack.tm", STACK),
            ("s/main.tf", &calls("../modules/top")),
            (
                "modules/top/a.tf",
                "module \"a\" {\n  source = \"./x\"\n}\nmodule \"b\" {\n  source = \"./y\"\n}\n",
            ),
            ("modules/top/x/main.tf", "module \"in\" {\n  source = \"./inner\"\n}\n"),
            ("modules/top/x/inner/main.tf", ONE),
            ("modules/top/y/main.tf", "module \"in\" {\n  source = \"./inner\"\n}\n"),
            ("modules/top/y/inner/main.tf", "module \"far\" {\n  source = \"../../../far\"\n}\n"),
            ("modules/far/main.tf", ONE),
        ],
        |repo| repo.write("modules/far/main.tf", TWO),
    );
    assert_eq!(units(&ours(&repo)), ["s"]);
    misses(&repo, test, &["s"]);
}

#[test]
fn terramate_does_not_read_calls_in_json() {
    let test = "terramate_does_not_read_calls_in_json";
    let repo = changed(
        &[
            ("s/stack.tm", STACK),
            ("s/main.tf.json", "{\"module\": {\"m\": {\"source\": \"../modules/m\"}}}\n"),
            ("modules/m/main.tf", ONE),
        ],
        |repo| repo.write("modules/m/main.tf", TWO),
    );
    assert_eq!(units(&ours(&repo)), ["s"]);
    misses(&repo, test, &["s"]);
}

#[test]
fn terramate_does_not_know_the_paths_that_git_quotes() {
    let test = "terramate_does_not_know_the_paths_that_git_quotes";
    for name in ["modül", "a\"b", "a\tb"] {
        let file = format!("modules/{name}/main.tf");
        let source = calls(&format!("../modules/{}", name.replace('"', "\\\"").replace('\t', "\\t")));
        let own = format!("t/{name}.tf");
        let repo = changed(
            &[
                ("s/stack.tm", STACK),
                ("s/main.tf", &source),
                ("t/stack.tm", STACK),
                (&file, ONE),
                (&own, ONE),
            ],
            |repo| {
                repo.write(&file, TWO);
                repo.write(&own, TWO);
            },
        );
        assert_eq!(units(&ours(&repo)), ["s", "t"], "{name:?}");
        misses(&repo, test, &["s", "t"]);
    }
}

#[cfg(unix)]
#[test]
fn terramate_panics_where_a_module_is_a_link() {
    let test = "terramate_panics_where_a_module_is_a_link";
    let repo = changed(
        &[("s/stack.tm", STACK), ("s/main.tf", &calls("../linked")), ("modules/m/main.tf", ONE)],
        |repo| repo.write("modules/m/main.tf", TWO),
    );
    // The link stands on both sides.
    repo.checkout("main");
    std::os::unix::fs::symlink("modules/m", repo.path.join("linked")).unwrap();
    repo.commit("feat: a link");
    repo.git(&["checkout", "-q", "feature"]);
    repo.git(&["rebase", "-q", "main"]);
    assert_eq!(units(&ours(&repo)), ["s"]);
    if let Some(answer) = terramate(&repo, test) {
        assert!(answer.is_err() || !answer.unwrap().contains("s"));
    }
}

#[test]
fn terramate_does_not_see_files_outside_of_the_called_directory() {
    let test = "terramate_does_not_see_files_outside_of_the_called_directory";
    let repo = changed(
        &[
            ("s/stack.tm", STACK),
            ("s/main.tf", "locals {\n  p = file(\"${path.module}/../shared/policy.json\")\n}\n"),
            ("t/stack.tm", STACK),
            ("t/main.tf", &calls("../modules/m")),
            ("modules/m/main.tf", "locals {\n  p = file(\"${path.module}/../../shared/policy.json\")\n}\n"),
            ("shared/policy.json", "{}"),
        ],
        |repo| repo.write("shared/policy.json", "[]"),
    );
    assert_eq!(units(&ours(&repo)), ["s", "t"]);
    misses(&repo, test, &["s", "t"]);
}

#[test]
fn nobody_follows_a_git_source_that_points_back() {
    let test = "nobody_follows_a_git_source_that_points_back";
    let repo = Repo::with(&[
        ("s/stack.tm", STACK),
        ("s/main.tf", &calls("git::https://example.com/acme/infra.git//modules/m")),
        ("t/stack.tm", STACK),
        ("t/main.tf", &calls("git::https://example.com/acme/infra.git//modules/m?ref=v1.0.0")),
        (
            "u/terragrunt.hcl",
            "terraform {\n  source = \"git::https://example.com/acme/infra.git//modules/m\"\n}\n",
        ),
        ("modules/m/main.tf", ONE),
    ]);
    repo.git(&["remote", "add", "origin", "https://example.com/acme/infra.git"]);
    repo.branch("feature");
    repo.write("modules/m/main.tf", TWO);
    repo.commit("feat: change");
    // What is pinned gets the change when its ref is raised.
    assert_eq!(units(&ours(&repo)), ["s", "u"]);
    misses(&repo, test, &["s"]);
    if let Some(listed) = terragrunt(&repo, test) {
        assert!(!listed.contains("u"), "{listed:?}");
    }
}

/// The units that Terragrunt finds changed; `None` where no program is named, or it refuses.
fn terragrunt(repo: &Repo, test: &str) -> Option<BTreeSet<String>> {
    let Some(program) = std::env::var_os("INFRAFLOW_TERRAGRUNT").map(PathBuf::from) else {
        eprintln!("skipped: what Terragrunt answers in {test}, for INFRAFLOW_TERRAGRUNT names no program");
        return None;
    };
    let mut command = Command::new(program);
    command.args(["find", "--filter", "[main...feature]"]).current_dir(&repo.path);
    let output = command.env("HOME", repo.folder.path()).output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| text.lines().map(str::to_owned).collect())
}

#[test]
fn terramate_does_not_see_submodules_and_version_files() {
    let test = "terramate_does_not_see_submodules_and_version_files";
    let module = Repo::with(&[("net/main.tf", ONE)]);
    let repo = Repo::with(&[
        ("s/stack.tm", STACK),
        ("s/main.tf", &calls("../vendor/m/net")),
        ("live/.terraform-version", "1.10.0\n"),
        ("live/t/stack.tm", STACK),
        ("live/t/main.tf", ONE),
    ]);
    repo.git(&["submodule", "add", "-q", module.path.to_str().unwrap(), "vendor/m"]);
    repo.commit("feat: a submodule");
    repo.branch("feature");
    module.write("net/main.tf", TWO);
    module.commit("feat: change");
    fixture::git_in(&repo.path.join("vendor/m"), &["pull", "-q", "origin", "main"]);
    repo.commit("feat: the submodule's change");
    assert_eq!(units(&ours(&repo)), ["s"]);
    misses(&repo, test, &["s"]);

    repo.git(&["checkout", "-q", "-b", "versions", "main"]);
    // A checkout leaves the submodule where it was, and the next commit would take it along.
    fixture::git_in(&repo.path.join("vendor/m"), &["checkout", "-q", "HEAD~1"]);
    repo.write("live/.terraform-version", "1.11.0\n");
    repo.commit("feat: another version");
    assert_eq!(units(&ours(&repo)), ["live/t"]);
    misses(&repo, test, &["live/t"]);
}

#[test]
fn terramate_does_not_see_what_is_staged_or_deleted() {
    let test = "terramate_does_not_see_what_is_staged_or_deleted";
    let repo = Repo::with(&[
        ("s/stack.tm", STACK),
        ("s/main.tf", ONE),
        ("t/stack.tm", STACK),
        ("t/main.tf", ONE),
        ("t/gone.tf", "locals {\n}\n"),
    ]);
    repo.branch("feature");
    repo.write("s/main.tf", TWO);
    repo.git(&["add", "s/main.tf"]);
    repo.remove("t/gone.tf");
    let repository = Repository::open(&repo.path).unwrap();
    let main = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("WORKTREE").unwrap();
    let changes = GitDetector::new().detect(&repository, &main, &head).unwrap();
    let build = |revision: &Revision| {
        let tree = repository.tree(revision).unwrap();
        Catalog::build(&tree, &dialects(), &CatalogRules::default()).unwrap()
    };
    let base = build(&Revision::Commit(changes.merge_base));
    assert_eq!(units(&assess(&changes, &base, &build(&head)).unwrap()), ["s", "t"]);
    misses(&repo, test, &["s", "t"]);
}

#[test]
fn terramate_takes_a_readme_a_test_or_a_mode_for_a_change_of_dependents() {
    let test = "terramate_takes_a_readme_a_test_or_a_mode_for_a_change_of_dependents";
    let files: &[(&str, &str)] = &[
        ("s/stack.tm", STACK),
        ("s/main.tf", &calls("../modules/m")),
        ("modules/m/main.tf", ONE),
        ("modules/m/README.md", "x\n"),
        ("modules/m/tests/a.tftest.hcl", "run \"a\" {\n}\n"),
    ];
    for (what, change) in [
        ("a README", &(|repo: &Repo| repo.write("modules/m/README.md", "y\n")) as &dyn Fn(&Repo)),
        ("a test", &|repo: &Repo| repo.write("modules/m/tests/a.tftest.hcl", "run \"b\" {\n}\n")),
        ("a mode", &|repo: &Repo| {
            let status = Command::new("chmod").arg("+x").arg(repo.path.join("modules/m/main.tf")).status();
            assert!(status.unwrap().success());
        }),
    ] {
        let repo = changed(files, change);
        assert_eq!(units(&ours(&repo)), [""; 0], "{what}");
        if let Some(answer) = terramate(&repo, test) {
            assert!(answer.unwrap().contains("s"), "{what}: Terramate has learned it");
        }
    }
}

#[test]
fn nobody_says_which_tests_of_a_module_to_run() {
    let repo = changed(
        &[
            ("s/stack.tm", STACK),
            ("s/main.tf", &calls("../modules/m")),
            ("modules/m/main.tf", &calls("./inner")),
            ("modules/m/inner/main.tf", ONE),
            ("modules/m/tests/a.tftest.hcl", "run \"a\" {\n}\n"),
            ("modules/m/examples/simple/main.tf", &calls("../..")),
            ("modules/other/main.tf", ONE),
            ("modules/other/tests/b.tftest.hcl", "run \"b\" {\n}\n"),
        ],
        |repo| repo.write("modules/m/inner/main.tf", TWO),
    );
    let impact = ours(&repo);
    assert_eq!(units(&impact), ["s"]);
    let cases: Vec<String> = impact.cases.iter().map(|case| case.path.to_string()).collect();
    assert_eq!(cases, ["modules/m/examples/simple", "modules/m/tests/a.tftest.hcl"]);
}

#[test]
fn terramate_fails_as_a_whole_over_one_broken_file_or_one_caller_of_nothing() {
    let test = "terramate_fails_as_a_whole_over_one_broken_file_or_one_caller_of_nothing";
    for (what, path, text) in [
        ("a broken file", "broken/main.tf", "module \"m\" {\n  source = \n"),
        ("a caller of nothing", "stale/main.tf", "module \"m\" {\n  source = \"../modules/gone\"\n}\n"),
        ("a broken file of its own", "far/globals.tm", "globals {\n  a = [\n}\n"),
    ] {
        let stack = format!("{}/stack.tm", path.split('/').next().unwrap());
        let repo =
            changed(&[(path, text), (&stack, STACK), ("s/stack.tm", STACK), ("s/main.tf", ONE)], |repo| {
                repo.write("s/main.tf", TWO)
            });
        assert_eq!(units(&ours(&repo)), ["s"], "{what}");
        if let Some(answer) = terramate(&repo, test) {
            assert!(answer.is_err(), "{what}: Terramate has learned it: {answer:?}");
        }
    }
}

#[test]
fn terramate_does_not_report_deleted_stacks() {
    let test = "terramate_does_not_report_deleted_stacks";
    let repo = changed(
        &[
            ("gone/stack.tm", STACK),
            ("gone/main.tf", ONE),
            ("old/stack.tm", "stack {\n  id = \"kept\"\n}\n"),
            (
                "old/main.tf",
                "terraform {\n  backend \"s3\" {\n    key = \"one\"\n  }\n}\noutput \"long\" {\n  value = \"a long enough text to be found again\"\n}\n",
            ),
        ],
        |repo| {
            repo.git(&["rm", "-q", "-r", "gone"]);
            repo.git(&["mv", "old", "new"]);
        },
    );
    let impact = ours(&repo);
    let gone: Vec<String> = impact.removed_units.iter().map(|unit| unit.path.to_string()).collect();
    assert_eq!(gone, ["gone", "old"]);
    assert_eq!(units(&impact), ["new"]);
    misses(&repo, test, &["gone", "old"]);
}

#[test]
fn a_merge_base_of_a_shallow_clone_is_deepened_or_refused_and_never_an_older_one() {
    // main: a - b - c; feature leaves at b. A clone of depth 1 of both has no common commit, and one in which
    // a graft ends a line early can have a wrong one.
    let repo =
        Repo::with(&[("s/stack.tm", STACK), ("s/main.tf", ONE), ("t/stack.tm", STACK), ("t/main.tf", ONE)]);
    repo.write("t/main.tf", TWO);
    repo.commit("feat: on main, before the branch");
    repo.branch("feature");
    repo.write("s/main.tf", TWO);
    repo.commit("feat: on the branch");
    repo.checkout("main");
    repo.write("x", "1");
    repo.commit("feat: on main, after");
    let repo = repo.with_origin();
    let clone = repo.folder.path().join("shallow");
    let url = format!("file://{}", repo.origin().display());
    fixture::git_in(
        repo.folder.path(),
        &[
            "clone",
            "-q",
            "--depth",
            "1",
            "--no-single-branch",
            "--branch",
            "feature",
            &url,
            clone.to_str().unwrap(),
        ],
    );
    let repository = Repository::open(&clone).unwrap();
    assert!(repository.is_shallow().unwrap());
    let main = Revision::Commit(repository.resolve("origin/main").unwrap());
    let head = repository.revision("HEAD").unwrap();
    let refused = GitDetector::new().detect(&repository, &main, &head);
    let told = refused.expect_err("a base that nobody can be certain of").to_string();
    assert!(told.contains("shallow") || told.contains("deepen") || told.contains("unshallow"), "{told}");
    fixture::git_in(&clone, &["fetch", "-q", "--unshallow"]);
    let repository = Repository::open(&clone).unwrap();
    let changes = GitDetector::new().detect(&repository, &main, &head).unwrap();
    let paths: Vec<String> = changes.changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(paths, ["s/main.tf"]);
}
