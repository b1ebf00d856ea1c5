use std::{fmt, fs, io, os::unix::fs::DirBuilderExt, path::Path, sync::Arc};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutOptions, local::LocalFileSystem, memory::InMemory,
};
use rand_core::{OsRng, RngCore};

use super::{Key, StoreError};
use crate::proof::Hmac;

/// Whether a store outlives the machine that writes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It does: a bucket, a mounted volume, a folder of a machine that stays.
    Durable,
    /// It may not: memory, a folder of a CI runner.
    DiesWithMachine,
}

/// What a create-only put found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// Nothing; the object is new.
    New,
    /// An object, with this content; it was left as it was.
    Exists(Bytes),
}

/// Objects under keys, on whatever [`object_store`] reaches. Cheap to clone.
///
/// Methods are to be awaited in a tokio runtime.
#[derive(Clone)]
pub struct Store {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) name: Arc<str>,
    durability: Durability,
}

/// Where the key of [`Store::hmac`] stands.
const HMAC_KEY: &str = "infraflow/hmac-key";

impl Store {
    /// A folder, made with mode 0700 where it is missing. Puts are synced to disk.
    ///
    /// It is taken for durable, except where the variable `CI` is set (to anything but `false`): there a
    /// folder usually goes with its runner, and [`Store::declared_durable`] is the explicit word that this
    /// one does not.
    ///
    /// # Errors
    /// [`StoreError::Folder`] where it cannot be made or is no folder.
    pub fn folder(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Folder { path: path.to_owned(), source };
        let missing: Vec<_> = path.ancestors().take_while(|folder| !folder.exists()).collect();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        for new in missing {
            let parent = new.parent().filter(|parent| !parent.as_os_str().is_empty());
            fs::File::open(parent.unwrap_or(Path::new("."))).and_then(|it| it.sync_all()).map_err(failed)?;
        }
        let objects = LocalFileSystem::new_with_prefix(path)
            .map_err(|error| failed(io::Error::other(error)))?
            .with_fsync(true);
        let ci = std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false");
        Ok(Self {
            objects: Arc::new(objects),
            name: format!("the folder {}", path.display()).into(),
            durability: if ci { Durability::DiesWithMachine } else { Durability::Durable },
        })
    }

    /// Memory, gone with this process.
    pub fn memory() -> Self {
        Self::over(Arc::new(InMemory::new()), Durability::DiesWithMachine)
    }

    /// Any object store. [`Store::check`] tells whether it does what is needed.
    pub fn over(objects: Arc<dyn ObjectStore>, durability: Durability) -> Self {
        Self { name: objects.to_string().into(), objects, durability }
    }

    /// The same store, with somebody's word that it outlives this machine.
    #[must_use]
    pub fn declared_durable(mut self) -> Self {
        self.durability = Durability::Durable;
        self
    }

    /// Whether it outlives this machine.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Refuses a store that may go with the machine, for something that must not.
    ///
    /// # Errors
    /// [`StoreError::NotDurable`].
    pub fn require_durable(&self, what: &str) -> Result<(), StoreError> {
        match self.durability {
            Durability::Durable => Ok(()),
            Durability::DiesWithMachine => {
                Err(StoreError::NotDurable { what: what.to_owned(), store: self.name.to_string() })
            }
        }
    }

