use std::{collections::BTreeMap, sync::Arc};

use crate::{policy::EnvironmentName, seal::Sealer};

/// With what each environment's logs are sealed and opened.
#[derive(Clone, Debug, Default)]
pub struct Sealers {
    by_environment: BTreeMap<EnvironmentName, Arc<dyn Sealer>>,
    others: Option<Arc<dyn Sealer>>,
}

impl Sealers {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Seals the logs of an environment with a key of its own.
    #[must_use]
    pub fn with(mut self, environment: EnvironmentName, sealer: Arc<dyn Sealer>) -> Self {
        self.by_environment.insert(environment, sealer);
        self
    }

    /// Seals all other logs with one key, those of units without an environment among them.
    #[must_use]
    pub fn with_others(mut self, sealer: Arc<dyn Sealer>) -> Self {
        self.others = Some(sealer);
        self
    }

    /// The sealer of an environment.
    pub fn of(&self, environment: Option<&EnvironmentName>) -> Option<&Arc<dyn Sealer>> {
        environment.and_then(|name| self.by_environment.get(name)).or(self.others.as_ref())
    }
}
