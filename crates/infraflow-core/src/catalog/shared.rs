//! Directories that several units share: which they are in this tree, and which of them a file concerns.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

use super::{
    Catalog, CatalogError, Concern, DialectName, Listed, ReferenceKind, UnitId, Variant, Variants,
    build::Makings,
    classify::Sort,
    record::{Edge, Record},
    settle::settled,
    values::{self, Values},
    variants::{Whose, whose},
    view::{RecordId, View},
};
use crate::{
    git::{GitError, Mode, Tree},
    proof::RepoPath,
};

/// The units of one directory.
pub(super) struct Shared {
    pub(super) variants: Variants,
    /// Their ids; that of the directory where it is one unit.
    pub(super) ids: Vec<UnitId>,
    /// The values that each of them can be given, once somebody needs them.
    given: OnceLock<Vec<Values>>,
}

/// The units of a directory, by what a tree has there.
pub(super) fn variants_of(
    tree: &Tree,
    directory: &RepoPath,
    rules: &super::CatalogRules,
    find: bool,
) -> Result<Variants, GitError> {
    let mut failed = None;
    let mut list = |directory: &RepoPath| match tree.list(directory) {
        Ok(entries) => {
            let listed = entries.into_iter();
            listed.map(|it| Listed::new(it.path.file_name(), it.mode == Mode::Directory)).collect()
        }
        Err(error) => {
            failed.get_or_insert(error);
            Vec::new()
        }
    };
    let variants = super::variants(directory, &rules.variants, find, &mut list);
    failed.map_or(Ok(variants), Err)
}

