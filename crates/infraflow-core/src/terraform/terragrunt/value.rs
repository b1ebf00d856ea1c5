use std::{collections::BTreeMap, sync::Arc};

use super::source_file::SourceFile;

/// The most alternatives that are told apart.
pub(super) const MAX_ALTERNATIVES: usize = 32;

/// The longest text that is computed.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// The most items of a collection that is computed.
pub(super) const MAX_ITEMS: usize = 10_000;

pub(super) type Members = BTreeMap<Arc<str>, Value>;

/// What can be said about a value without running anything.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
    List(Arc<[Value]>),
    Object(Arc<Members>),
    /// Texts after one another, of which not all are known.
    Parts(Arc<[Value]>),
    /// One of several.
    OneOf(Arc<[Value]>),
    /// This one, unless the environment or the command line says otherwise.
    Usually(Arc<Value>),
    /// A collection of which only is known what each of its items can be.
    Each(Arc<Value>),
    /// One of the names below a directory that match a glob.
    Name(Arc<(Value, Arc<str>)>),
    /// The text of a file, not looked at yet.
    Content(Arc<SourceFile>),
    /// What a configuration file amounts to, by its place in the evaluation.
    Config(usize),
    /// Nobody can tell before it is run.
    Unknown,
    /// It is an error, which `try` and `can` catch.
    Failed,
}

