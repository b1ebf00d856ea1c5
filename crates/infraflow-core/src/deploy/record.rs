use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{DeployError, UnitDeployment};
use crate::{
    process::{GroupState, ProcessGroup},
    proof::{Digest, RunId},
    store::{Created, Journal, Key, Lock, Store, StoreError, Taken},
    terraform::StateVersion,
};

/// What is on record about one unit of one run, before and after everything that touches the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Entry {
    /// This run will apply this plan, and no other run can.
    Claimed { plan_file: Digest, state: Option<StateVersion> },
    /// An apply is about to run: this is written before its first instruction.
    Starting { attempt: u32, plan_file: Digest, group: ProcessGroup, output: std::path::PathBuf },
    /// An apply has ended, and whoever started it saw that.
    Ended { attempt: u32, how: End },
    /// It was looked at after an apply was cut off or failed.
    Reconciled { in_flight: Vec<String>, remaining: Vec<String> },
}

/// How an apply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    /// Everything was done.
    Applied,
    /// The tool failed by itself, and has recorded what it did.
    Failed,
    /// It was ended from outside, so that something may have been in flight.
    CutOff,
}

/// Where a unit stands, by its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing was begun; nothing can have been applied.
    Fresh,
    /// What was approved stands.
    Applied,
    /// An apply was begun and did not come to a good end.
    Begun(Attempt),
}

/// The last apply that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) number: u32,
    pub(super) group: ProcessGroup,
    pub(super) output: std::path::PathBuf,
    /// How it ended; `None` where nobody saw it end.
    pub(super) end: Option<End>,
}

/// What a record's entries come to.
#[derive(Default)]
struct History {
    /// The plan that was taken last.
    claimed: Option<Digest>,
    /// The plans that were applied.
    applied: BTreeSet<Digest>,
    /// The apply that was begun and did not come to a good end, and the plan that was taken for it. A plan made
    /// anew to finish another counts as that.
    open: Option<(Digest, Attempt)>,
}

impl History {
    fn of(entries: Vec<Entry>) -> Self {
        let mut history = Self::default();
        for entry in entries {
            match entry {
                Entry::Claimed { plan_file, .. } => history.claimed = Some(plan_file),
                Entry::Starting { attempt: number, plan_file, group, output } => {
                    let taken = history.claimed.clone().unwrap_or(plan_file);
                    history.open = Some((taken, Attempt { number, group, output, end: None }));
                }
                Entry::Ended { how: End::Applied, .. } => {
                    history.applied.extend(history.open.take().map(|(taken, _)| taken));
                }
                Entry::Ended { how, .. } => {
                    if let Some((_, attempt)) = &mut history.open {
                        attempt.end = Some(how);
                    }
                }
                Entry::Reconciled { .. } => {}
            }
        }
        history
    }
}

/// The record of one unit of one run.
#[derive(Clone, Debug)]
pub(super) struct Record {
    store: Store,
    journal: Journal,
    run: RunId,
}

impl Record {
    pub(super) fn open(store: &Store, run: &RunId, unit: &UnitDeployment) -> Result<Self, StoreError> {
        let key = Key::parse("deployments/runs")?.join(run.as_str()).join(unit.unit.id.to_string());
        Ok(Self { store: store.clone(), journal: Journal::open(store.clone(), key), run: run.clone() })
    }

    /// Where the unit stands with a plan.
    pub(super) async fn standing(&self, unit: &UnitDeployment) -> Result<Standing, DeployError> {
        let History { applied, open, .. } = History::of(self.journal.read_all().await?);
        match open {
            _ if applied.contains(&unit.plan_file) => Ok(Standing::Applied),
            // Nothing was begun with whatever plan was taken before: it may be exchanged for another.
            None => Ok(Standing::Fresh),
            Some((begun, attempt)) if begun == unit.plan_file => Ok(Standing::Begun(attempt)),
            Some((begun, _)) => Err(DeployError::RunBegan {
                unit: Box::new(unit.unit.id.clone()),
                run: self.run.clone(),
                begun,
                asked: unit.plan_file.clone(),
            }),
        }
    }

    /// Takes the plan for this run: one saved plan is applied by one run at most.
    pub(super) async fn claim(&self, unit: &UnitDeployment) -> Result<(), DeployError> {
        let key = Key::parse("deployments/plans")?.join(unit.plan_file.hex());
        if let Created::Exists(bytes) = self.store.create(&key, self.run.as_str().to_owned()).await?
            && bytes != self.run.as_str()
        {
            let by = RunId::parse(&String::from_utf8_lossy(&bytes))?;
            return Err(DeployError::PlanUsed { unit: Box::new(unit.unit.id.clone()), by });
        }
        if History::of(self.journal.read_all().await?).claimed.as_ref() != Some(&unit.plan_file) {
            let claimed = Entry::Claimed { plan_file: unit.plan_file.clone(), state: unit.state.clone() };
            self.append(&claimed).await?;
        }
        Ok(())
    }

    /// Writes an entry. When this returns it lasts.
    pub(super) async fn append(&self, entry: &Entry) -> Result<(), StoreError> {
        self.journal.append(entry).await.map(drop)
    }

    /// Keeps every other process away from the unit, of whatever run. The token is cancelled when the lock is
    /// lost, or with `cancel`.
    pub(super) async fn lock(
        &self,
        unit: &UnitDeployment,
        repository: &str,
        cancel: &CancellationToken,
    ) -> Result<Lock, DeployError> {
        let id = unit.unit.id.to_string();
        let key = Key::parse("deployments/locks")?.join(repository).join(&id);
        let this = ProcessGroup::this();
        let owner = serde_json::to_string(&Owner { run: self.run.clone(), process: this })
            .map_err(|source| StoreError::Json { key: key.clone(), source })?;
        let request = Lock::request(&self.store, &key, owner).known_dead(|owner| {
            serde_json::from_str::<Owner>(owner).is_ok_and(|it| it.process.state() == GroupState::Gone)
        });
        let taken = cancel.run_until_cancelled(request.take()).await.ok_or(DeployError::Cancelled)??;
        match taken {
            Taken::Lock(lock) => Ok(lock),
            Taken::Held(held) => {
                let owner = serde_json::from_str::<Owner>(&held.owner)
                    .map_or(held.owner, |it| format!("run {} in process {}", it.run, it.process.pid));
                Err(DeployError::Busy { unit: Box::new(unit.unit.id.clone()), owner })
            }
        }
    }
}

/// What a holder of the lock writes of itself.
#[derive(Serialize, Deserialize)]
struct Owner {
    run: RunId,
    process: ProcessGroup,
}
