use std::{collections::BTreeSet, sync::Arc};

use super::{
    Because, Claim, Dialect, DialectName, FactReference, Facts, Lookup, Mark, MarkKind, Parsed,
    ReferenceKind, Target, Unparsable,
};
use crate::{
    kubernetes::{Finding, Kind, Kustomization, RemoteBase, What, functions},
    proof::{Place, RepoPath},
    terraform::facts::{Base, StaticValue},
    yaml::Broken,
};

/// More files and directories of functions than this, and the rest of them is not looked at.
const MOST_FUNCTIONS: usize = 256;

/// Kustomize 5: a directory with `kustomization.yaml`, `kustomization.yml` or `Kustomization`. One that nobody
/// refers to is a unit; one that others refer to, and a component, is a module.
///
/// # What a kustomization depends on
/// - Every file that `kustomize build` reads through it: resources, CRDs, configurations, the files and
///   environments of generators, patches in all their forms, replacements, the schema of `openapi`, files of
///   values for charts.
/// - Other kustomizations: `resources`, `bases`, `components`; those of a git address too, where that is this
///   repository at its trunk.
/// - Charts of `helmCharts` that stand in its `chartHome`.
/// - Generators, transformers and validators: their configuration, and what that loads. A function that is not
///   built in may read whatever its configuration names.
///
/// Files outside the kustomization's directory count, although kustomize reads them only with
/// `--load-restrictor LoadRestrictionsNone`. What is not there counts as soon as it is.
///
/// # Limits
/// - What is fetched by HTTP is not seen, even where it is a file of this repository.
/// - Configuration of functions that another kustomization makes by patches or generators is not followed.
/// - What a function reads without being given the path is not seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct KustomizeDialect;

impl Dialect for KustomizeDialect {
    fn name(&self) -> DialectName {
        DialectName::kustomize()
    }

    fn version(&self) -> u32 {
        1
    }

    fn runs(&self, other: &DialectName) -> bool {
        other.is_of_kubernetes()
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        Kustomization::is_named(path.file_name()).then(Claim::configuration)
    }

    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts {
        facts(path, &Kustomization::parse(content))
    }

    fn facts_and_parsed(&self, path: &RepoPath, content: &[u8]) -> (Facts, Option<Parsed>) {
        let read = Kustomization::parse(content);
        (facts(path, &read), Some(Arc::new(read)))
    }

    fn resolve(&self, directory: &RepoPath, files: &[RepoPath], lookup: &mut dyn Lookup) -> Facts {
        let mut build = Build { directory, lookup, facts: Facts::default(), functions: BTreeSet::new() };
        for file in files {
            let read = build.lookup.parsed(file, &whole(file), &parse);
            if let Some(read) = read.and_then(|read| read.downcast::<Kustomization>().ok()) {
                for finding in &read.findings {
                    build.take(file, finding.clone());
                }
            }
        }
        if let [first, second, ..] = files {
            let names = [first, second].map(|file| String::from_utf8_lossy(file.file_name()).into_owned());
            let why = format!("kustomize refuses a directory with both {}", names.join(" and "));
            build.facts.unparsable.push(Unparsable::new(second.clone(), None, why));
        }
        build.facts
    }
}

fn facts(path: &RepoPath, read: &Kustomization) -> Facts {
    let mut facts = Facts::default();
    if read.kind == Kind::Kustomization {
        facts.marks.push(Mark::new(MarkKind::LikelyUnit, read.place));
    }
    facts.unparsable.extend(read.broken.clone().map(|broken| unparsable(path, broken)));
    facts
}

fn parse(_: &RepoPath, content: &[u8]) -> Parsed {
    Arc::new(Kustomization::parse(content))
}

/// Because a file is the scope's own.
pub(super) fn whole(file: &RepoPath) -> Because {
    let place = Place { start: 0, end: 0, line: 1, column: 1 };
    Because::new(ReferenceKind::Contains, file.clone(), place, "")
}

pub(super) fn unparsable(path: &RepoPath, broken: Broken) -> Unparsable {
    Unparsable::new(path.clone(), broken.line, broken.why)
}

/// What `kustomize build` of a directory reads.
struct Build<'a> {
    directory: &'a RepoPath,
    lookup: &'a mut dyn Lookup,
    facts: Facts,
    /// Files and directories that were looked at for functions.
    functions: BTreeSet<RepoPath>,
}

