use infraflow_core::git::{BranchName, GitError, Head, Repository, Revision};

use super::{id, open};
use crate::fixture::{Repo, git_in, git_output};

#[test]
fn a_folder_without_a_repository_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Repository::open(folder.path()).unwrap_err();
    assert!(matches!(error, GitError::NotARepository { .. }), "{error}");
    assert!(matches!(
        Repository::open(folder.path().join("missing")).unwrap_err(),
        GitError::NotARepository { .. }
    ));
}

#[test]
fn a_folder_inside_a_repository_opens_it() {
    let repo = Repo::with(&[("a b/ü/main.tf", "")]);
    let repository = Repository::open(repo.path.join("a b/ü")).unwrap();
    assert_eq!(repository.root().canonicalize().unwrap(), repo.path.canonicalize().unwrap());
    assert!(!repository.is_bare());
}

#[test]
fn formats_that_cannot_be_read_are_refused_by_name() {
    let repo = Repo::empty();
    let sha256 = repo.folder.path().join("sha256");
    git_in(repo.folder.path(), &["init", "-q", "--object-format=sha256", "sha256"]);
    for (extension, value, name) in [
        ("refstorage", "reftable", "references in a reftable"),
        ("partialclone", "origin", "extensions.partialclone"),
        ("somethingNew", "1", "extensions.somethingnew"),
    ] {
        repo.git(&["config", "core.repositoryformatversion", "1"]);
        repo.git(&["config", &format!("extensions.{extension}"), value]);
        match Repository::open(&repo.path).unwrap_err() {
            GitError::UnsupportedFormat { format, .. } => assert_eq!(format, name),
            other => panic!("{extension}: {other}"),
        }
        std::fs::write(
            repo.path.join(".git/config"),
            "[core]\n\trepositoryformatversion = 1\n\tbare = false\n",
        )
        .unwrap();
    }
    let error = Repository::open(&sha256).unwrap_err();
    assert!(error.to_string().contains("sha256 objects"), "{error}");
}

#[test]
fn an_empty_repository_has_an_unborn_head_and_no_revision() {
    let repo = Repo::empty();
    let repository = open(&repo);
    assert_eq!(repository.head().unwrap(), Head::Unborn);
    for revision in ["HEAD", "main", Revision::WORKING_TREE] {
        let error = repository.revision(revision).unwrap_err();
        assert!(matches!(error, GitError::EmptyRepository { .. }), "{revision}: {error}");
    }
}

#[test]
fn a_revision_is_an_id_a_branch_a_tag_or_an_expression() {
    let repo = Repo::with(&[("a", "1")]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["tag", "-m", "annotated", "v1"]);
    repo.write("a", "2");
    let second = repo.commit("second");
    let repository = open(&repo);
    for (revision, commit) in
        [("main", &second), ("HEAD", &second), ("HEAD~1", &first), ("v1", &first), (&first[..12], &first)]
    {
        assert_eq!(repository.resolve(revision).unwrap(), id(commit), "{revision}");
    }
    for unknown in
        ["nothing", "v1^{tree}", "HEAD:a", "0123456789012345678901234567890123456789", "a b", "", "-x"]
    {
        let error = repository.resolve(unknown).unwrap_err();
        assert!(matches!(error, GitError::UnknownRevision { .. }), "{unknown}: {error}");
    }
}

#[test]
fn a_detached_head_is_a_commit_without_a_branch() {
    let repo = Repo::with(&[("a", "1")]);
    let commit = repo.git(&["rev-parse", "HEAD"]);
    let repository = open(&repo);
    let name = BranchName::parse("main").unwrap();
    assert_eq!(repository.head().unwrap(), Head::Branch { name, commit: id(&commit) });
    repo.git(&["checkout", "-q", "--detach"]);
    assert_eq!(repository.head().unwrap(), Head::Detached(id(&commit)));
    assert_eq!(repository.revision("WORKTREE").unwrap(), Revision::WorkingTree(id(&commit)));
}

#[test]
fn the_trunk_is_what_the_remote_says_and_else_main_or_master() {
    let repo = Repo::with(&[("a", "1")]);
    assert_eq!(open(&repo).trunk().unwrap().as_str(), "main");
    repo.git(&["branch", "-m", "trunk"]);
    assert!(matches!(open(&repo).trunk().unwrap_err(), GitError::NoTrunk { .. }));
    let repo = repo.with_origin();
    git_in(repo.folder.path(), &["clone", "-q", "origin.git", "clone"]);
    let clone = Repository::open(repo.folder.path().join("clone")).unwrap();
    assert_eq!(clone.trunk().unwrap().as_str(), "trunk");
    // The local branch may be behind, or not be there at all, as in most CI systems.
    git_in(clone.root(), &["checkout", "-q", "--detach"]);
    git_in(clone.root(), &["branch", "-q", "-D", "trunk"]);
    assert_eq!(clone.trunk_tip().unwrap(), clone.resolve("HEAD").unwrap());
}

#[test]
fn a_bare_repository_has_no_working_tree() {
    let repo = Repo::with(&[("a", "1")]).with_origin();
    let bare = Repository::open(repo.origin()).unwrap();
    assert!(bare.is_bare());
    assert!(bare.resolve("main").is_ok());
    assert!(matches!(bare.revision("WORKTREE").unwrap_err(), GitError::NoWorkingTree { .. }));
}

#[test]
fn a_new_repository_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let trunk = BranchName::parse("trunk").unwrap();
    let made = Repository::init(folder.path().join("new/one"), &trunk).unwrap();
    assert_eq!(made.head().unwrap(), Head::Unborn);
    assert!(Repository::init(made.root(), &trunk).is_err());
    assert_eq!(git_in(made.root(), &["symbolic-ref", "HEAD"]), "refs/heads/trunk");
    assert!(Repository::init_bare(folder.path().join("bare.git"), &trunk).unwrap().is_bare());
}

#[test]
fn a_linked_worktree_is_a_repository_with_a_working_tree_of_its_own() {
    let repo = Repo::with(&[("a", "1")]);
    repo.git(&["worktree", "add", "-q", "../linked", "-b", "other"]);
    let linked = Repository::open(repo.folder.path().join("linked")).unwrap();
    std::fs::write(repo.folder.path().join("linked/b"), "new").unwrap();
    let tree = super::working_tree(&linked);
    assert_eq!(tree.read(&super::path("b")).unwrap().unwrap(), b"new");
    assert_eq!(super::working_tree(&open(&repo)).read(&super::path("b")).unwrap(), None);
}

#[test]
fn handles_are_shared_between_threads() {
    let repo = Repo::with(&[("a", "1")]);
    let repository = open(&repo);
    let commit = repository.resolve("HEAD").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let tree = repository.tree(&commit.into()).unwrap();
                    assert_eq!(tree.read(&super::path("a")).unwrap().unwrap(), b"1");
                }
            });
        }
    });
    assert!(git_output(&repo.path, &["fsck"]).status.success());
}

/// Its configuration could make git run programs of that user's choice.
#[test]
fn a_repository_of_another_user_is_refused() {
    let repo = Repo::with(&[("a", "1")]);
    let ours = [repo.path.clone(), repo.path.join(".git")];
    for folder in &ours {
        // Only the superuser can give a folder away.
        if std::os::unix::fs::chown(folder, Some(12345), None).is_err() {
            eprintln!("skipped: a_repository_of_another_user_is_refused needs to run as root");
            return;
        }
    }
    let error = Repository::open(&repo.path).unwrap_err();
    assert!(matches!(error, GitError::NotOwned { .. }), "{error}");
    assert!(error.to_string().contains("safe.directory"));
}
