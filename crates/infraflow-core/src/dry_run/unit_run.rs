use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    DryRunContext, DryRunError, PlannedUnit, UnitArtefacts, UnitDryRun, UnitOutcome, declared,
    fault::Fault,
    local_state::{self, LocalState},
    log_file::LogFile,
};
use crate::{
    git::{Revision, Tree},
    policy::Purpose,
    process::Environment,
    proof::{Digest, Hmac, Reason, RepoPath},
    terraform::{
        Driver, InitOptions, LockFile, PlanOptions, Planned, StateVersion, Tool,
        facts::FileKind,
        fingerprint::{Closure, ClosureOf, fingerprint},
        plan::{Plan, SensitiveValue},
    },
};

/// The dry run of one unit.
pub(super) struct UnitRun<'a> {
    pub(super) unit: &'a PlannedUnit,
    pub(super) context: &'a DryRunContext<'a>,
    pub(super) tool: &'a Tool,
    pub(super) tree: &'a Tree,
    /// Where the tree was written.
    pub(super) export: &'a Path,
    /// Where the unit's own files go; it exists.
    pub(super) folder: PathBuf,
    /// What a unit without an environment sees.
    pub(super) unassigned: &'a Environment,
    pub(super) time_limit: Option<Duration>,
    pub(super) lock_timeout: Duration,
}

/// What came of planning.
struct Found {
    planned: Planned,
    plan: Plan,
    fingerprint: Digest,
    plan_file: Digest,
    state: Option<StateVersion>,
    notes: Vec<Reason>,
}

impl UnitRun<'_> {
    /// Dry-runs the unit. Its failure is its outcome; an error means that not even that could be said.
    pub(super) async fn run(self) -> Result<(UnitDryRun, UnitArtefacts), DryRunError> {
        let begun = Instant::now();
        let log_path = self.folder.join("log");
        let log = LogFile::create(&log_path)
            .map_err(|source| DryRunError::Folder { path: log_path.clone(), source })?;
        let mut artefacts = UnitArtefacts::new(self.unit.id.clone(), log_path.clone());
        let found = self.find(&log, &mut artefacts).await;
        log.finish().map_err(|source| DryRunError::Folder { path: log_path, source })?;

        let (commit, tool) = (*self.tree.revision(), self.tool.version().clone());
        let reasons = self.unit.reasons.clone();
        let mut entry = UnitDryRun::skipped(self.unit.id.clone(), commit, tool, reasons)?;
        entry.environment = self.unit.environment.clone();
        match found {
            Ok(found) => {
                let summary = found.plan.summary();
                let same = found.planned == Planned::NoChanges && found.plan.is_no_change();
                entry.outcome = if same { UnitOutcome::NoChanges } else { UnitOutcome::Changes };
                entry.counts = summary.counts;
                entry.drift = summary.drift.clone();
                entry.plan = Some(summary);
                entry.fingerprint = Some(found.fingerprint);
                entry.plan_file = Some(found.plan_file);
                entry.state = found.state;
                entry.reasons.extend(found.notes);
            }
            Err(fault) => {
                entry.outcome = if fault.is_cancelled() { UnitOutcome::Skipped } else { UnitOutcome::Error };
                let hidden: Vec<&str> = artefacts.sensitive.iter().map(|s| s.value.as_str()).collect();
                entry.reasons.push(fault.reason(self.tree, &self.unit.path, self.export, &hidden));
            }
        }
        entry.seconds = (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        Ok((entry.seal_digest()?, artefacts))
    }

    async fn find(&self, log: &LogFile, artefacts: &mut UnitArtefacts) -> Result<Found, Fault> {
        let entries = self.tree.list(&self.unit.path)?;
        if !entries
            .iter()
            .any(|entry| matches!(FileKind::of(entry.path.file_name()), Some(FileKind::Configuration { .. })))
        {
            return Err(Fault::NoConfiguration);
        }
        let environment = match &self.unit.environment {
            Some(environment) => self
                .context
                .credentials
                .credentials(environment, Purpose::Plan)
                .await
                .map_err(Fault::Credentials)?,
            None => self.unassigned.clone(),
        };
        artefacts.sensitive = declared::sensitive_variables(self.tree, &self.unit.id, &environment)?;
        let cancel = self.context.cancel;
        let folder = self.unit.path.below(self.export);
        let driver = self.driver(&folder, environment);

        let mut init = InitOptions::default();
        for setting in self.unit.id.backend() {
            init = init.with_backend(self.backend_setting(setting.as_str()));
        }
        // A lock file that stands in the repository is part of what is reviewed: init may not write it anew.
        let lock = self.unit.path.join(".terraform.lock.hcl");
        if self.tree.entry(&lock)?.is_some() {
            init = init.with_lock_file(LockFile::HeldTo);
        }
        driver.init(&init, cancel, log).await?;
        let notes = self.local_state(&folder)?;

        let plan_file = self.folder.join("plan.bin");
        let planned = driver.plan(&PlanOptions::saved_to(&plan_file), cancel, log).await?;
        let json = driver.show_json(&plan_file, cancel, log).await?;
        let providers = driver.providers(cancel, log).await?;
        let state = driver.state_pull(cancel, log).await?.map(|state| state.version().clone());

        let plan_json = self.folder.join("plan.json");
        write_private(&plan_json, &json).map_err(|source| Fault::File { path: plan_json.clone(), source })?;
        let judged = Judged {
            json,
            providers,
            tool: self.tool.clone(),
            tree: self.tree.clone(),
            unit: self.unit.clone(),
            folder,
            export: self.export.to_owned(),
            plan_file: plan_file.clone(),
            hmac: self.context.hmac.clone(),
        };
        let judged = tokio::task::spawn_blocking(move || judged.judge())
            .await
            .map_err(|source| Fault::Thread { source })??;
        artefacts.sensitive.extend(judged.sensitive);
        artefacts.sensitive.sort();
        artefacts.sensitive.dedup();
        artefacts.plan_file = Some(plan_file);
        artefacts.plan_json = Some(plan_json);
        Ok(Found {
            planned,
            plan: judged.plan,
            fingerprint: judged.fingerprint,
            plan_file: judged.plan_file,
            state,
            notes,
        })
    }

    fn driver(&self, folder: &Path, environment: Environment) -> Driver {
        let mut driver = self.tool.driver(folder).environment(environment).lock_timeout(self.lock_timeout);
        if let Some(workspace) = self.unit.id.workspace() {
            driver = driver.workspace(workspace.as_str());
        }
        for file in self.unit.id.var_files() {
            driver = driver.var_file(file.below(self.export));
        }
        if let Some(limit) = self.time_limit {
            driver = driver.time_limit(limit);
        }
        driver
    }

    /// A setting that is the path of a file is one of the repository; the tool runs in the unit's folder.
    fn backend_setting(&self, setting: &str) -> String {
        match (setting.contains('='), RepoPath::parse(setting)) {
            (false, Ok(file)) => file.below(self.export).to_string_lossy().into_owned(),
            _ => setting.to_owned(),
        }
    }

    fn local_state(&self, folder: &Path) -> Result<Vec<Reason>, Fault> {
        let brought = local_state::bring(self.context.repository, &self.unit.id, folder)
            .map_err(|source| Fault::File { path: folder.to_owned(), source })?;
        let text = match brought {
            LocalState::InBackend => return Ok(Vec::new()),
            LocalState::Copied => {
                "its state is a file of this checkout, which nobody else has, so this plan must not be applied from elsewhere; give it a backend"
            }
            LocalState::Missing => {
                "it has no backend and no state in this checkout, so everything in it looks new; give it a backend"
            }
        };
        Ok(vec![Reason::new("local_state", text)])
    }
}

