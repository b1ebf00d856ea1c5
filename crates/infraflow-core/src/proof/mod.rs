//! What makes an answer provable: digests over canonical JSON, reasons that lead back to a byte in a
//! file, documents that travel between processes, and statements signed with SSH keys.
//!
//! Everything that infraflow decides is plain data. A [`Document`] is such data with a kind, a schema
//! version and a [`Digest`]; a [`Reason`] says why each part of it is there; a [`Signed`] statement is
//! what a person or a pipeline vouches for.

mod canonical;
mod digest;
mod document;
mod error;
mod path;
mod place;
mod reason;
mod run;
mod signers;
mod ssh;
mod time;

pub(crate) use canonical::MAX_EXACT;
pub use canonical::{canonical_foreign, canonical_json};
pub use digest::{Digest, Digester, Hmac};
pub use document::Document;
pub use error::ProofError;
pub use path::RepoPath;
pub use place::{Lines, Place};
pub use reason::{Link, Reason};
pub use run::RunId;
pub use signers::AllowedSigners;
pub use ssh::{Principal, Signed, SigningKey, Statement, VerifyingKey};
pub use time::{Clock, FixedClock, SystemClock, Timestamp};

pub(crate) use digest::hex;
pub(crate) use place::quote;
