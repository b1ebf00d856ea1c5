use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Case, CatalogError, CatalogRules, Dialect, Module, Node, Thing, Unit, UnitId,
    build::Makings,
    classify::Sort,
    each::{FEW_LOOKS, each},
    index::Index,
    patch::{lay, lay_over},
    record::{Key, Record},
    shared::Shared,
    view::{RecordId, View},
};
use crate::{git::Tree, policy::EnvironmentName, proof::RepoPath};

/// All modules and units of one tree, and the references between them. Cheap to clone.
///
/// ```no_run
/// use std::sync::Arc;
/// use infraflow_core::{catalog::{Catalog, CatalogRules, Dialect, TerraformDialect}, git::Repository};
/// let repository = Repository::open(".")?;
/// let tree = repository.tree(&repository.revision("HEAD")?)?;
/// let dialects: [Arc<dyn Dialect>; 1] = [Arc::new(TerraformDialect)];
/// let catalog = Catalog::build(&tree, &dialects, &CatalogRules::default())?;
/// for unit in catalog.units()? {
///     println!("{}", unit.id);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Catalog {
    inner: Arc<Inner>,
    environments: Option<Arc<Environments>>,
}

type Environments = dyn Fn(&UnitId) -> Option<EnvironmentName> + Send + Sync;

struct Inner {
    tree: Tree,
    makings: Arc<Makings>,
    view: View,
    sorts: Mutex<HashMap<Key, Sort>>,
    /// By the directory, and whether units are found there.
    shared: Mutex<HashMap<(RepoPath, bool), Arc<Shared>>>,
}

impl Catalog {
    /// Catalogs a tree. Reads it on all cores (rayon's), runs nothing of it, and takes nothing from outside
    /// it but the addresses of the repository's remotes. [`CatalogCache`](super::CatalogCache) gives the same
    /// in a time that follows the change and not the repository.
    ///
    /// # Errors
    /// [`CatalogError::Git`] where the tree cannot be read, and [`CatalogError::TwoDialects`]. A file that
    /// cannot be understood is no error: see [`Catalog::unparsable`].
    pub fn build(
        tree: &Tree,
        dialects: &[Arc<dyn Dialect>],
        rules: &CatalogRules,
    ) -> Result<Self, CatalogError> {
        let makings = Arc::new(Makings::new(tree, dialects, rules)?);
        Self::own(&Arc::new(Index::of(tree, &makings)?), tree, &makings)
    }

    /// A tree over its own index.
    pub(super) fn own(index: &Arc<Index>, tree: &Tree, makings: &Arc<Makings>) -> Result<Self, CatalogError> {
        Self::over(index, tree, makings)?.ok_or_else(|| CatalogError::Damaged {
            what: format!("of the tree of {}", tree.revision()),
            why: "it is not the tree's own".to_owned(),
        })
    }

    /// A tree over an index; `None` where too much differs.
    pub(super) fn over(
        index: &Arc<Index>,
        tree: &Tree,
        makings: &Arc<Makings>,
    ) -> Result<Option<Self>, CatalogError> {
        Ok(lay(index, tree, makings)?.map(|view| Self::new(view, tree, makings)))
    }

    /// Another tree over what this one has; `None` where too much differs.
    pub(super) fn with_tree(&self, tree: &Tree) -> Result<Option<Self>, CatalogError> {
        let makings = &self.inner.makings;
        let view = lay_over(self.view(), self.tree(), tree, makings)?;
        Ok(view.map(|view| Self::new(view, tree, makings)))
    }

    fn new(view: View, tree: &Tree, makings: &Arc<Makings>) -> Self {
        let inner = Inner {
            tree: tree.clone(),
            makings: Arc::clone(makings),
            view,
            sorts: Mutex::default(),
            shared: Mutex::default(),
        };
        Self { inner: Arc::new(inner), environments: None }
    }

    /// How many scopes are laid over the index, or gone from it.
    pub(super) fn scopes_laid_over(&self) -> usize {
        self.view().patch.by_key.len()
    }

