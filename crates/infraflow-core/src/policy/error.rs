use std::path::PathBuf;

use super::{EnvironmentName, Purpose};
use crate::{
    git::GitError,
    proof::{Principal, ProofError, RepoPath},
};

/// What can go wrong while the configuration and the policy are read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file is no TOML.
    #[error("cannot read the configuration: {place}: {why}\n  help: it has to be TOML; see https://toml.io")]
    NotToml {
        /// File, line and column.
        place: String,
        /// The parser's message.
        why: String,
    },
    /// A key, or a whole section, that nobody reads. Refused, since a misspelt risk rule would guard nothing.
    #[error("cannot use the configuration: {place}: nobody reads the key \"{key}\"\n  help: {help}")]
    UnknownKey {
        /// File, line and column.
        place: String,
        /// The key as it was written.
        key: String,
        /// The nearest known key, or all of them.
        help: String,
    },
    /// A value that its section cannot take.
    #[error("cannot use the configuration: {place}: {why}\n  help: {help}")]
    BadValue {
        /// File, line and column.
        place: String,
        /// What is wrong with it.
        why: String,
        /// What to write.
        help: String,
    },
    /// A file of the file system that was given by name cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's message.
        #[source]
        source: std::io::Error,
    },
    /// A name that cannot be an environment's.
    #[error(
        "cannot take {text:?} for an environment's name: {why}\n  help: write 1 to 63 letters, digits, - or _, beginning with a letter or digit"
    )]
    EnvironmentName {
        /// The text given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A pattern for paths that cannot be understood.
    #[error(
        "cannot take {text:?} for a pattern of paths: {why}\n  help: `*` stands for part of one name, `**` for any number of directories, for example `dev/**`"
    )]
    Glob {
        /// The text given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A key of the configuration leads to a file that is no good.
    #[error("cannot use the policy: {path}: {source}")]
    Signers {
        /// The allowed-signers file.
        path: RepoPath,
        /// What is wrong with it.
        #[source]
        source: ProofError,
    },
    /// A text that is nobody for whom a log could be sealed.
    #[error(
        "cannot take {text:?} for a recipient: {why}\n  help: give an SSH public key or an age recipient (age1…)"
    )]
    Recipient {
        /// The text given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A rule names somebody who has no key, and so can never approve.
    #[error(
        "cannot use the policy: \"{rule}\" names the approver {approver}, who has no key in {signers}\n  help: add the key, or correct the name"
    )]
    UnknownApprover {
        /// The environment or risk rule.
        rule: String,
        /// The name.
        approver: Principal,
        /// The allowed-signers file.
        signers: RepoPath,
    },
    /// A risk rule names an environment that is not there, and so can never hold.
    #[error(
        "cannot use the policy: risk rule \"{rule}\" names the environment {environment}, which is not there\n  help: correct the name, or add [environments.{environment}]"
    )]
    UnknownEnvironment {
        /// The risk rule.
        rule: String,
        /// The name.
        environment: EnvironmentName,
    },
    /// A provider has no credentials to hand out.
    #[error(
        "cannot get credentials for environment {environment}, to {purpose:?}: {why}\n  help: see that this job may have them"
    )]
    Credentials {
        /// The environment.
        environment: EnvironmentName,
        /// What they are for.
        purpose: Purpose,
        /// Why there are none; without secrets.
        why: String,
    },
    /// What should be a file of text is something else.
    #[error(
        "cannot read the policy: {path} is no file of text: {why}\n  help: put a plain file there, or nothing"
    )]
    NotAFile {
        /// The path.
        path: RepoPath,
        /// What it is.
        why: &'static str,
    },
    /// Two risk rules bear one name, so that a reason could mean either.
    #[error("cannot use the policy: two risk rules are named \"{name}\"\n  help: rename one of them")]
    DoubleRule {
        /// The name.
        name: String,
    },
    /// The tree could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
}
