use std::collections::BTreeMap;

use super::{BumpEdit, BumpError, BumpPlan};
use crate::{
    git::{FileEdit, Mode, Tree},
    proof::RepoPath,
};

/// The files of a tree with the plan's edits in them. Every file is checked before any is returned.
pub(super) fn files(plan: &BumpPlan, tree: &Tree) -> Result<Vec<FileEdit>, BumpError> {
    let mut by_file: BTreeMap<&RepoPath, Vec<&BumpEdit>> = BTreeMap::new();
    for edit in &plan.edits {
        by_file.entry(&edit.path).or_default().push(edit);
    }
    by_file
        .into_iter()
        .map(|(path, edits)| {
            let (bytes, mode) = file(tree, path, edits)?;
            Ok(FileEdit::write(path.clone(), bytes).mode(mode))
        })
        .collect()
}

fn file(tree: &Tree, path: &RepoPath, mut edits: Vec<&BumpEdit>) -> Result<(Vec<u8>, Mode), BumpError> {
    let stale = |why: String| BumpError::Stale { path: path.clone(), why };
    let entry = tree.entry(path)?;
    let blob = edits.first().and_then(|edit| edit.blob);
    if edits.iter().any(|edit| edit.blob != blob) {
        return Err(stale("the plan was made for two contents of it".into()));
    }
    let mode = entry.as_ref().map_or(Mode::File, |entry| entry.mode);
    if !mode.is_file() {
        return Err(stale("it is no regular file".into()));
    }
    let mut bytes = match (entry, blob) {
        (None, None) => Vec::new(),
        (Some(_), None) => return Err(stale("it exists meanwhile".into())),
        (None, Some(_)) => return Err(stale("it is gone".into())),
        (Some(entry), Some(blob)) if entry.id == blob.object() => tree.read_entry(&entry)?,
        (Some(entry), Some(blob)) => {
            return Err(stale(format!(
                "it is now {}, the plan was made for {}",
                entry.id.short(),
                blob.short()
            )));
        }
    };
    // From the end backwards, so that the places of the others stay right.
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.start));
    let mut free = bytes.len();
    for edit in edits {
        if edit.start > edit.end || edit.end > free {
            let in_file = edit.start <= edit.end && edit.end <= bytes.len();
            return Err(if in_file {
                BumpError::Overlap { path: path.clone(), at: edit.end }
            } else {
                stale(format!("an edit of the bytes {} to {} does not fit in it", edit.start, edit.end))
            });
        }
        if bytes[edit.start..edit.end] != *edit.before.as_bytes() {
            return Err(stale(format!("{:?} does not stand at byte {}", edit.before, edit.start)));
        }
        bytes.splice(edit.start..edit.end, edit.after.bytes());
        free = edit.start;
    }
    Ok((bytes, mode))
}
