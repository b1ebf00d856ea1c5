//! What one Terramate stack depends on besides the files below it.

use std::{collections::BTreeSet, sync::Arc};

use hcl_edit::expr::Expression;

use super::{
    Because, FactReference, Facts, Lookup, Parsed, ReferenceKind, Target, terramate_outputs::Producers,
};
use crate::{
    proof::{RepoPath, quote},
    terraform::{
        facts::{Base, Place, StaticValue, Text},
        terramate::{Bound, Evaluator, Files, StackBlock, Table, TerramateFile, Value, Way},
    },
};

/// Imports that lead from one to the next. Terramate refuses a circle.
const MOST_IMPORTS: usize = 1_000;

/// Directories that one glob of an import, or of `tm_fileset`, is matched in.
const MOST_LISTED: usize = 2_000;

/// What stands for the machine's path of the project in a value: no such name exists there.
const PROJECT: &str = "/<project>";

pub(super) fn parse(path: &RepoPath, content: &[u8]) -> Parsed {
    let file = TerramateFile::stated(path, content).unwrap_or_else(|_| TerramateFile::salvage(path, content));
    Arc::new(ParsedFile { file })
}

/// What is kept of a parsed file.
pub(super) struct ParsedFile {
    pub(super) file: TerramateFile,
}

/// A file as it was parsed by the first stack that looked at it.
pub(super) fn parsed(path: &RepoPath, because: &Because, lookup: &mut dyn Lookup) -> Option<Arc<ParsedFile>> {
    lookup.parsed(path, because, &parse)?.downcast::<ParsedFile>().ok()
}

/// The first `stack` block of a directory's own files.
pub(super) fn own_block(files: &[RepoPath], lookup: &mut dyn Lookup) -> Option<(RepoPath, StackBlock)> {
    files.iter().find_map(|path| {
        let file = parsed(path, &whole(path), lookup)?;
        let block = file.file.stacks.first()?.clone();
        Some((path.clone(), block))
    })
}

fn whole(path: &RepoPath) -> Because {
    let place = Place { start: 0, end: 0, line: 1, column: 1 };
    Because::new(ReferenceKind::Contains, path.clone(), place, "")
}

/// Everything but the files below the stack.
pub(super) fn resolve(
    directory: &RepoPath,
    files: &[RepoPath],
    (file, block): (&RepoPath, &StackBlock),
    lookup: &mut dyn Lookup,
    facts: &mut Facts,
) {
    let mut stack = Stack { directory, file, block, lookup, facts, table: None };
    stack.watches();
    stack.triggers();
    let files =
        files.iter().filter_map(|path| Some((path.clone(), parsed(path, &whole(path), stack.lookup)?)));
    let own = files.collect();
    let own = stack.with_imports(own, ReferenceKind::Include);
    stack.generated(&own);
    stack.inputs(&own);
}

/// A file that is merged into the stack's directory, and its path.
pub(super) type Merged = (RepoPath, Arc<ParsedFile>);

pub(super) struct Stack<'a> {
    pub(super) directory: &'a RepoPath,
    file: &'a RepoPath,
    block: &'a StackBlock,
    lookup: &'a mut dyn Lookup,
    pub(super) facts: &'a mut Facts,
    /// The globals that expressions can name, once they are known.
    pub(super) table: Option<Table>,
}

