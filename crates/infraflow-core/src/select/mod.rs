//! Which test cases run: an impact to a [`TestPlan`].
//!
//! Every case of the catalog is in the plan once: among `cases` with the reasons why it runs, or among
//! `skipped` with the reasons why it need not. [`ImpactSelector`] runs what a change touches, [`Nightly`]
//! everything; both are told by their [`Terms`] how the cases are dealt out, at which moment, by which rules, and what
//! is known of earlier runs. Nothing here reads a clock.
//!
//! # Why a case is skipped
//!
//! | rule | what it says |
//! |---|---|
//! | `not_affected` | nothing that the case reads has changed |
//! | `green` | a run passed with the same content; `proof` names it. Only where it is asked for |
//! | `budget` | the time given goes to cases that are worth more. Only where a budget is given |
//!
//! # What is remembered
//! A [`History`] is a list of [`RecordedRun`]s: the case, the run, its outcome, its seconds, when it ended, and the
//! digest of what the case was made of. It is data, in a file of JSON lines ([`History::read_file`]) or in a store
//! ([`History::read_store`]), and comes from a test report by
//! [`TestReport::recorded`](crate::sandbox::TestReport::recorded).
//!
//! ```json
//! {"case": "modules/network/examples/basic", "run": "nightly-118", "outcome": "passed", "seconds": 612,
//!  "at": "2026-01-31T02:10:44Z", "content": "sha256:…"}
//! ```
//!
//! # Order
//! On its machine a case comes the earlier the more urgent it is: what failed when it last ran, then what failed in
//! the last `failed_days` days, then what no record knows, then the rest; of equally urgent ones the longest first, so
//! that a machine that runs several at once is done early; then by id.
//!
//! # Shards
//! To which machine a case goes is decided by durations alone: the median of its newest five runs that passed, or
//! `unknown_minutes`. Longest-first alone can be a third above the best; it is improved by moves and swaps, by packing
//! into a limit (MULTIFIT) and, where little is to be dealt, by search, as far as a fixed number of steps allows. What
//! no dealing can beat is [`shortest_possible`]: the largest of work over machines, the longest case, the bounds for
//! pairs, triples and so on, and the packing bound L2. From four cases a machine on the shards are within 5 % of it,
//! and within 5 % of the best dealing where there are few cases; tests hold both. Between one and four long cases a
//! machine the best dealing itself can be a tenth above every one of these bounds (eight cases of 550 to 1,050 seconds
//! on three machines), and they do not tell how good a dealing is.
//!
//! # What need not run again
//! [`Contents`] gives each case a Merkle digest over everything that it reaches, the version of the tool included. A
//! case is skipped as green where the newest run of that very digest passed, at most `green_days` ago. Where the
//! digest cannot be told, the case runs, and a reason under the rule `unproven` says why: a module outside the
//! repository by a ref that can be moved, a path that only a plan knows, a file that could not be understood, a
//! submodule, a link that leads out, or a rule by which a person says that more counts than is read. [`Nightly`]
//! skips nothing, and its records are what proves on the next day.
//!
//! # Quarantine
//! A case that is named in `[[select.quarantine]]` runs, and is recorded; its failure does not fail the report, up to
//! the day that the entry names. Leaving it out would hide when it is mended, or broken for good. After the day it
//! counts again, and every plan warns until the entry is gone. Cases that passed and failed with the same content are
//! suggested by a warning ([`History::flaky`]).
//!
//! # A budget
//! `within_minutes` bounds how long each machine works. What failed recently comes first, then cases whose module (or
//! they themselves) the change touches directly, then the rest, of equals the cheap ones; quarantined ones last. What
//! does not fit is in `skipped` under `budget`, is counted in [`TestPlan::budget`], and is warned about.
//!
//! # Limits
//! - A green case proves what the repository says, not what providers, clouds or a missing lock file bring: hence
//!   `green_days`, and the nightly run. What the catalog does not see (its own limits) is not in a content either.
//! - Who can write the history can have tests skipped: only the pipeline should, not the code that it tests.
//! - Runs on a working tree are recorded without a content: its files may change while it is tested.
//! - Durations are taken one after the other; a machine that runs several cases at once is done sooner than its shard
//!   says, and keeps a budget the more.

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
mod impact_selector;
mod nightly;
mod pinned;
mod plan;
mod record;
mod rules;
mod selector;
mod shards;
mod terms;

pub use bound::shortest_possible;
pub use contents::{Content, Contents};
pub use error::SelectError;
pub use evidence::Evidence;
pub use history::{Flaky, History, Urgency};
pub use impact_selector::{Green, ImpactSelector};
pub use nightly::Nightly;
pub use plan::{BudgetUse, ContentsOf, GreenRun, PlannedCase, Quarantined, Shard, SkippedCase, TestPlan};
pub use record::{RecordedRun, RunOutcome, TestRuns};
pub use rules::{Day, Immutable, Quarantine, SelectRules};
pub use selector::TestSelector;
pub use shards::Sharding;
pub use terms::Terms;
