//! What a unit comes to: its own file over those that it includes.

use std::sync::Arc;

use super::{
    What,
    evaluate::Evaluation,
    files::Purpose,
    frame::{Frame, Merge},
    path::{self, Meaning, absolute, handed, meanings},
    syntax::{Attribute, Block, Expr, Kind, Span},
    value::Value,
};
use crate::{
    proof::RepoPath,
    terraform::facts::{Base, StaticValue, Text},
};

/// The most directories that a path with an unknown part is taken for.
const MAX_EXPANDED: usize = 256;

/// A part of a path that nobody knows.
const ANY: char = '\u{10fffc}';

/// What terraform reads of a module's own directory, where that is run as the root.
const BESIDE_A_ROOT: &str =
    "{terraform.tfvars,terraform.tfvars.json,*.auto.tfvars,*.auto.tfvars.json,.terraform.lock.hcl}";

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

    /// What is run, and where in this repository it may stand.
    fn source(&mut self, frames: &[usize], here: &Arc<str>, copied: bool) -> Vec<Arc<str>> {
        if copied && let Some(directory) = self.actual(here) {
            // What stands beside the unit is laid over the module that it runs.
            let what = What::Root { source: None, directory: Some(directory.clone()), left_out: Vec::new() };
            self.find(frames[0], what, Span::default(), Some("the directory of the unit".to_owned()));
            self.beside_root(frames[0], directory, Span::default());
        }
        for &frame in frames {
            let file = Arc::clone(&self.frames[frame].file);
            let source = file.body.blocks("terraform").find_map(|block| block.body.attribute("source"));
            let Some(attribute) = source else { continue };
            let value = self.apart(|this| this.eval(frame, &attribute.value));
            let left_out = self.left_out(frames);
            let mut modules = Vec::new();
            for value in value.alternatives() {
                modules.extend(self.run(frame, &value, attribute, here, &left_out));
            }
            return modules;
        }
        Vec::new()
    }

    fn run(
        &mut self,
        frame: usize,
        value: &Value,
        attribute: &Attribute,
        here: &Arc<str>,
        left_out: &[String],
    ) -> Vec<Arc<str>> {
        if let Value::Text(source) = value
            && !is_local(source)
        {
            let address = self.source_text(frame, source, &attribute.value);
            let what = What::Root { source: address, directory: None, left_out: left_out.to_vec() };
            self.find(frame, what, attribute.span, Some("terraform.source".to_owned()));
            return self.files.own_directory(source).iter().map(path::text_of).collect();
        }
        if let Value::Parts(parts) = value
            && !matches!(parts.first(), Some(Value::Text(text)) if is_local(text))
        {
            // Of an address elsewhere the file that computes it is all that counts; of what is wholly unknown
            // nobody can say that it is elsewhere.
            if !matches!(parts.first(), Some(Value::Text(_))) {
                self.read_only(frame, value, here, attribute.span);
            }
            return Vec::new();
        }
        let constant = match value {
            Value::Text(source) => self.source_text(frame, source, &attribute.value),
            _ => None,
        };
        if constant.is_none() {
            self.read_only(frame, value, here, attribute.span);
        }
        let mut modules = Vec::new();
        for directory in self.expand(frame, value, here, attribute.span) {
            let Some(actual) = self.actual(&directory) else { continue };
            // A unit's own directory is joined to it.
            if *directory != **here {
                let what = What::Root {
                    source: constant.clone(),
                    directory: Some(actual.clone()),
                    left_out: left_out.to_vec(),
                };
                self.find(frame, what, attribute.span, Some("terraform.source".to_owned()));
                self.beside_root(frame, actual, attribute.span);
            }
            modules.push(directory);
        }
        modules
    }

    /// Files that terraform reads by their names where a module is run as the root.
    fn beside_root(&mut self, frame: usize, directory: RepoPath, span: Span) {
        let beside = vec![
            StaticValue::Base(Base::Directory(directory)),
            StaticValue::Literal("/".to_owned()),
            StaticValue::FileSet(
                Box::new(StaticValue::Unknown),
                Box::new(StaticValue::Literal(BESIDE_A_ROOT.to_owned())),
            ),
        ];
        let text = "variable and lock files of the module that is run";
        self.find(frame, What::Variables(StaticValue::Concat(beside)), span, Some(text.to_owned()));
    }

    /// A source as a text with its place: what is between the quotes where it is a constant.
    fn source_text(&self, frame: usize, source: &str, expr: &Expr) -> Option<Text> {
        let file = &self.frames[frame].file;
        if source.contains(path::REPOSITORY) {
            return None;
        }
        let whole = file.place(expr.span);
        let constant = matches!(expr.kind, Kind::Constant(_)) && whole.end > whole.start + 1;
        let mut place = whole;
        if constant {
            let inner = Span { start: expr.span.start + 1, end: expr.span.end - 1 };
            place = file.place(inner);
        }
        let verbatim = constant && file.bytes(place.range()) == source.as_bytes();
        Some(Text { value: source.to_owned(), place, verbatim })
    }

    /// The directories that a value can mean, absolute: where a part is not known, all that are there.
    pub(super) fn expand(&mut self, frame: usize, value: &Value, base: &str, span: Span) -> Vec<Arc<str>> {
        let pattern: String = match value {
            Value::Text(text) => text.to_string(),
            Value::Parts(parts) => parts
                .iter()
                .map(|part| part.as_text().unwrap_or_else(|| ANY.to_string().into()).to_string())
                .collect(),
            _ => return Vec::new(),
        };
        let pattern = pattern.split('?').next().unwrap_or_default();
        let pattern = pattern.strip_prefix("file://").unwrap_or(pattern);
        let pattern = absolute(pattern, base);
        let mut found = vec![String::new()];
        for name in pattern.split('/').filter(|name| !name.is_empty()) {
            let mut next = Vec::new();
            for before in found {
                if !name.contains(ANY) {
                    next.push(format!("{before}/{name}"));
                    continue;
                }
                let Some(actual) = self.actual(&before) else { continue };
                let why = self.why(frame, Purpose::Read, span, None);
                for directory in self.files.directories(&actual, &why) {
                    let directory = path::text_of_bytes(&directory);
                    if matches(name, &directory) && next.len() < MAX_EXPANDED {
                        next.push(format!("{before}/{directory}"));
                    }
                }
            }
            found = next;
        }
        found.into_iter().map(Into::into).collect()
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

/// Whether a source leads to a directory beside the configuration. What has no scheme and no host is a path,
/// as go-getter takes it.
pub(super) fn is_local(source: &str) -> bool {
    if source.starts_with(['.', '/']) || source.starts_with("file://") {
        return true;
    }
    if source.is_empty() || source.contains("::") || source.contains("://") || source.starts_with("git@") {
        return false;
    }
    !source.split('/').next().unwrap_or_default().contains(['.', ANY])
}

/// Whether a name matches a pattern with unknown parts.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split(ANY);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(before) = last.replace(piece) {
            match rest.find(before) {
                Some(at) => rest = &rest[at + before.len()..],
                None => return false,
            }
        }
    }
    last.is_none_or(|last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_neither_scheme_nor_host_is_a_path() {
        for local in ["../x", "./x", ".", "/a/b", "modules/x", "file:///a"] {
            assert!(is_local(local), "{local}");
        }
        for remote in
            ["git::https://h/x", "tfr:///a/b/c?version=1", "git@h:x/y.git", "github.com/a/b", "s3::x"]
        {
            assert!(!is_local(remote), "{remote}");
        }
    }

    #[test]
    fn an_unknown_part_of_a_name_matches_anything() {
        for (pattern, name, holds) in [
            (format!("a{ANY}"), "abc", true),
            (format!("{ANY}c"), "abc", true),
            (format!("a{ANY}b{ANY}c"), "a1b2c", true),
            (format!("a{ANY}b{ANY}c"), "a1c", false),
            (format!("x{ANY}"), "abc", false),
        ] {
            assert_eq!(matches(&pattern, name), holds, "{pattern:?} {name}");
        }
    }
}