impl Stack<'_> {
    fn refer(&mut self, kind: ReferenceKind, path: StaticValue, place: Place, text: String, file: &RepoPath) {
        let reference = FactReference::new(kind, Target::Path(path), place, quoted(text));
        self.facts.references.push(reference.in_file(file.clone()));
    }

    fn watches(&mut self) {
        let Some((expression, place)) = &self.block.watch else { return };
        let because = Because::new(ReferenceKind::FileRead, self.file.clone(), *place, "stack.watch");
        let mut files = StackFiles { directory: self.directory, because, lookup: self.lookup };
        let value = Evaluator::new(&mut files).value(expression);
        let Some(items) = value.list() else {
            return self.refer(
                ReferenceKind::Watch,
                StaticValue::Unknown,
                *place,
                "stack.watch".into(),
                self.file,
            );
        };
        for item in items {
            match item.text() {
                Some(path) => {
                    if let Some(watched) = from(self.directory, path) {
                        self.refer(
                            ReferenceKind::Watch,
                            exactly(&watched),
                            *place,
                            format!("watch {path:?}"),
                            self.file,
                        );
                    }
                }
                None => {
                    self.refer(
                        ReferenceKind::Watch,
                        StaticValue::Unknown,
                        *place,
                        "stack.watch".into(),
                        self.file,
                    );
                }
            }
        }
    }

    /// What `terramate trigger` writes: files of any name in `.tmtriggers/STACK`.
    fn triggers(&mut self) {
        let directory = RepoPath::root().join(".tmtriggers").join(self.directory.as_bytes());
        let place = self.block.place;
        let because =
            Because::new(ReferenceKind::Consideration, self.file.clone(), place, "triggers of the stack");
        for entry in self.lookup.list(&directory, &because) {
            if entry.is_directory {
                continue;
            }
            let path = directory.join(&entry.name);
            let Some(file) = parsed(&path, &because, self.lookup) else { continue };
            let (kind, text) = match file.file.is_dismissal {
                true => (ReferenceKind::Dismissal, "a trigger to ignore changes of the stack"),
                false => (ReferenceKind::Trigger, "a trigger of the stack"),
            };
            self.refer(kind, exactly(&path), place, text.into(), self.file);
        }
    }

    /// The files of a directory above, and everything that they import.
    pub(super) fn above(&mut self, directory: &RepoPath) -> Vec<Merged> {
        let files = self.lookup.inherited(directory, &parse);
        let files = files
            .iter()
            .filter_map(|(path, file)| Some((path.clone(), Arc::clone(file).downcast::<ParsedFile>().ok()?)));
        let files = files.collect();
        self.with_imports(files, ReferenceKind::Consideration)
    }

    /// Files of a directory, and everything that they import.
    fn with_imports(&mut self, mut merged: Vec<Merged>, kind: ReferenceKind) -> Vec<Merged> {
        let mut seen: BTreeSet<RepoPath> = merged.iter().map(|(path, _)| path.clone()).collect();
        let mut at = 0;
        while at < merged.len() && merged.len() < MOST_IMPORTS {
            let (importer, file) = merged[at].clone();
            for source in &file.file.imports {
                for path in self.imported(&importer, source, kind) {
                    if seen.insert(path.clone()) {
                        let text = quoted(format!("import {:?}", source.value));
                        let because = Because::new(kind, importer.clone(), source.place, text);
                        merged.extend(parsed(&path, &because, self.lookup).map(|file| (path, file)));
                    }
                }
            }
            at += 1;
        }
        merged
    }

    /// The files that an import means, as Go's `filepath.Glob` has it: no `**`, no braces.
    fn imported(&mut self, importer: &RepoPath, source: &Text, kind: ReferenceKind) -> Vec<RepoPath> {
        let directory = importer.parent().unwrap_or_else(RepoPath::root);
        let Some(path) = from(&directory, &source.value) else { return Vec::new() };
        if !is_glob(path.as_bytes()) {
            return vec![path];
        }
        // Of a directory above, what the files say counts, not that they are there.
        if kind == ReferenceKind::Include {
            let text = format!("import {:?}", source.value);
            let fixed: Vec<&[u8]> = path.names().take_while(|name| !is_glob(name)).collect();
            let start = RepoPath::root().join(fixed.join(&b'/'));
            let glob = String::from_utf8_lossy(&path.relative_to(&start)).replace('{', "\\{");
            self.refer(kind, matching(&start, &glob), source.place, text, importer);
        }
        let looks = ReferenceKind::Consideration;
        let because = Because::new(looks, importer.clone(), source.place, "import");
        glob_files(&path, &because, self.lookup)
    }

    fn inputs(&mut self, own: &[Merged]) {
        let mut producers = None;
        for (path, file) in own {
            for input in &file.file.inputs {
                let id = self.value(&input.from_stack_id, path, input.place);
                let producers =
                    producers.get_or_insert_with(|| Producers::of(self.directory, self.file, self.block));
                for unit in producers.find(id.text(), self.lookup) {
                    let text = quoted(format!("input {:?}", input.name));
                    let target = Target::Unit(unit);
                    let reference = FactReference::new(ReferenceKind::Dependency, target, input.place, text);
                    self.facts.references.push(reference.in_file(path.clone()));
                }
            }
        }
    }

    /// The value of an expression in the stack's context.
    pub(super) fn value(&mut self, expression: &Expression, file: &RepoPath, place: Place) -> Value {
        let ways = self.ways(&[], &[expression], file, place).into_iter();
        ways.flat_map(|way| way.values).next().unwrap_or(Value::Unknown)
    }

    /// What expressions are in the stack's context, for each way in which the names around them are bound.
    pub(super) fn ways(
        &mut self,
        bound: &[Arc<Bound>],
        expressions: &[&Expression],
        file: &RepoPath,
        place: Place,
    ) -> Vec<Way> {
        let because = Because::new(ReferenceKind::FileRead, file.clone(), place, "an expression");
        let mut files = StackFiles { directory: self.directory, because, lookup: self.lookup };
        let about = about(self.directory, self.block, &mut files);
        let mut evaluator = Evaluator::new(&mut files).with("terramate", about);
        if let Some(table) = &self.table {
            evaluator = evaluator.with_globals(table);
        }
        evaluator.ways(bound, expressions)
    }

    /// Whether a generated file is kept in the repository.
    pub(super) fn is_kept(&mut self, made: &RepoPath, file: &RepoPath, place: Place) -> bool {
        let because =
            Because::new(ReferenceKind::Presence, file.clone(), place, "whether generated code is kept");
        self.lookup.is_file(made, &because)
    }

    /// The path that functions mean by a text; `None` where it is none of this repository.
    pub(super) fn at(&self, path: &str) -> Option<RepoPath> {
        at(self.directory, path)
    }
}

