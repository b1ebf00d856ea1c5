//! A history as objects of a store.

use futures_util::{StreamExt, TryStreamExt};

use super::{History, RecordedRun, SelectError, TestRuns};
use crate::{
    proof::{Document, Timestamp},
    store::{Key, Store},
};

/// Where the records stand: `tests/runs/<day>/<digest>`, so that what is old need not be read.
const PREFIX: &str = "tests/runs";

/// How many objects are read at once.
const AT_ONCE: usize = 16;

impl History {
    /// Reads a history from a store: the runs that ended at `since` or later.
    ///
    /// An object that is no record is left out, which [`History::warnings`] tells.
    ///
    /// # Errors
    /// [`SelectError::Store`].
    pub async fn read_store(store: &Store, since: Timestamp) -> Result<Self, SelectError> {
        let prefix = Key::parse(PREFIX)?;
        let first = day(since);
        let keys = store.list(&prefix).await?.into_iter().filter(|key| {
            let day = key.below(&prefix).and_then(|rest| rest.split('/').next()).unwrap_or_default();
            day >= first.as_str()
        });
        let reads = keys.map(|key| async move { Ok::<_, SelectError>((store.get(&key).await?, key)) });
        let mut read: Vec<_> = futures_util::stream::iter(reads.collect::<Vec<_>>())
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        read.sort_by(|(_, one), (_, two)| one.cmp(two));
        let (mut runs, mut warnings) = (Vec::new(), Vec::new());
        for (bytes, key) in read {
            let Some(bytes) = bytes else { continue };
            match TestRuns::from_json(&String::from_utf8_lossy(&bytes)) {
                Ok(read) => runs.extend(read.runs.into_iter().filter(|run| run.at >= since)),
                Err(error) => warnings.push(format!("{key} in {store} is no record of runs: {error}")),
            }
        }
        let mut history = Self::of(runs);
        history.warnings = warnings;
        Ok(history)
    }

    /// Adds runs to a store, as one object that is never changed; nothing where there are none. The same runs
    /// added twice are there once.
    ///
    /// # Errors
    /// [`SelectError::Store`].
    pub async fn append_store(store: &Store, runs: &[RecordedRun]) -> Result<(), SelectError> {
        let mut runs = TestRuns { runs: runs.to_vec() };
        runs.runs.sort();
        let Some(newest) = runs.runs.iter().map(|run| run.at).max() else { return Ok(()) };
        let key = Key::parse(PREFIX)?.join(day(newest)).join(runs.digest()?.hex());
        store.create(&key, runs.to_json()?).await?;
        Ok(())
    }
}

/// A moment's day, sorted by text as by time.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
