//! Tests of detect: where a change begins and ends, by the variables of CI systems. Each repository is made as
//! the system checks it out.

use std::collections::BTreeMap;

use infraflow_core::{
    detect::{Comparison, DetectError, Endpoints},
    git::{GitError, Repository},
};

use crate::fixture::{Repo, git_in};

/// `main` with three commits, `feature` from the first of them, and a merge of both, which is checked out:
/// what GitHub calls `refs/pull/7/merge`.
struct Project {
    repo: Repo,
    first: String,
    second: String,
    main: String,
    feature: String,
    merge: String,
}

fn project() -> Project {
    let repo = Repo::with(&[("a", "1"), ("b", "1")]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.branch("feature");
    repo.write("b", "2");
    let feature = repo.commit("feature");
    repo.checkout("main");
    repo.write("a", "2");
    let second = repo.commit("second");
    repo.write("a", "3");
    let main = repo.commit("main");
    let repo = repo.with_origin();
    repo.git(&["checkout", "-q", "--detach", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "-m", "merge", "feature"]);
    let merge = repo.git(&["rev-parse", "HEAD"]);
    Project { repo, first, second, main, feature, merge }
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

impl Project {
    fn open(&self) -> Repository {
        Repository::open(&self.repo.path).unwrap()
    }

    fn try_in(&self, pairs: &[(&str, &str)]) -> Result<Endpoints, DetectError> {
        Endpoints::from_environment(&variables(pairs), &self.open())
    }

    fn within(&self, pairs: &[(&str, &str)]) -> Endpoints {
        self.try_in(pairs).unwrap_or_else(|error| panic!("{error}"))
    }

    fn checkout(&self, revision: &str) {
        self.repo.git(&["checkout", "-q", "--detach", revision]);
    }

    /// The event of GitHub Actions, in a file beside the repository.
    fn event(&self, event: serde_json::Value) -> String {
        let path = self.repo.folder.path().join("event.json");
        std::fs::write(&path, event.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn changed(&self, endpoints: &Endpoints) -> Vec<String> {
        let changes = endpoints.detect(&self.open()).unwrap();
        changes.paths().into_iter().map(ToString::to_string).collect()
    }
}

const ZEROS: &str = "0000000000000000000000000000000000000000";
const UNKNOWN: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn without_a_ci_system_a_change_is_what_trunk_has_not() {
    let project = project();
    project.checkout("feature");
    let found = project.within(&[("PATH", "/bin"), ("GITHUB_ACTIONS", "false")]);
    assert_eq!(
        (found.base.to_string(), found.base_from.as_str()),
        (project.main.clone(), "the tip of trunk, main")
    );
    assert_eq!((found.head.to_string(), found.head_from.as_str()), (project.feature.clone(), "HEAD"));
    assert_eq!(project.changed(&found), ["b"]);
    project.repo.write("new", "1");
    let found = found.with_working_tree();
    assert_eq!(found.head_from, "the working tree on HEAD");
    assert_eq!(project.changed(&found), ["b", "new"]);
    project.checkout("main");
    let found = project.within(&[]);
    assert!(found.detect(&project.open()).unwrap().warnings[0].contains("the same commit"));
}

#[test]
fn github_builds_a_merge_of_a_pull_request_and_its_target() {
    let project = project();
    let event = project.event(serde_json::json!({
        "pull_request": {"number": 7, "base": {"ref": "main", "sha": project.first}, "head": {"sha": project.feature}},
        "repository": {"default_branch": "main"},
    }));
    let pull_request = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_EVENT_PATH", &event),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_SHA", &project.merge),
        ("GITHUB_BASE_REF", "main"),
    ];
    let found = project.within(&pull_request);
    assert_eq!(found.base.to_string(), project.main);
    let from = "the target of pull request 7, first parent of the merge commit (GitHub Actions)";
    assert_eq!(found.base_from, from);
    assert_eq!(project.changed(&found), ["b"]);
    // The workflow checked out the request's own head.
    project.checkout("feature");
    let found = project.within(&pull_request);
    assert_eq!(found.base_from, "the target of pull request 7, main (GitHub Actions)");
    assert_eq!(project.changed(&found), ["b"]);
    // pull_request_target checks out the target.
    project.checkout("main");
    let mut outside = pull_request;
    (outside[1].1, outside[3].1, outside[4].1) = ("pull_request_target", "refs/heads/main", &project.main);
    let found = project.within(&outside);
    assert_eq!(found.head.to_string(), project.feature);
    assert_eq!(found.head_from, "the head of pull request 7 (GitHub Actions)");
    assert_eq!(project.changed(&found), ["b"]);
}

#[test]
fn a_push_to_trunk_is_compared_with_what_stood_there_before() {
    let project = project();
    project.checkout("main");
    let push = |before: &str, reference: &'static str| {
        let event =
            project.event(serde_json::json!({"before": before, "repository": {"default_branch": "main"}}));
        project.try_in(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_EVENT_PATH", &event),
            ("GITHUB_REF", reference),
        ])
    };
    let found = push(&project.first, "refs/heads/main").unwrap();
    assert_eq!(found.base.to_string(), project.first);
    assert_eq!(found.comparison, Comparison::Endpoints);
    assert_eq!(found.base_from, "what stood on trunk, main, before the push (GitHub Actions)");
    assert_eq!(project.changed(&found), ["a"]);
    // What was thrown away by force counts too: it was deployed.
    assert_eq!(project.changed(&push(&project.feature, "refs/heads/main").unwrap()), ["a", "b"]);
    let error = push(UNKNOWN, "refs/heads/main").unwrap_err();
    assert!(matches!(error, DetectError::NotInClone { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("fetch-depth: 0") && text.contains(&format!("git fetch origin {UNKNOWN}")),
        "{text}"
    );
    // A new branch, and one that is not trunk.
    project.checkout("feature");
    for before in [ZEROS, &project.first] {
        let found = push(before, "refs/heads/feature").unwrap();
        assert_eq!(found.base_from, "the tip of trunk, main (GitHub Actions)");
        assert_eq!(project.changed(&found), ["b"]);
    }

    project.checkout("main");
    let gitlab = |before: &str| {
        project.within(&[
            ("GITLAB_CI", "true"),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_DEFAULT_BRANCH", "main"),
            ("CI_COMMIT_BEFORE_SHA", before),
        ])
    };
    assert_eq!(gitlab(&project.second).base.to_string(), project.second);
    let nothing = gitlab(ZEROS).detect(&project.open()).unwrap();
    assert!(nothing.warnings[0].contains("the same commit"), "{:?}", nothing.warnings);
    let jenkins = |before: &str| {
        project.within(&[
            ("JENKINS_URL", "http://localhost/"),
            ("GIT_BRANCH", "origin/main"),
            ("GIT_PREVIOUS_SUCCESSFUL_COMMIT", before),
        ])
    };
    assert_eq!(jenkins(&project.first).base.to_string(), project.first);
    assert_eq!(jenkins("null").base.to_string(), project.second);
}

#[test]
fn where_nobody_tells_what_stood_before_the_first_parent_is_taken_and_said() {
    let project = project();
    project.checkout("main");
    for (system, pairs) in [
        (
            "Buildkite",
            &[("BUILDKITE", "true"), ("BUILDKITE_PULL_REQUEST", "false"), ("BUILDKITE_BRANCH", "main")][..],
        ),
        ("Azure Pipelines", &[("TF_BUILD", "True"), ("BUILD_SOURCEBRANCH", "refs/heads/main")]),
        ("Bitbucket Pipelines", &[("BITBUCKET_BUILD_NUMBER", "1"), ("BITBUCKET_BRANCH", "main")]),
    ] {
        let found = project.within(pairs);
        assert_eq!(found.base.to_string(), project.second, "{system}");
        assert_eq!(found.base_from, format!("the first parent of HEAD on trunk, main ({system})"));
        assert!(found.notes[0].contains("several commits"), "{:?}", found.notes);
    }
}

#[test]
fn a_change_request_is_compared_with_its_target_on_every_system() {
    let project = project();
    project.checkout("feature");
    let github = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_BASE_REF", "main"),
    ];
    let gitlab = [
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_EVENT_TYPE", "detached"),
        ("CI_COMMIT_BEFORE_SHA", ZEROS),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", project.first.as_str()),
    ];
    let buildkite = [
        ("BUILDKITE", "true"),
        ("BUILDKITE_PULL_REQUEST", "7"),
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
    ];
    let azure = [("TF_BUILD", "True"), ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main")];
    let jenkins = [("JENKINS_URL", "x"), ("CHANGE_ID", "7"), ("CHANGE_TARGET", "main")];
    let bitbucket = [
        ("BITBUCKET_BUILD_NUMBER", "1"),
        ("BITBUCKET_PR_ID", "7"),
        ("BITBUCKET_PR_DESTINATION_COMMIT", &project.main[..12]),
        ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
    ];
    for pairs in [&github[..], &gitlab, &buildkite, &azure, &jenkins, &bitbucket] {
        let found = project.within(pairs);
        assert_eq!(project.changed(&found), ["b"], "{}", found.base_from);
        assert_eq!(found.comparison, Comparison::MergeBase);
    }
    // Where the target was merged into what is built.
    project.checkout(&project.merge);
    let merged = [
        &[
            ("GITLAB_CI", "true"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_EVENT_TYPE", "merged_result"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", project.main.as_str()),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", project.first.as_str()),
        ][..],
        &[
            ("GITLAB_CI", "true"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", project.first.as_str()),
        ],
        &[
            ("TF_BUILD", "True"),
            ("BUILD_SOURCEBRANCH", "refs/pull/7/merge"),
            ("SYSTEM_PULLREQUEST_TARGETBRANCH", "main"),
        ],
        &jenkins,
        &bitbucket,
    ];
    for pairs in merged {
        let found = project.within(pairs);
        assert_eq!(found.base.to_string(), project.main, "{}", found.base_from);
        assert_eq!(project.changed(&found), ["b"], "{}", found.base_from);
    }
}

#[test]
fn a_merge_group_is_compared_with_what_it_stands_on_and_a_button_with_trunk() {
    let project = project();
    let event = project.event(serde_json::json!({
        "merge_group": {"base_sha": project.main, "head_sha": project.merge},
        "repository": {"default_branch": "main"},
    }));
    let with = |name: &'static str| {
        project.within(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", name),
            ("GITHUB_EVENT_PATH", &event),
        ])
    };
    let group = with("merge_group");
    assert_eq!(group.base_from, "what the merge group stands on (GitHub Actions)");
    assert_eq!(project.changed(&group), ["b"]);
    project.checkout("feature");
    for button in ["workflow_dispatch", "schedule", "something_new"] {
        assert_eq!(with(button).base_from, "the tip of trunk, main (GitHub Actions)");
    }
}

#[test]
fn what_the_clone_lacks_is_named_with_the_command_that_brings_it() {
    let project = project();
    let missing = |pairs: &[(&str, &str)]| {
        let error = project.try_in(pairs).unwrap_err();
        assert!(matches!(error, DetectError::NotInClone { .. }), "{error}");
        error.to_string()
    };
    let text = missing(&[
        ("BUILDKITE", "true"),
        ("BUILDKITE_PULL_REQUEST", "7"),
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "a;b"),
    ]);
    assert!(text.contains("git fetch origin '+refs/heads/a;b:refs/remotes/origin/a;b'"), "{text}");
    let text = missing(&[
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", UNKNOWN),
    ]);
    assert!(text.contains("GIT_DEPTH: 0"), "{text}");
    let text = missing(&[("JENKINS_URL", "x"), ("CHANGE_TARGET", "release")]);
    assert!(text.contains("cannot compare with the target of change request"), "{text}");
    let text = missing(&[("TF_BUILD", "True"), ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/x")]);
    assert!(text.contains("fetchDepth: 0"), "{text}");
    let bitbucket =
        [("BITBUCKET_BUILD_NUMBER", "1"), ("BITBUCKET_PR_ID", "7"), ("BITBUCKET_PR_DESTINATION_BRANCH", "x")];
    assert!(missing(&bitbucket).contains("depth: full"));

    // One commit deep, as actions/checkout has it by default: the merge's parents are not there.
    let url = format!("file://{}", project.repo.path.display());
    git_in(project.repo.folder.path(), &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let shallow = Repository::open(project.repo.folder.path().join("shallow")).unwrap();
    let pull_request = variables(&[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_SHA", &project.merge),
        ("GITHUB_BASE_REF", "main"),
    ]);
    let error = Endpoints::from_environment(&pull_request, &shallow).unwrap_err();
    assert!(error.to_string().contains("fetch-depth: 0"), "{error}");
}

#[test]
fn variables_that_make_no_sense_are_refused() {
    let project = project();
    let odd = |pairs: &[(&str, &str)]| {
        let error = project.try_in(pairs).unwrap_err();
        assert!(matches!(error, DetectError::Environment { .. }), "{error}");
        error.to_string()
    };
    let hostile = odd(&[
        ("GITLAB_CI", "1"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "--all"),
    ]);
    assert!(hostile.contains("is no commit's id"), "{hostile}");
    odd(&[("GITLAB_CI", "1"), ("CI_MERGE_REQUEST_IID", "7")]);
    odd(&[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "pull_request")]);
    odd(&[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "merge_group")]);
    odd(&[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", "/nowhere/event.json")]);
    let path = project.repo.folder.path().join("event.json");
    std::fs::write(&path, "{").unwrap();
    odd(&[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", path.to_str().unwrap())]);
    let error = project.try_in(&[("JENKINS_URL", "x"), ("CHANGE_TARGET", "--upload-pack=x")]).unwrap_err();
    assert!(matches!(error, DetectError::Git(GitError::BadName { .. })), "{error}");
}

#[test]
fn endpoints_travel() {
    let found = project().within(&[]);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Endpoints>(&text).unwrap(), found);
}
