//! Variants by what stands in a directory, where nothing is declared.

use std::collections::{BTreeMap, BTreeSet};

use super::{Variant, Variants, variant::backend_file};
use crate::{catalog::Listed, proof::RepoPath, terraform::facts::FileKind};

/// Folders in which variable files stand, backend files too.
const VALUES: [&str; 10] = [
    "config",
    "configs",
    "env",
    "environment",
    "environments",
    "envs",
    "tfvars",
    "values",
    "variables",
    "vars",
];

/// Folders in which backend files stand.
const BACKENDS: [&str; 6] =
    ["backend", "backend-config", "backend-configs", "backend_config", "backend_configs", "backends"];

/// Endings of backend files, besides `tfbackend`: HCL with settings, whatever it is called.
const ENDINGS: [&str; 4] = ["hcl", "conf", "config", "tfvars"];

/// Names of Terraform's backends, which the documentation recommends between name and ending:
/// <https://developer.hashicorp.com/terraform/language/backend#file>.
const KINDS: [&str; 11] =
    ["azurerm", "consul", "cos", "gcs", "http", "kubernetes", "local", "oss", "pg", "remote", "s3"];

/// Where a file stands, and how its name is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Folder {
    /// The unit's own directory.
    Own,
    /// One of [`VALUES`].
    Values,
    /// One of [`BACKENDS`].
    Backends,
    /// A folder of one name's own, in one of [`VALUES`].
    Single,
}

/// What was found of one name.
#[derive(Default)]
struct Named {
    values: Vec<RepoPath>,
    /// Backend files, each with the folder in which files of other names would stand.
    backends: Vec<(RepoPath, RepoPath)>,
}

pub(super) fn found(directory: &RepoPath, list: &mut dyn FnMut(&RepoPath) -> Vec<Listed>) -> Variants {
    let mut names: BTreeMap<String, Named> = BTreeMap::new();
    let own = list(directory);
    gather(directory, directory, Folder::Own, None, &own, &mut names);
    for (folder, kind) in folders(&own) {
        let folder = directory.join(&folder);
        let entries = list(&folder);
        if is_configured(&entries) {
            continue;
        }
        gather(&folder, &folder, kind, None, &entries, &mut names);
        if kind != Folder::Values {
            continue;
        }
        for entry in entries.iter().filter(|entry| entry.is_directory && !entry.name.starts_with(b".")) {
            let Ok(name) = std::str::from_utf8(&entry.name) else { continue };
            let single = folder.join(name);
            let entries = list(&single);
            if is_configured(&entries) {
                continue;
            }
            gather(&single, &folder, Folder::Single, Some(name), &entries, &mut names);
        }
    }
    let pairs = || names.values().filter(|named| !named.values.is_empty() && !named.backends.is_empty());
    // To take one of several, or to leave the name out, could miss a unit.
    let torn = names.iter().find(|(_, named)| named.backends.len() > 1);
    if let Some((name, named)) = torn.filter(|_| pairs().next().is_some()) {
        let files: Vec<String> = named.backends.iter().map(|(file, _)| file.to_string()).collect();
        let warning = format!(
            "{directory} counts as one unit, since {name} has several backend files: {}; [[catalog.variants]] can say which",
            files.join(", ")
        );
        return Variants { all: Vec::new(), warnings: vec![warning] };
    }
    let places: BTreeSet<RepoPath> =
        pairs().flat_map(|named| named.backends.iter().map(|(_, place)| place.clone())).collect();
    let variants = names.into_iter().filter_map(|(name, named)| {
        let (file, place) = named.backends.first()?;
        if !places.contains(place) {
            return None;
        }
        Some(Variant {
            name,
            workspace: None,
            backend: vec![backend_file(file)?],
            backend_files: vec![file.clone()],
            var_files: named.values,
        })
    });
    Variants { all: variants.collect(), warnings: Vec::new() }
}

