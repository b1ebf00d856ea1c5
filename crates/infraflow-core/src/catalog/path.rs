//! From a value to the paths that it can mean.

use super::glob::{Glob, unfold};
use crate::{
    proof::RepoPath,
    terraform::facts::{Base, StaticValue},
};

/// The most paths that the braces of several globs in one value unfold to; beyond it, anything is meant.
const MOST_PATHS: usize = 256;

/// A text of more bytes than this is not taken apart: no system opens such a path (Linux: 4,096), though names
/// and `..` in it may take one another away.
const LONGEST: usize = 1 << 16;

/// The paths of the repository that a value can mean.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Paths {
    /// This one.
    One(RepoPath),
    /// All below a directory that match.
    Matching {
        directory: RepoPath,
        glob: Glob,
        /// Whether a part of it is not known: then it matches more than is read.
        unknown: bool,
    },
    /// Nobody can tell where it begins.
    Anywhere,
    /// Something was done to the path in which it begins: it may lie anywhere in the repository.
    Elsewhere,
    /// None: it lies outside the repository, or is no path.
    None,
}

/// What a value means where relative paths begin at `root`.
pub(super) fn paths(value: &StaticValue, root: &RepoPath) -> Vec<Paths> {
    let Some(pieces) = pieces(value) else { return vec![Paths::None] };
    let mut all = vec![Vec::new()];
    for piece in pieces {
        let mut alternatives = match piece {
            Piece::Glob(glob) => unfold(&glob).into_iter().map(Piece::Glob).collect(),
            other => vec![other],
        };
        if all.len() * alternatives.len() > MOST_PATHS {
            alternatives = vec![Piece::Any];
        }
        if let [only] = alternatives.as_slice() {
            all.iter_mut().for_each(|before| before.push(only.clone()));
            continue;
        }
        all = all
            .into_iter()
            .flat_map(|before: Vec<Piece>| {
                alternatives.iter().map(move |piece| {
                    let mut pieces = before.clone();
                    pieces.push(piece.clone());
                    pieces
                })
            })
            .collect();
    }
    all.into_iter().map(|pieces| resolve(pieces, root)).collect()
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Vec<u8>),
    Glob(Vec<u8>),
    Start(RepoPath),
    Any,
    /// Something that was made of a directory's path.
    Elsewhere,
    /// What a resource gives.
    Made,
}

fn pieces(value: &StaticValue) -> Option<Vec<Piece>> {
    Some(match value {
        StaticValue::Literal(text) => vec![Piece::Text(text.clone().into_bytes())],
        StaticValue::Base(Base::Directory(directory)) => vec![Piece::Start(directory.clone())],
        StaticValue::Concat(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(pieces(part)?);
            }
            all
        }
        StaticValue::FileSet(_, glob) => match &**glob {
            StaticValue::Literal(glob) => vec![Piece::Glob(glob.clone().into_bytes())],
            _ => vec![Piece::Any],
        },
        StaticValue::Directory(inner) => {
            let mut inner = pieces(inner)?;
            let alone = inner.len() == 1;
            match inner.last_mut() {
                Some(Piece::Text(text)) if text.contains(&b'/') => {
                    let cut = text.iter().rposition(|&b| b == b'/').unwrap_or(0);
                    text.truncate(cut);
                    inner
                }
                Some(Piece::Start(directory)) => vec![Piece::Start(directory.parent()?)],
                Some(Piece::Text(_)) if alone => vec![Piece::Text(b".".to_vec())],
                Some(Piece::Elsewhere) if alone => inner,
                _ => {
                    inner.pop();
                    inner.push(Piece::Any);
                    inner
                }
            }
        }
        StaticValue::FileName(inner) => match pieces(inner)?.pop()? {
            Piece::Text(text) => match text.iter().rposition(|&b| b == b'/') {
                Some(cut) => vec![Piece::Text(text[cut + 1..].to_vec())],
                None => vec![Piece::Any],
            },
            Piece::Start(directory) if !directory.is_root() => {
                vec![Piece::Text(directory.file_name().to_vec())]
            }
            Piece::Start(_) | Piece::Glob(_) | Piece::Any | Piece::Elsewhere | Piece::Made => {
                vec![Piece::Any]
            }
        },
        StaticValue::Computed(..) if !std::ptr::eq(value, value.place()) => pieces(value.place())?,
        StaticValue::Computed(..) => vec![Piece::Elsewhere],
        StaticValue::List(_)
        | StaticValue::Many(_)
        | StaticValue::Map(..)
        | StaticValue::Object(_)
        | StaticValue::Null => {
            return None;
        }
        StaticValue::Made => vec![Piece::Made],
        _ => vec![Piece::Any],
    })
}

