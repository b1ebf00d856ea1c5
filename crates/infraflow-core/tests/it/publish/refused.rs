//! What is not published, and what nobody can open.

use super::*;

#[tokio::test]
async fn a_wrong_key_opens_nothing_and_leaves_nothing() {
    let scene = Scene::new();
    let manifest = scene.publish().await.unwrap().units[0].manifest.clone();
    let before = files(scene.folder.path()).len();
    let stranger = SealingKey::generate().unwrap();
    let error =
        scene.open_with(&stranger, &scene.signers(), &manifest, ItemName::Log, "opened").await.unwrap_err();
    assert!(matches!(&error, PublishError::Seal { source: SealError::WrongKey { .. }, .. }), "{error}");
    assert!(error.to_string().contains(&scene.sealing.id().to_string()), "{error}");
    assert_eq!(files(scene.folder.path()).len(), before);
}

#[tokio::test]
async fn a_manifest_that_nobody_allowed_signed_or_that_was_altered_is_refused() {
    let scene = Scene::new();
    let manifest = scene.publish().await.unwrap().units[0].manifest.clone();
    let stranger = SigningKey::generate("stranger").unwrap().verifying_key();
    let others = AllowedSigners::parse(&format!("ci {stranger}")).unwrap();
    let error =
        scene.open_with(&scene.sealing, &others, &manifest, ItemName::Log, "opened").await.unwrap_err();
    assert!(matches!(error, PublishError::Untrusted { source: ProofError::BadSignature { .. }, .. }));

    let text = String::from_utf8(scene.store.get(&manifest).await.unwrap().unwrap().to_vec()).unwrap();
    for altered in
        [text.replace("4b825dc6", "4b825dc7"), text.replace("\"length\":", "\"length\":1"), "{}".into()]
    {
        scene.store.put(&manifest, altered).await.unwrap();
        let error = scene.open(&manifest, ItemName::Log, "opened").await.unwrap_err();
        assert!(matches!(error, PublishError::Untrusted { .. }), "{error}");
    }
    assert!(!scene.folder.path().join("opened").exists());
}

#[tokio::test]
async fn a_manifest_of_another_unit_is_refused_however_well_signed() {
    let mut scene = Scene::new();
    scene.add("prod/network", |_| {});
    let published = scene.publish().await.unwrap();
    let [dev, prod] = &published.units[..] else { panic!() };
    let bytes = scene.store.get(&dev.manifest).await.unwrap().unwrap();
    scene.store.put(&prod.manifest, bytes).await.unwrap();
    let error = scene.open(&prod.manifest, ItemName::PlanFile, "opened").await.unwrap_err();
    assert!(matches!(&error, PublishError::Moved { belongs, .. } if *belongs == dev.manifest), "{error}");
}

#[tokio::test]
async fn sealed_bytes_cut_short_altered_or_exchanged_are_refused() {
    let scene = Scene::new();
    let published = scene.publish().await.unwrap();
    let unit = &published.units[0];
    let object = |item: ItemName| unit.items[&item].object.clone();

    // Bytes changed below the store: the store notices.
    let parts = scene.stored().into_iter().find(|path| {
        let path = path.to_string_lossy();
        path.contains("items/log/") && path.contains(".parts/")
    });
    let parts = parts.unwrap();
    let bytes = std::fs::read(&parts).unwrap();
    for altered in [bytes[..bytes.len() - 1].to_vec(), {
        let mut b = bytes.clone();
        b[90] ^= 1;
        b
    }] {
        std::fs::write(&parts, altered).unwrap();
        let error = scene.open(&unit.manifest, ItemName::Log, "opened").await.unwrap_err();
        assert!(matches!(error, PublishError::Store(StoreError::Corrupt { .. })), "{error}");
    }
    std::fs::write(&parts, &bytes).unwrap();

    // Exchanged through the store, by somebody who may write there: the signature notices.
    let plan = scene.store.get(&object(ItemName::PlanFile)).await.unwrap().unwrap();
    scene.store.put(&object(ItemName::Log), plan).await.unwrap();
    let error = scene.open(&unit.manifest, ItemName::Log, "opened").await.unwrap_err();
    assert!(matches!(error, PublishError::Altered { item: ItemName::Log, .. }), "{error}");
    assert!(!scene.folder.path().join("opened").exists());
    assert_eq!(openings(&scene.store, &unit.manifest).await.unwrap(), []);

    scene.store.put(&object(ItemName::SummaryText), "all is well").await.unwrap();
    let error = scene.open(&unit.manifest, ItemName::SummaryText, "opened").await.unwrap_err();
    assert!(matches!(error, PublishError::Altered { item: ItemName::SummaryText, .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_not_the_dry_runs_is_refused_before_anything_is_visible() {
    let scene = Scene::new();
    std::fs::write(scene.artefacts[0].plan_file.as_ref().unwrap(), "another plan").unwrap();
    let error = scene.publish().await.unwrap_err();
    assert!(matches!(&error, PublishError::Artefact { item: ItemName::PlanFile, .. }), "{error}");
    assert!(!scene.stored().iter().any(|path| path.ends_with("manifest")));

    let mut scene = Scene::new();
    scene.artefacts[0].plan_json = None;
    assert!(matches!(scene.publish().await, Err(PublishError::Artefact { item: ItemName::PlanJson, .. })));
    scene.artefacts.clear();
    assert!(matches!(scene.publish().await, Err(PublishError::Artefact { .. })));
}

#[tokio::test]
async fn a_plan_for_another_dry_run_or_run_is_refused() {
    let mut scene = Scene::new();
    let publisher = scene.publisher();
    let plan = publisher.plan(&scene.dry_run).unwrap();
    let cancel = CancellationToken::new();
    let other = scene.publisher_of("run-2");
    let error = other.execute(&plan, &scene.dry_run, &scene.artefacts, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, PublishError::AnotherPlan { .. }), "{error}");
    scene.add("dev/cluster", |_| {});
    let error =
        publisher.execute(&plan, &scene.dry_run, &scene.artefacts, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, PublishError::AnotherDryRun { .. }), "{error}");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_named_and_nothing_is_visible() {
    let scene = Scene::new();
    // Root may write where others may not, so the folder itself is in the way.
    std::fs::write(scene.folder.path().join("store/sealed"), "in the way").unwrap();
    let error = scene.publish().await.unwrap_err();
    assert!(matches!(error, PublishError::Store(_)), "{error}");
    assert!(error.to_string().contains("sealed/infrastructure-live"), "{error}");
}

#[tokio::test]
async fn what_stands_under_the_manifests_key_by_another_hand_is_never_taken_for_ours() {
    let mut scene = Scene::new();
    scene.publish().await.unwrap();
    scene.key = SigningKey::generate("another").unwrap();
    let error = scene.publish().await.unwrap_err();
    assert!(matches!(error, PublishError::Taken { .. }), "{error}");
}
