use std::num::NonZeroU32;

use infraflow_core::git::{
    BlobId, BranchName, CloneOptions, ClonedFiles, CommitId, Expected, FileEdit, GitError, GitProgram, Mode,
    ObjectId, Pushed, RefUpdate, ReferenceName, RemoteName, RemoteUrl, Repository, TagName,
};

use super::{ada, path, tree_at};
use crate::fixture::{Repo, git_in};

fn origin() -> RemoteName {
    RemoteName::origin()
}

fn tag(name: &str) -> TagName {
    TagName::parse(name).unwrap()
}

fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

/// A remote and a clone of it.
fn cloned(files: &[(&str, &str)]) -> (Repo, Repository) {
    let repo = Repo::with(files).with_origin();
    let clone = clone_of(&repo, "clone", &CloneOptions::new()).unwrap();
    (repo, clone)
}

fn clone_of(repo: &Repo, name: &str, options: &CloneOptions) -> Result<Repository, GitError> {
    let url = format!("file://{}", repo.origin().display());
    Repository::clone_from(&url, repo.folder.path().join(name), options)
}

fn commit_on(repository: &Repository, onto: &CommitId, file: &str, text: &str) -> CommitId {
    let edits = [FileEdit::write(path(file), text)];
    repository.commit_files(onto, &edits, &format!("set {file}"), &ada(), &ada()).unwrap()
}

#[test]
fn a_clone_appears_whole_or_not_at_all() {
    let (repo, clone) = cloned(&[("a b/ü.tf", "1")]);
    assert_eq!(std::fs::read(clone.root().join("a b/ü.tf")).unwrap(), b"1");
    assert_eq!(clone.trunk().unwrap(), branch("main"));
    let error = clone_of(&repo, "clone", &CloneOptions::new()).unwrap_err();
    assert!(matches!(error, GitError::NotEmpty { .. }), "{error}");
    let none = CloneOptions::new().branch(branch("none"));
    let error = clone_of(&repo, "other", &none).unwrap_err();
    assert!(matches!(error, GitError::Program { .. }), "{error}");
    assert!(!repo.folder.path().join("other").exists());
    let left: Vec<_> = std::fs::read_dir(repo.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".infraflow"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let bare = clone_of(&repo, "bare", &CloneOptions::new().files(ClonedFiles::Bare)).unwrap();
    assert!(bare.is_bare());
    let plain = CloneOptions::new().files(ClonedFiles::NotCheckedOut).depth(NonZeroU32::MIN);
    let plain = clone_of(&repo, "plain", &plain).unwrap();
    assert!(!plain.root().join("a b").exists());
    assert!(plain.is_shallow().is_ok());
}

#[test]
fn addresses_that_run_programs_or_look_like_options_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for bad in ["--upload-pack=touch x", "ext::sh -c 'touch x'", "", "a\nb", "fd::3"] {
        let error = Repository::clone_from(bad, folder.path().join("x"), &CloneOptions::new()).unwrap_err();
        assert!(matches!(error, GitError::BadName { .. }), "{bad}: {error}");
    }
    let url = RemoteUrl::parse("https://me:t0ken@127.0.0.1:1/x.git").unwrap();
    assert_eq!(format!("{url} {url:?}"), "https://***@127.0.0.1:1/x.git https://***@127.0.0.1:1/x.git");
    let error = GitProgram::default().remote_refs(&url, &[]).unwrap_err();
    assert!(matches!(error, GitError::Program { .. }) && !error.to_string().contains("t0ken"), "{error}");
}

#[test]
fn what_a_remote_has_is_listed_with_peeled_tags() {
    let (repo, clone) = cloned(&[("a", "1")]);
    let main = clone.resolve("main").unwrap();
    git_in(&repo.origin(), &["tag", "-m", "x", "network/v1.0.0"]);
    git_in(&repo.origin(), &["tag", "light"]);
    let tags = clone.remote_tags(&origin()).unwrap();
    let found: Vec<_> = tags.iter().map(|t| (t.name.as_str(), t.target, t.annotated)).collect();
    assert_eq!(found, [("light", main, false), ("network/v1.0.0", main, true)]);
    let url = clone.remote_url(&origin()).unwrap().unwrap();
    assert_eq!(GitProgram::default().remote_tags(&url).unwrap(), tags);
    let heads = clone.remote_refs(&origin(), &["refs/heads/*"]).unwrap();
    assert_eq!(heads.into_iter().collect::<Vec<_>>(), [("refs/heads/main".to_owned(), main.object())]);
    assert_eq!(clone.remote_url(&RemoteName::parse("other").unwrap()).unwrap(), None);
    clone.fetch(&origin(), &[]).unwrap();
    assert_eq!(clone.tags().unwrap().len(), 2);
    assert!(matches!(clone.fetch(&origin(), &["--upload-pack=x"]), Err(GitError::BadName { .. })));
}

