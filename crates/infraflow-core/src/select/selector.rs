use super::TestPlan;
use crate::{catalog::Case, impact::Impact};

/// Chooses which test cases run. This is *plan*: it looks at nothing but its arguments and itself, and reads no
/// clock, no file and no network.
///
/// # Contract
/// 1. Every case given is in the plan exactly once, though it be given twice: among `cases` with a reason why it
///    runs, or among `skipped` with a reason why it need not.
/// 2. The same arguments give the same plan, whatever the order of `cases`. Both lists are sorted by id.
/// 3. A case is skipped only where its result provably cannot differ, where a rule that a person wrote says so, or
///    where the time that the caller gave does not suffice; the reason tells which. Nothing is left out silently.
/// 4. Each case that runs is in exactly one shard, and no shard is empty or has anything else.
/// 5. The plan is a document that reads back as itself, and its digest holds no guess about time: other shards have
///    the same digest.
pub trait TestSelector: Send + Sync {
    /// Chooses among all the cases at head.
    fn select(&self, impact: &Impact, cases: &[Case]) -> TestPlan;
}
