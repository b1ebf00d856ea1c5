use std::{io, path::PathBuf};

use super::KeyId;

/// What can go wrong while something is sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// A text is no sealing key.
    #[error(
        "cannot take this for a sealing key: {why}\n  help: a sealing key is 32 random bytes in base64, for example from `openssl rand -base64 32`"
    )]
    NotAKey {
        /// What is wrong with it; never the text itself.
        why: &'static str,
    },
    /// A key file could not be read or written, or others can read it.
    #[error("cannot use the sealing key file {path}: {why}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// The operating system gave no random numbers.
    #[error("cannot make a key: the operating system gives no random numbers: {why}")]
    Random {
        /// Its message.
        why: String,
    },
    /// What should be opened is nothing that was sealed here.
    #[error(
        "cannot open this: it does not begin as sealed data does\n  help: pass the sealed file as it was downloaded, byte for byte"
    )]
    NotSealed,
    /// Sealed by a newer version of the format.
    #[error(
        "cannot open this: it is sealed in version {found} of the format, this build knows version 1\n  help: use the infraflow version that sealed it, or a newer one"
    )]
    UnknownVersion {
        /// The version found.
        found: u8,
    },
    /// Sealed with another key.
    #[error(
        "cannot open this: it was sealed with key {sealed_with}, not with {tried}\n  help: use the sealing key of the environment that it belongs to"
    )]
    WrongKey {
        /// The key it was sealed with.
        sealed_with: KeyId,
        /// The keys at hand, joined by commas; `no key` where there is none.
        tried: String,
    },
    /// The end is missing.
    #[error(
        "cannot open this: it was cut short after {length} bytes\n  help: download it again; nothing of what was opened can be trusted to be all"
    )]
    CutShort {
        /// How many bytes are there.
        length: u64,
    },
    /// Something in it is not as it was sealed.
    #[error(
        "cannot open this: it was altered, or cut, in chunk {chunk}: {why}\n  help: download it again; if it stays so, somebody changed it after it was sealed"
    )]
    Altered {
        /// The first chunk that does not hold, from 0.
        chunk: u64,
        /// What does not hold.
        why: &'static str,
    },
    /// Longer than one nonce can serve (2^32 chunks).
    #[error("cannot seal more than 256 TiB in one piece\n  help: seal it in parts")]
    TooLong,
    /// What should be sealed or opened could not be read.
    #[error("cannot read what is to be {doing}: {source}")]
    Read {
        /// `sealed` or `opened`.
        doing: &'static str,
        /// The reader's error.
        #[source]
        source: io::Error,
    },
    /// The result could not be written.
    #[error("cannot write what was {doing}: {source}")]
    Write {
        /// `sealed` or `opened`.
        doing: &'static str,
        /// The writer's error.
        #[source]
        source: io::Error,
    },
    /// A file could not be read, or made.
    #[error("cannot {doing} {path}: {source}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
}

pub(super) type Result<T> = std::result::Result<T, SealError>;
