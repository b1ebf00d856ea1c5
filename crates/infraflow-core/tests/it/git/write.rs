use infraflow_core::{
    git::{BranchName, FileEdit, GitError, Head, Identity, Mode, ObjectId, Repository, TagName},
    proof::Timestamp,
};

use super::{ada, id, open, path, tree_at};
use crate::fixture::{Repo, git_output};

fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

#[test]
fn a_commit_is_made_without_touching_branch_index_or_files() {
    let repo = Repo::with(&[("dev/main.tf", "old"), ("gone/deep/file", "x"), ("kept", "k")]);
    let repository = open(&repo);
    let onto = repository.resolve("main").unwrap();
    let edits = [
        FileEdit::write(path("dev/main.tf"), "new"),
        FileEdit::remove(path("gone/deep/file")),
        FileEdit::write(path("stage/ünï/a b.tf"), "fresh"),
        FileEdit::write(path("run.sh"), "#!/bin/sh\n").mode(Mode::Executable),
        FileEdit::write(path("link"), "kept").mode(Mode::Link),
    ];
    let commit = repository.commit_files(&onto, &edits, "bump: dev\n", &ada(), &ada()).unwrap();
    let again = repository.commit_files(&onto, &edits, "bump: dev\n", &ada(), &ada()).unwrap();
    assert_eq!(commit, again);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_eq!(repository.resolve("main").unwrap(), onto);
    let listed = repo.git(&["ls-tree", "-r", "-z", &commit.to_string()]);
    let listed: Vec<_> = listed.split('\0').filter(|l| !l.is_empty()).map(|l| &l[..6]).collect();
    assert_eq!(listed, ["100644", "100644", "120000", "100755", "100644"]);
    let tree = tree_at(&repository, &commit.to_string());
    assert_eq!(tree.read(&path("dev/main.tf")).unwrap().unwrap(), b"new");
    assert_eq!(tree.entry(&path("gone")).unwrap(), None);
    assert!(git_output(&repo.path, &["fsck", "--strict"]).status.success());
    let read = repository.commit(&commit).unwrap();
    assert_eq!((read.parents, read.author, read.message.as_str()), (vec![onto], ada(), "bump: dev\n"));
    assert_eq!(repository.changed_paths(&commit).unwrap().len(), 5);
}

#[test]
fn edits_that_do_not_fit_the_tree_are_refused() {
    let repo = Repo::with(&[("dir/file", "x"), ("file", "y")]);
    let repository = open(&repo);
    let onto = repository.resolve("main").unwrap();
    for (edits, why) in [
        (vec![FileEdit::remove(path("nothing"))], "no such file"),
        (vec![FileEdit::remove(path("dir"))], "no such file"),
        (vec![FileEdit::write(path("dir"), "x")], "there is a directory"),
        (vec![FileEdit::write(path("file/below"), "x")], "above it is a file"),
        (
            vec![FileEdit::write(path("new"), "x"), FileEdit::write(path("new/below"), "x")],
            "above it is a file",
        ),
        (vec![FileEdit::write(path("a"), "x"), FileEdit::write(path("a"), "y")], "twice"),
        (vec![FileEdit::write(path("a/.GIT/hooks/x"), "x")], "git's own"),
        (vec![FileEdit::write(path("a"), "x").mode(Mode::Submodule)], "only files and links"),
    ] {
        let error = repository.commit_files(&onto, &edits, "m", &ada(), &ada()).unwrap_err();
        assert!(
            matches!(error, GitError::BadEdit { .. }) && error.to_string().contains(why),
            "{why}: {error}"
        );
    }
    // A file may make room for a directory in the same commit.
    let edits = [FileEdit::remove(path("file")), FileEdit::write(path("file/below"), "x")];
    let commit = repository.commit_files(&onto, &edits, "m", &ada(), &ada()).unwrap();
    assert_eq!(tree_at(&repository, &commit.to_string()).read(&path("file/below")).unwrap().unwrap(), b"x");
    let bad = Identity::new("A <x>\n", "", Timestamp::from_unix(0));
    let error = repository.commit_files(&onto, &[], "m", &bad, &ada()).unwrap_err();
    assert!(matches!(error, GitError::BadIdentity { .. }), "{error}");
}

