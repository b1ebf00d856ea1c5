//! Terraform code that `generate` writes beside the module that is run: what it calls and reads counts as if it
//! stood there.

use std::{collections::HashSet, sync::Arc};

use super::{
    What,
    evaluate::Evaluation,
    finding::Written,
    path::{self, REPOSITORY, absolute, relative},
    syntax::Span,
    value::Value,
};
use crate::{
    proof::RepoPath,
    terraform::facts::{Base, FileFacts, FileKind, Local, ModuleCall, StaticValue, TerraformFile, Text},
};

/// What stands in written code for a part that nobody knows: a name in an expression, a part of a text in quotes.
const UNKNOWN: &str = "__unknown__";

/// The most bytes of one written file that are read.
const MAX_WRITTEN: usize = 1 << 18;

impl Evaluation<'_> {
    /// Goes through the files that are written, of those with one name the one that wins. `modules` are the
    /// directories of what is run; without any, that is the unit's own.
    pub(super) fn written_files(&mut self, frames: &[usize], modules: &[Arc<str>]) {
        let mut seen: HashSet<Arc<str>> = HashSet::new();
        for &frame in frames {
            let file = Arc::clone(&self.frames[frame].file);
            for block in file.body.blocks("generate") {
                if !seen.insert(block.label().into()) {
                    continue;
                }
                let value = self.block_object(frame, block, 0);
                self.write(frame, &value, block.header, modules);
            }
            if let Some(attribute) = file.body.attribute("generate") {
                let value = self.apart(|this| this.eval(frame, &attribute.value));
                for value in value.alternatives() {
                    let Value::Object(members) = &value else { continue };
                    for (name, value) in members.iter() {
                        if name.is_empty() || seen.insert(Arc::clone(name)) {
                            self.write(frame, value, attribute.span, modules);
                        }
                    }
                }
            }
        }
    }

    fn write(&mut self, frame: usize, value: &Value, span: Span, modules: &[Arc<str>]) {
        if value.member("disable").as_bool() == Some(true) {
            return;
        }
        let name = value.member("path").as_text();
        let name = name.as_deref().and_then(|path| path.rsplit('/').next()).unwrap_or("generated.tf");
        let path = RepoPath::parse(name.as_bytes()).unwrap_or_else(|_| RepoPath::root());
        let kind = FileKind::of(path.file_name());
        let read = matches!(
            kind,
            Some(FileKind::Configuration { .. } | FileKind::Variables { automatic: true, .. })
        );
        if !read {
            return;
        }
        for contents in value.member("contents").alternatives() {
            let Some(text) = shown(&contents) else { continue };
            let bytes = &text.as_bytes()[..text.len().min(MAX_WRITTEN)];
            let facts =
                TerraformFile::parse(&path, bytes).unwrap_or_else(|_| TerraformFile::salvage(&path, bytes));
            self.take(frame, facts, span, modules);
        }
    }

    /// What a written file states, as if it stood in the directory of each module.
    fn take(&mut self, frame: usize, facts: FileFacts, span: Span, modules: &[Arc<str>]) {
        let here = self.home(frame);
        let bases = if modules.is_empty() { vec![here] } else { modules.to_vec() };
        for base in &bases {
            for call in &facts.calls {
                self.called(frame, call, base, span);
            }
            let Some(directory) = self.actual(base) else { continue };
            for read in &facts.reads {
                let path = based(&read.path, &directory);
                let what = match read.function.as_deref() {
                    None => What::Names(path),
                    Some("fileset") => What::Lists(path),
                    Some(_) => What::Reads(path),
                };
                self.find(frame, what, span, None);
            }
        }
        for local in facts.locals {
            self.define(Written::Local(local.name, local.value));
        }
        for variable in facts.variables {
            let default = variable.default_value.unwrap_or(StaticValue::Unknown);
            self.define(Written::Default(variable.name, default));
        }
        for Local { name, value, .. } in facts.values {
            self.give(name, value);
        }
    }

    fn called(&mut self, frame: usize, call: &ModuleCall, base: &Arc<str>, span: Span) {
        let Some(source) = &call.source else { return };
        let text = format!("module.{}", call.name);
        let arguments: Vec<(String, StaticValue)> =
            call.arguments.iter().map(|argument| (argument.name.clone(), argument.value.clone())).collect();
        let place = self.frames[frame].file.place(span);
        let called = |value: String| What::Call {
            name: call.name.clone(),
            source: Text { value, place, verbatim: false },
            arguments: arguments.clone(),
        };
        if !source.value.starts_with(['.', '/']) {
            // What is pinned is outside, and a bump finds no place to edit in written code.
            if !source.value.contains(UNKNOWN) && !source.value.contains("ref=") {
                self.find(frame, called(source.value.clone()), span, Some(text));
            }
            return;
        }
        let scope = Arc::clone(&self.scope);
        let targets = if source.value.contains(UNKNOWN) {
            let mut parts = Vec::new();
            for (at, part) in source.value.split(UNKNOWN).enumerate() {
                if at > 0 {
                    parts.push(Value::Unknown);
                }
                parts.push(Value::text(part));
            }
            let value = Value::concat(parts);
            self.read_only(frame, &value, base, span);
            self.expand(frame, &value, base, span)
        } else {
            vec![absolute(&source.value, base).into()]
        };
        for target in targets {
            let Some(actual) = self.actual(&target) else { continue };
            let from = relative(&path::text_of(&actual), &scope);
            let from = if from.starts_with("..") { from } else { format!("./{from}") };
            self.find(frame, called(from), span, Some(text.clone()));
        }
    }
}

