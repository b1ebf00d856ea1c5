//! From scopes to records: calls are resolved, and paths that a caller has to fill in travel up to it.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use rayon::prelude::*;

use super::{
    CatalogError, DialectName,
    draft::{Draft, draft},
    fill::names_variable,
    ground::Ground,
    record::Record,
    scope::{Configured, Scope},
    settle::finish,
};
use crate::{git::GitError, proof::RepoPath};

/// Who stands outside of what is linked: the records of a directory, test files left out.
pub(super) type Outside<'a> = dyn Fn(&RepoPath) -> Result<Vec<Arc<Record>>, CatalogError> + Sync + 'a;

/// Scopes with what they leave open to each other, and what those outside leave open to them.
pub(super) fn carried<'a>(
    scopes: &[&'a Scope],
    ground: &Ground<'_>,
    outside: &Outside<'_>,
) -> Result<Vec<Draft<'a>>, CatalogError> {
    let mut drafts: Vec<Draft<'_>> = scopes.par_iter().map(|scope| draft(scope, ground)).collect();
    carry(&mut drafts, ground, outside)?;
    Ok(drafts)
}

/// The records of drafts to which everything that is left open has been carried.
pub(super) fn finished(
    drafts: Vec<Draft<'_>>,
    ground: &Ground<'_>,
    configured: &Configured<'_>,
) -> Result<Vec<Record>, CatalogError> {
    let failed = |source| CatalogError::git(ground.tree, source);
    drafts.into_par_iter().map(|draft| finish(draft, ground, configured).map_err(failed)).collect()
}

/// Links a scope that nothing which is called leaves a path open to.
pub(super) fn link_alone(
    scope: &Scope,
    ground: &Ground<'_>,
    configured: &Configured<'_>,
) -> Result<Record, GitError> {
    finish(draft(scope, ground), ground, configured)
}

/// Carries open reads up along the calls until nothing new arrives anywhere.
fn carry(drafts: &mut [Draft<'_>], ground: &Ground<'_>, outside: &Outside<'_>) -> Result<(), CatalogError> {
    let failed = |source| CatalogError::git(ground.tree, source);
    // Terragrunt's configuration says how a directory is run; who calls that reads the rest.
    let terragrunt = DialectName::terragrunt();
    let lends = |dialect: u8| ground.dialects[usize::from(dialect)].name() != terragrunt;
    let mut standing: HashMap<&RepoPath, Vec<usize>> = HashMap::new();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| !draft.scope.key.test) {
        standing.entry(&draft.scope.directory).or_default().push(at);
    }
    // Who calls whom, by which call; and what comes in from outside.
    let mut callers: HashMap<usize, Vec<(usize, Option<usize>)>> = HashMap::new();
    let mut incoming = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        let mut directories: Vec<(&RepoPath, Option<usize>)> = Vec::new();
        let calls = draft.targets.iter().enumerate();
        directories.extend(calls.filter_map(|(call, target)| Some((target.as_ref()?, Some(call)))));
        directories.extend(draft.scope.key.test.then_some((&draft.scope.directory, None)));
        for (directory, call) in directories {
            let called = standing.get(directory).into_iter().flatten();
            for &target in called.filter(|&&target| target != at && lends(drafts[target].scope.key.dialect)) {
                callers.entry(target).or_default().push((at, call));
            }
            incoming.push((at, call, directory.clone()));
        }
    }
    drop(standing);
    for (at, call, directory) in incoming {
        for record in outside(&directory)?.iter().filter(|record| lends(record.key.dialect)) {
            let default = |name: &str| record.defaults.get(name);
            drafts[at].inherit(call, record.open.iter(), &default, ground).map_err(failed)?;
        }
    }
    let mut work: VecDeque<usize> = (0..drafts.len()).filter(|&at| !drafts[at].opens.is_empty()).collect();
    let mut waiting: HashSet<usize> = work.iter().copied().collect();
    while let Some(at) = work.pop_front() {
        waiting.remove(&at);
        let Some(calling) = callers.get(&at) else { continue };
        let opens = drafts[at].news();
        let scope = drafts[at].scope;
        let asked = opens.iter().any(|open| names_variable(&open.value));
        let nothing = HashMap::new();
        let defaults = match asked {
            true => scope.defaults(ground).map_err(failed)?,
            false => &nothing,
        };
        for &(caller, call) in calling {
            let default = |name: &str| defaults.get(name);
            let news = drafts[caller].inherit(call, opens.iter(), &default, ground).map_err(failed)?;
            if news && waiting.insert(caller) {
                work.push_back(caller);
            }
        }
    }
    Ok(())
}
