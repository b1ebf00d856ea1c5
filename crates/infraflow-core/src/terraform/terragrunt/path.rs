//! Paths of the repository as texts, on which the functions of texts work. The repository stands at a place
//! that no file system has, so that a text which leads out of it is told from one that stays inside.

use std::sync::Arc;

use super::value::Value;
use crate::{
    proof::RepoPath,
    terraform::facts::{Base, StaticValue},
};

/// Where the repository is taken to stand.
pub(super) const REPOSITORY: &str = "/\u{10fffd}";

/// Bytes of a path that are no UTF-8, as characters that no text has.
const BYTES: u32 = 0x0010_f000;

/// A path of the repository as an absolute text.
pub(super) fn text_of(path: &RepoPath) -> Arc<str> {
    if path.is_root() {
        return REPOSITORY.into();
    }
    let relative = text_of_bytes(path.as_bytes());
    format!("{REPOSITORY}/{relative}").into()
}

pub(super) fn text_of_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|&byte| char::from_u32(BYTES + u32::from(byte))));
    }
    text
}

fn bytes_of_text(text: &str) -> Vec<u8> {
    if text.is_ascii() {
        return text.as_bytes().to_vec();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c).checked_sub(BYTES).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// An absolute text, `.` and `..` resolved; a relative one begins at `base`.
pub(super) fn absolute(text: &str, base: &str) -> String {
    if is_name(text) && is_settled(base) {
        return [base, "/", text].concat();
    }
    let mut names: Vec<&str> = Vec::new();
    let from = if text.starts_with('/') { "" } else { base };
    for name in from.split('/').chain(text.split('/')) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    let mut path = String::with_capacity(from.len() + text.len() + 1);
    for name in names {
        path.push('/');
        path.push_str(name);
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

/// Whether it is a name in a directory.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('.') && !text.contains('/')
}

/// Whether nothing in an absolute text is left to resolve.
fn is_settled(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins_name = |at: usize| bytes.get(at + 1).is_some_and(|&next| next != b'/' && next != b'.');
    text.starts_with('/') && memchr::memchr_iter(b'/', bytes).all(begins_name)
}

/// The directory that a path stands in.
pub(super) fn parent(text: &str) -> String {
    match text.rfind('/') {
        Some(last) if last > 0 && is_settled(text) => text[..last].to_owned(),
        _ => absolute("..", text),
    }
}

/// The path of the repository that an absolute text means; `None` outside.
pub(super) fn repo_path(absolute: &str) -> Option<RepoPath> {
    let rest = absolute.strip_prefix(REPOSITORY)?;
    match rest.strip_prefix('/') {
        Some(relative) => RepoPath::parse(bytes_of_text(relative)).ok(),
        None => rest.is_empty().then(RepoPath::root),
    }
}

/// Whether an absolute text is the repository, or lies in it.
pub(super) fn is_in_repository(absolute: &str) -> bool {
    absolute.strip_prefix(REPOSITORY).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// One path as seen from another, both absolute.
pub(super) fn relative(to: &str, from: &str) -> String {
    let (to, from): (Vec<&str>, Vec<&str>) = (
        to.split('/').filter(|name| !name.is_empty()).collect(),
        from.split('/').filter(|name| !name.is_empty()).collect(),
    );
    let shared = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let mut names: Vec<&str> = vec![".."; from.len() - shared];
    names.extend(&to[shared..]);
    if names.is_empty() { ".".to_owned() } else { names.join("/") }
}

/// What a value means as a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    /// This path of the repository.
    Path(RepoPath),
    /// Paths of which a part is not known, or a glob.
    Partly(StaticValue),
    /// It is no path, or lies outside the repository.
    Nothing,
}

/// What a value means as a path, relative ones from `base`.
pub(super) fn meanings(value: &Value, base: &str) -> Vec<Meaning> {
    value.alternatives().iter().map(|value| meaning(value, base)).collect()
}

fn meaning(value: &Value, base: &str) -> Meaning {
    match value {
        Value::Text(text) if text.is_empty() => Meaning::Nothing,
        Value::Text(text) => repo_path(&absolute(text, base)).map_or(Meaning::Nothing, Meaning::Path),
        Value::Parts(parts) => {
            let mut pieces = Vec::with_capacity(parts.len() + 1);
            let mut parts = parts.iter();
            match parts.next() {
                Some(Value::Text(first)) => match beginning(first, base) {
                    Some(begin) => pieces.extend(begin),
                    None => return Meaning::Nothing,
                },
                Some(name @ Value::Name(_)) => {
                    pieces.extend(beginning("", base).unwrap_or_default());
                    pieces.push(piece(name));
                }
                _ => pieces.push(StaticValue::Unknown),
            }
            pieces.extend(parts.map(piece));
            Meaning::Partly(StaticValue::concat(pieces))
        }
        Value::Name(_) => {
            let mut pieces = beginning("", base).unwrap_or_default();
            pieces.push(piece(value));
            Meaning::Partly(StaticValue::concat(pieces))
        }
        Value::Unknown | Value::Content(_) => Meaning::Partly(StaticValue::Unknown),
        _ => Meaning::Nothing,
    }
}

/// The known beginning of a path: a directory of the repository, and what follows it up to where it is not
/// known any more.
fn beginning(text: &str, base: &str) -> Option<Vec<StaticValue>> {
    let cut = text.rfind('/').map_or(0, |at| at + 1);
    let (directory, name) = text.split_at(cut);
    let directory = repo_path(&absolute(if directory.is_empty() { "." } else { directory }, base))?;
    Some(vec![
        StaticValue::Base(Base::Directory(directory)),
        StaticValue::Literal(format!("/{}", String::from_utf8_lossy(&bytes_of_text(name)))),
    ])
}

fn piece(value: &Value) -> StaticValue {
    match value {
        Value::Text(text) => StaticValue::Literal(text.to_string()),
        Value::Name(name) => StaticValue::FileSet(
            Box::new(StaticValue::Unknown),
            Box::new(StaticValue::Literal(name.1.to_string())),
        ),
        _ => StaticValue::Unknown,
    }
}

/// The most parts of a value that is handed to a module.
const MAX_PARTS: usize = 500;

/// A value as the variables of a module see it.
pub(super) fn handed(value: &Value) -> StaticValue {
    let mut left = MAX_PARTS;
    let handed = hand(value, &mut left);
    if left == 0 { StaticValue::Unknown } else { handed }
}

fn hand(value: &Value, left: &mut usize) -> StaticValue {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return StaticValue::Unknown;
    }
    match value {
        Value::Null => StaticValue::Null,
        Value::Bool(_) | Value::Number(_) => {
            StaticValue::Literal(value.as_text().unwrap_or_default().to_string())
        }
        Value::Text(text) if text.starts_with(REPOSITORY) => match repo_path(&absolute(text, REPOSITORY)) {
            Some(path) => StaticValue::Base(Base::Directory(path)),
            None => StaticValue::Unknown,
        },
        Value::Text(text) => StaticValue::Literal(text.to_string()),
        Value::List(items) => StaticValue::List(items.iter().map(|item| hand(item, left)).collect()),
        Value::Object(members) => StaticValue::Object(
            members.iter().map(|(name, member)| (name.to_string(), hand(member, left))).collect(),
        ),
        Value::Parts(parts) => match (parts.first(), meaning(value, REPOSITORY)) {
            (Some(Value::Text(text)), Meaning::Partly(path)) if text.starts_with(REPOSITORY) => path,
            _ => StaticValue::concat(parts.iter().map(|part| hand(part, left)).collect()),
        },
        Value::OneOf(values) => StaticValue::one_of(values.iter().map(|value| hand(value, left)).collect()),
        Value::Usually(inner) => hand(inner, left),
        Value::Each(item) => StaticValue::List(vec![hand(item, left)]),
        Value::Name(_) => piece(value),
        Value::Content(_) | Value::Config(_) | Value::Unknown | Value::Failed => StaticValue::Unknown,
    }
}
