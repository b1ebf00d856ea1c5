use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{Created, Key, Store, StoreError, store::nonce};

/// Tells whether an owner, by what it wrote of itself, is known to be dead.
type KnownDead = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// How a lock is asked for.
///
/// A lock is a chain of generations below its key. Each is created once; the newest one holds until its
/// holder ends it, or is silent for too long: then the next generation can be created, by exactly one of
/// those who wait. Silence is measured by the waiting process' own monotonic clock: it looks at the heartbeat
/// and sees it unchanged for that long. No two clocks are compared.
#[derive(Clone)]
#[must_use]
pub struct LockRequest {
    store: Store,
    key: Key,
    owner: String,
    silence: Duration,
    known_dead: KnownDead,
}

/// What came of a request.
#[derive(Debug)]
pub enum Taken {
    /// The lock is ours.
    Lock(Lock),
    /// Somebody has it, and lives.
    Held(Held),
}

/// Who has a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What the holder wrote of itself.
    pub owner: String,
    /// Which generation of the lock it has.
    pub generation: u64,
}

#[derive(Serialize, Deserialize)]
struct Holder {
    owner: String,
    nonce: String,
}

/// What stands in the store of the newest generation.
struct Seen {
    generation: u64,
    owner: String,
    beat: Option<bytes::Bytes>,
    ended: bool,
}

impl LockRequest {
    /// How long a holder may be silent before it is taken for dead; one minute by default. Its heartbeat
    /// comes four times as often, so all who share a lock should agree on this.
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// A test that knows at once that a holder is dead, by what it wrote of itself, so that its silence need
    /// not be waited for: for example that its process is gone from this machine.
    pub fn known_dead(mut self, test: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.known_dead = Arc::new(test);
        self
    }

    /// Takes the lock, or tells who has it. Where a holder gives no sign of life this waits until it has been
    /// silent for long enough, or beats.
    ///
    /// # Errors
    /// As [`Store::create`] and [`Store::list`].
    pub async fn take(self) -> Result<Taken, StoreError> {
        let mut watched: Option<(u64, Option<bytes::Bytes>, Instant)> = None;
        loop {
            let Some(seen) = newest(&self.store, &self.key).await? else {
                match self.create(1).await? {
                    Some(lock) => return Ok(Taken::Lock(lock)),
                    None => continue,
                }
            };
            let silent = match &watched {
                Some((generation, beat, since)) if *generation == seen.generation => {
                    if *beat != seen.beat && !seen.ended {
                        return Ok(Taken::Held(Held { owner: seen.owner, generation: seen.generation }));
                    }
                    since.elapsed() >= self.silence
                }
                _ => {
                    watched = Some((seen.generation, seen.beat.clone(), Instant::now()));
                    false
                }
            };
            if seen.ended || silent || (self.known_dead)(&seen.owner) {
                if let Some(lock) = self.create(seen.generation + 1).await? {
                    return Ok(Taken::Lock(lock));
                }
            } else {
                tokio::time::sleep((self.silence / 16).min(Duration::from_secs(1))).await;
            }
        }
    }

    /// Creates a generation; `None` where somebody else did.
    async fn create(&self, generation: u64) -> Result<Option<Lock>, StoreError> {
        let holder = Holder { owner: self.owner.clone(), nonce: nonce() };
        let key = held(&self.key, generation);
        let text =
            serde_json::to_vec(&holder).map_err(|source| StoreError::Json { key: key.clone(), source })?;
        if let Created::Exists(found) = self.store.create(&key, text.clone()).await?
            && found != text
        {
            return Ok(None);
        }
        // Old generations are cleared away, so a slow process may create one that was there before: it is
        // ours only if it is the newest.
        let keys = self.store.list(&self.key).await?;
        let numbers = || keys.iter().filter_map(|key| generation_of(key, &self.key));
        if numbers().max().is_some_and(|newest| newest > generation) {
            self.store.delete(&key).await?;
            return Ok(None);
        }
        for old in &keys {
            if generation_of(old, &self.key).is_some_and(|number| number + 1 < generation) {
                self.store.delete(old).await?;
            }
        }
        Ok(Some(Lock::begin(self, generation)))
    }
}

/// A lock that is ours, until [`Lock::release`]. A task of its own beats meanwhile; dropping the lock stops
/// the heart, and others take over after the silence.
pub struct Lock {
    store: Store,
    key: Key,
    generation: u64,
    count: Arc<AtomicU64>,
    lost: CancellationToken,
    stop: tokio_util::sync::DropGuard,
    heart: tokio::task::JoinHandle<()>,
}

