use std::path::PathBuf;

use crate::{
    process::ProcessError,
    proof::{ProofError, RepoPath},
};

use super::{BranchName, CommitId, ObjectId, ReferenceName, RejectedRef, RemoteName};

/// What can go wrong with a repository.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// There is no repository.
    #[error(
        "cannot open {}: neither it nor a folder above it is a git repository\n  help: give the folder of a clone, or make a repository there with `git init`",
        path.display()
    )]
    NotARepository {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// The repository is of a format that libgit2 does not read.
    #[error(
        "cannot open {}: it uses {format}, which libgit2 cannot read\n  help: {help}",
        path.display()
    )]
    UnsupportedFormat {
        /// The repository.
        path: PathBuf,
        /// The format's name.
        format: String,
        /// What to do about it.
        help: &'static str,
    },
    /// The repository belongs to another user, who could make git run programs.
    #[error(
        "cannot open {}: it belongs to another user\n  help: if you trust it, run `git config --global --add safe.directory {}`",
        path.display(), path.display()
    )]
    NotOwned {
        /// The repository.
        path: PathBuf,
    },
    /// The repository has no commit yet.
    #[error("cannot resolve {revision:?} in {}: the repository has no commit yet\n  help: make a first commit", path.display())]
    EmptyRepository {
        /// The repository.
        path: PathBuf,
        /// What was to be resolved.
        revision: String,
    },
    /// No commit goes by that name.
    #[error(
        "cannot resolve {revision:?} in {}: {why}\n  help: fetch it, or choose one of `git branch --all` and `git tag`",
        path.display()
    )]
    UnknownRevision {
        /// The repository.
        path: PathBuf,
        /// What was to be resolved.
        revision: String,
        /// Why it could not be.
        why: String,
    },
    /// An abbreviated id fits several objects.
    #[error("cannot resolve {revision:?} in {}: several objects begin so\n  help: give more digits", path.display())]
    AmbiguousRevision {
        /// The repository.
        path: PathBuf,
        /// What was to be resolved.
        revision: String,
    },
    /// Nothing says which branch is the trunk.
    #[error(
        "cannot tell the trunk of {}: origin/HEAD is not set, and there is no branch main or master\n  help: run `git remote set-head origin --auto`, or name the trunk",
        path.display()
    )]
    NoTrunk {
        /// The repository.
        path: PathBuf,
    },
    /// A text is no object id.
    #[error("cannot take {text:?} for an object's id\n  help: an id is forty hexadecimal digits")]
    BadId {
        /// The text given.
        text: String,
    },
    /// A text is no name of a branch, tag or remote.
    #[error("cannot take {name:?} for the name of a {kind}: {why}")]
    BadName {
        /// What it should name.
        kind: &'static str,
        /// The text given.
        name: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// A name or e-mail address cannot stand in a commit.
    #[error(
        "cannot commit as {name:?} <{email}>: {why}\n  help: give a name and an address without < > and line breaks"
    )]
    BadIdentity {
        /// The name given.
        name: String,
        /// The address given.
        email: String,
        /// libgit2's message.
        why: String,
    },
    /// The clone is too shallow for the answer to be trusted.
    #[error(
        "cannot trust a merge base of {} and {} in {}: the clone is shallow, and history it lacks could hold a nearer one\n  help: run `git -C {} fetch --unshallow`",
        one.short(), other.short(), path.display(), path.display()
    )]
    ShallowClone {
        /// The repository.
        path: PathBuf,
        /// One commit.
        one: CommitId,
        /// The other commit.
        other: CommitId,
    },
    /// Two commits have no common ancestor.
    #[error(
        "cannot find a merge base of {} and {} in {}: their histories are unrelated\n  help: compare the two ends with each other, or check that both belong to this repository",
        one.short(), other.short(), path.display()
    )]
    UnrelatedHistories {
        /// The repository.
        path: PathBuf,
        /// One commit.
        one: CommitId,
        /// The other commit.
        other: CommitId,
    },
    /// A bare repository has no working tree.
    #[error("cannot read the working tree of {}: the repository is bare\n  help: name a commit", path.display())]
    NoWorkingTree {
        /// The repository.
        path: PathBuf,
    },
    /// The working tree no longer stands on the commit it stood on.
    #[error(
        "cannot read the working tree of {} on top of {}: its HEAD is at {} now\n  help: begin again with the new commit",
        path.display(), expected.short(), found.short()
    )]
    HeadMoved {
        /// The repository.
        path: PathBuf,
        /// Where it stood.
        expected: CommitId,
        /// Where it stands.
        found: CommitId,
    },
    /// A file of the working directory was changed while it was read.
    #[error(
        "cannot read {path}: it was changed after the working tree was looked at\n  help: begin again when nobody writes there"
    )]
    FileChanged {
        /// The file.
        path: RepoPath,
    },
    /// A file is larger than anything this library reads whole.
    #[error("cannot read {path}: it has {size} bytes, and the bound is {limit}")]
    TooLarge {
        /// The file.
        path: RepoPath,
        /// Its size.
        size: u64,
        /// The largest size that is read.
        limit: u64,
    },
    /// A tree holds more than anything this library lists.
    #[error(
        "cannot list {path}: {what} exceeds the bound of {limit}\n  help: a repository like this is made to exhaust its readers"
    )]
    TooMany {
        /// The directory that was being listed.
        path: RepoPath,
        /// What exceeds it.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// Objects of a partial or damaged clone are not there.
    #[error(
        "cannot read {} object(s) of {}, the first is {}: they are not in this clone\n  help: fetch them in one batch (Repository::fetch_missing), or clone without --filter; in a full clone, `git fsck` says what is damaged",
        ids.len(), path.display(), ids.first().map(ToString::to_string).unwrap_or_default()
    )]
    MissingObjects {
        /// The repository.
        path: PathBuf,
        /// The objects that are not there.
        ids: Vec<ObjectId>,
    },
    /// A directory object that git itself would not write.
    #[error(
        "cannot read the directory {id}: {why}\n  help: `git fsck` finds such objects; do not trust where this one came from"
    )]
    CorruptTree {
        /// The tree.
        id: ObjectId,
        /// What is wrong with it.
        why: String,
    },
    /// An object cannot be unpacked: a crash or a full disk cut it short.
    #[error(
        "cannot read the object {id}: {} is damaged: {why}\n  help: remove that file and fetch again; `git fsck` finds others",
        path.display()
    )]
    CorruptObject {
        /// The object.
        id: ObjectId,
        /// The file that holds it.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file cannot be set or removed as asked.
    #[error("cannot {what} {path}: {why}\n  help: make the edit for the tree that it is applied to")]
    BadEdit {
        /// What was to be done.
        what: &'static str,
        /// To which file.
        path: RepoPath,
        /// Why it cannot be.
        why: &'static str,
    },
    /// Two branches changed the same thing.
    #[error(
        "cannot merge {} into {}: both changed {}\n  help: merge by hand, and give the result",
        theirs.short(), ours.short(), list(paths)
    )]
    Conflict {
        /// What was merged into.
        ours: CommitId,
        /// What was merged.
        theirs: CommitId,
        /// The files in conflict, sorted.
        paths: Vec<RepoPath>,
    },
    /// A branch is not where it was expected to be.
    #[error(
        "cannot set {name}: it is at {}, and was expected at {}\n  help: somebody else was faster; begin again from where it is",
        place(found),
        place(expected)
    )]
    RefMoved {
        /// The branch.
        name: ReferenceName,
        /// Where it was expected; `None` for nowhere.
        expected: Option<CommitId>,
        /// Where it is; `None` for nowhere.
        found: Option<CommitId>,
    },
    /// A branch would be moved to a commit that does not continue it.
    #[error(
        "cannot set {name} from {} to {}: the second does not stand on the first\n  help: merge, or rebase, and try again",
        old.short(), new.short()
    )]
    NotAnAncestor {
        /// The branch.
        name: ReferenceName,
        /// Where it is.
        old: CommitId,
        /// Where it should go.
        new: CommitId,
    },
    /// The branch is checked out, and its working tree would not follow.
    #[error(
        "cannot set the branch {branch}: it is checked out here\n  help: use another branch name, or Repository::fast_forward"
    )]
    CheckedOut {
        /// The branch.
        branch: BranchName,
    },
    /// A remote did not take a push; all of its references are as they were.
    #[error(
        "cannot push to {remote}: {}\n  help: nothing was changed there; fetch, plan again, and push what comes of it",
        list(refs)
    )]
    PushRejected {
        /// The remote.
        remote: RemoteName,
        /// The references it did not take, each with why.
        refs: Vec<RejectedRef>,
    },
    /// The clone is too shallow to know all of a history.
    #[error(
        "cannot walk the history of {} beyond {}: the clone is shallow\n  help: run `git -C {} fetch --unshallow`",
        path.display(), commit.short(), path.display()
    )]
    HistoryCut {
        /// The repository.
        path: PathBuf,
        /// The commit whose parents are not there.
        commit: CommitId,
    },
    /// A link leads out of the tree, or nowhere that ends.
    #[error(
        "cannot write the link {path}: it points to {target:?}, {why}\n  help: make it point to a file of the repository, or remove it"
    )]
    BadLink {
        /// The link.
        path: RepoPath,
        /// What it points to, lossily decoded.
        target: String,
        /// What is wrong with that.
        why: &'static str,
    },
    /// A file's name would be taken for git's own.
    #[error(
        "cannot write {path}: a file system may take the name for git's own folder\n  help: do not trust where this tree came from"
    )]
    GitsOwnName {
        /// The file.
        path: RepoPath,
    },
    /// A folder that should be empty is not.
    #[error("cannot write to {}: the folder is not empty\n  help: give a folder that is not there yet", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The git program failed.
    #[error("cannot {what}: git ended with {verdict}: {message}")]
    Program {
        /// What was being done.
        what: String,
        /// How it ended.
        verdict: String,
        /// What it said.
        message: String,
    },
    /// The git program could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A path that cannot be one.
    #[error(transparent)]
    Path(#[from] ProofError),
    /// Whoever asked wanted an answer at once.
    #[error(
        "cannot read {} any further: there is no patience left\n  help: ask again without a `Patience`",
        path.display()
    )]
    OutOfPatience {
        /// The repository.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// The operating system's message.
        source: std::io::Error,
    },
    /// libgit2 refused.
    #[error("cannot {what}: {source}")]
    Libgit2 {
        /// What was being done.
        what: String,
        /// libgit2's message.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl GitError {
    /// The objects that are missing, where that is what is wrong: what a partial clone has to fetch.
    pub fn missing(&self) -> Option<&[ObjectId]> {
        match self {
            Self::MissingObjects { ids, .. } => Some(ids),
            _ => None,
        }
    }

    pub(super) fn libgit2(what: impl Into<String>, source: git2::Error) -> Self {
        Self::Libgit2 { what: what.into(), source: Box::new(source) }
    }

    pub(super) fn io(what: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { what, path: path.into(), source }
    }
}

fn place(commit: &Option<CommitId>) -> String {
    commit.as_ref().map_or("nothing".to_owned(), CommitId::short)
}

fn list(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
