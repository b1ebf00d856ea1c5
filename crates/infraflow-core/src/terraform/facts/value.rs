use serde::{Deserialize, Serialize};

use crate::proof::RepoPath;

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
    /// A list, tuple or set of these items, in this order.
    List(Vec<StaticValue>),
    /// A list, set or map that is computed: of any number of items, in any order, each of which is this.
    Many(Box<StaticValue>),
    /// A map that is computed: of any number of members, each of whose keys is the first, and values the second.
    Map(Box<StaticValue>, Box<StaticValue>),
    /// An object or map, by constant keys.
    Object(Vec<(String, StaticValue)>),
    /// `local.NAME`, and what is taken out of it.
    Local(String, Vec<Step>),
    /// `var.NAME`, and what is taken out of it.
    Variable(String, Vec<Step>),
    /// The keys of a map that is known by name only.
    Keys(Box<StaticValue>),
    /// One of the names that `fileset(directory, glob)` gives, relative to the directory.
    FileSet(Box<StaticValue>, Box<StaticValue>),
    /// The directory part of a path.
    Directory(Box<StaticValue>),
    /// The last name of a path.
    FileName(Box<StaticValue>),
    /// What a function gives for texts that are not all known yet: its name, and what goes in. A path on which
    /// something is computed leads elsewhere.
    Computed(String, Vec<StaticValue>),
    /// The text of the file at a path.
    Contents(Box<StaticValue>),
    /// What JSON or YAML of a file says, by the path that the file is read from, and what is taken out of it.
    Decoded(Box<StaticValue>, Vec<Step>),
    /// No value: the usual default of a path that need not be given.
    Null,
    /// What a resource, a data source or another module gives. A path in it stands where they are given it.
    Made,
    /// Nobody can tell before a plan.
    Unknown,
}

/// A directory that depends on where a file is used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// `path.module`: the directory of the file.
    Module,
    /// `path.root`: the directory of the root module.
    Root,
    /// `path.cwd`: the directory in which the tool was started; taken to be the root module's.
    Cwd,
    /// This directory of the repository: what one of the others turned out to be. No file says so by itself.
    Directory(RepoPath),
}

/// Which members of objects may be given by a type: those that are not there, and those that are null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lacking {
    pub(crate) missing: bool,
    pub(crate) null: bool,
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

impl StaticValue {
    /// What is taken out of this value by a step; [`StaticValue::Unknown`] where it holds no such thing.
    #[must_use]
    pub fn step(self, step: Step) -> Self {
        self.step_or(step, Lacking::default())
    }

    /// As [`StaticValue::step`], where a member that is not there may have a value of its type.
    #[must_use]
    pub(crate) fn step_or(self, step: Step, lacking: Lacking) -> Self {
        match (self, step) {
            (Self::Local(name, mut steps), step) => {
                steps.push(step);
                Self::Local(name, steps)
            }
            (Self::Variable(name, mut steps), step) => {
                steps.push(step);
                Self::Variable(name, steps)
            }
            (Self::Decoded(path, mut steps), step) => {
                steps.push(step);
                Self::Decoded(path, steps)
            }
            (Self::OneOf(values), step) => {
                Self::one_of(values.into_iter().map(|value| value.step_or(step.clone(), lacking)).collect())
            }
            (Self::Null, _) => Self::Null,
            (Self::Made, _) => Self::Made,
            // A set of names; its items are what it stands for.
            (value @ (Self::FileSet(..) | Self::Keys(_)), _) => value,
            (Self::Many(item) | Self::Map(_, item), _) => *item,
            (value @ Self::Computed(..), step) => {
                Self::computed(super::computed::INDEX, vec![value, super::collections::spelt(step)])
            }
            (Self::Object(members), Step::Member(name)) => {
                // Of members with the same name the last one counts, as in Terraform; what no object has is an error,
                // or nothing where its type would have it.
                match members.into_iter().rev().find(|(member, _)| *member == name) {
                    None if lacking.missing => Self::Unknown,
                    None => Self::Null,
                    Some((_, Self::Null)) if lacking.null => Self::Unknown,
                    Some((_, value)) => value,
                }
            }
            // Nothing has no items: whatever is made for each of them is not there.
            (Self::Object(members), _) if members.is_empty() => Self::Null,
            (Self::List(items), _) if items.is_empty() => Self::Null,
            (Self::Object(members), _) => Self::one_of(members.into_iter().map(|(_, value)| value).collect()),
            (Self::List(mut items), Step::Item(index)) => {
                match usize::try_from(index).ok().filter(|&index| index < items.len()) {
                    Some(index) => items.swap_remove(index),
                    None => Self::one_of(items),
                }
            }
            (Self::List(items), _) => Self::one_of(items),
            _ => Self::Unknown,
        }
    }

    /// What stands inside this value where steps lead, where that is one part of it as it stands.
    pub(crate) fn inside(&self, steps: &[Step]) -> Option<&Self> {
        steps.iter().try_fold(self, |at, step| match (at, step) {
            (Self::Object(members), Step::Member(name)) => {
                members.iter().rev().find(|(member, _)| member == name).map(|(_, value)| value)
            }
            (Self::List(items), Step::Item(index)) => items.get(usize::try_from(*index).ok()?),
            (Self::Many(item) | Self::Map(_, item), _) => Some(&**item),
            _ => None,
        })
    }

    /// What is taken out of this value by steps, one after the other, as by [`StaticValue::step`]; only that is copied.
    #[must_use]
    pub fn taken(&self, steps: &[Step]) -> Self {
        self.taken_or(steps, Lacking::default())
    }

