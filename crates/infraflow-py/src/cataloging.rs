//! What revisions are cataloged by: rules, environments, dialects.

use std::sync::Arc;

use infraflow_core::{
    catalog::{Catalog, CatalogCache, CatalogRules, Dialect},
    git::{Patience, Repository as CoreRepository, Tree},
    policy::{Configuration as CoreConfiguration, PathPattern, Policy as CorePolicy},
};
use pyo3::prelude::*;

use crate::{
    dialect::dialects_of,
    error::Result,
    job::{Convert, Job},
    policy::{Configuration, Policy},
    repository::{Repository, hurried},
};

/// Something, with the configuration that it was made by.
type Judged<T> = (T, CoreConfiguration);

#[derive(Clone)]
pub(crate) struct Cataloging {
    repository: CoreRepository,
    /// Whether no dialect is written in Python.
    own: bool,
    configuration: Option<CoreConfiguration>,
    policy: Option<CorePolicy>,
    live: Vec<String>,
    dialects: Vec<Arc<dyn Dialect>>,
}

impl Cataloging {
    pub(crate) fn new(
        repository: &Bound<'_, Repository>,
        configuration: Option<&Bound<'_, Configuration>>,
        policy: Option<&Bound<'_, Policy>>,
        live: Vec<String>,
        dialects: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        Ok(Self {
            repository: repository.get().0.clone(),
            configuration: configuration.map(|configuration| configuration.get().0.clone()),
            policy: policy.map(|policy| policy.get().0.clone()),
            live,
            own: dialects.is_none(),
            dialects: dialects_of(dialects)?,
        })
    }

    /// One call that catalogs; without dialects of Python it is tried first.
    pub(crate) fn job<T: Send + 'static>(
        self,
        work: impl Fn(&Self) -> Result<T> + Send + Sync + 'static,
        convert: Convert<T>,
    ) -> Job<T> {
        if !self.own {
            return Job::computing(move || work(&self), convert);
        }
        let asked = move |patience: Option<&Patience>| {
            let repository = hurried(&self.repository, patience);
            work(&Self { repository, ..self.clone() })
        };
        Job::asking(asked, convert)
    }

    /// The catalog of one revision, and the configuration it is made by.
    pub(crate) fn catalog(&self, cache: &CatalogCache, revision: &str) -> Result<Judged<Catalog>> {
        let (configuration, policy) = self.judges()?;
        let rules = self.rules(&configuration)?;
        let catalog = cache.catalog(&self.tree(revision)?, &self.dialects, &rules)?;
        Ok((in_environments(catalog, &policy), configuration))
    }

    /// The catalogs of both ends of a change, and the configuration they are made by.
    pub(crate) fn ends(
        &self,
        cache: &CatalogCache,
        base: &str,
        head: &str,
    ) -> Result<Judged<(Catalog, Catalog)>> {
        let (configuration, policy) = self.judges()?;
        let rules = self.rules(&configuration)?;
        let (base, head) = cache.ends(&self.tree(base)?, &self.tree(head)?, &self.dialects, &rules)?;
        Ok(((in_environments(base, &policy), in_environments(head, &policy)), configuration))
    }

    fn tree(&self, revision: &str) -> Result<Tree> {
        Ok(self.repository.tree(&self.repository.revision(revision)?)?)
    }

    /// What the revisions are judged by: what was given, or trunk's. A change does not make the rules it is judged by.
    fn judges(&self) -> Result<(CoreConfiguration, CorePolicy)> {
        Ok(match (&self.configuration, &self.policy) {
            (Some(configuration), Some(policy)) => (configuration.clone(), policy.clone()),
            (configuration, policy) => {
                let trunk = self.repository.tree(&self.repository.trunk_tip()?.into())?;
                let configuration = match configuration {
                    Some(configuration) => configuration.clone(),
                    None => CoreConfiguration::read(&trunk)?,
                };
                let policy = match policy {
                    Some(policy) => policy.clone(),
                    None => CorePolicy::read(&trunk)?,
                };
                (configuration, policy)
            }
        })
    }

    fn rules(&self, configuration: &CoreConfiguration) -> Result<CatalogRules> {
        let live = self.live.iter().map(|pattern| PathPattern::parse(pattern));
        let live = live.collect::<Result<Vec<_>, _>>()?;
        Ok(configuration.section::<CatalogRules>()?.with_live(live))
    }
}

fn in_environments(catalog: Catalog, policy: &CorePolicy) -> Catalog {
    let policy = policy.clone();
    catalog.with_environments(move |unit| {
        Some(policy.environment_of_id(unit.path(), &unit.to_string())?.name.clone())
    })
}
