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
//! 5. another directory calls it or links to its files, or one of the names on its path is `modules`: a
//!    **module**;
//! 6. it has `terraform.tfvars`, `*.auto.tfvars`, a lock file or a `provider` block, or is a kustomization and no
//!    component: a **unit**;
//! 7. otherwise: a **module**.
//!
//! What a dialect without modules ([`Dialect::has_modules`]) has in a directory is a unit or nothing, whatever the
//! patterns say.
//!
//! Test files (`*.tftest.hcl`) are test cases of the directory in which they are run: their own, or the one
//! above `tests`.
//!
//! # Units that share a directory
//! One configuration may be run with several workspaces, variable files or backend settings. Each is a unit with an
//! id of its own: `live/app#var_file=live/app/envs/dev.tfvars&backend=live/app/backend/dev.hcl`. Which there are is
//! declared, or found by what stands there, by the rules of [`variants`](mod@variants); it is looked up when
//! somebody asks, and nothing of it is kept. Test cases are not split.
//!
//! # Several tools in one directory
//! What Terragrunt or Terramate takes for a unit is one with the Terraform configuration that stands there. Where
//! no tool runs what the other has ([`Dialect::runs`]), as with Terraform and a kustomization, each is for itself:
//! a call of one does not mean the other, and of two units the later dialect's is called `live#dialect=kustomize`.
//!
//! # Paths
//! Files count where Terraform reads them: `path.module`, `path.root`, `path.cwd` and relative paths are told
//! apart, and a path that is handed through variables is followed up to the caller that gives it, which then
//! depends on the file. What only a plan can tell is taken for anything below the constant beginning of the
//! path, and [`Catalog::warnings`] says so. Links are followed within the repository, and count themselves.
//!
//! Functions of texts are worked out on a path as Terraform has it, which writes `path.module` from where it runs:
//! `../../modules/m`, and `.` for the root module. Where something is done to a path that only a plan can tell, any
//! file of the repository may be meant. What an override file replaces is not read. Of a text of several lines, such
//! as a heredoc, what is interpolated counts, and of its other words only those of a command.
//!
//! # Values of variables
//! Of the files that Terraform reads by itself the last one that gives a value counts, and the default no more. Any
//! other file of values in the directory of a unit may be named to it. One above the units may be named to each of
//! them, as `-var-file=../common.tfvars` on a command line that nobody sees: it counts for those that have a word for
//! one of its names, or a backend that such settings are for. What Terragrunt runs names its files itself.
//!
//! # What a catalog costs
//! A scope (a directory as one dialect reads it, or a test file) is linked into a record that names everything
//! it depends on by path, whether that is there or not. So a record stays true as long as nothing changes that
//! it ends at. [`CatalogCache`] keeps the records of one commit in a file, with tables that find them by where
//! their edges end, and reads only what an answer needs; another tree is laid over it by making anew the
//! records of what differs, and of whoever called those where what they leave open to their callers changed. The head of
//! a change is laid over its base, whatever that is laid over; and where much is, an index is written of both, to which
//! records that are the same are taken over as they are written.
//! A whole tree is indexed in one pass on all cores: each scope is linked as soon as its files are read, and only
//! its encoded record is kept. Those that call a scope which leaves a path open are linked once more at the end.
//! Modules, units and cases are told apart when they are asked for. Every page and record of the file has a
//! checksum, and a damaged file is made anew.
//!
//! # Which file is what
//! On the way from files to a catalog, in this order:
//! 1. *Dialects*: `dialect` is the trait, `facts` what it says of a file, `lookup` what it asks of others; then
//!    `terraform_dialect`, `terragrunt_dialect`, `terramate_dialect` with `terramate_stack`, `terramate_generate` and
//!    `terramate_outputs`, `kustomize_dialect`, `helm_dialect`, and `included` and `overriding`, which several share.
//! 2. *Scopes*: `group` sorts a directory's files into them, `prepare` and `ground` read these, `look` notes what is
//!    looked at, `scope` brings their facts together, `statements` are these one by one. `links` knows where a path leads,
//!    `own` which addresses mean this repository, `beside` and `values` what stands beside configuration.
//! 3. *Records*: `draft` is a scope on its way, `link` carries open paths (`travelling`) up the calls, each worked out
//!    once for all that are told the same (`handed`), `settle` makes a `record` of it.
//!    What a value comes to: `fill`, `alternatives`, `decode`, `template`, `path`, `glob`.
//! 4. *The index*: `build` makes the records of a tree, `stored`, `image` and `chunks` write and read them, `index` is one
//!    tree's, `patch` lays another over it, `view` is both, `fold` makes one index of both, `cache` keeps the file.
//! 5. *Questions*: `catalog` is what is public, `classify` tells modules, units and cases apart, `thing` and `node` are
//!    these, `shared` and `variants` those that share a directory, `generated` those that stand in no file; `edges` says
//!    who refers to what changed, `listing` all references, `unclear` what could not be understood, `needed` what a
//!    partial clone lacks. `rules`, `ids`, `reference`, `call` and `error` are the words of the answers.
//!
//! # Limits
//! - What a provider or a provisioner reads without being given the path in an argument, and values from the
//!   environment (`TF_VAR_…`) are not seen. What a template is given is not known within it; one of more
//!   than 256 KiB that may read a file may read any.
//! - An unknown part of a path is taken not to climb with `..`; a path of which nothing is known, to lie in
//!   the directory that reads, unless `unknown_reads` says the whole repository.
//! - What lies in a submodule is known by its commit alone.
//! - What a Terragrunt stack takes from another repository is not seen: the configuration in the folders above counts.
//! - A module from a registry is outside, although it may be published from this repository.
//! - `.tf` and `.tofu` of one name both count, unless the rules or `--tool` say which of the two tools runs.
//! - Of a module whose source names variables, what its own variables hold is not handed in from the caller.
//! - Files of Terraform's stacks (`.tfcomponent.hcl`, `.tfdeploy.hcl`) and queries (`.tfquery.hcl`) are not read:
//!   no plan of a root module reads them.
//! - Where nothing tells which units share a directory ([`variants`](mod@variants)), it is one unit, and all
//!   variable files beside it count for it. What a unit of Terragrunt is given it names itself, so that such units
//!   are declared or one.
//! - Where an override gives a block another `for_each`, the rest of the block goes through that where it is written in
//!   one line, and no longer than what it replaces; else what the items are is not known.
//! - Modules of two dialects in one directory share an entry, and the first dialect speaks for both.
//! - Objects of Argo CD and Flux that name a path of this repository are not read: what they deploy is a unit by
//!   its own kustomization, or by a pattern of `live`.
//! - Units that read another's state (`terraform_remote_state`) are told as its dependents where both say by
//!   constants where that is kept; workspaces are not told apart.

