use infraflow_core::git::{GitError, Repository};

use super::{id, open};
use crate::fixture::{Repo, git_in};

#[test]
fn the_merge_base_is_where_the_branches_parted() {
    let repo = Repo::with(&[("a", "1")]);
    let base = repo.git(&["rev-parse", "HEAD"]);
    repo.branch("feature");
    repo.write("b", "2");
    let feature = repo.commit("feature");
    repo.checkout("main");
    repo.write("c", "3");
    let main = repo.commit("main");
    let repository = open(&repo);
    assert_eq!(repository.merge_base(&id(&main), &id(&feature)).unwrap(), id(&base));
    assert_eq!(repository.merge_base(&id(&main), &id(&base)).unwrap(), id(&base));
    assert!(repository.is_ancestor(&id(&base), &id(&main)).unwrap());
    assert!(!repository.is_ancestor(&id(&feature), &id(&main)).unwrap());
}

#[test]
fn unrelated_histories_have_no_merge_base() {
    let repo = Repo::with(&[("a", "1")]);
    let main = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    let other = repo.commit("another root");
    let error = open(&repo).merge_base(&id(&main), &id(&other)).unwrap_err();
    assert!(matches!(error, GitError::UnrelatedHistories { .. }), "{error}");
}

#[test]
fn branches_merged_both_ways_have_several_merge_bases() {
    let repo = Repo::with(&[("a", "1")]);
    repo.branch("one");
    repo.write("one", "1");
    let one = repo.commit("one");
    repo.git(&["checkout", "-q", "-b", "two", "main"]);
    repo.write("two", "2");
    let two = repo.commit("two");
    repo.git(&["merge", "-q", "-m", "x", &one]);
    let two_end = repo.git(&["rev-parse", "HEAD"]);
    repo.checkout("one");
    repo.git(&["merge", "-q", "-m", "y", &two]);
    let one_end = repo.git(&["rev-parse", "HEAD"]);
    let mut bases = open(&repo).merge_bases(&id(&one_end), &id(&two_end)).unwrap();
    bases.sort();
    let mut expected = [id(&one), id(&two)];
    expected.sort();
    assert_eq!(bases, expected);
}

/// `git merge-base` in such a clone names an older commit, and nobody notices.
#[test]
fn a_merge_base_of_a_shallow_clone_is_refused_where_it_could_be_wrong() {
    let repo = Repo::with(&[("a", "1")]);
    for n in 0..4 {
        repo.write("a", format!("main {n}"));
        repo.commit("main");
    }
    repo.branch("feature");
    for n in 0..4 {
        repo.write("b", format!("feature {n}"));
        repo.commit("feature");
    }
    repo.checkout("main");
    repo.write("a", "last");
    repo.commit("last");
    let url = format!("file://{}", repo.path.display());
    let clone = |depth: &str| {
        let name = format!("clone{depth}");
        let args = ["clone", "-q", "--no-single-branch", "--depth", depth, &url, &name];
        git_in(repo.folder.path(), &args);
        let clone = Repository::open(repo.folder.path().join(name)).unwrap();
        let ends = ["origin/main", "origin/feature"].map(|name| clone.resolve(name).unwrap());
        (clone, ends)
    };
    let (shallow, [main, feature]) = clone("2");
    assert!(shallow.is_shallow().unwrap());
    let error = shallow.merge_base(&main, &feature).unwrap_err();
    assert!(matches!(error, GitError::ShallowClone { .. }), "{error}");
    assert!(error.to_string().contains("fetch --unshallow"));
    assert!(matches!(shallow.is_ancestor(&main, &feature).unwrap_err(), GitError::ShallowClone { .. }));
    // Deep enough to hold every commit between the ends and their merge base.
    let (deep, [main, feature]) = clone("6");
    assert!(deep.is_shallow().unwrap());
    assert_eq!(deep.merge_base(&main, &feature).unwrap(), deep.resolve("origin/main~1").unwrap());
    assert!(deep.is_ancestor(&deep.resolve("origin/feature~1").unwrap(), &feature).unwrap());
}

#[test]
fn history_is_what_one_commit_has_and_the_other_has_not() {
    let repo = Repo::with(&[("a", "1"), ("b", "1")]);
    let first = id(&repo.git(&["rev-parse", "HEAD"]));
    repo.branch("feature");
    repo.write("b", "2");
    let feature = id(&repo.commit("feat(b)!: on a branch\n\nBREAKING CHANGE: yes"));
    repo.checkout("main");
    repo.write("a", "2");
    let main = id(&repo.commit("fix: on main"));
    repo.git(&["merge", "-q", "--no-ff", "-m", "merge", "feature"]);
    let merge = id(&repo.git(&["rev-parse", "HEAD"]));
    let repository = open(&repo);
    let history = repository.history(Some(&first), &merge).unwrap();
    let mut ids: Vec<_> = history.iter().map(|commit| commit.id).collect();
    assert_eq!(ids[0], merge);
    ids.sort();
    let mut expected = [merge, main, feature];
    expected.sort();
    assert_eq!(ids, expected);
    let commit = history.iter().find(|commit| commit.id == feature).unwrap();
    assert_eq!(commit.subject(), "feat(b)!: on a branch");
    assert!(commit.message.contains("BREAKING CHANGE: yes"));
    assert_eq!(commit.author, super::ada());
    assert_eq!(repository.history(None, &merge).unwrap().len(), 4);
    assert!(repository.history(Some(&merge), &merge).unwrap().is_empty());
    assert_eq!(repository.changed_paths(&feature).unwrap(), [super::path("b")]);
    assert_eq!(repository.changed_paths(&first).unwrap(), [super::path("a"), super::path("b")]);
    assert_eq!(repository.changed_paths(&merge).unwrap(), [super::path("b")]);
    let missing = id("0123456789012345678901234567890123456789");
    assert!(matches!(repository.history(None, &missing).unwrap_err(), GitError::MissingObjects { .. }));
}
