//! Tests of forge.

use std::sync::Arc;

use infraflow_core::{
    forge::{
        ChangeRequestDraft, ChangeRequestId, ChangeRequestState, Forge, ForgeError, LocalForge, Marker,
        ReviewState,
    },
    git::{
        BranchName, CloneOptions, CommitId, FileEdit, GitError, Identity, RefUpdate, RemoteName, Repository,
    },
    proof::{FixedClock, Principal, RepoPath, Timestamp},
    store::Store,
};

use crate::fixture::{Repo, git_in};

fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

fn ada() -> Principal {
    Principal("ada@example.com".into())
}

fn draft(source: &str) -> ChangeRequestDraft {
    ChangeRequestDraft {
        title: "bump: network".into(),
        body: "why".into(),
        author: ada(),
        source: branch(source),
        target: branch("main"),
    }
}

/// A remote with `main` and `feature`, a clone, and a forge over it.
struct World {
    repo: Repo,
    clone: Repository,
    store: Store,
    forge: LocalForge,
}

impl World {
    fn new() -> Self {
        let repo = Repo::with(&[("a", "1\n"), ("b", "1\n")]);
        repo.branch("feature");
        repo.write("a", "2\n");
        repo.commit("feature");
        repo.checkout("main");
        let repo = repo.with_origin();
        let store = Store::folder(&repo.folder.path().join("store")).unwrap();
        let (clone, forge) = forge_of(&repo, "clone", &store);
        Self { repo, clone, store, forge }
    }

    fn tip(&self, name: &str) -> CommitId {
        CommitId::parse(&git_in(&self.repo.origin(), &["rev-parse", name])).unwrap()
    }

    /// Somebody else pushes a commit to a branch.
    fn push(&self, name: &str, file: &str, text: &str) -> CommitId {
        let identity = Identity::new("Bob", "bob@example.com", Timestamp::from_unix(1_767_225_600));
        let tip = self.tip(name);
        self.clone.fetch(&RemoteName::origin(), &[]).unwrap();
        let edit = [FileEdit::write(RepoPath::parse(file).unwrap(), text)];
        let commit = self.clone.commit_files(&tip, &edit, "theirs", &identity, &identity).unwrap();
        let update = RefUpdate::branch(&branch(name), commit, Some(tip));
        self.clone.push(&RemoteName::origin(), &[update]).unwrap();
        commit
    }
}

fn forge_of(repo: &Repo, name: &str, store: &Store) -> (Repository, LocalForge) {
    let url = format!("file://{}", repo.origin().display());
    let clone = Repository::clone_from(&url, repo.folder.path().join(name), &CloneOptions::new()).unwrap();
    let forge = LocalForge::new("live", clone.clone(), store.clone())
        .unwrap()
        .acting_as("Pipeline", Principal("pipeline@example.com".into()))
        .clock(Arc::new(FixedClock(Timestamp::from_unix(1_767_225_600))));
    (clone, forge)
}

#[tokio::test]
async fn a_change_request_is_opened_once_and_its_head_follows_the_branch() {
    let world = World::new();
    let opened = world.forge.open(&draft("feature")).await.unwrap();
    assert_eq!(opened.id, ChangeRequestId(1));
    assert_eq!((opened.state, opened.head), (ChangeRequestState::Open, world.tip("feature")));
    assert_eq!(world.forge.open(&draft("feature")).await.unwrap(), opened);
    let moved = world.push("feature", "c", "3");
    // Another process, with the same store.
    let (_, other) = forge_of(&world.repo, "other", &world.store);
    assert_eq!(other.get(opened.id).await.unwrap().head, moved);
    let error = world.forge.open(&draft("nowhere")).await.unwrap_err();
    assert!(matches!(error, ForgeError::NoSuchBranch { .. }), "{error}");
    let error = world.forge.open(&draft("main")).await.unwrap_err();
    assert!(matches!(error, ForgeError::SameBranch { .. }), "{error}");
    let error = world.forge.get(ChangeRequestId(9)).await.unwrap_err();
    assert!(matches!(error, ForgeError::NoSuchRequest { .. }), "{error}");
    let error = world.forge.get(ChangeRequestId(0)).await.unwrap_err();
    assert!(matches!(error, ForgeError::NoSuchRequest { .. }), "{error}");
}

