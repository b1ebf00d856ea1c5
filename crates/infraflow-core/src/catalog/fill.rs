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
        self.changed(value, depth, left).unwrap_or_else(|| value.clone())
    }

    /// What the value becomes; `None` where it stays as it is, so that only what changes is made anew.
    fn changed(&self, value: &StaticValue, depth: usize, left: &mut usize) -> Option<StaticValue> {
        *left = left.saturating_sub(1);
        if depth > MAX_DEPTH || *left == 0 {
            return Some(StaticValue::Unknown);
        }
        Some(match value {
            StaticValue::Base(base) => return self.base(base).map(StaticValue::Base),
            StaticValue::Concat(parts) => match self.each(parts, depth, left) {
                Some(parts) => StaticValue::concat(parts),
                None if is_one_text(parts) => return None,
                None => StaticValue::concat(parts.clone()),
            },
            StaticValue::OneOf(values) => match self.each(values, depth, left) {
                Some(values) => StaticValue::one_of(values),
                None if is_a_choice(values) => return None,
                None => StaticValue::one_of(values.clone()),
            },
            StaticValue::List(items) => StaticValue::List(self.each(items, depth, left)?),
            StaticValue::Many(item) => StaticValue::Many(Box::new(self.changed(item, depth, left)?)),
            StaticValue::Map(key, item) => {
                let (key, item) = self.both([key, item], depth, left)?;
                StaticValue::Map(key, item)
            }
            StaticValue::Object(members) => {
                let mut changed: Option<Vec<(String, StaticValue)>> = None;
                for (at, (name, member)) in members.iter().enumerate() {
                    match (self.changed(member, depth, left), &mut changed) {
                        (Some(member), Some(changed)) => changed.push((name.clone(), member)),
                        (None, Some(changed)) => changed.push((name.clone(), member.clone())),
                        (Some(member), None) => {
                            let mut all = Vec::with_capacity(members.len());
                            all.extend_from_slice(&members[..at]);
                            all.push((name.clone(), member));
                            changed = Some(all);
                        }
                        (None, None) => {}
                    }
                }
                StaticValue::Object(changed?)
            }
            StaticValue::Local(name, steps) => {
                let local = self.locals?.get(name).unwrap_or(&StaticValue::Unknown);
                match local.inside(steps) {
                    Some(inside) => self.filled(inside, depth + 1, left),
                    None => self.filled(&local.taken(steps), depth + 1, left),
                }
            }
            StaticValue::Variable(name, steps) => self.variables?(name, steps),
            StaticValue::Keys(inner) => self.filled(inner, depth + 1, left).keys(),
            StaticValue::FileSet(directory, glob) => {
                let (directory, glob) = self.both([directory, glob], depth, left)?;
                StaticValue::FileSet(directory, glob)
            }
            StaticValue::Directory(inner) => {
                self.told(StaticValue::directory(self.filled(inner, depth, left)))
            }
            StaticValue::FileName(inner) => {
                self.told(StaticValue::file_name(self.filled(inner, depth, left)))
            }
            StaticValue::Computed(name, arguments) => {
                let arguments: Vec<_> =
                    arguments.iter().map(|value| self.filled(value, depth, left)).collect();
                let given: usize = arguments.iter().map(|value| value.parts(MAX_PARTS)).sum();
                let value = self.told(StaticValue::computed(name, arguments));
                // What is made of little counts too.
                let made = value.parts(given + *left).saturating_sub(given);
                if made >= *left {
                    return Some(StaticValue::Unknown);
                }
                *left -= made;
                value
            }
            StaticValue::Contents(path) => StaticValue::Contents(Box::new(self.changed(path, depth, left)?)),
            StaticValue::Decoded(path, steps) => {
                StaticValue::Decoded(Box::new(self.changed(path, depth, left)?), steps.clone())
            }
            _ => return None,
        })
    }

    /// What each of several values becomes; `None` where all stay as they are.
    fn each(&self, values: &[StaticValue], depth: usize, left: &mut usize) -> Option<Vec<StaticValue>> {
        let mut changed: Option<Vec<StaticValue>> = None;
        for (at, value) in values.iter().enumerate() {
            match (self.changed(value, depth, left), &mut changed) {
                (Some(value), Some(changed)) => changed.push(value),
                (None, Some(changed)) => changed.push(value.clone()),
                (Some(value), None) => {
                    let mut all = Vec::with_capacity(values.len());
                    all.extend_from_slice(&values[..at]);
                    all.push(value);
                    changed = Some(all);
                }
                (None, None) => {}
            }
        }
        changed
    }

    fn both(
        &self,
        [one, two]: [&StaticValue; 2],
        depth: usize,
        left: &mut usize,
    ) -> Option<(Box<StaticValue>, Box<StaticValue>)> {
        let changed = (self.changed(one, depth, left), self.changed(two, depth, left));
        match changed {
            (None, None) => None,
            (new_one, new_two) => Some((
                Box::new(new_one.unwrap_or_else(|| one.clone())),
                Box::new(new_two.unwrap_or_else(|| two.clone())),
            )),
        }
    }

    /// What is computed from a directory, where it is known where the tool runs.
    fn told(&self, value: StaticValue) -> StaticValue {
        match self.root {
            Some(root) => value.in_root(root),
            None => value,
        }
    }

    /// What a directory turns out to be, where that is known here.
    fn base(&self, base: &Base) -> Option<Base> {
        let filled = match base {
            Base::Module => self.module,
            Base::Root | Base::Cwd => self.root,
            Base::Directory(_) => None,
        };
        filled.map(|directory| Base::Directory(directory.clone()))
    }
}

