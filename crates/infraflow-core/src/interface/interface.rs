use std::collections::{BTreeMap, BTreeSet};

use super::InterfaceError;
use crate::{
    git::{Entry, GitError, Tree},
    proof::{Link, RepoPath},
    terraform::facts::{
        FileFacts, FileKind, ModuleCall, Move, Output, Place, Removal, Repetition, RequiredProvider,
        ResourceMode, TerraformFile, Text, Variable,
    },
};

/// What a module shows to those who call it: variables, outputs, requirements, and the addresses that
/// their states hold.
///
/// It is read from the facts of the module's files. Override files are laid over the others, as Terraform
/// does. Where a module has `.tofu` files, it is read as OpenTofu reads it: each in place of the `.tf` file
/// of the same name.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    pub(super) variables: BTreeMap<String, Declared<Variable>>,
    pub(super) outputs: BTreeMap<String, Declared<Output>>,
    pub(super) providers: BTreeMap<String, Declared<RequiredProvider>>,
    pub(super) required_version: Vec<Declared<Text>>,
    pub(super) resources: BTreeMap<String, Declared<Repetition>>,
    pub(super) calls: BTreeMap<String, Declared<ModuleCall>>,
    pub(super) moved: Vec<Declared<Move>>,
    pub(super) removed: Vec<Declared<Removal>>,
    /// Local names of the providers whose resources the module has.
    pub(super) used_providers: BTreeSet<String>,
    /// What is declared more than once.
    pub(super) doubled: BTreeMap<String, Link>,
}

/// Something and the file in which it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared<T> {
    /// The file.
    pub path: RepoPath,
    /// Where in it.
    pub place: Place,
    /// What is declared.
    pub item: T,
}

impl<T> Declared<T> {
    /// A link to the declaration.
    pub fn link(&self, reference: impl Into<String>) -> Link {
        self.place.link(self.path.clone(), reference)
    }
}

impl Interface {
    /// The interface of the module in a directory of a tree. A directory that is not there has an empty one.
    ///
    /// # Errors
    /// [`InterfaceError::Unreadable`] where one of its files does not parse, [`InterfaceError::Tree`] where
    /// git gives no files.
    pub fn read(tree: &Tree, module: &RepoPath) -> Result<Self, InterfaceError> {
        let unread =
            |source: GitError| InterfaceError::Tree { module: module.clone(), source: Box::new(source) };
        let mut files = Vec::new();
        for entry in tree.list(module).map_err(unread)? {
            let configures =
                matches!(FileKind::of(entry.path.file_name()), Some(FileKind::Configuration { .. }));
            if !configures {
                continue;
            }
            let Some(bytes) = content(tree, &entry).map_err(unread)? else { continue };
            let facts = TerraformFile::parse(&entry.path, &bytes)
                .map_err(|source| InterfaceError::Unreadable { module: module.clone(), source })?;
            files.push((entry.path, facts));
        }
        Ok(Self::of(files))
    }

    /// The interface that these files make, which are those of one directory with their facts.
    pub fn of(files: impl IntoIterator<Item = (RepoPath, FileFacts)>) -> Self {
        let mut files: Vec<_> = files.into_iter().filter_map(Configuration::of).collect();
        let replaced: BTreeSet<Vec<u8>> =
            files.iter().filter(|file| file.opentofu).map(|file| file.stem.clone()).collect();
        files.retain(|file| file.opentofu || !replaced.contains(&file.stem));
        // Terraform reads the files by name, and the overrides after all others.
        files.sort_by(|a, b| (a.overrides, &a.path).cmp(&(b.overrides, &b.path)));
        let mut interface = Self::default();
        for file in files {
            if file.overrides {
                interface.lay_over(&file.path, file.facts);
            } else {
                interface.declare(&file.path, file.facts);
            }
        }
        interface
    }

    /// The variables, by name.
    pub fn variables(&self) -> &BTreeMap<String, Declared<Variable>> {
        &self.variables
    }

    /// The outputs, by name.
    pub fn outputs(&self) -> &BTreeMap<String, Declared<Output>> {
        &self.outputs
    }

    /// The required providers, by local name.
    pub fn providers(&self) -> &BTreeMap<String, Declared<RequiredProvider>> {
        &self.providers
    }

