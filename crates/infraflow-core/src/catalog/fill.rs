//! Values with the names in them filled in.

use std::collections::HashMap;

use crate::{
    proof::RepoPath,
    terraform::facts::{Base, StaticValue, Step},
};

/// Locals that refer to locals, this deep. A cycle of locals is an error of the configuration, and ends here.
const MAX_DEPTH: usize = 24;

/// The most parts that a filled-in value has.
const MAX_PARTS: usize = 4_000;

/// The most paths that one expression can stand for before it is taken for anything at all.
const MAX_ALTERNATIVES: usize = 256;

/// What is taken out of a variable.
type Variables<'a> = dyn Fn(&str, &[Step]) -> StaticValue + 'a;

/// What names stand for.
#[derive(Clone, Copy, Default)]
pub(super) struct Names<'a> {
    /// The directory of the file, for `path.module`.
    pub(super) module: Option<&'a RepoPath>,
    /// The directory of the root module, for `path.root` and `path.cwd`.
    pub(super) root: Option<&'a RepoPath>,
    /// `local.NAME`; one that is not there is unknown.
    pub(super) locals: Option<&'a HashMap<String, StaticValue>>,
    /// `var.NAME`, and what is taken out of it; one that is not there is unknown.
    pub(super) variables: Option<&'a Variables<'a>>,
}

impl Names<'_> {
    /// The value with everything filled in that is known here; the rest stays by name.
    pub(super) fn fill(&self, value: &StaticValue) -> StaticValue {
        let mut left = MAX_PARTS;
        self.filled(value, 0, &mut left)
    }

    fn filled(&self, value: &StaticValue, depth: usize, left: &mut usize) -> StaticValue {
        *left = left.saturating_sub(1);
        if depth > MAX_DEPTH || *left == 0 {
            return StaticValue::Unknown;
        }
        let mut each = |values: &[StaticValue]| -> Vec<StaticValue> {
            values.iter().map(|value| self.filled(value, depth, left)).collect()
        };
        match value {
            StaticValue::Base(base) => StaticValue::Base(self.base(base)),
            StaticValue::Concat(parts) => StaticValue::concat(each(parts)),
            StaticValue::OneOf(values) => StaticValue::one_of(each(values)),
            StaticValue::List(items) => StaticValue::List(each(items)),
            StaticValue::Many(item) => StaticValue::Many(Box::new(self.filled(item, depth, left))),
            StaticValue::Map(key, item) => {
                let key = self.filled(key, depth, left);
                StaticValue::Map(Box::new(key), Box::new(self.filled(item, depth, left)))
            }
            StaticValue::Object(members) => StaticValue::Object(
                members
                    .iter()
                    .map(|(name, member)| (name.clone(), self.filled(member, depth, left)))
                    .collect(),
            ),
            StaticValue::Local(name, steps) => match self.locals {
                Some(locals) => {
                    let local = locals.get(name).unwrap_or(&StaticValue::Unknown);
                    self.filled(&local.taken(steps), depth + 1, left)
                }
                None => value.clone(),
            },
            StaticValue::Variable(name, steps) => match self.variables {
                Some(variables) => variables(name, steps),
                None => value.clone(),
            },
            StaticValue::Keys(inner) => self.filled(inner, depth + 1, left).keys(),
            StaticValue::FileSet(directory, glob) => {
                let directory = self.filled(directory, depth, left);
                StaticValue::FileSet(Box::new(directory), Box::new(self.filled(glob, depth, left)))
            }
            StaticValue::Directory(inner) => {
                self.told(StaticValue::directory(self.filled(inner, depth, left)))
            }
            StaticValue::FileName(inner) => {
                self.told(StaticValue::file_name(self.filled(inner, depth, left)))
            }
            StaticValue::Computed(name, arguments) => {
                let arguments = each(arguments);
                self.told(StaticValue::computed(name, arguments))
            }
            StaticValue::Contents(path) => StaticValue::Contents(Box::new(self.filled(path, depth, left))),
            StaticValue::Decoded(path, steps) => {
                StaticValue::Decoded(Box::new(self.filled(path, depth, left)), steps.clone())
            }
            other => other.clone(),
        }
    }

    /// What is computed from a directory, where it is known where the tool runs.
    fn told(&self, value: StaticValue) -> StaticValue {
        match self.root {
            Some(root) => value.in_root(root),
            None => value,
        }
    }

    fn base(&self, base: &Base) -> Base {
        let filled = match base {
            Base::Module => self.module,
            Base::Root | Base::Cwd => self.root,
            Base::Directory(_) => None,
        };
        filled.map_or_else(|| base.clone(), |directory| Base::Directory(directory.clone()))
    }
}