#[test]
fn a_repository_gets_its_first_commit() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::init(folder.path().join("r"), &branch("main")).unwrap();
    let first = repository.commit_first(&[FileEdit::write(path("a"), "1")], "first", &ada(), &ada()).unwrap();
    repository.set_branch(&branch("main"), &first, None).unwrap();
    assert_eq!(repository.head().unwrap().commit(), Some(first));
    let empty =
        repository.commit_files(&first, &[FileEdit::remove(path("a"))], "none", &ada(), &ada()).unwrap();
    assert_eq!(
        repository.commit(&empty).unwrap().tree.to_string(),
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    );
}

#[test]
fn a_branch_is_set_only_from_where_it_is_expected() {
    let repo = Repo::with(&[("a", "1")]);
    let repository = open(&repo);
    let first = repository.resolve("main").unwrap();
    let second =
        repository.commit_files(&first, &[FileEdit::write(path("a"), "2")], "2", &ada(), &ada()).unwrap();
    let bump = branch("bump/dev");
    repository.set_branch(&bump, &first, None).unwrap();
    for expected in [None, Some(&second)] {
        let error = repository.set_branch(&bump, &second, expected).unwrap_err();
        assert!(matches!(error, GitError::RefMoved { found: Some(found), .. } if found == first), "{error}");
    }
    let error = repository.set_branch(&branch("none"), &second, Some(&first)).unwrap_err();
    assert!(matches!(error, GitError::RefMoved { found: None, .. }), "{error}");
    repository.set_branch(&bump, &second, Some(&first)).unwrap();
    assert_eq!(repository.branch_tip(&bump).unwrap(), Some(second));
    assert_eq!(repository.branch_tip(&branch("none")).unwrap(), None);
    let error = repository.set_branch(&branch("main"), &second, Some(&first)).unwrap_err();
    assert!(matches!(error, GitError::CheckedOut { .. }), "{error}");
    repository.fast_forward(&second).unwrap();
    assert_eq!(std::fs::read(repo.path.join("a")).unwrap(), b"2");
    let names: Vec<_> = repository.branches().unwrap().into_iter().map(|b| b.name.to_string()).collect();
    assert_eq!(names, ["bump/dev", "main"]);
}

#[test]
fn checking_out_keeps_local_changes() {
    let repo = Repo::with(&[("a", "1")]);
    let first = id(&repo.git(&["rev-parse", "HEAD"]));
    repo.branch("other");
    repo.write("a", "2");
    repo.commit("2");
    let repository = open(&repo);
    repository.checkout(&branch("main")).unwrap();
    assert_eq!(std::fs::read(repo.path.join("a")).unwrap(), b"1");
    repo.write("a", "mine");
    let error = repository.checkout(&branch("other")).unwrap_err();
    assert!(matches!(error, GitError::Program { .. }), "{error}");
    assert_eq!(std::fs::read(repo.path.join("a")).unwrap(), b"mine");
    repo.write("a", "1");
    repository.checkout_commit(&first).unwrap();
    assert_eq!(repository.head().unwrap(), Head::Detached(first));
    // A branch of that name is meant, never a file.
    assert!(repository.checkout(&branch("a")).is_err());
}

#[test]
fn no_hook_of_the_repository_runs() {
    let repo = Repo::with(&[(".husky/post-checkout", "#!/bin/sh\ntouch ../ran\n")]);
    use std::os::unix::fs::PermissionsExt;
    let hook = repo.path.join(".husky/post-checkout");
    std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
    repo.git(&["config", "core.hooksPath", ".husky"]);
    repo.git(&["branch", "other"]);
    open(&repo).checkout(&branch("other")).unwrap();
    assert!(!repo.folder.path().join("ran").exists());
    repo.git(&["checkout", "-q", "main"]);
    assert!(repo.folder.path().join("ran").exists(), "the hook itself works");
}

