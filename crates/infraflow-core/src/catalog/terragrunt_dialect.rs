use std::sync::Arc;

use super::{
    Because, Claim, Definition, Dialect, DialectName, FactReference, Facts, GeneratedUnit, Lookup, Mark,
    MarkKind, Parsed, ReferenceKind, Role, Target, Unparsable,
};
use crate::{
    proof::RepoPath,
    terraform::{
        facts::{Base, Place, StaticValue},
        terragrunt::{Files, Finding, Purpose, Resolved, SourceFile, What, Why, Written, resolve},
    },
};

/// Files in which teams pin the version of terragrunt, for the version managers that read them upwards from
/// where they are started.
const VERSION_FILES: [&[u8]; 3] = [b".terragrunt-version", b".tgswitchrc", b".tgswitch.toml"];

/// Files that are configuration of their directory.
const CONFIGURATION: [&[u8]; 6] = [
    b"terragrunt.hcl",
    b"terragrunt.hcl.json",
    b"terragrunt.stack.hcl",
    b"terragrunt.values.hcl",
    b"terragrunt.autoinclude.hcl",
    b"terragrunt.autoinclude.stack.hcl",
];

/// Folders that the tools fill.
const FILLED: [&[u8]; 2] = [b".terragrunt-cache", b".terraform"];

/// Terragrunt: a directory with `terragrunt.hcl` or `terragrunt.hcl.json` is a unit, one with
/// `terragrunt.stack.hcl` is the unit of all that the stack generates. A `terragrunt.hcl` that cannot be run
/// where it stands, since it needs the `values` of a stack, is a module, with or without Terraform files beside it:
/// a catalog is a library, which is released, and which stacks pin by `ref`
/// (<https://docs.terragrunt.com/features/catalog>). What is understood is said in
/// [`terragrunt`](crate::terraform::terragrunt).
#[derive(Clone, Copy, Debug, Default)]
pub struct TerragruntDialect;

impl Dialect for TerragruntDialect {
    fn name(&self) -> DialectName {
        DialectName::terragrunt()
    }

    fn version(&self) -> u32 {
        6
    }

    fn runs(&self, other: &DialectName) -> bool {
        !other.is_of_kubernetes()
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        let name = path.file_name();
        if VERSION_FILES.contains(&name) {
            return Some(Claim::beside(Role::ToolVersion));
        }
        let claimed = CONFIGURATION.contains(&name) && !path.names().any(|name| FILLED.contains(&name));
        claimed.then(Claim::configuration)
    }

    fn generates(&self, path: &RepoPath) -> bool {
        path.file_name().ends_with(b".stack.hcl")
    }

    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts {
        self.facts_and_parsed(path, content).0
    }

    fn facts_and_parsed(&self, path: &RepoPath, content: &[u8]) -> (Facts, Option<Parsed>) {
        let file = SourceFile::new(path, content);
        let mut facts = Facts::default();
        facts.unparsable.extend(file.broken().map(|(line, why)| Unparsable::new(path.clone(), line, why)));
        (facts, Some(Arc::new(file)))
    }

    fn resolve(&self, directory: &RepoPath, files: &[RepoPath], lookup: &mut dyn Lookup) -> Facts {
        let mut seen = Seen { lookup, own: files, owner: None, owned: Vec::new() };
        let resolved = resolve(directory, files, &mut seen);
        let owned = seen.owned;
        let mut facts = Facts::default();
        if resolved.runs {
            facts.marks.push(Mark::new(MarkKind::Unit, Place { start: 0, end: 0, line: 1, column: 1 }));
        }
        let broken = resolved.broken.iter().filter(|(path, ..)| !files.contains(path));
        facts.unparsable =
            broken.map(|(path, line, why)| Unparsable::new(path.clone(), *line, why.clone())).collect();
        if resolved.incomplete {
            let why = "it is too large to be evaluated: what is left counts only by its own files";
            facts.unparsable.extend(files.first().map(|path| Unparsable::new(path.clone(), None, why)));
        }
        facts.generated = generated(&resolved, owned);
        let mut given = definitions(&resolved, |_| true);
        facts.references = references(resolved.findings, &mut given);
        // What stands beside the unit itself is run with them.
        facts.definitions = given;
        facts
    }
}

/// What is found, as the catalog has it. `given` are the values of the modules that are run, whichever of them
/// it is: they are said once.
fn references(findings: Vec<Finding>, given: &mut Vec<Definition>) -> Vec<FactReference> {
    let references = findings.into_iter().map(|finding| {
        let (kind, target) = match finding.what {
            What::Reads(path) => (ReferenceKind::FileRead, Target::Path(path)),
            What::Lists(path) => (ReferenceKind::FileSet, Target::Path(path)),
            What::Names(path) => (ReferenceKind::PathNamed, Target::Path(path)),
            What::Variables(path) => (ReferenceKind::VariableFile, Target::Path(path)),
            What::Unit(unit) => (ReferenceKind::Dependency, Target::Unit(unit)),
            What::Root { source, directory, left_out } => {
                let values = given.extract_if(.., |one| matches!(one, Definition::Value(..))).collect();
                (ReferenceKind::ModuleCall, Target::Root { source, directory, values, left_out })
            }
            What::Call { name, source, arguments } => {
                let arguments =
                    arguments.into_iter().map(|(name, value)| Definition::Value(name, value)).collect();
                let target =
                    Target::Module { name, source: Some(source), version: None, overrides: false, arguments };
                (ReferenceKind::ModuleCall, target)
            }
        };
        FactReference::new(kind, target, finding.place, finding.text).in_file(finding.file)
    });
    references.collect()
}

