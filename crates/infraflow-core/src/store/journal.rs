use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use super::{Created, Key, Store, StoreError, store::nonce};

/// Numbered entries below a key, each written once and never changed.
///
/// A journal has one writer at a time (hold a [`Lock`](super::Lock)); a second one is noticed, because each
/// number can be created once. Clones of one handle are one writer.
#[derive(Clone, Debug)]
pub struct Journal {
    store: Store,
    key: Key,
    writer: Arc<str>,
    next: Arc<Mutex<Option<u64>>>,
}

/// As it stands in the store. The writer tells an entry of ours, whose answer got lost, from another's.
#[derive(Serialize, Deserialize)]
struct Entry<T> {
    sequence: u64,
    writer: String,
    entry: T,
}

impl Journal {
    /// The journal below a key, new or not. Nothing is read or written yet.
    pub fn open(store: Store, key: Key) -> Self {
        Self { store, key, writer: nonce().into(), next: Arc::default() }
    }

    /// Where it stands.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Appends an entry and returns its number, from 1. When this returns, the entry is as durable as the
    /// store.
    ///
    /// # Errors
    /// [`StoreError::Raced`] where somebody else appended since this journal was opened; otherwise as
    /// [`Store::create`]. After an error the same entry may be appended again.
    pub async fn append(&self, entry: &(impl Serialize + Sync)) -> Result<u64, StoreError> {
        let mut next = self.next.lock().await;
        let sequence = match *next {
            Some(sequence) => sequence,
            None => self.entries().await?.last().map_or(1, |(last, _)| last + 1),
        };
        let key = self.entry(sequence);
        let line = Entry { sequence, writer: self.writer.to_string(), entry };
        let text =
            serde_json::to_vec(&line).map_err(|source| StoreError::Json { key: key.clone(), source })?;
        // From here on the number is ours, or taken: a list that lags must not be asked again.
        *next = Some(sequence);
        match self.store.create(&key, text.clone()).await? {
            Created::New => {}
            Created::Exists(found) if found == text => {}
            Created::Exists(_) => return Err(StoreError::Raced { key: self.key.clone(), sequence }),
        }
        *next = Some(sequence + 1);
        Ok(sequence)
    }

    /// All entries, in order.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where an entry is missing between others, or is not of this type; otherwise as
    /// [`Store::get`].
    pub async fn read_all<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        for (sequence, key) in self.entries().await? {
            let corrupt = |why| StoreError::Corrupt { key: key.clone(), store: self.store.to_string(), why };
            if sequence != all.len() as u64 + 1 {
                return Err(corrupt(format!("entry {} is missing before it", all.len() + 1)));
            }
            let bytes = self.store.get(&key).await?.ok_or_else(|| corrupt("it disappeared".into()))?;
            let line: Entry<Box<RawValue>> =
                serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
            all.push(serde_json::from_str(line.entry.get()).map_err(|error| corrupt(error.to_string()))?);
        }
        Ok(all)
    }

    async fn entries(&self) -> Result<Vec<(u64, Key)>, StoreError> {
        let keys = self.store.list(&self.key).await?;
        let mut entries: Vec<_> = keys
            .into_iter()
            .filter_map(|key| {
                let sequence = key.below(&self.key)?.strip_suffix(".json")?.parse().ok()?;
                Some((sequence, key))
            })
            .collect();
        entries.sort();
        Ok(entries)
    }

    fn entry(&self, sequence: u64) -> Key {
        self.key.join(format!("{sequence:012}.json"))
    }
}
