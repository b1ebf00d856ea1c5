//! Tests of approve: who counts, and every way not to.

use std::{sync::Arc, time::Duration};

use infraflow_core::{
    approve::{
        ApprovalRequest, ApproveError, Approver, ChangeFacts, Nonce, Refused, SshApprover, Verdict, authors,
    },
    catalog::UnitId,
    detect::{Change, ChangeSet},
    dry_run::{DryRun, UnitDryRun, UnitOutcome},
    git::{ChangeKind, CommitId, Repository, Revision},
    observe::Silent,
    policy::{Configuration, Policy},
    proof::{
        Clock, Digest, Document, FixedClock, Principal, ProofError, RepoPath, RunId, SigningKey, Timestamp,
        canonical_json,
    },
    store::{Store, StoreError},
    terraform::{ToolVersion, plan::Plan},
};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Repo, has};

mod forged;
mod used;

fn now() -> FixedClock {
    FixedClock(Timestamp::parse("2026-01-31T12:00:00Z").unwrap())
}

const COMMIT: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

const RULES: &str = r#"
[[risk]]
name = "databases"
when = { types = ["terraform_data"], addresses = ["module.db.*"], actions = ["delete"] }
approvals = 1
approvers = ["eve"]
[environments.dev]
units = ["dev/**"]
order = 1
approvals = 0
[environments.prod]
units = ["prod/**"]
order = 2
approvals_on_replace = 2
"#;

/// People with keys, a policy that knows them, and a store.
struct Desk {
    keys: Vec<(Principal, SigningKey)>,
    policy: Policy,
    store: Store,
    approver: SshApprover,
}

impl Desk {
    fn new() -> Self {
        let keys: Vec<_> = ["ada", "bob", "eve"]
            .map(|name| (Principal(name.into()), SigningKey::generate(name).unwrap()))
            .into();
        let signers: String =
            keys.iter().map(|(name, key)| format!("{name} {}\n", key.verifying_key())).collect();
        let policy = policy(RULES, &signers);
        let store = Store::memory().declared_durable();
        Self { keys, policy, approver: SshApprover::new(store.clone(), Arc::new(now())), store }
    }

    fn key(&self, name: &str) -> &SigningKey {
        &self.keys.iter().find(|(who, _)| who.0 == name).unwrap().1
    }

    fn request(&self, dry_run: &DryRun) -> ApprovalRequest {
        ApprovalRequest::of(dry_run, &self.policy, &facts(&["ada"])).unwrap()
    }

    /// Somebody signs, for eight hours.
    async fn sign(&self, request: &ApprovalRequest, name: &str) {
        self.sign_until(request, name, self.key(name), 8).await;
    }

    async fn sign_until(&self, request: &ApprovalRequest, name: &str, key: &SigningKey, hours: u64) {
        let until = now().now().plus(Duration::from_secs(hours * 3600));
        let statement = request.statement(Principal(name.into()), until, Nonce::random().unwrap());
        self.approver.stored().put(&key.sign(statement).unwrap()).await.unwrap();
    }

    async fn ask(&self, request: &ApprovalRequest, run: &str) -> Verdict {
        self.ask_by(&self.approver, request, run).await
    }

    async fn ask_by(&self, approver: &dyn Approver, request: &ApprovalRequest, run: &str) -> Verdict {
        let (cancel, run) = (CancellationToken::new(), RunId::parse(run).unwrap());
        let evidence = approver.observe(request, &cancel, &Silent).await.unwrap();
        approver.execute(request, &self.policy, &evidence, &run, &cancel, &Silent).await.unwrap()
    }

    async fn refused(&self, request: &ApprovalRequest) -> Refused {
        match self.ask(request, "run-1").await {
            Verdict::Refused(refused) => refused,
            Verdict::Approved(approved) => panic!("{approved:?}"),
        }
    }

    async fn approved_by(&self, request: &ApprovalRequest) -> Vec<String> {
        match self.ask(request, "run-1").await {
            Verdict::Approved(approved) => approved.by.into_iter().map(|it| it.approver.0).collect(),
            Verdict::Refused(refused) => panic!("{refused:#?}"),
        }
    }
}

fn policy(rules: &str, signers: &str) -> Policy {
    Policy::of(&Configuration::parse(rules, Configuration::FILE).unwrap(), signers).unwrap()
}

fn facts(authors: &[&str]) -> ChangeFacts<'static> {
    let authors = authors.iter().map(|name| Principal((*name).into())).collect();
    ChangeFacts { repository: "infrastructure-live", files: None, authors }
}