#[test]
fn a_branch_is_pushed_from_where_it_was() {
    let (repo, clone) = cloned(&[("a", "1")]);
    let first = clone.resolve("main").unwrap();
    let second = commit_on(&clone, &first, "a", "2");
    let update = [RefUpdate::branch(&branch("main"), second, Some(first))];
    let name = ReferenceName::from(&branch("main"));
    assert_eq!(clone.push(&origin(), &update).unwrap(), [(name.clone(), Pushed::Set)]);
    assert_eq!(clone.push(&origin(), &update).unwrap(), [(name, Pushed::AlreadyThere)]);
    assert_eq!(git_in(&repo.origin(), &["rev-parse", "main"]), second.to_string());
    // Somebody else who still is at the first commit.
    let other = clone_of(&repo, "late", &CloneOptions::new()).unwrap();
    let third = commit_on(&other, &first, "b", "3");
    for update in [
        RefUpdate::branch(&branch("main"), third, Some(first)),
        RefUpdate::branch(&branch("main"), third, None),
        RefUpdate { expected: Expected::Ancestor, ..RefUpdate::branch(&branch("main"), third, None) },
    ] {
        let error = other.push(&origin(), &[update]).unwrap_err();
        assert!(matches!(error, GitError::PushRejected { .. }), "{error}");
    }
    // A lease that holds is no leave to throw commits away.
    let back = RefUpdate::branch(&branch("main"), third, Some(second));
    assert!(matches!(other.push(&origin(), &[back]).unwrap_err(), GitError::NotAnAncestor { .. }));
    assert_eq!(git_in(&repo.origin(), &["rev-parse", "main"]), second.to_string());
    assert!(clone.push(&origin(), &[]).unwrap().is_empty());
}

#[test]
fn tags_are_pushed_all_or_none_and_never_moved() {
    let (repo, clone) = cloned(&[("a", "1")]);
    let first = clone.resolve("main").unwrap();
    let object = |name: &str, message: &str| clone.tag_object(&tag(name), &first, &ada(), message).unwrap();
    let both = |message: &str| {
        ["network/v1.0.0", "cluster/v1.0.0"].map(|name| RefUpdate::tag(&tag(name), object(name, message)))
    };
    let pushed = clone.push(&origin(), &both("notes")).unwrap();
    assert!(pushed.iter().all(|(_, pushed)| *pushed == Pushed::Set), "{pushed:?}");
    assert!(clone.tags().unwrap().is_empty(), "no local tag is made");
    // The same again, as after a crash.
    let again = clone.push(&origin(), &both("notes")).unwrap();
    assert!(again.iter().all(|(_, pushed)| *pushed == Pushed::AlreadyThere), "{again:?}");
    // A tag that exists elsewhere keeps the other from being made.
    let name = tag("database/v1.0.0");
    let race = [
        RefUpdate::tag(&name, object("database/v1.0.0", "new")),
        RefUpdate::tag(&tag("network/v1.0.0"), object("network/v1.0.0", "other notes")),
    ];
    match clone.push(&origin(), &race).unwrap_err() {
        GitError::PushRejected { refs, .. } => {
            let shown: Vec<_> = refs.iter().map(ToString::to_string).collect();
            assert!(shown.iter().any(|r| r.starts_with("refs/tags/network/v1.0.0 (it ")), "{shown:?}");
        }
        other => panic!("{other}"),
    }
    let there = clone.remote_tags(&origin()).unwrap();
    assert_eq!(
        there.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(),
        ["cluster/v1.0.0", "network/v1.0.0"]
    );
    assert!(there.iter().all(|t| t.annotated && t.target == first));
    assert!(git_in(&repo.origin(), &["fsck"]).is_empty());
}

