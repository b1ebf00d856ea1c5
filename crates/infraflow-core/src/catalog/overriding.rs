//! Files of a scope that replace parts of others of its files: what is replaced is not read.

use super::{Dialect, Facts, ground::Ground, statements::ReadFile};
use crate::{git::GitError, proof::RepoPath};

/// Takes out of the facts of each file what other files of the scope replace. The files are in the order of their
/// names, in which they are laid over one another.
pub(super) fn take_out_replaced(
    files: &mut [ReadFile],
    ground: &Ground<'_>,
    dialect: &dyn Dialect,
) -> Result<(), GitError> {
    if !files.iter().any(|file| dialect.overrides(&file.path)) {
        return Ok(());
    }
    let paths: Vec<&RepoPath> = files.iter().map(|file| &file.path).collect();
    let places = dialect.overriding(&paths);
    let mut over = Vec::with_capacity(places.len());
    for at in places {
        over.extend(content(&files[at], ground)?.map(|content| (at, content)));
    }
    for (at, file) in files.iter_mut().enumerate() {
        // What overrides is laid over all that does not, and over what overrides before it.
        let all = !dialect.overrides(&file.path);
        let by = over.iter().filter(|(from, _)| all || *from > at);
        let by: Vec<(&RepoPath, &[u8])> = by.map(|(_, (path, content))| (path, content.as_slice())).collect();
        if by.is_empty() || !file.facts.unparsable.is_empty() {
            continue;
        }
        let Some((_, content)) = content(file, ground)? else { continue };
        if let Some(rest) = dialect.without_replaced(&file.path, &content, &by) {
            let facts = dialect.facts(&file.path, &rest);
            if facts.unparsable.is_empty() {
                file.facts = Facts { defines: std::mem::take(&mut file.facts.defines), ..facts };
            }
        }
    }
    Ok(())
}

fn content(file: &ReadFile, ground: &Ground<'_>) -> Result<Option<(RepoPath, Vec<u8>)>, GitError> {
    let Some(target) = &file.target else { return Ok(None) };
    match ground.tree.read_entry(target) {
        Ok(content) => Ok(Some((file.path.clone(), content))),
        Err(GitError::TooLarge { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
