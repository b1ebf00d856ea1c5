//! Code that is generated for a stack and not kept in the repository: what of the files in its directory and
//! above it ends up there.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use hcl_edit::{Span, expr::Expression};

use super::{
    FactReference, ReferenceKind, Target,
    terramate_stack::{Merged, Stack, exactly, matching, quoted},
};
use crate::{
    proof::{Digester, RepoPath},
    terraform::{
        facts::{Place, StaticValue},
        terramate::{
            Call, Generation, Global, Globals, Part, Read, SharingBackend, Table, Value, Way, matches_stack,
        },
    },
};

/// The files of a directory and what they import.
pub(super) struct Level {
    directory: RepoPath,
    files: Vec<Merged>,
}

/// What counts of one file, and who says so first.
#[derive(Default)]
struct Used {
    /// What it is, and its digest.
    parts: BTreeSet<(String, String)>,
    says: Option<(RepoPath, Place, String)>,
}

/// Something that is used: where it stands, and what it is.
struct Use<'a> {
    file: &'a RepoPath,
    name: String,
    part: &'a Part,
    says: (RepoPath, Place, String),
}

impl Stack<'_> {
    /// What generated code and the environment of a run take from the files of the stack and of the
    /// directories above it.
    pub(super) fn generated(&mut self, own: &[Merged]) {
        let mut levels = vec![Level { directory: self.directory.clone(), files: own.to_vec() }];
        let mut at = self.directory.parent();
        while let Some(directory) = at {
            at = directory.parent();
            let files = self.above(&directory);
            levels.push(Level { directory, files });
        }
        let (table, globals) = globals(&levels);
        self.table = Some(table);
        let mut uses: Vec<Use<'_>> = Vec::new();
        let mut set: BTreeSet<&str> = BTreeSet::new();
        for level in &levels {
            for (path, file) in &level.files {
                for generation in &file.file.generations {
                    if self.is_missing(level, path, generation) {
                        self.calls(path, generation);
                        let name = format!("{} {:?}", generation.kind, generation.label);
                        let says = (path.clone(), generation.part.place, name.clone());
                        uses.push(Use { file: path, name, part: &generation.part, says });
                    }
                }
            }
            for (path, file) in &level.files {
                for backend in &file.file.backends {
                    if is_shared_by(own, backend) && self.is_made(path, backend) {
                        let name = format!("sharing_backend {:?}", backend.name);
                        let says = (path.clone(), backend.part.place, name.clone());
                        uses.push(Use { file: path, name, part: &backend.part, says });
                    }
                }
            }
            // The nearest of a name counts.
            let here = level.files.iter().flat_map(|(path, file)| {
                file.file.environment.iter().map(move |(name, part)| (path, name.as_str(), part))
            });
            let here: Vec<_> = here.filter(|(_, name, _)| !set.contains(name)).collect();
            for (path, name, part) in here {
                set.insert(name);
                let name = format!("terramate.config.run.env {name}");
                let says = (path.clone(), part.place, name.clone());
                uses.push(Use { file: path, name, part, says });
            }
        }
        let own: BTreeSet<RepoPath> = levels[0].files.iter().map(|(path, _)| path.clone()).collect();
        let mut used: BTreeMap<&RepoPath, Used> = BTreeMap::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut all = false;
        while let Some(next) = uses.pop() {
            for read in &next.part.reads {
                self.looks_at(read, next.file);
            }
            let of_file = used.entry(next.file).or_default();
            of_file.parts.insert((next.name, next.part.digest.as_str().to_owned()));
            of_file.says.get_or_insert_with(|| next.says.clone());
            let more: Vec<&(&RepoPath, &Global)> = match &next.part.globals {
                Globals::All if all => Vec::new(),
                Globals::All => {
                    all = true;
                    globals.values().flatten().collect()
                }
                Globals::These(_) if all => Vec::new(),
                Globals::These(names) => {
                    let mut more = Vec::new();
                    for name in names {
                        if let Some((name, defined)) = globals.get_key_value(name.as_str())
                            && seen.insert(name)
                        {
                            more.extend(defined);
                        }
                    }
                    // What could not be read may define any.
                    if seen.insert("")
                        && let Some(unread) = globals.get("")
                    {
                        more.extend(unread);
                    }
                    more
                }
            };
            uses.extend(more.into_iter().map(|(file, global)| Use {
                file,
                name: format!("global.{}", global.path.join(".")),
                part: &global.part,
                says: next.says.clone(),
            }));
        }
        for (file, Used { parts, says }) in used {
            // What stands in the stack, and what it imports, counts as a whole.
            let Some((says, place, text)) = says.filter(|_| !own.contains(file)) else { continue };
            let mut digester = Digester::new();
            for (name, digest) in &parts {
                digester.update(format!("{}:{name}{digest}", name.len()));
            }
            let target = Target::Path(exactly(file));
            let reference = FactReference::new(ReferenceKind::Include, target, place, quoted(text));
            self.facts.references.push(reference.in_file(says).of_part(digester.finish()));
        }
    }

    /// Whether the file that a backend writes in this stack is not there.
    fn is_made(&mut self, path: &RepoPath, backend: &SharingBackend) -> bool {
        let place = backend.part.place;
        let Some(file) = &backend.file else { return false };
        let made = self.value(file, path, place);
        match made.text().and_then(|file| self.directory.resolve(file)) {
            Some(made) => !self.is_kept(&made, path, place),
            None => true,
        }
    }

    /// Whether a block generates a file in this stack that is not there.
    fn is_missing(&mut self, level: &Level, path: &RepoPath, generation: &Generation) -> bool {
        let place = generation.part.place;
        let here = level.directory == *self.directory;
        if !here
            && let Some(inherit) = &generation.inherit
            && self.value(inherit, path, place) == Value::Bool(false)
        {
            return false;
        }
        if !generation.filters.is_empty() {
            let stack = format!("/{}", String::from_utf8_lossy(self.directory.as_bytes()));
            let matches = |value: Value| match value.list() {
                Some(patterns) => patterns.iter().any(|pattern| {
                    pattern.text().is_none_or(|pattern| matches_stack(pattern, &stack) != Some(false))
                }),
                None => true,
            };
            let any = generation
                .filters
                .iter()
                .any(|filter| filter.iter().all(|patterns| matches(self.value(patterns, path, place))));
            if !any {
                return false;
            }
        }
        let condition = generation.condition.as_ref().map(|condition| self.value(condition, path, place));
        if condition == Some(Value::Bool(false)) {
            return false;
        }
        let Some(made) = self.directory.resolve(&generation.label) else { return false };
        !self.is_kept(&made, path, place)
    }

    /// The modules of this repository that generated code calls, as if it stood in the stack.
    fn calls(&mut self, path: &RepoPath, generation: &Generation) {
        let Some(made) = self.directory.resolve(&generation.label) else { return };
        let from = made.parent().unwrap_or_else(RepoPath::root);
        for Call { name, source, bound, place } in &generation.calls {
            for way in self.ways(bound, &[source], path, *place) {
                let value = way.values.first().and_then(Value::text);
                let local = value.filter(|text| text.starts_with("./") || text.starts_with("../"));
                let Some(module) = local.and_then(|text| from.resolve(text)) else { continue };
                let target = Target::Directory(module);
                let text = quoted(format!("module.{name}"));
                let reference = FactReference::new(ReferenceKind::ModuleCall, target, *place, text);
                self.facts.references.push(reference.in_file(path.clone()));
            }
        }
    }

    /// A call of a function that looks at files, while code is generated.
    fn looks_at(&mut self, read: &Read, file: &RepoPath) {
        let Read { call, bound, place } = read;
        let name = call.name.name.as_str().trim_start_matches("tm_").to_owned();
        let arguments: Vec<&Expression> = call.args.iter().take(2).collect();
        let kind = match name.as_str() {
            "fileset" => ReferenceKind::FileSet,
            "fileexists" => ReferenceKind::Presence,
            _ => ReferenceKind::FileRead,
        };
        let text = quoted(format!("tm_{name}({})", spelled(call)));
        let mut found = BTreeSet::new();
        for Way { values, begins } in self.ways(bound, &arguments, file, *place) {
            if values.first() == Some(&Value::Fails) {
                continue;
            }
            let path = values.first().and_then(Value::text).map(|path| self.at(path));
            found.extend(match (path, name.as_str()) {
                (Some(None), _) => None,
                (Some(Some(directory)), "fileset") => Some(match values.get(1).and_then(Value::text) {
                    Some(glob) => matching(&directory, glob),
                    None => matching(&directory, "**"),
                }),
                (Some(Some(path)), _) => Some(exactly(&path)),
                // Anything below what is known of it.
                (None, _) => match begins.rfind('/').and_then(|end| self.at(&begins[..end])) {
                    Some(directory) => {
                        let slash = StaticValue::Literal("/".to_owned());
                        Some(StaticValue::concat(vec![exactly(&directory), slash, StaticValue::Unknown]))
                    }
                    None => Some(StaticValue::Unknown),
                },
            });
        }
        for path in found {
            let reference = FactReference::new(kind, Target::Path(path), *place, text.clone());
            self.facts.references.push(reference.in_file(file.clone()));
        }
    }
}