/// Whether [`StaticValue::concat`] would leave these parts as they are.
fn is_one_text(parts: &[StaticValue]) -> bool {
    let constant = |part: &StaticValue| matches!(part, StaticValue::Literal(_));
    let stays = |part: &StaticValue| match part {
        StaticValue::Literal(text) => !text.is_empty(),
        StaticValue::Concat(_) => false,
        _ => true,
    };
    parts.len() > 1
        && parts.iter().all(stays)
        && !parts.windows(2).any(|pair| constant(&pair[0]) && constant(&pair[1]))
}

/// Whether [`StaticValue::one_of`] would leave these values as they are.
fn is_a_choice(values: &[StaticValue]) -> bool {
    values.len() > 1
        && !values.iter().any(|value| matches!(value, StaticValue::OneOf(_)))
        && !values.windows(2).any(|pair| pair[0] == pair[1])
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
    fn what_is_made_of_little_counts_as_well() {
        let range = StaticValue::Computed("range".into(), vec![StaticValue::Literal("1000".into())]);
        let filled = Names::default().fill(&StaticValue::List(vec![range; 900]));
        assert!(filled.parts(2 * MAX_PARTS) < 2 * MAX_PARTS);
        assert!(matches!(&filled, StaticValue::List(items) if matches!(items[0], StaticValue::List(_))));
    }

    #[test]
    fn what_stays_as_it_is_counts_as_much_as_what_is_filled_in() {
        let text = |text: &str| StaticValue::Literal(text.into());
        let locals = HashMap::from([("a".to_owned(), StaticValue::Concat(vec![text("x"), text("y")]))]);
        let names = Names { locals: Some(&locals), ..Names::default() };
        let local = StaticValue::Local("a".into(), Vec::new());
        let object = |member: StaticValue| {
            StaticValue::Object(vec![
                ("one".into(), StaticValue::List(vec![text("a"), text("b")])),
                ("two".into(), member),
                ("three".into(), StaticValue::Null),
            ])
        };
        assert_eq!(names.fill(&object(local.clone())), object(text("xy")));
        assert_eq!(names.fill(&object(text("a"))), object(text("a")));
        // What was put together by hand comes out as it would have been made.
        let parts = StaticValue::Concat(vec![text("a"), StaticValue::Concat(vec![text(""), text("b")])]);
        assert_eq!(names.fill(&parts), text("ab"));
        let choice = StaticValue::OneOf(vec![text("a"), StaticValue::OneOf(vec![text("a"), text("b")])]);
        assert_eq!(names.fill(&choice), StaticValue::OneOf(vec![text("a"), text("b")]));
        assert_eq!(names.fill(&StaticValue::OneOf(vec![local])), text("xy"));
        let many = StaticValue::List((0..MAX_PARTS + 9).map(|_| text("a")).collect());
        let StaticValue::List(items) = names.fill(&many) else { panic!("a list stays one") };
        assert_eq!(items.iter().filter(|item| **item == text("a")).count(), MAX_PARTS - 2);
        assert_eq!(items.last(), Some(&StaticValue::Unknown));
    }

    #[test]
    fn locals_that_double_one_another_are_filled_in_no_further_than_the_bound() {
        let local = |n: usize| StaticValue::Local(format!("a{n}"), Vec::new());
        let locals: HashMap<String, StaticValue> = (0..60)
            .map(|n| (format!("a{n}"), StaticValue::Concat(vec![local(n + 1), local(n + 1)])))
            .collect();
        let names = Names { locals: Some(&locals), ..Names::default() };
        let start = std::time::Instant::now();
        super::super::alternatives::alternatives(names.fill(&local(0)));
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
