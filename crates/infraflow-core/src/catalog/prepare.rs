//! Files of dialects that want to be asked about many at once, read and understood before they are needed.

use std::{collections::HashMap, sync::Arc};

use super::{
    Dialect, Facts,
    each::{FEW_LOOKS, each},
    ground::Ground,
    group::Group,
};
use crate::{
    git::{Entry, GitError, Mode, ObjectId},
    proof::RepoPath,
};

/// The most bytes of files that are handed over at once.
const MOST_BYTES: usize = 64 << 20;

/// Facts by dialect, path and content.
#[derive(Default)]
pub(super) struct Prepared(HashMap<(String, RepoPath, ObjectId), Facts>);

impl Prepared {
    pub(super) fn facts(&self, dialect: &dyn Dialect, path: &RepoPath, id: ObjectId) -> Option<&Facts> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(dialect.name().as_str().to_owned(), path.clone(), id))
    }
}

impl Ground<'_> {
    /// Asks dialects that want it about all files of some scopes at once. Links and what is too large are left to
    /// whoever reads them one by one.
    pub(super) fn prepare<'g>(
        &mut self,
        groups: impl IntoIterator<Item = &'g Group> + Clone,
    ) -> Result<(), GitError> {
        for (number, dialect) in (0_u8..).zip(self.dialects) {
            if dialect.batch() < 2 {
                continue;
            }
            let own = groups.clone().into_iter().filter(|group| group.key.dialect == number);
            let files: Vec<&Entry> =
                own.flat_map(|group| &group.files).filter(|entry| entry.mode != Mode::Link).collect();
            for files in files.chunks(dialect.batch()) {
                let read = each(FEW_LOOKS, files, |entry| match self.tree.read_entry(entry) {
                    Ok(content) => Ok(Some((*entry, Arc::<[u8]>::from(content)))),
                    Err(GitError::TooLarge { .. }) => Ok(None),
                    Err(error) => Err(error),
                });
                let read = read.into_iter().collect::<Result<Vec<_>, _>>()?;
                let read: Vec<_> = read.into_iter().flatten().collect();
                self.ask(&**dialect, &read);
            }
        }
        Ok(())
    }

    /// Asks about files, no more bytes at once than is good.
    fn ask(&mut self, dialect: &dyn Dialect, mut files: &[(&Entry, Arc<[u8]>)]) {
        while !files.is_empty() {
            let mut bytes = 0;
            let fitting = files.iter().take_while(|(_, content)| {
                bytes += content.len();
                bytes <= MOST_BYTES
            });
            let (now, later) = files.split_at(fitting.count().max(1));
            let asked: Vec<_> =
                now.iter().map(|(entry, content)| (entry.path.clone(), Arc::clone(content))).collect();
            let name = dialect.name().as_str().to_owned();
            let answers = dialect.facts_of_each(&asked);
            let known = now.iter().zip(answers);
            self.prepared.0.extend(
                known.map(|((entry, _), facts)| ((name.clone(), entry.path.clone(), entry.id), facts)),
            );
            files = later;
        }
    }
}
