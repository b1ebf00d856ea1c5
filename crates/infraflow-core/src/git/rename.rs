//! Which of the files that came are files that went: git's rule (diffcore-rename.c), so that the answer is
//! the one of `git diff -M`. Equal content first; then similar content under the same file name, where
//! that name went once and came once; then the most similar of what is left.

use std::collections::{BTreeSet, HashMap};

use super::{
    Entry, GitError, ObjectId, Tree,
    compare::Pair,
    similarity::{self, MOST, Pieces},
};

/// Half of the content must be the same (`git diff -M` without a number).
const LEAST: u64 = MOST / 2;

/// Under the same file name, three quarters, since no other file is looked at (`GIT_BASENAME_FACTOR`).
const LEAST_SAME_NAME: u64 = LEAST + (MOST - LEAST) / 2;

/// Git's `diff.renameLimit`: with more pairs than this squared, only equal content is looked for.
const MOST_FILES: usize = 1000;

/// What is read in all before similar content is no longer looked for: 512 MiB.
const MOST_READ: u64 = 512 << 20;

/// How many sources git keeps in mind for each destination.
const CANDIDATES: usize = 4;

/// Where what came is from.
pub(super) struct Paired {
    pub(super) pair: Pair,
    /// What is left where it came from is there still, or moved to yet another place.
    pub(super) copied: bool,
}

/// Pairs what went with what came; what has no counterpart stands alone. With `kept`, the older states of
/// files that are still there, copies of these and of what went are found too (`git diff -C`).
pub(super) fn pair_renames(
    old: &Tree,
    new: &Tree,
    gone: Vec<Entry>,
    come: Vec<Entry>,
    kept: Option<Vec<Entry>>,
) -> Result<Vec<Paired>, GitError> {
    let mut pairs = Pairs::new(gone, come, kept);
    if !pairs.gone.is_empty() && !pairs.come.is_empty() {
        new.repository().patient_among(pairs.gone.len(), pairs.come.len())?;
        pairs.take_equal();
        let mut contents = Contents { old, new, sizes: HashMap::new(), pieces: HashMap::new(), read: 0 };
        contents.require(&pairs)?;
        if !pairs.copies {
            pairs.take_same_name(&mut contents)?;
        }
        pairs.take_similar(&mut contents)?;
    }
    Ok(pairs.finish())
}

struct Pairs {
    /// What may be the source of something: what went, and with copies what is still there.
    gone: Vec<Entry>,
    come: Vec<Entry>,
    copies: bool,
    /// For each source, how many have it: itself, where it is still there, and all that were made of it
    /// (`rename_used`).
    used: Vec<usize>,
    /// For each source, whether it is still there.
    there: Vec<bool>,
    /// For each that came, from which it came.
    from: Vec<Option<usize>>,
}

impl Pairs {
    fn new(gone: Vec<Entry>, come: Vec<Entry>, kept: Option<Vec<Entry>>) -> Self {
        let copies = kept.is_some();
        let mut sources: Vec<(Entry, bool)> = gone.into_iter().map(|entry| (entry, false)).collect();
        sources.extend(kept.into_iter().flatten().map(|entry| (entry, true)));
        sources.sort();
        let (gone, there): (Vec<_>, Vec<_>) = sources.into_iter().unzip();
        let used = there.iter().map(|&there| usize::from(there)).collect();
        Self { copies, used, there, from: vec![None; come.len()], gone, come }
    }

    fn take(&mut self, source: usize, destination: usize) {
        self.used[source] += 1;
        self.from[destination] = Some(source);
    }

    /// Whether a source may be taken once more.
    fn is_free(&self, source: usize) -> bool {
        self.copies || self.used[source] == 0
    }

    fn open_sources(&self) -> Vec<usize> {
        (0..self.gone.len()).filter(|&source| self.is_free(source)).collect()
    }

    fn open_destinations(&self) -> Vec<usize> {
        (0..self.come.len()).filter(|&destination| self.from[destination].is_none()).collect()
    }

    fn same_name(&self, source: usize, destination: usize) -> bool {
        self.gone[source].path.file_name() == self.come[destination].path.file_name()
    }

