use serde::{Deserialize, Serialize};

/// What can be said about the value of an expression without running anything, as far as it matters for
/// paths: strings, and the lists and objects that hold them.
///
/// Names that stand for something in another file (a local, a variable) are kept by name; whoever knows
/// the directory, or the caller, fills them in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StaticValue {
    /// This very text.
    Literal(String),
    /// A directory that depends on where the file is used.
    Base(Base),
    /// Several texts after one another.
    Concat(Vec<StaticValue>),
    /// One of several: the branches of a conditional, the alternatives of `coalesce` or `try`.
    OneOf(Vec<StaticValue>),
    /// A list, tuple or set.
    List(Vec<StaticValue>),
    /// An object or map, by constant keys.
    Object(Vec<(String, StaticValue)>),
    /// `local.NAME`, and what is taken out of it.
    Local(String, Vec<Step>),
    /// `var.NAME`, and what is taken out of it.
    Variable(String, Vec<Step>),
    /// The names that `fileset(directory, glob)` gives, relative to the directory.
    FileSet(Box<StaticValue>, Box<StaticValue>),
    /// The directory part of a path.
    Directory(Box<StaticValue>),
    /// The last name of a path.
    FileName(Box<StaticValue>),
    /// Nobody can tell before a plan.
    Unknown,
}

/// A directory that depends on where a file is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// `path.module`: the directory of the file.
    Module,
    /// `path.root`: the directory of the root module.
    Root,
    /// `path.cwd`: the directory in which the tool was started; taken to be the root module's.
    Cwd,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The member of that name.
    Member(String),
    /// The item at that place.
    Item(u64),
    /// Any member or item: the index is not known.
    Any,
}
