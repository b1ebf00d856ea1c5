use std::path::PathBuf;

use crate::{proof::ProofError, store::StoreError};

/// What can go wrong while recorded runs are read and written. Choosing itself cannot fail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// What is there could not be told.
    #[error(transparent)]
    Catalog(#[from] crate::catalog::CatalogError),
    /// The file of recorded runs cannot be used.
    #[error("cannot {doing} the recorded test runs in {}: {source}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's message.
        #[source]
        source: std::io::Error,
    },
    /// The store of recorded runs cannot be used.
    #[error("cannot reach the recorded test runs: {0}")]
    Store(#[from] StoreError),
    /// Runs have no canonical form.
    #[error("cannot record test runs: {0}")]
    Proof(#[from] ProofError),
}
