//! Approvals that somebody forged, altered or borrowed.

use super::*;

#[tokio::test]
async fn a_change_that_adds_its_own_signer_is_judged_by_trunks_policy() {
    let ada = SigningKey::generate("ada").unwrap();
    let mallory = SigningKey::generate("mallory").unwrap();
    let signers = format!("ada {}\n", ada.verifying_key());
    let repo = Repo::with(&[
        ("infraflow.toml", "[environments.prod]\nunits = ['prod/**']\norder = 1"),
        ("allowed_signers", &signers),
    ]);
    repo.branch("change");
    repo.write("allowed_signers", format!("{signers}mallory {}\n", mallory.verifying_key()));
    repo.commit("feat: more signers");
    let repository = Repository::open(&repo.path).unwrap();
    let at = |name: &str| repository.revision(name).unwrap();
    let (base, head) = (at("main").commit(), at("change"));
    let read = |revision| Policy::read(&repository.tree(&revision).unwrap()).unwrap();
    let edited = Change {
        path: RepoPath::parse("allowed_signers").unwrap(),
        kind: ChangeKind::Modified,
        old_path: None,
    };
    let files = ChangeSet { base, head, merge_base: base, changes: vec![edited], warnings: Vec::new() };
    let facts = ChangeFacts { files: Some(&files), ..facts(&["mallory"]) };
    let mut changed = unit("prod/database", r#""update""#);
    changed.commit = head;
    let dry_run = DryRun::new(vec![changed.seal_digest().unwrap()]);

    // The change's own policy is refused as a judge, whatever it says.
    let own = ApprovalRequest::of(&dry_run, &read(head), &facts);
    assert!(matches!(own, Err(ApproveError::PolicyElsewhere { .. })), "{own:?}");

    let desk = Desk { policy: read(at("main")), ..Desk::new() };
    let request = ApprovalRequest::of(&dry_run, &desk.policy, &facts).unwrap();
    assert_eq!(request.gate, [RepoPath::parse("allowed_signers").unwrap()]);
    desk.sign_until(&request, "mallory", &mallory, 8).await;
    let refused = desk.refused(&request).await;
    assert_eq!(rules_of(&refused), ["signature"]);
    let sentences: Vec<_> = refused.reasons.iter().map(|reason| reason.text.as_str()).collect();
    assert!(sentences.iter().any(|text| text.contains("not among the allowed signers")), "{sentences:#?}");
    assert!(sentences.iter().any(|text| text.contains("judged by the policy that stood before it")));
    desk.sign_until(&request, "ada", &ada, 8).await;
    assert!(matches!(desk.ask(&request, "run-1").await, Verdict::Approved(_)));
}

#[tokio::test]
async fn an_approval_of_the_same_plan_without_the_policys_edit_does_not_approve_the_edit() {
    let desk = Desk::new();
    let honest = desk.request(&update());
    desk.sign(&honest, "bob").await;
    let mut cheat = desk.request(&update());
    cheat.plan = Digest::of_bytes("the dry run of another commit, which does the same to the units");
    cheat.gate = vec![RepoPath::parse("allowed_signers").unwrap()];
    assert_eq!(cheat.fingerprint, honest.fingerprint);
    let refused = desk.refused(&cheat).await;
    assert_eq!(rules_of(&refused), ["other_plan"]);
    assert!(matches!(desk.ask(&honest, "run-1").await, Verdict::Approved(_)));
}

#[tokio::test]
async fn a_plan_that_was_altered_after_it_was_signed_is_refused() {
    let desk = Desk::new();
    let signed = update();
    desk.sign(&desk.request(&signed), "bob").await;
    // In the file: the digest does not hold any more.
    let altered = signed.to_json().unwrap().replace("\"update\"", "\"create\"");
    assert!(matches!(
        DryRun::from_json(&altered),
        Err(ProofError::DigestMismatch { .. } | ProofError::Json { .. })
    ));
    // Written anew, with right digests: then it is another plan, and the signature is not over it.
    let request = desk.request(&DryRun::new(vec![unit("prod/database", r#""create""#)]));
    let refused = desk.refused(&request).await;
    assert!(refused.missing[0].counted.is_empty());
    // Even where it is put among that plan's approvals.
    let evidence =
        desk.approver.observe(&desk.request(&signed), &CancellationToken::new(), &Silent).await.unwrap();
    let run = RunId::parse("run-1").unwrap();
    let verdict = desk
        .approver
        .execute(&request, &desk.policy, &evidence, &run, &CancellationToken::new(), &Silent)
        .await
        .unwrap();
    let Verdict::Refused(refused) = verdict else { panic!("{verdict:?}") };
    assert_eq!(rules_of(&refused), ["other_plan"]);
}

#[tokio::test]
async fn a_forged_statement_does_not_count() {
    let desk = Desk::new();
    let request = desk.request(&update());
    let until = now().now().plus(Duration::from_secs(3600));
    let statement = request.statement(Principal("bob".into()), until, Nonce::random().unwrap());
    // Signed by somebody else than it says.
    let other = desk.key("eve").sign(statement.clone()).unwrap();
    desk.approver.stored().put(&other).await.unwrap();
    // Made to hold for longer after it was signed.
    let mut longer = desk.key("bob").sign(statement).unwrap();
    longer.statement.not_after = until.plus(Duration::from_secs(3600));
    desk.approver.stored().put(&longer).await.unwrap();
    let refused = desk.refused(&request).await;
    let mut rules = rules_of(&refused);
    rules.sort_unstable();
    assert_eq!(rules, ["not_the_signer", "signature"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_reported_and_stands_in_nobodys_way() {
    let desk = Desk::new();
    let request = desk.request(&update());
    desk.sign(&request, "bob").await;
    let folder = desk.approver.stored().all(&request.fingerprint).await.unwrap()[0].source.clone();
    let folder = folder.rsplit_once('/').unwrap().0.to_owned();
    let key = infraflow_core::store::Key::parse(&folder).unwrap().join("junk.json");
    desk.store.put(&key, "{").await.unwrap();
    assert_eq!(desk.approved_by(&request).await, ["bob"]);
    let Verdict::Refused(refused) = desk.ask(&request, "run-2").await else { panic!() };
    assert!(rules_of(&refused).contains(&"unreadable"));
}

#[tokio::test]
async fn an_approval_for_another_repository_does_not_count() {
    let desk = Desk::new();
    let elsewhere = ChangeFacts { repository: "another", ..facts(&["ada"]) };
    desk.sign(&ApprovalRequest::of(&update(), &desk.policy, &elsewhere).unwrap(), "bob").await;
    assert_eq!(rules_of(&desk.refused(&desk.request(&update())).await), ["other_repository"]);
}