    /// `find_exact_renames`: of the sources with the same content, the first, but rather one that nobody has
    /// yet, and rather one with the same file name. Links and submodules are renamed only so.
    fn take_equal(&mut self) {
        let mut by_id: HashMap<ObjectId, Vec<usize>> = HashMap::new();
        for (source, entry) in self.gone.iter().enumerate() {
            by_id.entry(entry.id).or_default().push(source);
        }
        for destination in 0..self.come.len() {
            let entry = &self.come[destination];
            let fits = |source: &&usize| {
                let mode = self.gone[**source].mode;
                self.is_free(**source) && (mode == entry.mode || (mode.is_file() && entry.mode.is_file()))
            };
            let Some(sources) = by_id.get(&entry.id) else { continue };
            let rank = |source: usize| {
                u8::from(self.used[source] == 0) + u8::from(self.same_name(source, destination))
            };
            // The first of the best: `max_by_key` would give the last.
            let best = sources
                .iter()
                .filter(fits)
                .copied()
                .reduce(|best, source| if rank(source) > rank(best) { source } else { best });
            if let Some(source) = best {
                self.take(source, destination);
            }
        }
    }

    /// `find_basename_matches`.
    fn take_same_name(&mut self, contents: &mut Contents<'_>) -> Result<(), GitError> {
        let once = |names: Vec<(Vec<u8>, usize)>| {
            let mut once: HashMap<Vec<u8>, Option<usize>> = HashMap::new();
            for (name, at) in names {
                once.entry(name).and_modify(|at| *at = None).or_insert(Some(at));
            }
            once
        };
        let named = |entries: &[Entry], open: Vec<usize>| {
            open.into_iter().map(|at| (entries[at].path.file_name().to_vec(), at)).collect()
        };
        let sources = once(named(&self.gone, self.open_sources()));
        let destinations = once(named(&self.come, self.open_destinations()));
        for source in self.open_sources() {
            let name = self.gone[source].path.file_name();
            if let (Some(Some(_)), Some(&Some(destination))) = (sources.get(name), destinations.get(name))
                && contents.score(&self.gone[source], &self.come[destination], LEAST_SAME_NAME)?
                    >= LEAST_SAME_NAME
            {
                self.take(source, destination);
            }
        }
        Ok(())
    }

    /// The matrix of `diffcore_rename_extended`.
    fn take_similar(&mut self, contents: &mut Contents<'_>) -> Result<(), GitError> {
        let (sources, destinations) = (self.open_sources(), self.open_destinations());
        if sources.len().saturating_mul(destinations.len()) > MOST_FILES * MOST_FILES {
            return Ok(());
        }
        let mut candidates = Vec::new();
        for &destination in &destinations {
            let mut best: Vec<Candidate> = Vec::new();
            for &source in &sources {
                let score = contents.score(&self.gone[source], &self.come[destination], LEAST)?;
                let same_name = self.same_name(source, destination);
                best.push(Candidate { score, same_name, source, destination });
                keep_best(&mut best);
            }
            candidates.append(&mut best);
        }
        candidates.sort_by_key(Candidate::rank);
        candidates.retain(|candidate| candidate.score >= LEAST);
        // What moved first, and then what is a copy of what somebody has (`find_renames`, twice).
        for copies in [false, true].into_iter().take(1 + usize::from(self.copies)) {
            for candidate in &candidates {
                let free = copies || self.used[candidate.source] == 0;
                if free && self.from[candidate.destination].is_none() {
                    self.take(candidate.source, candidate.destination);
                }
            }
        }
        Ok(())
    }

    /// Of several that were made of one source, and where that is gone, the last by path moved and the others
    /// are copies (`diff_resolve_rename_copy`).
    fn finish(self) -> Vec<Paired> {
        let mut used = self.used;
        let mut paired = Vec::with_capacity(self.gone.len() + self.come.len());
        for (entry, source) in self.come.into_iter().zip(&self.from) {
            let copied = source.is_some_and(|source| {
                used[source] -= 1;
                used[source] > 0
            });
            paired
                .push(Paired { pair: (source.map(|source| self.gone[source].clone()), Some(entry)), copied });
        }
        let taken: BTreeSet<usize> = self.from.into_iter().flatten().collect();
        for (source, entry) in self.gone.into_iter().enumerate() {
            if !self.there[source] && !taken.contains(&source) {
                paired.push(Paired { pair: (Some(entry), None), copied: false });
            }
        }
        paired
    }
}

