//! What is known of one scope once it is linked: all edges by path, so that a record stands for itself and
//! stays true as long as nothing that it ends at changes.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{MarkKind, ReferenceKind, Unparsable, glob::Glob, view::is_about_the_repository};
use crate::{
    proof::{Digest, Link, RepoPath},
    terraform::facts::{Place, StaticValue, Text},
};

/// The name of the call by which a unit runs its module.
pub(super) const ROOT: &str = "(root)";

/// What tells one scope from another: where it stands and who reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Its directory, or the test file that stands for itself.
    pub(crate) at: RepoPath,
    /// The place of its dialect among the catalog's.
    pub(crate) dialect: u8,
    /// Whether it is a file that stands for itself.
    pub(crate) test: bool,
}

/// One scope, linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) key: Key,
    /// The directory in which it runs: its own; of a test file, the one it tests.
    pub(crate) directory: RepoPath,
    pub(super) marks: Vec<MarkKind>,
    /// Whether files stand beside it that only a root has: automatic values, a lock file.
    pub(super) valued: bool,
    /// Whether a read of it depends on values of variable files.
    pub(super) takes_values: bool,
    pub(super) edges: Vec<Edge>,
    /// Where it keeps its state, where that is said and known.
    pub(super) state: Option<RepoPath>,
    /// Directories whose files are linked into this one.
    pub(super) lends: Vec<RepoPath>,
    /// Paths that only its callers can settle.
    pub(super) open: Vec<Open>,
    /// Defaults of the variables that these name.
    pub(super) defaults: BTreeMap<String, StaticValue>,
    pub(super) calls: Vec<CallRecord>,
    pub(super) unparsable: Vec<Broken>,
    /// What a person should know, in sentences; whether only where the scope is run.
    pub(super) warnings: Vec<(bool, String)>,
}

impl Record {
    /// The directories of other modules that it runs as the root, and what stands beside it and is not laid over them.
    pub(super) fn run_from_elsewhere(&self) -> impl Iterator<Item = (&RepoPath, &[String])> {
        let roots = self.calls.iter().filter(|call| call.name == ROOT);
        let roots = roots.filter_map(|call| Some((call.target.as_ref()?, call.left_out.as_slice())));
        roots.filter(|(target, _)| **target != self.directory)
    }

    /// Where it keeps its state.
    pub(crate) fn state(&self) -> RepoPath {
        // Terraform, backend "local": path.
        self.state.clone().unwrap_or_else(|| self.directory.join(b"terraform.tfstate"))
    }

    /// The directories of this repository that it calls.
    pub(crate) fn called(&self) -> impl Iterator<Item = &RepoPath> {
        self.calls.iter().filter_map(|call| call.target.as_ref())
    }
}

/// One edge: the scope can come out differently when what it ends at changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Edge {
    pub(crate) to: End,
    pub(crate) kind: ReferenceKind,
    /// Whether it holds only where the scope is run, as a unit or a case is.
    pub(super) when_run: bool,
    /// Whether the dialect looked there while it resolved, so that another content may make another record.
    pub(super) looked: bool,
    /// Where only a part of the file counts: its digest. What leaves that as it was does not count.
    pub(super) part: Option<Digest>,
    /// Where that is written, from the end's side on: a read in a called module, then the call.
    pub(super) proofs: Vec<Proof>,
}

impl Edge {
    /// One that holds always, for the whole of what it ends at, and is stated in one place.
    pub(super) fn new(to: End, kind: ReferenceKind, proof: Proof) -> Self {
        Self { to, kind, when_run: false, looked: false, part: None, proofs: vec![proof] }
    }

    /// Whether it is a read that the scope's own files state, by a path that nobody else gives.
    pub(super) fn is_own(&self) -> bool {
        self.reads() && !self.when_run && self.proofs.len() == 1
    }

    /// Whether it is a read of files.
    pub(super) fn reads(&self) -> bool {
        let reads = [
            ReferenceKind::FileRead,
            ReferenceKind::FileSet,
            ReferenceKind::PathNamed,
            ReferenceKind::PathGiven,
            ReferenceKind::Presence,
        ];
        reads.contains(&self.kind) && !self.looked
    }

    /// Whether it ends at whatever matches.
    pub(crate) fn is_pattern(&self) -> bool {
        matches!(self.to, End::Matching { .. })
    }