#[tokio::test]
async fn a_merge_is_a_commit_with_two_parents_on_the_remote_and_happens_once() {
    let world = World::new();
    let id = world.forge.open(&draft("feature")).await.unwrap().id;
    let (main, head) = (world.tip("main"), world.tip("feature"));
    let merged = world.forge.merge(id, &head).await.unwrap();
    assert_eq!(world.tip("main"), merged);
    let commit = world.clone.commit(&merged).unwrap();
    assert_eq!(commit.parents, [main, head]);
    assert_eq!(commit.subject(), "Merge change request #1: bump: network");
    assert_eq!(commit.committer.email, "pipeline@example.com");
    assert_eq!(world.forge.merge(id, &head).await.unwrap(), merged);
    let request = world.forge.get(id).await.unwrap();
    assert_eq!((request.state, request.merged_as), (ChangeRequestState::Merged, Some(merged)));
    let error = world.forge.merge(id, &main).await.unwrap_err();
    assert!(matches!(error, ForgeError::HeadMoved { .. }), "{error}");
    let error = world.forge.close(id).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotOpen { .. }), "{error}");
    // The branch is free for another one.
    world.push("feature", "c", "3");
    assert_eq!(world.forge.open(&draft("feature")).await.unwrap().id, ChangeRequestId(2));
}

#[tokio::test]
async fn only_the_head_that_was_looked_at_is_merged() {
    let world = World::new();
    let request = world.forge.open(&draft("feature")).await.unwrap();
    let main = world.tip("main");
    let sneaked = world.push("feature", "evil", "x");
    match world.forge.merge(request.id, &request.head).await.unwrap_err() {
        ForgeError::HeadMoved { found, .. } => assert_eq!(found, sneaked),
        other => panic!("{other}"),
    }
    assert_eq!(world.tip("main"), main);
}

#[tokio::test]
async fn what_others_pushed_to_the_target_is_kept() {
    let world = World::new();
    let request = world.forge.open(&draft("feature")).await.unwrap();
    let theirs = world.push("main", "c", "3");
    let merged = world.forge.merge(request.id, &request.head).await.unwrap();
    assert_eq!(world.clone.commit(&merged).unwrap().parents, [theirs, request.head]);
}

#[tokio::test]
async fn a_conflict_is_named_and_nothing_is_pushed() {
    let world = World::new();
    let request = world.forge.open(&draft("feature")).await.unwrap();
    let theirs = world.push("main", "a", "another\n");
    let error = world.forge.merge(request.id, &request.head).await.unwrap_err();
    assert!(matches!(error, ForgeError::Git(GitError::Conflict { .. })), "{error}");
    assert_eq!(world.tip("main"), theirs);
    assert_eq!(world.forge.get(request.id).await.unwrap().state, ChangeRequestState::Open);
}

/// The server takes the push, and this process dies before it hears of it.
#[tokio::test]
async fn a_merge_that_was_pushed_before_a_crash_is_found_and_not_made_again() {
    let world = World::new();
    let request = world.forge.open(&draft("feature")).await.unwrap();
    let merged = world.forge.merge(request.id, &request.head).await.unwrap();
    // Take back the last event, as though it had never been written.
    let events = world.repo.folder.path().join("store/forge/live");
    let event = |number: u64| events.join(format!("{number:012}.json"));
    assert!(std::fs::read_to_string(event(3)).unwrap().contains("\"merged\""));
    std::fs::remove_file(event(3)).unwrap();
    // Trunk moved on since.
    let later = world.push("main", "c", "3");
    let (_, other) = forge_of(&world.repo, "after-crash", &world.store);
    assert_eq!(other.merge(request.id, &request.head).await.unwrap(), merged);
    assert_eq!(world.tip("main"), later);
    assert_eq!(other.get(request.id).await.unwrap().merged_as, Some(merged));
}

/// Died between the note and the push: the very same commit is pushed later, by another clone.
#[tokio::test]
async fn a_merge_that_was_only_begun_is_finished_with_the_same_commit() {
    let world = World::new();
    let request = world.forge.open(&draft("feature")).await.unwrap();
    let main = world.tip("main");
    let merged = world.forge.merge(request.id, &request.head).await.unwrap();
    let events = world.repo.folder.path().join("store/forge/live");
    std::fs::remove_file(events.join("000000000003.json")).unwrap();
    git_in(&world.repo.origin(), &["update-ref", "refs/heads/main", &main.to_string()]);
    let (_, other) = forge_of(&world.repo, "after-crash", &world.store);
    let other = other.clock(Arc::new(FixedClock(Timestamp::from_unix(1_800_000_000))));
    assert_eq!(other.merge(request.id, &request.head).await.unwrap(), merged);
    assert_eq!(world.tip("main"), merged);
}

