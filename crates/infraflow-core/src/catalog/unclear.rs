//! What of a tree could not be understood, or not be followed to its end.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Catalog, CatalogError, Role, Unparsable,
    each::{FEW_LOOKS, each},
    ground::claims,
    view::RecordId,
};
use crate::{
    git::{GitError, ObjectId},
    proof::RepoPath,
};

/// Parsing all files of more scopes than this takes longer than the answer is worth.
const MOST_CHECKED: usize = 1_000;

/// Files that were parsed and could be understood, of each dialect: the other end of a change has most of them too.
#[derive(Default)]
pub(super) struct Whole(Mutex<HashSet<(u8, RepoPath, ObjectId)>>);

impl Whole {
    fn known(&self) -> MutexGuard<'_, HashSet<(u8, RepoPath, ObjectId)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Catalog {
    /// Files that could not be understood, sorted by path. Whatever could be in them counts as changed. Parses
    /// all configuration.
    ///
    /// # Errors
    /// As [`Catalog::units`], and [`CatalogError::Git`] where the tree cannot be read.
    pub fn unparsable(&self) -> Result<Vec<Unparsable>, CatalogError> {
        let mut found = broken(self, &self.view().all()?)?;
        let failed = |source| CatalogError::git(self.tree(), source);
        for entry in self.tree().walk(&RepoPath::root()).map_err(failed)? {
            let mut claims = claims(&self.makings().dialects, &entry.path);
            let given = claims.find(|(_, claim)| matches!(claim.role, Role::Values | Role::AutomaticValues));
            let Some((dialect, _)) = given.filter(|_| entry.mode.is_file()) else { continue };
            match self.tree().read_entry(&entry) {
                Ok(content) => {
                    found.extend(self.makings().dialects[usize::from(dialect)].check(&entry.path, &content));
                }
                Err(GitError::TooLarge { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        self.makings().sound()?;
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// What a person should know about this catalog, in sentences.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn warnings(&self) -> Result<Vec<String>, CatalogError> {
        let mut found = Vec::new();
        for id in self.view().all()? {
            found.extend(self.warnings_of(id)?);
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The files of scopes that could not be understood. Of more than [`MOST_CHECKED`] scopes, only the files
    /// with references are looked at.
    pub(crate) fn broken_in(&self, ids: &[RecordId]) -> Result<Vec<Unparsable>, CatalogError> {
        if ids.len() <= MOST_CHECKED {
            return broken(self, ids);
        }
        let mut found = Vec::new();
        for &id in ids {
            found.extend(self.view().record(id)?.unparsable.iter().cloned().map(Into::into));
        }
        Ok(found)
    }

    /// What a person should know about a scope.
    pub(crate) fn warnings_of(&self, id: RecordId) -> Result<Vec<String>, CatalogError> {
        let record = self.view().record(id)?;
        let shared = self.shared_by(&record)?;
        let mut found: Vec<String> =
            shared.iter().flat_map(|it| it.variants.warnings.iter().cloned()).collect();
        if !record.warnings.is_empty() {
            let run = self.sort_of(&record)?.is_run();
            let holding = record.warnings.iter().filter(|(when_run, _)| run || !when_run);
            found.extend(holding.map(|(_, text)| text.clone()));
        }
        Ok(found)
    }
}

/// The files of some scopes that could not be understood, by parsing all of them.
fn broken(catalog: &Catalog, ids: &[RecordId]) -> Result<Vec<Unparsable>, CatalogError> {
    let failed = |source| CatalogError::git(catalog.tree(), source);
    let makings = catalog.makings();
    let found = each(FEW_LOOKS, ids, |&id| {
        let record = catalog.view().record(id)?;
        let mut found: Vec<Unparsable> = record.unparsable.iter().cloned().map(Into::into).collect();
        let files = match record.key.test {
            true => catalog.tree().entry(&record.key.at).map_err(failed)?.into_iter().collect(),
            false => catalog.tree().list(&record.key.at).map_err(failed)?,
        };
        for entry in files.into_iter().filter(|entry| entry.mode.is_file()) {
            let mut claims = claims(&makings.dialects, &entry.path);
            let own = claims.any(|(dialect, claim)| {
                let test = matches!(claim.scope, super::Scope::File) || claim.role == Role::Test;
                let configures = matches!(claim.role, Role::Configuration | Role::Test);
                dialect == record.key.dialect && configures && test == record.key.test
            });
            if own
                && !found.iter().any(|file| file.path == entry.path)
                && !catalog.is_hidden(&entry.path, record.key.dialect)?
            {
                let file = (record.key.dialect, entry.path.clone(), entry.id);
                if makings.whole.known().contains(&file) {
                    continue;
                }
                match catalog.tree().read_entry(&entry) {
                    Ok(content) => match makings.dialects[usize::from(file.0)].check(&entry.path, &content) {
                        Some(broken) => found.push(broken),
                        None => drop(makings.whole.known().insert(file)),
                    },
                    Err(GitError::TooLarge { .. }) => {}
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        Ok(found)
    });
    let found = found.into_iter().collect::<Result<Vec<_>, CatalogError>>()?.into_iter().flatten().collect();
    makings.sound()?;
    Ok(found)
}