impl Value {
    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(items.into())
    }

    pub(super) fn object(members: Members) -> Self {
        Self::Object(Arc::new(members))
    }

    /// An object without members.
    pub(super) fn nothing() -> Self {
        Self::object(Members::new())
    }

    pub(super) fn each(item: Self) -> Self {
        Self::Each(Arc::new(item))
    }

    pub(super) fn usually(value: Self) -> Self {
        match value {
            Self::Unknown | Self::Failed | Self::Usually(_) => value,
            other => Self::Usually(Arc::new(other)),
        }
    }

    /// One of several; what fails is none of them, unless all do.
    pub(super) fn one_of(values: Vec<Self>) -> Self {
        let mut all: Vec<Self> = Vec::with_capacity(values.len());
        let mut failed = false;
        for value in values {
            match value {
                Self::OneOf(inner) => all.extend(inner.iter().cloned()),
                Self::Failed => failed = true,
                other => all.push(other),
            }
        }
        let mut kept: Vec<Self> = Vec::with_capacity(all.len());
        for value in all {
            let known = kept.iter().any(|other| match (other, &value) {
                (Self::Unknown, Self::Unknown) => true,
                (other, value) => other.same(value) == Some(true),
            });
            if !known {
                kept.push(value);
            }
        }
        if kept.len() > MAX_ALTERNATIVES {
            return Self::Unknown;
        }
        match kept.len() {
            0 if failed => Self::Failed,
            0 => Self::Unknown,
            1 => kept.remove(0),
            _ => Self::OneOf(kept.into()),
        }
    }

    /// Texts after one another.
    pub(super) fn concat(values: Vec<Self>) -> Self {
        let mut parts: Vec<Self> = Vec::with_capacity(values.len());
        let mut length = 0;
        for value in values {
            let inner = match value {
                Self::Parts(inner) => inner.to_vec(),
                other => vec![other],
            };
            for part in inner {
                let part = match part {
                    Self::Failed | Self::Null => return Self::Failed,
                    Self::Bool(_) | Self::Number(_) => part.as_text().map_or(Self::Unknown, Self::Text),
                    Self::Text(_) | Self::OneOf(_) | Self::Usually(_) | Self::Name(_) => part,
                    _ => Self::Unknown,
                };
                match (parts.last_mut(), &part) {
                    (Some(Self::Text(before)), Self::Text(text)) => {
                        length += text.len();
                        if length > MAX_TEXT {
                            return Self::Unknown;
                        }
                        *before = format!("{before}{text}").into();
                    }
                    (Some(Self::Unknown), Self::Unknown) => {}
                    _ => parts.push(part),
                }
            }
        }
        match parts.len() {
            0 => Self::text(""),
            1 => parts.remove(0),
            _ => Self::Parts(parts.into()),
        }
    }

    /// A text, number or truth as a text.
    pub(super) fn as_text(&self) -> Option<Arc<str>> {
        match self {
            Self::Text(text) => Some(Arc::clone(text)),
            Self::Bool(value) => Some(if *value { "true" } else { "false" }.into()),
            Self::Number(number) => Some(format!("{number}").into()),
            Self::Usually(inner) => inner.as_text(),
            _ => None,
        }
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Text(text) if &**text == "true" => Some(true),
            Self::Text(text) if &**text == "false" => Some(false),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A whole number that counts something.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked
    pub(super) fn as_index(&self) -> Option<usize> {
        self.as_number().filter(|n| *n >= 0.0 && n.fract() == 0.0 && *n < 1e9).map(|n| n as usize)
    }

    /// Whether two values are equal, where that is known.
    pub(super) fn same(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Null, Self::Null) => Some(true),
            (Self::Bool(one), Self::Bool(two)) => Some(one == two),
            (Self::Number(one), Self::Number(two)) => Some((one - two).abs() < f64::EPSILON),
            (Self::Text(one), Self::Text(two)) => Some(one == two),
            (Self::List(one), Self::List(two)) => {
                if one.len() != two.len() {
                    return Some(false);
                }
                one.iter().zip(two.iter()).try_fold(true, |all, (a, b)| Some(all && a.same(b)?))
            }
            (Self::Object(one), Self::Object(two)) => {
                if one.len() != two.len() || one.keys().ne(two.keys()) {
                    return Some(false);
                }
                one.values().zip(two.values()).try_fold(true, |all, (a, b)| Some(all && a.same(b)?))
            }
            _ if self.is_plain() && other.is_plain() => Some(false),
            _ => None,
        }
    }

    fn is_plain(&self) -> bool {
        matches!(
            self,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) | Self::Object(_)
        )
    }

    /// The member of that name; of a list, the item at that place.
    pub(super) fn member(&self, name: &str) -> Self {
        match self {
            Self::Object(members) => members.get(name).cloned().unwrap_or_else(|| {
                // Members that nobody knows the names of stand under the empty name.
                if members.contains_key("") { Self::Unknown } else { Self::Failed }
            }),
            Self::List(items) => match name.parse::<usize>() {
                Ok(index) => items.get(index).cloned().unwrap_or(Self::Failed),
                Err(_) => Self::Failed,
            },
            Self::OneOf(values) => Self::one_of(values.iter().map(|value| value.member(name)).collect()),
            Self::Usually(inner) => Self::usually(inner.member(name)),
            Self::Each(item) => (**item).clone(),
            Self::Unknown | Self::Content(_) | Self::Config(_) => Self::Unknown,
            _ => Self::Failed,
        }
    }

    /// What an index gives that is a value itself.
    pub(super) fn index(&self, index: &Self) -> Self {
        match (self, index) {
            (_, Self::Failed) => Self::Failed,
            (Self::List(items), index) if index.as_index().is_some() => {
                items.get(index.as_index().unwrap_or_default()).cloned().unwrap_or(Self::Failed)
            }
            (value, Self::Text(name)) => value.member(name),
            (value, Self::Number(_)) => value.member(&index.as_text().unwrap_or_default()),
            (value, Self::Usually(inner)) => Self::usually(value.index(inner)),
            (value, Self::OneOf(all)) => Self::one_of(all.iter().map(|one| value.index(one)).collect()),
            (value, _) => value.any_item(),
        }
    }

    /// Any item or member.
    pub(super) fn any_item(&self) -> Self {
        match self {
            Self::List(items) => Self::one_of(items.to_vec()),
            Self::Object(members) => Self::one_of(members.values().cloned().collect()),
            Self::OneOf(values) => Self::one_of(values.iter().map(Self::any_item).collect()),
            Self::Usually(inner) => inner.any_item(),
            Self::Each(item) => (**item).clone(),
            _ => Self::Unknown,
        }
    }

    /// Adds the value as a text in which different values differ; `None` where not all of it is known.
    pub(super) fn spell(&self, text: &mut String) -> Option<()> {
        if text.len() > MAX_TEXT {
            return None;
        }
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(_) | Self::Number(_) => text.push_str(&self.as_text()?),
            Self::Text(inner) => text.push_str(&format!("{inner:?}")),
            Self::List(items) => {
                text.push('[');
                for item in items.iter() {
                    item.spell(text)?;
                    text.push(',');
                }
                text.push(']');
            }
            Self::Object(members) => {
                text.push('{');
                for (name, member) in members.iter().filter(|(name, _)| !name.is_empty()) {
                    text.push_str(&format!("{name:?}:"));
                    member.spell(text)?;
                    text.push(',');
                }
                text.push('}');
                // Members that nobody knows the names of.
                if members.contains_key("") {
                    return None;
                }
            }
            Self::Parts(parts) => {
                for part in parts.iter() {
                    part.spell(text)?;
                    text.push('+');
                }
            }
            // What the environment does to it, it does to both sides.
            Self::Usually(inner) => inner.spell(text)?,
            Self::Content(file) => text.push_str(&format!("{:?}", file.text()?)),
            _ => return None,
        }
        Some(())
    }

    /// All single values that it can be; of what the environment could change, the usual one.
    pub(super) fn alternatives(&self) -> Vec<Self> {
        match self {
            Self::OneOf(values) => values.iter().flat_map(Self::alternatives).collect(),
            Self::Usually(inner) => inner.alternatives(),
            Self::Parts(parts) => {
                let mut all: Vec<Vec<Self>> = vec![Vec::new()];
                for part in parts.iter() {
                    let mut choices = part.alternatives();
                    if all.len() * choices.len() > MAX_ALTERNATIVES {
                        choices = vec![Self::Unknown];
                    }
                    all = all
                        .iter()
                        .flat_map(|before| {
                            choices.iter().map(move |choice| {
                                let mut parts = before.clone();
                                parts.push(choice.clone());
                                parts
                            })
                        })
                        .collect();
                }
                all.into_iter().map(Self::concat).collect()
            }
            other => vec![other.clone()],
        }
    }
}
