//! Reads the files that dialects claim, on all cores.

use std::{collections::HashMap, sync::Arc};

use rayon::prelude::*;

use super::{CatalogRules, Dialect, Facts, Role, Unparsable, listing::Listing, scope::ReadFile};
use crate::{
    git::{Entry, GitError, Mode, Tree},
    proof::RepoPath,
};

/// Reads and understands every file that is claimed.
pub(super) fn read(
    tree: &Tree,
    listing: &Listing,
    dialects: &[Arc<dyn Dialect>],
    rules: &CatalogRules,
) -> Result<Vec<ReadFile>, GitError> {
    let mut ignored: HashMap<RepoPath, bool> = HashMap::new();
    let mut claimed = Vec::new();
    for entry in &listing.entries {
        if entry.mode == Mode::Submodule {
            continue;
        }
        let claims =
            dialects.iter().enumerate().filter_map(|(at, dialect)| Some((at, dialect.claims(&entry.path)?)));
        for (dialect, claim) in claims {
            let directory = entry.path.parent().unwrap_or_else(RepoPath::root);
            if !*ignored.entry(directory).or_insert_with_key(|directory| rules.is_ignored(directory)) {
                claimed.push((entry, dialect, claim));
            }
        }
    }
    claimed
        .into_par_iter()
        .map(|(entry, dialect, claim)| {
            let mut file = ReadFile {
                path: entry.path.clone(),
                through: Vec::new(),
                dialect,
                claim,
                facts: Facts::default(),
            };
            let target = behind(tree, listing, entry, &mut file)?;
            if let Some(target) = target.filter(|_| says_something(claim.role)) {
                match tree.read_entry(&target) {
                    Ok(content) => {
                        let dialect = &dialects[dialect];
                        file.facts = dialect.facts(&entry.path, &content);
                        file.facts.definitions.extend(dialect.definitions(&entry.path, &content));
                        file.facts.unparsable = dialect.check(&entry.path, &content);
                    }
                    Err(GitError::TooLarge { size, limit, .. }) => {
                        let why = format!("its size is {size} bytes, more than the limit of {limit}");
                        file.facts.unparsable = Some(Unparsable::new(entry.path.clone(), None, why));
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(file)
        })
        .collect()
}

fn says_something(role: Role) -> bool {
    !matches!(role, Role::Lock | Role::ToolVersion)
}

/// The file behind a claimed name: itself, or what a link leads to.
fn behind(
    tree: &Tree,
    listing: &Listing,
    entry: &Entry,
    file: &mut ReadFile,
) -> Result<Option<Entry>, GitError> {
    if entry.mode != Mode::Link {
        return Ok(Some(entry.clone()));
    }
    let way = listing.follow(&RepoPath::root(), entry.path.as_bytes());
    // The first link is the file itself.
    file.through = way.links.into_iter().skip(1).collect();
    let mut lost = |why: &str| {
        file.facts.unparsable = Some(Unparsable::new(entry.path.clone(), None, why));
    };
    if let Some(submodule) = way.submodule {
        lost("the link leads into a submodule");
        file.through.push(submodule);
        return Ok(None);
    }
    let Some(end) = way.end else {
        lost("the link leads out of the repository, or in a circle");
        return Ok(None);
    };
    file.through.push(end.clone());
    match tree.entry(&end)? {
        Some(target) if target.mode.is_file() => Ok(Some(target)),
        Some(_) => Ok(None),
        None => {
            lost("the link leads to nothing");
            Ok(None)
        }
    }
}
