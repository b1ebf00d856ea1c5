use std::{fs::File, io::Seek as _, path::Path, sync::Arc};

use rand_core::{OsRng, RngCore as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{ItemName, PublishError, error::Result, place};
use crate::{
    proof::{AllowedSigners, Clock, Digest, Principal, ProofError, Signed, Timestamp, hex},
    seal::{KeyId, Manifest, ManifestItem, SealError, Sealer},
    store::{Created, Key, Store, StoreError},
};

/// What is to be opened, by whom, and whose word is trusted.
#[derive(Clone, Debug)]
pub struct OpenRequest<'a> {
    /// Where it was published.
    pub store: &'a Store,
    /// The key of the manifest.
    pub manifest: &'a Key,
    /// Which of its items.
    pub item: ItemName,
    /// Whose signature over the manifest is trusted.
    pub signers: &'a AllowedSigners,
    /// What opens it.
    pub sealer: Arc<dyn Sealer>,
    /// Who opens it, for the record.
    pub by: Principal,
}

/// A manifest whose signature holds, and which stands where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedManifest {
    /// The manifest.
    pub manifest: Manifest,
    /// Who signed it.
    pub signers: Vec<Principal>,
}

/// What was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedItem {
    /// The manifest it belongs to.
    pub manifest: VerifiedManifest,
    /// The digest of the plain bytes that were written.
    pub digest: Digest,
    /// How many there are.
    pub length: u64,
    /// The key it was sealed with; `None` where it stood in clear.
    pub key: Option<KeyId>,
}

/// One entry of the record of openings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Opening {
    /// When.
    pub at: Timestamp,
    /// Who, by their own word.
    pub by: Principal,
    /// What.
    pub item: ItemName,
    /// The digest of the sealed bytes.
    pub sealed: Digest,
}

/// Reads a manifest, and trusts it only where an allowed signer signed it and it stands where it belongs:
/// a manifest that was signed for another unit, plan or run is refused, however good its signature.
///
/// # Errors
/// [`PublishError::NotPublished`], [`PublishError::Untrusted`], [`PublishError::Moved`], or the store's.
pub async fn read_manifest(store: &Store, key: &Key, signers: &AllowedSigners) -> Result<VerifiedManifest> {
    let bytes = store.get(key).await?.ok_or_else(|| PublishError::NotPublished { manifest: key.clone() })?;
    verify(key, &bytes, signers)
}

pub(super) fn verify(key: &Key, bytes: &[u8], signers: &AllowedSigners) -> Result<VerifiedManifest> {
    let untrusted = |source| PublishError::Untrusted { manifest: key.clone(), source };
    let signed: Signed<Manifest> = serde_json::from_slice(bytes)
        .map_err(|source| untrusted(ProofError::Json { what: "the manifest".to_owned(), source }))?;
    let signers = signed.verify(signers).map_err(untrusted)?;
    let manifest = signed.statement;
    let belongs = place::manifest(&manifest.repository, &manifest.unit, &manifest.plan, &manifest.run)?;
    if belongs != *key {
        return Err(PublishError::Moved { manifest: key.clone(), belongs });
    }
    Ok(VerifiedManifest { manifest, signers })
}

/// Opens a published item into the file `to`, which appears when all of it is verified, readable by its
/// owner alone, and not before it is recorded who opened it.
///
/// An item that stands in clear is verified and written as it is, without a record. Lines of the allowed
/// signers that are bounded in time are judged by the present: what a key signed before it expired opens only
/// while its line still holds. A process that is killed on the way may leave a hidden temporary file beside
/// `to`, readable by its owner alone.
///
/// # Errors
/// As [`read_manifest`]; [`PublishError::NoItem`], [`PublishError::Altered`], [`PublishError::Seal`] for a
/// wrong key, [`PublishError::File`], or the store's. Then nothing is written.
pub async fn open_log(request: &OpenRequest<'_>, to: &Path, clock: &dyn Clock) -> Result<OpenedItem> {
    let OpenRequest { store, manifest: key, item, .. } = *request;
    let manifest = read_manifest(store, key, &request.signers.at(clock.now())).await?;
    let entry = find(key, &manifest.manifest, item)?.clone();
    let object = place::item(key, item, &entry.digest)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file_failed = |source| PublishError::File { doing: "write", path: to.to_owned(), source };
    // Both have mode 0600, and are removed on every way out but the last.
    let stored = NamedTempFile::new_in(folder).map_err(file_failed)?;
    let opened = NamedTempFile::new_in(folder).map_err(file_failed)?;
    if entry.key.is_some() {
        store.download(&object, stored.path()).await?;
    } else {
        let missing = || StoreError::Missing { key: object.clone(), store: store.to_string() };
        let bytes = store.get(&object).await?.ok_or_else(missing)?;
        std::fs::write(stored.path(), bytes).map_err(file_failed)?;
    }

    let sealed = entry.digest.clone();
    let work = Work { key: key.clone(), item, entry, sealer: request.sealer.clone(), stored, opened };
    let by = request.by.clone();
    let (work, digest, length) = off_thread(move || work.open()).await?;
    if work.entry.key.is_some() {
        record(store, key, &Opening { at: clock.now(), by, item, sealed }).await?;
    }
    work.opened.persist_noclobber(to).map_err(|error| file_failed(error.error))?;
    Ok(OpenedItem { manifest, digest, length, key: work.entry.key })
}

