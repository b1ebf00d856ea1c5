//! What scopes are read from: a tree, the dialects and rules, and the tree's links.

use std::sync::Arc;

use super::{
    CatalogRules, Claim, Dialect, Facts, Unparsable,
    links::Links,
    look::{Looked, Memo, TreeLookup},
    own::OwnAddresses,
    scope::ReadFile,
};
use crate::{
    git::{Entry, GitError, Mode, Tree},
    proof::RepoPath,
};

pub(super) struct Ground<'a> {
    pub(super) tree: &'a Tree,
    pub(super) dialects: &'a [Arc<dyn Dialect>],
    pub(super) rules: &'a CatalogRules,
    pub(super) own: &'a OwnAddresses,
    pub(super) links: &'a Links,
    pub(super) memo: &'a Memo,
}

impl Ground<'_> {
    /// Who claims a path, and how.
    pub(super) fn claims<'p>(&'p self, path: &'p RepoPath) -> impl Iterator<Item = (u8, Claim)> + 'p {
        claims(self.dialects, path)
    }

    /// A claimed file, read and understood.
    pub(super) fn read(&self, entry: &Entry, dialect: &dyn Dialect) -> Result<ReadFile, GitError> {
        let mut file =
            ReadFile { path: entry.path.clone(), through: Vec::new(), target: None, facts: Facts::default() };
        let Some(target) = self.behind(entry, &mut file)? else { return Ok(file) };
        file.target = Some(target.clone());
        match self.tree.read_entry(&target) {
            Ok(content) => file.facts = dialect.facts(&entry.path, &content),
            Err(GitError::TooLarge { size, limit, .. }) => {
                let why = format!("its size is {size} bytes, more than the limit of {limit}");
                file.facts.unparsable = Some(Unparsable::new(entry.path.clone(), None, why));
            }
            Err(error) => return Err(error),
        }
        Ok(file)
    }

    /// What the files of a scope state together with others, and what was looked at for it.
    pub(super) fn resolve(
        &self,
        dialect: u8,
        directory: &RepoPath,
        files: &[RepoPath],
    ) -> Result<(Facts, Vec<Looked>), GitError> {
        let mut lookup = TreeLookup {
            tree: self.tree,
            links: self.links,
            memo: self.memo,
            dialect,
            looked: Vec::new(),
            error: None,
        };
        let facts = self.dialects[usize::from(dialect)].resolve(directory, files, &mut lookup);
        match lookup.error {
            Some(error) => Err(error),
            None => Ok((facts, lookup.looked)),
        }
    }

    /// The file behind a claimed name: itself, or what a link leads to.
    fn behind(&self, entry: &Entry, file: &mut ReadFile) -> Result<Option<Entry>, GitError> {
        if entry.mode != Mode::Link {
            return Ok(Some(entry.clone()));
        }
        let way = self.links.follow(&RepoPath::root(), entry.path.as_bytes());
        // The first link is the file itself.
        file.through = way.links.into_iter().skip(1).collect();
        let mut lost = |why: &str| {
            file.facts.unparsable = Some(Unparsable::new(entry.path.clone(), None, why));
        };
        if let Some(submodule) = way.submodule {
            lost("the link leads into a submodule");
            file.through.push(submodule);
            return Ok(None);
        }
        let Some(end) = way.end else {
            lost("the link leads out of the repository, or in a circle");
            return Ok(None);
        };
        file.through.push(end.clone());
        match self.tree.entry(&end)? {
            Some(target) if target.mode.is_file() => Ok(Some(target)),
            Some(_) => Ok(None),
            None => {
                lost("the link leads to nothing");
                Ok(None)
            }
        }
    }
}

/// Who claims a path, and how.
pub(super) fn claims<'a>(
    dialects: &'a [Arc<dyn Dialect>],
    path: &'a RepoPath,
) -> impl Iterator<Item = (u8, Claim)> + 'a {
    let numbered = dialects.iter().zip(0_u8..);
    numbered.filter_map(move |(dialect, at)| Some((at, dialect.claims(path)?)))
}
