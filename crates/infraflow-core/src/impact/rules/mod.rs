//! What a repository says about paths beyond what its references say: the section `[impact]` of
//! `infraflow.toml`, [`Rules`].
//!
//! # Path rules
//! Each changed path (of a renamed file both) is held against `rules`, then against `defaults`, in order.
//! A rule that has a pattern of the path in `paths` holds; `do` says what follows:
//!
//! | `do` | what follows |
//! |---|---|
//! | `ignore` | what merely has the file below it (a stack), or may mean it by a path that only a plan knows, is not touched. What states the file (its own configuration, a function that reads it, a list of files) still is |
//! | `ignore_always` | nothing is touched, whoever reads the file. Where somebody does, the impact warns and names the first |
//! | `everything` | all modules, units and test cases are touched; or, with `units`, `modules` or `dialects`, those that they mean |
//! | `part_of` | the file counts as configuration of the modules, units and cases in the directories that `of` means; without `of`, of those in the nearest directory above it that has any |
//! | `warn` | nothing more than its references say; the impact warns, with the rule's reason |
//!
//! `then` says how it goes on: `references` (the default) looks at no further rule, and what refers to the
//! file counts as ever; `go_on` looks at the rules that follow; `stop` does neither. After `ignore` and
//! `ignore_always` there is nothing left to say, so they take no `then`.
//!
//! A deleted module or unit is told as deleted, whatever a rule says about its files.
//!
//! # Further dependencies
//! `depends_also` names what no file says: its `units` and `modules` depend also on what `on` means. A
//! pattern of `on` means changed files, and affected modules and units by their directory; what depends on
//! these in turn follows, as over any reference. Its order means nothing.
//!
//! # Published modules
//! `published` says under which addresses modules of this repository stand in a registry, so that a change of
//! them is followed into a live repository ([`reach`](super::reach)).
//!
//! # Example
//! ```toml
//! [[impact.rules]]
//! paths = ["schemas/**"]
//! do = "part_of"
//! of = ["modules/api"]
//! reason = "the module is generated from the schemas"
//!
//! [[impact.rules]]
//! paths = ["ansible/base.yml"]
//! do = "everything"
//! units = ["live/vm/**"]
//! reason = "each machine is set up by it"
//!
//! [[impact.depends_also]]
//! units = ["live/prod/**"]
//! on = ["policies/prod/**", "modules/guardrails"]
//! reason = "the wrapper hands it in"
//!
//! [[impact.published]]
//! source = "app.terraform.io/acme/{name}/aws"
//! module = "modules/{name}"
//! ```

mod also_rule;
mod apply;
mod judge;
mod path_rule;
mod ruled;
#[allow(clippy::module_inception)] // the folder's word is the type's word
mod rules;

pub use also_rule::AlsoRule;
pub(super) use apply::{Applied, Mark, ThingKind, Wanted, apply};
pub use judge::{Judged, Meant, References, RuleName, Verdict};
pub use path_rule::{PathRule, RuleAction, Then};
pub use ruled::Ruled;
pub use rules::Rules;
