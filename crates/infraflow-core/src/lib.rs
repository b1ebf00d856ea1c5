//! A library from which a platform team builds its own pipeline for infrastructure code.
//!
//! # The problem
//!
//! Infrastructure code comes in two kinds. *Modules* are a library: the only honest test of one is to
//! deploy an example of it into a sandbox, look at it, and destroy it. *Live* configuration is one
//! directory per deployed thing: it can only be dry-run against the real environment. A pipeline that
//! treats both alike either tests too much to be fast or too little to be trusted.
//!
//! | | infrastructure modules | live configuration |
//! |---|---|---|
//! | only honest test | deploy an example, inspect it, destroy it | dry run against the real environment |
//! | on a change | tests of what changed or depends on it; nightly everything | a dry run of the affected units; the whole log posted, encrypted |
//! | what a merge makes | an immutable release: a git tag | nothing; trunk *is* the release |
//! | what deploys it | bumping, or first creating, a reference in live | apply, after a person approved what is risky |
//!
//! infraflow is the set of parts for that: detecting what a change touches, selecting tests, running them
//! so that nothing leaks, releasing, bumping references, dry-running, sealing logs, approving, deploying,
//! and proving afterwards that trunk and reality agree. It is embedded in in-house tooling, scripted from
//! Python, and used to write steps of a CI system. It is not a CI server, and not a wrapper around one tool.
//!
//! # The model
//!
//! ```text
//!  two revisions ─► detect ─► ChangeSet ─┐
//!  tree(base) ─► catalog ────────────────┼─► impact ─► Impact ─► nature ─► pipeline: steps
//!  tree(head) ─► catalog ────────────────┘                          │
//!      ┌───────────────── modules ────────────────┬─────────────────┴──── live ────────────────────┐
//!      select ─► TestPlan ─► sandbox ─► TestReport      dry_run ─► DryRun ─► redact ─► seal ─► publish
//!      release ─► ReleasePlan ─► tag                     approve ─► deploy ─► verify (no changes)
//!      bump ─► BumpPlan ─► commit on a branch of live ──►┘
//! ```
//!
//! Data flows one way. No stage reaches back into an earlier one, none knows the pipeline that runs it, and
//! each can be used alone.
//!
//! ## The one rule
//!
//! Everything that changes the world is split: **`plan` decides, `execute` does.**
//! - *plan* is pure: trees and observations in, a plan out. It runs no code of the repository and uses no
//!   network.
//! - *observe* looks at the world through declared tools and returns data.
//! - *execute* carries out one plan, and refuses a plan whose facts no longer hold. What can be repeated is
//!   idempotent; what can't (an apply, a push) happens at most once, and after a crash looks first.
//!
//! A plan is a [`proof::Document`]: plain data that is shown to people, compared, signed, written by one
//! process and executed by another on another machine.
//!
//! ## And its companion
//!
//! **Every answer carries its reason.** Selected, skipped, bumped, refused: the result says why, as data,
//! and a [`proof::Reason`] leads a person to a byte in a file.
//!
//! # An example
//!
//! What does a change touch, and which tests does it need?
//!
//! ```no_run
//! use std::error::Error;
//! use infraflow_core::{
//!     catalog::{CatalogCache, standard_dialects},
//!     detect::{ChangeDetector, GitDetector},
//!     git::{Repository, Revision},
//!     impact::{ImpactOptions, assess_with},
//!     policy::Configuration,
//!     select::{ImpactSelector, TestSelector},
//! };
//!
//! # fn main() -> Result<(), Box<dyn Error>> {
//! let repository = Repository::open(".")?;
//! let (base, head) = (Revision::Commit(repository.trunk_tip()?), repository.revision("HEAD")?);
//! let changes = GitDetector::new().detect(&repository, &base, &head)?;
//! let trunk = Configuration::read(&repository.tree(&base)?)?; // not the change's own
//! let (old, new) = (repository.tree(&changes.merge_base.into())?, repository.tree(&head)?);
//! let (before, after) = CatalogCache::of_user().ends(&old, &new, &standard_dialects(), &trunk.section()?)?;
//! let options = ImpactOptions::by(trunk.section()?);
//! let impact = assess_with(&changes, &before, &after, &options)?;
//! let cases = after.cases()?;
//! for case in ImpactSelector::default().select(&impact, &cases).cases {
//!     println!("{}: {}", case.id, case.reasons[0].text);
//! }
//! # Ok(()) }
//! ```
//!
//! The whole road, from that commit to a verified environment, is the example program `trunk_to_live`; it is
//! short enough to be read as a tutorial.
//!
//! # Finding your way
//!
//! Folders stand in eight layers, and each uses only those above it; the list of modules below has them in
//! that order. A trait's documentation is its contract, numbered, so that an implementer can tick it off; the
//! feature `conformance` has suites that test those numbers. Every trait can be used as `dyn`.
//!
//! What computes is synchronous; what waits is async. The library makes no runtime, no global thread pool and
//! no signal handler, and prints nothing: it takes a `CancellationToken` and an [`observe::Observer`].
//!
//! # What is trusted
//!
//! Repository content is somebody else's code, and may edit the rules it is judged by. So no code of it runs
//! while a change is detected, assessed, selected for, released or bumped; [policy](policy::Policy) is read
//! from trunk, as it stood before the change; logs that may hold secrets leave the machine sealed; tools see
//! an allow-list of the environment; and a [plan](proof::Document) that was altered after it was written is
//! refused by its digest.
//!
//! # Limitations
//!
//! - [`catalog::standard_dialects`] are what is understood today; a [`catalog::Dialect`] for another language can be
//!   written outside of this crate, in Rust or in Python; its documentation shows one. Dry runs and
//!   deployments are Terraform's.
//! - [`forge::LocalForge`] keeps change requests in a store. Clients of GitHub and GitLab are not here yet.
//! - A tool's process is isolated by its environment and its process group, not by a container.
//! - Sealing is to one shared key per environment; there are no per-person recipients yet.
//! - Unix only: process groups, file modes and byte paths are relied on.

// Layer 1: ground.
pub mod observe;
pub mod process;
pub mod proof;
pub mod store;

// Layer 2: means.
pub mod forge;
pub mod git;
pub mod policy;
pub mod redact;
pub mod seal;
pub mod yaml;

// Layer 3: tools.
pub mod address;
pub mod kubernetes;
pub mod terraform;

// Layer 4: what is there.
pub mod catalog;
pub mod interface;

// Layer 5: what changed.
pub mod detect;
pub mod impact;
pub mod nature;

// Layer 6: what to do.
pub mod bump;
pub mod dry_run;
pub mod release;
pub mod sandbox;
pub mod select;

// Layer 7: what follows.
pub mod approve;
pub mod deploy;
pub mod publish;

// Layer 8: the whole.
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod pipeline;

/// The README's Rust is compiled as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
