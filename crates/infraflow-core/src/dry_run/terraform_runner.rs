use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, stream};

use super::{
    DryRun, DryRunContext, DryRunError, DryRunOutcome, DryRunPlan, DryRunner, PlannedUnit, PrivateFolder,
    Scope, UnitOutcome, planning,
    unit_run::{self, UnitRun},
};
use crate::{
    catalog::{Catalog, DialectName},
    git::{Revision, Tree},
    observe::{Outcome, Stage},
    policy::{EnvironmentName, Policy},
    process::{Environment, Preset},
    proof::{Reason, RepoPath},
    terraform::Tool,
};

/// Dry-runs units with terraform or tofu.
///
/// It never works on the user's own working tree: the revision's files are written to a private folder, once for each
/// environment, so that code which runs with one environment's credentials finds no other environment's files. There
/// each unit is initialized and planned; several at once, units that share a directory in copies of their own.
/// What runs while planning (data sources, providers) could write there: a unit of which a file was written
/// meanwhile is not trusted, and comes out as an error.
///
/// # What the tools say and don't
/// - Drift is `resource_drift` of a normal plan. `-refresh-only -detailed-exitcode` is not asked: on Terraform 1.11.4
///   it exits with 2 without drift and with 0 where a move is pending.
/// - Drift of an attribute under `ignore_changes` is in `drift`, and the outcome is `no_changes` all the same: applying
///   would do nothing.
/// - A lock file that stands in the repository is held to (`-lockfile=readonly`).
/// - A unit without a backend is planned against the state file of the checkout, where there is one, and says so
///   with a reason `local_state`: what a deployment wrote there would be lost.
#[derive(Clone, Debug)]
pub struct TerraformDryRunner {
    tool: Tool,
    parallel: NonZeroUsize,
    time_limit: Option<Duration>,
    lock_timeout: Duration,
    below: Option<PathBuf>,
    unassigned: Environment,
}

impl TerraformDryRunner {
    /// Dry runs with this tool: as many units at once as the machine has processors.
    pub fn new(tool: Tool) -> Self {
        Self {
            tool,
            parallel: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            time_limit: None,
            lock_timeout: Duration::ZERO,
            below: None,
            unassigned: Environment::preset(&Preset::OF_TERRAFORM),
        }
    }

    /// At most so many units at once.
    #[must_use]
    pub fn parallel(mut self, units: NonZeroUsize) -> Self {
        self.parallel = units;
        self
    }

    /// How long each command of the tool may run; without limit by default.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// How long to wait for a state that somebody else holds; not at all by default.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Where the private folder is made, in place of the system's temporary folder. It must have room for the
    /// repository's files, once for each environment.
    #[must_use]
    pub fn below(mut self, folder: impl Into<PathBuf>) -> Self {
        self.below = Some(folder.into());
        self
    }

    /// What units outside of every environment see, in place of what nearly every tool needs: the presets
    /// base, proxies, CLI configuration, registry tokens, git and SSH agent of this process. They have no
    /// credentials of a cloud.
    #[must_use]
    pub fn unassigned(mut self, environment: Environment) -> Self {
        self.unassigned = environment;
        self
    }

    /// The tool.
    pub fn tool(&self) -> &Tool {
        &self.tool
    }

    async fn run(
        &self,
        plan: &DryRunPlan,
        context: &DryRunContext<'_>,
    ) -> Result<DryRunOutcome, DryRunError> {
        let folder = PrivateFolder::below(self.below.as_deref())?;
        let tree = context.repository.tree(&plan.revision)?;
        let exports = self.export(plan, &tree, folder.path(), context).await?;
        let mut runs = Vec::with_capacity(plan.units.len());
        for (number, (unit, export)) in plan.units.iter().zip(&exports).enumerate() {
            runs.push(self.unit(unit, number, &tree, export, folder.path(), context).boxed());
        }
        let mut results = stream::iter(runs).buffer_unordered(self.parallel.get());
        let (mut entries, mut artefacts) = (Vec::new(), Vec::new());
        while let Some(result) = results.next().await {
            let (entry, files) = result?;
            entries.push(entry);
            artefacts.extend(files);
        }
        drop(results);
        for skipped in &plan.skipped {
            let version = self.tool.version().clone();
            let (id, reasons) = (skipped.id.clone(), skipped.reasons.clone());
            entries.push(super::UnitDryRun::skipped(id, plan.revision, version, reasons)?);
        }
        Ok(DryRunOutcome::new(DryRun::new(entries), artefacts, folder))
    }

