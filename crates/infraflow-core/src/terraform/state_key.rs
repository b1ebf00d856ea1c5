//! Where the state of a root module is kept, as far as its configuration says.

use std::collections::BTreeMap;

use hcl_edit::{
    expr::Expression,
    repr::Span as _,
    structure::{Block, Body},
};
use serde_json::Value;

use super::facts::{FileKind, TerraformFile};
use crate::proof::RepoPath;

/// What tells where a state is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StateKey {
    /// At this place, whatever the directory is called: the backend and the settings that tell.
    Constant(String),
    /// At a place that is worked out from the directory's path, by this expression.
    ByPath(String),
    /// By settings that are given from outside, when the tool is initialized.
    Given,
    /// By an expression, or in a manner, that nobody can tell without running it.
    Unknown,
}

/// For each backend the settings that tell where a state is, the necessary ones first, and how many of them
/// these are. From the documentation of each backend, Terraform 1.11:
/// <https://developer.hashicorp.com/terraform/language/backend>.
const TELLING: [(&str, &[&str], usize); 12] = [
    ("azurerm", &["key", "container_name", "storage_account_name"], 1),
    ("consul", &["path", "address"], 1),
    ("cos", &["bucket", "prefix", "key"], 1),
    ("gcs", &["bucket", "prefix"], 1),
    ("http", &["address"], 1),
    ("kubernetes", &["secret_suffix", "namespace"], 1),
    ("oci", &["key", "bucket", "namespace"], 1),
    ("oss", &["bucket", "prefix", "key"], 1),
    ("pg", &["conn_str", "schema_name"], 1),
    ("remote", &["workspaces", "organization", "hostname"], 1),
    ("cloud", &["workspaces", "organization", "hostname"], 1),
    ("s3", &["key", "bucket", "workspace_key_prefix"], 1),
];

