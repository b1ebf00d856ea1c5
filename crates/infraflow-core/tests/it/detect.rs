//! Tests of detect.

use infraflow_core::{
    detect::{ChangeDetector, ChangeSet, DetectError, GitDetector, GivenFiles},
    git::{GitError, Repository, Revision},
    proof::Document,
};

use crate::fixture::{Repo, git_in};

fn detect(
    detector: &dyn ChangeDetector,
    repository: &Repository,
    base: &str,
    head: &str,
) -> Result<ChangeSet, DetectError> {
    let (base, head) = (repository.revision(base).unwrap(), repository.revision(head).unwrap());
    detector.detect(repository, &base, &head)
}

fn lines(changes: &ChangeSet) -> Vec<String> {
    let kind = |kind| serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned();
    changes
        .changes
        .iter()
        .map(|change| match &change.old_path {
            Some(old) => format!("{} {} from {old}", kind(change.kind), change.path),
            None => format!("{} {}", kind(change.kind), change.path),
        })
        .collect()
}

/// `main` gained a file after `feature` left it.
fn parted() -> Repo {
    let repo = Repo::with(&[("modules/a/main.tf", "a\nb\nc\n"), ("kept", "1")]);
    repo.branch("feature");
    repo.write("modules/a/main.tf", "a\nb\nC\n");
    repo.write("new file", "2");
    repo.commit("feature");
    repo.checkout("main");
    repo.write("gained by main", "3");
    repo.commit("main");
    repo
}

#[test]
fn what_the_trunk_gained_meanwhile_is_no_change_of_the_branch() {
    let repo = parted();
    let repository = Repository::open(&repo.path).unwrap();
    let changes = detect(&GitDetector::new(), &repository, "main", "feature").unwrap();
    assert_eq!(lines(&changes), ["modified modules/a/main.tf", "added new file"]);
    assert_eq!(changes.merge_base, repository.resolve("main~1").unwrap());
    assert_eq!(changes.base, repository.resolve("main").unwrap());
    assert!(changes.warnings.is_empty());
    let ends = detect(&GitDetector::new().endpoints(), &repository, "main", "feature").unwrap();
    assert_eq!(lines(&ends), ["deleted gained by main", "modified modules/a/main.tf", "added new file"]);
    assert_eq!(ends.merge_base, ends.base);
}

#[test]
fn a_rename_is_one_change_not_two() {
    let repo = Repo::with(&[("modules/old/main.tf", "a\nb\nc\nd\n")]);
    repo.branch("feature");
    repo.git(&["mv", "modules/old", "modules/nëw"]);
    repo.write("modules/nëw/main.tf", "a\nb\nc\nD\n");
    repo.commit("moved");
    let repository = Repository::open(&repo.path).unwrap();
    let changes = detect(&GitDetector::new(), &repository, "main", "feature").unwrap();
    assert_eq!(lines(&changes), ["renamed modules/nëw/main.tf from modules/old/main.tf"]);
    let paths: Vec<_> = changes.paths().into_iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["modules/nëw/main.tf", "modules/old/main.tf"]);
}

#[test]
fn the_working_tree_is_compared_from_the_merge_base_too() {
    let repo = parted();
    repo.checkout("feature");
    repo.write("untracked", "4");
    repo.remove("kept");
    let repository = Repository::open(&repo.path).unwrap();
    let changes = detect(&GitDetector::new(), &repository, "main", "WORKTREE").unwrap();
    assert_eq!(
        lines(&changes),
        ["deleted kept", "modified modules/a/main.tf", "added new file", "added untracked"]
    );
    let error = detect(&GitDetector::new(), &repository, "WORKTREE", "main").unwrap_err();
    assert!(matches!(error, DetectError::BaseIsWorkingTree { .. }), "{error}");
}

