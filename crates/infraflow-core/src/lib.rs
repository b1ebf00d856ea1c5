//! A library from which a platform team builds its own pipeline for infrastructure code.

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
