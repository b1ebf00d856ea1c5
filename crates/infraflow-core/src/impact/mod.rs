//! What a change set touches: a change set and the catalogs of both ends to an [`Impact`].
//!
//! ```json
//! {"kind": "impact", "schema_version": 1, "digest": "sha256:…",
//!  "base": "1f0c…", "head": "77ab…", "merge_base": "1f0c…",
//!  "changes": [{"path": "modules/network/main.tf", "kind": "modified"}],
//!  "modules": [{"path": "modules/network", "dialect": "terraform",
//!    "reasons": [{"rule": "contains", "text": "modules/network/main.tf was modified",
//!      "chain": [{"path": "modules/network/main.tf", "start": 0, "end": 0, "line": 1, "column": 1,
//!                 "reference": "modified"}]}]}],
//!  "units": [{"id": "live/dev", "path": "live/dev", "dialect": "terraform", "environment": "dev",
//!    "reasons": [{"rule": "module_call", "text": "…", "chain": ["…"]}]}],
//!  "cases": [], "removed_modules": [], "removed_units": [], "dependents": [], "unparsable": [],
//!  "warnings": []}
//! ```
//!
//! # What counts
//! Both catalogs are searched: what depended on a changed file at the merge base, or depends on it at the
//! head, is affected; what is gone at the head is removed. A file counts where it is
//! - configuration of a directory, by its name;
//! - read or named by an expression, given as values, pinned as a lock or version file, or on the way there
//!   as a link or a submodule;
//! - listed by `fileset`: when it appears or goes, not when its content changes.
//!
//! What a repository says beyond its references stands in [`rules`].
//!
//! Documentation, and any other file that nothing reads, counts for nothing; nor does a change of mode
//! alone, unless an argument names the file, since it may be run. From there the references lead on: what
//! calls an affected module is affected.
//!
//! # Reasons
//! Each thing has the shortest chain of links from a changed file to it, by [`ReasonsFor`] one from each changed file,
//! or each chain that meets nothing twice, the shortest first; of equally short ones the same is told in every run.
//! What is left out is counted: chains in `chains_left_out`, and the middle of a chain of more than 32 links in
//! [`links_left_out`](crate::proof::Reason::links_left_out), so that a module that is called over ten thousand others
//! is told by both ends. [`why`](fn@why) answers for one thing, directory or changed file, and says of what is not touched
//! what it depends on, and which change lies nearest. [`Graph`] draws what the reasons say.
//!
//! # Units that share a directory
//! Each is judged by itself ([`variants`](mod@crate::catalog::variants)): the variable and backend files that are
//! named to some of them concern only these, and so does a file whose path is put together from values that only
//! these are given. Whatever else the directory depends on concerns all. Where the units of a directory are not
//! those of the merge base any more, the old ids are in `removed_units` and the new ones in `units`, by the rule
//! `other_units` where nothing else touches them.

mod assess;
mod chains;
mod come_and_gone;
mod document;
mod graph;
pub mod moved;
mod options;
mod reach;
mod reason;
pub mod rules;
mod scope;
mod scope_limits;
mod search;
mod stack_units;
mod ways;
mod why;
mod why_file;

pub use assess::{assess, assess_with};
pub use document::{AffectedCase, AffectedModule, AffectedStackUnit, AffectedUnit, Impact};
pub use graph::{Graph, GraphEdge, GraphNode, Sort};
pub use moved::{RenamedUnit, StateFate, tell_renames};
pub use options::{ImpactOptions, ReasonsFor};
pub use reach::{ModuleAddresses, Published, Reach, Reached, ReachedWhen, reach};
pub use rules::{
    AlsoRule, Judged, Meant, PathRule, References, RuleAction, RuleName, Ruled, Rules, Then, Verdict,
};
pub use scope::{BranchAge, Scope, Width};
pub use scope_limits::ScopeLimits;
pub use why::{Answered, Why, why};
