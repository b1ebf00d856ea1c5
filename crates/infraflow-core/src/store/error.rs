use std::{io, path::PathBuf};

use super::Key;

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A text is no key.
    #[error(
        "cannot take {text:?} for a key of a store: {why}\n  help: a key is names joined by /, of letters, digits and . _ - + = @"
    )]
    BadKey {
        /// The text given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A folder cannot be used as a store.
    #[error("cannot use the folder {path} as a store: {source}\n  help: give a folder that can be written, or another store", path = .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store has no room left.
    #[error(
        "cannot {operation} {key} in {store}: it is full: {source}\n  help: make room; nothing was half written"
    )]
    Full {
        /// What was attempted.
        operation: &'static str,
        /// On which key.
        key: Key,
        /// In which store.
        store: String,
        /// What the store said.
        source: Box<object_store::Error>,
    },
    /// The store refuses to be written, or cannot be reached with these rights.
    #[error(
        "cannot {operation} {key} in {store}: it does not let us: {source}\n  help: give this process the right to read and write there"
    )]
    Refused {
        /// What was attempted.
        operation: &'static str,
        /// On which key.
        key: Key,
        /// In which store.
        store: String,
        /// What the store said.
        source: Box<object_store::Error>,
    },
    /// The store failed in another way.
    #[error("cannot {operation} {key} in {store}: {source}")]
    Failed {
        /// What was attempted.
        operation: &'static str,
        /// On which key.
        key: Key,
        /// In which store.
        store: String,
        /// What the store said.
        source: Box<object_store::Error>,
    },
    /// A local file that is uploaded or downloaded failed.
    #[error("cannot {operation} {key}: {path}: {source}", path = .path.display())]
    File {
        /// What was attempted.
        operation: &'static str,
        /// The key.
        key: Key,
        /// The local file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing under a key that must be there.
    #[error("cannot find {key} in {store}\n  help: check that this is the store it was written to")]
    Missing {
        /// The key.
        key: Key,
        /// The store.
        store: String,
    },
    /// What stands under a key is not what was written there.
    #[error("cannot trust {key} in {store}: {why}\n  help: it was altered, or written by something else")]
    Corrupt {
        /// The key.
        key: Key,
        /// The store.
        store: String,
        /// What is wrong with it.
        why: String,
    },
    /// A value cannot be written as JSON.
    #[error("cannot write {key}: {source}")]
    Json {
        /// The key.
        key: Key,
        /// What serde said.
        source: serde_json::Error,
    },
    /// Somebody else appended to a journal that has one writer at a time.
    #[error(
        "cannot append entry {sequence} to the journal {key}: another writer did so first\n  help: let one run go on at a time, and read the journal again"
    )]
    Raced {
        /// The journal.
        key: Key,
        /// The entry that was there already.
        sequence: u64,
    },
    /// A lock went to somebody else, after this process was silent for too long.
    #[error(
        "cannot go on under the lock {key}: {owner} took it over after this process was silent for too long\n  help: stop, look what the other did, and start again"
    )]
    LockLost {
        /// The lock.
        key: Key,
        /// Who has it now.
        owner: String,
    },
    /// The store does not do create-only puts, so nothing here would be safe on it.
    #[error(
        "cannot use {store}: it overwrites what a create-only put must not\n  help: use a store with conditional puts (If-None-Match), or turn them on"
    )]
    Overwrites {
        /// The store.
        store: String,
    },
    /// What must outlive the machine was to be kept in a store that may not.
    #[error(
        "cannot keep {what} in {store}: it goes when this machine goes\n  help: use a bucket or a mounted volume, or say that this folder is durable"
    )]
    NotDurable {
        /// What must last.
        what: String,
        /// The store.
        store: String,
    },
}

impl StoreError {
    pub(super) fn of(operation: &'static str, key: &Key, store: &str, source: object_store::Error) -> Self {
        let (key, store) = (key.clone(), store.to_owned());
        let kind = io_kind(&source);
        let source = Box::new(source);
        match kind {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge) => {
                Self::Full { operation, key, store, source }
            }
            Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
                Self::Refused { operation, key, store, source }
            }
            _ if matches!(
                *source,
                object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }
            ) =>
            {
                Self::Refused { operation, key, store, source }
            }
            _ => Self::Failed { operation, key, store, source },
        }
    }
}

/// The kind of the system's error at the bottom of an error, where there is one.
fn io_kind(error: &(dyn std::error::Error + 'static)) -> Option<io::ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}
