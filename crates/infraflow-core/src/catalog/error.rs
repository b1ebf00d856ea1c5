use std::{error::Error, sync::Arc};

use super::DialectName;
use crate::git::{GitError, ObjectId, Revision, Tree};

/// What can go wrong while a tree is catalogued. A file that cannot be understood is no error: it is
/// listed as unparsable, and taken as changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// A text is not what it should name.
    #[error("cannot take {text:?} for {what}\n  help: {help}")]
    BadName {
        /// What it should name.
        what: &'static str,
        /// The text given.
        text: String,
        /// What to write.
        help: &'static str,
    },
    /// The tree could not be read.
    #[error("cannot catalog the tree of {revision}: {source}")]
    Git {
        /// Whose tree.
        revision: Revision,
        /// What git says.
        #[source]
        source: Box<GitError>,
    },
    /// Two dialects share a name.
    #[error("cannot catalog with two dialects called {name}\n  help: give each a name of its own")]
    TwoDialects {
        /// The name.
        name: DialectName,
    },
    /// There are more dialects than can be numbered.
    #[error("cannot catalog with {count} dialects\n  help: 255 are the most")]
    TooManyDialects {
        /// How many there are.
        count: usize,
    },
    /// A dialect failed for a reason of its own.
    #[error("cannot catalog with the dialect {name}: {source}")]
    Dialect {
        /// Which.
        name: DialectName,
        /// What it says.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A kept index turned out to be damaged, and could not be made anew.
    #[error("cannot read the index {what}: {why}\n  help: delete the cache folder; it is made anew")]
    Damaged {
        /// Which index.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl CatalogError {
    /// The objects that a partial clone has to fetch, where that is what is wrong.
    pub fn missing(&self) -> Option<&[ObjectId]> {
        match self {
            Self::Git { source, .. } => source.missing(),
            _ => None,
        }
    }

    /// What git says of a tree.
    pub(crate) fn git(tree: &Tree, source: GitError) -> Self {
        Self::Git { revision: *tree.revision(), source: Box::new(source) }
    }
}
