use std::{any::Any, sync::Arc};

use super::ReferenceKind;
use crate::{proof::RepoPath, terraform::facts::Place};

/// What a parser made of a file, kept by whoever looks it up; see [`Lookup::parsed`].
pub type Parsed = Arc<dyn Any + Send + Sync>;

/// The files of a tree as a dialect sees them while it resolves a scope. Links are followed within the
/// repository. Whatever is looked at, found or not, becomes a reference of the scope, as do the links on the
/// way to it. What is looked at for [`ReferenceKind::Consideration`] does not count for a change: then the
/// dialect says by references of its own what does.
pub trait Lookup {
    /// The bytes of a file; `None` where there is none, or none that can be read.
    fn read(&mut self, path: &RepoPath, because: &Because) -> Option<Arc<[u8]>>;

    /// Whether a file stands there. Only its coming and going counts as a change.
    fn is_file(&mut self, path: &RepoPath, because: &Because) -> bool;

    /// Whether a directory stands there. Only its coming and going counts as a change.
    fn is_directory(&mut self, path: &RepoPath, because: &Because) -> bool;

    /// What stands directly in a directory, sorted by name. Only what comes and goes counts as a change.
    fn list(&mut self, directory: &RepoPath, because: &Because) -> Vec<Listed>;

    /// The directory of this repository that a source address leads to, where it is one of the repository's own
    /// addresses and not pinned to another revision.
    fn own_directory(&self, source: &str) -> Option<RepoPath> {
        let _ = source;
        None
    }

    /// The files directly in a directory whose names end so, sorted by name. Only files with such names that come
    /// and go count as a change: so the folders above can be asked, without counting every new name in them.
    fn list_ending(&mut self, directory: &RepoPath, ending: &[u8], because: &Because) -> Vec<Listed> {
        let mut listed = self.list(directory, because);
        listed.retain(|listed| !listed.is_directory && listed.name.ends_with(ending));
        listed
    }

    /// The file as a parser has it; `None` as for [`Lookup::read`]. The result is remembered by content and
    /// path, so that a file which all scopes share is parsed once. One dialect hands in one parser.
    fn parsed(
        &mut self,
        path: &RepoPath,
        because: &Because,
        parse: &dyn Fn(&RepoPath, &[u8]) -> Parsed,
    ) -> Option<Parsed>;

    /// The dialect's own configuration files that stand directly in a directory, sorted, as a parser has them.
    /// Of the directories above the scope, for a dialect that [inherits](super::Dialect::inherits): nothing
    /// becomes a reference by it, so that the dialect itself says what counts.
    fn inherited(
        &mut self,
        directory: &RepoPath,
        parse: &dyn Fn(&RepoPath, &[u8]) -> Parsed,
    ) -> Arc<[(RepoPath, Parsed)]>;
}

/// Why a file is looked at, and where that is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Because {
    /// How the scope depends on it.
    pub kind: ReferenceKind,
    /// The file that says so.
    pub file: RepoPath,
    /// Where in it.
    pub place: Place,
    /// What stands there, on one line, shortened.
    pub text: Arc<str>,
}

impl Because {
    /// A reason to look at a file.
    pub fn new(kind: ReferenceKind, file: RepoPath, place: Place, text: impl Into<Arc<str>>) -> Self {
        Self { kind, file, place, text: text.into() }
    }
}

/// One name of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Listed {
    /// The name.
    pub name: Vec<u8>,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Whether it is a symbolic link, to whatever.
    pub is_link: bool,
}

impl Listed {
    /// A name of a directory, which is no link.
    pub fn new(name: impl Into<Vec<u8>>, is_directory: bool) -> Self {
        Self { name: name.into(), is_directory, is_link: false }
    }
}