/// Each single value that a value can be; [`StaticValue::Unknown`] stands for the rest where there are too
/// many.
pub(super) fn alternatives(value: StaticValue) -> Vec<StaticValue> {
    if branches(&value) { each_alternative(&value) } else { vec![value] }
}

/// Whether a value can be several single ones.
fn branches(value: &StaticValue) -> bool {
    match value {
        StaticValue::OneOf(_) => true,
        StaticValue::Concat(parts) => parts.iter().any(branches),
        StaticValue::Directory(inner)
        | StaticValue::FileName(inner)
        | StaticValue::Contents(inner)
        | StaticValue::Decoded(inner, _)
        | StaticValue::FileSet(_, inner) => branches(inner),
        _ => false,
    }
}

fn each_alternative(value: &StaticValue) -> Vec<StaticValue> {
    let each = |inner: &StaticValue, make: &dyn Fn(Box<StaticValue>) -> StaticValue| {
        each_alternative(inner).into_iter().map(|inner| make(Box::new(inner))).collect()
    };
    let mut found = match value {
        StaticValue::OneOf(values) => values.iter().flat_map(each_alternative).collect(),
        StaticValue::Concat(parts) => {
            let mut all = vec![Vec::new()];
            for part in parts {
                let mut parts = each_alternative(part);
                if all.len() * parts.len() > MAX_ALTERNATIVES {
                    parts = vec![StaticValue::Unknown];
                }
                // To copy what stands before for each of thousands of parts would take their square.
                if let [only] = parts.as_slice() {
                    all.iter_mut().for_each(|before: &mut Vec<_>| before.push(only.clone()));
                    continue;
                }
                all = all
                    .iter()
                    .flat_map(|before| {
                        parts.iter().map(move |part| {
                            let mut parts = before.clone();
                            parts.push(part.clone());
                            parts
                        })
                    })
                    .collect();
            }
            all.into_iter().map(StaticValue::concat).collect()
        }
        StaticValue::Directory(inner) => each(inner, &StaticValue::Directory),
        StaticValue::FileName(inner) => each(inner, &StaticValue::FileName),
        StaticValue::Contents(path) => each(path, &StaticValue::Contents),
        StaticValue::Decoded(path, steps) => each(path, &|path| StaticValue::Decoded(path, steps.clone())),
        StaticValue::FileSet(directory, globs) => {
            each(globs, &|glob| StaticValue::FileSet(directory.clone(), glob))
        }
        other => vec![other.clone()],
    };
    found.sort();
    found.dedup();
    if found.len() > MAX_ALTERNATIVES {
        found = vec![StaticValue::Unknown];
    }
    found
}

/// Whether something is left that only a caller knows: a variable, the root's directory, or how a path is written.
pub(super) fn is_open(value: &StaticValue) -> bool {
    names_variable(value)
        || begins_at_root(value)
        || any(value, &StaticValue::is_told_by_the_root)
        || any(value, &|part| is_file(part) && begins_at_root(part))
}

/// Whether it is what a file says.
pub(super) fn is_file(value: &StaticValue) -> bool {
    matches!(value, StaticValue::Contents(_) | StaticValue::Decoded(..))
}

/// Whether what a file says is a part of it.
pub(super) fn names_file(value: &StaticValue) -> bool {
    any(value, &is_file)
}

/// Whether a variable is left.
pub(super) fn names_variable(value: &StaticValue) -> bool {
    any(value, &|part| matches!(part, StaticValue::Variable(..)))
}

/// The variables that are left, by name.
pub(super) fn variables(value: &StaticValue) -> Vec<&str> {
    let mut found = Vec::new();
    each_part(value, &mut |part| {
        if let StaticValue::Variable(name, _) = part {
            found.push(name.as_str());
        }
    });
    found
}

/// The locals that are left, by name.
pub(super) fn local_names(value: &StaticValue) -> Vec<&str> {
    let mut found = Vec::new();
    each_part(value, &mut |part| {
        if let StaticValue::Local(name, _) = part {
            found.push(name.as_str());
        }
    });
    found
}

