//! What scopes are read from: a tree, the dialects and rules, and the tree's links.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    CatalogRules, Claim, Dialect, Facts, Unparsable,
    group::Group,
    links::Links,
    look::{Looked, Memo, TreeLookup},
    own::OwnAddresses,
    prepare::Prepared,
    statements::ReadFile,
};
use crate::{
    git::{Entry, GitError, Mode, Near, Tree},
    proof::RepoPath,
};

/// So many bytes of configuration are read through the links of one scope. A link is a few bytes itself, and thousands
/// of them may lead to one large file.
const MOST_THROUGH_LINKS: usize = 4 << 20;

pub(super) struct Ground<'a> {
    pub(super) tree: &'a Tree,
    pub(super) dialects: &'a [Arc<dyn Dialect>],
    pub(super) rules: &'a CatalogRules,
    pub(super) own: &'a OwnAddresses,
    pub(super) links: &'a Links,
    pub(super) memo: &'a Memo,
    pub(super) prepared: Prepared,
    /// What was looked at around scopes, for the next ones: those of a directory look at the same ones above it.
    pub(super) near: Mutex<Vec<Near<'a>>>,
}

impl<'a> Ground<'a> {
    fn near(&self) -> MutexGuard<'_, Vec<Near<'a>>> {
        self.near.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A claimed file, read and understood.
    pub(super) fn read(&self, entry: &Entry, dialect: &dyn Dialect) -> Result<ReadFile, GitError> {
        let mut through_links = MOST_THROUGH_LINKS;
        self.read_one_of(entry, dialect, &mut through_links)
    }

    /// The files of a scope, read and understood.
    pub(super) fn read_all(
        &self,
        entries: &[Entry],
        dialect: &dyn Dialect,
    ) -> Result<Vec<ReadFile>, GitError> {
        let mut through_links = MOST_THROUGH_LINKS;
        entries.iter().map(|entry| self.read_one_of(entry, dialect, &mut through_links)).collect()
    }

    /// One of the files of a scope, read and understood; of those behind links, no more bytes than are left.
    fn read_one_of(
        &self,
        entry: &Entry,
        dialect: &dyn Dialect,
        through_links: &mut usize,
    ) -> Result<ReadFile, GitError> {
        let mut file = ReadFile {
            path: entry.path.clone(),
            through: Vec::new(),
            target: None,
            facts: Facts::default(),
            parsed: None,
        };
        let Some(target) = self.behind(entry, &mut file)? else { return Ok(file) };
        file.target = Some(target.clone());
        if let Some(facts) = self.prepared.facts(dialect, &entry.path, target.id) {
            file.facts = facts.clone();
            return Ok(file);
        }
        let is_link = entry.mode == Mode::Link;
        if is_link && *through_links == 0 {
            let why = format!(
                "the links of its directory lead to more than {} MiB of configuration",
                MOST_THROUGH_LINKS >> 20
            );
            file.facts.unparsable.push(Unparsable::new(entry.path.clone(), None, why));
            return Ok(file);
        }
        if is_link && let Some((size, facts)) = self.memo.linked(dialect, &entry.path, target.id) {
            *through_links = through_links.saturating_sub(size);
            file.facts = facts;
            return Ok(file);
        }
        let understood = |content: &[u8]| (content.len(), dialect.facts_and_parsed(&entry.path, content));
        match self.tree.show_entry(&target, understood) {
            Ok((size, (facts, parsed))) => {
                if is_link {
                    *through_links = through_links.saturating_sub(size);
                    self.memo.keep_linked(dialect, &entry.path, target.id, size, &facts);
                }
                (file.facts, file.parsed) = (facts, parsed);
            }
            Err(GitError::TooLarge { size, limit, .. }) => {
                let why = format!("its size is {size} bytes, more than the limit of {limit}");
                file.facts.unparsable.push(Unparsable::new(entry.path.clone(), None, why));
            }
            Err(error) => return Err(error),
        }
        Ok(file)
    }

    /// What the files of a scope state together with others, and what was looked at for it.
    pub(super) fn resolve(
        &self,
        group: &Group,
        files: &mut [ReadFile],
    ) -> Result<(Facts, Vec<Looked>), GitError> {
        let own: Vec<RepoPath> = files.iter().map(|file| file.path.clone()).collect();
        let near = self.near().pop();
        let mut near = near.unwrap_or_else(|| Near::new(self.tree));
        near.know(&group.directory);
        let mut lookup = TreeLookup {
            tree: self.tree,
            near,
            links: self.links,
            memo: self.memo,
            dialect: group.key.dialect,
            speaks: &*self.dialects[usize::from(group.key.dialect)],
            // What is read through links is looked up, so that the links are noted.
            own: files
                .iter_mut()
                .filter(|file| file.through.is_empty())
                .filter_map(|file| Some((file.path.clone(), file.parsed.take()?)))
                .collect(),
            addresses: self.own,
            looked: Vec::new(),
            error: None,
        };
        let dialect = &self.dialects[usize::from(group.key.dialect)];
        let facts = dialect.resolve(group.directory.path(), &own, &mut lookup);
        let TreeLookup { near, error, looked, .. } = lookup;
        self.near().push(near);
        match error {
            Some(error) => Err(error),
            None => Ok((facts, looked)),
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
            file.facts.unparsable.push(Unparsable::new(entry.path.clone(), None, why));
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
