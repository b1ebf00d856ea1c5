//! What functions of texts give where the texts are not known yet: a path that something is cut off or replaced in
//! leads wherever what is left of it leads, and Terraform has `path.module` as a text that begins where it runs.

use super::{Base, StaticValue, collections, known};
use crate::proof::RepoPath;

/// The most values that a function is worked out for.
const MOST: usize = 64;

/// The name under which an index of a computed list is kept.
pub(super) const INDEX: &str = "[]";

const ABSPATH: &str = "abspath";

/// Where the repository lies, in a text that is worked out: nobody knows, and no text of a configuration has it.
pub(super) const REPOSITORY: &str = "\u{0}";

impl StaticValue {
    /// What a function of texts gives: worked out where all of them are known, else kept until they are. Of what is
    /// no path and never known, [`StaticValue::Unknown`].
    #[must_use]
    pub(crate) fn computed(name: &str, arguments: Vec<Self>) -> Self {
        let many = arguments.iter().map(|argument| match argument {
            Self::OneOf(values) => values.len(),
            _ => 1,
        });
        let many = many.fold(1, usize::saturating_mul);
        // Of several lists that are flattened nobody knows in which order: they may be those of a splat.
        if many > 1 && many <= MOST && name != collections::FLATTEN {
            let mut all = vec![Vec::with_capacity(arguments.len())];
            for argument in arguments {
                let values = match argument {
                    Self::OneOf(values) => values,
                    other => vec![other],
                };
                all = all
                    .into_iter()
                    .flat_map(|before: Vec<Self>| {
                        values.iter().map(move |value| {
                            let mut arguments = before.clone();
                            arguments.push(value.clone());
                            arguments
                        })
                    })
                    .collect();
            }
            return Self::one_of(all.into_iter().map(|all| Self::computed(name, all)).collect());
        }
        if name == ABSPATH {
            return match arguments.into_iter().next() {
                Some(known @ (Self::Unknown | Self::Made | Self::Null)) => known,
                Some(known) if known.is_absolute() => known,
                Some(path) => Self::Computed(ABSPATH.to_owned(), vec![path]),
                None => Self::Unknown,
            };
        }
        if collections::NAMES.contains(&name) || name == INDEX {
            return collections::computed(name, arguments);
        }
        if matches!(name, "jsondecode" | "yamldecode")
            && let [Self::Contents(path)] = arguments.as_slice()
        {
            return Self::Decoded(path.clone(), Vec::new());
        }
        if let Some(value) = of_constants(name, &arguments) {
            return value;
        }
        if arguments.iter().any(may_be_told) {
            return Self::Computed(name.to_owned(), arguments);
        }
        Self::Unknown
    }

    /// The directory part of a path.
    #[must_use]
    pub(crate) fn directory(path: Self) -> Self {
        match path {
            Self::OneOf(values) => Self::one_of(values.into_iter().map(Self::directory).collect()),
            Self::Literal(text) => Self::Literal(match text.rfind('/') {
                Some(0) => "/".to_owned(),
                Some(cut) => text[..cut].to_owned(),
                None => ".".to_owned(),
            }),
            Self::Concat(mut parts) => {
                if let Some(Self::Literal(last)) = parts.last_mut() {
                    if let Some(cut) = last.rfind('/') {
                        last.truncate(cut);
                        return Self::concat(parts);
                    }
                    if parts.len() == 2 && parts[0].is_text_of_a_place() {
                        return Self::Computed("dirname".to_owned(), vec![Self::Concat(parts)]);
                    }
                }
                Self::Directory(Box::new(Self::Concat(parts)))
            }
            Self::Computed(name, mut arguments) if name == ABSPATH && goes_down(&arguments) => {
                Self::Computed(name, vec![Self::directory(arguments.swap_remove(0))])
            }
            path if path.is_text_of_a_place() => Self::Computed("dirname".to_owned(), vec![path]),
            path => Self::Directory(Box::new(path)),
        }
    }

