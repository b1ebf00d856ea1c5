//! Values that variable files near a directory can give to its variables.

use std::collections::HashMap;

use super::{
    Definition, Role,
    ground::{Ground, claims},
    shared::variants_of,
};
use crate::{
    git::{Entry, GitError, Mode},
    proof::RepoPath,
    terraform::facts::StaticValue,
};

/// Values by the variable's name.
pub(super) type Values = HashMap<String, Vec<StaticValue>>;

/// More directories below a unit than this are not searched for variable files.
const MOST_DIRECTORIES: usize = 1_000;

/// The values that variable files near a directory give, all together.
pub(super) fn of_files(
    ground: &Ground<'_>,
    directory: &RepoPath,
    configured: &dyn Fn(&RepoPath) -> bool,
) -> Result<Values, GitError> {
    let files = files(ground, directory, configured)?;
    Ok(together(files.iter().map(|(_, values)| values)))
}

/// The values of some files, without repetition.
pub(super) fn together<'a>(files: impl Iterator<Item = &'a Values>) -> Values {
    let mut all = Values::new();
    for (name, values) in files.flatten() {
        all.entry(name.clone()).or_default().extend(values.iter().cloned());
    }
    all.values_mut().for_each(|values| {
        values.sort();
        values.dedup();
    });
    all
}

/// The variable files of a directory, of directories below it without configuration of their own, and of
/// those above it: whoever runs there may name any of them to the tool. And those that are declared for the
/// units of the directory, wherever they stand.
pub(super) fn files(
    ground: &Ground<'_>,
    directory: &RepoPath,
    configured: &dyn Fn(&RepoPath) -> bool,
) -> Result<Vec<(RepoPath, Values)>, GitError> {
    let mut files = Vec::new();
    let mut open = vec![directory.clone()];
    let mut seen = 0;
    while let Some(at) = open.pop() {
        seen += 1;
        for entry in ground.tree.list(&at)? {
            match entry.mode {
                Mode::Directory if seen < MOST_DIRECTORIES && !configured(&entry.path) => {
                    open.push(entry.path)
                }
                Mode::Directory | Mode::Submodule => {}
                _ => files.push((entry, at == *directory)),
            }
        }
    }
    let mut above = directory.parent();
    while let Some(at) = above {
        if !configured(&at) {
            let entries = ground.tree.list(&at)?.into_iter();
            let entries = entries.filter(|entry| !matches!(entry.mode, Mode::Directory | Mode::Submodule));
            files.extend(entries.map(|entry| (entry, false)));
        }
        above = at.parent();
    }
    let declared = variants_of(ground.tree, directory, ground.rules, false)?;
    for file in declared.all.iter().flat_map(|variant| &variant.var_files) {
        if !files.iter().any(|(entry, _)| entry.path == *file) {
            files.extend(ground.tree.entry(file)?.map(|entry| (entry, false)));
        }
    }
    let mut found = Vec::new();
    for (entry, own) in files {
        let values = take(ground, &entry, own)?;
        if !values.is_empty() {
            found.push((entry.path, values));
        }
    }
    Ok(found)
}

fn take(ground: &Ground<'_>, entry: &Entry, own: bool) -> Result<Values, GitError> {
    let mut values = Values::new();
    for (dialect, claim) in claims(ground.dialects, &entry.path) {
        let counts = match claim.role {
            Role::AutomaticValues => own,
            Role::Values => true,
            _ => false,
        };
        if !counts {
            continue;
        }
        let file = ground.read(entry, &*ground.dialects[usize::from(dialect)])?;
        for definition in file.facts.definitions {
            if let Definition::Value(name, value) = definition {
                values.entry(name).or_default().push(value);
            }
        }
    }
    Ok(values)
}
