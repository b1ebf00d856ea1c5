use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use super::{
    ItemName, PublishError, PublishPlan, Published, PublishedItem, Publisher, Sealers, UnitPublishPlan,
    UnitPublished,
    error::Result,
    open_log::{off_thread, verify},
    place,
    summary::{Summary, UnitSummary},
};
use crate::{
    dry_run::{DryRun, UnitArtefacts, UnitDryRun},
    observe::{Observer, Outcome, Stage},
    proof::{AllowedSigners, Digest, ProofError, RunId, SigningKey},
    redact::{SecretRedactor, Secrets},
    seal::{Manifest, ManifestItem, Sealed, Sealer},
    store::{Created, Key, Store},
};

/// How many units are sealed and uploaded at once: while one waits for the store, another is sealed.
const AT_ONCE: usize = 4;

/// Publishes in a [`Store`]: the default [`Publisher`].
#[derive(Clone, Debug)]
pub struct StorePublisher {
    store: Store,
    repository: String,
    run: RunId,
    key: SigningKey,
    sealers: Sealers,
    secrets: Secrets,
}

impl StorePublisher {
    /// Publishes for a repository, by the name that all parties use for it, in a run, signed with a key.
    /// The key's principal should be allowed the namespace `infraflow-manifest` and no other.
    pub fn new(
        store: Store,
        repository: impl Into<String>,
        run: RunId,
        key: SigningKey,
        sealers: Sealers,
    ) -> Self {
        Self { store, repository: repository.into(), run, key, sealers, secrets: Secrets::new() }
    }

