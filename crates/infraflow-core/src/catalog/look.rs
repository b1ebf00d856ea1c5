//! A tree as dialects see it while they resolve: whatever is looked at is noted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Because, Dialect, DialectName, Facts, Listed, Lookup, Parsed, ReferenceKind, Role,
    glob::Glob,
    links::Links,
    own::OwnAddresses,
    record::{End, Proof},
    template::Templates,
};
use crate::{
    git::{GitError, Mode, Near, ObjectId, Tree},
    proof::RepoPath,
    terraform::facts::Place,
};

/// What parsers made of files and directories, by dialect, path and content.
#[derive(Default)]
pub(super) struct Memo {
    files: Mutex<HashMap<(u8, RepoPath, ObjectId), Parsed>>,
    directories: Mutex<HashMap<(u8, RepoPath, ObjectId), InDirectory>>,
    pub(super) templates: Templates,
    /// What large files state that links lead to, by dialect, how the name of the link is read, and content.
    linked: Mutex<HashMap<(DialectName, Reading, ObjectId), Arc<Linked>>>,
}

/// By which link it was read, of how many bytes it is, and what it states.
type Linked = (RepoPath, usize, Facts);

/// How a dialect reads a file: its role, its name, and whether it overrides.
type Reading = (Role, Vec<u8>, bool);

/// What is read faster than it is kept.
const LEAST_KEPT: usize = 16 << 10;

/// The most large files that are kept.
const MOST_KEPT: usize = 64;

impl Memo {
    /// What a link leads to states, and of how many bytes it is, where that is known by another link.
    pub(super) fn linked(
        &self,
        dialect: &dyn Dialect,
        link: &RepoPath,
        id: ObjectId,
    ) -> Option<(usize, Facts)> {
        let linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if linked.is_empty() {
            return None;
        }
        let known = Arc::clone(linked.get(&(dialect.name(), reading(dialect, link)?, id))?);
        drop(linked);
        let (other, size, mut facts) = Arc::unwrap_or_clone(known);
        for broken in facts.unparsable.iter_mut().filter(|broken| broken.path == other) {
            broken.path = link.clone();
        }
        Some((size, facts))
    }

    /// Keeps what a link leads to states.
    pub(super) fn keep_linked(
        &self,
        dialect: &dyn Dialect,
        link: &RepoPath,
        id: ObjectId,
        size: usize,
        facts: &Facts,
    ) {
        if size < LEAST_KEPT {
            return;
        }
        let Some(reading) = reading(dialect, link) else { return };
        let mut linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if linked.len() < MOST_KEPT {
            let known = Arc::new((link.clone(), size, facts.clone()));
            linked.insert((dialect.name(), reading, id), known);
        }
    }
}

fn reading(dialect: &dyn Dialect, path: &RepoPath) -> Option<Reading> {
    Some((dialect.claims(path)?.role, path.file_name().to_vec(), dialect.overrides(path)))
}

/// The configuration files of a directory as a parser has them.
type InDirectory = Arc<[(RepoPath, Parsed)]>;

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
    pub(super) addresses: &'a OwnAddresses,
    pub(super) dialect: u8,
    /// The same.
    pub(super) speaks: &'a dyn Dialect,
    /// The scope's own files, as they were parsed for their facts: nobody else asks for them.
    pub(super) own: Vec<(RepoPath, Parsed)>,
    pub(super) looked: Vec<Looked>,
    /// What git could not give: then the whole catalog cannot be built.
    pub(super) error: Option<GitError>,
}

impl TreeLookup<'_> {
    fn note(&mut self, to: End, kind: ReferenceKind, because: &Because) {
        let Because { file, place, text, .. } = because;
        let proof = Proof { file: file.clone(), place: *place, text: Arc::clone(text) };
        self.looked.push(Looked { to, kind, proof });
    }

    /// Where a path leads, noting the links on the way.
    fn behind(&mut self, path: &RepoPath, because: &Because) -> Option<RepoPath> {
        if self.links.is_empty() {
            return Some(path.clone());
        }
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

    /// What a parser makes of a file, or made of it before.
    fn made(
        &mut self,
        path: &RepoPath,
        entry: &crate::git::Entry,
        parse: &dyn Fn(&RepoPath, &[u8]) -> Parsed,
    ) -> Option<Parsed> {
        let key = (self.dialect, path.clone(), entry.id);
        if let Some(known) = self.memo.files.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Some(Arc::clone(known));
        }
        let parsed = match self.tree.show_entry(entry, |content| parse(path, content)) {
            Ok(parsed) => parsed,
            Err(GitError::TooLarge { .. }) => return None,
            Err(error) => return self.kept(Err(error)),
        };
        self.memo.files.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&parsed));
        Some(parsed)
    }

    fn names(&mut self, directory: &RepoPath) -> Vec<Listed> {
        let found = self.near.directory(directory);
        let Some(found) = self.kept(found).flatten() else { return Vec::new() };
        let mut listed: Vec<Listed> = found
            .names()
            .map(|(name, mode)| Listed {
                is_link: mode == Mode::Link,
                ..Listed::new(name, mode == Mode::Directory)
            })
            .collect();
        listed.sort();
        listed
    }

    fn file(&mut self, path: &RepoPath, kind: ReferenceKind, because: &Because) -> Option<crate::git::Entry> {
        let end = self.behind(path, because)?;
        self.note(End::File(end.clone()), kind, because);
        let found = self.near.entry(&end);
        self.kept(found)?.filter(|entry| entry.mode.is_file())
    }
}

