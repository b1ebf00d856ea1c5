//! The nature of a change: the class that decides which pipeline it gets.
//!
//! | nature | when |
//! |---|---|
//! | `global` | a file changed that decides about everything: the configuration, the policy, a tool's version, the CI system's files; or one that touches everything by a rule of `[impact]` |
//! | `both` | modules (or their tests) and units are touched; the everyday case where one repository holds both |
//! | `module` | modules, or their test cases alone (a reason `test_cases` says so), are touched, and no unit |
//! | `live` | units are touched, and no module |
//! | `tooling` | nothing is touched, and not every changed file is documentation |
//! | `docs_only` | nothing is touched, and every changed file is documentation |
//!
//! The first row that holds decides. What is touched comes from [`Impact`](crate::impact::Impact), which
//! knows who reads a file; the patterns of `[nature]` in `infraflow.toml` speak only of files that nobody
//! reads, and of those that concern everything.

mod class;
mod rules;

pub use class::{Nature, NatureOfChange, of};
pub use rules::NatureRules;
