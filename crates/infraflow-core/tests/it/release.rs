//! Tests of release: real repositories with real remotes, and the mistakes of other tools.

use std::sync::Arc;

use infraflow_core::{
    address::Version,
    catalog::{Catalog, CatalogRules, Dialect, TerraformDialect},
    git::{BranchName, CommitId, Identity, RemoteName, Repository, Revision},
    observe::{Collected, Silent},
    policy::Configuration,
    proof::{Document, RepoPath, Timestamp},
    release::{
        Bump, ModuleTags, Release, ReleaseError, ReleasePlan, ReleaseRequest, ReleaseTagger, TagState,
    },
};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Repo, git_in};

const NETWORK: &str = "variable \"cidr\" {\n  type = string\n}\n\noutput \"id\" {\n  value = var.cidr\n}\n";
const CLUSTER: &str = "module \"network\" {\n  source = \"../network\"\n  cidr = \"10.0.0.0/8\"\n}\n";

/// Two modules, of which one calls the other, and one beside them, all released as 1.0.0.
fn modules() -> Repo {
    let repo = Repo::with(&[
        ("modules/network/main.tf", NETWORK),
        ("modules/cluster/main.tf", CLUSTER),
        ("modules/database/main.tf", "variable \"size\" {}\n"),
    ]);
    for module in ["network", "cluster", "database"] {
        let tag = format!("{module}/v1.0.0");
        repo.git(&["tag", "-a", &tag, "-m", &tag]);
    }
    repo.with_origin()
}

fn identity() -> Identity {
    Identity::new("release", "release@example.com", Timestamp::from_unix(1_769_860_800))
}

fn catalog(repository: &Repository, commit: &CommitId) -> Catalog {
    let tree = repository.tree(&Revision::Commit(*commit)).unwrap();
    let dialects: [Arc<dyn Dialect>; 1] = [Arc::new(TerraformDialect)];
    Catalog::build(&tree, &dialects, &CatalogRules::default()).unwrap()
}

fn tagger(config: &str) -> ModuleTags {
    ModuleTags::of(&Configuration::parse(config, Configuration::FILE).unwrap()).unwrap()
}

fn plan_with(
    repo: &Repo,
    config: &str,
    ask: impl FnOnce(ReleaseRequest) -> ReleaseRequest,
) -> Result<ReleasePlan, ReleaseError> {
    let repository = Repository::open(&repo.path).unwrap();
    let head = repository.resolve("HEAD").unwrap();
    let request = ReleaseRequest::new(head, identity()).tags(repository.tags().unwrap());
    tagger(config).plan(&ask(request), &repository, &catalog(&repository, &head))
}

fn plan(repo: &Repo) -> ReleasePlan {
    plan_with(repo, "", |request| request).unwrap()
}

fn tags(plan: &ReleasePlan) -> Vec<String> {
    plan.releases.iter().map(|release| release.tag.to_string()).collect()
}

fn release<'a>(plan: &'a ReleasePlan, module: &str) -> &'a Release {
    plan.releases.iter().find(|release| release.module.to_string() == module).unwrap()
}

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

async fn execute(repo: &Repo, plan: &ReleasePlan) -> Result<Vec<(String, TagState)>, ReleaseError> {
    let repository = Repository::open(&repo.path).unwrap();
    let released = tagger("").execute(plan, &repository, &CancellationToken::new(), &Silent).await?;
    Ok(released.tags.into_iter().map(|tag| (tag.tag.to_string(), tag.state)).collect())
}

fn remote_tags(repo: &Repo) -> Vec<String> {
    let list =
        git_in(&repo.origin(), &["for-each-ref", "--format=%(refname:short) %(objecttype)", "refs/tags"]);
    list.lines().map(str::to_owned).collect()
}

#[test]
fn the_first_release_of_each_module_is_1_0_0() {
    let repo = Repo::with(&[("modules/a/main.tf", ""), ("modules/b/main.tf", ""), ("README.md", "")]);
    let plan = plan(&repo);
    assert_eq!(tags(&plan), ["a/v1.0.0", "b/v1.0.0"]);
    assert!(plan.releases.iter().all(|r| r.bump == Bump::Initial && r.previous.is_none()));
    let other = plan_with(&repo, "release.initial = \"0.1.0\"", |request| request).unwrap();
    assert_eq!(tags(&other), ["a/v0.1.0", "b/v0.1.0"]);
}

