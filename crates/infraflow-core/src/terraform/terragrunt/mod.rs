//! Terragrunt: what a unit or an explicit stack depends on, found out without running anything.
//!
//! [`resolve`] evaluates the configuration of one directory as far as that is possible from files alone, and
//! gives what it found: files that functions read, the module that is run, the units whose outputs are
//! consumed, values of variables. Files are seen through [`Files`], by whoever keeps note of what was seen.
//!
//! # What is understood
//! By the documentation of Terragrunt 1.x (docs.terragrunt.com, "HCL" and "Stacks"), and checked against
//! terragrunt 1.1.3:
//! - `include`, with and without a name, with each merge strategy and `expose`; the sibling
//!   `terragrunt.autoinclude.hcl`; `locals`, `inputs`, `dependency`, `dependencies`, `feature`, `generate`,
//!   `remote_state`, `exclude`, `errors`, `engine`;
//! - `terraform`: `source` with `//` and query, `extra_arguments` with their variable files, hooks that name
//!   files, and what `exclude_from_copy` and `include_in_copy` leave out of the files beside a unit that are laid over its
//!   module;
//! - `terragrunt.stack.hcl`: units and stacks from this repository, as if they were generated, with `values` and
//!   `autoinclude`; each generated unit is told apart ([`Generated`]);
//! - Terraform code that `generate` writes, for the modules that it calls and the files that it reads;
//! - Terragrunt's functions, Terraform's that read files, and the usual ones of texts, lists and objects;
//!   HCL and JSON syntax.
//!
//! Paths follow the tool: `file` and its kin begin at the file in which they stand, `read_tfvars_file`,
//! `sops_decrypt_file`, `mark_as_read`, `include.path`, `config_path` and `terraform.source` at the directory
//! that is run, of an included file too.
//!
//! # What is not known
//! - `run_cmd`, `sops_decrypt_file`, outputs of dependencies, the environment: their values are unknown, files
//!   they name count. `get_env` and features have their defaults where a path is made of them, and are
//!   unknown in conditions, so that both branches count.
//! - A path of which a part is unknown is taken for everything that it could mean.
//! - A unit or stack that a stack takes from elsewhere is not seen: the `.hcl` files in the folders above it count, which
//!   units of a catalog look for.
//! - A module that written code calls at a pinned `ref` is outside; where a part of the code is not known, what stands
//!   around it still counts.
//! - An absolute path is known up to the repository, so that what counts names from the root of the file
//!   system counts wrongly.
//! - What a stack generates without `.terragrunt-stack` is not known as the stack's when others depend on it.
//!
//! # Bounds
//! 200,000 expressions, 2,000 files and 20,000 findings for each directory; chains of 24 files. Beyond them,
//! [`Resolved::incomplete`] says so.

mod builtins;
mod copy;
mod evaluate;
mod files;
mod finding;
mod frame;
mod functions;
mod hcl;
mod json;
mod lists;
mod path;
mod resolve;
mod root;
mod salvage;
mod source_file;
mod stack;
mod static_data;
mod syntax;
mod texts;
mod unit;
mod value;
mod writes;
mod yaml;

pub use files::{Files, Purpose, Why};
pub use finding::{Finding, Generated, Resolved, What, Written};
pub use resolve::resolve;
pub use source_file::SourceFile;
pub(crate) use static_data::static_data;