/// Who opened items of a manifest, in the order of time.
///
/// # Errors
/// The store's, [`StoreError::Corrupt`] for a record that cannot be read among them.
pub async fn openings(store: &Store, manifest: &Key) -> Result<Vec<Opening>> {
    let mut found: Vec<Opening> = Vec::new();
    for key in store.list(&place::openings(manifest)?).await? {
        let Some(bytes) = store.get(&key).await? else { continue };
        found.push(serde_json::from_slice(&bytes).map_err(|error| StoreError::Corrupt {
            key,
            store: store.to_string(),
            why: format!("it is no record of an opening: {error}"),
        })?);
    }
    found.sort();
    Ok(found)
}

/// Each opening has a key of its own, so that none can take another's place.
async fn record(store: &Store, manifest: &Key, opening: &Opening) -> Result<()> {
    let text = serde_json::to_vec(opening)
        .map_err(|source| ProofError::Json { what: "the record of an opening".to_owned(), source })?;
    loop {
        let mut nonce = [0; 16];
        OsRng.try_fill_bytes(&mut nonce).map_err(|error| PublishError::Seal {
            doing: "open",
            item: opening.item,
            of: manifest.to_string(),
            source: SealError::Random { why: error.to_string() },
        })?;
        let name = format!("{}-{}", opening.at.unix(), hex(&nonce));
        if store.create(&place::openings(manifest)?.join(name), text.clone()).await? == Created::New {
            return Ok(());
        }
    }
}

fn find<'a>(key: &Key, manifest: &'a Manifest, item: ItemName) -> Result<&'a ManifestItem> {
    manifest.items.get(item.as_str()).ok_or_else(|| PublishError::NoItem {
        manifest: key.clone(),
        item,
        has: manifest.items.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
    })
}

/// The part of the work that computes.
struct Work {
    key: Key,
    item: ItemName,
    entry: ManifestItem,
    sealer: Arc<dyn Sealer>,
    stored: NamedTempFile,
    opened: NamedTempFile,
}

impl Work {
    /// Checks that the stored bytes are those that were signed, and opens them.
    fn open(mut self) -> Result<(Self, Digest, u64)> {
        let path = self.stored.path().to_owned();
        let failed = |source| PublishError::File { doing: "open", path: path.clone(), source };
        // Reopened by its path: the download put another file there.
        let mut stored = File::open(self.stored.path()).map_err(failed)?;
        let found = Digest::of_reader(&mut stored).map_err(failed)?;
        if found != self.entry.digest {
            let (manifest, signed) = (self.key, self.entry.digest);
            return Err(PublishError::Altered { manifest, item: self.item, signed, found });
        }
        stored.rewind().map_err(failed)?;
        let (digest, length) = if self.entry.key.is_some() {
            let opened = self.sealer.open(&mut stored, self.opened.as_file_mut());
            let opened = opened.map_err(|source| PublishError::Seal {
                doing: "open",
                item: self.item,
                of: self.key.to_string(),
                source,
            })?;
            (opened.digest, opened.length)
        } else {
            (found, std::io::copy(&mut stored, self.opened.as_file_mut()).map_err(failed)?)
        };
        self.opened.as_file().sync_all().map_err(failed)?;
        Ok((self, digest, length))
    }
}

/// Runs what computes or reads files where it holds up nobody who waits.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down.
        Err(_) => Err(PublishError::Cancelled),
    }
}