    /// Keeps further secrets out of the summary, besides the sensitive values of the artefacts: the
    /// credentials that the tool was given.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    fn sealer(&self, unit: &UnitPublishPlan) -> Result<&Arc<dyn Sealer>> {
        self.sealers.of(unit.environment.as_ref()).ok_or_else(|| PublishError::NoSealer {
            unit: unit.unit.clone(),
            environment: unit.environment.clone(),
        })
    }

    async fn unit(
        &self,
        plan: &UnitPublishPlan,
        unit: &UnitDryRun,
        artefacts: &UnitArtefacts,
        summary: &UnitSummary,
        observer: &dyn Observer,
    ) -> Result<UnitPublished> {
        let subject = plan.unit.to_string();
        observer.started(Stage::Publish, &subject);
        let published = self.publish(plan, unit, artefacts, summary).await;
        let outcome = match &published {
            Ok((_, true)) => Outcome::Done,
            Ok((_, false)) => Outcome::Nothing,
            Err(PublishError::Cancelled) => Outcome::Cancelled,
            Err(_) => Outcome::Failed,
        };
        observer.finished(Stage::Publish, &subject, outcome);
        published.map(|(published, _)| published)
    }

    /// Publishes a unit. Says too whether there was anything to do.
    async fn publish(
        &self,
        plan: &UnitPublishPlan,
        unit: &UnitDryRun,
        artefacts: &UnitArtefacts,
        summary: &UnitSummary,
    ) -> Result<(UnitPublished, bool)> {
        if let Some(standing) = self.store.get(&plan.manifest).await? {
            return Ok((self.standing(plan, &standing)?, false));
        }
        let mut items = BTreeMap::new();
        let folder = tempfile::tempdir().map_err(|source| PublishError::File {
            doing: "write",
            path: std::env::temp_dir(),
            source,
        })?;
        for &item in &plan.sealed {
            let from = artefact(unit, artefacts, item)?;
            let to = folder.path().join(item.as_str());
            let sealed = self.seal(plan, unit, item, from, to.clone()).await?;
            let object = place::item(&plan.manifest, item, &sealed.digest)?;
            self.store.upload(&object, &to).await?;
            let Sealed { key, digest, length } = sealed;
            items.insert(item, PublishedItem { object, digest, length, key: Some(key) });
        }
        for &item in &plan.clear {
            let text = if item == ItemName::SummaryMarkdown { summary.markdown() } else { summary.text() };
            let (digest, length) = (Digest::of_bytes(&text), text.len() as u64);
            let object = place::item(&plan.manifest, item, &digest)?;
            self.store.create(&object, text).await?;
            items.insert(item, PublishedItem { object, digest, length, key: None });
        }
        self.make_visible(plan, items).await
    }

    async fn seal(
        &self,
        plan: &UnitPublishPlan,
        unit: &UnitDryRun,
        item: ItemName,
        from: PathBuf,
        to: PathBuf,
    ) -> Result<Sealed> {
        let sealer = self.sealer(plan)?.clone();
        let (id, stated) = (plan.unit.clone(), unit.plan_file.clone());
        off_thread(move || {
            // What deploy would refuse is better refused here, before anybody approves it.
            if item == ItemName::PlanFile {
                let found = digest_of(&from)?;
                if stated.as_ref() != Some(&found) {
                    let why = format!("it has {found}, not the digest that the dry run states");
                    return Err(PublishError::Artefact { unit: id, item, why });
                }
            }
            sealer.seal_file(&from, &to).map_err(|source| PublishError::Seal {
                doing: "seal",
                item,
                of: id.to_string(),
                source,
            })
        })
        .await
    }

    async fn make_visible(
        &self,
        plan: &UnitPublishPlan,
        items: BTreeMap<ItemName, PublishedItem>,
    ) -> Result<(UnitPublished, bool)> {
        let manifest = Manifest {
            repository: self.repository.clone(),
            unit: plan.unit.to_string(),
            commit: plan.commit.to_string(),
            plan: plan.plan.clone(),
            run: self.run.clone(),
            items: items
                .iter()
                .map(|(name, item)| {
                    let PublishedItem { digest, length, key, .. } = item.clone();
                    (name.to_string(), ManifestItem { digest, length, key })
                })
                .collect(),
        };
        let signed = self.key.sign(manifest)?;
        let text = serde_json::to_vec(&signed)
            .map_err(|source| ProofError::Json { what: "the manifest".to_owned(), source })?;
        match self.store.create(&plan.manifest, text.clone()).await? {
            Created::New => {}
            Created::Exists(standing) if standing == text => {}
            // Another process of the same run was faster. What it published stands; ours stays invisible.
            Created::Exists(standing) => return Ok((self.standing(plan, &standing)?, false)),
        }
        Ok((self.published(plan, items), true))
    }

    /// What an earlier call of the same run published.
    fn standing(&self, plan: &UnitPublishPlan, bytes: &[u8]) -> Result<UnitPublished> {
        let taken = |why: String| PublishError::Taken { manifest: plan.manifest.clone(), why };
        let ours = AllowedSigners::parse(&format!("publisher {}", self.key.verifying_key()))?;
        let manifest =
            verify(&plan.manifest, bytes, &ours).map_err(|error| taken(error.to_string()))?.manifest;
        if manifest.commit != plan.commit.to_string() {
            return Err(taken(format!("it is about commit {}, not {}", manifest.commit, plan.commit)));
        }
        let mut items = BTreeMap::new();
        for (name, item) in manifest.items {
            let name =
                ItemName::parse(&name).ok_or_else(|| taken(format!("it has an item called {name}")))?;
            let object = place::item(&plan.manifest, name, &item.digest)?;
            let ManifestItem { digest, length, key } = item;
            items.insert(name, PublishedItem { object, digest, length, key });
        }
        if !items.keys().copied().eq(plan.sealed.iter().chain(&plan.clear).copied()) {
            return Err(taken("it has other items than were planned".to_owned()));
        }
        Ok(self.published(plan, items))
    }

    fn published(&self, plan: &UnitPublishPlan, items: BTreeMap<ItemName, PublishedItem>) -> UnitPublished {
        UnitPublished {
            unit: plan.unit.clone(),
            plan: plan.plan.clone(),
            manifest: plan.manifest.clone(),
            items,
        }
    }

    /// Knows every secret of the artefacts.
    fn redactor(&self, artefacts: &[UnitArtefacts]) -> Result<SecretRedactor> {
        let mut secrets = self.secrets.clone();
        for unit in artefacts {
            for value in &unit.sensitive {
                secrets.add(format!("{}: {} {}", unit.unit, value.address, value.path), &value.value);
            }
        }
        Ok(SecretRedactor::new(&secrets)?)
    }
}