#[test]
fn a_changed_module_is_released_with_those_that_call_it_by_a_path_and_no_others() {
    let repo = modules();
    repo.write("modules/network/main.tf", format!("{NETWORK}output \"arn\" {{\n  value = 1\n}}\n"));
    repo.commit("feat: an arn (#7)");
    let plan = plan(&repo);
    assert_eq!(tags(&plan), ["cluster/v1.0.1", "network/v1.1.0"]);
    let network = release(&plan, "modules/network");
    assert_eq!((network.bump, network.previous.clone()), (Bump::Minor, Some(Version::release(1, 0, 0))));
    assert!(network.notes.contains("### Features\n\n- an arn (#7) ("), "{}", network.notes);
    let cluster = release(&plan, "modules/cluster");
    assert_eq!((cluster.bump, cluster.reasons[0].rule.as_str()), (Bump::Patch, "dependent"));
    assert_eq!(cluster.reasons[0].chain[0].path, path("modules/cluster/main.tf"));
    assert!(cluster.notes.contains("- network/v1.1.0"), "{}", cluster.notes);
    assert_eq!(plan.unchanged.len(), 1);
    assert_eq!(plan.unchanged[0].module, path("modules/database"));
    assert_eq!(plan.unchanged[0].reasons[0].rule, "unchanged");
}

#[test]
fn a_breaking_change_is_a_major_version_in_each_of_its_forms() {
    for message in ["feat!: other", "fix(net)!: other", "chore: other\n\nBREAKING CHANGE: other"] {
        let repo = modules();
        repo.write("modules/database/main.tf", "variable \"size\" {}\n\nlocals {\n  a = 1\n}\n");
        repo.commit(message);
        let plan = plan(&repo);
        assert_eq!(tags(&plan), ["database/v2.0.0"], "{message}");
        assert_eq!(release(&plan, "modules/database").bump, Bump::Major);
    }
}

#[test]
fn the_interface_proves_a_floor_whatever_the_commits_say() {
    let repo = modules();
    repo.write("modules/database/main.tf", "locals {\n  a = 1\n}\n");
    let commit = repo.commit("fix: a name");
    let plan = plan(&repo);
    let database = release(&plan, "modules/database");
    assert_eq!((database.tag.as_str(), database.bump), ("database/v2.0.0", Bump::Major));
    let rules: Vec<_> = database.reasons.iter().map(|reason| reason.rule.as_str()).collect();
    assert_eq!(rules, ["variable_removed", "commit"]);
    assert!(database.notes.contains("### Breaking changes"), "{}", database.notes);

    let under =
        plan_with(&repo, "", |request| request.version(path("modules/database"), Version::release(1, 0, 1)))
            .unwrap_err();
    assert_eq!(
        under.to_string(),
        format!(
            "cannot tag modules/database as database/v1.0.1: the interface lost variable \"size\" (modules/database/main.tf:1), which needs a major version\n  commits since database/v1.0.0 ask for: patch (fix: a name ({}))\n  help: release database/v2.0.0, or bring back what was there",
            &commit[..CommitId::parse(&commit).unwrap().short().len()]
        )
    );
    let asked = plan_with(&repo, "", |r| r.version(path("modules/database"), Version::release(3, 0, 0)));
    assert_eq!(tags(&asked.unwrap()), ["database/v3.0.0"]);
    let earlier = plan_with(&repo, "", |r| r.version(path("modules/network"), Version::release(1, 0, 0)));
    assert!(matches!(earlier, Err(ReleaseError::NotLater { .. })));
    let nobody = plan_with(&repo, "", |r| r.only(path("modules/nobody")));
    assert!(matches!(nobody, Err(ReleaseError::NoSuchModule { .. })));
}

#[test]
fn a_new_output_asks_for_a_minor_version_though_the_commit_says_fix() {
    let repo = modules();
    repo.write("modules/database/main.tf", "variable \"size\" {}\n\noutput \"x\" {\n  value = 1\n}\n");
    repo.commit("fix: x");
    assert_eq!(tags(&plan(&repo)), ["database/v1.1.0"]);
}

