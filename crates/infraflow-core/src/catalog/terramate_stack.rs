//! What one Terramate stack depends on besides the files below it.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Because, FactReference, Facts, Lookup, Parsed, ReferenceKind, Target, terramate_outputs::Producers,
};
use crate::{
    proof::RepoPath,
    terraform::{
        facts::{Base, Place, StaticValue, Text},
        terramate::{Evaluator, Files, StackBlock, TerramateFile, Value, hides_generated_code},
    },
};

/// Imports that lead from one to the next. Terramate refuses a circle.
const MOST_IMPORTS: usize = 1_000;

/// Directories that one glob of an import, or of `tm_fileset`, is matched in.
const MOST_LISTED: usize = 2_000;

/// Names of which a stack that keeps its code has at least one. The directory is not listed: then whatever
/// comes or goes in it would count, in stacks further down too.
const USUAL: [&str; 11] = [
    "main.tf",
    "terragrunt.hcl",
    "main.tofu",
    "main.tf.json",
    "backend.tf",
    "providers.tf",
    "provider.tf",
    "terraform.tf",
    "versions.tf",
    "variables.tf",
    "kustomization.yaml",
];

/// The longest piece of source that a reason quotes.
const LONGEST_QUOTE: usize = 120;

/// What is kept of a parsed file.
pub(super) struct ParsedFile {
    pub(super) file: TerramateFile,
    /// Of a `.gitignore`: whether it ignores files of code.
    hides_code: bool,
}

impl ParsedFile {
    pub(super) fn of(file: TerramateFile) -> Self {
        Self { file, hides_code: false }
    }
}

fn parse(path: &RepoPath, content: &[u8]) -> Parsed {
    if path.file_name() == b".gitignore" {
        let hides_code = hides_generated_code(content);
        return Arc::new(ParsedFile { file: TerramateFile::default(), hides_code });
    }
    let file = TerramateFile::parse(path, content).unwrap_or_else(|_| TerramateFile::salvage(content));
    Arc::new(ParsedFile::of(file))
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
    let mut stack = Stack { directory, file, block, lookup, facts };
    stack.watches();
    stack.triggers();
    let own = stack.with_imports(files);
    stack.inputs(&own);
    if stack.is_generated_elsewhere(&own) {
        stack.parents(&own);
    }
}

/// A file that is merged into the stack's directory, and its path.
type Merged = (RepoPath, Arc<ParsedFile>);

