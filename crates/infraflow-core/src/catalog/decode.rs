//! What data files say that configuration decodes without a plan: `yamldecode(file("settings.yaml")).policy`.

use super::{
    fill::is_file,
    ground::Ground,
    path::{Paths, paths},
};
use crate::{
    git::GitError,
    proof::RepoPath,
    terraform::{facts::StaticValue, terragrunt::static_data},
};

/// The largest file that is decoded, in bytes.
const MAX_BYTES: u64 = 256 << 10;

/// The most parts of what is decoded that are gone through for one value.
const MAX_PARTS: usize = 4_000;

/// The value with what files say in the place of the files, where relative paths begin at `root`, if that is known.
/// Adds the files to `looked`: another content is another value.
pub(super) fn decode(
    value: &StaticValue,
    root: Option<&RepoPath>,
    ground: &Ground<'_>,
    looked: &mut Vec<RepoPath>,
) -> Result<StaticValue, GitError> {
    let mut left = MAX_PARTS;
    decoded(value, root, ground, looked, &mut left)
}

fn decoded(
    value: &StaticValue,
    root: Option<&RepoPath>,
    ground: &Ground<'_>,
    looked: &mut Vec<RepoPath>,
    left: &mut usize,
) -> Result<StaticValue, GitError> {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return Ok(StaticValue::Unknown);
    }
    let mut each = |values: &[StaticValue]| -> Result<Vec<StaticValue>, GitError> {
        values.iter().map(|value| decoded(value, root, ground, looked, left)).collect()
    };
    Ok(match value {
        StaticValue::Concat(parts) => StaticValue::concat(each(parts)?),
        StaticValue::OneOf(values) => StaticValue::one_of(each(values)?),
        StaticValue::List(items) => StaticValue::List(each(items)?),
        StaticValue::Many(item) => StaticValue::Many(Box::new(decoded(item, root, ground, looked, left)?)),
        StaticValue::Map(key, item) => {
            let key = decoded(key, root, ground, looked, left)?;
            StaticValue::Map(Box::new(key), Box::new(decoded(item, root, ground, looked, left)?))
        }
        StaticValue::Object(members) => {
            let names = members.iter().map(|(name, _)| name.clone());
            let values: Vec<StaticValue> = members.iter().map(|(_, value)| value.clone()).collect();
            StaticValue::Object(names.zip(each(&values)?).collect())
        }
        StaticValue::Keys(inner) => decoded(inner, root, ground, looked, left)?.keys(),
        StaticValue::Directory(inner) => StaticValue::directory(decoded(inner, root, ground, looked, left)?),
        StaticValue::FileName(inner) => StaticValue::file_name(decoded(inner, root, ground, looked, left)?),
        StaticValue::Computed(name, arguments) => {
            let value = StaticValue::computed(name, each(arguments)?);
            match root {
                Some(root) => value.in_root(root),
                None => value,
            }
        }
        StaticValue::Contents(path) | StaticValue::Decoded(path, _) => {
            let path = decoded(path, root, ground, looked, left)?;
            let Some(from) = where_it_begins(&path, root) else { return Ok(value.clone()) };
            let mut found = Vec::new();
            for end in paths(&path, &from) {
                let Paths::One(path) = end else { return Ok(StaticValue::Unknown) };
                let Some(text) = text(&path, ground, looked)? else {
                    found.push(StaticValue::Unknown);
                    continue;
                };
                found.push(match value {
                    StaticValue::Decoded(_, steps) => {
                        let data = static_data(&text, MAX_PARTS);
                        steps.iter().cloned().fold(data, StaticValue::step)
                    }
                    _ => StaticValue::Literal(text.trim_end_matches(['\r', '\n']).to_owned()),
                });
            }
            StaticValue::one_of(found)
        }
        other => other.clone(),
    })
}

/// The directory in which a path begins; `None` where only a caller knows that.
fn where_it_begins(path: &StaticValue, root: Option<&RepoPath>) -> Option<RepoPath> {
    match (super::fill::is_open(path) || is_file(path), root) {
        (_, Some(root)) => Some(root.clone()),
        (false, None) => Some(RepoPath::root()),
        (true, None) => None,
    }
}

fn text(
    path: &RepoPath,
    ground: &Ground<'_>,
    looked: &mut Vec<RepoPath>,
) -> Result<Option<String>, GitError> {
    let way = ground.links.follow(&RepoPath::root(), path.as_bytes());
    let Some(end) = way.end.filter(|_| way.submodule.is_none()) else { return Ok(None) };
    looked.push(end.clone());
    let Some(entry) = ground.tree.entry(&end)?.filter(|entry| entry.mode.is_file()) else {
        return Ok(None);
    };
    match ground.tree.read_up_to(&entry, MAX_BYTES) {
        Ok(content) => Ok(String::from_utf8(content).ok()),
        Err(GitError::TooLarge { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