    /// As [`StaticValue::taken`], by [`StaticValue::step_or`].
    #[must_use]
    pub(crate) fn taken_or(&self, steps: &[Step], lacking: Lacking) -> Self {
        let (mut at, mut rest) = (self, steps);
        while let Some((step, after)) = rest.split_first() {
            at = match (at, step) {
                (Self::Object(members), Step::Member(name)) if !members.is_empty() => {
                    match members.iter().rev().find(|(member, _)| member == name) {
                        Some((_, value)) if *value != Self::Null => value,
                        _ => break,
                    }
                }
                (Self::List(items), Step::Item(index)) => {
                    match usize::try_from(*index).ok().and_then(|index| items.get(index)) {
                        Some(item) => item,
                        None => break,
                    }
                }
                (Self::Many(item) | Self::Map(_, item), _) => item,
                (Self::OneOf(values), _) => {
                    return Self::one_of(values.iter().map(|value| value.taken_or(rest, lacking)).collect());
                }
                _ => break,
            };
            rest = after;
        }
        rest.iter().cloned().fold(at.clone(), |value, step| value.step_or(step, lacking))
    }

    /// The keys of this value, as `each.key` goes through them: of a set, its items.
    #[must_use]
    pub fn keys(self) -> Self {
        match self {
            Self::Object(members) => {
                Self::one_of(members.into_iter().map(|(name, _)| Self::Literal(name)).collect())
            }
            Self::List(items) => Self::one_of(items),
            Self::Many(item) | Self::Map(item, _) => *item,
            Self::OneOf(values) => Self::one_of(values.into_iter().map(Self::keys).collect()),
            Self::Local(..) | Self::Variable(..) | Self::Decoded(..) | Self::Computed(..) => {
                Self::Keys(Box::new(self))
            }
            value @ (Self::FileSet(..) | Self::Made) => value,
            _ => Self::Unknown,
        }
    }

    /// Its items without their number and order.
    pub(crate) fn unordered(self) -> Self {
        match self {
            Self::List(items) if !items.is_empty() => Self::Many(Box::new(Self::one_of(items))),
            Self::OneOf(values) => Self::one_of(values.into_iter().map(Self::unordered).collect()),
            value @ (Self::Computed(..) | Self::Local(..) | Self::Variable(..) | Self::Decoded(..)) => {
                Self::Many(Box::new(value.step(Step::Any)))
            }
            other => other,
        }
    }

    /// An object with the members of another one that it does not have itself. What is no object stays as it is.
    pub(crate) fn with_members_left_out(self, others: &Self) -> Self {
        match (self, others) {
            (Self::Object(mut members), Self::Object(others)) => {
                for (name, other) in others {
                    match members.iter_mut().rev().find(|(member, _)| member == name) {
                        // Null is left out too.
                        Some((_, value)) if *value == Self::Null => *value = other.clone(),
                        Some((_, value)) => {
                            let known = std::mem::replace(value, Self::Null);
                            *value = known.with_members_left_out(other);
                        }
                        None => members.push((name.clone(), other.clone())),
                    }
                }
                Self::Object(members)
            }
            // A set's order is its own.
            (value @ Self::List(_), Self::Many(_)) => value.unordered(),
            (value, _) => value,
        }
    }

    /// Whether it is a text in which a variable or a local has a part.
    pub(super) fn names_something(&self) -> bool {
        match self {
            Self::Local(..) | Self::Variable(..) => true,
            Self::Concat(items) | Self::OneOf(items) | Self::Computed(_, items) => {
                items.iter().any(Self::names_something)
            }
            _ => false,
        }
    }

    /// Of how many parts it is, counted up to a limit.
    pub(crate) fn parts(&self, limit: usize) -> usize {
        let mut open = vec![self];
        let mut count = 0;
        while let Some(value) = open.pop() {
            count += 1;
            if count >= limit {
                break;
            }
            match value {
                Self::Concat(items) | Self::OneOf(items) | Self::List(items) | Self::Computed(_, items) => {
                    open.extend(items);
                }
                Self::Object(members) => open.extend(members.iter().map(|(_, member)| member)),
                Self::Many(inner)
                | Self::Keys(inner)
                | Self::Directory(inner)
                | Self::FileName(inner)
                | Self::Contents(inner)
                | Self::Decoded(inner, _) => open.push(inner),
                Self::FileSet(one, other) | Self::Map(one, other) => open.extend([&**one, &**other]),
                _ => {}
            }
        }
        count
    }

    /// One of several; a single one is itself, none is unknown.
    pub fn one_of(mut values: Vec<Self>) -> Self {
        let mut all = Vec::with_capacity(values.len());
        for value in values.drain(..) {
            match value {
                Self::OneOf(inner) => all.extend(inner),
                other => all.push(other),
            }
        }
        all.dedup();
        match all.len() {
            0 => Self::Unknown,
            1 => all.remove(0),
            _ => Self::OneOf(all),
        }
    }

    /// Texts after one another; constant neighbours become one.
    pub fn concat(values: Vec<Self>) -> Self {
        let mut parts: Vec<Self> = Vec::with_capacity(values.len());
        for value in values {
            let inner = match value {
                Self::Concat(inner) => inner,
                other => vec![other],
            };
            for part in inner {
                match (parts.last_mut(), part) {
                    (_, Self::Literal(text)) if text.is_empty() => {}
                    (Some(Self::Literal(before)), Self::Literal(text)) => before.push_str(&text),
                    (_, part) => parts.push(part),
                }
            }
        }
        match parts.len() {
            0 => Self::Literal(String::new()),
            1 => parts.remove(0),
            _ => Self::Concat(parts),
        }
    }
}