struct Stack<'a> {
    directory: &'a RepoPath,
    file: &'a RepoPath,
    block: &'a StackBlock,
    lookup: &'a mut dyn Lookup,
    facts: &'a mut Facts,
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

    /// What `terramate trigger` writes: `.tmtriggers/STACK/changed-….tm.hcl`.
    fn triggers(&mut self) {
        let directory = RepoPath::root().join(".tmtriggers").join(self.directory.as_bytes());
        let path = matching(&directory, "changed-*.tm.hcl");
        self.refer(ReferenceKind::Watch, path, self.block.place, "a trigger of the stack".into(), self.file);
    }

    /// The directory's own files, and everything that they import.
    fn with_imports(&mut self, files: &[RepoPath]) -> Vec<Merged> {
        let own =
            files.iter().filter_map(|path| Some((path.clone(), parsed(path, &whole(path), self.lookup)?)));
        let mut merged: Vec<Merged> = own.collect();
        let mut seen: BTreeSet<RepoPath> = merged.iter().map(|(path, _)| path.clone()).collect();
        let mut at = 0;
        while at < merged.len() && merged.len() < MOST_IMPORTS {
            let (importer, file) = merged[at].clone();
            for source in &file.file.imports {
                for path in self.imported(&importer, source) {
                    if seen.insert(path.clone()) {
                        let text = format!("import {:?}", source.value);
                        let because = Because::new(
                            ReferenceKind::Include,
                            importer.clone(),
                            source.place,
                            quoted(text),
                        );
                        merged.extend(parsed(&path, &because, self.lookup).map(|file| (path, file)));
                    }
                }
            }
            at += 1;
        }
        merged
    }

    /// The files that an import means, as Go's `filepath.Glob` has it: no `**`, no braces.
    fn imported(&mut self, importer: &RepoPath, source: &Text) -> Vec<RepoPath> {
        let directory = importer.parent().unwrap_or_else(RepoPath::root);
        let Some(path) = from(&directory, &source.value) else { return Vec::new() };
        if !is_glob(path.as_bytes()) {
            return vec![path];
        }
        let text = format!("import {:?}", source.value);
        let glob = String::from_utf8_lossy(path.as_bytes()).replace('{', "\\{");
        self.refer(ReferenceKind::Include, matching(&RepoPath::root(), &glob), source.place, text, importer);
        let because = Because::new(ReferenceKind::Presence, importer.clone(), source.place, "import");
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

    /// The value of an expression in a stack's context. Globals are not known: most come from parents.
    fn value(&mut self, expression: &hcl_edit::expr::Expression, file: &RepoPath, place: Place) -> Value {
        let because = Because::new(ReferenceKind::FileRead, file.clone(), place, "an expression");
        let mut files = StackFiles { directory: self.directory, because, lookup: self.lookup };
        let mut evaluator = Evaluator::new(&mut files);
        let id = self.block.id.as_ref().map_or(Value::Unknown, |id| evaluator.value(id));
        evaluator.with("terramate", about(self.directory, id)).value(expression)
    }

    /// Whether the stack's code is made by Terramate and not kept in the repository; the rules stand in the
    /// documentation of the dialect.
    fn is_generated_elsewhere(&mut self, own: &[Merged]) -> bool {
        let because = |file: &RepoPath, place| {
            Because::new(ReferenceKind::Presence, file.clone(), place, "whether generated code is kept")
        };
        for (path, file) in own {
            for block in &file.file.generations {
                let condition =
                    block.condition.as_ref().map(|condition| self.value(condition, path, block.place));
                let Some(made) = self.directory.resolve(&block.label) else { continue };
                if condition != Some(Value::Bool(false))
                    && !self.lookup.is_file(&made, &because(path, block.place))
                {
                    return true;
                }
            }
        }
        let because = because(self.file, self.block.place);
        let ignores = [self.directory.clone(), RepoPath::root()].map(|at| at.join(".gitignore"));
        if ignores.iter().any(|path| parsed(path, &because, self.lookup).is_some_and(|file| file.hides_code))
        {
            return true;
        }
        !USUAL.iter().any(|name| self.lookup.is_file(&self.directory.join(name), &because))
    }

    /// The files of the directories above, and what the stack's own blocks read.
    fn parents(&mut self, own: &[Merged]) {
        let mut at = self.directory.parent();
        while let Some(parent) = at {
            for ending in ["*.tm", "*.tm.hcl"] {
                let text = format!("globals and code generation of {parent}");
                let path = matching(&parent, ending);
                self.refer(ReferenceKind::Include, path, self.block.place, text, self.file);
            }
            at = parent.parent();
        }
        for (path, file) in own {
            for (expression, place) in &file.file.reads {
                let read = self.value(expression, path, *place);
                if let Some(read) = read.text().and_then(|text| self.directory.resolve(text)) {
                    let text = format!("reads {read}");
                    self.refer(ReferenceKind::FileRead, exactly(&read), *place, text, path);
                }
            }
        }
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
        self.lookup.read(&self.directory.resolve(path)?, &self.because)
    }

    fn exists(&mut self, path: &str) -> bool {
        self.directory.resolve(path).is_some_and(|path| self.lookup.is_file(&path, &self.because))
    }

    fn matching(&mut self, directory: &str, glob: &str) -> Option<Vec<String>> {
        let start = self.directory.resolve(directory)?;
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

/// `terramate` as far as a stack's own place tells it.
fn about(directory: &RepoPath, id: Value) -> Value {
    let object = |members: Vec<(&str, Value)>| {
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    let text = |bytes: &[u8]| Value::Text(String::from_utf8_lossy(bytes).into_owned());
    let up = vec![".."; directory.names().count()].join("/");
    let path = object(vec![
        ("absolute", text(format!("/{}", String::from_utf8_lossy(directory.as_bytes())).as_bytes())),
        ("relative", text(directory.as_bytes())),
        ("basename", text(directory.file_name())),
        ("to_root", text(if up.is_empty() { b"." } else { up.as_bytes() })),
    ]);
    object(vec![("stack", object(vec![("id", id), ("path", path)]))])
}

fn exactly(path: &RepoPath) -> StaticValue {
    StaticValue::Base(Base::Directory(path.clone()))
}

/// The files below a directory that match.
fn matching(directory: &RepoPath, glob: &str) -> StaticValue {
    let glob = StaticValue::Literal(glob.to_owned());
    StaticValue::concat(vec![
        exactly(directory),
        StaticValue::Literal("/".to_owned()),
        StaticValue::FileSet(Box::new(exactly(directory)), Box::new(glob)),
    ])
}

fn quoted(mut text: String) -> String {
    if text.len() > LONGEST_QUOTE {
        let end = (0..=LONGEST_QUOTE).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}
