//! Terramate: what one `.tm` or `.tm.hcl` file says ([`TerramateFile`]), and the values of its expressions as
//! far as they can be told without running anything ([`Evaluator`]).
//!
//! The rules are those of Terramate 0.17: its documentation of stacks, imports, globals, code generation and
//! outputs sharing (<https://terramate.io/docs>), and what its program answers.

mod bound;
mod evaluate;
mod file;
mod filter;
mod functions;
mod globals;
mod part;
mod value;
mod yaml;

pub(crate) use bound::{Bound, Call, Read, Way};
pub(crate) use evaluate::{Evaluator, Files};
pub(crate) use file::{Generation, Global, SharingBackend, StackBlock, TerramateFile};
pub(crate) use filter::matches_stack;
pub(crate) use globals::Table;
pub(crate) use part::{Globals, Part};
pub(crate) use value::Value;
