use super::{
    Terms, TestPlan, TestSelector,
    build::{Build, Verdict},
};
use crate::{catalog::Case, impact::Impact, proof::Reason};

/// Runs every case, always: what a change touches says nothing of what a provider or a cloud changed. It skips
/// nothing, for no proof and for no budget; what it runs is what proves. Quarantined cases run too, and do not fail
/// the report.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Nightly {
    /// On what terms they are dealt out.
    pub terms: Terms,
}

impl TestSelector for Nightly {
    fn select(&self, _: &Impact, cases: &[Case]) -> TestPlan {
        self.all(cases)
    }
}

impl Nightly {
    /// Chooses on these terms.
    pub fn on(terms: Terms) -> Self {
        Self { terms }
    }

    /// The plan of all cases, which needs no change.
    pub fn all(&self, cases: &[Case]) -> TestPlan {
        let reason = Reason::new("nightly", "everything is tested, since providers and clouds change too");
        let mut build = Build::new(cases, &self.terms);
        build.judge(|_| Verdict::Runs { reasons: vec![reason.clone()], direct: false });
        build.plan(None)
    }
}
