use crate::{proof::RepoPath, terraform::facts::FactsError};

/// What can go wrong while interfaces are read or compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InterfaceError {
    /// A file of the module cannot be read, so that nobody can tell what its interface is.
    #[error("cannot tell the interface of {module}: {source}")]
    Unreadable {
        /// The module.
        module: RepoPath,
        /// The file, the line, and what is wrong there.
        #[source]
        source: FactsError,
    },
    /// The module's files could not be taken out of the repository.
    #[error("cannot read the files of {module}: {source}")]
    Tree {
        /// The module.
        module: RepoPath,
        /// What git says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A rule is named that there is not.
    #[error(
        "cannot set the severity of the interface rule {rule:?}: there is none of that name\n  help: {help}"
    )]
    UnknownRule {
        /// The name given.
        rule: String,
        /// The nearest known name.
        help: String,
    },
}