/// The names that a scope, or a unit that it generates, gives to values.
fn definitions(resolved: &Resolved, of: impl Fn(Option<usize>) -> bool) -> Vec<Definition> {
    let values = resolved.values.iter().filter(|(owner, ..)| of(*owner));
    let values = values.map(|(_, name, value)| Definition::Value(name.clone(), value.clone()));
    let written = resolved.written.iter().filter(|(owner, _)| of(*owner));
    let written = written.map(|(_, written)| match written.clone() {
        Written::Local(name, value) => Definition::Local(name, value),
        Written::Default(name, value) => Definition::Default(name, value),
    });
    values.chain(written).collect()
}

/// The units that a stack generates, each with what was found and looked at for it.
fn generated(resolved: &Resolved, owned: Vec<(usize, FactReference)>) -> Vec<GeneratedUnit> {
    let mut units: Vec<GeneratedUnit> = resolved
        .generated
        .iter()
        .map(|one| {
            GeneratedUnit::new(one.directory.clone(), one.definition.clone(), one.file.clone(), one.place)
        })
        .collect();
    if units.is_empty() {
        return units;
    }
    let mut findings: Vec<Vec<Finding>> = vec![Vec::new(); units.len()];
    for finding in &resolved.findings {
        if let Some(found) = finding.owner.and_then(|owner| findings.get_mut(owner)) {
            found.push(finding.clone());
        }
    }
    for (owner, (unit, findings)) in units.iter_mut().zip(findings).enumerate() {
        let mut given = definitions(resolved, |of| of == Some(owner));
        unit.references = references(findings, &mut given);
        unit.definitions = given;
    }
    for (owner, reference) in owned {
        if let Some(unit) = units.get_mut(owner) {
            unit.references.push(reference);
        }
    }
    let stands = resolved.generated.iter().map(|one| one.stands);
    units.into_iter().zip(stands).filter(|(_, stands)| *stands).map(|(unit, _)| unit).collect()
}

/// A lookup as configuration sees it.
struct Seen<'a> {
    lookup: &'a mut dyn Lookup,
    own: &'a [RepoPath],
    /// The generated unit for which files are looked at.
    owner: Option<usize>,
    /// What was looked at for generated units.
    owned: Vec<(usize, FactReference)>,
}

impl Seen<'_> {
    fn note(&mut self, path: &RepoPath, why: &Why, kind: ReferenceKind) {
        if let Some(owner) = self.owner {
            let target = Target::Path(StaticValue::Base(Base::Directory(path.clone())));
            let reference = FactReference::new(kind, target, why.place, &*why.text);
            self.owned.push((owner, reference.in_file(why.file.clone())));
        }
    }
}

fn because(why: &Why) -> Because {
    let kind = match why.purpose {
        Purpose::Include => ReferenceKind::Include,
        Purpose::Read => ReferenceKind::FileRead,
        Purpose::Variables => ReferenceKind::VariableFile,
    };
    Because::new(kind, why.file.clone(), why.place, Arc::clone(&why.text))
}

fn parse(path: &RepoPath, content: &[u8]) -> Parsed {
    Arc::new(SourceFile::new(path, content))
}

impl Files for Seen<'_> {
    fn own_directory(&self, source: &str) -> Option<RepoPath> {
        self.lookup.own_directory(source)
    }

    fn owned_by(&mut self, owner: Option<usize>) {
        self.owner = owner;
    }

    fn source(&mut self, path: &RepoPath, why: &Why) -> Option<Arc<SourceFile>> {
        self.note(path, why, because(why).kind);
        let mut because = because(why);
        if self.own.contains(path) {
            because.kind = ReferenceKind::Contains;
        }
        self.lookup.parsed(path, &because, &parse)?.downcast().ok()
    }

    fn is_file(&mut self, path: &RepoPath, why: &Why) -> bool {
        self.note(path, why, ReferenceKind::Presence);
        self.lookup.is_file(path, &because(why))
    }

    fn is_directory(&mut self, path: &RepoPath, why: &Why) -> bool {
        self.note(path, why, ReferenceKind::Presence);
        self.lookup.is_directory(path, &because(why))
    }

    fn directories(&mut self, path: &RepoPath, why: &Why) -> Vec<Vec<u8>> {
        let listed = self.lookup.list(path, &because(why));
        listed.into_iter().filter(|one| one.is_directory).map(|one| one.name).collect()
    }
}
