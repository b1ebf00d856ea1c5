//! What a catalog reads, before it reads it: a partial clone fetches that in one batch.

use std::sync::Arc;

use super::{CatalogError, Dialect, ground::claims};
use crate::{
    git::{BlobId, Mode, Tree},
    proof::RepoPath,
};

/// Of the files that a catalog of a tree is made of, as far as their names tell, those that are not in this
/// clone: what a dialect claims, and links. Nothing but directories is read. What else a dialect looks at while
/// it resolves (a file of values with a name of its own) is found missing when the catalog is built, and named
/// by [`CatalogError::missing`].
///
/// # Errors
/// [`CatalogError::Git`] where a directory cannot be read.
pub fn files_missing(tree: &Tree, dialects: &[Arc<dyn Dialect>]) -> Result<Vec<BlobId>, CatalogError> {
    let failed = |source| CatalogError::git(tree, source);
    let entries = tree.walk(&RepoPath::root()).map_err(failed)?;
    let needed = entries.iter().filter(|entry| match entry.mode {
        Mode::Link => true,
        mode => mode.is_file() && claims(dialects, &entry.path).next().is_some(),
    });
    tree.missing(needed).map_err(failed)
}
