use crate::{
    catalog::CatalogError,
    git::{BranchName, CommitId, GitError, ObjectId, RemoteName, TagName},
    interface::InterfaceError,
    policy::PolicyError,
    proof::RepoPath,
};

/// A version that is too small for what changed.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot tag {module} as {tag}: {why}, which needs a {needs} version\n  commits since {since} ask for: {commits}\n  help: release {lowest}, or bring back what was there"
)]
#[non_exhaustive]
pub struct UnderBump {
    /// The module.
    pub module: RepoPath,
    /// The tag asked for.
    pub tag: TagName,
    /// What changed, with its place.
    pub why: String,
    /// What kind of version it needs.
    pub needs: &'static str,
    /// The version before.
    pub since: TagName,
    /// What the commits ask for, and the gravest of them.
    pub commits: String,
    /// The lowest tag that will do.
    pub lowest: TagName,
}

/// What can go wrong while a release is planned or carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// What is there could not be told.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Git could not do its part.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The rules for interfaces, or an interface, could not be read.
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    /// The configuration could not be read.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Work on another thread ended before its time.
    #[error("cannot finish the release: the work on another thread was lost: {source}")]
    Lost {
        /// What became of it.
        #[source]
        source: tokio::task::JoinError,
    },
    /// The pattern for tags cannot be used.
    #[error(
        "cannot name tags by {pattern:?}: {why}\n  help: write for example \"{{module}}/v{{version}}\" under [release] of infraflow.toml"
    )]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two modules would share their tags.
    #[error(
        "cannot release {one} and {other}: both would be tagged as {name}\n  help: give one of them another name under [release.names] of infraflow.toml"
    )]
    SameName {
        /// The name.
        name: String,
        /// One module.
        one: RepoPath,
        /// The other module.
        other: RepoPath,
    },
    /// A version was asked for that is too small for what changed.
    #[error(transparent)]
    UnderBump(Box<UnderBump>),
    /// A version was asked for that is not after the one before.
    #[error("cannot tag {module} as {tag}: {previous} is released already\n  help: name a later version")]
    NotLater {
        /// The module.
        module: RepoPath,
        /// The tag asked for.
        tag: TagName,
        /// The tag of the version before.
        previous: TagName,
    },
    /// A version was asked for of something that is no module.
    #[error("cannot release {module}: it is no module of {head}\n  help: name one of the catalog's modules")]
    NoSuchModule {
        /// The path given.
        module: RepoPath,
        /// The commit that would be released.
        head: CommitId,
    },
    /// A tag exists already, and names something else. Tags are never moved.
    #[error(
        "cannot make the tag {tag} of {}: it exists, and points to {found}\n  help: plan the release again; if that tag is a mistake, release a later version, since others may use it",
        commit.short()
    )]
    TagElsewhere {
        /// The tag.
        tag: TagName,
        /// The commit that it should name.
        commit: CommitId,
        /// What it points to.
        found: ObjectId,
    },
    /// Somebody else released while this plan was under way.
    #[error(
        "cannot release to {remote}: since the plan was made, {} came to be\n  help: fetch, and plan the release again",
        list(tags)
    )]
    LostRace {
        /// The remote.
        remote: RemoteName,
        /// The tags that somebody else made.
        tags: Vec<TagName>,
    },
    /// The commit of the plan is not on the trunk of the remote.
    #[error(
        "cannot tag {}: the branch {trunk} of {remote} does not hold it\n  help: merge and push it first; if the branch was rewritten, plan the release again",
        head.short()
    )]
    NotOnTrunk {
        /// The commit.
        head: CommitId,
        /// The branch.
        trunk: BranchName,
        /// The remote.
        remote: RemoteName,
    },
    /// The release was cancelled before anything was pushed.
    #[error("cannot finish the release: it was cancelled before any tag was made")]
    Cancelled,
}

fn list(tags: &[TagName]) -> String {
    tags.iter().map(TagName::as_str).collect::<Vec<_>>().join(", ")
}
