use std::collections::{BTreeMap, BTreeSet};

use super::{BumpError, BumpTarget, Scaffold, target::read_address};
use crate::{
    address::{AddressRules, ModuleConstraint, PackageIdentity},
    catalog::Catalog,
    policy::EnvironmentName,
    proof::RepoPath,
    release::ReleasePlan,
};

/// What is to be bumped: to which versions, where, and what is deployed for the first time.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct BumpRequest {
    pub(super) targets: Vec<BumpTarget>,
    pub(super) environment: Option<EnvironmentName>,
    pub(super) scaffolds: Vec<Scaffold>,
    pub(super) required_version: Vec<ToolVersion>,
    /// What a promotion leaves out: the module, and the versions that the environment has of it.
    pub(super) undecided: Vec<(BumpTarget, Vec<String>)>,
}

/// The tool's own version, as `required_version` asks for it.
#[derive(Clone, Debug)]
pub(super) struct ToolVersion {
    pub(super) from: String,
    pub(super) to: String,
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
    /// ([`Catalog::with_environments`]). A module that the environment has at several versions stays as it is:
    /// nobody can say which of them was proven.
    ///
    /// # Errors
    /// [`BumpError::Catalog`].
    pub fn promotion(live: &Catalog, from: &EnvironmentName) -> Result<Self, BumpError> {
        let units: BTreeSet<_> = live
            .units()?
            .into_iter()
            .filter(|unit| unit.environment.as_ref() == Some(from))
            .map(|unit| unit.id)
            .collect();
        let mut carried: BTreeMap<(PackageIdentity, Option<RepoPath>), Vec<BumpTarget>> = BTreeMap::new();
        for call in
            live.calls()?.into_iter().filter(|call| call.units.iter().any(|unit| units.contains(unit)))
        {
            let Ok(source) = read_address(&call.source.value, AddressRules::Terraform) else { continue };
            let version = call.version.as_ref().map(|version| version.value.clone());
            let Some(to) = source.reference().or(version) else { continue };
            let Ok(target) = BumpTarget::new(&call.source.value, to) else { continue };
            let same = carried.entry(target.identity()).or_default();
            if !same.iter().any(|known| known.to == target.to) {
                same.push(target);
            }
        }
        let mut request = Self::default();
        for mut targets in carried.into_values() {
            let Some(last) = targets.pop() else { continue };
            if targets.is_empty() {
                request.targets.push(last);
            } else {
                let mut versions: Vec<String> = targets.into_iter().map(|target| target.to).collect();
                versions.push(last.to.clone());
                request.undecided.push((last, versions));
            }
        }
        Ok(request)
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

    /// Each `required_version` that is `from` becomes `to`; both are constraints as they stand in the files.
    ///
    /// # Errors
    /// [`BumpError::Address`] where one of the two is no constraint.
    pub fn required_version(mut self, from: &str, to: &str) -> Result<Self, BumpError> {
        for constraint in [from, to] {
            ModuleConstraint::parse_required_version(constraint)?;
        }
        self.required_version.push(ToolVersion { from: from.to_owned(), to: to.to_owned() });
        Ok(self)
    }

    /// The modules and their versions.
    pub fn targets(&self) -> &[BumpTarget] {
        &self.targets
    }
}
