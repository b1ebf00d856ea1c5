//! Encrypt and open logs, sign and verify their manifests.
//!
//! A dry run's whole log belongs to the people who may read the environment, and to nobody else. A
//! [`Sealer`] encrypts it; [`SharedKeySealer`] does so with one [`SealingKey`] per environment. Whoever
//! holds that key could have sealed anything, so encryption alone names no sender: a [`Manifest`], signed
//! with an SSH key, binds what was sealed to the repository, unit, commit and plan it belongs to.
//!
//! ```
//! use infraflow_core::seal::{Sealer, SealingKey, SharedKeySealer};
//! let sealer = SharedKeySealer::new(SealingKey::generate()?);
//! let sealer: &dyn Sealer = &sealer;
//! let sealed = sealer.seal_bytes(b"the whole log")?;
//! assert_eq!(sealer.open_bytes(&sealed)?, b"the whole log");
//! # Ok::<(), infraflow_core::seal::SealError>(())
//! ```
//!
//! # Format
//! | bytes | what |
//! |---|---|
//! | 16 | `infraflow sealed` |
//! | 1 | version, 1 |
//! | 8 | id of the key ([`KeyId`]) |
//! | 32 | salt |
//! | 19 | nonce |
//! | 65,536 + 16 each, the last one shorter | chunks |
//!
//! The payload key is HKDF-SHA-256 of the sealing key under the salt. Each chunk is sealed with
//! XChaCha20-Poly1305, the header as associated data, its nonce the 19 bytes, the chunk's number
//! (four bytes, big-endian) and one byte that is 1 for the last chunk: the STREAM construction
//! (Hoang, Reyhanitabar, Rogaway, Vizár, 2015), as `aead::stream::StreamBE32` has it. So chunks cannot be
//! altered, swapped, dropped or added, and each is sealed on its own, in parallel. The last 32 bytes of
//! the plain text are the SHA-256 of what stands before them.
//!
//! # Limitations
//! - Opening writes each run of chunks when it is verified, before the end is: see the contract of
//!   [`Sealer`]. `open_file` and `open_bytes` give nothing out before everything is verified.
//! - The length of what was sealed shows.
//! - A shared key has no recipients: whoever leaves takes it along, and what was sealed until the key is
//!   changed stays readable to them.

mod error;
mod header;
mod key;
mod manifest;
mod sealer;
mod shared_key;
mod stream;

pub use error::SealError;
pub use key::{KeyId, SealingKey};
pub use manifest::{Manifest, ManifestItem};
pub use sealer::{Opened, Sealed, Sealer};
pub use shared_key::SharedKeySealer;
