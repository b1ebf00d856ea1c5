use std::fmt;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{PublishPlan, Published, error::Result};
use crate::{
    dry_run::{DryRun, UnitArtefacts},
    observe::Observer,
};

/// Posts what came of a dry run: to everybody a summary without secrets, to those who may read it the whole.
///
/// # Contract
/// 1. `plan` is pure: it reads nothing but the dry run, and writes nothing.
/// 2. `execute` publishes what the plan says of exactly that dry run, and refuses another
///    ([`PublishError::AnotherDryRun`](super::PublishError::AnotherDryRun)), or artefacts that are not its
///    own ([`PublishError::Artefact`](super::PublishError::Artefact)).
/// 3. Logs, saved plans and plan JSON leave the machine sealed only. What is posted in clear is made of what
///    the dry run says without values, and goes through a redactor that knows every sensitive value of the
///    artefacts.
/// 4. A unit's things become visible all at once, by a signed manifest that is created last and never
///    overwritten. A call that fails or dies leaves nothing half-visible.
/// 5. It is idempotent: the same run publishes the same dry run once, and a second call finds what the first
///    one did and finishes what is missing.
/// 6. What is published is never changed.
#[async_trait]
pub trait Publisher: Send + Sync + fmt::Debug {
    /// Says what would be published, and where.
    ///
    /// # Errors
    /// [`PublishError::NoSealer`](super::PublishError::NoSealer) where a unit could not be sealed;
    /// [`PublishError::Proof`](super::PublishError::Proof) where the dry run has no digest.
    fn plan(&self, dry_run: &DryRun) -> Result<PublishPlan>;

    /// Publishes it.
    ///
    /// # Errors
    /// Each variant of [`PublishError`](super::PublishError) that is not about opening.
    async fn execute(
        &self,
        plan: &PublishPlan,
        dry_run: &DryRun,
        artefacts: &[UnitArtefacts],
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Published>;
}
