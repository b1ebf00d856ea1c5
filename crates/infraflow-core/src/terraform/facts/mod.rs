//! What one Terraform file says, read without running anything: module calls, variables, outputs,
//! requirements, file reads, each with the place where it stands.
//!
//! [`TerraformFile::parse`] takes a file's name and bytes and gives [`FileFacts`]. It is pure: the same
//! bytes under the same name give the same facts, so facts can be kept under the blob's id.
//!
//! # Which files
//! [`FileKind::of`] names the kinds by file name alone, as Terraform and OpenTofu do: `.tf` and `.tofu`
//! (HCL), `.tf.json` and `.tofu.json` (JSON), `override.tf` and `*_override.tf` with all four endings,
//! `*.tfvars` and `*.tfvars.json`, `*.tftest.hcl` and `*.tftest.json`, `*.tfmock.hcl` and
//! `*.tfmock.json`, and `.terraform.lock.hcl`. Names that begin with `.` or `#`, or end in `~`, are read
//! by neither tool.
//!
//! # Places
//! A [`Place`] counts bytes of the file as it is on disk: a byte-order mark and carriage returns included,
//! so that an edit can be spliced into the original bytes.
//!
//! # Paths that are computed
//! A path given to `file`, `templatefile`, `fileset` and their kin is kept as a [`StaticValue`]: an
//! expression in which `path.module`, `path.root`, locals and variables still have to be filled in, since
//! they stand in other files of the directory, or in the caller. What functions make of texts that are not all known
//! yet is kept as [`StaticValue::Computed`], and worked out where they are. What nobody can know before a plan is
//! [`StaticValue::Unknown`], and is matched conservatively by whoever links the facts.

mod collections;
mod computed;
mod error;
mod evaluate;
mod extract;
mod file;
mod functions;
mod in_text;
pub(super) mod json;
mod known;
mod left_out;
mod named;
pub(super) mod parse;
mod pass;
pub(super) mod pieces;
mod reads;
mod replaced;
mod salvage;
mod sieve;
pub(super) mod simple;
pub(super) mod slice;
pub(super) mod source;
pub(super) mod stated;
mod text;
mod value;
mod view;

pub use error::FactsError;
pub use file::{
    Backend, FileFacts, FileKind, FileRead, ImportBlock, Local, ModuleCall, Move, Output, ProviderBlock,
    Removal, Repetition, RequiredProvider, Resource, ResourceMode, StateRead, Variable,
};
pub(super) use known::{Groups, expression, groups, text_of};
pub use parse::TerraformFile;
pub(super) use reads::READS;
pub(crate) use reads::template_reads;
pub(crate) use replaced::Replacing;
pub use stated::Defined;
pub use text::Text;
pub(crate) use value::Lacking;
pub use value::{Base, StaticValue, Step};

pub use crate::proof::Place;
pub(crate) use crate::proof::quote;
