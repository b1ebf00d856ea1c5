use super::DialectName;
use crate::git::{GitError, Revision};

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
}