    /// Whether it ends at the file of a path. `configures` says that the path is configuration, which what is merely
    /// not known does not mean.
    pub(crate) fn ends_at(&self, path: &RepoPath, configures: bool) -> bool {
        match &self.to {
            End::Scope(_) | End::State(_) => false,
            End::File(file) => file == path,
            End::Subtree(directory) | End::Below(directory) => path.is_within(directory),
            End::Matching { directory, glob, unknown, except } => {
                let from = directory.as_bytes().len() + usize::from(!directory.is_root());
                let rest = path.as_bytes().get(from..).unwrap_or_default();
                let beyond = *unknown && (configures || glob.is_anything() && is_about_the_repository(path));
                let counts = glob.matches(rest) && !except.iter().any(|glob| glob.matches(rest));
                path.is_within(directory) && !beyond && counts
            }
        }
    }

    /// How many links it has.
    pub(crate) fn length(&self) -> usize {
        self.proofs.len()
    }

    /// The links of the edge, from its end's side on.
    pub(crate) fn links(&self) -> impl Iterator<Item = Link> {
        self.proofs.iter().map(|proof| proof.place.link(proof.file.clone(), proof.text.to_string()))
    }
}

/// Where an edge ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum End {
    /// Whatever scopes stand in a directory.
    Scope(RepoPath),
    /// Whoever keeps its state there.
    State(RepoPath),
    /// A file.
    File(RepoPath),
    /// A file, or everything below it if it is a directory.
    Subtree(RepoPath),
    /// Everything below a directory, but for what is below a deeper one of which the same is said.
    Below(RepoPath),
    /// The files below a directory that match.
    Matching {
        directory: RepoPath,
        glob: Glob,
        /// Whether a part of it is not known: then it matches more than is read.
        unknown: bool,
        /// Those that match one of these do not count.
        except: Vec<Glob>,
    },
}

impl End {
    /// The path at which it is found, and the letter of its kind.
    pub(super) fn place(&self) -> (u8, &RepoPath) {
        match self {
            Self::Scope(path) => (b's', path),
            Self::State(path) => (b'r', path),
            Self::File(path) => (b'f', path),
            Self::Subtree(path) => (b't', path),
            Self::Below(path) => (b'b', path),
            Self::Matching { directory, .. } => (b'm', directory),
        }
    }

    /// That path, as a person is told of it.
    pub(crate) fn path(&self) -> &RepoPath {
        self.place().1
    }
}

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Proof {
    pub(super) file: RepoPath,
    pub(super) place: Place,
    #[serde(with = "text")]
    pub(super) text: Arc<str>,
}

impl Proof {
    /// The whole of a file.
    pub(super) fn whole_file(file: RepoPath, text: &str) -> Self {
        Self { file, place: Place { start: 0, end: 0, line: 1, column: 1 }, text: text.into() }
    }
}

mod text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        Ok(String::deserialize(from)?.into())
    }
}

/// A read on its way up to the callers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Open {
    pub(super) kind: ReferenceKind,
    /// Often handed on as it is.
    #[serde(with = "shared")]
    pub(super) value: Arc<StaticValue>,
    pub(super) part: Option<Digest>,
    pub(super) proofs: Vec<Proof>,
}

impl Open {
    /// The same read with another value, and another way to it.
    pub(super) fn becomes(&self, value: StaticValue, proofs: Vec<Proof>) -> Self {
        Self { kind: self.kind, value: Arc::new(value), part: self.part.clone(), proofs }
    }
}

mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    use crate::terraform::facts::StaticValue;

    pub(super) fn serialize<S: Serializer>(value: &Arc<StaticValue>, to: S) -> Result<S::Ok, S::Error> {
        StaticValue::serialize(value, to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<StaticValue>, D::Error> {
        StaticValue::deserialize(from).map(Arc::new)
    }
}

/// A call with a constant source, as the public list of calls has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CallRecord {
    pub(super) name: String,
    pub(super) in_file: RepoPath,
    pub(super) place: Place,
    pub(super) source: Option<Text>,
    pub(super) version: Option<Text>,
    /// The directory of this repository that it leads to.
    pub(super) target: Option<RepoPath>,
    /// Where it is run as the root: globs of the files beside the unit that are not laid over it.
    pub(super) left_out: Vec<String>,
}

/// [`Unparsable`] in a form whose fields are all there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Broken {
    path: RepoPath,
    line: Option<usize>,
    why: String,
}

impl From<Unparsable> for Broken {
    fn from(Unparsable { path, line, why }: Unparsable) -> Self {
        Self { path, line, why }
    }
}

impl From<Broken> for Unparsable {
    fn from(Broken { path, line, why }: Broken) -> Self {
        Self { path, line, why }
    }
}
