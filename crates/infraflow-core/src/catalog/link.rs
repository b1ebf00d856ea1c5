//! From scopes to records: calls are resolved, and paths that a caller has to fill in travel up to it.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use super::{
    CatalogError, DialectName,
    draft::{Draft, draft},
    each::{FEW_SCOPES, each},
    fill::names_variable,
    ground::Ground,
    handed::Handed,
    record::{Key, Record},
    scope::{Configured, Scope},
    settle::finish,
    travelling::Calling,
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
    let mut drafts: Vec<Draft<'_>> = each(FEW_SCOPES, scopes, |scope| draft(scope, ground));
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
    each(FEW_SCOPES, drafts, |draft| finish(draft, ground, configured).map_err(failed)).into_iter().collect()
}

/// Links a scope that nothing which is called leaves a path open to.
pub(super) fn link_alone(
    scope: &Scope,
    ground: &Ground<'_>,
    configured: &Configured<'_>,
) -> Result<Record, GitError> {
    finish(draft(scope, ground), ground, configured)
}

/// Who is called: a scope that is linked, by its place, or one that stands outside.
enum Called {
    Inside(usize),
    Outside(Arc<Record>),
}

/// Carries open reads up along the calls: from a scope once everything has been carried to it, so that what arrives
/// does not depend on what else is linked. Where calls go in circles, until nothing new arrives anywhere.
fn carry(drafts: &mut [Draft<'_>], ground: &Ground<'_>, outside: &Outside<'_>) -> Result<(), CatalogError> {
    let failed = |source| CatalogError::git(ground.tree, source);
    let called = called_by(drafts, ground, outside)?;
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
    let mut waits_for: Vec<usize> = vec![0; drafts.len()];
    for (at, called) in called.iter().enumerate() {
        for (_, called) in called {
            if let Called::Inside(target) = called {
                callers[*target].push(at);
                waits_for[at] += 1;
            }
        }
    }
    let mut carrier = Carrier { drafts, ground, handed: Handed::default(), numbers: HashMap::new() };
    let mut ready: VecDeque<usize> = (0..waits_for.len()).filter(|&at| waits_for[at] == 0).collect();
    let mut is_done = vec![false; waits_for.len()];
    while let Some(at) = ready.pop_front() {
        for (call, called) in &called[at] {
            carrier.take_in(at, *call, called).map_err(failed)?;
        }
        is_done[at] = true;
        for &caller in &callers[at] {
            waits_for[caller] -= 1;
            if waits_for[caller] == 0 {
                ready.push_back(caller);
            }
        }
    }
    let circling: Vec<usize> = (0..is_done.len()).filter(|&at| !is_done[at]).collect();
    if circling.is_empty() {
        return Ok(());
    }
    for &at in &circling {
        for (call, called) in &called[at] {
            if !matches!(called, Called::Inside(target) if !is_done[*target]) {
                carrier.take_in(at, *call, called).map_err(failed)?;
            }
        }
    }
    let mut calling: HashMap<usize, Vec<(usize, Option<usize>)>> = HashMap::new();
    for &at in &circling {
        for (call, called) in &called[at] {
            if let Called::Inside(target) = called {
                calling.entry(*target).or_default().push((at, *call));
            }
        }
    }
    carrier.carry_around(&circling, &calling).map_err(failed)
}

/// For each draft, whom it calls and by which call, in the order of its calls.
#[expect(clippy::type_complexity, reason = "a list for each draft")]
fn called_by(
    drafts: &[Draft<'_>],
    ground: &Ground<'_>,
    outside: &Outside<'_>,
) -> Result<Vec<Vec<(Option<usize>, Called)>>, CatalogError> {
    // Terragrunt's configuration says how a directory is run; who calls that reads the rest.
    let terragrunt = DialectName::terragrunt();
    let lends = |dialect: u8| ground.dialects[usize::from(dialect)].name() != terragrunt;
    let mut standing: HashMap<&RepoPath, Vec<usize>> = HashMap::new();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| !draft.scope.key.test) {
        standing.entry(&draft.scope.directory).or_default().push(at);
    }
    let called = drafts.iter().enumerate().map(|(at, draft)| {
        let mut all = Vec::new();
        let mut directories: Vec<(&RepoPath, Option<usize>)> = Vec::new();
        let calls = draft.targets.iter().enumerate();
        directories.extend(calls.filter_map(|(call, target)| Some((target.as_ref()?, Some(call)))));
        directories.extend(draft.scope.key.test.then_some((&draft.scope.directory, None)));
        for (directory, call) in directories {
            let inside = standing.get(directory).into_iter().flatten().filter(|&&target| target != at);
            let inside = inside.map(|&target| (drafts[target].scope.key.dialect, Called::Inside(target)));
            let beyond = outside(directory)?.into_iter().filter(|record| !record.open.is_empty());
            let beyond = beyond.map(|record| (record.key.dialect, Called::Outside(record)));
            let mut here: Vec<(u8, Called)> = inside.chain(beyond).collect();
            here.retain(|(dialect, _)| lends(*dialect));
            here.sort_by_key(|(dialect, _)| *dialect);
            all.extend(here.into_iter().map(|(_, called)| (call, called)));
        }
        Ok(all)
    });
    called.collect()
}

struct Carrier<'d, 'a, 'g> {
    drafts: &'d mut [Draft<'a>],
    ground: &'d Ground<'g>,
    handed: Handed,
    /// Those outside are numbered behind the others.
    numbers: HashMap<Key, usize>,
}