#[test]
fn what_callers_do_not_get_makes_no_version() {
    let repo = modules();
    repo.write_all(&[
        ("modules/database/README.md", "new"),
        ("modules/database/examples/a/main.tf", "module \"x\" {\n  source = \"../..\"\n  size = 1\n}\n"),
        ("modules/database/tests/a.tftest.hcl", "run \"a\" {}\n"),
    ]);
    repo.commit("feat!: examples");
    repo.write("modules/network/main.tf", format!("# words\n{NETWORK}"));
    repo.commit("chore: words");
    let plan = plan(&repo);
    assert_eq!(tags(&plan), [] as [&str; 0]);
    let rules: Vec<_> = plan.unchanged.iter().map(|u| u.reasons[0].rule.as_str()).collect();
    assert_eq!(rules, ["asks_for_nothing", "unchanged", "asks_for_nothing"]);
}

#[test]
fn a_file_that_a_module_reads_is_its_own_wherever_it_stands() {
    let repo = Repo::with(&[
        ("modules/a/main.tf", "output \"x\" {\n  value = file(\"${path.module}/../../shared/x.json\")\n}\n"),
        ("modules/a/README.md", "read"),
        ("modules/b/main.tf", "output \"x\" {\n  value = file(\"${path.module}/NOTES.md\")\n}\n"),
        ("modules/b/NOTES.md", "a"),
        ("shared/x.json", "1"),
        ("shared/y.json", "1"),
    ]);
    for tag in ["a/v1.0.0", "b/v1.0.0"] {
        repo.git(&["tag", tag]);
    }
    repo.write_all(&[("shared/y.json", "2"), ("modules/a/README.md", "more")]);
    repo.commit("feat: nobody's");
    assert_eq!(tags(&plan(&repo)), [] as [&str; 0]);
    repo.write("shared/x.json", "2");
    repo.commit("fix: shared");
    assert_eq!(tags(&plan(&repo)), ["a/v1.0.1"]);
    repo.write("modules/b/NOTES.md", "b");
    repo.commit("fix: what b says");
    assert_eq!(tags(&plan(&repo)), ["a/v1.0.1", "b/v1.0.1"]);
}

#[test]
fn callers_of_callers_notice_what_their_states_hold() {
    let repo = Repo::with(&[
        ("modules/low/main.tf", "resource \"terraform_data\" \"a\" {}\nvariable \"x\" {}\n"),
        ("modules/mid/main.tf", "module \"low\" {\n  source = \"../low\"\n  x = 1\n}\n"),
        ("modules/top/main.tf", "module \"mid\" {\n  source = \"../mid\"\n}\n"),
    ]);
    for tag in ["low/v1.0.0", "mid/v1.0.0", "top/v1.0.0"] {
        repo.git(&["tag", tag]);
    }
    repo.write("modules/low/main.tf", "resource \"terraform_data\" \"b\" {}\nvariable \"x\" {}\n");
    repo.commit("fix: another name");
    let destroying = plan(&repo);
    assert_eq!(tags(&destroying), ["low/v2.0.0", "mid/v2.0.0", "top/v2.0.0"]);
    assert_eq!(release(&destroying, "modules/top").reasons[0].rule, "address_removed");
    // A variable is a matter between the module and its caller alone.
    repo.write("modules/low/main.tf", "resource \"terraform_data\" \"a\" {}\nvariable \"y\" {}\n");
    repo.write("modules/mid/main.tf", "module \"low\" {\n  source = \"../low\"\n  y = 1\n}\n");
    repo.commit("fix: y");
    assert_eq!(tags(&plan(&repo)), ["low/v2.0.0", "mid/v1.0.1", "top/v1.0.1"]);
}

#[test]
fn a_call_by_an_address_gets_what_the_address_says() {
    let repo = Repo::with(&[
        ("modules/a/main.tf", ""),
        (
            "modules/b/main.tf",
            "module \"a\" {\n  source = \"git::https://h/r.git//modules/a?ref=a/v1.0.0\"\n}\n",
        ),
    ]);
    for tag in ["a/v1.0.0", "b/v1.0.0"] {
        repo.git(&["tag", tag]);
    }
    repo.write("modules/a/main.tf", "output \"x\" {\n  value = 1\n}\n");
    repo.commit("feat: x");
    assert_eq!(tags(&plan(&repo)), ["a/v1.1.0"]);
}

