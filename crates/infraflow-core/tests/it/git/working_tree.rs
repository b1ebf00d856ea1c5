use infraflow_core::git::{GitError, Mode, Revision};

use super::{Dice, git_diff, open, our_diff, path, tree_at, working_tree};
use crate::fixture::{Repo, git_output};

#[test]
fn staged_unstaged_and_untracked_files_are_seen_and_ignored_ones_are_not() {
    let repo = Repo::with(&[
        (".gitignore", "*.log\nbuild/\n"),
        ("staged", "1"),
        ("unstaged", "1"),
        ("removed", "1"),
        ("removed and staged", "1"),
        ("untracked again", "1"),
        ("kept/deep/file", "1"),
    ]);
    repo.write("staged", "2");
    repo.git(&["add", "staged"]);
    repo.write("staged anew", "2");
    repo.git(&["add", "staged anew"]);
    repo.write("unstaged", "2");
    repo.remove("removed");
    repo.git(&["rm", "-q", "removed and staged"]);
    repo.git(&["rm", "-q", "--cached", "untracked again"]);
    repo.write("new dir/ünï", "3");
    repo.write("x.log", "ignored");
    repo.write("build/out", "ignored");
    let repository = open(&repo);
    let (head, disk) = (tree_at(&repository, "HEAD"), working_tree(&repository));
    assert!(disk.revision().is_working_tree());
    assert_eq!(
        our_diff(&repository, &head, &disk),
        [
            "added new dir/ünï",
            "added staged anew",
            "deleted removed",
            "deleted removed and staged",
            "modified staged",
            "modified unstaged",
        ]
    );
    assert_eq!(disk.read(&path("new dir/ünï")).unwrap().unwrap(), b"3");
    assert_eq!(disk.read(&path("untracked again")).unwrap().unwrap(), b"1");
    assert_eq!(disk.read(&path("removed")).unwrap(), None);
    assert_eq!(disk.read(&path("kept/deep/file")).unwrap().unwrap(), b"1");
    // The id is the one that a commit of all this has.
    repo.commit("all of it");
    assert_eq!(disk.id(), tree_at(&repository, "HEAD").id());
}

#[test]
fn a_clean_working_tree_is_the_tree_of_its_commit() {
    let repo = Repo::with(&[("a", "1")]);
    let repository = open(&repo);
    assert_eq!(working_tree(&repository).id(), tree_at(&repository, "HEAD").id());
}

#[test]
fn looking_at_the_working_tree_writes_nothing() {
    let repo = Repo::with(&[("a", "1"), ("b", "1")]);
    repo.write("a", "2");
    repo.write("new/c", "3");
    let list = || {
        let output = std::process::Command::new("find")
            .args([".", "-type", "f", "-printf", "%p %s %T@\n"])
            .current_dir(&repo.path)
            .output()
            .unwrap();
        let mut lines: Vec<_> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let before = list();
    let repository = open(&repo);
    let (head, disk) = (tree_at(&repository, "HEAD"), working_tree(&repository));
    assert_eq!(repository.compare(&head, &disk).unwrap().len(), 2);
    disk.read(&path("new/c")).unwrap();
    assert_eq!(list(), before);
}

#[test]
fn types_and_modes_on_the_disk_are_seen() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let repo = Repo::with(&[
        ("script", "x"),
        ("becomes link", "x"),
        ("dir/a", "1"),
        ("dir/b", "1"),
        ("file", "1"),
        ("linked/inner", "1"),
    ]);
    std::fs::set_permissions(repo.path.join("script"), PermissionsExt::from_mode(0o755)).unwrap();
    repo.remove("becomes link");
    symlink("/etc/passwd", repo.path.join("becomes link")).unwrap();
    std::fs::remove_dir_all(repo.path.join("dir")).unwrap();
    repo.write("dir", "a file now");
    repo.remove("file");
    repo.write("file/inner", "a directory now");
    std::fs::rename(repo.path.join("linked"), repo.folder.path().join("elsewhere")).unwrap();
    symlink("../elsewhere", repo.path.join("linked")).unwrap();
    let repository = open(&repo);
    let disk = working_tree(&repository);
    assert_eq!(disk.entry(&path("script")).unwrap().unwrap().mode, Mode::Executable);
    assert_eq!(disk.link_target(&path("becomes link")).unwrap().unwrap(), b"/etc/passwd");
    assert_eq!(disk.read(&path("dir")).unwrap().unwrap(), b"a file now");
    assert_eq!(disk.read(&path("file/inner")).unwrap().unwrap(), b"a directory now");
    // What lies beyond a link is not in the tree, though it can be opened.
    assert_eq!(disk.read(&path("linked/inner")).unwrap(), None);
    assert_eq!(disk.entry(&path("linked")).unwrap().unwrap().mode, Mode::Link);
    repo.commit("all of it");
    assert_eq!(disk.id(), tree_at(&repository, "HEAD").id());
}

