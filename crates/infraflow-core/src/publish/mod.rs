//! Post sealed logs and summaries, and keep a record of who opened them.
//!
//! A dry run's log belongs to the people who may read the environment; everybody else gets a summary. A
//! [`Publisher`] takes a [`DryRun`](crate::dry_run::DryRun) with the files it left behind and posts both.
//! [`StorePublisher`] puts them in a [`Store`](crate::store::Store):
//!
//! | item | what | how |
//! |---|---|---|
//! | `log` | everything that the tool wrote | sealed with the environment's key |
//! | `plan_file` | the saved plan, which `deploy` applies, on another machine too | sealed |
//! | `plan_json` | the plan with every value | sealed |
//! | `summary_text`, `summary_markdown` | what would change, without values | in clear, redacted |
//! | `manifest` | repository, unit, commit, plan, run, and the digest of each item as it is stored | signed |
//!
//! The manifest comes last and is created only where none stands: before it, nothing of a unit is visible.
//!
//! [`open_log`] goes the other way. It trusts nothing before the signature: the manifest is verified against
//! the allowed signers, then that it stands where it belongs, then the digest of the sealed bytes; only then
//! are they opened, and who opened them is recorded before the result is handed out.
//!
//! # Limitations
//! - The record of openings is kept by [`open_log`]. Who has both the sealing key and the right to read the
//!   store can go past it; the store's own access log sees that.
//! - What an attempt uploaded that died before its manifest stays in the store, invisible and sealed.

mod error;
mod item;
mod open_log;
mod place;
mod plain;
mod plan;
mod published;
mod publisher;
mod sealers;
mod store_publisher;
mod summary;

pub use error::PublishError;
pub use item::ItemName;
pub use open_log::{OpenRequest, OpenedItem, Opening, VerifiedManifest, open_log, openings, read_manifest};
pub use plan::{NotPublished, PublishPlan, UnitPublishPlan};
pub use published::{Published, PublishedItem, UnitPublished};
pub use publisher::Publisher;
pub use sealers::Sealers;
pub use store_publisher::StorePublisher;