/// What is computed of a plan, on a thread that may be busy for a while.
struct Judged {
    json: Vec<u8>,
    providers: BTreeMap<String, String>,
    tool: Tool,
    tree: Tree,
    unit: PlannedUnit,
    folder: PathBuf,
    export: PathBuf,
    plan_file: PathBuf,
    hmac: Hmac,
}

struct Judgement {
    plan: Plan,
    sensitive: Vec<SensitiveValue>,
    fingerprint: Digest,
    plan_file: Digest,
}

impl Judged {
    fn judge(self) -> Result<Judgement, Fault> {
        let plan = Plan::parse(&self.json)?;
        let sensitive = plan.sensitive_values()?;
        let closure = ClosureOf {
            tree: &self.tree,
            unit: &self.unit.path,
            others: &self.unit.others,
            reads: &self.unit.reads,
            folder: &self.folder,
            hmac: &self.hmac,
        };
        let closure = Closure::of(&closure, self.tool.version().clone(), self.providers)?
            .in_workspace(self.unit.id.workspace().map(|workspace| workspace.as_str()));
        let altered = closure.altered(&self.tree, &self.export)?;
        if let Some(file) = altered.into_iter().next() {
            return Err(Fault::Altered { file });
        }
        let fingerprint = fingerprint(&plan, &closure, &self.hmac, &self.export)?;
        let plan_file = digest_of_file(&self.plan_file)
            .map_err(|source| Fault::File { path: self.plan_file.clone(), source })?;
        Ok(Judgement { plan, sensitive, fingerprint, plan_file })
    }
}

fn digest_of_file(path: &Path) -> io::Result<Digest> {
    std::fs::read(path).map(Digest::of_bytes)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

/// The entry of a unit that was not begun.
pub(super) fn not_begun(
    unit: &PlannedUnit,
    revision: Revision,
    tool: &Tool,
    why: Reason,
) -> Result<UnitDryRun, DryRunError> {
    let reasons = unit.reasons.iter().cloned().chain([why]).collect();
    let mut entry = UnitDryRun::skipped(unit.id.clone(), revision, tool.version().clone(), reasons)?;
    entry.environment = unit.environment.clone();
    entry.seal_digest()
}
