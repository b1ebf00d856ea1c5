//! Objects that git itself would not write, and objects that are not there.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use super::{BACKEND, fixture::Repo, import::ask};

/// Writes an object as it is, and returns its id.
fn write(repo: &Repo, kind: &str, bytes: &[u8]) -> String {
    let mut child = Command::new("git")
        .args(["hash-object", "-w", "--literally", "--stdin", "-t", kind])
        .current_dir(&repo.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn item(mode: &str, name: &str, id: &str) -> Vec<u8> {
    let mut bytes = format!("{mode} {name}\0").into_bytes();
    bytes.extend((0..20).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap()));
    bytes
}

/// A repository whose branch `feature` has this tree.
fn with_tree(tree: impl FnOnce(&Repo) -> String) -> Repo {
    let repo = Repo::with(&[("live/a/main.tf", BACKEND)]);
    let tree = tree(&repo);
    commit(&repo, &tree);
    repo
}

fn commit(repo: &Repo, tree: &str) {
    let parent = repo.git(&["rev-parse", "main"]);
    let who = "Ada <ada@example.com> 1767225600 +0000";
    let text = format!("tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\nfeat: it\n");
    let id = write(repo, "commit", text.as_bytes());
    std::fs::write(repo.path.join(".git/refs/heads/feature"), format!("{id}\n")).unwrap();
}

#[test]
fn directories_that_git_would_not_write_are_refused_by_what_is_wrong() {
    for (names, why) in [
        (&[".."][..], "it holds the name \"..\""),
        (&["."], "it holds the name \".\""),
        (&["a/../../b.tf"], "it holds the name"),
        (&[""], "it holds the name"),
        (&["a.tf", "a.tf"], "is out of order"),
        (&["b.tf", "a.tf"], "is out of order"),
    ] {
        let repo = with_tree(|repo| {
            let blob = write(repo, "blob", b"# 1\n");
            let bytes: Vec<u8> = names.iter().flat_map(|name| item("100644", name, &blob)).collect();
            write(repo, "tree", &bytes)
        });
        ask(&repo).refused(why);
    }
}

#[test]
fn names_that_a_checkout_would_refuse_are_only_names() {
    let repo = with_tree(|repo| {
        let blob = write(repo, "blob", b"#!/bin/sh\ntouch x\n");
        let hooks = write(repo, "tree", &item("100755", "post-checkout", &blob));
        let git = write(repo, "tree", &item("40000", "hooks", &hooks));
        let main = write(repo, "blob", format!("{BACKEND}# 2\n").as_bytes());
        let unit = write(repo, "tree", &item("100644", "main.tf", &main));
        let live = write(repo, "tree", &item("40000", "a", &unit));
        write(repo, "tree", &[item("40000", ".git", &git), item("40000", "live", &live)].concat())
    });
    assert_eq!(ask(&repo).units(), ["live/a"]);
}

#[test]
fn a_tree_that_unfolds_to_billions_of_files_is_refused() {
    let repo = with_tree(|repo| {
        let blob = write(repo, "blob", b"# 1\n");
        let names: Vec<String> = (0..10).map(|n| format!("d{n}")).collect();
        let mut tree = {
            let files: Vec<u8> = names.iter().flat_map(|name| item("100644", name, &blob)).collect();
            write(repo, "tree", &files)
        };
        for _ in 0..10 {
            let below: Vec<u8> = names.iter().flat_map(|name| item("40000", name, &tree)).collect();
            tree = write(repo, "tree", &below);
        }
        tree
    });
    ask(&repo).refused("the number of files exceeds the bound");
}

#[test]
fn a_tree_of_ten_thousand_levels_is_refused() {
    let repo = with_tree(|repo| {
        let blob = write(repo, "blob", b"# 1\n");
        let mut tree = write(repo, "tree", &item("100644", "main.tf", &blob));
        for _ in 0..2_500 {
            tree = write(repo, "tree", &item("40000", "a", &tree));
        }
        tree
    });
    ask(&repo).refused("the length of a path");
}

#[test]
fn a_commit_whose_tree_is_not_there_and_one_whose_tree_is_a_file() {
    let repo = with_tree(|_| "0123456789012345678901234567890123456789".to_owned());
    ask(&repo).refused("not in this clone");
    let repo = with_tree(|repo| write(repo, "blob", b"# 1\n"));
    ask(&repo).refused("cannot ");
}

#[test]
fn files_that_are_not_there_or_damaged_are_told_by_their_ids() {
    let repo = Repo::with(&[("live/a/main.tf", BACKEND), ("live/b/main.tf", BACKEND)]);
    repo.branch("feature");
    repo.write("live/a/main.tf", format!("{BACKEND}# 2\n"));
    repo.commit("feat: change");
    let id = repo.git(&["rev-parse", "HEAD:live/a/main.tf"]);
    let object = repo.path.join(".git/objects").join(&id[..2]).join(&id[2..]);
    let replace = |bytes: &[u8]| {
        std::fs::remove_file(&object).unwrap();
        std::fs::write(&object, bytes).unwrap();
    };
    replace(b"garbage");
    ask(&repo).refused(&id[..10]);
    replace(b"");
    ask(&repo).refused(&id[..10]);
    std::fs::remove_file(&object).unwrap();
    ask(&repo).refused(&id[..10]);
}