/// Contents as the text that is written, as far as it is known.
fn shown(contents: &Value) -> Option<String> {
    match contents {
        Value::Text(text) => Some(text.to_string()),
        Value::Content(file) => file.text().map(str::to_owned),
        Value::Parts(parts) => {
            let text = parts.iter().map(|part| match part {
                Value::Text(text) => text.to_string(),
                Value::Content(file) => file.text().unwrap_or_default().to_owned(),
                _ => UNKNOWN.to_owned(),
            });
            Some(text.collect())
        }
        _ => None,
    }
}

/// A path with `path.module` filled in, and what is written from the root of the repository.
fn based(value: &StaticValue, directory: &RepoPath) -> StaticValue {
    match value {
        StaticValue::Base(Base::Module) => StaticValue::Base(Base::Directory(directory.clone())),
        StaticValue::Literal(text) if text.starts_with(REPOSITORY) => {
            match path::repo_path(&absolute(text, REPOSITORY)) {
                Some(path) => StaticValue::Base(Base::Directory(path)),
                None => value.clone(),
            }
        }
        StaticValue::Literal(text) if text.contains(UNKNOWN) => {
            let mut parts = Vec::new();
            for (at, part) in text.split(UNKNOWN).enumerate() {
                if at > 0 {
                    parts.push(StaticValue::Unknown);
                }
                if !part.is_empty() {
                    parts.push(based(&StaticValue::Literal(part.to_owned()), directory));
                }
            }
            StaticValue::concat(parts)
        }
        StaticValue::Concat(parts) => {
            StaticValue::concat(parts.iter().map(|part| based(part, directory)).collect())
        }
        StaticValue::OneOf(values) => {
            StaticValue::one_of(values.iter().map(|value| based(value, directory)).collect())
        }
        StaticValue::Directory(inner) => StaticValue::directory(based(inner, directory)),
        StaticValue::FileName(inner) => StaticValue::file_name(based(inner, directory)),
        StaticValue::Computed(name, arguments) => {
            StaticValue::computed(name, arguments.iter().map(|value| based(value, directory)).collect())
        }
        StaticValue::FileSet(one, two) => {
            StaticValue::FileSet(Box::new(based(one, directory)), Box::new(based(two, directory)))
        }
        other => other.clone(),
    }
}