    /// The last name of a path.
    #[must_use]
    pub(crate) fn file_name(path: Self) -> Self {
        match path {
            Self::Concat(parts) => match parts.last() {
                Some(Self::Literal(last)) if last.trim_end_matches('/').contains('/') => {
                    let name = last.trim_end_matches('/').rsplit('/').next();
                    Self::Literal(name.unwrap_or_default().to_owned())
                }
                _ => Self::FileName(Box::new(Self::Concat(parts))),
            },
            Self::Computed(name, mut arguments) if name == ABSPATH && goes_down(&arguments) => {
                Self::file_name(arguments.swap_remove(0))
            }
            path if path.is_text_of_a_place() => Self::Computed("basename".to_owned(), vec![path]),
            path => Self::FileName(Box::new(path)),
        }
    }

    /// What it is a path to, whether in full or from where the tool runs.
    pub(crate) fn place(&self) -> &Self {
        match self {
            Self::Computed(name, arguments) if name == ABSPATH => arguments.first().map_or(self, Self::place),
            _ => self,
        }
    }

    /// Whether it tells something only by where the tool runs.
    pub(crate) fn is_told_by_the_root(&self) -> bool {
        match self {
            Self::Computed(name, _) => name != ABSPATH,
            _ => false,
        }
    }

    /// A computed value where the tool runs in this directory, as far as that tells.
    #[must_use]
    pub(crate) fn in_root(self, root: &RepoPath) -> Self {
        match self {
            Self::Computed(name, arguments) if name != ABSPATH => {
                let texts = arguments.iter().map(|argument| argument.as_text(root)).collect();
                match Self::computed(&name, texts).read_back() {
                    // Nobody knows what was made of a place: any other may be meant.
                    Self::Unknown if arguments.iter().any(Self::holds_a_place) => {
                        Self::Computed(name, arguments)
                    }
                    value => value,
                }
            }
            Self::OneOf(values) => {
                Self::one_of(values.into_iter().map(|value| value.in_root(root)).collect())
            }
            other => other,
        }
    }

    /// The text that Terraform has for it where it runs in this directory.
    fn as_text(&self, root: &RepoPath) -> Self {
        match self {
            Self::Base(Base::Directory(directory)) => {
                relative(root, directory).map_or(Self::Unknown, Self::Literal)
            }
            Self::Base(Base::Root) => Self::Literal(".".to_owned()),
            Self::Computed(name, arguments) if name == ABSPATH => match arguments.first() {
                Some(inner) => in_full(inner.as_text(root), root),
                None => Self::Unknown,
            },
            Self::Concat(parts) => Self::concat(parts.iter().map(|part| part.as_text(root)).collect()),
            Self::OneOf(values) => Self::one_of(values.iter().map(|value| value.as_text(root)).collect()),
            Self::List(items) => Self::List(items.iter().map(|item| item.as_text(root)).collect()),
            other => other.clone(),
        }
    }

    /// From such a text back to what it stands for.
    fn read_back(self) -> Self {
        match self {
            Self::Literal(text) if text.contains(REPOSITORY) => Self::from_parts(vec![Self::Literal(text)]),
            Self::Concat(parts) if parts.iter().any(Self::holds_the_repository) => Self::from_parts(parts),
            Self::OneOf(values) => Self::one_of(values.into_iter().map(Self::read_back).collect()),
            Self::List(items) => Self::List(items.into_iter().map(Self::read_back).collect()),
            other => other,
        }
    }

    fn from_parts(mut parts: Vec<Self>) -> Self {
        match parts.first_mut() {
            Some(Self::Literal(first)) if first.starts_with(REPOSITORY) => {
                first.drain(..REPOSITORY.len());
            }
            _ => return Self::Unknown,
        }
        if parts.iter().any(Self::holds_the_repository) {
            return Self::Unknown;
        }
        parts.insert(0, Self::Base(Base::Directory(RepoPath::root())));
        Self::Computed(ABSPATH.to_owned(), vec![Self::concat(parts)])
    }