/// One name of a path, in pieces.
type Name = Vec<Piece>;

fn resolve(pieces: Vec<Piece>, root: &RepoPath) -> Paths {
    let length = |piece: &Piece| match piece {
        Piece::Text(text) | Piece::Glob(text) => text.len(),
        Piece::Start(_) | Piece::Any | Piece::Elsewhere | Piece::Made => 0,
    };
    if pieces.iter().map(length).sum::<usize>() > LONGEST {
        return Paths::Anywhere;
    }
    let mut start = root.clone();
    let mut names: Vec<Name> = vec![Vec::new()];
    for (i, piece) in pieces.into_iter().enumerate() {
        match piece {
            Piece::Start(directory) if i == 0 => start = directory,
            // An absolute path in the middle of another: nobody writes that and means a file.
            Piece::Start(_) => return Paths::None,
            Piece::Any if i == 0 => return Paths::Anywhere,
            Piece::Elsewhere if i == 0 => return Paths::Elsewhere,
            // What a resource made or was given is named where it was given.
            Piece::Made if i == 0 => return Paths::None,
            Piece::Any | Piece::Elsewhere | Piece::Made => {
                names.last_mut().into_iter().for_each(|name| name.push(Piece::Any))
            }
            Piece::Text(text) | Piece::Glob(text) if i == 0 && text.starts_with(b"/") => return Paths::None,
            Piece::Text(text) if i == 0 && text.starts_with(b"~") => return Paths::None,
            Piece::Text(text) => split(&text, &mut names, Piece::Text),
            Piece::Glob(text) => split(&text, &mut names, Piece::Glob),
        }
    }
    let mut path: Vec<Name> = start.names().map(|name| vec![Piece::Text(name.to_vec())]).collect();
    for name in names {
        match constant(&name) {
            Some(text) if text.is_empty() || text == b"." => {}
            Some(text) if text == b".." => match path.last() {
                None => return Paths::None,
                // What is not known may be several names: then nobody can tell what is above.
                Some(last) if last.iter().any(|piece| matches!(piece, Piece::Any)) => {
                    let last = path.len() - 1;
                    path[last] = vec![Piece::Any];
                }
                Some(_) => {
                    path.pop();
                }
            },
            _ => path.push(name),
        }
    }
    finish(&path)
}

fn finish(path: &[Name]) -> Paths {
    let mut glob = Glob::default();
    let mut unknown = false;
    let mut slash = false;
    for (i, name) in path.iter().enumerate() {
        if slash {
            glob.push_text(b"/");
        }
        slash = true;
        if i + 1 < path.len() && matches!(name.as_slice(), [Piece::Glob(text)] if text == b"**") {
            glob.push_names();
            slash = false;
            continue;
        }
        for piece in name {
            match piece {
                Piece::Text(text) => glob.push_text(text),
                Piece::Glob(text) => glob.push_glob(text),
                Piece::Any | Piece::Elsewhere | Piece::Made | Piece::Start(_) => {
                    unknown = true;
                    glob.push_any();
                }
            }
        }
    }
    if let Some(constant) = glob.constant() {
        return RepoPath::parse(constant).map_or(Paths::None, Paths::One);
    }
    let (directory, glob) = glob.split_directory();
    match RepoPath::root().resolve(directory) {
        Some(directory) => Paths::Matching { directory, glob, unknown },
        None => Paths::None,
    }
}

