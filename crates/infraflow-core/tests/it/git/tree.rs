use infraflow_core::git::{GitError, Mode};

use super::{open, path, tree_at};
use crate::fixture::Repo;

#[test]
fn a_tree_is_read_without_a_checkout() {
    let repo = Repo::with(&[("modules/net work/main.tf", "x"), ("modules/ünï/a.tf", "y"), ("top", "z")]);
    std::os::unix::fs::symlink("../../etc/passwd", repo.path.join("modules/link")).unwrap();
    repo.git(&["update-index", "--chmod=+x", "top"]);
    repo.git(&["add", "-A"]);
    repo.git(&["update-index", "--chmod=+x", "top"]);
    repo.git(&["commit", "-qm", "link"]);
    let tree = tree_at(&open(&repo), "HEAD");
    let walked: Vec<_> =
        tree.walk(&path(".")).unwrap().into_iter().map(|e| (e.path.to_string(), e.mode)).collect();
    assert_eq!(
        walked,
        [
            ("modules/link".to_owned(), Mode::Link),
            ("modules/net work/main.tf".to_owned(), Mode::File),
            ("modules/ünï/a.tf".to_owned(), Mode::File),
            ("top".to_owned(), Mode::Executable),
        ]
    );
    let listed: Vec<_> =
        tree.list(&path("modules")).unwrap().into_iter().map(|e| e.path.to_string()).collect();
    assert_eq!(listed, ["modules/link", "modules/net work", "modules/ünï"]);
    assert_eq!(tree.read(&path("modules/net work/main.tf")).unwrap().unwrap(), b"x");
    assert_eq!(tree.walk(&path("modules/ünï")).unwrap().len(), 1);
    assert!(tree.list(&path("top")).unwrap().is_empty());
    assert!(tree.walk(&path("nothing/there")).unwrap().is_empty());
    assert_eq!(tree.entry(&path(".")).unwrap().unwrap().id, tree.id().object());
}

#[test]
fn a_link_is_not_followed_and_says_where_it_points() {
    let repo = Repo::with(&[("dir/file", "x")]);
    std::os::unix::fs::symlink("/etc/passwd", repo.path.join("out")).unwrap();
    std::os::unix::fs::symlink("dir", repo.path.join("in")).unwrap();
    repo.commit("links");
    let tree = tree_at(&open(&repo), "HEAD");
    assert_eq!(tree.read(&path("out")).unwrap(), None);
    assert_eq!(tree.link_target(&path("out")).unwrap().unwrap(), b"/etc/passwd");
    assert_eq!(tree.entry(&path("in/file")).unwrap(), None);
    assert_eq!(tree.read(&path("dir")).unwrap(), None);
    assert_eq!(tree.link_target(&path("dir/file")).unwrap(), None);
}

#[test]
fn a_submodule_is_an_entry_without_content() {
    let other = Repo::with(&[("inner", "x")]);
    let repo = Repo::with(&[("a", "1")]);
    repo.git(&["submodule", "--quiet", "add", other.path.to_str().unwrap(), "sub"]);
    repo.commit("submodule");
    let tree = tree_at(&open(&repo), "HEAD");
    let entry = tree.entry(&path("sub")).unwrap().unwrap();
    assert_eq!(entry.mode, Mode::Submodule);
    assert_eq!(entry.id.to_string(), other.git(&["rev-parse", "HEAD"]));
    assert_eq!(tree.read(&path("sub")).unwrap(), None);
    assert_eq!(tree.entry(&path("sub/inner")).unwrap(), None);
    assert!(tree.walk(&path("sub")).unwrap().is_empty());
}

#[test]
fn paths_that_are_no_utf8_are_read() {
    use std::os::unix::ffi::OsStrExt;
    let repo = Repo::empty();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.tf");
    std::fs::write(repo.path.join(name), "x").unwrap();
    repo.commit("latin");
    let tree = tree_at(&open(&repo), "HEAD");
    let entries = tree.walk(&path(".")).unwrap();
    assert_eq!(entries[0].path.to_string(), "caf%E9.tf");
    assert_eq!(tree.read_entry(&entries[0]).unwrap(), b"x");
}

/// A few kilobytes that unfold to ten thousand million files.
#[test]
fn a_tree_made_to_exhaust_its_readers_is_refused() {
    use std::process::{Command, Stdio};
    let repo = Repo::with(&[("a", "1")]);
    let mktree = |text: String| {
        let mut child = Command::new("git")
            .arg("mktree")
            .current_dir(&repo.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let blob = repo.git(&["rev-parse", "HEAD:a"]);
    let mut id = mktree((0..10).map(|n| format!("100644 blob {blob}\tf{n}\n")).collect());
    for _ in 0..9 {
        id = mktree((0..10).map(|n| format!("040000 tree {id}\td{n}\n")).collect());
    }
    let commit = repo.git(&["commit-tree", "-m", "bomb", "-p", "HEAD", &id]);
    let repository = open(&repo);
    let bomb = tree_at(&repository, &commit);
    assert!(matches!(bomb.walk(&path(".")).unwrap_err(), GitError::TooMany { .. }));
    let error = repository.compare(&tree_at(&repository, "HEAD"), &bomb).unwrap_err();
    assert!(matches!(error, GitError::TooMany { .. }), "{error}");
    assert_eq!(bomb.read(&path("d0/d1/d2/d3/d4/d5/d6/d7/d8/f9")).unwrap().unwrap(), b"1");
}