#[derive(Clone, Copy)]
struct Candidate {
    score: u64,
    same_name: bool,
    source: usize,
    destination: usize,
}

impl Candidate {
    /// The most similar first, and of equally similar ones that with the same file name (`score_compare`).
    fn rank(&self) -> (std::cmp::Reverse<u64>, std::cmp::Reverse<bool>) {
        (std::cmp::Reverse(self.score), std::cmp::Reverse(self.same_name))
    }
}

/// `record_if_better`: a full list gives up its worst for a better one, which takes that one's place.
fn keep_best(best: &mut Vec<Candidate>) {
    if best.len() <= CANDIDATES {
        return;
    }
    let Some(offered) = best.pop() else { return };
    let mut worst = 0;
    for at in 1..best.len() {
        if best[at].rank() > best[worst].rank() {
            worst = at;
        }
    }
    if best[worst].rank() > offered.rank() {
        best[worst] = offered;
    }
}

/// The contents that were looked at, each read and cut to pieces once.
struct Contents<'a> {
    old: &'a Tree,
    new: &'a Tree,
    sizes: HashMap<ObjectId, u64>,
    pieces: HashMap<ObjectId, Pieces>,
    read: u64,
}

impl Contents<'_> {
    /// Names all blobs that are missing at once, so that they can be fetched in one batch.
    fn require(&self, pairs: &Pairs) -> Result<(), GitError> {
        let is_file = |entry: &&Entry| entry.mode.is_file();
        let sources = pairs.open_sources();
        let gone: Vec<&Entry> = sources.iter().map(|&at| &pairs.gone[at]).filter(is_file).collect();
        let destinations = pairs.open_destinations();
        let come: Vec<&Entry> = destinations.iter().map(|&at| &pairs.come[at]).filter(is_file).collect();
        if gone.is_empty() || come.is_empty() {
            return Ok(());
        }
        let mut missing: BTreeSet<ObjectId> = BTreeSet::new();
        for (tree, entries) in [(self.old, gone), (self.new, come)] {
            missing.extend(tree.missing(entries)?.into_iter().map(ObjectId::from));
        }
        if missing.is_empty() {
            return Ok(());
        }
        let path = self.old.repository().root().to_owned();
        Err(GitError::MissingObjects { path, ids: missing.into_iter().collect() })
    }

    /// `estimate_similarity`: 0 where sizes alone rule out `least`.
    fn score(&mut self, gone: &Entry, come: &Entry, least: u64) -> Result<u64, GitError> {
        if !gone.mode.is_file() || !come.mode.is_file() {
            return Ok(0);
        }
        let (old_size, new_size) = (self.size(self.old, gone)?, self.size(self.new, come)?);
        if similarity::sizes_rule_out(old_size, new_size, least) {
            return Ok(0);
        }
        self.cut(self.old, gone)?;
        self.cut(self.new, come)?;
        match (self.pieces.get(&gone.id), self.pieces.get(&come.id)) {
            (Some(old), Some(new)) => Ok(similarity::score(old, old_size, new, new_size)),
            _ => Ok(0),
        }
    }

    fn size(&mut self, tree: &Tree, entry: &Entry) -> Result<u64, GitError> {
        if let Some(&size) = self.sizes.get(&entry.id) {
            return Ok(size);
        }
        let size = tree.size(entry)?;
        self.sizes.insert(entry.id, size);
        Ok(size)
    }

    /// Reads a file, unless it or all of them together are too large.
    fn cut(&mut self, tree: &Tree, entry: &Entry) -> Result<(), GitError> {
        if self.pieces.contains_key(&entry.id) {
            return Ok(());
        }
        let size = self.size(tree, entry)?;
        if size > Tree::READ_LIMIT || self.read + size > MOST_READ {
            return Ok(());
        }
        self.read += size;
        self.pieces.insert(entry.id, Pieces::of(&tree.read_entry(entry)?));
        Ok(())
    }
}
