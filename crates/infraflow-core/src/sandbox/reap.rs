use std::{path::PathBuf, sync::Arc};

use tokio_util::sync::CancellationToken;

use crate::{
    observe::{Observer, Outcome, Stage},
    process::GroupEnd,
    proof::{Reason, RunId},
    store::{Lock, Store},
    terraform::{InitOptions, Tool},
};

use super::{
    InFlight, Ledger, Left, Limits, ReapReport, Reaped, Record, Sandbox, SandboxError, StillHeld,
    bundle::Bundle,
    case::{Undone, undo},
    copy::StateCopy,
    files::{CaseFolder, LogFile, OVERRIDE, make_private, state_in},
    ledger::{Entry, owner},
    record::Line,
    state::RawState,
    steps::Steps,
};

/// Whose leftovers are reaped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Everybody's.
    All,
    /// Those of one run.
    Run(RunId),
}

/// What to think of a process that was started on another machine, and of which no end is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Elsewhere {
    /// It may still be at work: whatever is found, nothing is proven.
    #[default]
    MayRun,
    /// It is gone, by somebody's word: its machine is no more, or was started anew.
    IsGone,
}

/// Ends, destroys and sweeps what dead processes left in sandboxes, on any machine that reaches the store.
///
/// For each deployment that the ledger has open, and whose run nobody works on:
/// 1. the recorded process group is ended, if it runs on this machine: found by process id *and* start time, and
///    by a token in its environment;
/// 2. everything in the newest state is destroyed: the state of the folder that the ledger names, where that is
///    on this machine and is newer than the copy in the store; with the configuration that was kept;
/// 3. the sandbox is swept for the mark, which finds what was in flight and stands in no state;
/// 4. the deployment is closed, if nothing is left and that is proven. Otherwise it stays open and is looked at
///    again the next time.
#[derive(Clone, Debug)]
pub struct Reaper {
    tool: Tool,
    ledger: Ledger,
    sandboxes: Vec<Arc<dyn Sandbox>>,
    work: PathBuf,
    limits: Limits,
    elsewhere: Elsewhere,
}

impl Reaper {
    /// A reaper over the ledger in a store. It needs to be given the sandboxes that the ledger names.
    pub fn new(tool: Tool, store: Store) -> Self {
        Self {
            tool,
            ledger: Ledger::new(store),
            sandboxes: Vec::new(),
            work: std::env::temp_dir().join("infraflow-sandbox"),
            limits: Limits::default(),
            elsewhere: Elsewhere::default(),
        }
    }

    /// The same with one more sandbox.
    #[must_use]
    pub fn with_sandbox(mut self, sandbox: Arc<dyn Sandbox>) -> Self {
        self.sandboxes.push(sandbox);
        self
    }

    /// The same with these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, working in this folder.
    #[must_use]
    pub fn in_folder(mut self, work: impl Into<PathBuf>) -> Self {
        self.work = work.into();
        self
    }

    /// The same, thinking this of processes on other machines.
    #[must_use]
    pub fn with_elsewhere(mut self, elsewhere: Elsewhere) -> Self {
        self.elsewhere = elsewhere;
        self
    }

