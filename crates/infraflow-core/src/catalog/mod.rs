//! What is there: all modules and units of one tree, and the references between them.
//!
//! A [`Catalog`] is built from a tree by [`Dialect`]s: each says which files it reads and what a single
//! file states ([`Facts`]); the catalog links those facts into a graph. Nothing of the repository is run.
//!
//! # Modules, units and cases
//! A directory with configuration is one of three things. The first rule that holds decides:
//!
//! 1. it matches a pattern of `live` (from `--live` or `[catalog]` of `infraflow.toml`): a **unit**;
//! 2. it matches a pattern of `modules`: a **module**;
//! 3. it has a `backend` or `cloud` block, which Terraform reads in root modules only: a **unit**;
//! 4. one of the names on its path is in `examples` or `tests`: a **test case** of the module above that
//!    name, or, where no module stands there, of the module it calls;
//! 5. another directory calls it, or one of the names on its path is `modules`: a **module**;
//! 6. it has `terraform.tfvars`, `*.auto.tfvars`, a lock file or a `provider` block: a **unit**;
//! 7. otherwise: a **module**.
//!
//! Test files (`*.tftest.hcl`) are test cases of the directory in which they are run.

mod beside;
mod build;
mod call;
#[allow(clippy::module_inception)] // the word of the design for the whole, beside the folder's name
mod catalog;
mod classify;
mod dialect;
mod error;
mod facts;
mod files;
mod fill;
mod glob;
mod graph;
mod ids;
mod link;
mod listing;
mod node;
mod own;
mod path;
mod reference;
mod rules;
mod scope;
mod terraform_dialect;

pub use call::ModuleCall;
pub use catalog::Catalog;
pub(crate) use catalog::Thing;
pub use dialect::Dialect;
pub use error::CatalogError;
pub use facts::{Claim, Definition, FactReference, Facts, Mark, MarkKind, Role, Scope, Target};
pub(crate) use graph::{Edge, ThingId};
pub use ids::{BackendSetting, CaseId, DialectName, UnitId, WorkspaceName};
pub use node::{Case, CaseKind, Module, Node, Unit, Unparsable};
pub use reference::{Reference, ReferenceKind};
pub use rules::{CatalogRules, UnknownReads};
pub use terraform_dialect::TerraformDialect;
