use std::path::PathBuf;

use crate::{
    catalog::{CatalogError, UnitId},
    git::GitError,
    proof::ProofError,
};

/// What can go wrong with a dry run as a whole. A unit's own failure is no error here: it stands in the
/// unit's outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DryRunError {
    /// What is there could not be told.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A unit that the catalog does not have.
    #[error(
        "cannot dry-run {unit}: no unit of the catalog is there{}",
        nearest.as_ref().map_or_else(
            || "\n  help: say which directories are units with `live` under [catalog] in infraflow.toml, or with --live".to_owned(),
            |nearest| format!("\n  help: the nearest one is {nearest}; `live` under [catalog] in infraflow.toml says which directories are units"),
        )
    )]
    UnknownUnit {
        /// The unit that was asked for.
        unit: UnitId,
        /// The unit whose id looks most like it.
        nearest: Option<String>,
    },
    /// The revision could not be read, or its files not be written out.
    #[error(transparent)]
    Git(Box<GitError>),
    /// The folder for the dry run's files could not be made or used.
    #[error(
        "cannot keep the dry run's files in {path}: {source}\n  help: give it a folder that can be written and has room for the repository's files",
        path = .path.display()
    )]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A thread of the dry run ended before its work was done.
    #[error("cannot finish the dry run: the thread that {doing} ended early: {source}")]
    Thread {
        /// What it was doing.
        doing: &'static str,
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
    /// A document could not be digested.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl From<GitError> for DryRunError {
    fn from(source: GitError) -> Self {
        Self::Git(Box::new(source))
    }
}
