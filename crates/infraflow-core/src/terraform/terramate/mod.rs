//! Terramate: what one `.tm` or `.tm.hcl` file says ([`TerramateFile`]), and the values of its expressions as
//! far as they can be told without running anything ([`Evaluator`]).
//!
//! The rules are those of Terramate 0.17: its documentation of stacks, imports, code generation and outputs
//! sharing (<https://terramate.io/docs>), and what its program answers.

mod evaluate;
mod file;
mod functions;
mod generated;
mod value;

pub(crate) use evaluate::{Evaluator, Files};
pub(crate) use file::{StackBlock, TerramateFile};
pub(crate) use generated::hides_generated_code;
pub(crate) use value::Value;
