use crate::{
    address::AddressError,
    catalog::CatalogError,
    git::{BranchName, GitError},
    interface::InterfaceError,
    proof::{ProofError, RepoPath},
};

/// What can go wrong while references are bumped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BumpError {
    /// What is there could not be told.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The repository could not be read or written.
    #[error(transparent)]
    Git(#[from] GitError),
    /// An address cannot be read, or has no place for a version.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The interface of a module that is to be scaffolded cannot be read.
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    /// A plan could not be digested.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A file is not what the plan was made for.
    #[error("cannot bump {path}: {why}\n  help: the plan's facts no longer hold; plan again on this trunk")]
    Stale {
        /// The file.
        path: RepoPath,
        /// What differs.
        why: String,
    },
    /// Two edits of a plan overlap.
    #[error(
        "cannot bump {path}: two edits touch the bytes around {at}\n  help: the plan was put together from two; plan again"
    )]
    Overlap {
        /// The file.
        path: RepoPath,
        /// The first byte that two edits touch.
        at: usize,
    },
    /// The branch that the commit should go on has something else on it.
    #[error(
        "cannot put the bump on the branch {branch}: it exists, with other content\n  help: merge or delete it, or name another branch"
    )]
    BranchTaken {
        /// The branch.
        branch: BranchName,
    },
    /// A unit cannot be scaffolded.
    #[error("cannot scaffold {unit}: {why}")]
    Scaffold {
        /// Where the unit would stand.
        unit: RepoPath,
        /// What stands in the way.
        why: String,
    },
    /// A plan without edits cannot be carried out.
    #[error(
        "cannot carry out this bump plan: it has no edits\n  help: every reference is where it should be; its `skipped` says why"
    )]
    Nothing,
    /// A version that would be written cannot be one.
    #[error(
        "cannot bump to {reference:?}: {why}\n  help: name the tag of a released version, for example network/v1.3.0"
    )]
    BadReference {
        /// The version given.
        reference: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The bump was cancelled before anything was written.
    #[error("cannot finish the bump: it was cancelled before anything was committed")]
    Cancelled,
}