#[test]
fn a_change_set_travels_and_has_the_same_digest_every_time() {
    let repo = parted();
    let repository = Repository::open(&repo.path).unwrap();
    let changes = detect(&GitDetector::new(), &repository, "main", "feature").unwrap();
    let text = changes.to_json().unwrap();
    assert_eq!(ChangeSet::from_json(&text).unwrap(), changes);
    let again = detect(&GitDetector::new(), &repository, "main", "feature").unwrap();
    assert_eq!(again.digest().unwrap(), changes.digest().unwrap());
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["changes"][0], serde_json::json!({"path": "modules/a/main.tf", "kind": "modified"}));
}

#[test]
fn branches_merged_both_ways_are_a_warning() {
    let repo = Repo::with(&[("a", "1")]);
    repo.branch("one");
    repo.write("one", "1");
    let one = repo.commit("one");
    repo.git(&["checkout", "-q", "-b", "two", "main"]);
    repo.write("two", "2");
    let two = repo.commit("two");
    repo.git(&["merge", "-q", "-m", "x", &one]);
    repo.checkout("one");
    repo.git(&["merge", "-q", "-m", "y", &two]);
    let repository = Repository::open(&repo.path).unwrap();
    let changes = detect(&GitDetector::new(), &repository, "one", "two").unwrap();
    assert!(changes.warnings[0].contains("2 merge bases"), "{:?}", changes.warnings);
}

#[test]
fn unrelated_histories_and_shallow_clones_are_refused() {
    let repo = parted();
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    repo.commit("another root");
    let repository = Repository::open(&repo.path).unwrap();
    let error = detect(&GitDetector::new(), &repository, "main", "other").unwrap_err();
    assert!(matches!(error, DetectError::Git(GitError::UnrelatedHistories { .. })), "{error}");
    assert!(detect(&GitDetector::new().endpoints(), &repository, "main", "other").is_ok());

    let url = format!("file://{}", repo.path.display());
    git_in(repo.folder.path(), &["clone", "-q", "--no-single-branch", "--depth", "1", &url, "shallow"]);
    let shallow = Repository::open(repo.folder.path().join("shallow")).unwrap();
    let error = detect(&GitDetector::new(), &shallow, "origin/main", "origin/feature").unwrap_err();
    assert!(matches!(error, DetectError::Git(GitError::ShallowClone { .. })), "{error}");
    // Somebody who knows the files can say them.
    let given = GivenFiles::parse0(b"new file\0modules/a/main.tf\0").unwrap();
    let changes = detect(&given, &shallow, "origin/main", "origin/feature").unwrap();
    assert_eq!(lines(&changes), ["modified modules/a/main.tf", "added new file"]);
    assert!(changes.warnings[0].contains("shallow"));
}

#[test]
fn given_files_are_changes_whatever_their_content() {
    let repo = parted();
    let repository = Repository::open(&repo.path).unwrap();
    let given = GivenFiles::parse0(b"new file\0kept\0kept\0never there").unwrap();
    let changes = detect(&given, &repository, "main", "feature").unwrap();
    assert_eq!(lines(&changes), ["modified kept", "deleted never there", "added new file"]);
    assert!(changes.warnings[0].contains("never there"));
    let error = detect(&GivenFiles::parse0(b"modules").unwrap(), &repository, "main", "feature").unwrap_err();
    assert!(matches!(error, DetectError::GivenDirectory { .. }), "{error}");
    for bad in [&b"ok\0../out"[..], b"/etc/passwd", b"a//b"] {
        assert!(matches!(GivenFiles::parse0(bad), Err(DetectError::GivenPath { .. })));
    }
}

/// A detector of somebody's own, and what it returns when it fails.
#[test]
fn anyone_can_detect() {
    struct Broken;
    impl ChangeDetector for Broken {
        fn detect(&self, _: &Repository, _: &Revision, _: &Revision) -> Result<ChangeSet, DetectError> {
            let source = "the service is down".into();
            Err(DetectError::Detector { detector: "broken".into(), source })
        }
    }
    let repo = parted();
    let repository = Repository::open(&repo.path).unwrap();
    let error = detect(&Broken, &repository, "main", "feature").unwrap_err();
    assert_eq!(error.to_string(), "cannot tell what changed: broken failed: the service is down");
}
