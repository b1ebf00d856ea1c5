//! Ledgers, journals, locks and sealed logs over an object store.
//!
//! A [`Store`] is a thin layer over [`object_store`], with which the same code runs on a folder, on S3, on
//! GCS and on Azure. Its one primitive for locking and single use is the create-only put
//! ([`Store::create`]): of several that create the same key, one is told [`Created::New`] and all others
//! what stands there. On it stand:
//! - [`Journal`]: entries that are numbered and never changed, where a second writer is noticed;
//! - [`Lock`]: one holder at a time, with a heartbeat, taken over after silence;
//! - [`Store::upload`]: large files under a unique key, made visible by a create-only manifest.
//!
//! **What lasts.** A put to a folder is synced to disk before it returns. Whether the folder outlives the
//! machine is another question ([`Durability`]): steps whose records must, ask with
//! [`Store::require_durable`]. Deleting is not synced: after a power cut a deleted object may be there
//! again, which nothing here relies upon.
//!
//! **What it may hold.** Terraform state in clear, for one, so a folder is made with mode 0700, and a
//! bucket should be readable by the pipeline alone.
//!
//! ```
//! use infraflow_core::store::{Created, Key, Store};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let store = Store::memory();
//! let key = Key::parse("approvals/used")?.join("sha256:9f3c");
//! assert_eq!(store.create(&key, "run 1").await?, Created::New);
//! assert_eq!(store.create(&key, "run 2").await?, Created::Exists("run 1".into()));
//! # Ok::<(), infraflow_core::store::StoreError>(())
//! # }).unwrap();
//! ```

mod error;
mod journal;
mod key;
mod large;
mod lock;
#[allow(clippy::module_inception)] // the folder's main word
mod store;

pub use error::StoreError;
pub use journal::Journal;
pub use key::Key;
pub use lock::{Held, Lock, LockRequest, Taken};
pub use store::{Created, Durability, Store};
