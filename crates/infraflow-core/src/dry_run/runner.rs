use async_trait::async_trait;

use super::{DryRunContext, DryRunError, DryRunOutcome, DryRunPlan};
use crate::{
    catalog::{Catalog, UnitId},
    git::Revision,
    impact::Impact,
    policy::Policy,
};

/// Which units are to be dry-run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Scope<'a> {
    /// These, because somebody asked.
    Units(&'a [UnitId]),
    /// Those whose plan can come out differently through a change.
    Impact(&'a Impact),
    /// All of the catalog.
    All,
}

/// Says what applying would do.
///
/// # Contract
/// 1. `plan` is pure: it reads what it is given, and neither files nor the network. Equal arguments give equal plans.
/// 2. Every unit of the scope is in the plan: to be dry-run, or skipped with a reason. Its environment is the one that
///    `policy` gives it, and `policy` is trunk's.
/// 3. `observe` changes nothing in the world but caches: it takes locks, and gives them back.
/// 4. It works on the files of the plan's revision, outside of the user's working tree, and plans what the revision has:
///    where anything wrote to them meanwhile, the unit comes out as an error.
/// 5. Every unit of the plan is in the result, once. A unit that fails is `error` with a reason, and stops no other;
///    one that was not finished when the token was cancelled is `skipped`.
/// 6. The result's [`DryRun`](super::DryRun) and the observer's events hold no value of a resource and no secret. What
///    does hold them is in [`UnitArtefacts`](super::UnitArtefacts), below a folder that only its owner can enter.
/// 7. Equal fingerprints mean that applying either plan does the same; where that is not known, they differ.
/// 8. Credentials are asked for when a unit is begun, for planning only, and a unit sees those of its own environment.
#[async_trait]
pub trait DryRunner: Send + Sync {
    /// What would be dry-run.
    ///
    /// # Errors
    /// [`DryRunError::UnknownUnit`] for a unit that the catalog does not have.
    fn plan(
        &self,
        revision: &Revision,
        catalog: &Catalog,
        scope: Scope<'_>,
        policy: &Policy,
    ) -> Result<DryRunPlan, DryRunError>;

    /// Dry-runs the units of a plan.
    ///
    /// # Errors
    /// [`DryRunError`] where the revision cannot be read or the files not be kept. A unit that fails is no error: it
    /// stands in its outcome.
    async fn observe(
        &self,
        plan: &DryRunPlan,
        context: &DryRunContext<'_>,
    ) -> Result<DryRunOutcome, DryRunError>;
}
