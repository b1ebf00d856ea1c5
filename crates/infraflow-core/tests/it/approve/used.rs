//! Approvals are used once.

use super::*;

#[tokio::test]
async fn an_approval_is_used_once_and_the_same_run_may_resume() {
    let desk = Desk::new();
    let request = desk.request(&update());
    desk.sign(&request, "bob").await;
    assert!(matches!(desk.ask(&request, "run-1").await, Verdict::Approved(_)));
    assert!(matches!(desk.ask(&request, "run-1").await, Verdict::Approved(_)));
    let Verdict::Refused(replayed) = desk.ask(&request, "run-2").await else { panic!("replayed") };
    assert_eq!(rules_of(&replayed), ["used"]);
    assert!(replayed.reasons.iter().any(|reason| reason.text.contains("used by run run-1")));
}

#[tokio::test]
async fn an_approval_that_was_not_needed_is_used_up_too() {
    let desk = Desk::new();
    let request = desk.request(&update());
    desk.sign(&request, "bob").await;
    desk.sign(&request, "eve").await;
    assert_eq!(desk.approved_by(&request).await.len(), 2);
    assert!(matches!(desk.ask(&request, "run-2").await, Verdict::Refused(_)));
}

#[tokio::test]
async fn a_refusal_uses_nothing_up() {
    let desk = Desk::new();
    let request = desk.request(&replace());
    desk.sign(&request, "bob").await;
    let _ = desk.refused(&request).await;
    desk.sign(&request, "eve").await;
    assert!(matches!(desk.ask(&request, "run-2").await, Verdict::Approved(_)));
}

#[tokio::test]
async fn of_runs_that_ask_at_once_exactly_one_uses_an_approval() {
    let desk = Arc::new(Desk::new());
    let request = desk.request(&update());
    desk.sign(&request, "bob").await;
    let mut asking = tokio::task::JoinSet::new();
    for run in 0..16 {
        let (desk, request) = (desk.clone(), request.clone());
        asking.spawn(async move { desk.ask(&request, &format!("run-{run}")).await });
    }
    let verdicts = asking.join_all().await;
    assert_eq!(verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Approved(_))).count(), 1);
}

#[tokio::test]
async fn a_store_that_dies_with_the_machine_can_not_record_a_use() {
    let desk = Desk::new();
    let request = desk.request(&update());
    let store = Store::memory();
    let approver = SshApprover::new(store, Arc::new(now()));
    let (cancel, run) = (CancellationToken::new(), RunId::parse("run-1").unwrap());
    let error = approver.execute(&request, &desk.policy, &[], &run, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, ApproveError::Store(StoreError::NotDurable { .. })), "{error}");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_approves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::new();
    let store = Store::folder(folder.path()).unwrap().declared_durable();
    let approver = SshApprover::new(store, Arc::new(now()));
    let request = desk.request(&update());
    let until = now().now().plus(Duration::from_secs(3600));
    let statement = request.statement(Principal("bob".into()), until, Nonce::random().unwrap());
    let signed = desk.key("bob").sign(statement).unwrap();
    approver.stored().put(&signed).await.unwrap();
    // A file stands where the folder of the records would be.
    std::fs::write(folder.path().join("approvals-used"), "").unwrap();
    let (cancel, run) = (CancellationToken::new(), RunId::parse("run-1").unwrap());
    let evidence = approver.observe(&request, &cancel, &Silent).await.unwrap();
    let error =
        approver.execute(&request, &desk.policy, &evidence, &run, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, ApproveError::Store(_)), "{error}");
    std::fs::remove_file(folder.path().join("approvals-used")).unwrap();
    let verdict = approver.execute(&request, &desk.policy, &evidence, &run, &cancel, &Silent).await.unwrap();
    assert!(matches!(verdict, Verdict::Approved(_)));
}