impl Lock {
    /// Asks for the lock at a key. What `owner` says is shown to those who find it held.
    pub fn request(store: &Store, key: &Key, owner: impl Into<String>) -> LockRequest {
        LockRequest {
            store: store.clone(),
            key: key.clone(),
            owner: owner.into(),
            silence: Duration::from_secs(60),
            known_dead: Arc::new(|_| false),
        }
    }

    /// Which generation this is: a number that only grows, for others to tell an old holder from a new one.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// A token that is cancelled when the lock went to somebody else, because this process could not beat
    /// for too long. Work under the lock stops then.
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Beats once, beyond what the task does, and makes sure that the lock still is ours.
    ///
    /// # Errors
    /// [`StoreError::LockLost`]; otherwise as [`Store::put`].
    pub async fn heartbeat(&self) -> Result<(), StoreError> {
        beat(&self.store, &self.key, self.generation, &self.count).await
    }

    /// Gives the lock back, so that the next one needs not wait.
    ///
    /// # Errors
    /// [`StoreError::LockLost`] where it went to somebody else before; otherwise as [`Store::create`].
    pub async fn release(self) -> Result<(), StoreError> {
        drop(self.stop);
        let _ = self.heart.await;
        still_ours(&self.store, &self.key, self.generation).await?;
        self.store.create(&end(&self.key, self.generation), "{}").await.map(|_| ())
    }

    fn begin(request: &LockRequest, generation: u64) -> Self {
        let (stop, lost, count) = (CancellationToken::new(), CancellationToken::new(), Arc::default());
        let (store, key) = (request.store.clone(), request.key.clone());
        let (pause, silence) = (request.silence / 4, request.silence);
        let task = {
            let (store, key, count) = (store.clone(), key.clone(), Arc::clone(&count));
            let (stop, lost) = (stop.clone(), lost.clone());
            async move {
                let mut last = Instant::now();
                while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                    match beat(&store, &key, generation, &count).await {
                        Ok(()) => last = Instant::now(),
                        Err(StoreError::LockLost { .. }) => return lost.cancel(),
                        // The store may be away for a moment. Unheard for as long as others wait, we must
                        // take the lock for lost.
                        Err(_) if last.elapsed() >= silence => return lost.cancel(),
                        Err(_) => {}
                    }
                }
            }
        };
        let heart = tokio::spawn(task);
        Self { store, key, generation, count, lost, stop: stop.drop_guard(), heart }
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lock({}, generation {})", self.key, self.generation)
    }
}

impl fmt::Debug for LockRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LockRequest({}, {:?}, silence {:?})", self.key, self.owner, self.silence)
    }
}

async fn beat(store: &Store, key: &Key, generation: u64, count: &AtomicU64) -> Result<(), StoreError> {
    still_ours(store, key, generation).await?;
    let count = count.fetch_add(1, Ordering::Relaxed) + 1;
    store.put(&numbered(key, generation, "beat"), count.to_string()).await
}

async fn still_ours(store: &Store, key: &Key, generation: u64) -> Result<(), StoreError> {
    match newest(store, key).await? {
        Some(seen) if seen.generation > generation => {
            Err(StoreError::LockLost { key: key.clone(), owner: seen.owner })
        }
        _ => Ok(()),
    }
}

async fn newest(store: &Store, key: &Key) -> Result<Option<Seen>, StoreError> {
    loop {
        let keys = store.list(key).await?;
        let held_ones = keys.iter().filter(|found| found.name().ends_with(".held"));
        let Some(generation) = held_ones.filter_map(|found| generation_of(found, key)).max() else {
            return Ok(None);
        };
        // Cleared away since it was listed: look again.
        let Some(bytes) = store.get(&held(key, generation)).await? else { continue };
        let holder: Holder = serde_json::from_slice(&bytes).map_err(|error| StoreError::Corrupt {
            key: held(key, generation),
            store: store.to_string(),
            why: error.to_string(),
        })?;
        let beat = store.get(&numbered(key, generation, "beat")).await?;
        let ended = keys.contains(&end(key, generation));
        return Ok(Some(Seen { generation, owner: holder.owner, beat, ended }));
    }
}

fn held(key: &Key, generation: u64) -> Key {
    numbered(key, generation, "held")
}

fn end(key: &Key, generation: u64) -> Key {
    numbered(key, generation, "end")
}

fn numbered(key: &Key, generation: u64, what: &str) -> Key {
    key.join(format!("{generation:012}.{what}"))
}

/// The generation that an object belongs to.
fn generation_of(found: &Key, key: &Key) -> Option<u64> {
    found.below(key)?.split_once('.')?.0.parse().ok()
}