#[test]
fn tags_of_other_modules_do_not_count_and_commits_on_both_sides_of_a_merge_do() {
    let repo = modules();
    for tag in ["network-x/v9.0.0", "v8.0.0", "network/v1.0", "network/vnext", "xnetwork/v7.0.0"] {
        repo.git(&["tag", tag]);
    }
    repo.branch("side");
    repo.write("modules/network/side.tf", "locals {\n  side = 1\n}\n");
    repo.commit("feat: side");
    repo.checkout("main");
    repo.write("modules/network/trunk.tf", "locals {\n  trunk = 1\n}\n");
    repo.commit("fix: trunk");
    repo.git(&["merge", "-q", "--no-ff", "side", "-m", "Merge side"]);
    let plan = plan(&repo);
    let network = release(&plan, "modules/network");
    assert_eq!(network.tag.as_str(), "network/v1.1.0");
    let mut subjects: Vec<_> = network.commits.iter().map(|commit| commit.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["feat: side", "fix: trunk"]);
}

#[test]
fn a_tag_on_a_branch_that_was_merged_is_the_version_before() {
    let repo = modules();
    repo.branch("side");
    repo.write("modules/network/side.tf", "locals {\n  side = 1\n}\n");
    repo.commit("feat: side");
    repo.git(&["tag", "network/v1.1.0"]);
    repo.checkout("main");
    repo.write("modules/network/trunk.tf", "locals {\n  trunk = 1\n}\n");
    repo.commit("fix: trunk");
    let alone = plan(&repo);
    assert_eq!(release(&alone, "modules/network").tag.as_str(), "network/v1.0.1");
    assert_eq!(release(&alone, "modules/network").elsewhere[0].as_str(), "network/v1.1.0");
    repo.git(&["merge", "-q", "--no-ff", "side", "-m", "Merge side"]);
    let merged = plan(&repo);
    assert_eq!(release(&merged, "modules/network").tag.as_str(), "network/v1.1.1");
}

#[test]
fn a_tag_that_exists_elsewhere_is_refused() {
    let repo = modules();
    repo.branch("side");
    repo.commit("chore: side");
    repo.git(&["tag", "network/v1.1.0"]);
    repo.checkout("main");
    repo.write("modules/network/trunk.tf", "locals {\n  trunk = 1\n}\n");
    repo.commit("feat: trunk");
    let error = plan_with(&repo, "", |request| request).unwrap_err();
    assert!(matches!(error, ReleaseError::TagElsewhere { .. }), "{error}");
    assert!(error.to_string().contains("cannot make the tag network/v1.1.0"), "{error}");
}

#[test]
fn a_module_that_cannot_be_released_does_not_stop_the_others() {
    let repo = Repo::with(&[
        ("modules/a/main.tf", ""),
        ("modules/my net/main.tf", ""),
        ("modules/broken/main.tf", "variable \"x\" {\n  default = [\n}\n"),
    ]);
    let plan = plan(&repo);
    assert_eq!(tags(&plan), ["a/v1.0.0"]);
    let refused: Vec<_> =
        plan.refused.iter().map(|u| (u.module.to_string(), u.reasons[0].rule.clone())).collect();
    assert_eq!(
        refused,
        [
            ("modules/broken".to_owned(), "unreadable".to_owned()),
            ("modules/my net".to_owned(), "unfit_name".to_owned())
        ]
    );
    assert!(plan.refused[0].reasons[0].text.contains("modules/broken/main.tf: line 3"));
    let named = plan_with(&repo, "[release.names]\n\"modules/my net\" = \"my-net\"\n", |r| r).unwrap();
    assert_eq!(tags(&named), ["a/v1.0.0", "my-net/v1.0.0"]);
}

#[test]
fn a_module_that_is_its_whole_repository_has_plain_tags() {
    let repo = Repo::with(&[
        ("main.tf", "variable \"a\" {}\n"),
        ("examples/x/main.tf", "module \"m\" {\n  source = \"../..\"\n  a = 1\n}\n"),
    ]);
    assert_eq!(tags(&plan(&repo)), ["v1.0.0"]);
    repo.git(&["tag", "v1.0.0"]);
    repo.write("outputs.tf", "output \"b\" {\n  value = 1\n}\n");
    repo.commit("feat: b");
    assert_eq!(tags(&plan(&repo)), ["v1.1.0"]);
}

#[test]
fn a_module_that_moved_within_its_repository_is_a_major_version() {
    let repo = modules();
    repo.git(&["mv", "modules/database", "database"]);
    repo.commit("refactor: out of modules");
    let plan = plan_with(&repo, "catalog.modules = [\"database\", \"modules/*\"]", |r| r);
    let plan = plan.unwrap();
    let database = release(&plan, "database");
    assert_eq!(
        (database.tag.as_str(), database.reasons[0].rule.as_str()),
        ("database/v2.0.0", "directory_moved")
    );
}

