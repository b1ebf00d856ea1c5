use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    proof::RunId,
    store::{Journal, Key, Lock, Store, StoreError},
};

use super::{CaseReport, Left, Mark, Opened, Record, SandboxError, record::Line};

/// What is, or may be, in the sandboxes: written to a store before anything is made, and closed when it is
/// gone.
///
/// Below the key `sandbox`: `open/MARK` names each deployment that is not closed; `runs/RUN/MARK/journal` has its
/// lines, `…/state` the newest copy of its state and `…/files` its configuration, both deleted when it is closed;
/// `runs/RUN/lock` is held by whoever works on the run.
#[derive(Clone, Debug)]
pub struct Ledger {
    store: Store,
    root: Key,
}

/// A deployment that is not closed: it runs, or somebody left it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InFlight {
    /// The run.
    pub run: RunId,
    /// What everything it makes carries.
    pub mark: Mark,
}

impl Ledger {
    /// The ledger in a store.
    pub fn new(store: Store) -> Self {
        // The text is a constant, and a test parses it.
        #[allow(clippy::expect_used)]
        Self { store, root: Key::parse("sandbox").expect("a constant key") }
    }

    /// The store it stands in.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Deployments that are not closed, sorted. Empty means that nothing is left anywhere.
    ///
    /// # Errors
    /// [`SandboxError::Store`].
    pub async fn in_flight(&self) -> Result<Vec<InFlight>, SandboxError> {
        let mut open = Vec::new();
        for key in self.store.list(&self.root.join("open")).await? {
            // Closed since it was listed.
            let Some(bytes) = self.store.get(&key).await? else { continue };
            let one: InFlight = serde_json::from_slice(&bytes).map_err(|error| StoreError::Corrupt {
                key: key.clone(),
                store: self.store.to_string(),
                why: error.to_string(),
            })?;
            open.push(one);
        }
        open.sort();
        Ok(open)
    }

    /// What the ledger knows of a deployment; `None` where it knows nothing.
    ///
    /// # Errors
    /// [`SandboxError::Store`], and [`SandboxError::Ledger`] where its lines make no sense.
    pub async fn record(&self, run: &RunId, mark: &Mark) -> Result<Option<Record>, SandboxError> {
        Record::of(mark, self.entry(run, mark).journal.read_all().await?)
    }

    /// Closes a deployment by somebody's word, for one whose remains were dealt with by hand.
    ///
    /// # Errors
    /// [`SandboxError::RunBusy`] where its run is being worked on; [`SandboxError::Store`].
    pub async fn close_by_hand(&self, run: &RunId, mark: &Mark, word: &str) -> Result<(), SandboxError> {
        let lock =
            match self.lock(run, &format!("by hand: {word}"), std::time::Duration::from_secs(60)).await? {
                Ok(lock) => lock,
                Err(owner) => return Err(SandboxError::RunBusy { run: run.clone(), owner }),
            };
        let closed =
            self.entry(run, mark).close(Left::Unproven(format!("closed by hand: {word}")), None).await;
        lock.release().await?;
        closed
    }

    /// Takes the lock of a run, or tells who has it. A process of this machine that is gone is known to be dead
    /// at once; any other one after its silence.
    pub(super) async fn lock(
        &self,
        run: &RunId,
        owner: &str,
        silence: std::time::Duration,
    ) -> Result<Result<Lock, String>, SandboxError> {
        let key = self.run(run).join("lock");
        let request = Lock::request(&self.store, &key, owner).silence(silence).known_dead(owner_is_gone);
        Ok(match request.take().await? {
            crate::store::Taken::Lock(lock) => Ok(lock),
            crate::store::Taken::Held(held) => Err(said(&held.owner)),
        })
    }

    pub(super) fn entry(&self, run: &RunId, mark: &Mark) -> Entry {
        let key = self.run(run).join(mark.as_str());
        Entry {
            store: self.store.clone(),
            journal: Journal::open(self.store.clone(), key.join("journal")),
            index: self.root.join("open").join(mark.as_str()),
            state: key.join("state"),
            files: key.join("files"),
            in_flight: InFlight { run: run.clone(), mark: mark.clone() },
        }
    }

    fn run(&self, run: &RunId) -> Key {
        self.root.join("runs").join(run.as_str())
    }
}

/// Who holds the lock of a run, as its process says of itself.
pub(super) fn owner() -> String {
    serde_json::to_string(&crate::process::ProcessGroup::this()).unwrap_or_default()
}

/// What a holder wrote of itself, for people.
pub(super) fn said(owner: &str) -> String {
    match serde_json::from_str::<crate::process::ProcessGroup>(owner) {
        Ok(process) if process.state() == crate::process::GroupState::Elsewhere => {
            format!("process {} of another machine", process.pid)
        }
        Ok(process) => format!("process {}", process.pid),
        Err(_) => owner.to_owned(),
    }
}

fn owner_is_gone(owner: &str) -> bool {
    serde_json::from_str::<crate::process::ProcessGroup>(owner)
        .is_ok_and(|process| process.state() == crate::process::GroupState::Gone)
}

/// One deployment's part of the ledger.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    store: Store,
    pub(super) journal: Journal,
    index: Key,
    state: Key,
    files: Key,
    in_flight: InFlight,
}

impl Entry {
    /// Opens it: from now on whoever reaps looks at it.
    pub(super) async fn open(&self, opened: Opened) -> Result<(), SandboxError> {
        let index = serde_json::to_vec(&self.in_flight)
            .map_err(|source| StoreError::Json { key: self.index.clone(), source })?;
        self.store.put(&self.index, index).await?;
        // A closed attempt may have died before it took these away: they are not this one's.
        self.store.delete(&self.state).await?;
        self.store.delete(&self.files).await?;
        self.write(&Line::Opened(opened)).await
    }

    /// Whether it is among those that are not closed.
    pub(super) async fn is_open(&self) -> Result<bool, SandboxError> {
        Ok(self.store.get(&self.index).await?.is_some())
    }

    pub(super) async fn write(&self, line: &Line) -> Result<(), SandboxError> {
        self.journal.append(line).await?;
        Ok(())
    }

    /// Closes it. Its state and configuration are not needed any more, and may hold secrets.
    pub(super) async fn close(&self, left: Left, report: Option<CaseReport>) -> Result<(), SandboxError> {
        self.write(&Line::Closed { left, report: report.map(Box::new) }).await?;
        self.forget().await
    }

    /// Takes it out of the list of what is open.
    pub(super) async fn forget(&self) -> Result<(), SandboxError> {
        self.store.delete(&self.state).await?;
        self.store.delete(&self.files).await?;
        self.store.delete(&self.index).await?;
        Ok(())
    }

    pub(super) async fn state(&self) -> Result<Option<Bytes>, SandboxError> {
        Ok(self.store.get(&self.state).await?)
    }

    pub(super) async fn keep_state(&self, state: Vec<u8>) -> Result<(), SandboxError> {
        Ok(self.store.put(&self.state, state).await?)
    }

    pub(super) async fn files(&self) -> Result<Option<Bytes>, SandboxError> {
        Ok(self.store.get(&self.files).await?)
    }

    pub(super) async fn keep_files(&self, files: Vec<u8>) -> Result<(), SandboxError> {
        self.store.put(&self.files, files).await?;
        self.write(&Line::Kept).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_empty_store_has_nothing_in_flight() {
        let ledger = Ledger::new(Store::memory());
        assert_eq!(ledger.in_flight().await.unwrap(), []);
    }
}
