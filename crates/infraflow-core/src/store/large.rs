use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{ObjectStoreExt, WriteMultipart};
use serde::{Deserialize, Serialize};

use super::{
    Created, Key, Store, StoreError,
    store::{location, nonce},
};
use crate::proof::{Digest, Digester};

/// S3 wants parts of 5 MiB at least.
const PART: usize = 8 << 20;
const PARTS_AT_ONCE: usize = 4;

/// What makes an uploaded file visible: it stands under the file's key, the bytes stand elsewhere.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    object: Key,
    length: u64,
    digest: Digest,
}

impl Store {
    /// Uploads a file in parts under a key of its own, and makes it visible under `key` by a create-only
    /// manifest. An upload that dies leaves nothing visible. Uploading the same bytes again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::File`] where the file cannot be read; [`StoreError::Corrupt`] where another file stands
    /// under the key already; otherwise as [`Store::put`].
    pub async fn upload(&self, key: &Key, file: &Path) -> Result<Created, StoreError> {
        let object = key.with_suffix(".parts").join(nonce());
        let (length, digest) = self.upload_parts(&object, file).await?;
        let manifest = Manifest { object: object.clone(), length, digest };
        let text =
            serde_json::to_vec(&manifest).map_err(|source| StoreError::Json { key: key.clone(), source })?;
        let created = self.create(key, text).await?;
        if let Created::Exists(bytes) = &created {
            self.delete(&object).await?;
            let found = self.manifest(key, bytes)?;
            if found.digest != manifest.digest {
                let why = format!("it holds {} already, not {}", found.digest, manifest.digest);
                return Err(StoreError::Corrupt { key: key.clone(), store: self.to_string(), why });
            }
        }
        Ok(created)
    }

    /// Downloads what [`Store::upload`] put under a key. The file appears whole and verified, or not at all.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Corrupt`] where the bytes are not those that were uploaded;
    /// [`StoreError::File`] where the file cannot be written; otherwise as [`Store::get`].
    pub async fn download(&self, key: &Key, file: &Path) -> Result<(), StoreError> {
        let missing = || StoreError::Missing { key: key.clone(), store: self.to_string() };
        let bytes = self.get(key).await?.ok_or_else(missing)?;
        let manifest = self.manifest(key, &bytes)?;
        let io =
            |source| StoreError::File { operation: "download", key: key.clone(), path: file.into(), source };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut partial = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
        let failed = |source| self.error("read", &manifest.object, source);
        let mut chunks = match self.objects.get(&location(&manifest.object)).await {
            Err(object_store::Error::NotFound { .. }) => return Err(missing()),
            found => found.map_err(failed)?.into_stream(),
        };
        let (mut digester, mut length) = (Digester::default(), 0);
        while let Some(chunk) = chunks.try_next().await.map_err(failed)? {
            digester.update(&chunk);
            length += chunk.len() as u64;
            partial.write_all(&chunk).map_err(io)?;
        }
        let digest = digester.finish();
        if (length, &digest) != (manifest.length, &manifest.digest) {
            let why = format!(
                "{length} bytes, {digest}, were read; {} bytes, {}, were written",
                manifest.length, manifest.digest
            );
            return Err(StoreError::Corrupt { key: key.clone(), store: self.to_string(), why });
        }
        partial.as_file().sync_all().map_err(io)?;
        partial.persist(file).map_err(|error| io(error.error))?;
        Ok(())
    }

    fn manifest(&self, key: &Key, bytes: &[u8]) -> Result<Manifest, StoreError> {
        serde_json::from_slice(bytes).map_err(|error| StoreError::Corrupt {
            key: key.clone(),
            store: self.to_string(),
            why: format!("it is no manifest of an uploaded file: {error}"),
        })
    }

    async fn upload_parts(&self, object: &Key, file: &Path) -> Result<(u64, Digest), StoreError> {
        let failed = |source| self.error("upload", object, source);
        let io =
            |source| StoreError::File { operation: "upload", key: object.clone(), path: file.into(), source };
        let mut reading = Reading::open(file.to_owned()).await.map_err(io)?;
        let upload = self.objects.put_multipart(&location(object)).await.map_err(failed)?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
        let sent = loop {
            let part;
            (reading, part) = match reading.next().await {
                Ok(read) => read,
                Err(source) => break Err(io(source)),
            };
            if let Err(source) = writer.wait_for_capacity(PARTS_AT_ONCE).await {
                break Err(failed(source));
            }
            if part.is_empty() {
                break Ok((reading.length, reading.digester.finish()));
            }
            writer.put(part);
        };
        match sent {
            Ok(done) => writer.finish().await.map(|_| done).map_err(failed),
            Err(error) => {
                // The first error is the one to report; what is left is invisible.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }
}

/// A file that is read in parts, on threads that may block.
struct Reading {
    file: fs::File,
    digester: Digester,
    length: u64,
}

impl Reading {
    async fn open(path: PathBuf) -> io::Result<Self> {
        let open = move || Ok(Self { file: fs::File::open(path)?, digester: Digester::default(), length: 0 });
        tokio::task::spawn_blocking(open).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// The next part; empty at the end.
    async fn next(mut self) -> io::Result<(Self, Bytes)> {
        let read = move || {
            let mut part = Vec::with_capacity(PART);
            Read::by_ref(&mut self.file).take(PART as u64).read_to_end(&mut part)?;
            self.digester.update(&part);
            self.length += part.len() as u64;
            Ok((self, part.into()))
        };
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}
