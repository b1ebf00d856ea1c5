use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use super::{
    hcl, json, salvage,
    syntax::{Broken, ConfigFile, Kind},
    value::Value,
    yaml,
};
use crate::{
    proof::RepoPath,
    terraform::facts::{
        FactsError,
        json::{Json, JsonValue},
        parse,
        slice::SlicedBody,
        source::{MAX_BYTES, Source},
        stated::SMALL,
    },
};

/// The most bytes of a file that is taken for data.
const MAX_DATA: usize = 1 << 20;

/// A file that configuration is, or that it reads: its bytes, and each form of them that somebody asked for.
#[derive(Debug)]
pub struct SourceFile {
    path: RepoPath,
    bytes: Arc<[u8]>,
    config: OnceLock<Arc<ConfigFile>>,
    json: OnceLock<Value>,
    yaml: OnceLock<Value>,
    variables: OnceLock<Value>,
}

impl SourceFile {
    /// A file of the tree. Nothing is parsed until it is asked for.
    pub fn new(path: &RepoPath, bytes: &[u8]) -> Self {
        let bytes = bytes.get(..MAX_BYTES + 1).unwrap_or(bytes);
        Self {
            path: path.clone(),
            bytes: bytes.into(),
            config: OnceLock::new(),
            json: OnceLock::new(),
            yaml: OnceLock::new(),
            variables: OnceLock::new(),
        }
    }

    /// Why it does not parse as configuration: the line, from 1, and the reason in words.
    pub fn broken(&self) -> Option<(Option<usize>, String)> {
        self.config().broken.as_ref().map(|broken| (broken.line, broken.why.clone()))
    }

    /// As configuration. What does not parse is taken apart: its good blocks count.
    pub(super) fn config(&self) -> Arc<ConfigFile> {
        Arc::clone(self.config.get_or_init(|| Arc::new(config(&self.path, &self.bytes))))
    }

    pub(super) fn text(&self) -> Option<&str> {
        if self.bytes.len() > MAX_DATA { None } else { std::str::from_utf8(&self.bytes).ok() }
    }

    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let parse = || match self.text().map(json_data) {
            Some(Ok(value)) => value,
            Some(Err(())) => Value::Failed,
            None => Value::Unknown,
        };
        self.json.get_or_init(parse).clone()
    }

    /// As YAML.
    pub(super) fn yaml(&self) -> Value {
        self.yaml.get_or_init(|| self.text().map_or(Value::Unknown, yaml::parse)).clone()
    }

    /// As a file of variables, the constant ones.
    pub(super) fn variables(&self) -> Value {
        let parse = || {
            if self.path.file_name().ends_with(b".json") {
                return self.json();
            }
            let config = self.config();
            let mut members = BTreeMap::new();
            for attribute in &config.body.attributes {
                members.insert(Arc::clone(&attribute.name), constant(&attribute.value.kind));
            }
            if config.broken.is_some() {
                members.insert("".into(), Value::Unknown);
            }
            Value::object(members)
        };
        self.variables.get_or_init(parse).clone()
    }
}

fn config(path: &RepoPath, bytes: &Arc<[u8]>) -> ConfigFile {
    let json = path.file_name().ends_with(b".json");
    match parsed(path, bytes, json) {
        Ok(body) => ConfigFile::new(path.clone(), Arc::clone(bytes), body),
        Err(error) => {
            let (body, guesses) = salvage::salvage(path, bytes, json);
            let mut file = ConfigFile::new(path.clone(), Arc::clone(bytes), body);
            file.guesses = guesses;
            file.broken = Some(broken(&error));
            file
        }
    }
}

fn parsed(path: &RepoPath, bytes: &[u8], json: bool) -> Result<super::syntax::Body, FactsError> {
    let source = Source::new(path, bytes)?;
    let shift = bytes.len() - source.text.len();
    if json {
        return Ok(json::body(&Json::parse(path, &source)?, shift));
    }
    let cut = SlicedBody::of(source.text).filter(|cut| bytes.len() <= SMALL && !cut.repeats());
    if let Some(body) = cut.and_then(|cut| hcl::sliced(&cut, shift)) {
        return Ok(body);
    }
    Ok(hcl::body(&parse::body(path, &source)?, shift))
}

fn broken(error: &FactsError) -> Broken {
    let (line, why) = match error {
        FactsError::Syntax { line, column, why, .. } => (Some(*line), format!("column {column}: {why}")),
        FactsError::NotUtf8 { offset, .. } => (None, format!("byte {offset} begins no UTF-8 character")),
        FactsError::TooLarge { what, found, limit, .. } => {
            (None, format!("{what} is {found}, more than the limit of {limit}"))
        }
    };
    Broken { line, why }
}

/// The value of an expression without names.
fn constant(kind: &Kind) -> Value {
    match kind {
        Kind::Constant(value) => value.clone(),
        Kind::List(items) => Value::list(items.iter().map(|item| constant(&item.kind)).collect()),
        Kind::Object(members) => {
            let mut all = BTreeMap::new();
            for (key, value) in members {
                let key = constant(&key.kind).as_text().unwrap_or_default();
                all.insert(key, constant(&value.kind));
            }
            Value::object(all)
        }
        _ => Value::Unknown,
    }
}

/// JSON as data, where strings are no templates.
pub(super) fn json_data(text: &str) -> Result<Value, ()> {
    let source = Source::of(text);
    let parsed = Json::parse(&RepoPath::root(), &source).map_err(|_| ())?;
    Ok(data(&parsed, source.text))
}

fn data(json: &Json, text: &str) -> Value {
    match &json.value {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(value) => Value::Bool(*value),
        JsonValue::Number => {
            let number = text.get(json.span.clone()).and_then(|text| text.parse().ok());
            number.map_or(Value::Unknown, Value::Number)
        }
        JsonValue::String(value) => Value::text(value.as_str()),
        JsonValue::Array(items) => Value::list(items.iter().map(|item| data(item, text)).collect()),
        JsonValue::Object(members) => Value::object(
            members.iter().map(|member| (member.name.as_str().into(), data(&member.value, text))).collect(),
        ),
    }
}
