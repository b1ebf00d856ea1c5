use serde::{Deserialize, Serialize};

use super::{ReferenceKind, Unparsable};
use crate::{
    proof::{Digest, RepoPath},
    terraform::facts::{Place, StaticValue, Text},
};

/// How a dialect reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Claim {
    /// What its statements belong to.
    pub scope: Scope,
    /// What it is there for.
    pub role: Role,
}

impl Claim {
    /// A file that is part of its directory's configuration.
    pub fn configuration() -> Self {
        Self { scope: Scope::Directory, role: Role::Configuration }
    }

    /// A test file, which stands for itself.
    pub fn test() -> Self {
        Self { scope: Scope::File, role: Role::Test }
    }

    /// A file beside the configuration.
    pub fn beside(role: Role) -> Self {
        Self { scope: Scope::Directory, role }
    }
}

/// What a file is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// It makes its directory a module, a unit or a test case.
    Configuration,
    /// It is a test case of the directory in which it is run: its own, or the one above where its own is
    /// called like one of the rules' `tests` and has no configuration.
    Test,
    /// Values of variables, read without being named. It belongs to the unit or case of its directory.
    AutomaticValues,
    /// Values of variables that somebody names to the tool. It belongs to the unit or case of its
    /// directory; where that has no configuration, to the nearest unit above; where there is none, to those
    /// units below that have a word for one of the names in it.
    Values,
    /// It pins dependencies of the unit or case of its directory.
    Lock,
    /// It pins the tool for all units and cases of its directory and below, unless a nearer one does.
    ToolVersion,
}

/// What the statements of a file belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scope {
    /// All files of a directory are one, as Terraform has it.
    Directory,
    /// The file stands for itself, as a test file does.
    File,
}

/// What one file states, in words that all dialects share. Pure data: it may be kept under the file's
/// blob id, the dialect's name and version, and the file's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Facts {
    /// What the file makes of its directory.
    pub marks: Vec<Mark>,
    /// What it depends on.
    pub references: Vec<FactReference>,
    /// Names it gives to values, so that references can be worked out.
    pub definitions: Vec<Definition>,
    /// Units that it generates elsewhere, as the stacks of Terragrunt do. All that they depend on stands among
    /// `references` too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub generated: Vec<GeneratedUnit>,
    /// What could not be understood, or not wholly, each with why: of what a file states that file, of what a scope
    /// does the files that it looked at besides its own.
    pub unparsable: Vec<Unparsable>,
    /// What [`Dialect::definitions`](super::Dialect::definitions) of the file need look at. The file is not read again
    /// where that is known.
    #[serde(skip)]
    pub defines: Defines,
}

/// Where it stands what a file defines: anywhere in it, unless something is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Defines {
    /// [`Definition::Local`].
    pub locals: Defining,
    /// [`Definition::Default`].
    pub defaults: Defining,
}

/// Where something stands that a file defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Defining {
    /// Somewhere in the file, or not at all.
    #[default]
    InFile,
    /// In this part of the file, which says the same by itself.
    InText(String),
    /// The file defines none.
    Nowhere,
}

/// A unit that a scope generates in a directory of its own, which need not be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GeneratedUnit {
    /// Where it is generated.
    pub directory: RepoPath,
    /// What the scope says of it, as a text: where both are the same, so is the unit, as far as its own references do
    /// not differ. None where not all of that is known: then it depends on all that the scope depends on.
    pub definition: Option<String>,
    /// The file that says so.
    pub in_file: RepoPath,
    /// Where in it.
    pub place: Place,
    /// What it depends on besides.
    pub references: Vec<FactReference>,
    /// Names it gives to values.
    pub definitions: Vec<Definition>,
}

impl GeneratedUnit {
    /// A unit that depends on nothing yet.
    pub fn new(directory: RepoPath, definition: Option<String>, in_file: RepoPath, place: Place) -> Self {
        Self { directory, definition, in_file, place, references: Vec::new(), definitions: Vec::new() }
    }
}

/// Something that tells what a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Mark {
    /// What it tells.
    pub kind: MarkKind,
    /// Where it stands.
    pub place: Place,
}