/// Whether the files of a stack share outputs by a backend.
fn is_shared_by(own: &[Merged], backend: &SharingBackend) -> bool {
    own.iter().any(|(_, file)| file.file.shares.contains(&backend.name))
}

/// The first argument, as it is written.
fn spelled(call: &hcl_edit::expr::FuncCall) -> String {
    let first = call.args.get(0);
    first
        .filter(|first| first.span().is_some())
        .map(|first| first.to_string().trim().to_owned())
        .unwrap_or_default()
}

/// Definitions by their first name, each with its file.
type ByName<'a> = BTreeMap<String, Vec<(&'a RepoPath, &'a Global)>>;

/// Takes out what directories above define within a global that a nearer one gives as a whole: `obj = { … }` takes the
/// place of `globals "obj" { … }`, and the other way round the members are laid over it. What names globals may be
/// worked out after the nearer one, and is then laid over that (globals/globals.go, `HierarchicalExprs.Eval`, 0.17).
fn take_out_replaced<'a>(
    path: &[String],
    by_path: &mut BTreeMap<&'a [String], Vec<(&'a RepoPath, &'a Global)>>,
    table: &mut Table,
) {
    let names_none =
        |global: &Global| matches!(&global.part.globals, Globals::These(names) if names.is_empty());
    let from = (Bound::Excluded(path), Bound::Unbounded);
    let within = by_path.range::<[String], _>(from).take_while(|(at, _)| at.starts_with(path));
    let replaced = within.filter(|(_, defined)| defined.iter().all(|(_, global)| names_none(global)));
    let replaced: Vec<&[String]> = replaced.map(|(at, _)| *at).collect();
    for at in replaced {
        by_path.remove(at);
        table.take_out(at);
    }
}