/// A dry run of one unit that does this to `module.db.terraform_data.a`.
fn unit(id: &str, actions: &str) -> UnitDryRun {
    let plan = format!(
        r#"{{"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": [{{
            "address": "module.db.terraform_data.a", "mode": "managed", "type": "terraform_data", "name": "a",
            "change": {{"actions": [{actions}], "before": {{"input": 1}}, "after": {{"input": 2}}}}}}]}}"#
    );
    let plan = Plan::parse(plan).unwrap();
    let commit = Revision::Commit(CommitId::parse(COMMIT).unwrap());
    let tool = ToolVersion::parse("terraform 1.11.4").unwrap();
    let mut unit = UnitDryRun::skipped(UnitId::parse(id).unwrap(), commit, tool, Vec::new()).unwrap();
    unit.outcome = if plan.is_no_change() { UnitOutcome::NoChanges } else { UnitOutcome::Changes };
    unit.counts = plan.counts();
    unit.fingerprint = Some(Digest::of_bytes(format!("{id} {actions}")));
    unit.plan = Some(plan.summary());
    unit.seal_digest().unwrap()
}

fn update() -> DryRun {
    DryRun::new(vec![unit("prod/database", r#""update""#)])
}

fn replace() -> DryRun {
    DryRun::new(vec![unit("prod/database", r#""delete", "create""#)])
}

fn rules_of(refused: &Refused) -> Vec<&str> {
    refused.not_counted.iter().flat_map(|it| it.reasons.iter().map(|reason| reason.rule.as_str())).collect()
}

#[tokio::test]
async fn without_an_approval_the_answer_is_no_and_says_who_is_missing() {
    let desk = Desk::new();
    let refused = desk.refused(&desk.request(&replace())).await;
    let sentences: Vec<_> = refused.reasons.iter().map(|reason| reason.text.as_str()).collect();
    insta::assert_snapshot!(sentences.join("\n"), @r"
    1 person must approve, and nobody did (who may: bob, eve): prod/database would change
    2 people must approve, and nobody did (who may: bob, eve): prod/database: module.db.terraform_data.a would be replaced
    1 person must approve, and nobody did (who may: eve): prod/database: module.db.terraform_data.a would be touched
    ");
}

#[tokio::test]
async fn one_approval_of_somebody_else_is_enough_for_an_update_and_not_for_a_replacement() {
    let desk = Desk::new();
    let small = desk.request(&update());
    desk.sign(&small, "bob").await;
    assert_eq!(desk.approved_by(&small).await, ["bob"]);

    let large = desk.request(&replace());
    desk.sign(&large, "bob").await;
    let refused = desk.refused(&large).await;
    let missing: Vec<_> = refused.missing.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(missing, ["environments.prod.approvals_on_replace", "risk.databases"]);
    desk.sign(&large, "eve").await;
    let mut who = desk.approved_by(&large).await;
    who.sort();
    assert_eq!(who, ["bob", "eve"]);
}

#[tokio::test]
async fn an_environment_that_asks_for_nobody_needs_nobody() {
    let desk = Desk::new();
    let request = desk.request(&DryRun::new(vec![unit("dev/database", r#""update""#)]));
    assert!(request.required.is_empty());
    assert!(desk.approved_by(&request).await.is_empty());
    let nothing = desk.request(&DryRun::new(vec![unit("prod/database", r#""no-op""#)]));
    assert!(nothing.required.is_empty() && nothing.units.is_empty());
}

#[tokio::test]
async fn a_unit_outside_every_environment_needs_an_approval_all_the_same() {
    let desk = Desk::new();
    let request = desk.request(&DryRun::new(vec![unit("elsewhere", r#""update""#)]));
    assert_eq!(request.required[0].rule, "approval.approvals");
}

#[tokio::test]
async fn nobody_approves_their_own_change() {
    let desk = Desk::new();
    let request = desk.request(&update());
    desk.sign(&request, "ada").await;
    let refused = desk.refused(&request).await;
    assert_eq!(rules_of(&refused), ["author"]);
    assert!(!refused.missing[0].may_approve.contains(&Principal("ada".into())));
    // A mail address is the same in any case.
    let desk = Desk::new();
    let facts = facts(&["EVE"]);
    let request = ApprovalRequest::of(&update(), &desk.policy, &facts).unwrap();
    desk.sign(&request, "eve").await;
    assert!(rules_of(&desk.refused(&request).await).contains(&"author"));
}

#[tokio::test]
async fn one_person_counts_once_by_name_and_by_key() {
    let twice = SigningKey::generate("bob").unwrap();
    let other = SigningKey::generate("bob at home").unwrap();
    let signers = format!(
        "bob {}\nbob {}\nbob-too {}\n",
        twice.verifying_key(),
        other.verifying_key(),
        twice.verifying_key()
    );
    let rules = "[environments.prod]\nunits = ['prod/**']\norder = 1\napprovals = 2";
    let desk = Desk { policy: policy(rules, &signers), ..Desk::new() };
    let request = desk.request(&update());
    desk.sign_until(&request, "bob", &twice, 8).await;
    desk.sign_until(&request, "bob", &other, 8).await;
    desk.sign_until(&request, "bob-too", &twice, 8).await;
    let refused = desk.refused(&request).await;
    assert_eq!(refused.missing[0].counted.len(), 1);
    assert_eq!(rules_of(&refused), ["same_person", "same_person"]);
}

#[tokio::test]
async fn two_people_of_one_team_are_two_people() {
    let (ada, bob) = (SigningKey::generate("ada").unwrap(), SigningKey::generate("bob").unwrap());
    let signers = format!("bob,team {}\neve,team {}\n", bob.verifying_key(), ada.verifying_key());
    let rules = "[environments.prod]\nunits = ['prod/**']\norder = 1\napprovals = 2";
    let desk = Desk { policy: policy(rules, &signers), ..Desk::new() };
    let request = desk.request(&update());
    desk.sign_until(&request, "bob", &bob, 8).await;
    desk.sign_until(&request, "eve", &ada, 8).await;
    assert_eq!(desk.approved_by(&request).await.len(), 2);
}

#[tokio::test]
async fn an_expired_approval_and_one_that_holds_too_long_do_not_count() {
    let desk = Desk::new();
    let request = desk.request(&update());
    desk.sign_until(&request, "bob", desk.key("bob"), 48).await;
    assert_eq!(rules_of(&desk.refused(&request).await), ["too_long"]);

    let desk = Desk::new();
    desk.sign(&request, "bob").await;
    let request = desk.request(&update());
    desk.sign(&request, "bob").await;
    let later = FixedClock(now().now().plus(Duration::from_secs(8 * 3600 + 1)));
    let approver = SshApprover::new(desk.store.clone(), Arc::new(later));
    let Verdict::Refused(refused) = desk.ask_by(&approver, &request, "run-1").await else { panic!() };
    assert!(rules_of(&refused).contains(&"expired"), "{refused:#?}");
    let in_time = FixedClock(now().now().plus(Duration::from_secs(8 * 3600)));
    let approver = SshApprover::new(desk.store.clone(), Arc::new(in_time));
    assert!(matches!(desk.ask_by(&approver, &request, "run-1").await, Verdict::Approved(_)));
}

#[tokio::test]
async fn an_approval_carries_over_to_a_plan_with_an_equal_fingerprint() {
    let desk = Desk::new();
    desk.sign(&desk.request(&update()), "bob").await;
    let mut again = unit("prod/database", r#""update""#);
    again.commit = Revision::Commit(CommitId::parse(&"1".repeat(40)).unwrap());
    let again = DryRun::new(vec![again.seal_digest().unwrap()]);
    assert_ne!(again.digest().unwrap(), update().digest().unwrap());
    let request = desk.request(&again);
    let Verdict::Approved(approved) = desk.ask(&request, "run-1").await else { panic!() };
    assert_eq!(approved.by[0].reasons[0].rule, "equal_fingerprint");
}

#[test]
fn what_nobody_can_know_the_meaning_of_can_not_be_approved() {
    let desk = Desk::new();
    let of = |change: &dyn Fn(&mut UnitDryRun)| {
        let mut unit = unit("prod/database", r#""update""#);
        change(&mut unit);
        let dry_run = DryRun::new(vec![unit.seal_digest().unwrap()]);
        ApprovalRequest::of(&dry_run, &desk.policy, &facts(&[])).unwrap_err()
    };
    assert!(matches!(of(&|unit| unit.mocked = true), ApproveError::Mocked { .. }));
    assert!(matches!(of(&|unit| unit.outcome = UnitOutcome::Error), ApproveError::NotPlanned { .. }));
    assert!(matches!(of(&|unit| unit.plan = None), ApproveError::NotPlanned { .. }));
    assert!(matches!(of(&|unit| unit.fingerprint = None), ApproveError::NotPlanned { .. }));
    let on_top = |unit: &mut UnitDryRun| unit.commit = Revision::WorkingTree(unit.commit.commit());
    assert!(matches!(of(&on_top), ApproveError::Uncommitted { .. }));
    let nothing = ApprovalRequest::of(&DryRun::default(), &desk.policy, &facts(&[]));
    assert!(matches!(nothing, Err(ApproveError::Nothing)));
}

#[test]
fn units_of_two_commits_are_not_approved_together() {
    let desk = Desk::new();
    let mut other = unit("prod/network", r#""update""#);
    other.commit = Revision::Commit(CommitId::parse(&"1".repeat(40)).unwrap());
    let both = DryRun::new(vec![unit("prod/database", r#""update""#), other.seal_digest().unwrap()]);
    let error = ApprovalRequest::of(&both, &desk.policy, &facts(&[])).unwrap_err();
    assert!(matches!(error, ApproveError::OtherCommit { .. }), "{error}");
}

#[test]
fn a_plan_that_says_nothing_changes_and_lists_changes_is_not_taken_at_its_word() {
    let desk = Desk::new();
    let mut unit = unit("prod/database", r#""delete", "create""#);
    unit.outcome = UnitOutcome::NoChanges;
    unit.counts = Default::default();
    let request = desk.request(&DryRun::new(vec![unit.seal_digest().unwrap()]));
    assert!(request.required.iter().any(|it| it.rule == "environments.prod.approvals_on_replace"));
}

#[test]
fn a_request_says_what_is_asked_for_and_why() {
    let desk = Desk::new();
    let request = desk.request(&replace());
    assert_eq!(ApprovalRequest::from_json(&request.to_json().unwrap()).unwrap(), request);
    let asked: Vec<_> = (request.required.iter())
        .map(|it| {
            let who: Vec<_> = it.approvers.iter().map(ToString::to_string).collect();
            format!("{} {} of {}: {}", it.rule, it.count, who.join(", "), it.reasons[0].text)
        })
        .collect();
    insta::assert_snapshot!(asked.join("\n"), @r"
    environments.prod.approvals 1 of bob, eve: prod/database would change
    environments.prod.approvals_on_replace 2 of bob, eve: prod/database: module.db.terraform_data.a would be replaced
    risk.databases 1 of eve: prod/database: module.db.terraform_data.a would be touched
    ");
}

#[tokio::test]
async fn a_policy_that_moved_meanwhile_is_asked_again() {
    let desk = Desk::new();
    let request = desk.request(&update());
    let other = policy("", "");
    let (cancel, run) = (CancellationToken::new(), RunId::parse("run-1").unwrap());
    let error = desk.approver.execute(&request, &other, &[], &run, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, ApproveError::PolicyMoved { .. }), "{error}");
}

#[tokio::test]
async fn what_ssh_keygen_signs_counts() {
    if !has("ssh-keygen", "what_ssh_keygen_signs_counts") {
        return;
    }
    let desk = Desk::new();
    let request = desk.request(&update());
    let until = now().now().plus(Duration::from_secs(3600));
    let statement = request.statement(Principal("bob".into()), until, Nonce::random().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (key, payload) = (folder.path().join("key"), folder.path().join("statement"));
    std::fs::write(&key, desk.key("bob").to_openssh().unwrap().as_bytes()).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(&payload, canonical_json("statement", &statement).unwrap()).unwrap();
    let status = std::process::Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", "infraflow-approval", "-f"])
        .args([&key, &payload])
        .status();
    assert!(status.unwrap().success());
    let signature = std::fs::read_to_string(payload.with_extension("sig")).unwrap();
    desk.approver.stored().put(&infraflow_core::proof::Signed { statement, signature }).await.unwrap();
    assert_eq!(desk.approved_by(&request).await, ["bob"]);
}

#[test]
fn whoever_wrote_committed_or_is_named_in_a_commit_is_an_author() {
    let repo = Repo::with(&[("a", "1")]);
    repo.branch("change");
    repo.write("a", "2");
    repo.commit("feat: two\n\nCo-authored-by: Bob B <bob@example.com>\nco-authored-by: eve@example.com\n");
    repo.git(&["commit", "-q", "--allow-empty", "--author", "Mallory <m@example.com>", "-m", "feat: three"]);
    let repository = Repository::open(&repo.path).unwrap();
    let at = |name: &str| repository.revision(name).unwrap();
    let base = at("main").commit();
    let files =
        ChangeSet { base, head: at("change"), merge_base: base, changes: Vec::new(), warnings: Vec::new() };
    let names: Vec<_> = authors(&repository, &files).unwrap().into_iter().map(|who| who.0).collect();
    assert_eq!(
        names,
        ["Ada", "Bob B", "Mallory", "ada@example.com", "bob@example.com", "eve@example.com", "m@example.com"]
    );
}

#[test]
fn whoever_merges_a_change_did_not_make_it() {
    let repo = Repo::with(&[("a", "1")]);
    repo.branch("change");
    repo.write("a", "2");
    repo.commit("feat: two");
    repo.checkout("main");
    let base = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["-c", "user.name=Bob", "merge", "-q", "--no-ff", "--no-commit", "change"]);
    repo.git(&["commit", "-q", "--author", "Bob <bob@example.com>", "-m", "Merge"]);
    let repository = Repository::open(&repo.path).unwrap();
    let (base, head) = (CommitId::parse(&base).unwrap(), repository.revision("main").unwrap());
    let files = ChangeSet { base, head, merge_base: base, changes: Vec::new(), warnings: Vec::new() };
    let names: Vec<_> = authors(&repository, &files).unwrap().into_iter().map(|who| who.0).collect();
    assert_eq!(names, ["Ada", "ada@example.com"]);
}
