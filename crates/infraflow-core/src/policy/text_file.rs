use super::PolicyError;
use crate::{git::Tree, proof::RepoPath};

/// The text of a file of a tree; `None` where nothing stands there. A link, a directory and bytes that are no
/// text are errors: to take them for "nothing" would let a change turn a policy off by replacing its file.
pub(super) fn text_of(tree: &Tree, path: &RepoPath) -> Result<Option<String>, PolicyError> {
    let Some(entry) = tree.entry(path)? else { return Ok(None) };
    let bad = |why| PolicyError::NotAFile { path: path.clone(), why };
    if !entry.mode.is_file() {
        return Err(bad("it is a link, a directory or a submodule"));
    }
    String::from_utf8(tree.read_entry(&entry)?).map(Some).map_err(|_| bad("its bytes are not UTF-8"))
}