    fn holds_the_repository(&self) -> bool {
        matches!(self, Self::Literal(text) if text.contains(REPOSITORY))
    }

    fn is_absolute(&self) -> bool {
        matches!(self, Self::Computed(name, _) if name == ABSPATH)
    }

    /// Whether what it is written as depends on where the tool runs.
    fn is_text_of_a_place(&self) -> bool {
        matches!(self, Self::Base(_) | Self::Computed(..))
    }

    /// Whether a directory is a part of it.
    pub(super) fn holds_a_place(&self) -> bool {
        match self {
            Self::Base(_) => true,
            Self::Concat(items) | Self::OneOf(items) | Self::List(items) | Self::Computed(_, items) => {
                items.iter().any(Self::holds_a_place)
            }
            Self::Directory(inner) | Self::FileName(inner) | Self::Many(inner) => inner.holds_a_place(),
            _ => false,
        }
    }
}

/// What a function of texts gives, where all of the texts are known.
fn of_constants(name: &str, arguments: &[StaticValue]) -> Option<StaticValue> {
    if name == "join" {
        return match arguments {
            [StaticValue::Literal(separator), lists @ ..] => collections::joined(separator, lists),
            _ => None,
        };
    }
    let texts = arguments.iter().map(|argument| match argument {
        StaticValue::Literal(text) => Some(text.as_str()),
        _ => None,
    });
    known::of_texts(name, &texts.collect::<Option<Vec<&str>>>()?)
}

/// Whether a path begins in a directory and ends in names below it, so that it is in full what it is as it is.
fn goes_down(path: &[StaticValue]) -> bool {
    let [StaticValue::Concat(parts)] = path else { return false };
    let down = |text: &str| !text.split('/').any(|name| matches!(name, "." | ".."));
    match parts.as_slice() {
        [StaticValue::Base(_), StaticValue::Literal(text)] => text.starts_with('/') && down(text),
        _ => false,
    }
}

/// Whether more may be known of a value somewhere else.
fn may_be_told(value: &StaticValue) -> bool {
    match value {
        StaticValue::Base(_)
        | StaticValue::Local(..)
        | StaticValue::Variable(..)
        | StaticValue::Computed(..) => true,
        StaticValue::Concat(items) | StaticValue::OneOf(items) | StaticValue::List(items) => {
            items.iter().any(may_be_told)
        }
        StaticValue::Directory(inner) | StaticValue::FileName(inner) | StaticValue::Many(inner) => {
            may_be_told(inner)
        }
        _ => false,
    }
}

/// A path from one directory to another, as Terraform writes it: `filepath.Join` of the caller's directory and the
/// source (internal/initwd/module_install.go).
fn relative(from: &RepoPath, to: &RepoPath) -> Option<String> {
    let path = String::from_utf8(to.relative_to(from)).ok()?;
    Some(if path.is_empty() { ".".to_owned() } else { path })
}

/// A text as `abspath` has it.
fn in_full(text: StaticValue, root: &RepoPath) -> StaticValue {
    match text {
        StaticValue::Literal(text) if text.starts_with(['/', '~']) || text.starts_with(REPOSITORY) => {
            StaticValue::Literal(text)
        }
        StaticValue::Literal(text) => match root.resolve(&text) {
            Some(path) if path.is_root() => StaticValue::Literal(REPOSITORY.to_owned()),
            Some(path) => match std::str::from_utf8(path.as_bytes()) {
                Ok(path) => StaticValue::Literal(format!("{REPOSITORY}/{path}")),
                Err(_) => StaticValue::Unknown,
            },
            None => StaticValue::Unknown,
        },
        StaticValue::OneOf(values) => {
            StaticValue::one_of(values.into_iter().map(|value| in_full(value, root)).collect())
        }
        _ => StaticValue::Unknown,
    }
}