/// Functions of Terragrunt whose value is another in another directory.
const OF_THE_PATH: [&str; 7] = [
    "path_relative_to_include",
    "path_relative_from_include",
    "get_path_from_repo_root",
    "get_path_to_repo_root",
    "get_terragrunt_dir",
    "get_original_terragrunt_dir",
    "get_working_dir",
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Setting {
    Text(String),
    Expression(String),
}

type Settings = BTreeMap<String, Setting>;

impl StateKey {
    /// Of a root module: `files` are the configuration of its directory, `given` what is named to
    /// `-backend-config`: `key=value`, or the content of a file.
    pub fn of_module(directory: &RepoPath, files: &[(RepoPath, Vec<u8>)], given: &[String]) -> Self {
        let mut backend = None;
        for (path, bytes) in files {
            if !matches!(FileKind::of(path.file_name()), Some(FileKind::Configuration { .. })) {
                continue;
            }
            match backend_in(path, bytes) {
                // Of two backends one lies over the other; which, only the tool's own order tells.
                Ok(Some(_)) if backend.is_some() => return Self::Unknown,
                Ok(found) => backend = backend.or(found),
                Err(()) => return Self::Unknown,
            }
        }
        let (kind, mut settings) = backend.unwrap_or_else(|| ("local".to_owned(), Settings::new()));
        for text in given {
            match text.split_once('=').filter(|(key, _)| is_word(key)) {
                Some((key, value)) if !text.contains('\n') => {
                    settings.insert(key.to_owned(), Setting::Text(value.to_owned()));
                }
                _ => match hcl_edit::parser::parse_body(text) {
                    Ok(body) => settings.extend(settings_in(&body, text)),
                    Err(_) => return Self::Unknown,
                },
            }
        }
        Self::of(directory, &kind, &settings)
    }

    /// Of a Terragrunt unit: the first of these files, the unit's own first and then what it includes, that
    /// has `remote_state` tells. `None` where none has it.
    pub fn of_terragrunt(files: &[(RepoPath, Vec<u8>)]) -> Option<Self> {
        files.iter().find_map(|(path, bytes)| {
            let text = std::str::from_utf8(bytes).ok()?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            if !text.contains("remote_state") {
                return None;
            }
            // The parser of facts bounds what this one would take all the time for.
            let parsed = TerraformFile::parse(path, bytes).ok().and_then(|_| parse(text));
            let Some(body) = parsed else { return Some(Self::Unknown) };
            let state = body.get_blocks("remote_state").next()?;
            Some(Self::of_remote_state(&body, state, text))
        })
    }

    fn of_remote_state(body: &Body, state: &Block, text: &str) -> Self {
        let constant = |name: &str| state.body.get_attribute(name).and_then(|it| it.value.as_str());
        let Some(kind) = constant("backend") else { return Self::Unknown };
        let Some(config) = state.body.get_attribute("config") else { return Self::Unknown };
        let Some(object) = config.value.as_object() else { return Self::Unknown };
        let mut settings = Settings::new();
        for (key, value) in object.iter() {
            let key = key.as_ident().map(|ident| ident.as_str().to_owned());
            let key = key.or_else(|| Some(object_key(text, value.expr().span()?.start)?.to_owned()));
            let Some(key) = key else { return Self::Unknown };
            let setting = match setting(value.expr(), text) {
                Setting::Expression(expression) => Setting::Expression(with_locals(&expression, body, text)),
                known => known,
            };
            settings.insert(key, setting);
        }
        // What Terragrunt hands to the tool is given in full, so a local state is kept by the path.
        Self::of(&RepoPath::root(), kind, &settings)
    }

    fn of(directory: &RepoPath, kind: &str, settings: &Settings) -> Self {
        if kind == "local" {
            let of = |key: &str, default: &str| match settings.get(key) {
                None => Some(default.to_owned()),
                Some(Setting::Text(text)) => Some(text.clone()),
                Some(Setting::Expression(_)) => None,
            };
            return match (of("path", "terraform.tfstate"), of("workspace_dir", "terraform.tfstate.d")) {
                (Some(path), Some(_)) => {
                    let resolved = directory.resolve(&path).map(|path| path.to_string());
                    Self::Constant(format!("local {}", resolved.unwrap_or(path)))
                }
                _ => Self::Unknown,
            };
        }
        let Some((_, telling, needed)) = TELLING.iter().find(|(name, ..)| *name == kind) else {
            return Self::Unknown;
        };
        let mut told = vec![kind.to_owned()];
        for (at, name) in telling.iter().enumerate() {
            match settings.get(*name) {
                None if at < *needed => return Self::Given,
                None => {}
                Some(Setting::Text(text)) => told.push(format!("{name}={text}")),
                Some(Setting::Expression(text)) if OF_THE_PATH.iter().any(|name| text.contains(name)) => {
                    return Self::ByPath(format!("{name} = {}", one_line(text)));
                }
                Some(Setting::Expression(text)) if *name == "workspaces" && !text.contains('$') => {
                    told.push(format!("{name}={}", one_line(text)));
                }
                // Whatever else is told by an expression is no part of the path of the state.
                Some(Setting::Expression(_)) if at >= *needed && !["key", "prefix"].contains(name) => {}
                Some(Setting::Expression(_)) => return Self::Unknown,
            }
        }
        Self::Constant(told.join(" "))
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parse(text: &str) -> Option<Body> {
    hcl_edit::parser::parse_body(text).ok()
}

/// The backend of a file, if it has one.
fn backend_in(path: &RepoPath, bytes: &[u8]) -> Result<Option<(String, Settings)>, ()> {
    // The parser of facts bounds what this one would take all the time for.
    let facts = TerraformFile::parse(path, bytes).map_err(|_| ())?;
    if facts.backends.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if path.file_name().ends_with(b".json") {
        return backend_in_json(text).map(Some).ok_or(());
    }
    let body = parse(text).ok_or(())?;
    for terraform in body.get_blocks("terraform") {
        if let Some(backend) = terraform.body.get_blocks("backend").next() {
            let kind = backend.labels.first().map(|label| label.as_str().to_owned()).ok_or(())?;
            return Ok(Some((kind, settings_in(&backend.body, text))));
        }
        if let Some(cloud) = terraform.body.get_blocks("cloud").next() {
            return Ok(Some(("cloud".to_owned(), settings_in(&cloud.body, text))));
        }
    }
    Err(())
}

fn settings_in(body: &Body, text: &str) -> Settings {
    let attributes = body
        .attributes()
        .map(|attribute| (attribute.key.as_str().to_owned(), setting(&attribute.value, text)));
    let blocks = body.blocks().map(|block| {
        let inner =
            block.body.attributes().map(|it| format!("{}={}", it.key.as_str(), spelled(&it.value, text)));
        (block.ident.as_str().to_owned(), Setting::Expression(inner.collect::<Vec<_>>().join(" ")))
    });
    attributes.chain(blocks).collect()
}

fn setting(expression: &Expression, text: &str) -> Setting {
    match expression.as_str() {
        Some(text) => Setting::Text(text.to_owned()),
        None => Setting::Expression(spelled(expression, text).to_owned()),
    }
}

fn spelled<'a>(expression: &Expression, text: &'a str) -> &'a str {
    expression.span().and_then(|span| text.get(span)).unwrap_or_default()
}

/// A key in quotes, which stands before its value.
fn object_key(text: &str, value: usize) -> Option<&str> {
    let before = text.get(..value)?.trim_end().strip_suffix(['=', ':'])?.trim_end().strip_suffix('"')?;
    before.rsplit_once('"').map(|(_, key)| key)
}

/// An expression, and after it those of the locals that it names, of this file.
fn with_locals(expression: &str, body: &Body, text: &str) -> String {
    let mut all = expression.to_owned();
    let mut known: Vec<&str> = Vec::new();
    let locals = || body.get_blocks("locals").flat_map(|block| block.body.attributes());
    while let Some(local) = locals().find(|local| {
        let name = local.key.as_str();
        !known.contains(&name) && names_local(&all, name)
    }) {
        known.push(local.key.as_str());
        all.push(' ');
        all.push_str(spelled(&local.value, text));
    }
    all
}

fn names_local(expression: &str, name: &str) -> bool {
    expression.match_indices(&format!("local.{name}")).any(|(at, found)| {
        let after = expression.as_bytes().get(at + found.len());
        after.is_none_or(|b| !(b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-'))
    })
}

fn backend_in_json(text: &str) -> Option<(String, Settings)> {
    fn each(value: &Value) -> Vec<&Value> {
        value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())
    }
    let file: Value = serde_json::from_str(text).ok()?;
    for terraform in each(&file).into_iter().filter_map(|file| file.get("terraform")).flat_map(each) {
        let backend = terraform.get("backend").map(each).unwrap_or_default().into_iter().find_map(|kinds| {
            let (kind, settings) = kinds.as_object()?.iter().next()?;
            Some((kind.clone(), each(settings).into_iter().next()?))
        });
        let cloud = || Some(("cloud".to_owned(), each(terraform.get("cloud")?).into_iter().next()?));
        let Some((kind, settings)) = backend.or_else(cloud) else { continue };
        let settings = settings.as_object()?.iter().map(|(name, value)| {
            let setting = match value.as_str() {
                Some(text) if !text.contains("${") => Setting::Text(text.to_owned()),
                _ => Setting::Expression(value.to_string()),
            };
            (name.clone(), setting)
        });
        return Some((kind, settings.collect()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn of(directory: &str, text: &str, given: &[&str]) -> StateKey {
        let directory = path(directory);
        let name = if text.starts_with('{') { "main.tf.json" } else { "main.tf" };
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        StateKey::of_module(&directory, &[(directory.join(name), text.into())], &given)
    }

    fn constant(text: &str) -> StateKey {
        StateKey::Constant(text.to_owned())
    }

    #[test]
    fn a_backend_with_a_constant_key_keeps_its_state_wherever_it_is_called_from() {
        let s3 = "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key = \"net/a\"\n    region = \"x\"\n  }\n}\n";
        assert_eq!(of("live/a", s3, &[]), constant("s3 key=net/a bucket=b"));
        let json = "{\"terraform\": [{\"backend\": {\"gcs\": {\"bucket\": \"b\", \"prefix\": \"p\"}}}]}";
        assert_eq!(of("live/a", json, &[]), constant("gcs bucket=b prefix=p"));
        let cloud = "terraform {\n  cloud {\n    organization = \"o\"\n    workspaces {\n      name = \"w\"\n    }\n  }\n}\n";
        assert_eq!(of("live/a", cloud, &[]), constant("cloud workspaces=name=\"w\" organization=o"));
    }

    #[test]
    fn a_local_state_lies_where_its_path_leads() {
        assert_eq!(of("live/a", "", &[]), constant("local live/a/terraform.tfstate"));
        let up = "terraform {\n  backend \"local\" {\n    path = \"../../states/a\"\n  }\n}\n";
        assert_eq!(of("live/a", up, &[]), of("live/b", up, &[]));
    }

    #[test]
    fn a_partial_backend_is_filled_by_what_is_given() {
        let partial = "terraform {\n  backend \"s3\" {}\n}\n";
        assert_eq!(of("a", partial, &[]), StateKey::Given);
        assert_eq!(of("a", partial, &["key=x/y"]), constant("s3 key=x/y"));
        assert_eq!(of("a", partial, &["bucket = \"b\"\nkey = \"k\"\n"]), constant("s3 key=k bucket=b"));
        assert_eq!(of("a", "terraform {\n  backend \"gcs\" {}\n}\n", &[]), StateKey::Given);
    }

    #[test]
    fn what_cannot_be_read_or_is_not_known_tells_nothing() {
        assert_eq!(of("a", "terraform {", &[]), StateKey::Unknown);
        assert_eq!(of("a", "terraform {\n  backend \"other\" {}\n}\n", &[]), StateKey::Unknown);
        assert_eq!(
            of("a", "terraform {\n  backend \"s3\" {\n    key = \"${var.x}/y\"\n  }\n}\n", &[]),
            StateKey::Unknown
        );
    }

    #[test]
    fn terragrunts_key_follows_the_path_where_it_is_made_of_it() {
        let of = |text: &str| StateKey::of_terragrunt(&[(path("terragrunt.hcl"), text.into())]);
        let state = |key: &str| {
            format!(
                "remote_state {{\n  backend = \"s3\"\n  config = {{\n    bucket = \"b\"\n    \"key\" = {key}\n  }}\n}}\n"
            )
        };
        let by_path = of(&state("\"${path_relative_to_include()}/terraform.tfstate\""));
        assert!(
            matches!(by_path, Some(StateKey::ByPath(ref text)) if text.contains("path_relative_to_include")),
            "{by_path:?}"
        );
        let over = format!(
            "locals {{\n  dir = get_path_from_repo_root()\n  key = \"${{local.dir}}/x\"\n}}\n{}",
            state("local.key")
        );
        assert!(matches!(of(&over), Some(StateKey::ByPath(_))));
        assert_eq!(of(&state("\"net\"")), Some(constant("s3 key=net bucket=b")));
        assert_eq!(of(&state("local.other")), Some(StateKey::Unknown));
        assert_eq!(of("inputs = {}\n"), None);
    }
}
