use std::collections::{BTreeMap, BTreeSet};

use super::{ReleaseError, ReleaseRules};
use crate::{
    git::{Entry, Mode, Tree},
    proof::{Link, RepoPath},
};

/// What a caller of a module gets, as far as it lies in the repository: which files are whose, what else
/// modules read, and which modules they call by a path.
#[derive(Debug, Default)]
pub(super) struct Sources {
    modules: BTreeMap<RepoPath, Source>,
    /// Files, and directories, that modules read beyond their own.
    readers: BTreeMap<RepoPath, BTreeSet<RepoPath>>,
}

/// One module.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// What it reads by an expression.
    pub(super) reads: BTreeMap<RepoPath, Link>,
    /// The modules it calls by a path, with the call.
    pub(super) calls: BTreeMap<RepoPath, Link>,
}

impl Sources {
    pub(super) fn add(&mut self, module: RepoPath) {
        self.modules.entry(module).or_default();
    }

    pub(super) fn add_read(&mut self, module: &RepoPath, path: RepoPath, link: Link) {
        if let Some(source) = self.modules.get_mut(module) {
            self.readers.entry(path.clone()).or_default().insert(module.clone());
            source.reads.entry(path).or_insert(link);
        }
    }

    pub(super) fn add_call(&mut self, module: &RepoPath, target: RepoPath, link: Link) {
        if self.modules.contains_key(&target)
            && let Some(source) = self.modules.get_mut(module)
            && *module != target
        {
            source.calls.entry(target).or_insert(link);
        }
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = &RepoPath> {
        self.modules.keys()
    }

    pub(super) fn get(&self, module: &RepoPath) -> Option<&Source> {
        self.modules.get(module)
    }

    /// The modules that a module calls, and those that these call, each with the calls that lead to it.
    pub(super) fn called_by(&self, module: &RepoPath) -> BTreeMap<RepoPath, Vec<Link>> {
        let mut found: BTreeMap<RepoPath, Vec<Link>> = BTreeMap::new();
        let mut open = vec![(module.clone(), Vec::new())];
        while let Some((at, chain)) = open.pop() {
            for (target, link) in self.modules.get(&at).into_iter().flat_map(|source| &source.calls) {
                if target == module || found.contains_key(target) {
                    continue;
                }
                // The file that decides comes first in a chain.
                let chain: Vec<Link> = std::iter::once(link.clone()).chain(chain.iter().cloned()).collect();
                found.insert(target.clone(), chain.clone());
                open.push((target.clone(), chain));
            }
        }
        found
    }

    /// The module that a file belongs to: the innermost directory around it that is one.
    pub(super) fn owner(&self, file: &RepoPath) -> Option<&RepoPath> {
        let mut at = file.parent();
        while let Some(directory) = at {
            if let Some((module, _)) = self.modules.get_key_value(&directory) {
                return Some(module);
            }
            at = directory.parent();
        }
        None
    }

    /// The modules whose callers get a file.
    pub(super) fn shipped_by(&self, rules: &ReleaseRules, file: &RepoPath) -> BTreeSet<RepoPath> {
        let mut modules: BTreeSet<RepoPath> =
            self.owner(file).filter(|module| rules.ships(module, file)).into_iter().cloned().collect();
        let mut at = Some(file.clone());
        while let Some(path) = at {
            modules.extend(self.readers.get(&path).into_iter().flatten().cloned());
            at = path.parent();
        }
        modules
    }

    /// The files of one module that its callers get and that differ between two trees.
    pub(super) fn differing(
        &self,
        rules: &ReleaseRules,
        module: &RepoPath,
        old: &Tree,
        new: &Tree,
    ) -> Result<Vec<RepoPath>, ReleaseError> {
        let mut files = BTreeSet::new();
        self.differing_below(module, module, old, new, &mut files)?;
        let reads = self.modules.get(module).map(|source| &source.reads);
        files.retain(|file| {
            rules.ships(module, file)
                || reads.is_some_and(|reads| reads.keys().any(|read| file.is_within(read)))
        });
        for path in reads.into_iter().flat_map(BTreeMap::keys) {
            if identity(old.entry(path)?) != identity(new.entry(path)?) {
                files.insert(path.clone());
            }
        }
        Ok(files.into_iter().collect())
    }

    /// Descends only where the ids of directories differ, and into no module within the module.
    fn differing_below(
        &self,
        module: &RepoPath,
        directory: &RepoPath,
        old: &Tree,
        new: &Tree,
        found: &mut BTreeSet<RepoPath>,
    ) -> Result<(), ReleaseError> {
        let list = |tree: &Tree| -> Result<BTreeMap<RepoPath, Entry>, ReleaseError> {
            Ok(tree.list(directory)?.into_iter().map(|entry| (entry.path.clone(), entry)).collect())
        };
        if identity(old.entry(directory)?) == identity(new.entry(directory)?) && !directory.is_root() {
            return Ok(());
        }
        let (before, after) = (list(old)?, list(new)?);
        let paths: BTreeSet<&RepoPath> = before.keys().chain(after.keys()).collect();
        for path in paths {
            let (a, b) = (before.get(path), after.get(path));
            if identity(a.cloned()) == identity(b.cloned()) {
                continue;
            }
            let is_directory = |entry: Option<&Entry>| entry.is_some_and(|e| e.mode == Mode::Directory);
            let descends = is_directory(a) || is_directory(b);
            if descends && (path == module || !self.modules.contains_key(path)) {
                self.differing_below(module, path, old, new, found)?;
            }
            if [a, b].into_iter().flatten().any(|entry| entry.mode != Mode::Directory) {
                found.insert(path.clone());
            }
        }
        Ok(())
    }
}

fn identity(entry: Option<Entry>) -> Option<(Mode, crate::git::ObjectId)> {
    entry.map(|entry| (entry.mode, entry.id))
}
