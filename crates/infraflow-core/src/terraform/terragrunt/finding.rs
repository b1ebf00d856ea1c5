use crate::{
    proof::RepoPath,
    terraform::facts::{Place, StaticValue, Text},
};

/// Something that a scope depends on, and where that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// On what.
    pub what: What,
    /// The file that says so.
    pub file: RepoPath,
    /// Where in it.
    pub place: Place,
    /// What stands there, on one line.
    pub text: String,
    /// The unit of a stack that depends on it, by its place in [`Resolved::generated`]; none where the scope
    /// itself does.
    pub owner: Option<usize>,
}

/// What a scope depends on, besides the files that it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A function reads it.
    Reads(StaticValue),
    /// A function lists it.
    Lists(StaticValue),
    /// A command names it.
    Names(StaticValue),
    /// It has values of variables.
    Variables(StaticValue),
    /// The unit in that directory comes first, or its outputs are consumed.
    Unit(RepoPath),
    /// Written Terraform code calls a module.
    Call {
        /// The call's name.
        name: String,
        /// The address, as seen from the scope's directory.
        source: Text,
        /// What is passed to it.
        arguments: Vec<(String, StaticValue)>,
    },
    /// The module that is run.
    Root {
        /// The address, where it is known.
        source: Option<Text>,
        /// The directory, where it is one of this repository.
        directory: Option<RepoPath>,
        /// Globs of the files beside the unit that are not laid over it.
        left_out: Vec<String>,
    },
}

/// What the configuration of a directory comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// What it depends on, each once.
    pub findings: Vec<Finding>,
    /// Values of variables of the module that is run, each with its owner as a [`Finding`] has one.
    pub values: Vec<(Option<usize>, String, StaticValue)>,
    /// Names that written Terraform code gives to values, with their owners.
    pub written: Vec<(Option<usize>, Written)>,
    /// The units that a stack generates, in its order.
    pub generated: Vec<Generated>,
    /// Files that do not parse: the line, from 1, and why.
    pub broken: Vec<(RepoPath, Option<usize>, String)>,
    /// Whether it can be run where it stands: it is no unit that only a stack can generate.
    pub runs: bool,
    /// Whether it was too large to be evaluated wholly.
    pub incomplete: bool,
}

/// A name that written Terraform code gives to a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Written {
    /// `local.NAME`.
    Local(String, StaticValue),
    /// The default of `var.NAME`.
    Default(String, StaticValue),
}

/// A unit that a stack generates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Where it is generated.
    pub directory: RepoPath,
    /// What the stack says of it: its source, its values, what is laid over it. The same text, the same unit, as far
    /// as the stack goes. None where not all of that is known.
    pub definition: Option<String>,
    /// Whether a unit stands where it is copied from: a directory without its configuration makes none.
    pub stands: bool,
    /// The file and place of its block.
    pub file: RepoPath,
    /// Where in it.
    pub place: Place,
}
