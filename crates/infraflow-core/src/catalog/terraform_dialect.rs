use std::sync::Arc;

use super::{
    Claim, Defining, Definition, Dialect, DialectName, FactReference, Facts, Mark, MarkKind, ReferenceKind,
    Role, Target, ToolChoice, Unparsable, filled::filling,
};
use crate::{
    proof::RepoPath,
    terraform::facts::{
        Base, FactsError, FileFacts, FileKind, Local, Place, Replacing, StaticValue, TerraformFile, quote,
    },
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

/// Those of them that pin many tools, one on a line (asdf) or in a table (mise).
const SHARED_VERSION_FILES: [&[u8]; 3] = [b".tool-versions", b".mise.toml", b"mise.toml"];

/// Those of them that pin one of the two tools alone.
const PINS_OPENTOFU: [&[u8]; 2] = [b".opentofu-version", b".tofuswitchrc"];
const PINS_TERRAFORM: [&[u8]; 2] = [b".terraform-version", b".tfswitchrc"];

/// Terraform and OpenTofu: `.tf`, `.tofu`, both in JSON, variable files, test files, lock files and the
/// version files of the tools' version managers.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerraformDialect;

impl Dialect for TerraformDialect {
    fn name(&self) -> DialectName {
        DialectName::terraform()
    }

    fn version(&self) -> u32 {
        11
    }

    fn means_the_same(&self, path: &RepoPath, before: &[u8], after: &[u8]) -> bool {
        before == after
            || SHARED_VERSION_FILES.contains(&path.file_name())
                && pins_of_tools(before) == pins_of_tools(after)
    }

    fn for_tool(&self, tool: ToolChoice) -> Option<Arc<dyn Dialect>> {
        (tool != ToolChoice::Either).then(|| Arc::new(OneTool(tool)) as Arc<dyn Dialect>)
    }

    fn runs(&self, other: &DialectName) -> bool {
        !other.is_of_kubernetes()
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        let name = path.file_name();
        if VERSION_FILES.contains(&name) {
            return Some(Claim::beside(Role::ToolVersion));
        }
        if is_backend_file(name) {
            return Some(Claim::beside(Role::Values));
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
        let mut locals = Defining::InFile;
        let mut facts = match TerraformFile::stated_beside_locals(path, content) {
            Ok((file, text)) => {
                locals = text.map_or(locals, Defining::InText);
                facts(file, content, overrides)
            }
            Err(error) => {
                let mut facts = facts(TerraformFile::salvage(path, content), content, overrides);
                facts.unparsable.push(unparsable(path, &error));
                facts
            }
        };
        let (has_locals, has_defaults) = TerraformFile::may_define(path, content);
        facts.defines.locals = if has_locals { locals } else { Defining::Nowhere };
        if !has_defaults {
            facts.defines.defaults = Defining::Nowhere;
        }
        facts
    }

    fn overrides(&self, path: &RepoPath) -> bool {
        let name = path.file_name();
        // The shortest is `override.tf`; most names are told apart by one look.
        let may = name.len() >= b"override.tf".len() && memchr::memmem::find(name, b"override").is_some();
        may && matches!(FileKind::of(name), Some(FileKind::Configuration { overrides: true, .. }))
    }

    fn overriding(&self, files: &[&RepoPath]) -> Vec<usize> {
        // What OpenTofu reads alone, or something else instead of, replaces nothing for one of the two.
        let counts = |path: &RepoPath| {
            let hidden = OneTool(ToolChoice::Opentofu).hidden_by(path);
            !opentofu_only(path.file_name()) && hidden.is_none_or(|other| !files.contains(&&other))
        };
        let places = files.iter().enumerate().filter(|(_, path)| self.overrides(path) && counts(path));
        places.map(|(at, _)| at).collect()
    }

    fn without_replaced(
        &self,
        path: &RepoPath,
        content: &[u8],
        by: &[(&RepoPath, &[u8])],
    ) -> Option<Vec<u8>> {
        let mut replacing = Replacing::default();
        by.iter().for_each(|(path, content)| replacing.and(&TerraformFile::replacing(path, content)));
        TerraformFile::without_replaced(path, content, &replacing)
    }

    fn definitions(&self, path: &RepoPath, content: &[u8], wanted: &dyn Fn(&str) -> bool) -> Vec<Definition> {
        let (locals, defaults) = match TerraformFile::defined(path, content, wanted) {
            Ok(defined) => {
                let left_out = defined.left_out.into_iter();
                let left_out = left_out.map(|local| Local { name: filling(&local.name), ..local });
                (defined.locals, defined.defaults.into_iter().chain(left_out).collect::<Vec<_>>())
            }
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
        TerraformFile::check(path, content).err().map(|error| unparsable(path, &error))
    }
}

/// The same where it is known which of the two tools runs.
struct OneTool(ToolChoice);

impl Dialect for OneTool {
    fn name(&self) -> DialectName {
        TerraformDialect.name()
    }

    fn version(&self) -> u32 {
        TerraformDialect.version()
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        let name = path.file_name();
        let for_the_other = self.0 == ToolChoice::Terraform && opentofu_only(name)
            || [(ToolChoice::Terraform, PINS_OPENTOFU), (ToolChoice::Opentofu, PINS_TERRAFORM)]
                .iter()
                .any(|(tool, pins)| self.0 == *tool && pins.contains(&name));
        TerraformDialect.claims(path).filter(|_| !for_the_other)
    }

    fn means_the_same(&self, path: &RepoPath, before: &[u8], after: &[u8]) -> bool {
        TerraformDialect.means_the_same(path, before, after)
    }

    fn hidden_by(&self, path: &RepoPath) -> Option<RepoPath> {
        // OpenTofu, internal/configs: filterTfPathsWithTofuAlternatives
        if self.0 != ToolChoice::Opentofu {
            return None;
        }
        let name = path.file_name();
        let endings: [(&[u8], &[u8]); 4] = [
            (b".tf", b".tofu"),
            (b".tf.json", b".tofu.json"),
            (b".tftest.hcl", b".tofutest.hcl"),
            (b".tftest.json", b".tofutest.json"),
        ];
        let (base, ending) =
            endings.iter().find_map(|(ending, tofu)| Some((name.strip_suffix(*ending)?, tofu)))?;
        let directory = path.parent().unwrap_or_else(RepoPath::root);
        Some(directory.join([base, ending].concat()))
    }

    fn overrides(&self, path: &RepoPath) -> bool {
        TerraformDialect.overrides(path)
    }

    fn overriding(&self, files: &[&RepoPath]) -> Vec<usize> {
        let places = files.iter().enumerate().filter(|(_, path)| self.overrides(path));
        places.map(|(at, _)| at).collect()
    }

    fn without_replaced(
        &self,
        path: &RepoPath,
        content: &[u8],
        by: &[(&RepoPath, &[u8])],
    ) -> Option<Vec<u8>> {
        TerraformDialect.without_replaced(path, content, by)
    }

    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts {
        let mut facts = TerraformDialect.facts(path, content);
        if self.0 == ToolChoice::Terraform {
            // A source that is no constant is an error.
            let is_computed = |reference: &FactReference| {
                reference.kind == ReferenceKind::ModuleCall && matches!(reference.target, Target::Path(_))
            };
            facts.references.retain(|reference| !is_computed(reference));
        }
        facts
    }

    fn definitions(&self, path: &RepoPath, content: &[u8], wanted: &dyn Fn(&str) -> bool) -> Vec<Definition> {
        TerraformDialect.definitions(path, content, wanted)
    }

    fn check(&self, path: &RepoPath, content: &[u8]) -> Option<Unparsable> {
        TerraformDialect.check(path, content)
    }
}

/// Settings of a backend, as they are named to `init -backend-config`: the documentation of backends calls them
/// `*.BACKEND.tfbackend`; many teams call them `backend.hcl`.
fn is_backend_file(name: &[u8]) -> bool {
    name.ends_with(b".tfbackend") || name == b"backend.hcl" || name.ends_with(b".backend.hcl")
}

/// The lines that name Terraform, OpenTofu or what runs them. Of a table in mise.toml that has such a name, all of
/// its lines; what sets the environment counts as well.
fn pins_of_tools(content: &[u8]) -> Vec<&[u8]> {
    let mut counts = false;
    let lines = content.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    let named = |line: &[u8]| {
        let line = line.to_ascii_lowercase();
        let names: [&[u8]; 6] = [b"terraform", b"tofu", b"terragrunt", b"terramate", b"tf_", b"tfenv"];
        names.iter().any(|name| memchr::memmem::find(&line, name).is_some())
    };
    lines
        .filter(|line| {
            if line.starts_with(b"[") {
                counts = named(line) || line.starts_with(b"[env");
                return counts;
            }
            counts || named(line)
        })
        .collect()
}

fn opentofu_only(name: &[u8]) -> bool {
    let endings: [&[u8]; 4] = [b".tofu", b".tofu.json", b".tofutest.hcl", b".tofutest.json"];
    endings.iter().any(|ending| name.ends_with(ending))
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
    let arguments = file.calls.iter().flat_map(|call| call.arguments.iter());
    let mut arguments: Vec<Place> = arguments.map(|argument| argument.place).collect();
    arguments.sort_by_key(|place| place.start);
    let is_given = |inner: &Place| {
        let before = arguments.partition_point(|place| place.start <= inner.start);
        before.checked_sub(1).is_some_and(|at| inner.end <= arguments[at].end)
    };
    for call in file.calls {
        let text = format!("module.{}", call.name);
        if let Some(computed) = call.computed_source {
            // It is settled where its names are known, as a path is.
            let slash = StaticValue::Literal("/".to_owned());
            let path = StaticValue::concat(vec![StaticValue::Base(Base::Module), slash, computed]);
            let target = Target::Path(path);
            facts.references.push(FactReference::new(
                ReferenceKind::ModuleCall,
                target,
                call.place,
                text.clone(),
            ));
        }
        let target = Target::Module {
            name: call.name,
            source: call.source,
            version: call.version,
            overrides,
            arguments: call.arguments.into_iter().map(value).collect(),
        };
        facts.references.push(FactReference::new(ReferenceKind::ModuleCall, target, call.place, text));
    }
    for state in file.states {
        let Some(at) = state.kind.and_then(|kind| state_address(&kind, &state.settings)) else { continue };
        let text = format!("data.terraform_remote_state.{}", state.name);
        let (kind, target) = (ReferenceKind::Dependency, Target::Path(at));
        facts.references.push(FactReference::new(kind, target, state.place, text));
    }
    for backend in file.backends {
        if let Some(at) = state_address(&backend.kind, &backend.settings) {
            let (kind, target) = (ReferenceKind::Dependency, Target::State(at));
            facts.references.push(FactReference::new(kind, target, backend.place, backend.kind));
        }
    }
    for read in file.reads {
        let kind = match read.function.as_deref() {
            None if is_given(&read.place) => ReferenceKind::PathGiven,
            None => ReferenceKind::PathNamed,
            Some("fileset") => ReferenceKind::FileSet,
            Some("fileexists") => ReferenceKind::Presence,
            Some(_) => ReferenceKind::FileRead,
        };
        let text = quote(content.get(read.place.range()).unwrap_or_default());
        facts.references.push(FactReference::new(kind, Target::Path(read.path), read.place, text));
    }
    facts.definitions.extend(file.values.into_iter().map(value));
    facts
}

/// For each backend the settings that tell where a state is. From the documentation of each, Terraform 1.11.
const TELLING: [(&str, &[&str]); 9] = [
    ("azurerm", &["storage_account_name", "container_name", "key"]),
    ("consul", &["path"]),
    ("cos", &["bucket", "prefix", "key"]),
    ("gcs", &["bucket", "prefix"]),
    ("http", &["address"]),
    ("kubernetes", &["namespace", "secret_suffix"]),
    ("oss", &["bucket", "prefix", "key"]),
    ("pg", &["conn_str", "schema_name"]),
    ("s3", &["bucket", "key"]),
];

/// The place of a state as [`Target::State`] has it; `None` where the settings do not tell.
fn state_address(kind: &str, settings: &[(String, StaticValue)]) -> Option<StaticValue> {
    let setting = |name: &str| settings.iter().find(|(of, _)| of == name).map(|(_, value)| value.clone());
    let literal = |text: &str| StaticValue::Literal(text.to_owned());
    if kind == "local" {
        return Some(setting("path").unwrap_or_else(|| literal("terraform.tfstate")));
    }
    let mut parts = vec![literal("/"), literal(kind), literal(":")];
    if kind == "remote" || kind == "cloud" {
        // What `cloud` keeps is read as `remote`.
        let StaticValue::Object(workspaces) = setting("workspaces")? else { return None };
        let name = workspaces.into_iter().find(|(of, _)| of == "name").map(|(_, value)| value)?;
        parts = vec![literal("/remote:"), setting("organization")?, literal("/"), name];
        return Some(StaticValue::concat(parts));
    }
    let (_, telling) = TELLING.iter().find(|(of, _)| *of == kind)?;
    if telling.iter().all(|name| setting(name).is_none()) {
        return None;
    }
    for name in *telling {
        parts.extend(setting(name));
        parts.push(literal("/"));
    }
    Some(StaticValue::concat(parts))
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
            StaticValue::Many(item) => count(item, left),
            StaticValue::Map(key, item) => {
                count(key, left);
                count(item, left);
            }
            StaticValue::Object(members) => members.iter().for_each(|(_, member)| count(member, left)),
            _ => {}
        }
    }
    let mut left = 500;
    count(value, &mut left);
    left > 0
}
