use crate::proof::ProofError;

/// What can go wrong with a dry run as a whole. A unit's own failure is no error here: it stands in the
/// unit's outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DryRunError {
    /// A document could not be digested.
    #[error(transparent)]
    Proof(#[from] ProofError),
}