#[test]
fn a_file_that_is_changed_after_it_was_looked_at_is_not_read() {
    let repo = Repo::with(&[("a", "1"), ("b", "1")]);
    repo.write("a", "2");
    repo.write("b", "2");
    let disk = working_tree(&open(&repo));
    repo.write("a", "3");
    repo.remove("b");
    std::os::unix::fs::symlink("a", repo.path.join("b")).unwrap();
    for name in ["a", "b"] {
        let error = disk.read(&path(name)).unwrap_err();
        assert!(matches!(error, GitError::FileChanged { .. }), "{error}");
    }
}

#[test]
fn a_working_tree_whose_head_moved_is_refused() {
    let repo = Repo::with(&[("a", "1")]);
    let repository = open(&repo);
    let before = repository.revision(Revision::WORKING_TREE).unwrap();
    repo.write("a", "2");
    repo.commit("moved");
    let error = repository.tree(&before).unwrap_err();
    assert!(matches!(error, GitError::HeadMoved { .. }), "{error}");
}

#[test]
fn files_left_out_of_a_sparse_checkout_are_not_deleted() {
    let repo = Repo::with(&[("in/a", "1"), ("out/b", "1")]);
    repo.git(&["sparse-checkout", "set", "--no-cone", "/in/"]);
    assert!(!repo.path.join("out/b").exists());
    let repository = open(&repo);
    assert_eq!(working_tree(&repository).id(), tree_at(&repository, "HEAD").id());
}

#[test]
fn a_submodule_is_seen_by_the_commit_that_is_checked_out() {
    let other = Repo::with(&[("inner", "1")]);
    other.write("inner", "2");
    let second = other.commit("second");
    let repo = Repo::with(&[("a", "1")]);
    repo.git(&["submodule", "--quiet", "add", other.path.to_str().unwrap(), "sub"]);
    repo.commit("submodule");
    let repository = open(&repo);
    assert_eq!(working_tree(&repository).id(), tree_at(&repository, "HEAD").id());
    // A change inside is the submodule's own affair; another commit is ours.
    repo.write("sub/inner", "dirty");
    assert_eq!(working_tree(&repository).id(), tree_at(&repository, "HEAD").id());
    repo.git(&["-C", "sub", "checkout", "-q", "-f", "HEAD~1"]);
    let disk = working_tree(&repository);
    assert_eq!(our_diff(&repository, &tree_at(&repository, "HEAD"), &disk), ["modified sub"]);
    assert_ne!(disk.entry(&path("sub")).unwrap().unwrap().id.to_string(), second);
    // A folder that is not checked out says nothing.
    repo.git(&["submodule", "--quiet", "deinit", "-f", "sub"]);
    assert_eq!(working_tree(&repository).id(), tree_at(&repository, "HEAD").id());
}

#[test]
fn a_repository_that_is_no_submodule_is_left_out() {
    let repo = Repo::with(&[("a", "1")]);
    repo.write("nested/file", "x");
    repo.git(&["init", "-q", "nested"]);
    repo.git(&["-C", "nested", "add", "-A"]);
    repo.git(&["-C", "nested", "commit", "-qm", "inner"]);
    let repository = open(&repo);
    assert_eq!(working_tree(&repository).id(), tree_at(&repository, "HEAD").id());
}

#[test]
fn the_mode_on_the_disk_is_not_believed_where_git_does_not() {
    use std::os::unix::fs::PermissionsExt;
    let repo = Repo::with(&[("a", "1")]);
    repo.git(&["config", "core.filemode", "false"]);
    repo.write("a", "2");
    std::fs::set_permissions(repo.path.join("a"), PermissionsExt::from_mode(0o755)).unwrap();
    let repository = open(&repo);
    let disk = working_tree(&repository);
    assert_eq!(disk.entry(&path("a")).unwrap().unwrap().mode, Mode::File);
    assert_eq!(our_diff(&repository, &tree_at(&repository, "HEAD"), &disk), git_diff(&repo, &["HEAD"]));
}

