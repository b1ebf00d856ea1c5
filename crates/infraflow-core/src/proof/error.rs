use std::path::PathBuf;

/// What can go wrong while something is digested, read back, signed or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// A value has no canonical form, for example a float or an integer beyond 2^53.
    #[error(
        "cannot digest {what}: {value} has no exact canonical form\n  help: write numbers beyond 2^53 and fractions as strings"
    )]
    NotCanonical {
        /// What was being digested.
        what: String,
        /// The value at fault.
        value: String,
    },
    /// Text that should be JSON is not, or not of the expected shape.
    #[error("cannot read {what}: {source}")]
    Json {
        /// What was being read.
        what: String,
        /// The parser's message.
        #[source]
        source: serde_json::Error,
    },
    /// A document is of another kind than the one asked for.
    #[error(
        "cannot use this document as {expected}: its kind is {found}\n  help: pass the file that was written for this step"
    )]
    WrongKind {
        /// The kind asked for.
        expected: &'static str,
        /// The kind found.
        found: String,
    },
    /// A document was written by a newer schema than this build knows.
    #[error(
        "cannot read {kind}: its schema_version is {found}, this build knows {known}\n  help: use the infraflow version that wrote it, or a newer one"
    )]
    NewerSchema {
        /// The document's kind.
        kind: &'static str,
        /// Its schema version.
        found: u64,
        /// The newest schema version this build reads.
        known: u32,
    },
    /// A document's stated digest is not the digest of its content: it was altered after it was written.
    #[error(
        "cannot trust {kind}: it says its digest is {stated}, its content has {computed}\n  help: it was altered after it was written; plan again"
    )]
    DigestMismatch {
        /// The document's kind.
        kind: &'static str,
        /// The digest written in the document.
        stated: String,
        /// The digest computed from its content.
        computed: String,
    },
    /// A text is not a digest.
    #[error("cannot take {text:?} for a digest\n  help: a digest is sha256: and 64 hexadecimal digits")]
    NotADigest {
        /// The text given.
        text: String,
    },
    /// A path cannot name a file inside a repository.
    #[error(
        "cannot take {path:?} for a path inside the repository: {why}\n  help: give it relative to the repository's root, with / between names"
    )]
    BadPath {
        /// The path given, lossily decoded.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A text cannot name a run.
    #[error(
        "cannot take {text:?} for a run's name\n  help: use 1 to 64 lower-case letters, digits and hyphens, and do not begin with a hyphen"
    )]
    BadRunId {
        /// The text given.
        text: String,
    },
    /// A time stamp could not be read.
    #[error(
        "cannot take {text:?} for a time: {why}\n  help: write it as RFC 3339, for example 2026-01-31T12:00:00Z"
    )]
    NotATime {
        /// The text given.
        text: String,
        /// The parser's message.
        why: String,
    },
    /// A key file could not be read or is not an SSH key.
    #[error("cannot read the SSH key {path}: {why}\n  help: make one with `ssh-keygen -t ed25519`")]
    Key {
        /// Where the key was looked for.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Something could not be signed.
    #[error("cannot sign for namespace {namespace}: {why}")]
    Sign {
        /// The SSHSIG namespace.
        namespace: &'static str,
        /// What failed.
        why: String,
    },
    /// A signature does not hold.
    #[error("cannot accept the signature over {namespace}: {why}")]
    BadSignature {
        /// The SSHSIG namespace it was checked for.
        namespace: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A line of an allowed-signers file could not be understood.
    #[error(
        "cannot read allowed signers, line {line}: {why}\n  help: a line is `principal[,principal…] key-type base64-key`, as ssh-keygen(1) has it under ALLOWED SIGNERS"
    )]
    AllowedSigners {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}
