//! Which test cases run: an impact to a [`TestPlan`].
//!
//! Every case of the catalog is in the plan once: among `cases` with the reasons why it runs, or among
//! `skipped` with the reasons why it need not.

mod plan;
mod selector;
mod shards;

pub use plan::{PlannedCase, Shard, SkippedCase, TestPlan};
pub use selector::{ImpactSelector, Nightly, Sharding, TestSelector};