/// All definitions that count. Of one path the nearest counts.
fn globals(levels: &[Level]) -> (Table, ByName<'_>) {
    let mut table = Table::default();
    let mut by_path: BTreeMap<&[String], Vec<(&RepoPath, &Global)>> = BTreeMap::new();
    for level in levels.iter().rev() {
        let mut here: BTreeMap<&[String], Vec<(&RepoPath, &Global)>> = BTreeMap::new();
        for (path, file) in &level.files {
            table.is_open |= file.file.is_broken;
            for global in &file.file.globals {
                here.entry(&global.path).or_default().push((path, global));
            }
        }
        let whole =
            here.iter().filter(|(_, defined)| defined.iter().any(|(_, global)| global.value.is_some()));
        for path in whole.map(|(path, _)| *path).filter(|path| !path.is_empty()) {
            take_out_replaced(path, &mut by_path, &mut table);
        }
        for (path, defined) in here {
            match path.is_empty() {
                // What could not be read takes no place of anything.
                true => by_path.entry(path).or_default().extend(defined),
                false => {
                    let value = match defined.as_slice() {
                        [(_, one)] => one.value.clone(),
                        _ => None,
                    };
                    table.define(path.to_vec(), value);
                    by_path.insert(path, defined);
                }
            }
        }
    }
    let mut by_name: BTreeMap<String, Vec<(&RepoPath, &Global)>> = BTreeMap::new();
    for (path, defined) in by_path {
        by_name.entry(path.first().cloned().unwrap_or_default()).or_default().extend(defined);
    }
    (table, by_name)
}
