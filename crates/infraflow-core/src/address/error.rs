/// What can go wrong while an address, a version or a constraint is read, or versions are looked up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// A source address is none that the tool understands.
    #[error("cannot read the source address {address:?}: {why}\n  help: {help}")]
    Source {
        /// The address as written.
        address: String,
        /// What is wrong with it.
        why: String,
        /// What to write instead.
        help: String,
    },
    /// An address leads out of the package it names.
    #[error(
        "cannot read the source address {address:?}: the subdirectory {subdir:?} leads out of the package\n  help: name a directory below the package's root after //"
    )]
    Escapes {
        /// The address as written.
        address: String,
        /// The subdirectory at fault.
        subdir: String,
    },
    /// A text is no module registry address.
    #[error(
        "cannot take {address:?} for a registry address: {why}\n  help: write NAMESPACE/NAME/PROVIDER, with HOST/ before it for another registry than the default one"
    )]
    Registry {
        /// The address as written.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// An address of this kind has no such parameter, so that it cannot be changed.
    #[error(
        "cannot set {param} of {address:?}: a source of kind {kind} has none\n  help: a registry module is pinned by `version`, a local one by nothing"
    )]
    NoSuchParam {
        /// The address as written.
        address: String,
        /// The parameter.
        param: &'static str,
        /// The address's kind.
        kind: &'static str,
    },
    /// A text is no version.
    #[error("cannot take {text:?} for a version: {why}\n  help: write MAJOR.MINOR.PATCH, for example 1.2.3")]
    Version {
        /// The text given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A text is no version constraint.
    #[error(
        "cannot read the version constraint {text:?}: {why}\n  help: write for example `~> 1.2` or `>= 1.0, < 2.0`"
    )]
    Constraint {
        /// The text given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A source of versions was asked for a kind of address that it does not know.
    #[error(
        "cannot list the versions of {address:?}: it is of kind {kind}, and this source of versions answers for {answers}\n  help: use a `VersionSource` for that kind"
    )]
    NotAsked {
        /// The address.
        address: String,
        /// Its kind.
        kind: &'static str,
        /// What the source answers for.
        answers: &'static str,
    },
    /// The world did not answer.
    #[error("cannot list the versions in {package}: {source}")]
    Observe {
        /// The package that was asked for.
        package: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The question was cancelled.
    #[error("cannot list the versions of {address:?}: it was cancelled")]
    Cancelled {
        /// The address.
        address: String,
    },
}