#[async_trait]
impl Publisher for StorePublisher {
    fn plan(&self, dry_run: &DryRun) -> Result<PublishPlan> {
        let plan = PublishPlan::of(dry_run, &self.repository, &self.run)?;
        plan.units.iter().try_for_each(|unit| self.sealer(unit).map(|_| ()))?;
        Ok(plan)
    }

    async fn execute(
        &self,
        plan: &PublishPlan,
        dry_run: &DryRun,
        artefacts: &[UnitArtefacts],
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Published> {
        let ours = self.plan(dry_run)?;
        if ours.dry_run != plan.dry_run {
            let (planned, found) = (plan.dry_run.clone(), ours.dry_run);
            return Err(PublishError::AnotherDryRun { planned, found });
        }
        // A plan follows from the dry run and from this publisher alone.
        if ours != *plan {
            let (repository, run) = (self.repository.clone(), self.run.clone());
            return Err(PublishError::AnotherPlan { repository, run });
        }
        let places: BTreeMap<_, _> = plan.units.iter().map(|unit| (&unit.unit, &unit.manifest)).collect();
        let place = |unit: &UnitDryRun| places.get(&unit.id).map(|&key| Key::clone(key));
        let redactor = self.redactor(artefacts)?;
        let summary = Summary::of(dry_run, &redactor, place);
        let (text, markdown, redaction) = (summary.text(), summary.markdown(), summary.redaction.clone());

        let mut work = Vec::new();
        for (unit_plan, summary) in plan.units.iter().zip(summary.into_units()) {
            let missing = |why: &str| PublishError::Artefact {
                unit: unit_plan.unit.clone(),
                item: ItemName::Log,
                why: why.to_owned(),
            };
            let unit =
                dry_run.unit(&unit_plan.unit).ok_or_else(|| missing("the dry run has no such unit"))?;
            let artefacts = artefacts
                .iter()
                .find(|artefacts| artefacts.unit == unit_plan.unit)
                .ok_or_else(|| missing("the dry run's files of this unit are not at hand"))?;
            work.push(async move {
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => Err(PublishError::Cancelled),
                    published = self.unit(unit_plan, unit, artefacts, &summary, observer) => published,
                }
            });
        }
        let units = stream::iter(work).buffered(AT_ONCE).try_collect().await?;
        Ok(Published { dry_run: plan.dry_run.clone(), units, text, markdown, redaction })
    }
}

/// The file of a unit that an item is made of.
fn artefact(unit: &UnitDryRun, artefacts: &UnitArtefacts, item: ItemName) -> Result<PathBuf> {
    let found = match item {
        ItemName::Log => Some(&artefacts.log),
        ItemName::PlanFile => artefacts.plan_file.as_ref(),
        ItemName::PlanJson => artefacts.plan_json.as_ref(),
        ItemName::SummaryText | ItemName::SummaryMarkdown => None,
    };
    found.cloned().ok_or_else(|| PublishError::Artefact {
        unit: unit.id.clone(),
        item,
        why: "the dry run's files of this unit lack it".to_owned(),
    })
}

fn digest_of(path: &Path) -> Result<Digest> {
    File::open(path).and_then(|mut file| Digest::of_reader(&mut file)).map_err(|source| PublishError::File {
        doing: "read",
        path: path.to_owned(),
        source,
    })
}