impl Build<'_> {
    fn take(&mut self, file: &RepoPath, finding: Finding) {
        let Finding { what, place, text, .. } = finding;
        let (kind, target) = match what {
            What::File(path) => (ReferenceKind::FileRead, self.file(&path)),
            What::Named(path) => (ReferenceKind::PathNamed, self.file(&path)),
            What::Chart(path) => (ReferenceKind::ModuleCall, self.at(&path).map(Target::Directory)),
            What::Component(path) => (ReferenceKind::ModuleCall, self.kustomization(&path)),
            What::Resource(path) => {
                let because = Because::new(ReferenceKind::FileRead, file.clone(), place, text.clone());
                match self.is_file(&path, &because) {
                    true => (ReferenceKind::FileRead, self.file(&path)),
                    false => (ReferenceKind::ModuleCall, self.kustomization(&path)),
                }
            }
            What::Functions(path) => {
                let because = Because::new(ReferenceKind::FileRead, file.clone(), place, text.clone());
                match self.is_file(&path, &because) {
                    true => {
                        let target = self.file(&path);
                        self.at(&path).into_iter().for_each(|path| self.functions_in(&path, &because));
                        (ReferenceKind::FileRead, target)
                    }
                    false => {
                        self.at(&path).into_iter().for_each(|path| self.functions_of(&path, &because));
                        (ReferenceKind::ModuleCall, self.kustomization(&path))
                    }
                }
            }
        };
        if let Some(target) = target {
            let reference = FactReference::new(kind, target, place, text);
            self.facts.references.push(reference.in_file(file.clone()));
        }
    }

    /// Where a path leads, from the directory that is built. Kustomize cleans it before it follows links
    /// (`filepath.Join`).
    fn at(&self, path: &str) -> Option<RepoPath> {
        self.directory.resolve(path)
    }

    fn file(&self, path: &str) -> Option<Target> {
        let value = StaticValue::Base(Base::Directory(self.at(path)?));
        (!is_fetched(path)).then_some(Target::Path(value))
    }

    fn is_file(&mut self, path: &str, because: &Because) -> bool {
        if is_fetched(path) || RemoteBase::parse(path).is_some() {
            return false;
        }
        let at = self.at(path);
        at.is_some_and(|at| self.lookup.is_file(&at, because))
    }

    fn kustomization(&self, path: &str) -> Option<Target> {
        if let Some(RemoteBase { url, directory, reference, .. }) = RemoteBase::parse(path) {
            return Some(Target::Repository { url, directory, reference });
        }
        self.at(path).filter(|_| !is_fetched(path)).map(Target::Directory)
    }

    /// What the functions that a file configures load: paths begin at the directory that is built.
    fn functions_in(&mut self, path: &RepoPath, because: &Because) {
        if self.functions.len() >= MOST_FUNCTIONS || !self.functions.insert(path.clone()) {
            return;
        }
        if let Some(content) = self.lookup.read(path, because) {
            let field = String::from_utf8_lossy(path.file_name()).into_owned();
            for finding in functions(&field, &content) {
                self.take(path, finding);
            }
        }
    }

    /// The same for the resources of another kustomization.
    fn functions_of(&mut self, directory: &RepoPath, because: &Because) {
        let mut open = vec![directory.clone()];
        while let Some(directory) = open.pop() {
            if self.functions.len() >= MOST_FUNCTIONS || !self.functions.insert(directory.clone()) {
                continue;
            }
            for name in Kustomization::names() {
                let file = directory.join(name);
                let Some(content) = self.lookup.read(&file, because) else { continue };
                for finding in Kustomization::parse(&content).findings {
                    let (What::Resource(path) | What::Component(path)) = &finding.what else { continue };
                    let Some(path) = directory.resolve(path).filter(|_| !is_fetched(path)) else { continue };
                    let text = finding.text.as_str();
                    let because = Because::new(ReferenceKind::FileRead, file.clone(), finding.place, text);
                    if self.lookup.is_file(&path, &because) {
                        self.functions_in(&path, &because);
                    } else {
                        open.push(path);
                    }
                }
            }
        }
    }
}

/// Whether kustomize fetches it by HTTP (`api/internal/loader/fileloader.go`, `IsRemoteFile`).
fn is_fetched(path: &str) -> bool {
    let scheme = path.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| ["http", "https"].iter().any(|one| scheme.eq_ignore_ascii_case(one)))
}
