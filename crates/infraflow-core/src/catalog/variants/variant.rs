use super::{VariantRule, declared, found};
use crate::{
    catalog::{BackendSetting, Listed, UnitId, WorkspaceName},
    proof::RepoPath,
};

/// The units of one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variants {
    /// Each of them, sorted by what its id is made of; none where the directory is one unit.
    pub all: Vec<Variant>,
    /// What a person should know, in sentences.
    pub warnings: Vec<String>,
}

/// One unit of a directory that has several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Variant {
    /// What people call it: `dev`.
    pub name: String,
    /// The workspace that is selected.
    pub workspace: Option<WorkspaceName>,
    /// Variable files, in the order in which they are given.
    pub var_files: Vec<RepoPath>,
    /// Backend settings, in the order in which they are given; files by their path in the repository.
    pub backend: Vec<BackendSetting>,
    /// The files among the backend settings.
    pub backend_files: Vec<RepoPath>,
}

/// Which units of a directory a path concerns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// All, as far as the path concerns the directory at all.
    All,
    /// Only these, by their place.
    Only(Vec<usize>),
}

/// The units of a directory, by the first of the rules that means it, or else by what stands there if
/// `find` says so. `list` tells what stands directly in a directory, and nothing of one that is not there.
///
/// Pure: the same listings give the same answer, in the same order.
pub fn variants(
    directory: &RepoPath,
    rules: &[VariantRule],
    find: bool,
    list: &mut dyn FnMut(&RepoPath) -> Vec<Listed>,
) -> Variants {
    let mut variants = match rules.iter().find(|rule| rule.means(directory)) {
        Some(rule) => declared(directory, rule, list),
        None if find => found(directory, list),
        None => Variants::default(),
    };
    let key = |variant: &Variant| variant.id(&RepoPath::root());
    variants.all.sort_by_key(key);
    variants.all.dedup_by_key(|variant| key(variant));
    if variants.all.len() > MOST {
        let text = format!("{directory} counts as one unit, since more than {MOST} would share it");
        variants = Variants { all: Vec::new(), warnings: vec![text] };
    }
    variants
}

/// More units than this no directory has.
const MOST: usize = 1_000;

impl Concern {
    /// Whether the unit at a place is concerned.
    pub fn holds(&self, place: usize) -> bool {
        match self {
            Self::All => true,
            Self::Only(places) => places.contains(&place),
        }
    }

    /// Some of so many units.
    pub(crate) fn of(places: Vec<usize>, all: usize) -> Self {
        if places.len() == all { Self::All } else { Self::Only(places) }
    }
}

impl Variant {
    /// The unit's id.
    pub fn id(&self, directory: &RepoPath) -> UnitId {
        let mut id = UnitId::new(directory.clone());
        if let Some(workspace) = &self.workspace {
            id = id.with_workspace(workspace.clone());
        }
        id = self.var_files.iter().fold(id, |id, file| id.with_var_file(file.clone()));
        self.backend.iter().fold(id, |id, setting| id.with_backend(setting.clone()))
    }

    /// The files that are named to the tool for this unit.
    pub fn files(&self) -> impl Iterator<Item = &RepoPath> {
        self.var_files.iter().chain(&self.backend_files)
    }
}

impl Variants {
    /// Whether the directory is one unit.
    pub fn is_one(&self) -> bool {
        self.all.is_empty()
    }

    /// Which of the units a path concerns: the variable and backend files of some of them only these,
    /// everything else all.
    pub fn concerned_by(&self, path: &RepoPath) -> Concern {
        let places = self.naming(path);
        if places.is_empty() { Concern::All } else { Concern::of(places, self.all.len()) }
    }

    /// The places of the units to which a file is named.
    pub(crate) fn naming(&self, path: &RepoPath) -> Vec<usize> {
        let names = |variant: &Variant| variant.files().any(|file| file == path);
        (0..self.all.len()).filter(|&at| names(&self.all[at])).collect()
    }
}

/// A file as a backend setting. `None` for a path that cannot be told from `key=value`, or is no text.
pub(super) fn backend_file(path: &RepoPath) -> Option<BackendSetting> {
    let text = std::str::from_utf8(path.as_bytes()).ok().filter(|text| !text.contains('='))?;
    BackendSetting::parse(text).ok()
}