impl Mark {
    /// A mark.
    pub fn new(kind: MarkKind, place: Place) -> Self {
        Self { kind, place }
    }
}

/// What a mark tells of its directory, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MarkKind {
    /// It is a unit: only units have such a thing (a backend, a Terragrunt unit's file, a stack block).
    Unit,
    /// It is a test case.
    Case,
    /// It is a unit, unless somebody calls it.
    LikelyUnit,
}

/// One dependency that a file states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FactReference {
    /// How it depends.
    pub kind: ReferenceKind,
    /// On what.
    pub target: Target,
    /// Where that stands.
    pub place: Place,
    /// The file in which it stands, where that is not the file whose facts these are.
    pub in_file: Option<RepoPath>,
    /// What stands there, for example `module.network` or `file("policy.json")`.
    pub text: String,
    /// Where only a part of the file it points to counts: the digest of that part. The reference does not count
    /// for a change that leaves it as it was.
    #[serde(default)]
    pub part: Option<Digest>,
}

impl FactReference {
    /// A reference.
    pub fn new(kind: ReferenceKind, target: Target, place: Place, text: impl Into<String>) -> Self {
        Self { kind, target, place, in_file: None, text: text.into(), part: None }
    }

    /// The same, where only a part of the file it points to counts.
    #[must_use]
    pub fn of_part(mut self, part: Digest) -> Self {
        self.part = Some(part);
        self
    }

    /// The same, written in another file than the one whose facts these are.
    #[must_use]
    pub fn in_file(mut self, file: RepoPath) -> Self {
        self.in_file = Some(file);
        self
    }
}

/// What a reference points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Target {
    /// Another module, by its source address.
    Module {
        /// The call's name; in Terraform, an override of the same name replaces its source.
        name: String,
        /// The source address, where it is constant.
        source: Option<Text>,
        /// The version constraint.
        version: Option<Text>,
        /// Whether this only lays its source over a call of the same name in another file.
        overrides: bool,
        /// What is passed to it.
        arguments: Vec<Definition>,
    },
    /// The module that is run here: the unit is its root. Relative paths that it reads begin at the module.
    Root {
        /// The source address, where it is constant.
        source: Option<Text>,
        /// The module's directory, where the dialect itself knows it; else the address tells.
        directory: Option<RepoPath>,
        /// The values of its variables.
        values: Vec<Definition>,
        /// Globs, in the manner of `fileset`, of files below the unit's directory that are not laid over the module.
        #[serde(default)]
        left_out: Vec<String>,
    },
    /// Whatever stands in a directory of this repository, called like a module whose place is known.
    Directory(RepoPath),
    /// The same for a directory of a git repository, which counts where that is this very repository and the
    /// reference follows its trunk.
    Repository {
        /// What git clones.
        url: String,
        /// The directory in it.
        directory: String,
        /// The branch, tag or commit, where one is named.
        reference: Option<String>,
    },
    /// The files below a directory that match a glob in the manner of `fileset`, but for those that match one
    /// of the others; globs are of paths from that directory.
    Files {
        /// The directory.
        directory: RepoPath,
        /// Which files.
        glob: String,
        /// Which of them do not count.
        except: Vec<String>,
    },
    /// The unit in a directory, whose outputs are consumed: what changes there concerns the dependents.
    Unit(RepoPath),
    /// Every file below a directory, but for those below a deeper directory whose scope says the same.
    Below(RepoPath),
    /// The place at which the unit keeps its state, as [`ReferenceKind::Dependency`] of another one names it: a
    /// path, or `/`, the backend's kind and its settings.
    State(StaticValue),
    /// A file or a directory, relative to the directory in which the tool runs unless the path says
    /// otherwise.
    Path(StaticValue),
}

/// A name for a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Definition {
    /// `local.NAME` within the scope.
    Local(String, StaticValue),
    /// The default of `var.NAME`.
    Default(String, StaticValue),
    /// A value given to `var.NAME` from outside: by a variable file, or by a call.
    Value(String, StaticValue),
}
