use std::{io, path::PathBuf};

use crate::{
    catalog::UnitId,
    policy::EnvironmentName,
    proof::{Digest, ProofError, RunId},
    redact::RedactError,
    seal::SealError,
    store::{Key, StoreError},
};

use super::ItemName;

/// What can go wrong while a dry run is published, or something published is opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// Nobody said with which key a unit's log is to be sealed.
    #[error(
        "cannot publish the dry run of {unit}: there is no sealing key for {}\n  help: give the publisher the key of that environment, or one for all others",
        environment.as_ref().map_or_else(|| "units without an environment".to_owned(), |name| format!("the environment {name}"))
    )]
    NoSealer {
        /// The unit.
        unit: UnitId,
        /// Its environment.
        environment: Option<EnvironmentName>,
    },
    /// A plan to publish belongs to another dry run.
    #[error(
        "cannot publish this dry run: it is {found}, the plan to publish was made for {planned}\n  help: plan the publication of this dry run again"
    )]
    AnotherDryRun {
        /// The digest of the dry run that was planned to be published.
        planned: Digest,
        /// The digest of the one at hand.
        found: Digest,
    },
    /// A plan to publish is not the one that this publisher makes of the dry run.
    #[error(
        "cannot publish by this plan: it is not what follows from its dry run for {repository} in run {run}\n  help: it was made for another repository or run, or altered; plan the publication again"
    )]
    AnotherPlan {
        /// The publisher's repository.
        repository: String,
        /// The publisher's run.
        run: RunId,
    },
    /// A file of a unit's dry run is missing, or is not the one that the dry run is about.
    #[error("cannot publish the {item} of {unit}: {why}\n  help: make the dry run again")]
    Artefact {
        /// The unit.
        unit: UnitId,
        /// Which file.
        item: ItemName,
        /// What is wrong with it.
        why: String,
    },
    /// Something else is published under the same key already.
    #[error(
        "cannot publish under {manifest}: {why}\n  help: give this run another name; what is published is never changed"
    )]
    Taken {
        /// The manifest's key.
        manifest: Key,
        /// What stands there.
        why: String,
    },
    /// Nothing is published under a key.
    #[error(
        "cannot open {manifest}: nothing is published there\n  help: check the key and the store; what is half-published is not visible"
    )]
    NotPublished {
        /// The manifest's key.
        manifest: Key,
    },
    /// A manifest is not signed by somebody whose word counts.
    #[error(
        "cannot trust {manifest}: {source}\n  help: open nothing from there, and find out who wrote it; the allowed signers must name the pipeline's key"
    )]
    Untrusted {
        /// The manifest's key.
        manifest: Key,
        /// What does not hold.
        #[source]
        source: ProofError,
    },
    /// A manifest stands where another one belongs.
    #[error(
        "cannot trust {manifest}: what stands there was signed for {belongs}\n  help: open nothing from there; somebody moved it"
    )]
    Moved {
        /// The manifest's key.
        manifest: Key,
        /// Where it belongs.
        belongs: Key,
    },
    /// A manifest has no such item.
    #[error("cannot open the {item} of {manifest}: it has none\n  help: it has {has}")]
    NoItem {
        /// The manifest's key.
        manifest: Key,
        /// The item asked for.
        item: ItemName,
        /// What it has.
        has: String,
    },
    /// Sealed bytes are not those that the manifest was signed for.
    #[error(
        "cannot trust the {item} of {manifest}: it has {found}, the manifest was signed for {signed}\n  help: open nothing from there; it was altered, or cut short, after it was published"
    )]
    Altered {
        /// The manifest's key.
        manifest: Key,
        /// The item.
        item: ItemName,
        /// The digest that was signed.
        signed: Digest,
        /// The digest found.
        found: Digest,
    },
    /// Sealing or opening failed.
    #[error("cannot {doing} the {item} of {of}: {source}")]
    Seal {
        /// `seal` or `open`.
        doing: &'static str,
        /// The item.
        item: ItemName,
        /// The unit, or the manifest's key.
        of: String,
        /// Why.
        #[source]
        source: SealError,
    },
    /// The secrets cannot be looked for.
    #[error("cannot make the summary: {0}")]
    Redact(#[from] RedactError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document or a statement could not be digested or signed.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A local file failed.
    #[error("cannot {doing} {path}: {source}", path = .path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It was cancelled. What was published before that is whole, and the rest is not visible.
    #[error(
        "publishing was cancelled\n  help: publish again with the same run's name, which goes on where it stopped"
    )]
    Cancelled,
}

pub(super) type Result<T> = std::result::Result<T, PublishError>;
