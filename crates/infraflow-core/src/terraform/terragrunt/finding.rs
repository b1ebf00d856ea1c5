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
}

/// What a scope depends on, besides the files that it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The module that is run.
    Root {
        /// The address, where it is known.
        source: Option<Text>,
        /// The directory, where it is one of this repository.
        directory: Option<RepoPath>,
    },
}

/// What the configuration of a directory comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// What it depends on, each once.
    pub findings: Vec<Finding>,
    /// Values of variables of the module that is run.
    pub values: Vec<(String, StaticValue)>,
    /// Files that do not parse: the line, from 1, and why.
    pub broken: Vec<(RepoPath, Option<usize>, String)>,
    /// Whether it can be run where it stands: it is no unit that only a stack can generate.
    pub runs: bool,
    /// Whether it was too large to be evaluated wholly.
    pub incomplete: bool,
}
