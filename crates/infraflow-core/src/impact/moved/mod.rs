//! Units that were renamed: their directory, or the files that tell one unit of a directory from another.
//!
//! A unit is its directory, so after a rename the old unit is gone and a new one is there. What becomes of what
//! it deployed depends on its state: where that stays, nothing happens; where the state's place follows the
//! directory's path, the old resources would be destroyed, if anybody plans the old unit once more, and the new
//! unit creates all of them anew. [`tell_renames`] says which of the two it is:
//!
//! | state | `state` | rule |
//! |---|---|---|
//! | a constant place in the backend, the same at both ends | `kept` | `renamed` |
//! | a place that follows the path: a local state, Terragrunt's `path_relative_to_include()` and its kin; or another constant at the head (generated backends) | `elsewhere` | `destroyed_and_created_anew` |
//! | a partial backend, filled from outside; an expression | `unknown` | `destroyed_and_created_anew`, and the text says that it may be |
//!
//! Of units that share a directory, one counts as renamed where its variable and backend files were; another
//! workspace is another state. Where only its variable files came or went, and its workspace and backend stayed,
//! it goes on under its new id.
//!
//! A directory counts as renamed where more than half of its own files that are gone went to one directory that
//! had no configuration before. A unit of Kubernetes has no state and is left alone.

mod fate;
mod renamed;

pub use fate::{RenamedUnit, StateFate, tell_renames};
