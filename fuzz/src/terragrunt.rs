//! What a Terragrunt unit states together with what it includes and reads.

use infraflow_core::catalog::TerragruntDialect;

use crate::{memory::Memory, parts};

const NAMES: [&str; 8] = [
    "live/a/terragrunt.hcl",
    "root.hcl",
    "live/terragrunt.stack.hcl",
    "live/b/terragrunt.hcl",
    "live/terragrunt.values.hcl",
    "common.yaml",
    "common.json",
    "live/a/vars.tfvars",
];

/// The parts of the input are the files of a small tree.
pub fn run(data: &[u8]) {
    Memory::of(&TerragruntDialect, &NAMES, &parts(data)).resolve_all();
}