/// Shows a value and all that it is made of.
fn each_part<'v>(value: &'v StaticValue, show: &mut dyn FnMut(&'v StaticValue)) {
    show(value);
    match value {
        StaticValue::Concat(items)
        | StaticValue::OneOf(items)
        | StaticValue::List(items)
        | StaticValue::Computed(_, items) => {
            items.iter().for_each(|item| each_part(item, show));
        }
        StaticValue::Object(members) => members.iter().for_each(|(_, member)| each_part(member, show)),
        StaticValue::FileSet(one, two) | StaticValue::Map(one, two) => {
            each_part(one, show);
            each_part(two, show);
        }
        StaticValue::Many(inner)
        | StaticValue::Directory(inner)
        | StaticValue::FileName(inner)
        | StaticValue::Keys(inner)
        | StaticValue::Contents(inner)
        | StaticValue::Decoded(inner, _) => each_part(inner, show),
        _ => {}
    }
}

/// Whether a local is left.
pub(super) fn names_local(value: &StaticValue) -> bool {
    any(value, &|part| matches!(part, StaticValue::Local(..)))
}

/// Whether the path begins at the root module's directory: by name, or because it is relative.
fn begins_at_root(value: &StaticValue) -> bool {
    match value {
        StaticValue::Literal(text) => !text.starts_with(['/', '~']),
        StaticValue::Base(base) => matches!(base, Base::Root | Base::Cwd),
        StaticValue::Concat(parts) => parts.first().is_some_and(begins_at_root),
        StaticValue::Directory(inner) | StaticValue::Contents(inner) | StaticValue::Decoded(inner, _) => {
            begins_at_root(inner)
        }
        StaticValue::FileSet(..) | StaticValue::FileName(_) => true,
        StaticValue::Computed(..) => !std::ptr::eq(value, value.place()) && begins_at_root(value.place()),
        _ => false,
    }
}

/// Whether the path begins at the directory of the module that has it.
pub(super) fn begins_in_a_module(value: &StaticValue) -> bool {
    match value {
        StaticValue::Base(base) => matches!(base, Base::Module | Base::Directory(_)),
        StaticValue::Concat(parts) => parts.first().is_some_and(begins_in_a_module),
        StaticValue::Directory(inner) => begins_in_a_module(inner),
        StaticValue::Computed(_, arguments) => arguments.first().is_some_and(begins_in_a_module),
        _ => false,
    }
}

/// What is taken out of a variable of this name, in all places of a value.
pub(super) fn taken_out<'v>(value: &'v StaticValue, name: &str) -> Vec<&'v [Step]> {
    let mut found: Vec<&[Step]> = Vec::new();
    each_part(value, &mut |part| {
        if let StaticValue::Variable(of, steps) = part
            && of == name
        {
            found.push(steps);
        }
    });
    found
}

fn any(value: &StaticValue, holds: &dyn Fn(&StaticValue) -> bool) -> bool {
    holds(value)
        || match value {
            StaticValue::Concat(items)
            | StaticValue::OneOf(items)
            | StaticValue::List(items)
            | StaticValue::Computed(_, items) => items.iter().any(|item| any(item, holds)),
            StaticValue::Object(members) => members.iter().any(|(_, member)| any(member, holds)),
            StaticValue::FileSet(one, two) | StaticValue::Map(one, two) => any(one, holds) || any(two, holds),
            StaticValue::Many(inner)
            | StaticValue::Directory(inner)
            | StaticValue::FileName(inner)
            | StaticValue::Keys(inner)
            | StaticValue::Contents(inner)
            | StaticValue::Decoded(inner, _) => any(inner, holds),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_choices_followed_by_many_parts_end_soon() {
        let choice =
            StaticValue::OneOf(vec![StaticValue::Literal("a".into()), StaticValue::Literal("b".into())]);
        let mut parts = vec![choice; 20];
        parts.extend((0..4_000).map(|_| StaticValue::Unknown));
        let start = std::time::Instant::now();
        let found = alternatives(StaticValue::Concat(parts));
        assert!(found.len() <= MAX_ALTERNATIVES && !found.is_empty());
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn locals_that_double_one_another_are_filled_in_no_further_than_the_bound() {
        let local = |n: usize| StaticValue::Local(format!("a{n}"), Vec::new());
        let locals: HashMap<String, StaticValue> = (0..60)
            .map(|n| (format!("a{n}"), StaticValue::Concat(vec![local(n + 1), local(n + 1)])))
            .collect();
        let names = Names { locals: Some(&locals), ..Names::default() };
        let start = std::time::Instant::now();
        alternatives(names.fill(&local(0)));
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