mod alternatives;
mod beside;
mod build;
mod cache;
mod call;
#[allow(clippy::module_inception)] // the word of the design for the whole, beside the folder's name
mod catalog;
mod chunks;
mod classify;
mod declares;
mod decode;
mod dialect;
mod draft;
mod each;
mod edges;
mod encoded;
mod error;
mod facts;
mod fill;
mod filled;
mod fold;
mod generated;
mod glob;
mod ground;
mod group;
mod handed;
mod helm_dialect;
mod ids;
mod image;
mod included;
mod index;
mod kustomize_dialect;
mod link;
mod links;
mod listing;
mod look;
mod lookup;
mod needed;
mod node;
mod overriding;
mod own;
mod patch;
mod path;
mod prepare;
mod record;
mod reference;
mod rules;
mod scope;
mod settle;
mod shared;
mod statements;
mod stored;
mod template;
mod terraform_dialect;
mod terragrunt_dialect;
mod terramate_dialect;
mod terramate_generate;
mod terramate_outputs;
mod terramate_stack;
mod thing;
mod travelling;
mod unclear;
mod values;
pub mod variants;
mod view;

pub use cache::CatalogCache;
pub use call::ModuleCall;
pub use catalog::Catalog;
pub use dialect::{Dialect, standard_dialects};
pub(crate) use edges::UnitOnTheWay;
pub use error::CatalogError;
pub use facts::{
    Claim, Defines, Defining, Definition, FactReference, Facts, GeneratedUnit, Mark, MarkKind, Role, Scope,
    Target,
};
pub(crate) use generated::Generated;
pub use helm_dialect::HelmDialect;
pub use ids::{BackendSetting, CaseId, DialectName, UnitId, WorkspaceName};
pub use included::included;
pub use kustomize_dialect::KustomizeDialect;
pub use lookup::{Because, Listed, Lookup, Parsed};
pub use needed::files_missing;
pub use node::{Case, CaseKind, Module, Node, Unit, Unparsable};
pub(crate) use record::Edge;
pub use reference::{Reference, ReferenceKind};
pub use rules::{CatalogRules, ToolChoice, UnknownReads};
pub use terraform_dialect::TerraformDialect;
pub use terragrunt_dialect::TerragruntDialect;
pub use terramate_dialect::TerramateDialect;
pub(crate) use thing::Thing;
pub use variants::{Concern, Template, Variant, VariantRule, Variants, variants};
pub(crate) use view::RecordId;
