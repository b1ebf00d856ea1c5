use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::renamed::destination;
use crate::{
    catalog::{BackendSetting, DialectName, UnitId},
    detect::Change,
    git::{GitError, Mode, Tree},
    impact::Impact,
    proof::{Reason, RepoPath},
    terraform::{StateKey, facts::FileKind},
};

/// A unit whose directory was renamed, and what becomes of what it deployed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RenamedUnit {
    /// The unit that is gone.
    pub from: UnitId,
    /// The unit that took its place.
    pub to: UnitId,
    /// Whether the state is still found.
    pub state: StateFate,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Whether a renamed unit finds its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StateFate {
    /// It is where it was.
    Kept,
    /// It is looked for elsewhere: everything would be created anew, and the old resources destroyed or left.
    Elsewhere,
    /// Nobody can tell from the configuration.
    Unknown,
}

/// Adds to an impact which of the removed units were renamed, and what that means for their state: in
/// `renamed_units`, in the reasons of both units, and as a warning where something would be created anew. `base`
/// is the tree of the merge base, `head` that of the head; only the directories of renamed units are read.
///
/// # Errors
/// Where a file of these cannot be read from git.
pub fn tell_renames(impact: &mut Impact, base: &Tree, head: &Tree) -> Result<(), GitError> {
    let removed = impact.removed_units.iter().filter(|unit| unit.dialect.as_str() != "kustomize");
    let mut found = Vec::new();
    for unit in removed {
        let standing = |directory: &RepoPath| -> Vec<&UnitId> {
            impact.units.iter().filter(|new| new.path == *directory).map(|new| &new.id).collect()
        };
        let here = standing(&unit.path);
        let new = if here.is_empty() {
            let Some(to) = destination(&unit.path, &impact.changes) else { continue };
            if is_configured(base, &to)? {
                continue;
            }
            same_but_for(&unit.id, &to, standing(&to))
        } else {
            let before: Vec<&UnitId> = impact.removed_units.iter().map(|gone| &gone.id).collect();
            successor(&unit.id, here, &before, &impact.changes)
        };
        let Some(new) = new else { continue };
        let before = key_of(base, &unit.id, &unit.dialect)?;
        let after = key_of(head, new, &unit.dialect)?;
        let (state, reason) = judge(&unit.id, new, &before, &after, &impact.changes);
        let chain = unit.reasons.first().map(|reason| reason.chain.clone()).unwrap_or_default();
        let reasons = vec![reason.with_chain(chain)];
        found.push(RenamedUnit { from: unit.id.clone(), to: new.clone(), state, reasons });
    }
    for renamed in &found {
        for gone in impact.removed_units.iter_mut().filter(|unit| unit.id == renamed.from) {
            gone.reasons.clone_from(&renamed.reasons);
        }
        for new in impact.units.iter_mut().filter(|unit| unit.id == renamed.to) {
            new.reasons.extend(renamed.reasons.iter().cloned());
        }
        if renamed.state != StateFate::Kept {
            impact.warnings.extend(renamed.reasons.iter().map(|reason| reason.text.clone()));
        }
    }
    impact.warnings.sort();
    impact.warnings.dedup();
    impact.renamed_units = found;
    Ok(())
}

/// What is true of a unit whose state was kept by `before`, and is looked for by `after`.
fn judge(
    from: &UnitId,
    to: &UnitId,
    before: &StateKey,
    after: &StateKey,
    changes: &[Change],
) -> (StateFate, Reason) {
    let renamed = format!("the unit {from} was renamed to {to}");
    let anew = |state, why: String| {
        let rule = "destroyed_and_created_anew";
        (state, Reason::new(rule, format!("{renamed}, {why}; move its state before either is applied")))
    };
    let would = "what it deployed would be destroyed and created anew";
    let workspace = |id: &UnitId| id.workspace().map_or_else(|| "default".to_owned(), ToString::to_string);
    if workspace(from) != workspace(to) {
        let (from, to) = (workspace(from), workspace(to));
        let why = format!(
            "and its state with it: it was in the workspace {from}, and is looked for in {to}; {would}"
        );
        return anew(StateFate::Elsewhere, why);
    }
    match (before, after) {
        (StateKey::Constant(one), StateKey::Constant(two)) if one == two || went_along(one, two, changes) => {
            (StateFate::Kept, Reason::new("renamed", format!("{renamed}, and finds its state: {two}")))
        }
        (StateKey::Constant(one), StateKey::Constant(two)) => anew(
            StateFate::Elsewhere,
            format!("and its state with it: it was {one}, and is looked for at {two}; {would}"),
        ),
        (StateKey::ByPath(how), _) | (_, StateKey::ByPath(how)) => {
            anew(StateFate::Elsewhere, format!("and its state is kept by its path ({how}); {would}"))
        }
        (StateKey::Given, _) | (_, StateKey::Given) => anew(
            StateFate::Unknown,
            format!("and its backend is filled from outside; unless that gives the same place, {would}"),
        ),
        (StateKey::Unknown, _) | (_, StateKey::Unknown) => anew(
            StateFate::Unknown,
            format!("and where its state is kept cannot be told; unless it is the same place, {would}"),
        ),
    }
}

/// Whether a state that is a file of the repository was renamed with the directory.
fn went_along(before: &str, after: &str, changes: &[Change]) -> bool {
    let file = |key: &str| key.strip_prefix("local ").and_then(|path| RepoPath::parse(path).ok());
    match (file(before), file(after)) {
        (Some(old), Some(new)) => {
            changes.iter().any(|change| change.left() == Some(&old) && change.path == new)
        }
        _ => false,
    }
}

