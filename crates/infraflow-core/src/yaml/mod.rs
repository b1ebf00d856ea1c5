//! YAML, read with the place of every value, for reasons that lead back to a byte.
//!
//! [`read`] gives each document of a file as a tree of [`Node`]s. Anchors are followed, keys that stand twice
//! are both kept, and merge keys (`<<`) are followed when a mapping is asked for a member. Nothing is given a
//! type: a scalar is its text, and whether it was written plain.
//!
//! # Bounds
//! A file of more than 4 MiB is not read. Collections nest no deeper than 64, those behind aliases included. An
//! alias shares what it stands for, so a file takes memory in proportion to its size; whoever walks a tree
//! counts his steps ([`Node`] says more).
//!
//! A file that breaks the rules of YAML is read as far as it holds: [`Yaml::broken`] says where it stops.

mod node;
mod reader;

pub use node::{Node, Value};
pub use reader::{Broken, Yaml, read};
