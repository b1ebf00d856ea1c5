//! What is posted in clear, what is sealed, and who may open it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use infraflow_core::{
    catalog::UnitId,
    dry_run::{DryRun, UnitArtefacts, UnitDryRun, UnitOutcome},
    git::CommitId,
    observe::{Collected, Happening, Outcome, Silent},
    policy::EnvironmentName,
    proof::{
        AllowedSigners, Digest, Document as _, FixedClock, Principal, ProofError, Reason, RunId, Signed,
        SigningKey, Timestamp,
    },
    publish::{
        ItemName, OpenRequest, OpenedItem, PublishError, Published, Publisher, Sealers, StorePublisher,
        open_log, openings, read_manifest,
    },
    redact::Secrets,
    seal::{Manifest, SealError, SealingKey, SharedKeySealer},
    store::{Key, Store, StoreError},
    terraform::{
        ToolVersion,
        plan::{
            Action, Actions, AttributePath, ChangeSummary, Plan, PlanSummary, ResourceMode, SensitiveValue,
        },
    },
};
use tokio_util::sync::CancellationToken;

use crate::fixture;

mod refused;

const SECRET: &str = "correct-horse-battery";

/// A store, keys, and a dry run with the files it left behind.
struct Scene {
    folder: tempfile::TempDir,
    store: Store,
    key: SigningKey,
    sealing: SealingKey,
    dry_run: DryRun,
    artefacts: Vec<UnitArtefacts>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::folder(&folder.path().join("store")).unwrap();
        let mut scene = Self {
            store,
            folder,
            key: SigningKey::generate("ci").unwrap(),
            sealing: SealingKey::generate().unwrap(),
            dry_run: DryRun::default(),
            artefacts: Vec::new(),
        };
        scene.add("dev/network", |_| {});
        scene
    }

    /// Adds a unit that would change, with a log, a saved plan and its JSON that hold a secret.
    fn add(&mut self, id: &str, change: impl FnOnce(&mut UnitDryRun)) {
        let id = UnitId::parse(id).unwrap();
        let file = |name: &str, content: &str| {
            let path = self.folder.path().join(format!("{}-{name}", id.to_string().replace('/', "-")));
            std::fs::write(&path, content).unwrap();
            path
        };
        let mut artefacts =
            UnitArtefacts::new(id.clone(), file("log", &format!("log of {id}\noutput = \"{SECRET}\"\n")));
        artefacts.plan_file = Some(file("plan", &format!("PK saved plan of {id}: {SECRET}")));
        artefacts.plan_json = Some(file("json", &format!("{{\"value\": \"{SECRET}\"}}")));
        artefacts.sensitive = vec![SensitiveValue::new("terraform_data.a", AttributePath::default(), SECRET)];

        let commit = CommitId::parse("4b825dc642cb6eb9a060e54bf8d69288fbee4904").unwrap();
        let tool = ToolVersion::parse("terraform 1.11.4").unwrap();
        let mut unit = UnitDryRun::skipped(id, commit.into(), tool, Vec::new()).unwrap();
        unit.outcome = UnitOutcome::Changes;
        unit.counts.create = 1;
        unit.fingerprint = Some(Digest::of_bytes("fingerprint"));
        let plan = std::fs::read(artefacts.plan_file.as_ref().unwrap()).unwrap();
        unit.plan_file = Some(Digest::of_bytes(plan));
        unit.plan = Some(summary("terraform_data.a"));
        change(&mut unit);
        self.dry_run.units.push(unit.seal_digest().unwrap());
        self.dry_run = DryRun::new(std::mem::take(&mut self.dry_run.units));
        self.artefacts.push(artefacts);
    }

    fn publisher(&self) -> StorePublisher {
        self.publisher_of("run-1")
    }

    fn publisher_of(&self, run: &str) -> StorePublisher {
        let sealers = Sealers::new().with_others(Arc::new(SharedKeySealer::new(self.sealing.clone())));
        let run = RunId::parse(run).unwrap();
        StorePublisher::new(self.store.clone(), "infrastructure-live", run, self.key.clone(), sealers)
    }

    async fn publish(&self) -> Result<Published, PublishError> {
        self.publish_as(&self.publisher()).await
    }

    async fn publish_as(&self, publisher: &StorePublisher) -> Result<Published, PublishError> {
        let plan = publisher.plan(&self.dry_run)?;
        let cancel = CancellationToken::new();
        publisher.execute(&plan, &self.dry_run, &self.artefacts, &cancel, &Silent).await
    }

    fn signers(&self) -> AllowedSigners {
        let key = self.key.verifying_key();
        AllowedSigners::parse(&format!("ci namespaces=\"infraflow-manifest\" {key}")).unwrap()
    }

    async fn open(&self, manifest: &Key, item: ItemName, to: &str) -> Result<OpenedItem, PublishError> {
        self.open_with(&self.sealing, &self.signers(), manifest, item, to).await
    }

    async fn open_with(
        &self,
        sealing: &SealingKey,
        signers: &AllowedSigners,
        manifest: &Key,
        item: ItemName,
        to: &str,
    ) -> Result<OpenedItem, PublishError> {
        let sealer = Arc::new(SharedKeySealer::new(sealing.clone()));
        let by = Principal("ada@example.com".into());
        let request = OpenRequest { store: &self.store, manifest, item, signers, sealer, by };
        open_log(&request, &self.folder.path().join(to), &clock()).await
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Every file of the store.
    fn stored(&self) -> Vec<PathBuf> {
        files(&self.folder.path().join("store"))
    }
}

