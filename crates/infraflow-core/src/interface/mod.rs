//! A module's interface, and the difference of two, by rules that are data.
//!
//! [`Interface::of`] reads what a module shows to its callers from the facts of its files;
//! [`Interface::compare`] says what changed for them. Each kind of difference is a rule of `rules.toml`
//! with its severity and the fact behind it, most of them run on Terraform; a repository may set other
//! severities.
//!
//! # Limitations
//! Expressions are compared by their words, not by their values. Where the text alone does not tell, the
//! change is a risk and not nothing. What a called module does is not followed here.

mod addresses;
mod change;
mod compare;
mod error;
mod expression;
#[allow(clippy::module_inception)] // the folder's word is the type's word
mod interface;
mod outputs;
mod requirements;
mod rules;
mod type_expression;
mod variables;

pub use change::{InterfaceChange, Severity};
pub use error::InterfaceError;
pub use interface::{Declared, Interface};
pub use rules::{InterfaceRule, InterfaceRules, InterfaceSection};
