//! Modules, units and test cases told apart. The rules stand in the documentation of the folder.

use std::collections::{HashMap, HashSet};

use super::{
    CaseKind, CatalogRules, MarkKind, Role,
    scope::{ReadFile, Scope},
};
use crate::proof::RepoPath;

/// What a scope is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Module,
    Unit,
    /// The configuration that a unit of another dialect runs in the same directory.
    Part {
        dialect: usize,
    },
    Case {
        module: RepoPath,
        kind: CaseKind,
    },
}

/// What tells scopes apart besides their own files.
pub(super) struct Surroundings<'a> {
    pub(super) rules: &'a CatalogRules,
    /// Directories with configuration.
    pub(super) configured: HashSet<&'a RepoPath>,
    /// Directories that another directory calls.
    pub(super) called: HashSet<&'a RepoPath>,
    /// Directories with values of variables that are read without being named, or with a lock file.
    pub(super) valued: HashSet<RepoPath>,
    /// The directories of this repository that a directory calls, in the order of its calls.
    pub(super) calls: HashMap<&'a RepoPath, Vec<&'a RepoPath>>,
}

impl Surroundings<'_> {
    pub(super) fn sort(&self, scope: &Scope) -> Sort {
        let directory = &scope.directory;
        if scope.test.is_some() {
            return Sort::Case { module: directory.clone(), kind: CaseKind::TestFile };
        }
        if self.rules.is_live(directory) {
            return Sort::Unit;
        }
        if self.rules.is_module(directory) {
            return Sort::Module;
        }
        if scope.marks.contains(&MarkKind::Unit) {
            return Sort::Unit;
        }
        let called = self.called.contains(directory);
        if let Some(above) = self.above(directory).filter(|_| !called) {
            return Sort::Case { module: self.exemplified(directory, above), kind: CaseKind::Example };
        }
        if scope.marks.contains(&MarkKind::Case) {
            let above = directory.parent().unwrap_or_else(RepoPath::root);
            return Sort::Case { module: self.exemplified(directory, above), kind: CaseKind::Example };
        }
        if called || directory.names().any(|name| name == b"modules") {
            return Sort::Module;
        }
        if self.valued.contains(directory) || scope.marks.contains(&MarkKind::LikelyUnit) {
            return Sort::Unit;
        }
        Sort::Module
    }

    /// The directory above `examples` or `tests`, the innermost. `examples` itself is a case only where the
    /// directory above it is configured: otherwise it is a directory of somebody's own choosing.
    fn above(&self, directory: &RepoPath) -> Option<RepoPath> {
        let mut at = directory.clone();
        while let Some(parent) = at.parent() {
            let named = self.rules.examples.iter().chain(&self.rules.tests);
            if named.into_iter().any(|name| name.as_bytes() == at.file_name())
                && (at != *directory || self.configured.contains(&parent))
            {
                return Some(parent);
            }
            at = parent;
        }
        None
    }

    /// The module of which a directory is an example: the one above, if it calls that, or nothing of this
    /// repository; otherwise the first that it calls.
    fn exemplified(&self, directory: &RepoPath, above: RepoPath) -> RepoPath {
        match self.calls.get(directory).map(Vec::as_slice) {
            Some([first, ..]) if !self.calls[directory].contains(&&above) => (*first).clone(),
            _ => above,
        }
    }
}

/// Directories with files that only a root module has.
pub(super) fn valued(beside: &[ReadFile]) -> HashSet<RepoPath> {
    beside
        .iter()
        .filter(|file| matches!(file.claim.role, Role::AutomaticValues | Role::Lock))
        .filter_map(|file| file.path.parent())
        .collect()
}