/// The path that functions mean by a text in a stack: relative to it, or of the machine.
fn at(directory: &RepoPath, path: &str) -> Option<RepoPath> {
    match path.strip_prefix(PROJECT) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            RepoPath::root().resolve(rest.trim_start_matches('/'))
        }
        _ => directory.resolve(path),
    }
}

/// The files that functions read, beginning at the stack's directory.
struct StackFiles<'a> {
    directory: &'a RepoPath,
    because: Because,
    lookup: &'a mut dyn Lookup,
}

impl Files for StackFiles<'_> {
    fn read(&mut self, path: &str) -> Option<Arc<[u8]>> {
        self.lookup.read(&at(self.directory, path)?, &self.because)
    }

    fn exists(&mut self, path: &str) -> bool {
        at(self.directory, path).is_some_and(|path| self.lookup.is_file(&path, &self.because))
    }

    fn matching(&mut self, directory: &str, glob: &str) -> Option<Vec<String>> {
        let start = at(self.directory, directory)?;
        // Of a directory that is listed for names of one ending, other names say nothing.
        if let Some(ending) =
            glob.strip_prefix('*').filter(|ending| !ending.contains(['*', '?', '[', '{', '\\', '/']))
        {
            let found = self.lookup.list_ending(&start, ending.as_bytes(), &self.because).into_iter();
            return Some(found.map(|entry| String::from_utf8_lossy(&entry.name).into_owned()).collect());
        }
        let glob = globset::GlobBuilder::new(glob).literal_separator(true).build().ok()?.compile_matcher();
        let mut found = Vec::new();
        let mut work = vec![(start, String::new())];
        let mut listed = 0;
        while let Some((at, prefix)) = work.pop() {
            listed += 1;
            if listed > MOST_LISTED {
                return None;
            }
            for entry in self.lookup.list(&at, &self.because) {
                let name = format!("{prefix}{}", String::from_utf8_lossy(&entry.name));
                if entry.is_directory {
                    work.push((at.join(&entry.name), format!("{name}/")));
                } else if glob.is_match(&name) {
                    found.push(name);
                }
            }
        }
        found.sort();
        Some(found)
    }
}