impl Carrier<'_, '_, '_> {
    /// Carries what one scope leaves open to one that calls it.
    fn take_in(&mut self, at: usize, call: Option<usize>, called: &Called) -> Result<(), GitError> {
        match called {
            Called::Inside(target) => {
                let lent = self.drafts[*target].lend();
                let nothing = HashMap::new();
                let defaults = match lent.opens().any(|open| names_variable(&open.value)) {
                    true => self.drafts[*target].scope.defaults(self.ground)?,
                    false => &nothing,
                };
                let default = |name: &str| defaults.get(name);
                let calling = Calling { call, called: *target };
                let handed = &mut self.handed;
                self.drafts[at].inherit(calling, lent.opens(), &default, handed, self.ground)?;
                self.drafts[*target].take_back(lent);
            }
            Called::Outside(record) => {
                let next = self.drafts.len() + self.numbers.len();
                let called = *self.numbers.entry(record.key.clone()).or_insert(next);
                let default = |name: &str| record.defaults.get(name);
                let (calling, handed) = (Calling { call, called }, &mut self.handed);
                self.drafts[at].inherit(calling, record.open.iter(), &default, handed, self.ground)?;
            }
        }
        Ok(())
    }

    /// Carries among scopes that call one another until nothing new arrives anywhere.
    fn carry_around(
        &mut self,
        circling: &[usize],
        calling: &HashMap<usize, Vec<(usize, Option<usize>)>>,
    ) -> Result<(), GitError> {
        let with_reads = circling.iter().copied().filter(|&at| !self.drafts[at].opens.is_empty());
        let mut work: VecDeque<usize> = with_reads.collect();
        let mut waiting: HashSet<usize> = work.iter().copied().collect();
        while let Some(at) = work.pop_front() {
            waiting.remove(&at);
            let Some(calling) = calling.get(&at) else { continue };
            let opens = self.drafts[at].news();
            let scope = self.drafts[at].scope;
            let nothing = HashMap::new();
            let defaults = match opens.iter().any(|open| names_variable(&open.value)) {
                true => scope.defaults(self.ground)?,
                false => &nothing,
            };
            for &(caller, call) in calling {
                let default = |name: &str| defaults.get(name);
                let (calling, handed) = (Calling { call, called: at }, &mut self.handed);
                let news =
                    self.drafts[caller].inherit(calling, opens.iter(), &default, handed, self.ground)?;
                if news && waiting.insert(caller) {
                    work.push_back(caller);
                }
            }
        }
        Ok(())
    }
}