/// The scopes in directories whose units may be others because of what stands at a path. `find` says that
/// those count which are found where nothing is declared.
pub(super) fn near(
    view: &View,
    makings: &Makings,
    path: &RepoPath,
    find: bool,
) -> Result<Vec<RecordId>, CatalogError> {
    let mut found = Vec::new();
    for place in whose(path, &makings.rules.variants, find) {
        match place {
            Whose::In(directory) => found.extend(view.records_at(&directory)?),
            Whose::Below(directory) => found.extend(view.records_below(&directory)?),
            Whose::Deep(directory, names) => {
                let depth = directory.names().count() + names;
                for id in view.records_below(&directory)? {
                    if view.record(id)?.directory.names().count() == depth {
                        found.push(id);
                    }
                }
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

impl Catalog {
    /// The units of a directory. Those of Terraform are found; those of other tools, which name themselves what
    /// they give, are declared or one.
    pub(super) fn shared(
        &self,
        directory: &RepoPath,
        dialect: &DialectName,
    ) -> Result<Arc<Shared>, CatalogError> {
        let rules = &self.makings().rules;
        let plain = *dialect == DialectName::terraform();
        let key = (directory.clone(), plain);
        if let Some(known) = self.known_shared().get(&key) {
            return Ok(Arc::clone(known));
        }
        // A kustomization is given nothing of what tells these units apart.
        let variants = match dialect.as_str() {
            "kustomize" => Variants::default(),
            _ => variants_of(self.tree(), directory, rules, plain && rules.find_variants)
                .map_err(|source| CatalogError::git(self.tree(), source))?,
        };
        let ids = match variants.is_one() {
            true => vec![UnitId::new(directory.clone())],
            false => variants.all.iter().map(|variant| variant.id(directory)).collect(),
        };
        let shared = Arc::new(Shared { variants, ids, given: OnceLock::new() });
        self.known_shared().insert(key, Arc::clone(&shared));
        Ok(shared)
    }

    /// The units of a scope's directory, if it is part of a unit.
    pub(super) fn shared_by(&self, record: &Record) -> Result<Option<Arc<Shared>>, CatalogError> {
        let name = |dialect: u8| self.makings().dialects[usize::from(dialect)].name();
        match self.sort_of(record)? {
            Sort::Unit => self.shared(&record.directory, &name(record.key.dialect)).map(Some),
            Sort::Part { dialect } => self.shared(&record.directory, &name(dialect)).map(Some),
            _ => Ok(None),
        }
    }

    /// The scopes of units that may be others because of what stands at a path.
    pub(crate) fn sharing(&self, path: &RepoPath) -> Result<Vec<RecordId>, CatalogError> {
        let mut found = Vec::new();
        for id in near(self.view(), self.makings(), path, self.makings().rules.find_variants)? {
            let record = self.view().record(id)?;
            if !record.key.test && matches!(self.sort_of(&record)?, Sort::Unit | Sort::Part { .. }) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// The units that are given a file by name, as one of variables or of backend settings; through a link too.
    pub(crate) fn given(
        &self,
        path: &RepoPath,
    ) -> Result<Vec<(RecordId, ReferenceKind, Concern)>, CatalogError> {
        let mut found = Vec::new();
        for path in self.view().links.leading_to(path).into_iter().chain([path.clone()]) {
            for id in self.sharing(&path)? {
                let Some(shared) = self.shared_by(&*self.view().record(id)?)? else { continue };
                let places = shared.variants.naming(&path);
                if !places.is_empty() {
                    let concern = Concern::of(places, shared.ids.len());
                    found.push((id, given_as(&shared.variants, &path), concern));
                }
            }
        }
        Ok(found)
    }

    /// The files that the units of a scope's directory are given by name.
    pub(super) fn named_to(
        &self,
        record: &Record,
    ) -> Result<Vec<(RepoPath, ReferenceKind, Concern)>, CatalogError> {
        let Some(shared) = self.shared_by(record)? else { return Ok(Vec::new()) };
        let files: BTreeSet<&RepoPath> = shared.variants.all.iter().flat_map(Variant::files).collect();
        let files = files.into_iter().map(|file| {
            let concern = Concern::of(shared.variants.naming(file), shared.ids.len());
            (file.clone(), given_as(&shared.variants, file), concern)
        });
        Ok(files.collect())
    }

    /// Which units of a scope's directory are concerned by a file beside their configuration. What is not
    /// there is given to nobody.
    pub(super) fn beside_of(
        &self,
        record: &Record,
        path: &RepoPath,
    ) -> Result<Option<Concern>, CatalogError> {
        let Some(shared) = self.shared_by(record)?.filter(|shared| !shared.variants.is_one()) else {
            return Ok(Some(Concern::All));
        };
        let concern = shared.variants.concerned_by(path);
        if concern == Concern::All && shared.variants.naming(path).is_empty() {
            let there = self.tree().entry(path).map_err(|source| CatalogError::git(self.tree(), source))?;
            return Ok(there.map(|_| concern));
        }
        Ok(Some(concern))
    }

    /// Which units of a scope's directory an edge of it holds for: where its path is put together from values
    /// of variable files, those that are given values which lead there.
    pub(crate) fn concern(
        &self,
        id: RecordId,
        edge: &Edge,
        leads: &dyn Fn(&Edge) -> bool,
    ) -> Result<Concern, CatalogError> {
        let record = self.view().record(id)?;
        let terraform = || {
            let name = self.makings().dialects[usize::from(record.key.dialect)].name();
            name == DialectName::terraform()
        };
        if !edge.when_run || !record.takes_values || !terraform() || self.sort_of(&record)? != Sort::Unit {
            return Ok(Concern::All);
        }
        let Some(shared) = self.shared_by(&record)?.filter(|shared| !shared.variants.is_one()) else {
            return Ok(Concern::All);
        };
        let opens: Vec<_> = record.open.iter().filter(|open| open.proofs == edge.proofs).collect();
        if opens.is_empty() {
            return Ok(Concern::All);
        }
        let failed = |source| CatalogError::git(self.tree(), source);
        let ground = self.makings().ground(self.tree(), &self.view().links);
        let given = match shared.given.get() {
            Some(given) => given,
            None => {
                let configured = |directory: &RepoPath| {
                    let here = self.view().configured(directory);
                    here.map_or(true, |here| self.makings().runs_any(record.key.dialect, &here))
                };
                let files = values::files(&ground, &record.directory, &configured).map_err(failed)?;
                let each = (0..shared.ids.len()).map(|place| {
                    let own =
                        files.iter().filter(|(file, _)| shared.variants.concerned_by(file).holds(place));
                    values::together(own.map(|(_, values)| values))
                });
                let each = each.collect();
                shared.given.get_or_init(|| each)
            }
        };
        let mut places = Vec::new();
        for (place, given) in given.iter().enumerate() {
            for open in &opens {
                let edges = settled(open, &record.directory, given, &record.defaults, &ground);
                if edges.map_err(failed)?.iter().any(leads) {
                    places.push(place);
                    break;
                }
            }
        }
        // What no single one explains may be any of them.
        if places.is_empty() { Ok(Concern::All) } else { Ok(Concern::of(places, shared.ids.len())) }
    }
}

/// As what the units are given a file.
pub(super) fn given_as(variants: &Variants, path: &RepoPath) -> ReferenceKind {
    match variants.all.iter().any(|variant| variant.var_files.contains(path)) {
        true => ReferenceKind::VariableFile,
        false => ReferenceKind::BackendFile,
    }
}