/// Of the units of a directory the one that differs from another by that directory alone; or the only one.
fn same_but_for<'a>(id: &UnitId, to: &RepoPath, standing: Vec<&'a UnitId>) -> Option<&'a UnitId> {
    let below = |path: &RepoPath| match path.is_within(id.path()) {
        true => to.join(path.relative_to(id.path())),
        false => path.clone(),
    };
    let mut mapped = UnitId::new(to.clone());
    if let Some(workspace) = id.workspace() {
        mapped = mapped.with_workspace(workspace.clone());
    }
    mapped = id.var_files().iter().fold(mapped, |mapped, file| mapped.with_var_file(below(file)));
    for setting in id.backend() {
        let moved = RepoPath::parse(setting.as_str()).ok().filter(|_| !setting.as_str().contains('='));
        let moved = moved.and_then(|file| BackendSetting::parse(&below(&file).to_string()).ok());
        mapped = mapped.with_backend(moved.unwrap_or_else(|| setting.clone()));
    }
    let same = standing.iter().copied().find(|unit| **unit == mapped);
    same.or(match standing[..] {
        [only] => Some(only),
        _ => None,
    })
}

/// The unit that took the place of another one of the same directory: the one whose files are those of the other
/// after their renames; or, where only variable files came or went, the one with its workspace and backend.
fn successor<'a>(
    id: &UnitId,
    standing: Vec<&'a UnitId>,
    removed: &[&UnitId],
    changes: &[Change],
) -> Option<&'a UnitId> {
    let now = |file: &RepoPath| {
        let renamed = changes.iter().find(|change| change.left() == Some(file));
        renamed.map_or_else(|| file.clone(), |change| change.path.clone())
    };
    let files = |id: &UnitId, now: &dyn Fn(&RepoPath) -> RepoPath| -> Vec<RepoPath> {
        let backend = id.backend().iter().filter(|setting| !setting.as_str().contains('='));
        let backend = backend.filter_map(|setting| RepoPath::parse(setting.as_str()).ok());
        id.var_files().iter().cloned().chain(backend).map(|file| now(&file)).collect()
    };
    let same = |file: &RepoPath| file.clone();
    let mapped = files(id, &now);
    // What stood before under its own id took nobody's place.
    let mut new = standing.into_iter().filter(|unit| !removed.contains(unit));
    if mapped != files(id, &same) {
        return new.find(|unit| files(unit, &same) == mapped);
    }
    let told = id.workspace().is_some() || !id.backend().is_empty();
    new.find(|unit| told && unit.workspace() == id.workspace() && unit.backend() == id.backend())
}

/// Whether a directory has configuration in a tree.
fn is_configured(tree: &Tree, directory: &RepoPath) -> Result<bool, GitError> {
    Ok(files(tree, directory)?.iter().any(|path| {
        let name = path.file_name();
        let configures = matches!(FileKind::of(name), Some(FileKind::Configuration { .. }));
        configures || name.starts_with(b"terragrunt.") || name.ends_with(b".tm.hcl") || name.ends_with(b".tm")
    }))
}

fn files(tree: &Tree, directory: &RepoPath) -> Result<Vec<RepoPath>, GitError> {
    match tree.entry(directory)? {
        Some(entry) if entry.mode == Mode::Directory => {}
        _ if directory.is_root() => {}
        _ => return Ok(Vec::new()),
    }
    let entries = tree.list(directory)?;
    Ok(entries.into_iter().filter(|entry| entry.mode != Mode::Directory).map(|entry| entry.path).collect())
}

fn key_of(tree: &Tree, id: &UnitId, dialect: &DialectName) -> Result<StateKey, GitError> {
    if dialect.as_str() == "terragrunt" {
        return Ok(StateKey::of_terragrunt(&terragrunt(tree, id.path())?).unwrap_or(StateKey::Unknown));
    }
    let mut read = Vec::new();
    for path in files(tree, id.path())? {
        if matches!(FileKind::of(path.file_name()), Some(FileKind::Configuration { .. })) {
            match tree.read(&path)? {
                Some(bytes) => read.push((path, bytes)),
                // A link; what it leads to may have the backend.
                None => return Ok(StateKey::Unknown),
            }
        }
    }
    let mut given = Vec::new();
    for setting in id.backend() {
        let setting = setting.as_str();
        if setting.contains('=') {
            given.push(setting.to_owned());
            continue;
        }
        let bytes = match RepoPath::parse(setting) {
            Ok(file) => tree.read(&file)?,
            Err(_) => None,
        };
        let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else {
            return Ok(StateKey::Unknown);
        };
        // A line end parts the content of a file from key=value.
        given.push(format!("{text}\n"));
    }
    Ok(StateKey::of_module(id.path(), &read, &given))
}

/// The unit's own file, and those above it that it can include, the nearest first.
fn terragrunt(tree: &Tree, directory: &RepoPath) -> Result<Vec<(RepoPath, Vec<u8>)>, GitError> {
    let path = directory.join("terragrunt.hcl");
    let Some(own) = tree.read(&path)? else { return Ok(Vec::new()) };
    let text = String::from_utf8_lossy(&own).into_owned();
    let mut names: BTreeSet<&str> = BTreeSet::from(["root.hcl", "terragrunt.hcl"]);
    let calls = text.match_indices("find_in_parent_folders(").map(|(at, call)| &text[at + call.len()..]);
    names.extend(calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next()));
    let mut found = vec![(path, own)];
    let mut above = directory.parent().filter(|_| text.contains("include"));
    while let Some(directory) = above {
        for name in &names {
            let path = directory.join(name);
            found.extend(tree.read(&path)?.map(|bytes| (path, bytes)));
        }
        above = directory.parent();
    }
    Ok(found)
}
