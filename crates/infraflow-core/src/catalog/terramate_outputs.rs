//! Outputs sharing: which stack an `input` gets its value from.

use std::collections::{BTreeSet, VecDeque};

use super::{
    Because, Lookup, ReferenceKind,
    terramate_stack::{from, parsed},
};
use crate::{
    proof::RepoPath,
    terraform::terramate::{Evaluator, Files, StackBlock, Value},
};

/// Directories in which a stack is looked for by its id.
const MOST_DIRECTORIES: usize = 256;

/// The stacks that a stack may consume outputs of.
pub(super) struct Producers<'a> {
    directory: &'a RepoPath,
    file: &'a RepoPath,
    block: &'a StackBlock,
    /// The directories that it runs after, and the ids there, once they are looked up.
    after: Option<Vec<(RepoPath, Id)>>,
}

/// What is known of the id of the stack in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Id {
    /// This one. Ids are compared without regard to case.
    Is(String),
    /// There is no stack, or one without an id.
    None,
    /// Somewhere in the directory a stack may be.
    Unknown,
}

impl<'a> Producers<'a> {
    pub(super) fn of(directory: &'a RepoPath, file: &'a RepoPath, block: &'a StackBlock) -> Self {
        Self { directory, file, block, after: None }
    }

    /// The directories of the stacks with this id: the one that has it, or, where nobody can tell, those
    /// that the stack runs after.
    pub(super) fn find(&mut self, id: Option<&str>, lookup: &mut dyn Lookup) -> Vec<RepoPath> {
        if self.after.is_none() {
            self.after = Some(self.runs_after(lookup));
        }
        let after = self.after.as_deref().unwrap_or_default();
        let may_be = after.iter().filter(|(_, found)| *found != Id::None).map(|(at, _)| at.clone());
        let Some(id) = id.map(str::to_lowercase) else { return may_be.collect() };
        if let Some((at, _)) = after.iter().find(|(_, found)| *found == Id::Is(id.clone())) {
            return vec![at.clone()];
        }
        if let Some(found) = self.around(&id, lookup) {
            return vec![found];
        }
        after.iter().filter(|(_, found)| *found == Id::Unknown).map(|(at, _)| at.clone()).collect()
    }

    fn because(&self) -> Because {
        let place = self.block.after.as_ref().map_or(self.block.place, |(_, place)| *place);
        // Where it is found tells on whom the stack depends; it does not change what the stack is.
        let kind = ReferenceKind::Consideration;
        Because::new(kind, self.file.clone(), place, "the stack that shares its outputs")
    }

    fn runs_after(&self, lookup: &mut dyn Lookup) -> Vec<(RepoPath, Id)> {
        let Some((expression, _)) = &self.block.after else { return Vec::new() };
        let value = Evaluator::new(&mut NoFiles).value(expression);
        let paths = value.list().unwrap_or_default().iter().filter_map(Value::text);
        let directories = paths.filter_map(|path| from(self.directory, path));
        directories.map(|directory| (directory.clone(), self.id_by_usual_name(&directory, lookup))).collect()
    }

    /// The id of the stack in a directory, looked for in the file that `terramate create` writes.
    fn id_by_usual_name(&self, directory: &RepoPath, lookup: &mut dyn Lookup) -> Id {
        let names = ["stack.tm.hcl", "stack.tm"];
        let found = names.iter().find_map(|name| self.id_in(&directory.join(name), lookup));
        found.unwrap_or(Id::Unknown)
    }

    /// The id that a file's `stack` block states; `None` where there is no such block.
    fn id_in(&self, file: &RepoPath, lookup: &mut dyn Lookup) -> Option<Id> {
        let file = parsed(file, &self.because(), lookup)?;
        let block = file.file.stacks.first()?;
        let Some(id) = &block.id else { return Some(Id::None) };
        let id = Evaluator::new(&mut NoFiles).value(id);
        Some(id.text().map_or(Id::Unknown, |id| Id::Is(id.to_lowercase())))
    }

    /// The nearest directory with a stack of that id: what is below the parent, then below its parent, up to
    /// the root.
    fn around(&self, id: &str, lookup: &mut dyn Lookup) -> Option<RepoPath> {
        let because = self.because();
        let mut seen: BTreeSet<RepoPath> = BTreeSet::new();
        let mut top = self.directory.parent();
        while let Some(start) = top {
            let mut work = VecDeque::from([start.clone()]);
            while let Some(at) = work.pop_front() {
                if !seen.insert(at.clone()) {
                    continue;
                }
                if seen.len() > MOST_DIRECTORIES {
                    return None;
                }
                for entry in lookup.list(&at, &because) {
                    if entry.name.starts_with(b".") {
                        continue;
                    }
                    let path = at.join(&entry.name);
                    if entry.is_directory {
                        work.push_back(path);
                    } else if (entry.name.ends_with(b".tm") || entry.name.ends_with(b".tm.hcl"))
                        && self.id_in(&path, lookup) == Some(Id::Is(id.to_owned()))
                    {
                        return Some(at);
                    }
                }
            }
            top = start.parent();
        }
        None
    }
}

/// No file is read for the sake of an id or an order.
struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _: &str) -> Option<std::sync::Arc<[u8]>> {
        None
    }

    fn exists(&mut self, _: &str) -> bool {
        false
    }

    fn matching(&mut self, _: &str, _: &str) -> Option<Vec<String>> {
        None
    }
}