fn clock() -> FixedClock {
    FixedClock(Timestamp::parse("2026-01-31T12:00:00Z").unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn summary(address: &str) -> PlanSummary {
    let change = ChangeSummary {
        address: address.into(),
        previous_address: None,
        r#type: "terraform_data".into(),
        mode: ResourceMode::Managed,
        actions: Actions(vec![Action::Create]),
        reason: None,
        attributes: Vec::new(),
        forced_by: Vec::new(),
        import: false,
    };
    PlanSummary { changes: vec![change], ..PlanSummary::default() }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn the_secret_stands_in_the_opened_log_and_in_nothing_that_was_posted() {
    let scene = Scene::new();
    let published = scene.publish().await.unwrap();
    for path in scene.stored() {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!contains(&bytes, SECRET), "{} holds the secret", path.display());
    }
    assert!(!published.to_json().unwrap().contains(SECRET));

    let unit = &published.units[0];
    for (item, name) in [(ItemName::Log, "log"), (ItemName::PlanFile, "plan"), (ItemName::PlanJson, "json")] {
        let opened = scene.open(&unit.manifest, item, &format!("opened-{name}")).await.unwrap();
        let text = scene.read(&format!("opened-{name}"));
        assert!(text.contains(SECRET));
        assert_eq!((opened.digest, opened.length), (Digest::of_bytes(&text), text.len() as u64));
    }
    assert_eq!(
        scene.read("opened-plan"),
        scene.read("dev-network-plan"),
        "deploy gets exactly the saved plan"
    );
    let text = scene.open(&unit.manifest, ItemName::SummaryText, "opened-summary").await.unwrap();
    assert_eq!(text.key, None);
    assert!(scene.read("opened-summary").contains("+   terraform_data.a"));
}

#[tokio::test]
async fn what_was_published_reads_back_and_the_dry_run_says_where_it_is() {
    let scene = Scene::new();
    let published = scene.publish().await.unwrap();
    assert_eq!(Published::from_json(&published.to_json().unwrap()).unwrap(), published);
    let with_logs = published.with_logs(scene.dry_run.clone());
    assert_eq!(with_logs.units[0].sealed_log.as_deref(), Some(published.units[0].manifest.as_str()));
    assert_eq!(with_logs.digest().unwrap(), scene.dry_run.digest().unwrap());
    let manifest = read_manifest(&scene.store, &published.units[0].manifest, &scene.signers()).await.unwrap();
    assert_eq!(manifest.signers, [Principal("ci".into())]);
    assert_eq!((manifest.manifest.unit.as_str(), manifest.manifest.items.len()), ("dev/network", 5));
}

#[tokio::test]
async fn a_summary_takes_out_secrets_wherever_they_slipped_in() {
    let mut scene = Scene::new();
    scene.add("dev/other", |unit| unit.plan = Some(summary(&format!("terraform_data.a[\"{SECRET}\"]"))));
    scene.add("dev/failed", |unit| {
        unit.outcome = UnitOutcome::Error;
        unit.plan = None;
        let text = format!("Error: Invalid value\nthe token {SECRET}2 and the key AKIA0123 are wrong");
        unit.reasons = vec![Reason::new("planning_failed", text)];
    });
    let mut secrets = Secrets::new();
    secrets.add("AWS_ACCESS_KEY_ID", "AKIA0123");
    let published = scene.publish_as(&scene.publisher().with_secrets(secrets)).await.unwrap();
    for text in [&published.text, &published.markdown] {
        assert!(!text.contains(SECRET) && !text.contains("AKIA"), "{text}");
        assert!(text.contains("terraform_data.a[\"(redacted)\"]"), "{text}");
        assert!(text.contains("the token (redacted)2 and the key (redacted) are wrong"), "{text}");
    }
    let names: Vec<_> = published.redaction.redacted.iter().map(|redacted| redacted.name.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test]
async fn a_hostile_name_stays_text_in_the_summary() {
    let mut scene = Scene::new();
    let address = "x.y[\"```\\n</code>@ada \u{1b}[2J\u{202e}\"]";
    scene.add("dev/@org|x", |unit| unit.plan = Some(summary(address)));
    let published = scene.publish().await.unwrap();
    for text in [&published.text, &published.markdown] {
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    }
    assert!(published.markdown.contains("````\n+   x.y"), "{}", published.markdown);
    assert!(published.markdown.contains("<code>dev/&#64;org&#124;x</code>"), "{}", published.markdown);
}

#[tokio::test]
async fn the_summary_reads_so() {
    let mut scene = Scene::new();
    scene.add("prod/database", |unit| {
        unit.environment = Some(EnvironmentName::parse("prod").unwrap());
        unit.counts.create = 0;
        unit.outcome = UnitOutcome::NoChanges;
        unit.plan = Some(PlanSummary::default());
    });
    let published = scene.publish().await.unwrap();
    let place = |at: usize| published.units[at].manifest.to_string();
    assert_eq!(
        published.text,
        format!(
            "dry run of 4b825dc642cb: 1 of 2 units would change\ndev/network: 1 to create\n  +   terraform_data.a\n  sealed log: {}\nprod/database (prod): no changes\n  sealed log: {}\n",
            place(0),
            place(1)
        )
    );
    assert!(published.markdown.starts_with(
        "<!-- infraflow:dry_run -->\n### Dry run of 4b825dc642cb: 1 of 2 units would change\n\n| unit | create |"
    ));
}

#[tokio::test]
async fn a_second_call_of_the_same_run_finds_what_the_first_one_did() {
    let mut scene = Scene::new();
    let first = scene.publish().await.unwrap();
    let before = scene.stored().len();
    let second = scene.publish().await.unwrap();
    assert_eq!(first, second);
    assert_eq!(scene.stored().len(), before, "nothing was written again");

    scene.add("dev/cluster", |_| {});
    let observer = Collected::default();
    let publisher = scene.publisher();
    let plan = publisher.plan(&scene.dry_run).unwrap();
    let cancel = CancellationToken::new();
    let third = publisher.execute(&plan, &scene.dry_run, &scene.artefacts, &cancel, &observer).await.unwrap();
    assert_eq!(third.unit(&first.units[0].unit), Some(&first.units[0]));
    let ended = |subject: &str| {
        let events = observer.events();
        let last = events.iter().rfind(|event| event.subject == subject).unwrap().clone();
        last.happening
    };
    assert_eq!(ended("dev/network"), Happening::Finished(Outcome::Nothing));
    assert_eq!(ended("dev/cluster"), Happening::Finished(Outcome::Done));

    let other_run = scene.publish_as(&scene.publisher_of("run-2")).await.unwrap();
    assert_ne!(other_run.units[0].manifest, third.units[0].manifest, "another run publishes beside it");
}

#[tokio::test]
async fn what_died_before_its_manifest_is_not_visible_and_is_made_up_for() {
    let scene = Scene::new();
    let published = scene.publish().await.unwrap();
    let manifest = &published.units[0].manifest;
    scene.store.delete(manifest).await.unwrap();
    let error = scene.open(manifest, ItemName::Log, "opened").await.unwrap_err();
    assert!(matches!(error, PublishError::NotPublished { .. }));
    scene.publish().await.unwrap();
    scene.open(manifest, ItemName::Log, "opened").await.unwrap();
}

#[tokio::test]
async fn several_processes_of_one_run_publish_one_thing() {
    let scene = Scene::new();
    let all = futures_util::future::join_all((0..6).map(|_| scene.publish())).await;
    let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    assert!(all.iter().all(|published| published == &all[0]));
    scene.open(&all[0].units[0].manifest, ItemName::Log, "opened").await.unwrap();
}

#[tokio::test]
async fn who_opened_what_is_recorded_before_it_is_handed_out() {
    let scene = Scene::new();
    let manifest = scene.publish().await.unwrap().units[0].manifest.clone();
    assert_eq!(openings(&scene.store, &manifest).await.unwrap(), []);
    let stranger = SealingKey::generate().unwrap();
    scene.open_with(&stranger, &scene.signers(), &manifest, ItemName::Log, "a").await.unwrap_err();
    assert_eq!(openings(&scene.store, &manifest).await.unwrap(), [], "nothing was opened");
    scene.open(&manifest, ItemName::Log, "b").await.unwrap();
    scene.open(&manifest, ItemName::Log, "c").await.unwrap();
    scene.open(&manifest, ItemName::SummaryText, "d").await.unwrap();
    let record = openings(&scene.store, &manifest).await.unwrap();
    assert_eq!(record.len(), 2, "what stands in clear needs no record");
    assert_eq!(
        (record[0].by.0.as_str(), record[0].item, record[0].at),
        ("ada@example.com", ItemName::Log, clock().0)
    );
}

#[tokio::test]
async fn each_environment_has_its_own_key_and_none_is_forgotten() {
    let mut scene = Scene::new();
    let prod = EnvironmentName::parse("prod").unwrap();
    scene.add("prod/network", |unit| unit.environment = Some(EnvironmentName::parse("prod").unwrap()));
    let (dev_key, prod_key) = (SealingKey::generate().unwrap(), SealingKey::generate().unwrap());
    let sealer = |key: &SealingKey| Arc::new(SharedKeySealer::new(key.clone()));
    let publisher = |sealers| {
        let run = RunId::parse("run-1").unwrap();
        StorePublisher::new(scene.store.clone(), "live", run, scene.key.clone(), sealers)
    };
    let only_prod = Sealers::new().with(prod.clone(), sealer(&prod_key));
    let error = publisher(only_prod.clone()).plan(&scene.dry_run).unwrap_err();
    assert!(matches!(&error, PublishError::NoSealer { environment: None, .. }), "{error}");
    let published = scene.publish_as(&publisher(only_prod.with_others(sealer(&dev_key)))).await.unwrap();
    let keys: Vec<_> = published.units.iter().map(|unit| unit.items[&ItemName::Log].key.unwrap()).collect();
    assert_eq!(keys, [dev_key.id(), prod_key.id()]);
}

#[tokio::test]
async fn a_cancelled_call_publishes_nothing_more() {
    let scene = Scene::new();
    let publisher = scene.publisher();
    let plan = publisher.plan(&scene.dry_run).unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let error =
        publisher.execute(&plan, &scene.dry_run, &scene.artefacts, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, PublishError::Cancelled));
    assert_eq!(scene.stored(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_skipped_unit_is_not_published_and_the_plan_says_why() {
    let mut scene = Scene::new();
    scene.add("dev/idle", |unit| {
        unit.outcome = UnitOutcome::Skipped;
        unit.plan = None;
        unit.plan_file = None;
        unit.reasons = vec![Reason::new("not_affected", "nothing it reads changed")];
    });
    let plan = scene.publisher().plan(&scene.dry_run).unwrap();
    assert_eq!((plan.units.len(), plan.skipped[0].reasons[0].rule.as_str()), (1, "not_affected"));
    assert!(scene.publish().await.unwrap().text.contains("1 of 1 units would change, 1 skipped"));
}

#[tokio::test]
async fn ssh_keygen_verifies_a_stored_manifest() {
    if !fixture::has("ssh-keygen", "ssh_keygen_verifies_a_stored_manifest") {
        return;
    }
    let scene = Scene::new();
    let manifest = scene.publish().await.unwrap().units[0].manifest.clone();
    let bytes = scene.store.get(&manifest).await.unwrap().unwrap();
    let signed: Signed<Manifest> = serde_json::from_slice(&bytes).unwrap();
    let folder = scene.folder.path();
    let payload = infraflow_core::proof::canonical_json("manifest", &signed.statement).unwrap();
    std::fs::write(folder.join("payload"), payload).unwrap();
    std::fs::write(folder.join("signature"), &signed.signature).unwrap();
    std::fs::write(folder.join("signers"), format!("ci {}\n", scene.key.verifying_key())).unwrap();
    let output = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-f", "signers", "-I", "ci", "-n", "infraflow-manifest", "-s", "signature"])
        .current_dir(folder)
        .stdin(std::fs::File::open(folder.join("payload")).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What terraform really writes: `terraform_data.output` repeats its sensitive input in the log.
#[tokio::test]
async fn a_secret_that_terraform_prints_is_sealed_and_not_posted() {
    if !fixture::has("terraform", "a_secret_that_terraform_prints_is_sealed_and_not_posted") {
        return;
    }
    let mut scene = Scene::new();
    let folder = scene.folder.path().join("terraform");
    std::fs::create_dir(&folder).unwrap();
    let configuration = |replace: u32| {
        format!(
            "variable \"p\" {{\n  sensitive = true\n  default = \"{SECRET}\"\n}}\nresource \"terraform_data\" \"a\" {{\n  input = var.p\n  triggers_replace = {replace}\n}}\n"
        )
    };
    let terraform = |args: &[&str]| {
        let output = Command::new("terraform").args(args).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    std::fs::write(folder.join("main.tf"), configuration(1)).unwrap();
    terraform(&["init", "-no-color"]);
    terraform(&["apply", "-auto-approve", "-no-color"]);
    std::fs::write(folder.join("main.tf"), configuration(2)).unwrap();
    let log = terraform(&["plan", "-out=saved"]);
    let json = terraform(&["show", "-json", "saved"]);
    assert!(contains(&log, SECRET), "terraform printed the secret, in colour");
    std::fs::write(folder.join("log"), &log).unwrap();
    std::fs::write(folder.join("json"), &json).unwrap();
    let plan = Plan::parse(&json).unwrap();

    (scene.dry_run, scene.artefacts) = (DryRun::default(), Vec::new());
    let saved = std::fs::read(folder.join("saved")).unwrap();
    scene.add("dev/real", |unit| {
        unit.counts = plan.counts();
        unit.plan = Some(plan.summary());
        unit.plan_file = Some(Digest::of_bytes(&saved));
    });
    scene.artefacts[0].log = folder.join("log");
    scene.artefacts[0].plan_file = Some(folder.join("saved"));
    scene.artefacts[0].plan_json = Some(folder.join("json"));
    scene.artefacts[0].sensitive = plan.sensitive_values().unwrap();
    let published = scene.publish().await.unwrap();
    assert!(published.text.contains("-/+ terraform_data.a forced by triggers_replace"), "{}", published.text);
    for path in scene.stored() {
        assert!(!contains(&std::fs::read(&path).unwrap(), SECRET), "{}", path.display());
    }
    scene.open(&published.units[0].manifest, ItemName::Log, "opened").await.unwrap();
    assert_eq!(std::fs::read(scene.folder.path().join("opened")).unwrap(), log);

    // The same log could be shown too, redacted.
    let mut secrets = Secrets::new();
    for value in plan.sensitive_values().unwrap() {
        secrets.add(value.address.clone(), &value.value);
    }
    let redactor = infraflow_core::redact::SecretRedactor::new(&secrets).unwrap();
    let redactor: &dyn infraflow_core::redact::Redactor = &redactor;
    let (shown, report) = redactor.redact(&log);
    assert!(!contains(&shown, SECRET) && contains(&shown, "terraform_data.a") && report.places() > 0);
}
