//! Values that variable files near a directory can give to its variables.

use std::collections::{HashMap, HashSet};

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

/// What a variable can be given.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    pub(super) values: Vec<StaticValue>,
    /// Whether it is always given one of these, so that its default does not count: a file says so that is read
    /// without being named.
    pub(super) always: bool,
}

/// Values by the variable's name.
pub(super) type Values = HashMap<String, Given>;

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
    for (name, given) in files.flatten() {
        let known: &mut Given = all.entry(name.clone()).or_default();
        known.values.extend(given.values.iter().cloned());
        known.always |= given.always;
    }
    all.values_mut().for_each(|given| {
        given.values.sort();
        given.values.dedup();
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
    without_what_others_replace(&mut found);
    Ok(found)
}

/// Of the files that are read without being named, the last one that gives a variable a value counts: in the order of
/// their names, but for `terraform.tfvars` and then `terraform.tfvars.json`, which come first
/// (<https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence>).
fn without_what_others_replace(files: &mut [(RepoPath, Values)]) {
    let place = |path: &RepoPath| match path.file_name() {
        b"terraform.tfvars" => (0, RepoPath::root()),
        b"terraform.tfvars.json" => (1, RepoPath::root()),
        _ => (2, path.clone()),
    };
    let is_automatic = |values: &Values| values.values().any(|given| given.always);
    let mut automatic: Vec<&mut (RepoPath, Values)> =
        files.iter_mut().filter(|(_, values)| is_automatic(values)).collect();
    automatic.sort_by_key(|(path, _)| std::cmp::Reverse(place(path)));
    let mut given: HashSet<String> = HashSet::new();
    for (_, values) in automatic {
        values.retain(|name, _| !given.contains(name));
        given.extend(values.iter().filter(|(_, given)| given.always).map(|(name, _)| name.clone()));
    }
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
        let certain = claim.role == Role::AutomaticValues && file.facts.unparsable.is_empty();
        for definition in file.facts.definitions {
            if let Definition::Value(name, value) = definition {
                // A variable that may not be null has its default then.
                let always = certain && value != StaticValue::Null;
                let given = values.entry(name).or_default();
                given.values.push(value);
                given.always |= always;
            }
        }
    }
    Ok(values)
}
