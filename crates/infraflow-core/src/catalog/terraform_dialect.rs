use super::{
    Claim, Definition, Dialect, DialectName, FactReference, Facts, Mark, MarkKind, ReferenceKind, Role,
    Target, Unparsable,
};
use crate::{
    proof::RepoPath,
    terraform::facts::{FactsError, FileFacts, FileKind, Local, StaticValue, TerraformFile, quote},
};

/// Files in which teams pin the version of terraform or tofu, for the version managers that read them
/// upwards from where they are started.
const VERSION_FILES: [&[u8]; 8] = [
    b".terraform-version",
    b".opentofu-version",
    b".tfswitchrc",
    b".tofuswitchrc",
    b".tool-versions",
    b".mise.toml",
    b"mise.toml",
    b".tenv.toml",
];

/// Terraform and OpenTofu: `.tf`, `.tofu`, both in JSON, variable files, test files, lock files and the
/// version files of the tools' version managers.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerraformDialect;

impl Dialect for TerraformDialect {
    fn name(&self) -> DialectName {
        DialectName::terraform()
    }

    fn version(&self) -> u32 {
        2
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        let name = path.file_name();
        if VERSION_FILES.contains(&name) {
            return Some(Claim::beside(Role::ToolVersion));
        }
        match FileKind::of(name)? {
            FileKind::Configuration { .. } => Some(Claim::configuration()),
            FileKind::Variables { automatic: true, .. } => Some(Claim::beside(Role::AutomaticValues)),
            FileKind::Variables { automatic: false, .. } => Some(Claim::beside(Role::Values)),
            FileKind::Test { .. } => Some(Claim::test()),
            FileKind::Lock => Some(Claim::beside(Role::Lock)),
            // Mock data is named by the test files that use it.
            _ => None,
        }
    }

    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts {
        let kind = FileKind::of(path.file_name());
        if !has_facts(kind) {
            return Facts::default();
        }
        let overrides = matches!(kind, Some(FileKind::Configuration { overrides: true, .. }));
        match TerraformFile::stated(path, content) {
            Ok(file) => facts(file, content, overrides),
            Err(error) => {
                let mut facts = facts(TerraformFile::salvage(path, content), content, overrides);
                facts.unparsable = Some(unparsable(path, &error));
                facts
            }
        }
    }

    fn definitions(&self, path: &RepoPath, content: &[u8]) -> Vec<Definition> {
        let (locals, defaults) = match TerraformFile::defined(path, content) {
            Ok(defined) => (defined.locals, defined.defaults),
            Err(_) => {
                let FileFacts { locals, variables, .. } = TerraformFile::salvage(path, content);
                let defaults = variables.into_iter().filter_map(|variable| {
                    let (name, place) = (variable.name, variable.place);
                    Some(Local { name, place, value: variable.default_value? })
                });
                (locals, defaults.collect())
            }
        };
        let locals = locals.into_iter().map(|local| Definition::Local(local.name, local.value));
        let defaults = defaults.into_iter().map(|default| Definition::Default(default.name, default.value));
        locals.chain(defaults).collect()
    }

    fn check(&self, path: &RepoPath, content: &[u8]) -> Option<Unparsable> {
        if !has_facts(FileKind::of(path.file_name())) {
            return None;
        }
        TerraformFile::parse(path, content).err().map(|error| unparsable(path, &error))
    }
}

fn has_facts(kind: Option<FileKind>) -> bool {
    matches!(kind, Some(FileKind::Configuration { .. } | FileKind::Variables { .. } | FileKind::Test { .. }))
}

pub(super) fn unparsable(path: &RepoPath, error: &FactsError) -> Unparsable {
    let (line, why) = match error {
        FactsError::Syntax { line, column, why, .. } => (Some(*line), format!("column {column}: {why}")),
        FactsError::NotUtf8 { offset, .. } => (None, format!("byte {offset} begins no UTF-8 character")),
        FactsError::TooLarge { what, found, limit, .. } => {
            (None, format!("{what} is {found}, more than the limit of {limit}"))
        }
    };
    Unparsable::new(path.clone(), line, why)
}

fn facts(file: FileFacts, content: &[u8], overrides: bool) -> Facts {
    let mut facts = Facts::default();
    facts.marks.extend(file.backends.iter().map(|backend| Mark::new(MarkKind::Unit, backend.place)));
    facts.marks.extend(file.providers.iter().map(|provider| Mark::new(MarkKind::LikelyUnit, provider.place)));
    for call in file.calls {
        let text = format!("module.{}", call.name);
        let target = Target::Module {
            name: call.name,
            source: call.source,
            version: call.version,
            overrides,
            arguments: call.arguments.into_iter().map(value).collect(),
        };
        facts.references.push(FactReference::new(ReferenceKind::ModuleCall, target, call.place, text));
    }
    for read in file.reads {
        let kind = match read.function.as_deref() {
            None => ReferenceKind::PathNamed,
            Some("fileset") => ReferenceKind::FileSet,
            Some(_) => ReferenceKind::FileRead,
        };
        let text = quote(content.get(read.place.range()).unwrap_or_default());
        facts.references.push(FactReference::new(kind, Target::Path(read.path), read.place, text));
    }
    facts.definitions.extend(file.values.into_iter().map(value));
    facts
}

fn value(local: Local) -> Definition {
    // What only a plan can tell still says that a value is given, and not the default.
    let value = if is_bounded(&local.value) { local.value } else { StaticValue::Unknown };
    Definition::Value(local.name, value)
}

/// Whether a value is of a size that is worth keeping for each call.
fn is_bounded(value: &StaticValue) -> bool {
    fn count(value: &StaticValue, left: &mut usize) {
        *left = left.saturating_sub(1);
        if *left == 0 {
            return;
        }
        match value {
            StaticValue::Concat(items) | StaticValue::OneOf(items) | StaticValue::List(items) => {
                items.iter().for_each(|item| count(item, left));
            }
            StaticValue::Object(members) => members.iter().for_each(|(_, member)| count(member, left)),
            _ => {}
        }
    }
    let mut left = 500;
    count(value, &mut left);
    left > 0
}