/// The files that match a path with globs in it, name by name.
fn glob_files(path: &RepoPath, because: &Because, lookup: &mut dyn Lookup) -> Vec<RepoPath> {
    let names: Vec<&[u8]> = path.names().collect();
    let mut at = vec![RepoPath::root()];
    let mut listed = 0;
    for (depth, name) in names.iter().enumerate() {
        let last = depth + 1 == names.len();
        if !is_glob(name) {
            at = at.iter().map(|directory| directory.join(name)).collect();
            continue;
        }
        let glob = globset::GlobBuilder::new(&String::from_utf8_lossy(name)).literal_separator(true).build();
        let Ok(glob) = glob.map(|glob| glob.compile_matcher()) else { return Vec::new() };
        let mut found = Vec::new();
        for directory in at {
            listed += 1;
            if listed > MOST_LISTED {
                break;
            }
            for entry in lookup.list(&directory, because) {
                if entry.is_directory != last && glob.is_match(&*String::from_utf8_lossy(&entry.name)) {
                    found.push(directory.join(&entry.name));
                }
            }
        }
        at = found;
    }
    at
}

fn is_glob(path: &[u8]) -> bool {
    path.iter().any(|b| b"*?[".contains(b))
}

/// A path of Terramate's: from the project's root where it begins with `/`, else from a directory.
pub(super) fn from(directory: &RepoPath, path: &str) -> Option<RepoPath> {
    match path.strip_prefix('/') {
        Some(rest) => RepoPath::root().resolve(rest.trim_start_matches('/')),
        None => directory.resolve(path),
    }
}

/// `terramate` as far as a stack's own block and place tell it.
fn about(directory: &RepoPath, block: &StackBlock, files: &mut dyn Files) -> Value {
    let object = |members: Vec<(&str, Value)>| {
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    let text = |bytes: &[u8]| Value::Text(String::from_utf8_lossy(bytes).into_owned());
    let mut stated = |expression: &Option<Expression>, otherwise: Value| match expression {
        Some(expression) => Evaluator::new(&mut *files).value(expression),
        None => otherwise,
    };
    let name = stated(&block.name, text(directory.file_name()));
    let description = stated(&block.description, text(b""));
    let tags = stated(&block.tags, Value::List(Vec::new()));
    let id = stated(&block.id, Value::Fails);
    let up = vec![".."; directory.names().count()].join("/");
    let absolute = text(format!("/{}", String::from_utf8_lossy(directory.as_bytes())).as_bytes());
    let path = object(vec![
        ("absolute", absolute.clone()),
        ("relative", text(directory.as_bytes())),
        ("basename", text(directory.file_name())),
        ("to_root", text(if up.is_empty() { b"." } else { up.as_bytes() })),
    ]);
    let mut stack = vec![
        ("name", name.clone()),
        ("description", description.clone()),
        ("tags", tags),
        ("path", path),
        // Of a stack above this one.
        ("parent", Value::Unknown),
    ];
    if id != Value::Fails {
        stack.push(("id", id));
    }
    let project = object(vec![("absolute", text(PROJECT.as_bytes())), ("basename", Value::Unknown)]);
    object(vec![
        ("stack", object(stack)),
        ("name", name),
        ("description", description),
        ("path", absolute),
        ("root", object(vec![("path", object(vec![("fs", project)]))])),
        ("stacks", Value::Unknown),
        ("version", Value::Unknown),
    ])
}

pub(super) fn exactly(path: &RepoPath) -> StaticValue {
    StaticValue::Base(Base::Directory(path.clone()))
}

/// The files below a directory that match.
pub(super) fn matching(directory: &RepoPath, glob: &str) -> StaticValue {
    let glob = StaticValue::Literal(glob.to_owned());
    StaticValue::concat(vec![
        exactly(directory),
        StaticValue::Literal("/".to_owned()),
        StaticValue::FileSet(Box::new(exactly(directory)), Box::new(glob)),
    ])
}

pub(super) fn quoted(text: String) -> String {
    quote(text.as_bytes())
}