fn split(text: &[u8], names: &mut Vec<Name>, piece: fn(Vec<u8>) -> Piece) {
    for (i, part) in text.split(|&b| b == b'/').enumerate() {
        if i > 0 {
            names.push(Vec::new());
        }
        if !part.is_empty() {
            names.last_mut().into_iter().for_each(|name| name.push(piece(part.to_vec())));
        }
    }
}

/// A name that is known: of plain text, or of a glob without anything to match.
fn constant(name: &Name) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for piece in name {
        match piece {
            Piece::Text(part) => text.extend_from_slice(part),
            Piece::Glob(part) if !part.iter().any(|b| b"*?[\\".contains(b)) => text.extend_from_slice(part),
            _ => return None,
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn literal(text: &str) -> StaticValue {
        StaticValue::Literal(text.into())
    }

    fn below(directory: &str, rest: Vec<StaticValue>) -> StaticValue {
        let mut parts = vec![StaticValue::Base(Base::Directory(path(directory)))];
        parts.extend(rest);
        StaticValue::concat(parts)
    }

    fn one(value: &StaticValue) -> Paths {
        let mut found = paths(value, &path("root"));
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn constant_paths_are_resolved_from_the_directory_they_begin_in() {
        assert_eq!(one(&literal("a/../b.json")), Paths::One(path("root/b.json")));
        assert_eq!(one(&below("m/x", vec![literal("/../../t/a.tpl")])), Paths::One(path("t/a.tpl")));
        assert_eq!(one(&below(".", vec![literal("/a")])), Paths::One(path("a")));
        let parent = StaticValue::directory(below("m/x", vec![literal("/y/z.tf")]));
        assert_eq!(one(&parent), Paths::One(path("m/x/y")));
        for outside in ["/etc/passwd", "~/x", "../../x"] {
            assert_eq!(one(&literal(outside)), Paths::None, "{outside}");
        }
    }

    #[test]
    fn what_is_not_known_matches_anything_below_its_directory() {
        let value = below("m", vec![literal("/t/"), StaticValue::Unknown, literal(".tpl")]);
        let Paths::Matching { directory, glob, unknown } = one(&value) else { panic!("{value:?}") };
        assert_eq!((directory, unknown), (path("m/t"), true));
        assert!(glob.matches(b"a/b.tpl") && glob.matches(b".tpl") && !glob.matches(b"a.json"));
        assert_eq!(one(&StaticValue::Unknown), Paths::Anywhere);
        let climbs = below("m", vec![literal("/"), StaticValue::Unknown, literal("/../x")]);
        let Paths::Matching { directory, glob, .. } = one(&climbs) else { panic!() };
        assert!(directory == path("m") && glob.matches(b"a/x") && glob.matches(b"x/x"));
    }

    #[test]
    fn braces_of_several_globs_do_not_multiply_without_bound() {
        let glob = Box::new(literal(&"{a,b}".repeat(6)));
        let set = StaticValue::FileSet(Box::new(StaticValue::Unknown), glob);
        let parts = (0..40).flat_map(|_| [literal("/"), set.clone()]).collect();
        assert!(paths(&below("m", parts), &path("root")).len() <= MOST_PATHS);
    }

    #[test]
    fn a_fileset_may_climb_and_unfolds_its_braces() {
        let glob = literal("../../m/*/{a,b}.md");
        let set = StaticValue::FileSet(Box::new(StaticValue::Unknown), Box::new(glob));
        let found = paths(&below("fast/stage", vec![literal("/"), set]), &path("root"));
        assert_eq!(found.len(), 2);
        for one in found {
            let Paths::Matching { directory, unknown, .. } = one else { panic!("{one:?}") };
            assert_eq!((directory, unknown), (path("m"), false));
        }
    }
}
