use std::collections::BTreeSet;

use clap::Args;
use infraflow_core::{
    catalog::{CatalogError, files_missing, standard_dialects},
    detect::DetectError,
    git::{GitError, ObjectId, RemoteName, Repository, Revision, Tree},
    policy::{Configuration, PolicyError},
    proof::RepoPath,
};

use crate::Failure;

/// What may be fetched of a clone that lacks something.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Fetching {
    /// Let git fetch as much history of a shallow clone as it takes to be certain of the merge base. Without it
    /// such a clone is refused.
    #[arg(long)]
    pub deepen: bool,
    /// Fetch nothing. Without it, files that a partial clone left out (git clone --filter) are fetched from the
    /// remote that promised them, all at once.
    #[arg(long, conflicts_with = "deepen")]
    pub offline: bool,
}

/// The first fetch brings whatever can be told by its name. What is found missing after that is named in a file
/// that was fetched, so a few more are enough.
const MOST_FETCHES: usize = 32;

impl Fetching {
    /// Fetches what the catalogs of some trees, their comparison and the policy are made of, in one batch, where
    /// this is a partial clone. This is *observe*.
    ///
    /// # Errors
    /// Where git cannot fetch it.
    pub fn bring(self, repository: &Repository, trees: &[&Tree]) -> Result<(), Failure> {
        let Some(remote) = self.promisor(repository)? else { return Ok(()) };
        let roots = trees.iter().map(|tree| Ok(repository.commit(&tree.revision().commit())?.tree));
        repository.fetch_missing(&remote, roots.collect::<Result<Vec<_>, GitError>>()?)?;
        let mut needed: BTreeSet<ObjectId> = BTreeSet::new();
        for tree in trees {
            let missing = self.within(repository, || Ok(files_missing(tree, &standard_dialects())?))?;
            needed.extend(missing.into_iter().map(ObjectId::from));
            let configuration = tree.entry(&RepoPath::parse(Configuration::FILE)?)?;
            needed.extend(tree.missing(&configuration)?.into_iter().map(ObjectId::from));
        }
        if let [old, new] = trees
            && let Err(GitError::MissingObjects { ids, .. }) = repository.compare(old, new)
        {
            needed.extend(ids);
        }
        repository.fetch_missing(&remote, needed)?;
        Ok(())
    }

    /// Does something that reads, and where it finds that objects of a partial clone are missing, fetches them
    /// and does it again. This is *observe*.
    ///
    /// # Errors
    /// What the work returns, and where git cannot fetch.
    pub fn within<T>(
        self,
        repository: &Repository,
        mut work: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        for _ in 0..MOST_FETCHES {
            let failure = match work() {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let Some(ids) = missing(failure.as_ref()) else { return Err(failure) };
            let Some(remote) = self.promisor(repository)? else { return Err(failure) };
            repository.fetch_missing(&remote, ids.iter().copied())?;
        }
        work()
    }

    /// The files of a revision. The directory itself is fetched where a clone left it out.
    ///
    /// # Errors
    /// As [`Repository::tree`], and where git cannot fetch.
    pub fn tree(self, repository: &Repository, revision: &Revision) -> Result<Tree, Failure> {
        self.within(repository, || Ok(repository.tree(revision)?))
    }

    /// Who gives what is missing, where something may be fetched.
    fn promisor(self, repository: &Repository) -> Result<Option<RemoteName>, GitError> {
        if self.offline { Ok(None) } else { repository.promisor() }
    }
}

/// The objects that are missing, where that is what failed.
fn missing(failure: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<Vec<ObjectId>> {
    let ids = if let Some(error) = failure.downcast_ref::<GitError>() {
        error.missing()
    } else if let Some(error) = failure.downcast_ref::<CatalogError>() {
        error.missing()
    } else if let Some(error) = failure.downcast_ref::<DetectError>() {
        error.missing()
    } else if let Some(PolicyError::Git(error)) = failure.downcast_ref::<PolicyError>() {
        error.missing()
    } else {
        None
    };
    ids.map(<[ObjectId]>::to_vec)
}