/// Git itself is the oracle: whatever is done to files and index, the tree has the id that git writes after
/// `git add --all` into an index of its own.
#[test]
fn the_working_tree_has_the_id_that_git_would_write() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    for seed in 1..=30_u64 {
        let mut dice = Dice::new(seed);
        let repo = Repo::with(&[
            (".gitignore", "*.log\nignored/\n"),
            ("a", "1"),
            ("a-b", "1"),
            ("d/a", "1"),
            ("d/e/a", "1"),
            ("d/e/b", "1"),
            ("ü/a b", "1"),
            ("tracked.log", "1"),
        ]);
        repo.git(&["add", "-f", "tracked.log"]);
        repo.git(&["commit", "-q", "--amend", "--no-edit"]);
        for step in 0..8 {
            let paths = [
                "a",
                "a-b",
                "d",
                "d/a",
                "d/e",
                "d/e/b",
                "ü/a b",
                "new",
                "n/e/w",
                "x.log",
                "ignored/f",
                "tracked.log",
            ];
            let place = repo.path.join(paths[dice.roll(paths.len())]);
            let clear = || {
                let above = place.parent().unwrap();
                for folder in above.ancestors().take_while(|folder| *folder != repo.path) {
                    if std::fs::symlink_metadata(folder).is_ok_and(|found| !found.is_dir()) {
                        std::fs::remove_file(folder).unwrap();
                    }
                }
                let _ = std::fs::remove_file(&place);
                let _ = std::fs::remove_dir_all(&place);
                std::fs::create_dir_all(above).unwrap();
            };
            match dice.roll(8) {
                0 | 1 => {
                    clear();
                    std::fs::write(&place, format!("{seed} {step}")).unwrap();
                }
                2 => {
                    clear();
                    symlink("a", &place).unwrap();
                }
                3 => {
                    clear();
                    std::fs::create_dir(&place).unwrap();
                    std::fs::write(place.join("inner"), "x").unwrap();
                }
                4 => clear(),
                5 if place.is_file() => {
                    std::fs::set_permissions(&place, PermissionsExt::from_mode(0o755)).unwrap();
                }
                6 => {
                    repo.git(&["add", "-A"]);
                }
                _ => {
                    let _ = git_output(
                        &repo.path,
                        &["rm", "-q", "-r", "--cached", "--ignore-unmatch", "d/e", "a"],
                    );
                }
            }
        }
        let ours = working_tree(&open(&repo));
        let index = repo.path.join(".git/oracle");
        std::fs::copy(repo.path.join(".git/index"), &index).unwrap();
        let with_index = |args: &[&str]| {
            let output = std::process::Command::new("git")
                .args(args)
                .current_dir(&repo.path)
                .env("GIT_INDEX_FILE", &index)
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        with_index(&["add", "--all"]);
        let theirs = with_index(&["write-tree"]);
        let listing = |id: &str| repo.git(&["ls-tree", "-r", id]);
        assert_eq!(
            ours.id().to_string(),
            theirs,
            "seed {seed}: git has\n{}\nwe have {:#?}",
            listing(&theirs),
            ours.walk(&path(".")).unwrap()
        );
    }
}

/// What a sparse checkout leaves out is not deleted, with an index that names every file and with one that
/// names directories (`git sparse-checkout --sparse-index`), and with the flag set by hand.
#[test]
fn what_a_sparse_checkout_leaves_out_is_not_deleted() {
    for words in [
        &["sparse-checkout", "set", "--cone", "--no-sparse-index", "in"][..],
        &["sparse-checkout", "set", "--cone", "--sparse-index", "in"],
        &["sparse-checkout", "set", "--no-cone", "/in/", "/top"],
    ] {
        let repo = Repo::with(&[
            (".gitignore", "*.log\n"),
            ("top", "1"),
            ("in/a", "1"),
            ("in/b", "what is removed"),
            ("in/deep/c", "1"),
            ("out/a", "1"),
            ("out/deep/b", "1"),
        ]);
        repo.git(words);
        assert!(!repo.path.join("out").exists());
        assert_eq!(working_tree(&open(&repo)).id(), tree_at(&open(&repo), "HEAD").id(), "{words:?}");
        repo.write("in/a", "2");
        repo.remove("in/b");
        repo.write("in/new ü", "1");
        repo.write("in/x.log", "ignored");
        // Brought back by hand, against what is sparse.
        repo.write("out/a", "2");
        let repository = open(&repo);
        let (head, disk) = (tree_at(&repository, "HEAD"), working_tree(&repository));
        assert_eq!(
            our_diff(&repository, &head, &disk),
            ["added in/new ü", "deleted in/b", "modified in/a", "modified out/a"],
            "{words:?}"
        );
        assert_eq!(disk.read(&path("out/deep/b")).unwrap().unwrap(), b"1");
        assert_eq!(disk.read(&path("out/a")).unwrap().unwrap(), b"2");
    }
    let repo = Repo::with(&[("a", "1"), ("b", "1")]);
    repo.git(&["update-index", "--skip-worktree", "a"]);
    repo.remove("a");
    assert_eq!(working_tree(&open(&repo)).id(), tree_at(&open(&repo), "HEAD").id());
}
