//! Many files of a tree, read by all cores.

use rayon::prelude::*;

use super::{Entry, GitError, ObjectId, Tree, objects::Objects, working_file};

/// The most files that are read through one handle before the next is taken, and the fewest that are worth
/// one.
const IN_A_ROW: std::ops::RangeInclusive<usize> = 16..=256;

impl Tree {
    /// Shows each of some files and links of this tree, whole, to a piece of work, in parallel; what comes of
    /// it is returned in the order of the entries. One handle reads many files, so this is the way to read
    /// thousands; in order of their paths they are read fastest, since that is about how git packs them.
    /// Nothing but what `work` keeps stays in memory.
    ///
    /// What keeps one file from being read ([`GitError::TooLarge`], [`GitError::FileChanged`]) is shown to
    /// `work` in place of its bytes, and is for it to judge: it returns it, or makes something of it.
    ///
    /// # Errors
    /// What `work` returns for the first entry where it fails; [`GitError::MissingObjects`] in a partial
    /// clone, naming all of `entries` that are not there, so that they are fetched in one batch.
    pub fn read_all<T, E>(
        &self,
        entries: &[Entry],
        work: impl Fn(&Entry, Result<&[u8], GitError>) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, E>
    where
        T: Send,
        E: From<GitError> + Send,
    {
        let in_a_row =
            (entries.len() / (8 * rayon::current_num_threads())).clamp(*IN_A_ROW.start(), *IN_A_ROW.end());
        let read = |objects: &Objects<'_>, entry: &Entry| {
            if self.is_on_disk(entry) {
                let bytes = working_file::read(self.repository().root(), entry, Self::READ_LIMIT);
                return match &bytes {
                    Ok(bytes) => work(entry, Ok(bytes)),
                    Err(_) => work(entry, bytes.map(|_| &[][..])),
                }
                .map_err(Stop::Work);
            }
            let mut done = None;
            match objects.blob(entry, Self::READ_LIMIT, |bytes| done = Some(work(entry, Ok(bytes)))) {
                Err(GitError::MissingObjects { .. }) => Err(Stop::Missing(entry.id)),
                Err(error) => work(entry, Err(error)).map_err(Stop::Work),
                // The work was done, since the file could be shown.
                Ok(()) => done.ok_or(Stop::Missing(entry.id))?.map_err(Stop::Work),
            }
        };
        let parts: Vec<Result<Vec<T>, Stop<E>>> = entries
            .par_chunks(in_a_row)
            .map(|entries| {
                self.repository()
                    .with_objects(|objects| entries.iter().map(|entry| read(objects, entry)).collect())
            })
            .collect();
        let mut all = Vec::with_capacity(entries.len());
        for part in parts {
            match part {
                Ok(mut part) => all.append(&mut part),
                Err(Stop::Work(error)) => return Err(error),
                Err(Stop::Git(error)) => return Err(error.into()),
                Err(Stop::Missing(id)) => return Err(self.missing_among(entries, id)?.into()),
            }
        }
        Ok(all)
    }

    /// The error that names all of some entries whose blobs are not in this clone, or at least the one that
    /// was come upon.
    fn missing_among(&self, entries: &[Entry], found: ObjectId) -> Result<GitError, GitError> {
        let mut ids: Vec<_> = self.missing(entries)?.into_iter().map(ObjectId::from).collect();
        if ids.is_empty() {
            ids.push(found);
        }
        Ok(GitError::MissingObjects { path: self.repository().root().to_owned(), ids })
    }
}

/// Why reading ended early.
enum Stop<E> {
    Work(E),
    Git(GitError),
    Missing(ObjectId),
}

impl<E> From<GitError> for Stop<E> {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}
