use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;

use super::{DeployError, UnitDeployment};
use crate::{catalog::UnitId, dry_run::DryRunOutcome, seal::Sealer, store::Store};

/// Where the files of saved plans come from.
///
/// # Contract
/// 1. `fetch` writes the file of that unit's saved plan to a path where nothing stands; where it fails, nothing
///    stands there afterwards either.
/// 2. It need not check what it fetches: whoever asks compares the digest with the plan's.
/// 3. A saved plan holds secrets and credentials: the file is readable by its owner alone.
#[async_trait]
pub trait SavedPlans: Send + Sync {
    /// Fetches the saved plan of a unit. Observe.
    ///
    /// # Errors
    /// [`DeployError::NoSavedPlan`] where it is not to be had; [`DeployError::Store`], [`DeployError::Seal`],
    /// [`DeployError::File`].
    async fn fetch(&self, unit: &UnitDeployment, to: &Path) -> Result<(), DeployError>;
}

/// Saved plans that lie on this machine, as the dry run left them.
#[derive(Clone, Debug, Default)]
pub struct PlanFiles(BTreeMap<UnitId, PathBuf>);

impl PlanFiles {
    /// The plans at these paths.
    pub fn new(files: impl IntoIterator<Item = (UnitId, PathBuf)>) -> Self {
        Self(files.into_iter().collect())
    }

    /// The plans of a dry run. They are gone when its folder is.
    pub fn of(outcome: &DryRunOutcome) -> Self {
        let files = outcome.artefacts.iter();
        Self::new(files.filter_map(|it| Some((it.unit.clone(), it.plan_file.clone()?))))
    }
}

#[async_trait]
impl SavedPlans for PlanFiles {
    async fn fetch(&self, unit: &UnitDeployment, to: &Path) -> Result<(), DeployError> {
        let id = &unit.unit.id;
        let from = self.0.get(id).ok_or_else(|| DeployError::NoSavedPlan { unit: Box::new(id.clone()) })?;
        let copied = tokio::fs::copy(from, to).await;
        copied.map(drop).map_err(|source| DeployError::File {
            doing: "copy the saved plan",
            path: from.clone(),
            source,
        })
    }
}

/// Saved plans that stand sealed in a store, under the key that [`UnitDeployment::saved_plan`] names.
#[derive(Clone)]
pub struct SealedPlans {
    store: Store,
    sealer: Arc<dyn Sealer>,
}

impl SealedPlans {
    /// The plans of a store, opened with the keys of a sealer.
    pub fn new(store: Store, sealer: Arc<dyn Sealer>) -> Self {
        Self { store, sealer }
    }
}

#[async_trait]
impl SavedPlans for SealedPlans {
    async fn fetch(&self, unit: &UnitDeployment, to: &Path) -> Result<(), DeployError> {
        let id = || Box::new(unit.unit.id.clone());
        let key = unit.saved_plan.as_ref().ok_or_else(|| DeployError::NoSavedPlan { unit: id() })?;
        let sealed = to.with_extension("sealed");
        self.store.download(key, &sealed).await?;
        let (sealer, from, into) = (self.sealer.clone(), sealed.clone(), to.to_owned());
        let opened = tokio::task::spawn_blocking(move || sealer.open_file(&from, &into)).await;
        let removed = tokio::fs::remove_file(&sealed).await;
        opened.map_err(|source| DeployError::Thread { doing: "opened the saved plan", source })??;
        removed.map_err(|source| DeployError::File { doing: "remove", path: sealed, source })
    }
}

impl fmt::Debug for SealedPlans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedPlans").field("store", &self.store).finish_non_exhaustive()
    }
}
