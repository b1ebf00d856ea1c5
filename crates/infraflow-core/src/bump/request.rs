use std::collections::{BTreeMap, BTreeSet};

use super::{BumpError, BumpTarget, Scaffold};
use crate::{address::SourceAddress, catalog::Catalog, policy::EnvironmentName, release::ReleasePlan};

/// What is to be bumped: to which versions, where, and what is deployed for the first time.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct BumpRequest {
    pub(super) targets: Vec<BumpTarget>,
    pub(super) environment: Option<EnvironmentName>,
    pub(super) scaffolds: Vec<Scaffold>,
}

impl BumpRequest {
    /// References to these modules, in every environment.
    pub fn new(targets: impl IntoIterator<Item = BumpTarget>) -> Self {
        Self { targets: targets.into_iter().collect(), ..Self::default() }
    }

    /// The releases of a modules repository that is fetched from `package`; see [`BumpTarget::released`].
    ///
    /// # Errors
    /// [`BumpError::Address`].
    pub fn releases(package: &str, plan: &ReleasePlan) -> Result<Self, BumpError> {
        let targets = plan.releases.iter().map(|release| BumpTarget::released(package, release));
        Ok(Self::new(targets.collect::<Result<Vec<_>, _>>()?))
    }

    /// What an environment carries now, to be carried on to the next one. The catalog has its environments
    /// ([`Catalog::with_environments`]). A module that the environment has at several versions is left out:
    /// nobody can say which of them was proven.
    pub fn promotion(live: &Catalog, from: &EnvironmentName) -> Self {
        let units: BTreeSet<_> = live
            .units()
            .into_iter()
            .filter(|unit| unit.environment.as_ref() == Some(from))
            .map(|unit| &unit.id)
            .collect();
        let mut carried: BTreeMap<String, Vec<BumpTarget>> = BTreeMap::new();
        for call in
            live.calls().iter().filter(|call| call.unit.as_ref().is_some_and(|unit| units.contains(unit)))
        {
            let Ok(source) = SourceAddress::parse(&call.source.value) else { continue };
            let version = call.version.as_ref().map(|version| version.value.clone());
            let Some(to) = source.reference().or(version) else { continue };
            let target = BumpTarget { source, to, from: None };
            let same = carried.entry(target.module()).or_default();
            if !same.iter().any(|known| known.is(&target.source) && known.to == target.to) {
                same.push(target);
            }
        }
        Self::new(carried.into_values().filter(|targets| targets.len() == 1).flatten())
    }

    /// Only in this environment.
    pub fn in_environment(mut self, environment: EnvironmentName) -> Self {
        self.environment = Some(environment);
        self
    }

    /// A unit that is deployed for the first time.
    pub fn scaffold(mut self, scaffold: Scaffold) -> Self {
        self.scaffolds.push(scaffold);
        self
    }

    /// The modules and their versions.
    pub fn targets(&self) -> &[BumpTarget] {
        &self.targets
    }
}
