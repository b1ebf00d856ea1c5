//! What changed: two revisions to a [`ChangeSet`].
//!
//! The files that differ are always those since the **merge base**: what the trunk gained after a branch
//! left it is no change of that branch. The base is by default the trunk
//! ([`Repository::trunk_tip`](crate::git::Repository::trunk_tip)), the head a commit or the working tree;
//! [`Endpoints`] finds both in the variables of a CI system, and says where.
//! [`GitDetector`] asks git; [`GivenFiles`] takes somebody else's list, such as a forge's; anything else is
//! a [`ChangeDetector`] of your own.
//!
//! ```json
//! {"kind": "change_set", "schema_version": 1, "digest": "sha256:…",
//!  "base": "1f0c…", "head": "77ab…+WORKTREE", "merge_base": "1f0c…",
//!  "changes": [{"path": "modules/network/main.tf", "kind": "modified"},
//!              {"path": "dev/dns/main.tf", "kind": "renamed", "old_path": "dev/names/main.tf"}],
//!  "warnings": []}
//! ```

mod change_set;
mod ci;
mod ci_branches;
mod ci_github;
mod ci_gitlab;
mod detector;
mod endpoints;
mod error;
mod git_detector;
mod given_files;

pub use change_set::{Change, ChangeSet};
pub use detector::ChangeDetector;
pub use endpoints::{Comparison, Endpoints};
pub use error::DetectError;
pub use git_detector::GitDetector;
pub use given_files::GivenFiles;
