//! What a Terramate stack states together with the globals and imports above it.

use infraflow_core::catalog::TerramateDialect;

use crate::{memory::Memory, parts};

const NAMES: [&str; 6] = [
    "stacks/a/stack.tm.hcl",
    "terramate.tm.hcl",
    "stacks/globals.tm.hcl",
    "imported.tm.hcl",
    "stacks/b/stack.tm",
    "stacks/a/data.json",
];

/// The parts of the input are the files of a small tree.
pub fn run(data: &[u8]) {
    Memory::of(&TerramateDialect, &NAMES, &parts(data)).resolve_all();
}
