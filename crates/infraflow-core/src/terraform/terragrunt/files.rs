use std::sync::Arc;

use super::SourceFile;
use crate::{proof::RepoPath, terraform::facts::Place};

/// The files of a tree, as configuration looks at them. Whoever implements it notes what was looked at.
pub trait Files {
    /// The directory of the repository that an address leads to, where it is the repository's own.
    fn own_directory(&self, source: &str) -> Option<RepoPath>;

    /// From now on files are looked at for a unit that a stack generates, by its place in
    /// [`Resolved::generated`](super::Resolved::generated), or for the scope itself.
    fn owned_by(&mut self, owner: Option<usize>);

    /// A file, or `None` where there is none that can be read.
    fn source(&mut self, path: &RepoPath, why: &Why) -> Option<Arc<SourceFile>>;

    /// Whether a file stands there.
    fn is_file(&mut self, path: &RepoPath, why: &Why) -> bool;

    /// Whether a directory stands there.
    fn is_directory(&mut self, path: &RepoPath, why: &Why) -> bool;

    /// The names of the directories in a directory.
    fn directories(&mut self, path: &RepoPath, why: &Why) -> Vec<Vec<u8>>;
}

/// Why a file is looked at, and where that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// What is done with it.
    pub purpose: Purpose,
    /// The file that says so.
    pub file: RepoPath,
    /// Where in it.
    pub place: Place,
    /// What stands there.
    pub text: Arc<str>,
}

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is configuration, merged in or read.
    Include,
    /// A function reads it.
    Read,
    /// It has values of variables.
    Variables,
}