#[test]
fn a_shallow_clone_is_refused_with_the_command_that_mends_it() {
    let repo = modules();
    repo.write("modules/network/x.tf", "");
    repo.commit("feat: x");
    let shallow = repo.folder.path().join("shallow");
    let url = format!("file://{}", repo.path.display());
    git_in(repo.folder.path(), &["clone", "-q", "--depth", "1", &url, shallow.to_str().unwrap()]);
    let repository = Repository::open(&shallow).unwrap();
    let head = repository.resolve("HEAD").unwrap();
    let tags = Repository::open(&repo.path).unwrap().tags().unwrap();
    let request = ReleaseRequest::new(head, identity()).tags(tags);
    let error = tagger("").plan(&request, &repository, &catalog(&repository, &head)).unwrap_err();
    assert!(matches!(error, ReleaseError::Git(_)), "{error}");
}

#[tokio::test]
async fn tags_are_made_annotated_in_one_push_and_a_second_try_makes_nothing() {
    let repo = modules();
    repo.write("modules/network/x.tf", "");
    repo.commit("feat: x");
    repo.git(&["push", "-q", "origin", "main"]);
    let before = repo.git(&["rev-parse", "HEAD"]);
    let main = BranchName::parse("main").unwrap();
    let plan = plan_with(&repo, "", |request| request.trunk(main)).unwrap();
    let repository = Repository::open(&repo.path).unwrap();
    let events = Collected::default();
    let released = tagger("").execute(&plan, &repository, &CancellationToken::new(), &events).await.unwrap();
    assert!(
        released.tags.iter().all(|tag| tag.state == TagState::Created && tag.commit.to_string() == before)
    );
    assert_eq!(released.without_events, []);
    assert_eq!(events.events().len(), 4);
    let there = remote_tags(&repo);
    assert!(
        there.contains(&"cluster/v1.0.1 tag".to_owned()) && there.contains(&"network/v1.1.0 tag".to_owned())
    );
    // No local tag was made.
    assert!(!repo.git(&["tag"]).contains("network/v1.1.0"));
    let shown = git_in(&repo.origin(), &["cat-file", "-p", "network/v1.1.0"]);
    assert!(shown.contains("tagger release <release@example.com> 1769860800 +0000"), "{shown}");
    assert!(shown.contains("### Features\n\n- x ("), "{shown}");

    let again = execute(&repo, &plan).await.unwrap();
    assert!(again.iter().all(|(_, state)| *state == TagState::AlreadyThere));
    assert_eq!(remote_tags(&repo), there);
}

#[tokio::test]
async fn a_plan_travels_in_a_file_and_an_altered_one_is_refused() {
    let repo = modules();
    repo.write("modules/network/x.tf", "");
    repo.commit("feat: x");
    let text = plan(&repo).to_json().unwrap();
    assert_eq!(text, plan(&repo).to_json().unwrap());
    assert!(ReleasePlan::from_json(&text.replace("network/v1.1.0", "network/v1.0.1")).is_err());
    let read = ReleasePlan::from_json(&text).unwrap();
    assert_eq!(read, plan(&repo));
    execute(&repo, &read).await.unwrap();
}

#[tokio::test]
async fn who_was_faster_is_noticed_and_a_new_plan_counts_on() {
    let repo = modules();
    repo.write("modules/network/x.tf", "");
    repo.commit("feat: x");
    let mine = plan(&repo);
    // Somebody else releases the same commit as another version.
    git_in(&repo.path, &["push", "-q", "origin", "main", "HEAD:refs/tags/network/v1.0.1"]);
    let there = remote_tags(&repo);
    let error = execute(&repo, &mine).await.unwrap_err();
    assert!(
        matches!(&error, ReleaseError::LostRace { tags, .. } if tags[0].as_str() == "network/v1.0.1"),
        "{error}"
    );
    assert_eq!(remote_tags(&repo), there, "all tags or none");

    let repository = Repository::open(&repo.path).unwrap();
    let cancel = CancellationToken::new();
    let tags = ReleaseRequest::observe_tags(&repository, &RemoteName::origin(), &cancel).await.unwrap();
    let new = plan_with(&repo, "", |request| request.tags(tags)).unwrap();
    assert_eq!(self::tags(&new), ["cluster/v1.0.1"]);

    // And the very name that was planned.
    git_in(&repo.path, &["push", "-q", "origin", "HEAD:refs/tags/cluster/v1.0.1"]);
    let error = execute(&repo, &new).await.unwrap_err();
    assert!(matches!(error, ReleaseError::TagElsewhere { .. }), "{error}");
}

