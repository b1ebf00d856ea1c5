use super::{Because, Dialect, FactReference, Facts, Lookup, ReferenceKind, Target, Unparsable};
use crate::{
    proof::{Place, RepoPath},
    terraform::facts::{Base, StaticValue},
};

/// The most files that are followed from one scope.
const MOST_FILES: usize = 256;

/// What the files that a scope's own `files` include state, and those that these include: for
/// [`Dialect::resolve`] of a dialect that has includes.
///
/// What includes is a reference of the kind [`ReferenceKind::Include`] with a constant path; it is followed relative
/// to the directory of the file that it stands in, in a circle too. What an included file states comes from
/// [`Dialect::facts`], whether or not it would be claimed, and its relative paths begin at its own directory. Its
/// marks and definitions do not count. Beyond 256 files, the rest is told as unparsable.
pub fn included(dialect: &dyn Dialect, files: &[RepoPath], lookup: &mut dyn Lookup) -> Facts {
    let own = |file: &RepoPath| {
        Because::new(ReferenceKind::Contains, file.clone(), Place::beginning(), "a file of the directory")
    };
    let mut open: Vec<(RepoPath, Because)> = files.iter().map(|file| (file.clone(), own(file))).collect();
    let mut all = Facts::default();
    let (mut at, mut beyond) = (0, None);
    while let Some((file, because)) = open.get(at).cloned() {
        let is_own = at < files.len();
        at += 1;
        let Some(content) = lookup.read(&file, &because) else { continue };
        let directory = file.parent().unwrap_or_else(RepoPath::root);
        let stated = dialect.facts(&file, &content);
        for reference in stated.references {
            if let (ReferenceKind::Include, Target::Path(StaticValue::Literal(path))) =
                (reference.kind, &reference.target)
                && let Some(included) = directory.resolve(path)
                && open.iter().all(|(known, _)| *known != included)
            {
                if open.len() >= MOST_FILES.max(files.len()) {
                    let why = format!("it includes more than {MOST_FILES} files, one by another");
                    beyond.get_or_insert(Unparsable::new(file.clone(), Some(reference.place.line), why));
                } else {
                    let text = reference.text.clone();
                    open.push((included, Because::new(reference.kind, file.clone(), reference.place, text)));
                }
            }
            if !is_own {
                all.references.push(moved(reference, &file, &directory));
            }
        }
        if !is_own {
            all.unparsable.extend(stated.unparsable);
        }
    }
    all.unparsable.extend(beyond);
    all
}

/// A reference of an included file as the scope has it: relative paths begin where the file stands.
fn moved(reference: FactReference, file: &RepoPath, directory: &RepoPath) -> FactReference {
    let here = |path: StaticValue| {
        let base = StaticValue::Base(Base::Directory(directory.clone()));
        StaticValue::concat(vec![base, StaticValue::Literal("/".to_owned()), path])
    };
    let mut kind = reference.kind;
    let target = match reference.target.clone() {
        Target::Path(path) if is_relative(&path) => Target::Path(here(path)),
        // The address would be taken from the scope's own directory.
        Target::Module { source: Some(source), .. } if source.value.starts_with('.') => {
            kind = ReferenceKind::PathNamed;
            Target::Path(here(StaticValue::Literal(source.value)))
        }
        other => other,
    };
    let in_file = Some(reference.in_file.clone().unwrap_or_else(|| file.clone()));
    FactReference { kind, target, in_file, ..reference }
}

fn is_relative(path: &StaticValue) -> bool {
    match path {
        StaticValue::Base(_) => false,
        StaticValue::Literal(text) => !text.starts_with(['/', '~']),
        StaticValue::Concat(parts) => parts.first().is_none_or(is_relative),
        _ => true,
    }
}