    /// Writes the tree out: once for each environment, and once more where units share a directory. One folder
    /// for each unit of the plan.
    async fn export(
        &self,
        plan: &DryRunPlan,
        tree: &Tree,
        folder: &Path,
        context: &DryRunContext<'_>,
    ) -> Result<Vec<PathBuf>, DryRunError> {
        type Lane<'a> = (Option<&'a EnvironmentName>, usize);
        let mut lanes: BTreeMap<Lane<'_>, PathBuf> = BTreeMap::new();
        let mut sharing: BTreeMap<(Option<&EnvironmentName>, &RepoPath), usize> = BTreeMap::new();
        let mut exports = Vec::new();
        for unit in &plan.units {
            let environment = unit.environment.as_ref();
            let lane = sharing.entry((environment, &unit.path)).or_default();
            let number = lanes.len();
            let export =
                lanes.entry((environment, *lane)).or_insert_with(|| folder.join(format!("tree-{number}")));
            exports.push(export.clone());
            *lane += 1;
        }
        for export in lanes.into_values() {
            if context.cancel.is_cancelled() {
                break;
            }
            let (repository, tree) = (context.repository.clone(), tree.clone());
            tokio::task::spawn_blocking(move || repository.materialise(&tree, &export))
                .await
                .map_err(|source| DryRunError::Thread { doing: "wrote the revision's files", source })??;
        }
        Ok(exports)
    }

    async fn unit(
        &self,
        unit: &PlannedUnit,
        number: usize,
        tree: &Tree,
        export: &Path,
        folder: &Path,
        context: &DryRunContext<'_>,
    ) -> Result<(super::UnitDryRun, Option<super::UnitArtefacts>), DryRunError> {
        let subject = unit.id.to_string();
        if context.cancel.is_cancelled() {
            let why = Reason::new("cancelled", "the dry run was cancelled before this unit was begun");
            let entry = unit_run::not_begun(unit, *tree.revision(), &self.tool, why)?;
            return Ok((entry, None));
        }
        context.observer.started(Stage::DryRun, &subject);
        let own = folder.join(format!("unit-{number}"));
        std::fs::create_dir(&own).map_err(|source| DryRunError::Folder { path: own.clone(), source })?;
        let run = UnitRun {
            unit,
            context,
            tool: &self.tool,
            tree,
            export,
            folder: own,
            unassigned: &self.unassigned,
            time_limit: self.time_limit,
            lock_timeout: self.lock_timeout,
        };
        let result = run.run().await;
        let outcome = match &result {
            Ok((entry, _)) => match entry.outcome {
                UnitOutcome::NoChanges => Outcome::Nothing,
                UnitOutcome::Changes => Outcome::Done,
                UnitOutcome::Error => Outcome::Failed,
                UnitOutcome::Skipped => Outcome::Cancelled,
            },
            Err(_) => Outcome::Failed,
        };
        context.observer.finished(Stage::DryRun, &subject, outcome);
        result.map(|(entry, artefacts)| (entry, Some(artefacts)))
    }
}

#[async_trait]
impl DryRunner for TerraformDryRunner {
    fn plan(
        &self,
        revision: &Revision,
        catalog: &Catalog,
        scope: Scope<'_>,
        policy: &Policy,
    ) -> Result<DryRunPlan, DryRunError> {
        planning::plan(&DialectName::terraform(), revision, catalog, scope, policy)
    }

    async fn observe(
        &self,
        plan: &DryRunPlan,
        context: &DryRunContext<'_>,
    ) -> Result<DryRunOutcome, DryRunError> {
        self.run(plan, context).await
    }
}
