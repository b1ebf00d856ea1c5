use std::os::unix::fs::{PermissionsExt, symlink};

use infraflow_core::git::{Followed, GitError};

use super::{open, path, tree_at, working_tree};
use crate::fixture::{Repo, git_in};

#[test]
fn a_tree_is_written_as_a_checkout_without_git() {
    let other = Repo::with(&[("inner", "1")]);
    let repo = Repo::with(&[("a b/ü.tf", "1"), ("run.sh", "#!/bin/sh\n"), ("deep/er/file", "2")]);
    std::fs::set_permissions(repo.path.join("run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("../../a b", repo.path.join("deep/er/link")).unwrap();
    symlink("not there yet", repo.path.join("dangling")).unwrap();
    repo.git(&["submodule", "--quiet", "add", other.path.to_str().unwrap(), "sub"]);
    repo.commit("more");
    let repository = open(&repo);
    let into = repo.folder.path().join("out/put");
    repository.materialise(&tree_at(&repository, "HEAD"), &into).unwrap();
    std::fs::remove_dir_all(repo.path.join("sub")).unwrap();
    std::fs::create_dir(repo.path.join("sub")).unwrap();
    let difference = std::process::Command::new("diff")
        .args(["--recursive", "--no-dereference", "--exclude=.git"])
        .args([&repo.path, &into])
        .output()
        .unwrap();
    assert!(difference.status.success(), "{}", String::from_utf8_lossy(&difference.stdout));
    assert_eq!(std::fs::metadata(into.join("run.sh")).unwrap().permissions().mode() & 0o111, 0o111);
    assert!(!into.join(".git").exists() && into.join("sub").is_dir());
    let error = repository.materialise(&tree_at(&repository, "HEAD"), &into).unwrap_err();
    assert!(matches!(error, GitError::NotEmpty { .. }), "{error}");
}

#[test]
fn the_working_tree_is_written_with_what_is_not_committed() {
    let repo = Repo::with(&[("a", "1"), ("gone", "1"), (".gitignore", "*.log\n")]);
    repo.write("a", "2");
    repo.write("new/b", "3");
    repo.write("x.log", "ignored");
    repo.remove("gone");
    let repository = open(&repo);
    let into = repo.folder.path().join("out");
    std::fs::create_dir(&into).unwrap();
    repository.materialise(&working_tree(&repository), &into).unwrap();
    assert_eq!(std::fs::read(into.join("a")).unwrap(), b"2");
    assert_eq!(std::fs::read(into.join("new/b")).unwrap(), b"3");
    assert!(!into.join("gone").exists() && !into.join("x.log").exists());
}

#[test]
fn a_link_out_of_the_tree_is_refused_before_anything_is_written() {
    for (target, place) in [
        ("/etc/passwd", "link"),
        ("../outside", "link"),
        ("../../../outside", "dir/sub/link"),
        // By its text this stays inside: d/e/up is a link to d.
        ("d/e/up/../../outside", "link"),
        ("link", "link"),
    ] {
        let repo = Repo::with(&[("a", "1"), ("d/e/f", "1"), ("dir/sub/g", "1")]);
        symlink("..", repo.path.join("d/e/up")).unwrap();
        symlink(target, repo.path.join(place)).unwrap();
        repo.commit("link");
        let repository = open(&repo);
        let into = repo.folder.path().join("out");
        let error = repository.materialise(&tree_at(&repository, "HEAD"), &into).unwrap_err();
        assert!(
            matches!(&error, GitError::BadLink { path: p, .. } if *p == path(place)),
            "{target}: {error}"
        );
        assert!(!into.exists());
    }
}

#[test]
fn links_are_followed_inside_the_tree() {
    let repo = Repo::with(&[("modules/net/main.tf", "1"), ("live/dev/x", "1")]);
    symlink("../../modules/net", repo.path.join("live/dev/module")).unwrap();
    symlink("../dev/module", repo.path.join("live/alias")).unwrap();
    symlink("../nowhere", repo.path.join("live/dangling")).unwrap();
    repo.commit("links");
    let tree = tree_at(&open(&repo), "HEAD");
    let follow = |text: &str| tree.follow(&path(text)).unwrap();
    let main = tree.entry(&path("modules/net/main.tf")).unwrap().unwrap();
    assert_eq!(follow("modules/net/main.tf"), Followed::To(main.clone()));
    assert_eq!(follow("live/dev/module/main.tf"), Followed::To(main));
    assert_eq!(follow("live/alias"), Followed::Nothing(path("dev/module")));
    assert_eq!(follow("live/dangling"), Followed::Nothing(path("nowhere")));
    assert_eq!(follow("live/dev/module/none"), Followed::Nothing(path("modules/net/none")));
}

/// Git itself refuses to write such a tree; an attacker has other tools.
#[test]
fn a_tree_with_a_folder_of_gits_own_is_refused() {
    let repo = Repo::with(&[("a", "1")]);
    let blob = repo.git(&["rev-parse", "HEAD:a"]);
    let raw: Vec<u8> = (0..20).map(|n| u8::from_str_radix(&blob[2 * n..2 * n + 2], 16).unwrap()).collect();
    let write_tree = |name: &str, mode: &str, id: &[u8]| {
        let mut bytes = format!("{mode} {name}\0").into_bytes();
        bytes.extend_from_slice(id);
        std::fs::write(repo.folder.path().join("object"), bytes).unwrap();
        let hash = repo.git(&["hash-object", "-w", "--literally", "-t", "tree", "../object"]);
        (0..20).map(|n| u8::from_str_radix(&hash[2 * n..2 * n + 2], 16).unwrap()).collect::<Vec<u8>>()
    };
    let repository = open(&repo);
    let into = repo.folder.path().join("out");
    let refused = |root: &[u8]| {
        let root: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
        let commit = repo.git(&["commit-tree", "-m", "x", &root]);
        let error = repository.materialise(&tree_at(&repository, &commit), &into).unwrap_err();
        assert!(!into.exists());
        error
    };
    for own in [".git", ".GIT"] {
        let hooks = write_tree("config", "100644", &raw);
        let error = refused(&write_tree(own, "40000", &hooks));
        assert!(matches!(error, GitError::GitsOwnName { .. }), "{error}");
    }
    for bad in ["..", "."] {
        let error = refused(&write_tree(bad, "100644", &raw));
        assert!(matches!(error, GitError::CorruptTree { .. }), "{error}");
    }
    assert!(git_in(&repo.path, &["status", "--porcelain"]).is_empty());
}

#[test]
fn a_folder_that_cannot_be_written_leaves_nothing_behind() {
    let repo = Repo::with(&[("a", "1")]);
    let repository = open(&repo);
    repo.write("file", "x");
    let error =
        repository.materialise(&tree_at(&repository, "HEAD"), repo.path.join("file/below")).unwrap_err();
    assert!(matches!(error, GitError::Io { .. }), "{error}");
}
