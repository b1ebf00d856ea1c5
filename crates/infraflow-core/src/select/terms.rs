use super::{Evidence, Sharding};

/// On what terms cases are chosen, by whatever selector: how they are dealt out, and what is known of earlier runs.
///
/// ```
/// use infraflow_core::{proof::Timestamp, select::{Evidence, History, ImpactSelector, Nightly, Sharding, Terms}};
/// # let history = History::default();
/// let now = Timestamp::parse("2026-01-31T12:00:00Z")?;
/// let terms = Terms::default()
///     .with_sharding(Sharding::over(4))
///     .with_evidence(Evidence::at(now).with_history(history));
/// let by_change = ImpactSelector::on(terms.clone()).within_minutes(30);
/// let all = Nightly::on(terms);
/// # Ok::<(), infraflow_core::proof::ProofError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Terms {
    /// How the cases are dealt out.
    pub sharding: Sharding,
    /// What is known of earlier runs.
    pub evidence: Option<Evidence>,
}

impl Terms {
    /// Deals the cases out so.
    #[must_use]
    pub fn with_sharding(mut self, sharding: Sharding) -> Self {
        self.sharding = sharding;
        self
    }

    /// Knows this of earlier runs.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }
}