/// Two pipelines release at once: exactly one of them makes the tag.
#[test]
fn of_two_that_race_for_a_tag_one_wins() {
    let (repo, clone) = cloned(&[("a", "1")]);
    let other = clone_of(&repo, "other", &CloneOptions::new()).unwrap();
    let first = clone.resolve("main").unwrap();
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = [(&clone, "mine"), (&other, "theirs")]
            .into_iter()
            .map(|(repository, message)| {
                scope.spawn(move || {
                    let name = tag("network/v2.0.0");
                    let object = repository.tag_object(&name, &first, &ada(), message).unwrap();
                    repository.push(&origin(), &[RefUpdate::tag(&name, object)]).map(|_| object)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let won: Vec<ObjectId> = results.iter().filter_map(|result| result.as_ref().ok().copied()).collect();
    assert_eq!(won.len(), 1, "{results:?}");
    assert_eq!(clone.remote_refs(&origin(), &["refs/tags/*"]).unwrap()["refs/tags/network/v2.0.0"], won[0]);
}

#[test]
fn a_remote_that_is_not_there_is_an_error_with_gits_words() {
    let (repo, clone) = cloned(&[("a", "1")]);
    std::fs::remove_dir_all(repo.origin()).unwrap();
    let first = clone.resolve("main").unwrap();
    let update = RefUpdate::branch(&branch("x"), first, None);
    let error = clone.push(&origin(), &[update]).unwrap_err();
    assert!(matches!(error, GitError::Program { .. }), "{error}");
    assert!(error.to_string().contains("origin.git"), "{error}");
    assert!(clone.fetch(&origin(), &[]).is_err());
}

#[test]
fn a_server_that_refuses_is_quoted() {
    let (repo, clone) = cloned(&[("a", "1")]);
    let hook = repo.origin().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho 'releases are frozen' >&2\nexit 1\n").unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
    let first = clone.resolve("main").unwrap();
    let error = clone.push(&origin(), &[RefUpdate::branch(&branch("x"), first, None)]).unwrap_err();
    assert!(matches!(&error, GitError::PushRejected { refs, .. } if refs.len() == 1), "{error}");
    assert!(error.to_string().contains("pre-receive hook declined"), "{error}");
}

#[test]
fn a_shallow_clone_is_deepened_until_the_merge_base_is_known() {
    let repo = Repo::with(&[("a", "0")]);
    for n in 1..=80 {
        repo.write("a", n.to_string());
        repo.commit("main");
    }
    let base = repo.git(&["rev-parse", "HEAD"]);
    repo.branch("feature");
    for n in 1..=80 {
        repo.write("b", n.to_string());
        repo.commit("feature");
    }
    repo.checkout("main");
    repo.write("c", "1");
    repo.commit("main");
    let repo = repo.with_origin();
    // As most CI systems have it: one commit, and nothing but its branch.
    let options = CloneOptions::new().branch(branch("feature")).depth(NonZeroU32::MIN);
    let clone = clone_of(&repo, "shallow", &options).unwrap();
    git_in(clone.root(), &["fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main"]);
    let (main, feature) = (clone.resolve("origin/main").unwrap(), clone.resolve("HEAD").unwrap());
    let error = clone.merge_base(&main, &feature).unwrap_err();
    assert!(matches!(error, GitError::ShallowClone { .. }), "{error}");
    let history = clone.history(None, &feature).unwrap_err();
    assert!(matches!(history, GitError::HistoryCut { .. }), "{history}");
    let found = clone.merge_base_deepening(&origin(), &main, &feature).unwrap();
    assert_eq!(found.to_string(), base);
    assert_eq!(clone.merge_base(&main, &feature).unwrap(), found);
    assert_eq!(clone.history(Some(&found), &feature).unwrap().len(), 80);
}

#[test]
fn files_of_a_partial_clone_are_fetched_in_one_batch() {
    let repo = Repo::with(&[("a", "1\n2\n3\n"), ("b", "content of b\n")]);
    repo.git(&["mv", "a", "moved"]);
    repo.write("moved", "1\n2\n3\n4\n");
    repo.commit("moved");
    let repo = repo.with_origin();
    git_in(&repo.origin(), &["config", "uploadpack.allowFilter", "true"]);
    git_in(&repo.origin(), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let clone = clone_of(&repo, "partial", &CloneOptions::new().files(ClonedFiles::OnDemand)).unwrap();
    let (old, new) = (tree_at(&clone, "HEAD~1"), tree_at(&clone, "HEAD"));
    // Directories are there, so what changed is known; whether it was renamed is not.
    assert_eq!(clone.differing_paths(&old, &new).unwrap(), [path("a"), path("moved")]);
    assert!(matches!(new.read(&path("b")).unwrap_err(), GitError::MissingObjects { .. }));
    let GitError::MissingObjects { ids, .. } = clone.compare(&old, &new).unwrap_err() else { panic!() };
    assert_eq!(ids.len(), 2);
    let blobs: Vec<BlobId> = ids.iter().map(|id| BlobId::parse(&id.to_string()).unwrap()).collect();
    clone.fetch_missing(&origin(), blobs).unwrap();
    let changes = clone.compare(&old, &new).unwrap();
    assert_eq!(changes[0].old_path, Some(path("a")));
    let all = new.walk(&path(".")).unwrap().into_iter().filter(|entry| entry.mode == Mode::File);
    clone.fetch_missing(&origin(), all.map(|e| BlobId::parse(&e.id.to_string()).unwrap())).unwrap();
    assert_eq!(new.read(&path("b")).unwrap().unwrap(), b"content of b\n");
    let nowhere = BlobId::parse("0123456789012345678901234567890123456789").unwrap();
    assert!(clone.fetch_missing(&origin(), [nowhere]).is_err());
}