/// The directories whose units may be found by what stands at a path.
pub(super) fn beside(path: &RepoPath) -> impl Iterator<Item = RepoPath> {
    let is = |directory: &RepoPath, names: &[&str]| {
        names.iter().any(|name| name.as_bytes() == directory.file_name())
    };
    let own = path.parent();
    let outer = own.as_ref().filter(|at| is(at, &VALUES) || is(at, &BACKENDS)).and_then(RepoPath::parent);
    let single = own.as_ref().and_then(RepoPath::parent).filter(|at| is(at, &VALUES));
    [own, outer, single.and_then(|at| at.parent())].into_iter().flatten()
}

/// Whether a folder is a module or a unit itself.
fn is_configured(entries: &[Listed]) -> bool {
    entries.iter().any(|entry| {
        let configures = matches!(FileKind::of(&entry.name), Some(FileKind::Configuration { .. }));
        !entry.is_directory && (configures || entry.name == b"terragrunt.hcl")
    })
}

/// The folders to look into.
fn folders(entries: &[Listed]) -> impl Iterator<Item = (String, Folder)> {
    entries.iter().filter(|entry| entry.is_directory).filter_map(|entry| {
        let name = std::str::from_utf8(&entry.name).ok()?;
        let kind = if VALUES.contains(&name) {
            Folder::Values
        } else if BACKENDS.contains(&name) {
            Folder::Backends
        } else {
            return None;
        };
        Some((name.to_owned(), kind))
    })
}

fn gather(
    folder: &RepoPath,
    place: &RepoPath,
    kind: Folder,
    single: Option<&str>,
    entries: &[Listed],
    names: &mut BTreeMap<String, Named>,
) {
    for entry in entries.iter().filter(|entry| !entry.is_directory && !entry.name.starts_with(b".")) {
        let Ok(name) = std::str::from_utf8(&entry.name) else { continue };
        let path = folder.join(name);
        if let Some(of) = backend_of(name, kind) {
            let of = single.map_or(of, str::to_owned);
            names.entry(of).or_default().backends.push((path, place.clone()));
        } else if let Some(of) = values_of(name, kind) {
            let of = single.map_or(of, str::to_owned);
            names.entry(of).or_default().values.push(path);
        }
    }
}

/// Whose values a file holds, if it does.
fn values_of(name: &str, folder: Folder) -> Option<String> {
    let stem = name.strip_suffix(".tfvars").or_else(|| name.strip_suffix(".tfvars.json"))?;
    // Those of the directory itself are read by every run.
    let automatic = stem == "terraform" || stem.ends_with(".auto");
    let counts = match folder {
        Folder::Backends => false,
        Folder::Own => !automatic,
        Folder::Values | Folder::Single => true,
    };
    (counts && is_name(stem)).then(|| stem.to_owned())
}

/// Whose backend a file describes, if it does.
fn backend_of(name: &str, folder: Folder) -> Option<String> {
    let (stem, ending) = name.rsplit_once('.')?;
    if ending == "tfbackend" {
        let typed = stem.rsplit_once('.').filter(|(_, kind)| KINDS.contains(kind));
        let stem = typed.map_or(stem, |(stem, _)| stem);
        return (is_name(stem) || folder == Folder::Single).then(|| stem.to_owned());
    }
    if !ENDINGS.contains(&ending) {
        return None;
    }
    let marked = [".backend", "-backend", "_backend"].iter().find_map(|mark| stem.strip_suffix(mark));
    let marked = marked
        .or_else(|| ["backend-", "backend.", "backend_"].iter().find_map(|mark| stem.strip_prefix(mark)));
    let of = match folder {
        Folder::Single if stem == "backend" => Some(stem),
        Folder::Single => marked,
        Folder::Backends => marked.or(Some(stem)),
        Folder::Values if ending != "tfvars" => marked.or(Some(stem)),
        Folder::Own | Folder::Values => marked,
    };
    of.filter(|of| is_name(of) || folder == Folder::Single).map(str::to_owned)
}

/// Whether something is called by this, and not an example of it or the backend as such.
fn is_name(stem: &str) -> bool {
    let shown = [".example", ".sample", ".template", ".dist", "-example", "-sample", "-template"];
    let plain = ["", "backend", "example", "sample", "template", "terragrunt", "root"];
    !plain.contains(&stem) && !shown.iter().any(|ending| stem.ends_with(ending))
}