    fn declare(&mut self, path: &RepoPath, facts: FileFacts) {
        let at = |place: Place| (path.clone(), place);
        for item in facts.variables {
            let (path, place) = at(item.place);
            let subject = format!("variable.{}", item.name);
            self.note(&subject, self.variables.contains_key(&item.name), path, place, |it, declared| {
                it.variables.insert(item.name.clone(), declared(item));
            });
        }
        for item in facts.outputs {
            let (path, place) = at(item.place);
            let subject = format!("output.{}", item.name);
            self.note(&subject, self.outputs.contains_key(&item.name), path, place, |it, declared| {
                it.outputs.insert(item.name.clone(), declared(item));
            });
        }
        for item in facts.calls {
            let (path, place) = at(item.place);
            let subject = format!("module.{}", item.name);
            self.note(&subject, self.calls.contains_key(&item.name), path, place, |it, declared| {
                it.calls.insert(item.name.clone(), declared(item));
            });
        }
        for item in facts.resources {
            let provider = item.resource_type.split('_').next().unwrap_or_default();
            self.used_providers.insert(provider.to_owned());
            if item.mode != ResourceMode::Managed {
                continue;
            }
            let (path, place) = at(item.place);
            let subject = format!("{}.{}", item.resource_type, item.name);
            let doubled = self.resources.contains_key(&subject);
            self.note(&subject.clone(), doubled, path, place, |it, declared| {
                it.resources.insert(subject, declared(item.repetition));
            });
        }
        for item in facts.required_providers {
            let (path, place) = at(item.place);
            self.providers.insert(item.name.clone(), Declared { path, place, item });
        }
        for item in facts.required_version {
            let (path, place) = at(item.place);
            self.required_version.push(Declared { path, place, item });
        }
        for item in facts.moved {
            let (path, place) = at(item.place);
            self.moved.push(Declared { path, place, item });
        }
        for item in facts.removed {
            let (path, place) = at(item.place);
            self.removed.push(Declared { path, place, item });
        }
    }

    /// Keeps the first declaration, and notes a second one.
    fn note<T>(
        &mut self,
        subject: &str,
        doubled: bool,
        path: RepoPath,
        place: Place,
        keep: impl FnOnce(&mut Self, &dyn Fn(T) -> Declared<T>),
    ) {
        if doubled {
            self.doubled.entry(subject.to_owned()).or_insert_with(|| place.link(path, subject));
        } else {
            keep(self, &|item| Declared { path: path.clone(), place, item });
        }
    }

    /// Merges an override file: what it sets replaces what stands, argument by argument.
    fn lay_over(&mut self, path: &RepoPath, facts: FileFacts) {
        let mut left = FileFacts::default();
        for over in facts.variables {
            let Some(declared) = self.variables.get_mut(&over.name) else {
                left.variables.push(over);
                continue;
            };
            let item = &mut declared.item;
            replace(&mut item.type_text, over.type_text);
            if over.default.is_some() {
                item.default = over.default;
                item.default_value = over.default_value;
            }
            replace(&mut item.nullable, over.nullable);
            replace(&mut item.sensitive, over.sensitive);
            replace(&mut item.ephemeral, over.ephemeral);
            replace(&mut item.description, over.description);
            if !over.validations.is_empty() {
                item.validations = over.validations;
            }
        }
        for over in facts.outputs {
            let Some(declared) = self.outputs.get_mut(&over.name) else {
                left.outputs.push(over);
                continue;
            };
            let item = &mut declared.item;
            replace(&mut item.value, over.value);
            replace(&mut item.sensitive, over.sensitive);
            replace(&mut item.ephemeral, over.ephemeral);
            replace(&mut item.description, over.description);
        }
        for over in facts.calls {
            let Some(declared) = self.calls.get_mut(&over.name) else {
                left.calls.push(over);
                continue;
            };
            replace(&mut declared.item.source, over.source);
            replace(&mut declared.item.version, over.version);
            if over.repetition != Repetition::Single {
                declared.item.repetition = over.repetition;
            }
        }
        for over in facts.resources {
            match self.resources.get_mut(&format!("{}.{}", over.resource_type, over.name)) {
                Some(declared) if over.repetition != Repetition::Single => declared.item = over.repetition,
                Some(_) => {}
                None => left.resources.push(over),
            }
        }
        if !facts.required_version.is_empty() {
            self.required_version.clear();
        }
        left.required_version = facts.required_version;
        left.required_providers = facts.required_providers;
        left.moved = facts.moved;
        left.removed = facts.removed;
        self.declare(path, left);
    }
}

/// A file's bytes; of a link, those of the file of the repository that it leads to.
fn content(tree: &Tree, entry: &Entry) -> Result<Option<Vec<u8>>, GitError> {
    let mut path = entry.path.clone();
    // As many links in a row as Linux follows (path_resolution(7)).
    for _ in 0..40 {
        match tree.link_target(&path)? {
            Some(target) => match path.parent().and_then(|folder| folder.resolve(target)) {
                Some(next) => path = next,
                None => return Ok(None),
            },
            None => return tree.read(&path),
        }
    }
    Ok(None)
}

fn replace<T>(stands: &mut Option<T>, over: Option<T>) {
    if over.is_some() {
        *stands = over;
    }
}

/// A configuration file, with what its name says.
struct Configuration {
    path: RepoPath,
    facts: FileFacts,
    overrides: bool,
    opentofu: bool,
    /// The name without `.tf` or `.tofu`, with `.json` kept.
    stem: Vec<u8>,
}

impl Configuration {
    fn of((path, facts): (RepoPath, FileFacts)) -> Option<Self> {
        let name = path.file_name();
        let Some(FileKind::Configuration { overrides, opentofu, json }) = FileKind::of(name) else {
            return None;
        };
        let ending = if opentofu { ".tofu" } else { ".tf" }.len() + if json { ".json" } else { "" }.len();
        let mut stem = name[..name.len() - ending].to_vec();
        stem.push(u8::from(json));
        Some(Self { path, facts, overrides, opentofu, stem })
    }
}
