//! A tree as dialects see it while they resolve: whatever is looked at is noted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Because, Listed, Lookup, Parsed, ReferenceKind,
    links::Links,
    record::{End, Proof},
};
use crate::{
    git::{GitError, Mode, Near, ObjectId, Tree},
    proof::RepoPath,
};

/// What parsers made of files, by dialect, path and content.
#[derive(Default)]
pub(super) struct Memo(Mutex<HashMap<(u8, RepoPath, ObjectId), Parsed>>);

/// What was looked at, and why.
pub(super) struct Looked {
    pub(super) to: End,
    pub(super) kind: ReferenceKind,
    pub(super) proof: Proof,
}

pub(super) struct TreeLookup<'a> {
    pub(super) tree: &'a Tree,
    /// The same tree around the scope's directory.
    pub(super) near: Near<'a>,
    pub(super) links: &'a Links,
    pub(super) memo: &'a Memo,
    pub(super) dialect: u8,
    /// The scope's own files, as they were parsed for their facts: nobody else asks for them.
    pub(super) own: Vec<(RepoPath, Parsed)>,
    pub(super) looked: Vec<Looked>,
    /// What git could not give: then the whole catalog cannot be built.
    pub(super) error: Option<GitError>,
}

impl TreeLookup<'_> {
    fn note(&mut self, to: End, kind: ReferenceKind, because: &Because) {
        let proof =
            Proof { file: because.file.clone(), place: because.place, text: because.text.as_str().into() };
        self.looked.push(Looked { to, kind, proof });
    }

    /// Where a path leads, noting the links on the way.
    fn behind(&mut self, path: &RepoPath, because: &Because) -> Option<RepoPath> {
        let way = self.links.follow(&RepoPath::root(), path.as_bytes());
        for link in way.links {
            self.note(End::File(link), ReferenceKind::SymbolicLink, because);
        }
        if let Some(submodule) = way.submodule {
            self.note(End::File(submodule), ReferenceKind::Submodule, because);
            return None;
        }
        way.end
    }

    fn kept<T>(&mut self, result: Result<T, GitError>) -> Option<T> {
        result.map_err(|error| self.error = Some(error)).ok()
    }

    fn file(&mut self, path: &RepoPath, kind: ReferenceKind, because: &Because) -> Option<crate::git::Entry> {
        let end = self.behind(path, because)?;
        self.note(End::File(end.clone()), kind, because);
        let found = self.near.entry(&end);
        self.kept(found)?.filter(|entry| entry.mode.is_file())
    }
}

impl Lookup for TreeLookup<'_> {
    fn read(&mut self, path: &RepoPath, because: &Because) -> Option<Arc<[u8]>> {
        let entry = self.file(path, because.kind, because)?;
        match self.tree.show_entry(&entry, |content| content.into()) {
            Ok(content) => Some(content),
            Err(GitError::TooLarge { .. }) => None,
            Err(error) => self.kept(Err(error)),
        }
    }

    fn is_file(&mut self, path: &RepoPath, because: &Because) -> bool {
        self.file(path, ReferenceKind::Presence, because).is_some()
    }

    fn is_directory(&mut self, path: &RepoPath, because: &Because) -> bool {
        let Some(end) = self.behind(path, because) else { return false };
        self.note(End::Subtree(end.clone()), ReferenceKind::Presence, because);
        let found = self.near.entry(&end);
        self.kept(found).flatten().is_some_and(|entry| entry.mode == Mode::Directory)
    }

    fn list(&mut self, directory: &RepoPath, because: &Because) -> Vec<Listed> {
        let Some(end) = self.behind(directory, because) else { return Vec::new() };
        self.note(End::Subtree(end.clone()), ReferenceKind::Presence, because);
        let found = self.near.directory(&end);
        let Some(found) = self.kept(found).flatten() else { return Vec::new() };
        let mut listed: Vec<Listed> =
            found.names().map(|(name, mode)| Listed::new(name, mode == Mode::Directory)).collect();
        listed.sort();
        listed
    }

    fn parsed(
        &mut self,
        path: &RepoPath,
        because: &Because,
        parse: &dyn Fn(&RepoPath, &[u8]) -> Parsed,
    ) -> Option<Parsed> {
        if let Some((_, parsed)) = self.own.iter().find(|(own, _)| own == path) {
            let parsed = Arc::clone(parsed);
            self.note(End::File(path.clone()), because.kind, because);
            return Some(parsed);
        }
        let entry = self.file(path, because.kind, because)?;
        let key = (self.dialect, path.clone(), entry.id);
        if let Some(known) = self.memo.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Some(Arc::clone(known));
        }
        let parsed = match self.tree.show_entry(&entry, |content| parse(path, content)) {
            Ok(parsed) => parsed,
            Err(GitError::TooLarge { .. }) => return None,
            Err(error) => return self.kept(Err(error)),
        };
        self.memo.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&parsed));
        Some(parsed)
    }
}
