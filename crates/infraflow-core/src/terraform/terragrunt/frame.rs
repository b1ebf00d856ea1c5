//! One configuration file in the place where it counts: what its names stand for.

use std::{collections::HashMap, sync::Arc};

use super::{
    What,
    evaluate::Evaluation,
    files::Purpose,
    functions,
    path::{self, Meaning, absolute, meanings},
    syntax::{Block, Body, ConfigFile, Span},
    value::{Members, Value},
};

/// The most files that one scope is made of.
const MAX_FRAMES: usize = 2_000;

/// The longest chain of files that include or read one another.
const MAX_CHAIN: usize = 24;

/// A configuration file, and where it counts.
pub(super) struct Frame {
    pub(super) file: Arc<ConfigFile>,
    /// The directory of the configuration that is run: of an included file, that of the one that includes.
    pub(super) directory: Arc<str>,
    /// Where it is run: `directory`, but for what a stack file says of a unit, which is run where it is generated.
    pub(super) home: Arc<str>,
    /// The directory of the file.
    pub(super) base: Arc<str>,
    /// The directory of the configuration with which everything began.
    pub(super) origin: Arc<str>,
    /// Whether another file includes it.
    pub(super) included: bool,
    /// `values` of a generated unit or stack.
    pub(super) values: Option<Value>,
    /// The stack file that includes this one, whose names are seen here.
    pub(super) outer: Option<usize>,
    /// How many files lead here.
    pub(super) chain: usize,
    locals: HashMap<Arc<str>, Local>,
    pub(super) includes: Option<Vec<Include>>,
    /// Its own `inputs`.
    inputs: Option<Value>,
    /// Whether everything in it was evaluated, for what that reads.
    evaluated: bool,
}

enum Local {
    Waiting(usize, usize),
    Busy,
    Done(Value),
}

/// One `include`.
#[derive(Clone, Debug)]
pub(super) struct Include {
    pub(super) name: Arc<str>,
    /// The included file, absolute.
    pub(super) path: Arc<str>,
    pub(super) frame: usize,
    pub(super) merge: Merge,
}

/// How what is included is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    No,
    Shallow,
    Deep,
}

impl Frame {
    pub(super) fn new(file: Arc<ConfigFile>, directory: Arc<str>, base: Arc<str>, origin: Arc<str>) -> Self {
        let mut locals = HashMap::new();
        for (at, block) in file.body.blocks.iter().enumerate().filter(|(_, block)| &*block.kind == "locals") {
            for (place, attribute) in block.body.attributes.iter().enumerate() {
                locals.insert(Arc::clone(&attribute.name), Local::Waiting(at, place));
            }
        }
        Self {
            file,
            home: Arc::clone(&directory),
            directory,
            base,
            origin,
            included: false,
            values: None,
            outer: None,
            chain: 0,
            locals,
            includes: None,
            inputs: None,
            evaluated: false,
        }
    }
}

fn is_stack_file(file: &ConfigFile) -> bool {
    file.path.file_name().ends_with(b".stack.hcl")
}