    /// The modules, sorted by path.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn modules(&self) -> Result<Vec<Module>, CatalogError> {
        self.sorted(|id| {
            if !matches!(self.outline(id)?, Thing::Module(_)) {
                return Ok(Vec::new());
            }
            let things = self.things(id)?.into_iter();
            Ok(things
                .filter_map(|thing| if let Thing::Module(module) = thing { Some(module) } else { None })
                .collect())
        })
    }

    /// The units, sorted by id.
    ///
    /// # Errors
    /// [`CatalogError`] where a kept index is damaged and the tree can no longer be read.
    pub fn units(&self) -> Result<Vec<Unit>, CatalogError> {
        self.sorted(|id| {
            let things = self.things(id)?.into_iter();
            Ok(things
                .filter_map(|thing| if let Thing::Unit(unit) = thing { Some(unit) } else { None })
                .collect())
        })
    }

    /// The test cases, sorted by id.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn cases(&self) -> Result<Vec<Case>, CatalogError> {
        self.sorted(|id| match self.outline(id)? {
            Thing::Case(case) => Ok(vec![case]),
            _ => Ok(Vec::new()),
        })
    }

    /// What all records are, by what each of them is, sorted and each once.
    fn sorted<T: Ord + Send>(
        &self,
        of: impl Fn(RecordId) -> Result<Vec<T>, CatalogError> + Sync,
    ) -> Result<Vec<T>, CatalogError> {
        let found = each(FEW_LOOKS, self.view().all()?, of);
        let found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut found: Vec<T> = found.into_iter().flatten().collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The module in a directory.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn module(&self, path: &RepoPath) -> Result<Option<Module>, CatalogError> {
        let things = self.standing_in(path)?.into_iter();
        Ok(things
            .filter_map(|(_, thing)| if let Thing::Module(module) = thing { Some(module) } else { None })
            .next())
    }

    /// The unit with an id.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn unit(&self, id: &UnitId) -> Result<Option<Unit>, CatalogError> {
        Ok(match self.find(&Node::Unit(id.clone()))? {
            Some(Thing::Unit(unit)) => Some(unit),
            _ => None,
        })
    }

    /// The test cases of the module in a directory.
    ///
    /// # Errors
    /// As [`Catalog::units`].
    pub fn cases_of(&self, module: &RepoPath) -> Result<Vec<Case>, CatalogError> {
        Ok(self.cases()?.into_iter().filter(|case| case.module == *module).collect())
    }

    /// The same with each unit in the environment that the policy gives it
    /// ([`Policy::environment_of_id`](crate::policy::Policy::environment_of_id)): units that share a directory need
    /// not share their environment.
    #[must_use]
    pub fn with_environments(
        mut self,
        of: impl Fn(&UnitId) -> Option<EnvironmentName> + Send + Sync + 'static,
    ) -> Self {
        self.environments = Some(Arc::new(of));
        self
    }

    /// The tree that is catalogued.
    pub fn tree(&self) -> &Tree {
        &self.inner.tree
    }

    pub(super) fn environment_of(&self, unit: &UnitId) -> Option<EnvironmentName> {
        self.environments.as_ref().and_then(|of| of(unit))
    }

    /// What is known already of what records are.
    pub(super) fn sorts(&self) -> MutexGuard<'_, HashMap<Key, Sort>> {
        self.inner.sorts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which units share directories, as far as somebody asked.
    pub(super) fn known_shared(&self) -> MutexGuard<'_, HashMap<(RepoPath, bool), Arc<Shared>>> {
        self.inner.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn view(&self) -> &View {
        &self.inner.view
    }

    pub(super) fn makings(&self) -> &Makings {
        &self.inner.makings
    }

    /// All records, in no particular order.
    pub(crate) fn all(&self) -> Result<Vec<RecordId>, CatalogError> {
        self.view().all()
    }

    /// A record, for what it says of itself.
    pub(crate) fn record(&self, id: RecordId) -> Result<Arc<Record>, CatalogError> {
        self.view().record(id)
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("tree", self.tree().revision()).finish_non_exhaustive()
    }
}
