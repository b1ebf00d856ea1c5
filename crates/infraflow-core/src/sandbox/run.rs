use std::{collections::BTreeMap, sync::Arc};

use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    git::{GitError, Tree},
    observe::{Event, Observer},
    proof::{Digest, Document, Reason, RepoPath},
    store::Lock,
    terraform::Tool,
};

use super::{
    CaseOutcome, CaseReport, Ledger, Left, Limits, PlannedDeployment, Reaper, Sandbox, SandboxError,
    SandboxPlan, TestReport, case::CaseRun, files::WorkFolder,
};

/// A run of a whole plan, in a task of its own: whoever waits for it may go away.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) plan: SandboxPlan,
    pub(super) tree: Tree,
    pub(super) tool: Tool,
    pub(super) sandbox: Arc<dyn Sandbox>,
    pub(super) ledger: Ledger,
    pub(super) limits: Limits,
    pub(super) work: WorkFolder,
    pub(super) reaper: Reaper,
    pub(super) stop: CancellationToken,
    pub(super) events: Events,
}

/// Events on their way to the observer, who is only lent to the future that waits.
#[derive(Clone, Debug)]
pub(super) struct Events(pub(super) tokio::sync::mpsc::UnboundedSender<Event>);

impl Observer for Events {
    fn event(&self, event: &Event) {
        // Nobody listens any more: the future was dropped.
        let _ = self.0.send(event.clone());
    }
}

impl Run {
    /// Runs the cases, under the run's lock.
    pub(super) async fn run(self, lock: Lock) -> Result<TestReport, SandboxError> {
        let done = self.locked(&lock).await;
        // The newest state of what is still open may stand here and nowhere else.
        let open = self.ledger.in_flight().await;
        let all_closed = open.is_ok_and(|open| open.iter().all(|one| one.run != self.plan.run));
        let cleared = if all_closed { self.work.clear() } else { Ok(()) };
        let released = lock.release().await;
        let report = done?;
        cleared?;
        released?;
        Ok(report)
    }

    async fn locked(&self, lock: &Lock) -> Result<TestReport, SandboxError> {
        // What a dead process left under this very run goes first: the marks are the same.
        self.reaper.reap_run(&self.plan.run, lock, &self.events).await?;
        let digest = self.plan.digest()?;
        let mut reports = self.finished_before(&digest).await?;
        let open: Vec<_> = self.plan.cases.iter().filter(|case| !reports.contains_key(&case.mark)).collect();
        if !open.is_empty() {
            self.write_tree().await?;
            for report in self.cases(open, &digest, lock).await? {
                reports.insert(report.mark.clone(), report);
            }
        }
        let mut cases: Vec<CaseReport> = reports.into_values().collect();
        cases.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(TestReport {
            run: self.plan.run.clone(),
            sandbox: self.plan.sandbox.clone(),
            tests: self.plan.tests.clone(),
            tool: self.tool.version().to_string(),
            cases,
        })
    }

    /// Results of this very plan that an earlier process came to.
    async fn finished_before(
        &self,
        plan: &Digest,
    ) -> Result<BTreeMap<super::Mark, CaseReport>, SandboxError> {
        let mut reports = BTreeMap::new();
        for case in &self.plan.cases {
            if let Some(record) = self.ledger.record(&self.plan.run, &case.mark).await?
                && record.opened.plan == *plan
                && let Some(report) = record.report
            {
                reports.insert(case.mark.clone(), report);
            }
        }
        Ok(reports)
    }

    async fn write_tree(&self) -> Result<(), SandboxError> {
        let (tree, work, free) = (self.tree.clone(), self.work.clone(), self.limits.free);
        let write = move || {
            work.begin(free)?;
            let into = work.tree();
            tree.repository().materialise(&tree, &into).map_err(|error| full_or(error, &into))
        };
        let written = tokio::task::spawn_blocking(write).await;
        written.map_err(|error| SandboxError::stopped("write the tree", error))?
    }

    async fn cases(
        &self,
        open: Vec<&PlannedDeployment>,
        plan: &Digest,
        lock: &Lock,
    ) -> Result<Vec<CaseReport>, SandboxError> {
        // Cases with the same root module follow one another: `init` writes there.
        let mut by_root: Vec<(RepoPath, Vec<CaseRun>)> = Vec::new();
        for case in open {
            let case = CaseRun {
                case: case.clone(),
                run: self.plan.run.clone(),
                plan: plan.clone(),
                tool: self.tool.clone(),
                sandbox: Arc::clone(&self.sandbox),
                ledger: self.ledger.clone(),
                limits: self.limits.clone(),
                work: self.work.clone(),
                stop: self.stop.clone(),
                lost: lock.lost().clone(),
            };
            match by_root.iter_mut().find(|(root, _)| root == case.root()) {
                Some((_, cases)) => cases.push(case),
                None => by_root.push((case.root().clone(), vec![case])),
            }
        }
        // A lost lock means that somebody else destroys now; a wish to stop means that we do.
        let lost = async {
            lock.lost().cancelled().await;
            self.stop.cancel();
            std::future::pending().await
        };
        tokio::select! {
            reports = self.in_order(by_root) => reports,
            never = lost => never,
        }
    }

    /// Begins the cases in their order, as many at once as the limits allow.
    async fn in_order(
        &self,
        by_root: Vec<(RepoPath, Vec<CaseRun>)>,
    ) -> Result<Vec<CaseReport>, SandboxError> {
        let at_once = Arc::new(Semaphore::new(self.limits.parallel.max(1)));
        let mut tasks = JoinSet::new();
        for (_, cases) in by_root {
            let stopped = |why: &dyn std::fmt::Display| SandboxError::stopped("run the cases", why);
            let turn = Arc::clone(&at_once).acquire_owned().await.map_err(|error| stopped(&error))?;
            let events = self.events.clone();
            tasks.spawn(async move {
                let _turn = turn;
                let mut reports = Vec::new();
                for case in cases {
                    let (planned, events) = (case.case.clone(), events.clone());
                    let ended = tokio::spawn(async move { case.run(&events).await }).await;
                    reports.push(ended.unwrap_or_else(|error| panicked(planned, &error.to_string())));
                }
                reports
            });
        }
        Ok(tasks.join_all().await.into_iter().flatten().collect())
    }
}

/// A bug of ours, or of an observer: the case stays in the ledger.
fn panicked(case: PlannedDeployment, why: &str) -> CaseReport {
    CaseReport {
        id: case.id,
        module: case.module,
        outcome: CaseOutcome::Error,
        checks: Vec::new(),
        left: Left::Things(vec![case.mark.to_string()]),
        mark: case.mark,
        unmarked: Vec::new(),
        reasons: vec![Reason::new("stopped", why)],
        seconds: 0,
        quarantine: case.quarantine,
    }
}

/// A disk that is full while the tree is written is the sandbox's matter, not git's.
fn full_or(error: GitError, into: &std::path::Path) -> SandboxError {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(source) = next {
        if let Some(io) = source.downcast_ref::<std::io::Error>()
            && matches!(io.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
        {
            let io = std::io::Error::new(io.kind(), io.to_string());
            return SandboxError::io("write the tree to", into, io);
        }
        next = source.source();
    }
    error.into()
}
