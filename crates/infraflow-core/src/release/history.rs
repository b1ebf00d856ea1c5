use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{ReleaseError, ReleaseRules, conventional::Message, sources::Sources};
use crate::{
    git::{Commit, CommitId, GitError, Repository, Revision},
    proof::RepoPath,
};

/// The commits since each module's last tag that changed something its callers get, read in one walk.
pub(super) struct History {
    /// Per commit, the newest first: its message and whose files it changed.
    commits: Vec<Entry>,
    /// Per commit, which of the bases it is part of.
    within: HashMap<CommitId, Vec<u64>>,
    /// The place of each base in those sets.
    bases: BTreeMap<CommitId, usize>,
}

struct Entry {
    commit: Commit,
    message: Message,
    touched: BTreeMap<RepoPath, Vec<RepoPath>>,
}

/// A commit that changed a module, and by which files.
#[derive(Clone, Copy)]
pub(super) struct Touch<'a> {
    pub(super) commit: &'a Commit,
    pub(super) message: &'a Message,
    pub(super) files: &'a [RepoPath],
}

impl History {
    /// Reads the history from `head` back to where all of `bases` meet.
    pub(super) fn read(
        rules: &ReleaseRules,
        sources: &Sources,
        repository: &Repository,
        head: &CommitId,
        bases: BTreeSet<CommitId>,
    ) -> Result<Self, ReleaseError> {
        let bases: BTreeMap<CommitId, usize> =
            bases.into_iter().enumerate().map(|(at, base)| (base, at)).collect();
        let since = common(repository, bases.keys())?;
        let walked = match (&since, bases.is_empty()) {
            (_, true) => Vec::new(),
            (since, false) => repository.history(since.as_ref(), head)?,
        };
        let within = within(&walked, &bases);
        let mut commits = Vec::with_capacity(walked.len());
        for commit in walked {
            let mut touched: BTreeMap<RepoPath, Vec<RepoPath>> = BTreeMap::new();
            for file in changed(repository, &commit)? {
                for module in sources.shipped_by(rules, &file) {
                    touched.entry(module).or_default().push(file.clone());
                }
            }
            if !touched.is_empty() {
                let message = Message::parse(&commit.message);
                commits.push(Entry { commit, message, touched });
            }
        }
        Ok(Self { commits, within, bases })
    }

    /// The commits that `base` does not have and that changed a module, the newest first.
    pub(super) fn since<'a>(&'a self, base: &CommitId, module: &RepoPath) -> Vec<Touch<'a>> {
        let Some(&bit) = self.bases.get(base) else { return Vec::new() };
        self.commits
            .iter()
            .filter(|entry| !self.within.get(&entry.commit.id).is_some_and(|set| has(set, bit)))
            .filter_map(|entry| {
                let files = entry.touched.get(module)?;
                Some(Touch { commit: &entry.commit, message: &entry.message, files })
            })
            .collect()
    }
}

/// The newest commit that all of them stand on; `None` where there is none, and the whole history counts.
fn common<'a>(
    repository: &Repository,
    mut bases: impl Iterator<Item = &'a CommitId>,
) -> Result<Option<CommitId>, ReleaseError> {
    let Some(mut at) = bases.next().copied() else { return Ok(None) };
    for base in bases {
        at = match repository.merge_base(&at, base) {
            Ok(base) => base,
            Err(GitError::UnrelatedHistories { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
    }
    Ok(Some(at))
}

/// For each commit, which bases it is part of: passed on from children to parents, in one pass.
fn within(walked: &[Commit], bases: &BTreeMap<CommitId, usize>) -> HashMap<CommitId, Vec<u64>> {
    let words = bases.len().div_ceil(64);
    let mut sets: HashMap<CommitId, Vec<u64>> = HashMap::with_capacity(walked.len());
    for (base, bit) in bases {
        sets.entry(*base).or_insert_with(|| vec![0; words])[bit / 64] |= 1 << (bit % 64);
    }
    for commit in walked {
        let Some(set) = sets.get(&commit.id).cloned() else { continue };
        for parent in &commit.parents {
            let into = sets.entry(*parent).or_insert_with(|| vec![0; words]);
            into.iter_mut().zip(&set).for_each(|(into, from)| *into |= from);
        }
    }
    sets
}

fn has(set: &[u64], bit: usize) -> bool {
    set[bit / 64] & (1 << (bit % 64)) != 0
}

/// What a commit itself changed: of a merge, only what differs from all of its parents, since the rest came
/// by the commits that it merges.
fn changed(repository: &Repository, commit: &Commit) -> Result<BTreeSet<RepoPath>, ReleaseError> {
    if commit.parents.len() < 2 {
        return Ok(repository.changed_paths(&commit.id)?.into_iter().collect());
    }
    let new = repository.tree(&Revision::Commit(commit.id))?;
    let mut both: Option<BTreeSet<RepoPath>> = None;
    for parent in &commit.parents {
        let old = repository.tree(&Revision::Commit(*parent))?;
        let differing: BTreeSet<RepoPath> = repository.differing_paths(&old, &new)?.into_iter().collect();
        both = Some(match both {
            Some(both) => both.intersection(&differing).cloned().collect(),
            None => differing,
        });
    }
    Ok(both.unwrap_or_default())
}
