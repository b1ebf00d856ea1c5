//! A tree of a few files, as dialects look at it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use infraflow_core::{
    catalog::{Because, Dialect, Listed, Lookup, Parsed, Role},
    proof::RepoPath,
};

/// Files by path, for one dialect.
pub(crate) struct Memory {
    dialect: &'static dyn Dialect,
    files: BTreeMap<RepoPath, Arc<[u8]>>,
    parsed: BTreeMap<RepoPath, Parsed>,
}

impl Memory {
    /// Files of these names, with the parts of an input as their contents; what has no part is not there.
    pub(crate) fn of(dialect: &'static dyn Dialect, names: &[&str], parts: &[&[u8]]) -> Self {
        let files = names.iter().zip(parts).filter_map(|(name, part)| {
            let content = Arc::<[u8]>::from(*part);
            Some((RepoPath::parse(name).ok()?, content))
        });
        Self { dialect, files: files.collect(), parsed: BTreeMap::new() }
    }

    /// Asks the dialect for the facts of all files, and of all directories with configuration.
    pub(crate) fn resolve_all(mut self) {
        let dialect = self.dialect;
        for (path, content) in self.files.iter().filter(|(path, _)| dialect.claims(path).is_some()) {
            dialect.facts(path, content);
            dialect.definitions(path, content, &|_| true);
            dialect.check(path, content);
        }
        let directories: BTreeSet<RepoPath> =
            self.files.keys().map(|path| path.parent().unwrap_or_else(RepoPath::root)).collect();
        for directory in directories {
            let own = self.configuration(&directory);
            if !own.is_empty() {
                dialect.resolve(&directory, &own, &mut self);
            }
        }
    }

    /// The dialect's configuration files that stand directly in a directory.
    fn configuration(&self, directory: &RepoPath) -> Vec<RepoPath> {
        let own = self.files.keys().filter(|path| {
            path.parent().unwrap_or_else(RepoPath::root) == *directory
                && self.dialect.claims(path).is_some_and(|claim| claim.role == Role::Configuration)
        });
        own.cloned().collect()
    }

    fn parse(&mut self, path: &RepoPath, parse: &dyn Fn(&RepoPath, &[u8]) -> Parsed) -> Option<Parsed> {
        if let Some(known) = self.parsed.get(path) {
            return Some(Arc::clone(known));
        }
        let parsed = parse(path, self.files.get(path)?);
        self.parsed.insert(path.clone(), Arc::clone(&parsed));
        Some(parsed)
    }
}

impl Lookup for Memory {
    fn read(&mut self, path: &RepoPath, _: &Because) -> Option<Arc<[u8]>> {
        self.files.get(path).cloned()
    }

    fn is_file(&mut self, path: &RepoPath, _: &Because) -> bool {
        self.files.contains_key(path)
    }

    fn is_directory(&mut self, path: &RepoPath, _: &Because) -> bool {
        self.files.keys().any(|file| file != path && file.is_within(path))
    }

    fn list(&mut self, directory: &RepoPath, _: &Because) -> Vec<Listed> {
        let mut found = BTreeSet::new();
        for file in self.files.keys().filter(|file| file.is_within(directory)) {
            let mut names = file.names().skip(directory.names().count());
            if let Some(name) = names.next() {
                found.insert(Listed::new(name, names.next().is_some()));
            }
        }
        found.into_iter().collect()
    }

    fn parsed(
        &mut self,
        path: &RepoPath,
        _: &Because,
        parse: &dyn Fn(&RepoPath, &[u8]) -> Parsed,
    ) -> Option<Parsed> {
        self.parse(path, parse)
    }

    fn inherited(
        &mut self,
        directory: &RepoPath,
        parse: &dyn Fn(&RepoPath, &[u8]) -> Parsed,
    ) -> Arc<[(RepoPath, Parsed)]> {
        let own = self.configuration(directory);
        own.into_iter().filter_map(|path| Some((path.clone(), self.parse(&path, parse)?))).collect()
    }
}
