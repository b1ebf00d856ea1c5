use std::{
    fs::{DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{DeployContext, DeployError, UnitDeployment};
use crate::{
    git::Tree,
    policy::Purpose,
    process::{Environment, LogStream, Source},
    proof::{Digest, RepoPath, RunId},
    terraform::{Driver, InitOptions, LockFile, StateVersion, Tool},
};

/// Everything that is needed to apply one unit's plan, on this machine: its own folder with the saved plan and
/// the files of the commit, and the tool set up in it.
pub(super) struct Workbench {
    /// The unit's own folder, which lasts from one attempt to the next.
    pub(super) folder: PathBuf,
    /// Where the commit's files were written, for this attempt alone.
    pub(super) export: PathBuf,
    /// The saved plan, of the digest that was approved.
    pub(super) saved: PathBuf,
    pub(super) driver: Driver,
    pub(super) log: ApplyLog,
    pub(super) tree: Tree,
}

impl Workbench {
    /// Fetches the saved plan, writes out the files of the commit and initializes the unit.
    pub(super) async fn set_up(
        tool: &Tool,
        unassigned: &Environment,
        tree: &Tree,
        unit: &UnitDeployment,
        run: &RunId,
        context: &DeployContext<'_>,
    ) -> Result<Self, DeployError> {
        if *tool.version() != unit.tool {
            return Err(DeployError::OtherTool {
                unit: Box::new(unit.unit.id.clone()),
                planned: Box::new(unit.tool.clone()),
                found: Box::new(tool.version().clone()),
            });
        }
        // Ids are longer than names of folders may be.
        let name = Digest::of_bytes(unit.unit.id.to_string());
        let file = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| DeployError::File { doing, path, source }
        };
        // The tool runs in another directory than this process.
        let folder = std::path::absolute(context.folder).map_err(file("find", context.folder))?;
        let folder = folder.join(run.as_str()).join(name.short());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(file("make the folder", &folder))?;
        let log = folder.join("log");
        let log = ApplyLog::append(&log).map_err(file("write", &log))?;
        let saved = saved_plan(unit, &folder, context).await?;

        let export = tempfile::Builder::new().prefix("tree-").tempdir_in(&folder);
        let export = export.map_err(file("make a folder in", &folder))?.keep();
        let (repository, files, into) = (context.repository.clone(), tree.clone(), export.clone());
        tokio::task::spawn_blocking(move || repository.materialise(&files, &into))
            .await
            .map_err(|source| DeployError::Thread { doing: "wrote the commit's files", source })??;

        let environment = match &unit.unit.environment {
            Some(name) => context.credentials.credentials(name, Purpose::Apply).await?,
            None => unassigned.clone(),
        };
        let driver = driver(tool, unit, &export, environment);
        driver.init(&init(tree, unit, &export)?, context.cancel, &log).await?;
        Ok(Self { folder, export, saved, driver, log, tree: tree.clone() })
    }

    /// The state as it is now.
    pub(super) async fn state(
        &self,
        context: &DeployContext<'_>,
    ) -> Result<Option<StateVersion>, DeployError> {
        let state = self.driver.state_pull(context.cancel, &self.log).await?;
        Ok(state.map(|state| state.version().clone()))
    }

    /// Removes what only an unfinished unit needs. What is left over harms nobody.
    pub(super) fn clear(&self) {
        let _ = std::fs::remove_dir_all(&self.export);
        let _ = std::fs::remove_file(&self.saved);
    }
}

/// The saved plan in the unit's folder, of the digest that was approved.
async fn saved_plan(
    unit: &UnitDeployment,
    folder: &Path,
    context: &DeployContext<'_>,
) -> Result<PathBuf, DeployError> {
    let (saved, fetched) = (folder.join("plan"), folder.join("plan.fetched"));
    if digest_of_file(&saved).await.is_ok_and(|found| found == unit.plan_file) {
        return Ok(saved);
    }
    let failed = |doing, path: &PathBuf| {
        let path = path.clone();
        move |source| DeployError::File { doing, path, source }
    };
    match tokio::fs::remove_file(&fetched).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove", &fetched)(error));
        }
        _ => {}
    }
    context.saved_plans.fetch(unit, &fetched).await?;
    let found = digest_of_file(&fetched).await.map_err(failed("read the saved plan", &fetched))?;
    if found != unit.plan_file {
        let _ = tokio::fs::remove_file(&fetched).await;
        return Err(DeployError::PlanFileAltered {
            unit: Box::new(unit.unit.id.clone()),
            expected: unit.plan_file.clone(),
            found,
        });
    }
    tokio::fs::rename(&fetched, &saved).await.map_err(failed("keep the saved plan", &saved))?;
    Ok(saved)
}

pub(super) async fn digest_of_file(path: &Path) -> io::Result<Digest> {
    tokio::fs::read(path).await.map(Digest::of_bytes)
}

/// The tool in the unit's folder, set up as the dry run had it.
fn driver(tool: &Tool, unit: &UnitDeployment, export: &Path, environment: Environment) -> Driver {
    let id = &unit.unit.id;
    let mut driver = tool.driver(unit.unit.path.below(export)).environment(environment);
    if let Some(workspace) = id.workspace() {
        driver = driver.workspace(workspace.as_str());
    }
    for file in id.var_files() {
        driver = driver.var_file(file.below(export));
    }
    driver
}

/// What `init` may do, as in the dry run: a lock file that stands in the repository is held to.
fn init(tree: &Tree, unit: &UnitDeployment, export: &Path) -> Result<InitOptions, DeployError> {
    let mut init = InitOptions::default();
    for setting in unit.unit.id.backend() {
        let setting = setting.as_str();
        init = init.with_backend(match (setting.contains('='), RepoPath::parse(setting)) {
            (false, Ok(file)) => file.below(export).to_string_lossy().into_owned(),
            _ => setting.to_owned(),
        });
    }
    if tree.entry(&unit.unit.path.join(".terraform.lock.hcl"))?.is_some() {
        init = init.with_lock_file(LockFile::HeldTo);
    }
    Ok(init)
}

/// What the tools write, in a file that only its owner reads.
pub(super) struct ApplyLog {
    pub(super) path: PathBuf,
    file: Mutex<File>,
}

impl ApplyLog {
    fn append(path: &Path) -> io::Result<Self> {
        let file = File::options().append(true).create(true).mode(0o600).open(path)?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }
}

impl LogStream for ApplyLog {
    fn chunk(&self, _: Source, bytes: &[u8]) {
        // A full disk must not end an apply: what it said is in its output files as well.
        let _ = self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes);
    }
}
