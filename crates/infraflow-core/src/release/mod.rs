//! From history and interface to versions, notes and tags.
//!
//! [`ModuleTags`] plans a version for each module whose callers would get something else than at its last
//! tag, says how large it is and why, and makes the annotated tags of such a plan in one atomic push. Tags
//! are immutable: made once, never moved, never deleted.
//!
//! # Which version
//! - Commits that changed what callers of a module get say, by the rules of conventional commits, how large
//!   its version is; `feat!:` and a `BREAKING CHANGE:` footer ask for a major one. Files that no caller gets
//!   (documentation, examples, tests) ask for nothing.
//! - The difference of the interfaces proves a floor: what breaks callers is a major version, whatever the
//!   commits say. A version that was asked for and is smaller is refused.
//! - A module that calls a changed one by a path is released too, since its callers get the changed one with
//!   it: as a patch, unless they notice themselves.
//! - The first version is 1.0.0: who calls a released module deploys it. `[release]` of `infraflow.toml`
//!   says otherwise.
//!
//! # Tags on a trunk
//! The version before is the highest one whose tag the released commit has in its history. A later tag on
//! another branch is no reason to count on from there; if it has the very name that comes next, that is
//! [`ReleaseError::TagElsewhere`].

mod blocking;
mod conventional;
mod decide;
mod error;
mod execute;
mod history;
mod module_tags;
mod naming;
mod notes;
mod plan;
mod request;
mod rules;
mod sources;
mod tagger;

use blocking::blocking;
pub use error::{ReleaseError, UnderBump};
pub use module_tags::ModuleTags;
pub use plan::{Bump, Release, ReleasePlan, ReleasedCommit, Unreleased};
pub use request::ReleaseRequest;
pub use rules::{Asks, BreakingBelowOne, ReleaseRules};
pub use tagger::{ReleaseTagger, Released, ReleasedTag, TagState};