impl Lookup for TreeLookup<'_> {
    fn own_directory(&self, source: &str) -> Option<RepoPath> {
        let (from, relative) = self.addresses.within(&RepoPath::root(), source)?;
        self.links.follow(&from, relative.as_bytes()).end
    }

    fn read(&mut self, path: &RepoPath, because: &Because) -> Option<Arc<[u8]>> {
        let entry = self.file(path, because.kind, because)?;
        match self.tree.show_entry(&entry, |content| content.into()) {
            Ok(content) => Some(content),
            Err(GitError::TooLarge { .. }) => None,
            Err(error) => self.kept(Err(error)),
        }
    }

    fn is_file(&mut self, path: &RepoPath, because: &Because) -> bool {
        self.file(path, presence(because), because).is_some()
    }

    fn is_directory(&mut self, path: &RepoPath, because: &Because) -> bool {
        let Some(end) = self.behind(path, because) else { return false };
        self.note(End::Subtree(end.clone()), presence(because), because);
        let found = self.near.entry(&end);
        self.kept(found).flatten().is_some_and(|entry| entry.mode == Mode::Directory)
    }

    fn list(&mut self, directory: &RepoPath, because: &Because) -> Vec<Listed> {
        let Some(end) = self.behind(directory, because) else { return Vec::new() };
        self.note(End::Subtree(end.clone()), presence(because), because);
        self.names(&end)
    }

    fn list_ending(&mut self, directory: &RepoPath, ending: &[u8], because: &Because) -> Vec<Listed> {
        let Some(end) = self.behind(directory, because) else { return Vec::new() };
        let mut glob = Glob::default();
        glob.push_run();
        glob.push_text(ending);
        let to = End::Matching { directory: end.clone(), glob, unknown: false, except: Vec::new() };
        self.note(to, presence(because), because);
        let mut names = self.names(&end);
        names.retain(|listed| !listed.is_directory && listed.name.ends_with(ending));
        names
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
        self.made(path, &entry, parse)
    }

    fn inherited(
        &mut self,
        directory: &RepoPath,
        parse: &dyn Fn(&RepoPath, &[u8]) -> Parsed,
    ) -> Arc<[(RepoPath, Parsed)]> {
        let nothing = || Arc::from(Vec::new());
        let found = self.near.entry(directory);
        let Some(entry) = self.kept(found).flatten().filter(|entry| entry.mode == Mode::Directory) else {
            return nothing();
        };
        let key = (self.dialect, directory.clone(), entry.id);
        let known = self.memo.directories.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return known;
        }
        let listed = self.tree.list(directory);
        let (mut files, mut linked) = (Vec::new(), false);
        for entry in self.kept(listed).unwrap_or_default() {
            let claim = self.speaks.claims(&entry.path);
            if claim.is_none_or(|claim| claim.role != Role::Configuration) {
                continue;
            }
            let behind = match entry.mode {
                Mode::Link => {
                    // What it leads to may change without the directory.
                    linked = true;
                    let place = Place { start: 0, end: 0, line: 1, column: 1 };
                    let kind = ReferenceKind::Consideration;
                    let because = Because::new(kind, entry.path.clone(), place, "a symbolic link");
                    let behind = self.behind(&entry.path, &because);
                    behind.inspect(|path| self.note(End::File(path.clone()), kind, &because))
                }
                _ => Some(entry.path.clone()),
            };
            let target = behind.map(|path| self.tree.entry(&path));
            let target = target.and_then(|target| self.kept(target)).flatten();
            if let Some(target) = target.filter(|target| target.mode.is_file())
                && let Some(parsed) = self.made(&entry.path, &target, parse)
            {
                files.push((entry.path, parsed));
            }
        }
        let files: InDirectory = files.into();
        if linked {
            return files;
        }
        let mut directories = self.memo.directories.lock().unwrap_or_else(PoisonError::into_inner);
        directories.insert(key, Arc::clone(&files));
        files
    }
}

/// What it is to look whether something is there.
fn presence(because: &Because) -> ReferenceKind {
    match because.kind {
        ReferenceKind::Consideration => ReferenceKind::Consideration,
        _ => ReferenceKind::Presence,
    }
}
