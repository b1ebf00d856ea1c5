//! Which test cases run: an impact to a [`TestPlan`].
//!
//! Every case of the catalog is in the plan once: among `cases` with the reasons why it runs, or among
//! `skipped` with the reasons why it need not.

mod balance;
mod bound;
mod budget;
mod build;
mod closure;
mod content;
mod contents;
mod error;
mod evidence;
mod history;
mod history_file;
mod history_store;
mod pinned;
mod plan;
mod record;
mod rules;
mod selector;
mod shards;

pub use bound::shortest_possible;
pub use contents::{Content, Contents};
pub use error::SelectError;
pub use evidence::Evidence;
pub use history::{Flaky, History, Urgency};
pub use plan::{BudgetUse, ContentsOf, GreenRun, PlannedCase, Quarantined, Shard, SkippedCase, TestPlan};
pub use record::{RecordedRun, RunOutcome, TestRuns};
pub use rules::{Day, Immutable, Quarantine, SelectRules};
pub use selector::{Green, ImpactSelector, Nightly, TestSelector};
pub use shards::Sharding;
