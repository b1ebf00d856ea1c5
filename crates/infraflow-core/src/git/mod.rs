//! Repositories, revisions, trees, merge bases, comparison, clone and push. Nothing else touches git.
//!
//! A [`Repository`] is a path with handles behind it; it is cheap to clone, usable from every thread, and
//! gives owned data out. A [`Tree`] is the files of a [`Revision`], readable without a checkout: of a
//! commit, or of the working directory on top of one (staged, unstaged and untracked files, not the
//! ignored), whose directories get the ids that they would have if they were committed. So two trees of
//! any kind are compared in one way: by their ids, descending only where these differ.
//!
//! Objects are read through libgit2; many of them, where a program [trusts them](trust_stored_objects), straight from
//! their packs. What crosses the network, and needs the user's credential helpers,
//! goes through the `git` program, with names that were checked and `--` before any word of a user.
//!
//! # Limitations
//! - What libgit2 cannot open is refused by name: repositories with SHA-256 objects, with references in
//!   reftables, or with `extensions.partialclone`. Partial clones without that extension (git makes them
//!   so since 2.24) work: blobs that are not there are fetched in one batch by
//!   [`Repository::fetch_missing`], and until then reading them is [`GitError::MissingObjects`].
//! - Clean and smudge filters (Git LFS, end-of-line conversion) are not run: a file of a commit has the
//!   bytes of its blob, a changed file of the working directory those on the disk.
//! - Of a sparse checkout's working directory the `git` program says what differs, since libgit2 does not know
//!   sparse indexes.
//! - A commit, directory or file that is cut short in a file of its own is an error. One of which that is true in the
//!   middle of a history, or in an alternate, is not noticed before libgit2 reads it, which may not end then.
//! - A repository inside the working directory that is no submodule is not part of its tree.

mod checkout;
mod clone;
mod commit;
mod compare;
mod directory;
mod edit;
mod entry;
mod error;
mod follow;
mod history;
mod id;
mod listing;
mod loose;
mod materialise;
mod merge_base;
mod name;
mod objects;
mod open;
mod packs;
mod patience;
mod program;
mod push;
mod read_all;
mod reference;
mod remote;
mod rename;
mod repository;
mod revision;
mod similarity;
mod sparse;
mod staging;
mod tree;
mod walk;
mod working_file;
mod working_tree;
mod write;

pub use clone::{CloneOptions, ClonedFiles};
pub use commit::{Commit, Identity};
pub use compare::{ChangeKind, TreeChange};
pub(crate) use directory::{Directory, Near};
pub use entry::{Entry, Mode};
pub use error::GitError;
pub use follow::Followed;
pub use id::{BlobId, CommitId, ObjectId, TreeId};
pub use name::{BranchName, RemoteName, TagName};
pub use objects::trust_stored_objects;
pub use patience::Patience;
pub use program::GitProgram;
pub use push::{Expected, Pushed, RefUpdate, RejectedRef};
pub use reference::{Branch, ReferenceName, Tag};
pub use remote::RemoteUrl;
pub use repository::{Head, Repository};
pub use revision::Revision;
pub use tree::Tree;
pub use write::FileEdit;