    /// Reaps. Runs that somebody works on are left alone, and named.
    ///
    /// A future that is dropped, or a cancelled token, leaves what is not yet reaped in the ledger; a tool that is
    /// at work is ended as always.
    ///
    /// # Errors
    /// [`SandboxError::UnknownSandbox`] where the ledger names a sandbox that was not given;
    /// [`SandboxError::Store`] where the ledger cannot be read. What happens to a single deployment stands in the
    /// report.
    pub async fn reap(
        &self,
        scope: &Scope,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<ReapReport, SandboxError> {
        let mut report = ReapReport::default();
        let mut runs: Vec<RunId> = self.ledger.in_flight().await?.into_iter().map(|one| one.run).collect();
        runs.dedup();
        for run in runs.into_iter().filter(|run| *scope == Scope::All || *scope == Scope::Run(run.clone())) {
            if cancel.is_cancelled() {
                break;
            }
            match self.ledger.lock(&run, &owner(), self.limits.silence).await? {
                Err(owner) => report.held.push(StillHeld { run, owner }),
                Ok(lock) => {
                    let reaped = self.under(&run, &lock, cancel, observer).await;
                    lock.release().await?;
                    report.reaped.extend(reaped?);
                }
            }
        }
        Ok(report)
    }

    /// Reaps what is open of a run whose lock is ours.
    pub(super) async fn reap_run(
        &self,
        run: &RunId,
        lock: &Lock,
        observer: &dyn Observer,
    ) -> Result<Vec<Reaped>, SandboxError> {
        self.under(run, lock, lock.lost(), observer).await
    }

    async fn under(
        &self,
        run: &RunId,
        lock: &Lock,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Vec<Reaped>, SandboxError> {
        // Ends with the caller's token, and when somebody took the run over.
        let stop = cancel.child_token();
        let _ended = stop.clone().drop_guard();
        let lost = async {
            lock.lost().cancelled().await;
            stop.cancel();
            std::future::pending().await
        };
        tokio::select! {
            reaped = self.all_of(run, &stop, observer) => reaped,
            never = lost => never,
        }
    }

    async fn all_of(
        &self,
        run: &RunId,
        stop: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Vec<Reaped>, SandboxError> {
        let mut reaped = Vec::new();
        for one in self.ledger.in_flight().await?.iter().filter(|one| one.run == *run) {
            if stop.is_cancelled() {
                break;
            }
            reaped.extend(self.one(one, stop, observer).await?);
        }
        Ok(reaped)
    }

    async fn one(
        &self,
        one: &InFlight,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Option<Reaped>, SandboxError> {
        let entry = self.ledger.entry(&one.run, &one.mark);
        let record = match self.ledger.record(&one.run, &one.mark).await? {
            // Listed, and died before its first line; or closed, and died before it was taken off the list.
            None => return entry.forget().await.map(|()| None),
            Some(record) if record.left.as_ref().is_some_and(|left| !matches!(left, Left::Things(_))) => {
                return entry.forget().await.map(|()| None);
            }
            Some(record) => record,
        };
        let name = &record.opened.sandbox;
        let sandbox =
            self.sandboxes.iter().find(|sandbox| sandbox.name() == name).ok_or_else(|| {
                SandboxError::UnknownSandbox { mark: one.mark.clone(), sandbox: name.clone() }
            })?;
        let subject = format!("reap {}", one.mark);
        observer.started(Stage::Sandbox, &subject);
        let reaped = self.bury(&record, &entry, &**sandbox, cancel).await;
        if !matches!(reaped.left, Left::Unproven(_) | Left::Things(_)) {
            entry.close(reaped.left.clone(), None).await?;
        }
        observer.note(Stage::Sandbox, &subject, said(&reaped.left));
        let proven = !matches!(reaped.left, Left::Unproven(_) | Left::Things(_));
        observer.finished(Stage::Sandbox, &subject, if proven { Outcome::Done } else { Outcome::Failed });
        Ok(Some(reaped))
    }

    async fn bury(
        &self,
        record: &Record,
        entry: &Entry,
        sandbox: &dyn Sandbox,
        cancel: &CancellationToken,
    ) -> Reaped {
        let mut reaped = Reaped {
            run: record.opened.run.clone(),
            case: record.opened.case.clone(),
            mark: record.opened.mark.clone(),
            sandbox: record.opened.sandbox.clone(),
            group: None,
            in_flight: Vec::new(),
            destroyed: Vec::new(),
            left: Left::NeverMade,
            reasons: Vec::new(),
        };
        // Before the process is ended: a tool that is interrupted may save in its state what it was at.
        match newest_state(record, entry).await {
            Ok(newest) => {
                let known = newest.map(|(_, state)| state.addresses).unwrap_or_default();
                let unknown = record.planned.iter().filter(|address| !known.contains(address));
                reaped.in_flight = unknown.cloned().collect();
            }
            Err(error) => reaped.reasons.push(Reason::new("state_not_read", error.to_string())),
        }
        match self.end_group(record, entry).await {
            Ok(group) => reaped.group = group,
            Err(error) => {
                reaped.reasons.push(Reason::new("group_not_ended", error.to_string()));
                reaped.left = Left::Things(vec![error.to_string()]);
                return reaped;
            }
        }
        if record.may_have_made() {
            match self.undo(record, entry, sandbox, cancel).await {
                Ok(undone) => {
                    reaped.destroyed = undone.destroyed;
                    reaped.left = undone.left;
                    let faults = undone.faults.into_iter();
                    reaped.reasons.extend(faults.map(|fault| Reason::new("not_undone", fault)));
                }
                Err(error) => {
                    reaped.reasons.push(Reason::new("not_undone", error.to_string()));
                    reaped.left = Left::Things(vec![error.to_string()]);
                }
            }
        }
        if reaped.group == Some(GroupEnd::Elsewhere) && self.elsewhere == Elsewhere::MayRun {
            let why = "its process was started on another machine, and may still be at work; reap there, or say that \
                       it is gone";
            reaped.reasons.push(Reason::new("process_elsewhere", why));
            if !matches!(reaped.left, Left::Things(_)) {
                reaped.left = Left::Unproven(why.to_owned());
            }
        }
        if let Left::Unproven(why) = &reaped.left
            && reaped.reasons.is_empty()
        {
            reaped.reasons.push(Reason::new("not_swept", why.clone()));
        }
        reaped
    }

    async fn end_group(&self, record: &Record, entry: &Entry) -> Result<Option<GroupEnd>, SandboxError> {
        let Some((step, group)) = record.running.clone() else { return Ok(None) };
        let grace = self.limits.grace;
        let ended = tokio::task::spawn_blocking(move || group.end(grace)).await;
        let ended = ended.map_err(|error| SandboxError::stopped("end a process group", error))??;
        if ended != GroupEnd::Elsewhere || self.elsewhere == Elsewhere::IsGone {
            entry.write(&Line::Ended { step, verdict: "reaped".to_owned() }).await?;
        }
        Ok(Some(ended))
    }

    /// Destroys and sweeps, in a folder of its own.
    async fn undo(
        &self,
        record: &Record,
        entry: &Entry,
        sandbox: &dyn Sandbox,
        cancel: &CancellationToken,
    ) -> Result<Undone, SandboxError> {
        let mark = &record.opened.mark;
        make_private(&self.work)?;
        let folder = tempfile::Builder::new()
            .prefix("reap-")
            .tempdir_in(&self.work)
            .map_err(|source| SandboxError::io("work in", &self.work, source))?;
        let tree = folder.path().join("tree");
        let case = CaseFolder::new(folder.path().join("case"), record.opened.root.below(&tree))?;
        let files = entry.files().await?;
        if let Some(bytes) = &files {
            Bundle::from_bytes(bytes)?.unpack(&tree)?;
        }
        make_private(&case.module)?;
        case.write_override()?;
        let newest = newest_state(record, entry).await?;
        let known = newest.as_ref().map(|(_, state)| state.addresses.clone()).unwrap_or_default();
        if let Some((bytes, _)) = newest {
            std::fs::write(case.state(), &bytes)
                .map_err(|source| SandboxError::io("write", case.state(), source))?;
            entry.keep_state(bytes).await?;
        }
        let state = StateCopy::new(entry.clone(), case.state(), mark.clone());
        let log = LogFile::create(&self.work.join("reaped").join(format!("{mark}.log")))?;
        let steps = Steps {
            tool: self.tool.clone(),
            folder: case,
            environment: sandbox.environment(mark).await?,
            entry: entry.clone(),
            limits: self.limits.clone(),
            log,
            state,
        };
        // Without anything in the state there is nothing to destroy, and sweeping is all there is.
        if !known.is_empty() {
            steps.init(&InitOptions::default(), cancel).await?;
        }
        Ok(undo(&steps, sandbox, mark, cancel).await)
    }
}

/// The newest state of a deployment: the copy in the store, or what the tool wrote on this machine since. A
/// tool that could not write its state leaves `errored.tfstate` beside the configuration.
async fn newest_state(record: &Record, entry: &Entry) -> Result<Option<(Vec<u8>, RawState)>, SandboxError> {
    let mark = record.opened.mark.as_str();
    let mut newest = entry.state().await?.and_then(|bytes| {
        let state = RawState::parse(&bytes, mark)?;
        Some((bytes.to_vec(), state))
    });
    let folder = &record.opened.folder;
    let module = folder.ancestors().nth(2).map(|run| record.opened.root.below(&run.join("tree")));
    // Only in a root module that is ours: the override says so.
    let errored =
        module.filter(|module| module.join(OVERRIDE).exists()).map(|module| module.join("errored.tfstate"));
    for path in std::iter::once(state_in(folder)).chain(errored) {
        let found = RawState::read(&path, mark)
            .map_err(|source| SandboxError::io("read the state", &path, source))?;
        if let Some((bytes, state)) = found {
            let newer = newest
                .as_ref()
                .is_none_or(|(_, kept)| kept.lineage == state.lineage && kept.serial < state.serial);
            if newer {
                newest = Some((bytes, state));
            }
        }
    }
    Ok(newest)
}

fn said(left: &Left) -> String {
    match left {
        Left::NeverMade => "nothing was made".to_owned(),
        Left::Nothing => "nothing is left".to_owned(),
        Left::Swept(things) => format!("swept {}", things.join(", ")),
        Left::Unproven(why) => format!("unproven: {why}"),
        Left::Things(things) => format!("left: {}", things.join(", ")),
    }
}
