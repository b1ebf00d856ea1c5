//! What files of a scope state, one by one.

use std::collections::HashMap;

use super::{Facts, Parsed, ReferenceKind, glob::Glob, record::Proof};
use crate::{
    git::Entry,
    proof::{Digest, RepoPath},
    terraform::facts::{StaticValue, Text},
};

/// One file, read.
pub(super) struct ReadFile {
    /// Where it stands, which is where its statements count.
    pub(super) path: RepoPath,
    /// The links it was read through, and the file at their end.
    pub(super) through: Vec<RepoPath>,
    /// That file, where it is one.
    pub(super) target: Option<Entry>,
    pub(super) facts: Facts,
    /// What its dialect's parser made of it, for `resolve`.
    pub(super) parsed: Option<Parsed>,
}

/// A module call, overrides laid over it.
pub(super) struct Call {
    pub(super) name: String,
    pub(super) source: Option<(Text, RepoPath)>,
    pub(super) version: Option<Text>,
    pub(super) proof: Proof,
    /// What is passed, by the words of the caller.
    pub(super) arguments: HashMap<String, StaticValue>,
    /// Whether the module is run as the root of the unit.
    pub(super) root: bool,
    /// Which files of the unit are not laid over the module.
    pub(super) left_out: Vec<String>,
    /// Where it stands, where the dialect knows that.
    pub(super) directory: Option<RepoPath>,
    /// What git clones, the directory in it and the reference, where the dialect gives these.
    pub(super) repository: Option<(String, String, Option<String>)>,
}

impl Call {
    /// A call whose place the dialect gives.
    pub(super) fn to(
        proof: Proof,
        directory: Option<RepoPath>,
        repository: Option<(String, String, Option<String>)>,
    ) -> Self {
        Self {
            name: proof.text.to_string(),
            source: None,
            version: None,
            proof,
            arguments: HashMap::new(),
            root: false,
            left_out: Vec::new(),
            directory,
            repository,
        }
    }
}

/// A path that is read or named, as far as its directory's own files tell.
pub(super) struct Read {
    pub(super) kind: ReferenceKind,
    pub(super) value: StaticValue,
    pub(super) part: Option<Digest>,
    pub(super) proof: Proof,
}

/// Files below a directory, but for some.
pub(super) struct Files {
    pub(super) directory: RepoPath,
    pub(super) glob: Glob,
    pub(super) except: Vec<Glob>,
    pub(super) kind: ReferenceKind,
    pub(super) proof: Proof,
}