    /// What stands under a key; `None` where nothing does.
    ///
    /// # Errors
    /// [`StoreError::Refused`] or [`StoreError::Failed`].
    pub async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        let read = async { self.objects.get(&location(key)).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.error("read", key, source)),
        }
    }

    /// Puts an object, whatever stood there. Readers see the old one or the new one, never a part.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Refused`] or [`StoreError::Failed`]; the old object then stands.
    pub async fn put(&self, key: &Key, bytes: impl Into<Bytes>) -> Result<(), StoreError> {
        let payload = bytes.into().into();
        let put = self.objects.put(&location(key), payload).await;
        put.map(|_| ()).map_err(|source| self.error("write", key, source))
    }

    /// Puts an object where none stands. Of several that do so at once, exactly one gets
    /// [`Created::New`].
    ///
    /// # Errors
    /// As [`Store::put`]. After an error the object may exist all the same (an answer can get lost): who
    /// tries again compares what it finds with what it wrote.
    pub async fn create(&self, key: &Key, bytes: impl Into<Bytes>) -> Result<Created, StoreError> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let bytes = bytes.into();
        loop {
            match self.objects.put_opts(&location(key), bytes.clone().into(), options.clone()).await {
                Ok(_) => return Ok(Created::New),
                Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                    // Deleted between our put and our read: then it can be created after all.
                    if let Some(found) = self.get(key).await? {
                        return Ok(Created::Exists(found));
                    }
                }
                Err(source) => return Err(self.error("create", key, source)),
            }
        }
    }

    /// The keys below a prefix, sorted. Objects whose names are no keys are somebody else's, and left out.
    ///
    /// # Errors
    /// [`StoreError::Refused`] or [`StoreError::Failed`].
    pub async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let found = self.objects.list(Some(&location(prefix)));
        let mut keys: Vec<Key> = found
            .try_filter_map(|object| async move { Ok(Key::parse(object.location.as_ref()).ok()) })
            .try_collect()
            .await
            .map_err(|source| self.error("list", prefix, source))?;
        keys.retain(|key| key.below(prefix).is_some());
        keys.sort();
        Ok(keys)
    }

    /// Deletes an object; nothing happens where there is none.
    ///
    /// # Errors
    /// [`StoreError::Refused`] or [`StoreError::Failed`].
    pub async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        match self.objects.delete(&location(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(self.error("delete", key, source)),
        }
    }

    /// Proves, by trying, that this store can be written and read and that its create-only puts hold: some
    /// S3-compatible servers ignore the condition and overwrite.
    ///
    /// # Errors
    /// [`StoreError::Overwrites`], or what the try itself met.
    pub async fn check(&self) -> Result<(), StoreError> {
        let key = Key::parse("infraflow/check")?.join(nonce());
        self.create(&key, "first").await?;
        let second = self.create(&key, "second").await;
        self.delete(&key).await?;
        match second? {
            Created::Exists(bytes) if bytes == "first" => Ok(()),
            _ => Err(StoreError::Overwrites { store: self.name.to_string() }),
        }
    }

    /// Gives this store its key for [`Store::hmac`], where it has none yet: the same key as that of another
    /// store makes what was computed under both comparable. It is a secret, of 32 bytes or more.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn set_hmac_key(&self, key: &[u8]) -> Result<Created, StoreError> {
        self.create(&Key::parse(HMAC_KEY)?, Bytes::copy_from_slice(key)).await
    }

    /// The keyed digest of this store: its key is random, made at the first call, and stays. Sensitive
    /// values enter digests through it, since a bare digest of a weak secret could be searched for.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn hmac(&self) -> Result<Hmac, StoreError> {
        let key = Key::parse(HMAC_KEY)?;
        let mut fresh = [0; 32];
        OsRng.fill_bytes(&mut fresh);
        match self.get(&key).await? {
            Some(bytes) => Ok(Hmac::new(&bytes)),
            None => match self.create(&key, Bytes::copy_from_slice(&fresh)).await? {
                Created::New => Ok(Hmac::new(&fresh)),
                Created::Exists(bytes) => Ok(Hmac::new(&bytes)),
            },
        }
    }

    pub(super) fn error(
        &self,
        operation: &'static str,
        key: &Key,
        source: object_store::Error,
    ) -> StoreError {
        StoreError::of(operation, key, &self.name, source)
    }
}

pub(super) fn location(key: &Key) -> object_store::path::Path {
    object_store::path::Path::from(key.as_str())
}

/// A name that nobody else has.
pub(super) fn nonce() -> String {
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({}, {:?})", self.name, self.durability)
    }
}
