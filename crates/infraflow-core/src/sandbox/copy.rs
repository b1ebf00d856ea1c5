use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use super::{Mark, SandboxError, ledger::Entry, state::RawState};

/// How often the state is looked at while the tool works. What happened since the last copy is lost with the
/// machine, and then found by the sweep alone.
const PAUSE: Duration = Duration::from_millis(250);

/// Copies a state that the tool writes on this machine to the store, whenever it changed.
#[derive(Debug)]
pub(super) struct StateCopy {
    entry: Entry,
    path: PathBuf,
    mark: Mark,
    copied: Mutex<Option<(SystemTime, u64)>>,
}

impl StateCopy {
    pub(super) fn new(entry: Entry, path: PathBuf, mark: Mark) -> Self {
        Self { entry, path, mark, copied: Mutex::default() }
    }

    /// Copies the state while `work` goes on.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(PAUSE) => {
                    // The copy after the step reports what does not work.
                    let _ = self.copy().await;
                }
            }
        }
    }

    /// Copies the state, if it changed since it was last copied. A state that is just being written is left for
    /// the next time.
    pub(super) async fn copy(&self) -> Result<(), SandboxError> {
        let Ok(found) = fs::metadata(&self.path) else { return Ok(()) };
        let version = (found.modified().unwrap_or(SystemTime::UNIX_EPOCH), found.len());
        if *self.copied.lock().unwrap_or_else(PoisonError::into_inner) == Some(version) {
            return Ok(());
        }
        if let Some((bytes, _)) = self.read().await? {
            self.entry.keep_state(bytes).await?;
            *self.copied.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
        }
        Ok(())
    }

    /// The state as it stands here; the empty one where there is none.
    pub(super) async fn now(&self) -> Result<RawState, SandboxError> {
        Ok(self.read().await?.map(|(_, state)| state).unwrap_or_default())
    }

    async fn read(&self) -> Result<Option<(Vec<u8>, RawState)>, SandboxError> {
        let (path, mark) = (self.path.clone(), self.mark.clone());
        let read = tokio::task::spawn_blocking(move || RawState::read(&path, mark.as_str()));
        let read = read.await.map_err(|error| SandboxError::stopped("read the state", error))?;
        read.map_err(|source| SandboxError::io("read the state", &self.path, source))
    }
}
