//! What a unit comes to: its own file over those that it includes.

use std::sync::Arc;

use super::{
    What,
    evaluate::Evaluation,
    files::Purpose,
    frame::{Frame, Merge},
    path::{self, Meaning, absolute, handed, meanings},
    syntax::{Block, Span},
    value::Value,
};
use crate::terraform::facts::StaticValue;

impl Evaluation<'_> {
    /// The frames that are merged, the one that wins first.
    pub(super) fn merged(&mut self, frame: usize) -> Vec<usize> {
        let mut all = vec![frame];
        let mut at = 0;
        while let Some(&next) = all.get(at) {
            let includes = self.includes(next);
            let merged = includes.iter().rev().filter(|include| include.merge != Merge::No);
            let new: Vec<usize> =
                merged.map(|include| include.frame).filter(|one| !all.contains(one)).collect();
            all.extend(new);
            at += 1;
        }
        all
    }

    /// Adds what a unit depends on. `over` is configuration that is laid over its own; `copied` says that the
    /// directory is a copy of another one.
    pub(super) fn unit(&mut self, frame: usize, over: Option<usize>, copied: bool) {
        let mut frames = Vec::new();
        for frame in over.into_iter().chain([frame]) {
            self.evaluate_all(frame);
            frames.extend(self.merged(frame));
        }
        let mut inputs = self.inputs(frame);
        if let Some(over) = over {
            let above = self.inputs(over);
            inputs = super::functions::merge(&[inputs, above], false);
        }
        if let Value::Object(members) = &inputs {
            for (name, value) in members.iter().filter(|(name, _)| !name.is_empty()) {
                self.give(name.to_string(), handed(value));
            }
        }
        let here = self.home(frame);
        let modules = self.source(&frames, &here, copied);
        self.settings(&frames, &modules);
        self.written_files(&frames, &modules);
        self.dependencies(&frames);
    }

    /// Arguments and hooks, of those with one name the one that wins.
    fn settings(&mut self, frames: &[usize], modules: &[Arc<str>]) {
        let mut seen: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for &frame in frames {
            let file = Arc::clone(&self.frames[frame].file);
            for block in file.body.blocks("terraform").flat_map(|block| &block.body.blocks) {
                let key = (Arc::clone(&block.kind), Arc::from(block.label()));
                if seen.contains(&key) {
                    continue;
                }
                match &*block.kind {
                    "extra_arguments" => self.extra_arguments(frame, block, modules),
                    "before_hook" | "after_hook" | "error_hook" => self.hook(frame, block, modules),
                    _ => {}
                }
                seen.push(key);
            }
        }
    }

    fn attribute(&mut self, frame: usize, block: &Block, name: &str) -> Option<(Value, Span)> {
        let attribute = block.body.attribute(name)?;
        let value = self.apart(|this| this.eval(frame, &attribute.value));
        Some((value, attribute.span))
    }

    fn extra_arguments(&mut self, frame: usize, block: &Block, modules: &[Arc<str>]) {
        for name in ["required_var_files", "optional_var_files"] {
            if let Some((files, span)) = self.attribute(frame, block, name) {
                for file in items(&files) {
                    self.variable_file(frame, &file, span, modules);
                }
            }
        }
        if let Some((arguments, span)) = self.attribute(frame, block, "arguments") {
            let mut before: Option<Arc<str>> = None;
            for argument in items(&arguments) {
                self.argument(frame, &argument, before.as_deref(), span, modules);
                before = argument.as_text();
            }
        }
        if let Some((Value::Object(variables), _)) = self.attribute(frame, block, "env_vars") {
            for (name, value) in variables.iter() {
                if let Some(name) = name.strip_prefix("TF_VAR_") {
                    self.give(name.to_owned(), handed(value));
                }
            }
        }
    }

    fn argument(
        &mut self,
        frame: usize,
        argument: &Value,
        before: Option<&str>,
        span: Span,
        modules: &[Arc<str>],
    ) {
        let cut = |text: &str, option: &str| {
            let rest = text.trim_start_matches('-').strip_prefix(option)?;
            rest.strip_prefix('=').map(str::to_owned)
        };
        let option = before.map(|before| before.trim_start_matches('-'));
        for argument in argument.alternatives() {
            // What is known of the beginning tells which option it is.
            let first = match &argument {
                Value::Text(text) => Arc::clone(text),
                Value::Parts(parts) => match parts.first() {
                    Some(Value::Text(text)) => Arc::clone(text),
                    _ => "".into(),
                },
                _ => continue,
            };
            if option == Some("var-file") {
                self.variable_file(frame, &argument, span, modules);
            } else if let Some(rest) = cut(&first, "var-file") {
                let mut parts = vec![Value::text(rest)];
                if let Value::Parts(all) = &argument {
                    parts.extend(all.iter().skip(1).cloned());
                }
                self.variable_file(frame, &Value::concat(parts), span, modules);
            } else {
                let given = if option == Some("var") { Some(first.to_string()) } else { cut(&first, "var") };
                if let Some((name, value)) = given.as_deref().and_then(|given| given.split_once('=')) {
                    let known = matches!(argument, Value::Text(_));
                    let value = if known { handed(&Value::text(value)) } else { StaticValue::Unknown };
                    self.give(name.to_owned(), value);
                }
            }
        }
    }

    /// A variable file: beside the unit, or in the copy of the module in which the tool runs.
    fn variable_file(&mut self, frame: usize, file: &Value, span: Span, modules: &[Arc<str>]) {
        let here = self.home(frame);
        let relative = !matches!(file, Value::Text(text) if text.starts_with('/'));
        let bases = std::iter::once(&here).chain(modules.iter().filter(|base| relative && **base != here));
        for base in bases {
            for meaning in meanings(file, base) {
                if let Meaning::Path(path) = &meaning {
                    let Some(actual) = self.actual(&path::text_of(path)) else { continue };
                    let why = self.why(frame, Purpose::Variables, span, None);
                    if let Some(Value::Object(variables)) =
                        self.files.source(&actual, &why).map(|source| source.variables())
                    {
                        let given = variables.iter().filter(|(name, _)| !name.is_empty());
                        for (name, value) in given {
                            self.give(name.to_string(), handed(value));
                        }
                    }
                } else if let Some(path) = self.settled(meaning) {
                    self.find(frame, What::Variables(path), span, None);
                }
            }
        }
    }

    fn hook(&mut self, frame: usize, block: &Block, modules: &[Arc<str>]) {
        let here = self.home(frame);
        let mut bases = vec![Arc::clone(&here)];
        bases.extend(modules.iter().filter(|module| **module != here).cloned());
        if let Some((Value::Text(directory), _)) = self.attribute(frame, block, "working_dir") {
            bases = vec![absolute(&directory, &here).into()];
        }
        if let Some((words, span)) = self.attribute(frame, block, "execute") {
            for word in items(&words) {
                for base in &bases {
                    self.name_word(frame, &word, base, span);
                }
            }
        }
    }

    /// The units whose outputs are consumed, or that only come first.
    pub(super) fn dependencies(&mut self, frames: &[usize]) {
        let mut seen: Vec<Arc<str>> = Vec::new();
        for &frame in frames {
            let file = Arc::clone(&self.frames[frame].file);
            for block in file.body.blocks("dependency") {
                let name: Arc<str> = block.label().into();
                if seen.contains(&name) {
                    continue;
                }
                // One without a path of its own is completed by what it is merged with.
                if block.body.attribute("config_path").is_none() {
                    continue;
                }
                let enabled = self.attribute(frame, block, "enabled").and_then(|(value, _)| value.as_bool());
                for each in self.instances(frame, block).into_iter().filter(|_| enabled != Some(false)) {
                    let before = std::mem::replace(&mut self.each, each);
                    if let Some((path, _)) = self.attribute(frame, block, "config_path") {
                        self.depend(frame, &path, block.header, format!("dependency.{name}"));
                    }
                    self.each = before;
                }
                seen.push(name);
            }
            for block in file.body.blocks("dependencies") {
                if let Some((paths, span)) = self.attribute(frame, block, "paths") {
                    for path in items(&paths) {
                        self.depend(frame, &path, span, "dependencies".to_owned());
                    }
                }
            }
        }
    }

    pub(super) fn depend(&mut self, frame: usize, path: &Value, span: Span, text: String) {
        let here = self.home(frame);
        for path in path.alternatives() {
            for target in self.expand(frame, &path, &here, span) {
                let target = match target.rsplit_once('/') {
                    Some((above, name)) if name.ends_with(".hcl") || name.ends_with(".hcl.json") => {
                        above.into()
                    }
                    _ => target,
                };
                // What a stack generates is the stack's.
                let stack = target.split_once("/.terragrunt-stack/").map(|(stack, _)| Arc::from(stack));
                // It may also be committed as it was generated.
                for target in stack.into_iter().chain([target]) {
                    let own = self.copies.iter().any(|(copy, _)| copy == &target) || *target == *self.scope;
                    let Some(actual) = path::repo_path(&target).filter(|_| !own) else { continue };
                    self.find(frame, What::Unit(actual), span, Some(text.clone()));
                }
            }
        }
    }

    /// The outputs that a file consumes which is read on its own are consumed by whoever reads it.
    pub(super) fn outputs_consumed(&mut self, frame: usize) {
        let frames = self.merged(frame);
        self.dependencies(&frames);
    }

    /// A file of the tree as the configuration of a directory.
    pub(super) fn own_frame(
        &mut self,
        file: Arc<super::syntax::ConfigFile>,
        directory: &Arc<str>,
        values: Option<Value>,
        chain: usize,
    ) -> Option<usize> {
        let origin = Arc::clone(directory);
        let mut frame = Frame::new(file, Arc::clone(directory), Arc::clone(directory), origin);
        frame.values = values;
        frame.chain = chain;
        self.enter(frame)
    }
}

/// The items of a list; what any of them can be where they are not known one by one.
fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        Value::OneOf(all) => all.iter().flat_map(items).collect(),
        Value::Usually(inner) => items(inner),
        Value::Failed | Value::Null => Vec::new(),
        other => vec![other.any_item()],
    }
}