#[tokio::test]
async fn of_two_merges_at_once_one_commit_comes() {
    let world = World::new();
    let request = world.forge.open(&draft("feature")).await.unwrap();
    let (_, other) = forge_of(&world.repo, "other", &world.store);
    let (one, two) =
        tokio::join!(world.forge.merge(request.id, &request.head), other.merge(request.id, &request.head));
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(git_in(&world.repo.origin(), &["rev-list", "--merges", "--count", "main"]), "1");
}

#[tokio::test]
async fn a_server_that_refuses_is_not_asked_for_ever() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let request = world.forge.open(&draft("feature")).await.unwrap();
    let hook = world.repo.origin().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
    let error = world.forge.merge(request.id, &request.head).await.unwrap_err();
    assert!(matches!(error, ForgeError::Git(GitError::PushRejected { .. })), "{error}");
    assert_eq!(world.forge.get(request.id).await.unwrap().state, ChangeRequestState::Open);
}

#[tokio::test]
async fn what_was_merged_past_the_forge_counts_as_merged() {
    let world = World::new();
    let request = world.forge.open(&draft("feature")).await.unwrap();
    git_in(&world.repo.path, &["merge", "-q", "--ff-only", "feature"]);
    git_in(&world.repo.path, &["push", "-q", "origin", "main"]);
    let merged = world.forge.merge(request.id, &request.head).await.unwrap();
    assert_eq!(merged, request.head);
    assert_eq!(world.tip("main"), request.head);
}

#[tokio::test]
async fn a_closed_change_request_is_not_merged() {
    let world = World::new();
    let request = world.forge.open(&draft("feature")).await.unwrap();
    world.forge.close(request.id).await.unwrap();
    world.forge.close(request.id).await.unwrap();
    let error = world.forge.merge(request.id, &request.head).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotOpen { state: ChangeRequestState::Closed, .. }), "{error}");
}

#[tokio::test]
async fn a_marker_has_one_comment_however_often_it_is_written() {
    let world = World::new();
    let id = world.forge.open(&draft("feature")).await.unwrap().id;
    let marker = Marker::parse("dry-run/dev").unwrap();
    let plain = world.forge.comment(id, "hello").await.unwrap();
    let first = world.forge.upsert_comment(id, &marker, "no changes").await.unwrap();
    for text in ["1 to add", "1 to add"] {
        assert_eq!(world.forge.upsert_comment(id, &marker, text).await.unwrap(), first);
    }
    assert_ne!(world.forge.comment(id, "hello").await.unwrap(), plain);
    let comments = world.forge.comments(id).await.unwrap();
    let texts: Vec<_> = comments.iter().map(|comment| comment.text.as_str()).collect();
    assert_eq!(texts, ["hello", "1 to add", "hello"]);
    assert_eq!(comments[1].by, Principal("pipeline@example.com".into()));
    for bad in ["", "a b", "a-->b", "ü"] {
        assert!(matches!(Marker::parse(bad), Err(ForgeError::BadMarker { .. })), "{bad}");
    }
    // The last one repeated nothing: opened, and four that changed something.
    let events = std::fs::read_dir(world.repo.folder.path().join("store/forge/live")).unwrap().count();
    assert_eq!(events, 5);
}

#[tokio::test]
async fn a_review_is_pinned_to_the_commit_that_it_was_given_for() {
    let world = World::new();
    let request = world.forge.open(&draft("feature")).await.unwrap();
    world.forge.review(request.id, &ada(), ReviewState::Approved, request.head).await.unwrap();
    let moved = world.push("feature", "c", "3");
    world.forge.review(request.id, &ada(), ReviewState::ChangesRequested, moved).await.unwrap();
    let reviews = world.forge.reviews(request.id).await.unwrap();
    let found: Vec<_> = reviews.iter().map(|review| (review.state, review.commit)).collect();
    assert_eq!(found, [(ReviewState::Approved, request.head), (ReviewState::ChangesRequested, moved)]);
}

#[tokio::test]
async fn comments_written_at_once_are_all_kept() {
    let world = World::new();
    let id = world.forge.open(&draft("feature")).await.unwrap().id;
    let writers: Vec<_> = (0..8)
        .map(|n| {
            let forge = world.forge.clone();
            tokio::spawn(async move { forge.comment(id, &n.to_string()).await.unwrap() })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut texts: Vec<_> =
        world.forge.comments(id).await.unwrap().into_iter().map(|comment| comment.text).collect();
    texts.sort();
    assert_eq!(texts, ["0", "1", "2", "3", "4", "5", "6", "7"]);
}
