use std::sync::Arc;

use super::{
    Because, Claim, Definition, Dialect, DialectName, FactReference, Facts, Lookup, Mark, MarkKind, Parsed,
    ReferenceKind, Role, Target, Unparsable,
};
use crate::{
    proof::RepoPath,
    terraform::{
        facts::Place,
        terragrunt::{Files, Purpose, SourceFile, What, Why, resolve},
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
/// where it stands, since it needs the `values` of a stack, is a module. What is understood is said in
/// [`terragrunt`](crate::terraform::terragrunt).
#[derive(Clone, Copy, Debug, Default)]
pub struct TerragruntDialect;

impl Dialect for TerragruntDialect {
    fn name(&self) -> DialectName {
        DialectName::terragrunt()
    }

    fn version(&self) -> u32 {
        1
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        let name = path.file_name();
        if VERSION_FILES.contains(&name) {
            return Some(Claim::beside(Role::ToolVersion));
        }
        let claimed = CONFIGURATION.contains(&name) && !path.names().any(|name| FILLED.contains(&name));
        claimed.then(Claim::configuration)
    }

    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts {
        self.facts_and_parsed(path, content).0
    }

    fn facts_and_parsed(&self, path: &RepoPath, content: &[u8]) -> (Facts, Option<Parsed>) {
        let file = SourceFile::new(path, content);
        let mut facts = Facts::default();
        if let Some((line, why)) = file.broken() {
            facts.unparsable = Some(Unparsable::new(path.clone(), line, why));
        }
        (facts, Some(Arc::new(file)))
    }

    fn resolve(&self, directory: &RepoPath, files: &[RepoPath], lookup: &mut dyn Lookup) -> Facts {
        let mut seen = Seen { lookup, own: files };
        let resolved = resolve(directory, files, &mut seen);
        let mut facts = Facts::default();
        if resolved.runs {
            facts.marks.push(Mark::new(MarkKind::Unit, Place { start: 0, end: 0, line: 1, column: 1 }));
        }
        let given = resolved.values.into_iter().map(|(name, value)| Definition::Value(name, value));
        let mut given: Vec<Definition> = given.collect();
        for finding in resolved.findings {
            let (kind, target) = match finding.what {
                What::Reads(path) => (ReferenceKind::FileRead, Target::Path(path)),
                What::Lists(path) => (ReferenceKind::FileSet, Target::Path(path)),
                What::Names(path) => (ReferenceKind::PathNamed, Target::Path(path)),
                What::Variables(path) => (ReferenceKind::VariableFile, Target::Path(path)),
                What::Unit(unit) => (ReferenceKind::Dependency, Target::Unit(unit)),
                What::Root { source, directory } => {
                    // They are the unit's, whichever of its modules is run: said once.
                    let target = Target::Root { source, directory, values: std::mem::take(&mut given) };
                    (ReferenceKind::ModuleCall, target)
                }
            };
            let reference = FactReference::new(kind, target, finding.place, finding.text);
            facts.references.push(reference.in_file(finding.file));
        }
        // What stands beside the unit itself is run with them.
        facts.definitions = given;
        let mut broken = resolved.broken.into_iter().filter(|(path, ..)| !files.contains(path));
        facts.unparsable = broken.next().map(|(path, line, why)| Unparsable::new(path, line, why));
        if resolved.incomplete && facts.unparsable.is_none() {
            let why = "it is too large to be evaluated: what is left counts only by its own files";
            facts.unparsable = files.first().map(|path| Unparsable::new(path.clone(), None, why));
        }
        facts
    }
}

/// A lookup as configuration sees it.
struct Seen<'a> {
    lookup: &'a mut dyn Lookup,
    own: &'a [RepoPath],
}

fn because(why: &Why) -> Because {
    let kind = match why.purpose {
        Purpose::Include => ReferenceKind::Include,
        Purpose::Read => ReferenceKind::FileRead,
        Purpose::Variables => ReferenceKind::VariableFile,
    };
    Because::new(kind, why.file.clone(), why.place, why.text.as_str())
}

fn parse(path: &RepoPath, content: &[u8]) -> Parsed {
    Arc::new(SourceFile::new(path, content))
}

impl Files for Seen<'_> {
    fn source(&mut self, path: &RepoPath, why: &Why) -> Option<Arc<SourceFile>> {
        let mut because = because(why);
        if self.own.contains(path) {
            because.kind = ReferenceKind::Contains;
        }
        self.lookup.parsed(path, &because, &parse)?.downcast().ok()
    }

    fn is_file(&mut self, path: &RepoPath, why: &Why) -> bool {
        self.lookup.is_file(path, &because(why))
    }

    fn is_directory(&mut self, path: &RepoPath, why: &Why) -> bool {
        self.lookup.is_directory(path, &because(why))
    }

    fn directories(&mut self, path: &RepoPath, why: &Why) -> Vec<Vec<u8>> {
        let listed = self.lookup.list(path, &because(why));
        listed.into_iter().filter(|one| one.is_directory).map(|one| one.name).collect()
    }
}