impl Evaluation<'_> {
    /// Where what a frame says is run.
    pub(super) fn home(&self, frame: usize) -> Arc<str> {
        Arc::clone(&self.frames[frame].home)
    }

    /// Adds a frame; `None` where there are too many.
    pub(super) fn enter(&mut self, frame: Frame) -> Option<usize> {
        if self.frames.len() >= MAX_FRAMES || frame.chain > MAX_CHAIN {
            return None;
        }
        if frame.file.broken.is_some() && !self.broken.iter().any(|file| file.path == frame.file.path) {
            self.broken.push(Arc::clone(&frame.file));
        }
        self.frames.push(frame);
        Some(self.frames.len() - 1)
    }

    pub(super) fn local(&mut self, frame: usize, name: &str) -> Value {
        let (block, attribute) = match self.frames[frame].locals.get(name) {
            Some(Local::Done(value)) => return value.clone(),
            // It refers to itself.
            Some(Local::Busy) => return Value::Failed,
            Some(Local::Waiting(block, attribute)) => (*block, *attribute),
            None => {
                return match self.frames[frame].outer {
                    Some(outer) => self.local(outer, name),
                    // What does not parse may define it.
                    None if self.frames[frame].file.broken.is_some() => Value::Unknown,
                    None => Value::Failed,
                };
            }
        };
        let file = Arc::clone(&self.frames[frame].file);
        let attribute = &file.body.blocks[block].body.attributes[attribute];
        self.frames[frame].locals.insert(Arc::clone(&attribute.name), Local::Busy);
        let value = self.apart(|this| this.eval(frame, &attribute.value));
        self.frames[frame].locals.insert(Arc::clone(&attribute.name), Local::Done(value.clone()));
        value
    }

    pub(super) fn locals(&mut self, frame: usize) -> Value {
        let names: Vec<Arc<str>> = self.frames[frame].locals.keys().cloned().collect();
        let mut members = Members::new();
        for name in names {
            let value = self.local(frame, &name);
            members.insert(name, value);
        }
        if self.frames[frame].file.broken.is_some() {
            members.insert("".into(), Value::Unknown);
        }
        Value::object(members)
    }

    pub(super) fn values(&mut self, frame: usize) -> Value {
        match (&self.frames[frame].values, self.frames[frame].outer) {
            (Some(values), _) => values.clone(),
            (None, Some(outer)) => self.values(outer),
            (None, None) => Value::Unknown,
        }
    }

    /// A feature: its default, unless the command line says otherwise.
    pub(super) fn feature(&mut self, frame: usize, name: &str) -> Value {
        let mut frames = vec![frame];
        frames.extend(self.includes(frame).iter().rev().map(|include| include.frame));
        for frame in frames {
            let file = Arc::clone(&self.frames[frame].file);
            let Some(block) = file.body.blocks("feature").find(|block| block.label() == name) else {
                continue;
            };
            if let Some(default) = block.body.attribute("default") {
                let value = self.apart(|this| this.eval(frame, &default.value));
                return Value::object(Members::from([("value".into(), Value::usually(value))]));
            }
        }
        Value::Unknown
    }

    /// What `include.NAME` stands for, or `include` where it has no name.
    pub(super) fn included(&mut self, frame: usize, name: Option<&str>) -> Option<Value> {
        let name = name.unwrap_or_default();
        let includes = self.includes(frame);
        let found = includes.iter().find(|include| &*include.name == name)?;
        Some(Value::Config(found.frame))
    }

    /// The includes of a file, in its order.
    pub(super) fn includes(&mut self, frame: usize) -> Vec<Include> {
        if let Some(includes) = &self.frames[frame].includes {
            return includes.clone();
        }
        // Whoever asks again while they are being found out sees none.
        self.frames[frame].includes = Some(Vec::new());
        let file = Arc::clone(&self.frames[frame].file);
        let mut found = Vec::new();
        for block in file.body.blocks("include") {
            let Some(path) = block.body.attribute("path") else { continue };
            let name = block.label();
            let text = if name.is_empty() { "include".to_owned() } else { format!("include.{name}") };
            let value = self.apart(|this| this.eval(frame, &path.value));
            let merge = block.body.attribute("merge_strategy");
            let merge = merge.map(|merge| self.apart(|this| this.eval(frame, &merge.value)).as_text());
            let merge = match merge.flatten().as_deref() {
                Some("no_merge") => Merge::No,
                Some("deep" | "deep_map_only") => Merge::Deep,
                _ => Merge::Shallow,
            };
            for (path, inner) in self.include(frame, &value, block.header, &text) {
                found.push(Include { name: name.into(), path, frame: inner, merge });
            }
            self.frames[frame].includes = Some(found.clone());
        }
        found
    }

    fn include(&mut self, frame: usize, value: &Value, span: Span, text: &str) -> Vec<(Arc<str>, usize)> {
        let directory = self.home(frame);
        let mut found = Vec::new();
        for alternative in value.alternatives() {
            let Value::Text(relative) = &alternative else {
                if let Some(Meaning::Partly(path)) = meanings(&alternative, &directory).pop() {
                    self.find(frame, What::Reads(path), span, Some(text.to_owned()));
                }
                continue;
            };
            let path: Arc<str> = absolute(relative, &directory).into();
            let Some(actual) = self.actual(&path) else { continue };
            let why = self.why(frame, Purpose::Include, span, Some(text.to_owned()));
            let Some(source) = self.files.source(&actual, &why) else { continue };
            let (origin, chain) = (Arc::clone(&self.frames[frame].origin), self.frames[frame].chain + 1);
            let base = functions::directory_of(&path);
            // What is laid over a unit stands in a stack file, and is none.
            let over = self.frames[frame].home != self.frames[frame].directory;
            let stack = is_stack_file(&self.frames[frame].file) && !over;
            let base = if stack { Arc::clone(&self.frames[frame].base) } else { base };
            let mut inner = Frame::new(source.config(), Arc::clone(&directory), base, origin);
            inner.included = !stack;
            // A stack file sees the names of the one that includes it.
            inner.outer = stack.then_some(frame);
            inner.values.clone_from(&self.frames[frame].values);
            inner.chain = chain;
            found.extend(self.enter(inner).map(|inner| (path, inner)));
        }
        found
    }

    /// Evaluates everything that stands in a file, for what it reads.
    pub(super) fn evaluate_all(&mut self, frame: usize) {
        if std::mem::replace(&mut self.frames[frame].evaluated, true) {
            return;
        }
        let file = Arc::clone(&self.frames[frame].file);
        for include in self.includes(frame) {
            self.evaluate_all(include.frame);
        }
        self.locals(frame);
        self.evaluate_body(frame, &file.body, 0);
        let directory = Arc::clone(&self.frames[frame].directory);
        for (span, guess) in &file.guesses {
            self.guess(frame, *span, guess, &directory);
        }
    }

    /// A text in a part that does not parse: a file that it may name, or that may be sought above.
    fn guess(&mut self, frame: usize, span: Span, guess: &str, directory: &Arc<str>) {
        let text = Value::text(guess);
        for base in [Arc::clone(directory), Arc::clone(&self.frames[frame].base)] {
            if let Some(Meaning::Path(path)) = meanings(&text, &base).pop() {
                let path = path::text_of(&path);
                let Some(actual) = self.actual(&path) else { continue };
                let path = crate::terraform::facts::StaticValue::Base(
                    crate::terraform::facts::Base::Directory(actual),
                );
                self.find(frame, What::Names(path), span, None);
            }
        }
        if !guess.starts_with(['.', '/'])
            && let Some(found) = self.seek(frame, &Arc::from(guess), span)
            && let Some(actual) = self.actual(&found)
            && guess.ends_with(".hcl")
        {
            let why = self.why(frame, Purpose::Include, span, None);
            if let Some(source) = self.files.source(&actual, &why) {
                self.enter_included(frame, source.config(), &found);
            }
        }
    }

    /// A file that a broken one probably includes.
    fn enter_included(&mut self, frame: usize, file: Arc<ConfigFile>, path: &str) {
        let (directory, origin) =
            (Arc::clone(&self.frames[frame].directory), Arc::clone(&self.frames[frame].origin));
        let mut inner = Frame::new(file, directory, functions::directory_of(path), origin);
        inner.included = true;
        inner.chain = self.frames[frame].chain + 1;
        if let Some(inner) = self.enter(inner) {
            self.evaluate_all(inner);
            let include =
                Include { name: "?".into(), path: path.into(), frame: inner, merge: Merge::Shallow };
            self.frames[frame].includes.get_or_insert_default().push(include);
        }
    }

    fn evaluate_body(&mut self, frame: usize, body: &Body, depth: usize) {
        for attribute in &body.attributes {
            if depth == 0 && &*attribute.name == "inputs" {
                self.own_inputs(frame);
            } else {
                self.apart(|this| this.eval(frame, &attribute.value));
            }
        }
        for block in &body.blocks {
            let done = depth == 0 && ["locals", "include"].contains(&&*block.kind);
            // Both kinds are gone through one by one, with what they bring.
            let apart = depth == 0 && ["unit", "stack"].contains(&&*block.kind);
            if !done && !apart {
                self.evaluate_body(frame, &block.body, depth + 1);
            }
        }
    }

    /// A member of what a configuration file amounts to.
    pub(super) fn config_member(&mut self, frame: usize, name: &str) -> Value {
        match name {
            "locals" => self.locals(frame),
            "inputs" => self.inputs(frame),
            "dependency" => self.dependency_blocks(frame),
            "values" => self.values(frame),
            "feature" => Value::Unknown,
            "unit" | "stack" => self.components(frame, name),
            _ => {
                let mut frames = vec![frame];
                let includes = self.includes(frame);
                frames.extend(
                    includes
                        .iter()
                        .rev()
                        .filter(|include| include.merge != Merge::No)
                        .map(|inner| inner.frame),
                );
                for frame in frames {
                    let file = Arc::clone(&self.frames[frame].file);
                    if let Some(attribute) = file.body.attribute(name) {
                        return self.apart(|this| this.eval(frame, &attribute.value));
                    }
                    if let Some(block) = file.body.blocks(name).next() {
                        if block.labels.is_empty() {
                            return self.block_object(frame, block, 0);
                        }
                        let mut members = Members::new();
                        for block in file.body.blocks(name) {
                            let value = self.block_object(frame, block, 0);
                            members.entry(block.label().into()).or_insert(value);
                        }
                        return Value::object(members);
                    }
                }
                Value::Unknown
            }
        }
    }

    /// `dependency` of a configuration file that is included or read: what its blocks say; their outputs are
    /// unknown.
    fn dependency_blocks(&mut self, frame: usize) -> Value {
        let mut members = Members::from([("".into(), Value::Unknown)]);
        for frame in self.merged(frame) {
            let file = Arc::clone(&self.frames[frame].file);
            for block in file.body.blocks("dependency") {
                if !members.contains_key(block.label()) {
                    let value = self.block_object(frame, block, 0);
                    members.insert(block.label().into(), value);
                }
            }
        }
        Value::object(members)
    }

    /// The whole of a configuration file, as far as somebody may go through it.
    pub(super) fn config_object(&mut self, frame: usize) -> Value {
        let mut members = Members::from([
            ("locals".into(), self.locals(frame)),
            ("inputs".into(), self.inputs(frame)),
            ("".into(), Value::Unknown),
        ]);
        // A file of values, or another without blocks, is an object of its own.
        let file = Arc::clone(&self.frames[frame].file);
        for attribute in &file.body.attributes {
            let value = self.apart(|this| this.eval(frame, &attribute.value));
            members.insert(Arc::clone(&attribute.name), value);
        }
        Value::object(members)
    }

    pub(super) fn block_object(&mut self, frame: usize, block: &Block, depth: usize) -> Value {
        let mut members = Members::new();
        for attribute in &block.body.attributes {
            let value = self.apart(|this| this.eval(frame, &attribute.value));
            members.insert(Arc::clone(&attribute.name), value);
        }
        for inner in block.body.blocks.iter().filter(|_| depth < 8) {
            let value = self.block_object(frame, inner, depth + 1);
            members.insert(Arc::clone(&inner.kind), value);
        }
        members.insert("".into(), Value::Unknown);
        Value::object(members)
    }

    fn own_inputs(&mut self, frame: usize) -> Option<Value> {
        if self.frames[frame].inputs.is_none() {
            let file = Arc::clone(&self.frames[frame].file);
            let inputs = file.body.attribute("inputs")?;
            let value = self.apart(|this| this.eval(frame, &inputs.value));
            self.frames[frame].inputs = Some(value);
        }
        self.frames[frame].inputs.clone()
    }

    /// `inputs`, with those of what is included below them.
    pub(super) fn inputs(&mut self, frame: usize) -> Value {
        let mut laid = Vec::new();
        let mut deep = false;
        for include in self.includes(frame) {
            if include.merge != Merge::No {
                deep |= include.merge == Merge::Deep;
                laid.push(self.inputs(include.frame));
            }
        }
        laid.extend(self.own_inputs(frame));
        if laid.len() == 1 {
            return laid.remove(0);
        }
        functions::merge(&laid, deep)
    }
}
