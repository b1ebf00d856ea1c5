//! Units that share a directory: one configuration that is run with several workspaces, variable files or
//! backend settings, each of them a unit with an id of its own.
//!
//! # Declared
//! `[[catalog.variants]]` of `infraflow.toml`; the first of them whose `directories` mean a unit's directory
//! decides, and one that names nothing else says that it is one unit:
//!
//! ```toml
//! [[catalog.variants]]
//! directories = ["live/app"]
//! workspace = "app-{name}"
//! var_files = ["common.tfvars", "envs/{name}.tfvars"]
//! backend = ["/backends/{name}.hcl", "key=app/{name}.tfstate"]
//! ```
//!
//! Paths begin at the unit's directory, `..` included, or with `/` at the root of the repository. A word in
//! braces stands for a part of one name of a path; the paths in which all such words stand are looked for, and
//! each way to fill them in that leads to a file makes a unit. `names = ["dev", "prod"]` gives the values of
//! `{name}` instead. Of the paths, those count at which a file stands. Hidden files, and those that
//! Terraform reads by itself (`terraform.tfvars`, `*.auto.tfvars`), fill in nothing.
//!
//! # Found
//! Where nothing is declared, and `find_variants` is not off, a backend file and variable files that share a
//! name are a unit:
//!
//! - variable files stand in the unit's directory or in its folder `env`, `envs`, `environment`,
//!   `environments`, `config`, `configs`, `tfvars`, `vars`, `variables` or `values`, and are called
//!   `NAME.tfvars` or `NAME.tfvars.json`;
//! - backend files stand there too, or in a folder `backend`, `backends`, `backend-config`, `backend-configs`,
//!   `backend_config` or `backend_configs`, and are called `NAME.tfbackend`, `NAME.s3.tfbackend` (or another
//!   backend's name), or with the endings `hcl`, `conf`, `config` or `tfvars`: `NAME.backend.hcl`,
//!   `NAME-backend.hcl`, `backend-NAME.hcl`, `backend.NAME.hcl`, `backend_NAME.hcl`; in these folders also
//!   `NAME.hcl`, `NAME.conf`, `NAME.config`, and in those of backends `NAME.tfvars`;
//! - or each has a folder of its own, `envs/NAME/`, with one file called `backend.hcl` (or `.conf`, `.config`,
//!   `.tfvars`) or `*.tfbackend`, and any `*.tfvars`.
//!
//! A folder with configuration of its own is not looked into.
//!
//! A backend file without a variable file of its name is a unit all the same where another one in that place
//! has one: a unit too many is seen, one too few is not. A variable file without a backend file of its name
//! makes no unit: whose state it would change is not known. It may be given to every unit of the directory,
//! and counts for all.
//!
//! Several variable files without any backend file, examples (`NAME.example.hcl`), and a directory in which one
//! name has two backend files (a warning says so) are left to be declared: the directory is one unit then, and
//! all its variable files count for it.
//!
//! # What concerns whom
//! A file that is named to some of the units of a directory concerns these alone; whatever else the directory
//! depends on concerns all. A path that is put together from variables is followed for each unit by the values that
//! it can be given: those of its own files, of files that are named to nobody, and the defaults.
//!
//! # Ids
//! An id is made of all that is given to the tool, so it changes where that changes: where a file of common values
//! comes first, the old units are gone and new ones are there, and [`moved`](crate::impact::moved) says that they
//! keep their state. A pattern of ids, in `[environments]` or `[[impact.rules]]`, may speak of one part:
//! `live/**#workspace=prod`, `live/**#var_file=*/prod.tfvars`.

mod declared;
mod found;
mod template;
#[cfg(test)]
mod tests;
mod variant;
mod variant_rule;
mod whose;

use declared::declared;
use found::found;
pub use template::Template;
pub use variant::{Concern, Variant, Variants, variants};
pub use variant_rule::VariantRule;
pub(super) use whose::{Whose, whose};