#[tokio::test]
async fn two_releases_at_the_same_time_make_one() {
    let repo = modules();
    repo.write("modules/network/x.tf", "");
    repo.commit("feat: x");
    let plan = plan(&repo);
    let (one, two) = tokio::join!(execute(&repo, &plan), execute(&repo, &plan));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.len(), 2);
    assert_eq!(two.len(), 2);
    assert_eq!(remote_tags(&repo).len(), 5);
}

#[tokio::test]
async fn what_the_trunk_does_not_hold_is_not_tagged() {
    let repo = modules();
    repo.write("modules/network/x.tf", "");
    repo.commit("feat: x");
    let main = BranchName::parse("main").unwrap();
    let plan = plan_with(&repo, "", |request| request.trunk(main)).unwrap();
    let error = execute(&repo, &plan).await.unwrap_err();
    assert!(matches!(error, ReleaseError::NotOnTrunk { .. }), "{error}");
    assert_eq!(remote_tags(&repo).len(), 3);
    // The trunk may have gone on meanwhile.
    repo.git(&["push", "-q", "origin", "main"]);
    let other = repo.folder.path().join("other");
    git_in(repo.folder.path(), &["clone", "-q", "origin.git", "other"]);
    git_in(&other, &["commit", "-q", "--allow-empty", "-m", "more"]);
    git_in(&other, &["push", "-q", "origin", "main"]);
    execute(&repo, &plan).await.unwrap();
}

#[tokio::test]
async fn more_than_three_tags_at_once_must_be_dispatched() {
    let repo = Repo::with(&[
        ("modules/a/main.tf", ""),
        ("modules/b/main.tf", ""),
        ("modules/c/main.tf", ""),
        ("modules/d/main.tf", ""),
    ])
    .with_origin();
    let repository = Repository::open(&repo.path).unwrap();
    let released =
        tagger("").execute(&plan(&repo), &repository, &CancellationToken::new(), &Silent).await.unwrap();
    assert_eq!(released.without_events.len(), 4);
}

#[tokio::test]
async fn nothing_happens_after_it_was_cancelled_or_without_a_remote() {
    let repo = modules();
    repo.write("modules/network/x.tf", "");
    repo.commit("feat: x");
    let repository = Repository::open(&repo.path).unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let error = tagger("").execute(&plan(&repo), &repository, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, ReleaseError::Cancelled), "{error}");
    assert_eq!(remote_tags(&repo).len(), 3);
    repo.git(&["remote", "set-url", "origin", "/nowhere/at/all"]);
    let error = execute(&repo, &plan(&repo)).await.unwrap_err();
    assert!(matches!(error, ReleaseError::Git(_)), "{error}");
}

#[test]
fn a_thousand_commits_and_a_hundred_modules_are_read_in_one_walk() {
    let repo = Repo::empty();
    let mut stream = String::new();
    let mut mark = 0;
    for round in 0..10 {
        for module in 0..100 {
            mark += 1;
            stream += &format!(
                "commit refs/heads/main\nmark :{mark}\nauthor A <a@b> {mark} +0000\ncommitter A <a@b> {mark} +0000\n"
            );
            let message = format!("fix: m{module} round {round}");
            stream += &format!("data {}\n{message}\n", message.len());
            if mark > 1 {
                stream += &format!("from :{}\n", mark - 1);
            }
            let text = format!("locals {{\n  round = {round}\n}}\n");
            stream += &format!("M 100644 inline modules/m{module}/main.tf\ndata {}\n{text}\n", text.len());
        }
        if round == 4 {
            for module in 0..100 {
                stream += &format!("reset refs/tags/m{module}/v1.0.0\nfrom :{mark}\n\n");
            }
        }
    }
    let mut child = std::process::Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(&repo.path)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    repo.git(&["reset", "-q", "--hard", "main"]);
    let plan = plan(&repo);
    assert_eq!(plan.releases.len(), 100);
    assert!(plan.releases.iter().all(|r| r.next == Version::release(1, 0, 1) && r.commits.len() == 5));
}