#[test]
fn a_merge_has_two_parents_and_conflicts_are_named() {
    let repo = Repo::with(&[("a", "1\n"), ("ü b", "1\n")]);
    repo.branch("feature");
    repo.write("new", "n");
    let feature = id(&repo.commit("feature"));
    repo.checkout("main");
    repo.write("a", "2\n");
    let main = id(&repo.commit("main"));
    let repository = open(&repo);
    let merged = repository.merge(&main, &feature, "merge feature", &ada()).unwrap();
    assert_eq!(repository.commit(&merged).unwrap().parents, [main, feature]);
    let tree = tree_at(&repository, &merged.to_string());
    assert_eq!(tree.read(&path("a")).unwrap().unwrap(), b"2\n");
    assert!(tree.read(&path("new")).unwrap().is_some());
    // What is merged already is not merged again.
    assert_eq!(repository.merge(&merged, &feature, "again", &ada()).unwrap(), merged);
    // The second parent is a merge too, where the first could move forward.
    let forward = repository.merge(&main, &merged, "forward", &ada()).unwrap();
    assert_eq!(repository.commit(&forward).unwrap().parents, [main, merged]);

    repo.checkout("feature");
    repo.write("a", "3\n");
    repo.remove("ü b");
    let other = id(&repo.commit("other"));
    repo.checkout("main");
    repo.write("ü b", "2\n");
    let main = id(&repo.commit("main again"));
    match repository.merge(&main, &other, "m", &ada()).unwrap_err() {
        GitError::Conflict { paths, .. } => assert_eq!(paths, [path("a"), path("ü b")]),
        other => panic!("{other}"),
    }
    repo.git(&["checkout", "-q", "--orphan", "stranger"]);
    let stranger = id(&repo.commit("another root"));
    let error = repository.merge(&main, &stranger, "m", &ada()).unwrap_err();
    assert!(matches!(error, GitError::UnrelatedHistories { .. }), "{error}");
}

#[test]
fn tags_name_their_commit_annotated_or_not() {
    let repo = Repo::with(&[("a", "1")]);
    let commit = id(&repo.git(&["rev-parse", "HEAD"]));
    repo.git(&["tag", "light"]);
    repo.git(&["tag", "-m", "x", "network/v1.0.0"]);
    repo.git(&["tag", "-m", "x", "of-a-tree", "HEAD^{tree}"]);
    let repository = open(&repo);
    for packed in [false, true] {
        if packed {
            repo.git(&["pack-refs", "--all"]);
        }
        let tags = repository.tags().unwrap();
        let found: Vec<_> =
            tags.iter().filter(|t| t.target == commit).map(|t| (t.name.as_str(), t.annotated)).collect();
        assert_eq!(found, [("light", false), ("network/v1.0.0", true)], "packed: {packed}");
        assert_eq!(tags.len(), 2, "packed: {packed}");
    }
    let name = TagName::parse("network/v1.1.0").unwrap();
    let object = repository.tag_object(&name, &commit, &ada(), "notes\n").unwrap();
    assert_eq!(repository.tag_object(&name, &commit, &ada(), "notes\n").unwrap(), object);
    assert_eq!(repo.git(&["cat-file", "-t", &object.to_string()]), "tag");
    assert_eq!(repository.tags().unwrap().len(), 2);
    let missing = id("0123456789012345678901234567890123456789");
    let error = repository.tag_object(&name, &missing, &ada(), "m").unwrap_err();
    assert!(matches!(error, GitError::MissingObjects { ids, .. } if ids == [ObjectId::from(missing)]));
}
