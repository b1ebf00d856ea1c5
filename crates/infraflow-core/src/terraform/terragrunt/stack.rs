//! Explicit stacks: the units and stacks that a `terragrunt.stack.hcl` generates, as if they were there.

use std::{collections::HashSet, sync::Arc};

use super::{
    Generated, What,
    evaluate::Evaluation,
    files::Purpose,
    frame::Frame,
    path::{self, absolute},
    syntax::{Block, Body, ConfigFile},
    value::{Members, Value},
};
use crate::terraform::facts::{Base, StaticValue, Text};

/// The most units and stacks that one stack generates, with those that these generate.
const MAX_GENERATED: usize = 1_000;

/// The most folders that are gone up.
const MAX_FOLDERS: usize = 100;

/// What a unit of a catalog may find in a folder above it.
const FOUND_ABOVE: &str = "*.hcl";

/// The deepest nesting of stacks.
const MAX_NESTING: usize = 12;

/// The frame of an `autoinclude`: configuration that is laid over what a block generates.
type Over = Option<usize>;

/// One directory that a block generates.
#[derive(Clone, Copy)]
struct Copy<'a> {
    block: &'a Block,
    /// What it is a copy of.
    original: &'a Arc<str>,
    directory: &'a Arc<str>,
    nesting: usize,
    /// What reasons call the block.
    text: &'a str,
}

impl Evaluation<'_> {
    /// Adds what a stack depends on: all that its units do. `over` has blocks that take the place of its own of the
    /// same name, and further ones.
    pub(super) fn stack(&mut self, frame: usize, nesting: usize, over: Over) {
        self.evaluate_all(frame);
        let mut seen: HashSet<(Arc<str>, Arc<str>)> = HashSet::new();
        for frame in over.into_iter().chain(self.merged(frame)) {
            let file = Arc::clone(&self.frames[frame].file);
            for block in &file.body.blocks {
                let component = block.labels.len() == 1 && ["unit", "stack"].contains(&&*block.kind);
                if component && seen.insert((Arc::clone(&block.kind), block.label().into())) {
                    self.generate(frame, block, nesting);
                }
            }
        }
    }

    /// A block, once for each instance that its `expansion` makes.
    fn generate(&mut self, frame: usize, block: &Block, nesting: usize) {
        let before = self.each.take();
        for each in self.instances(frame, block) {
            self.each = each;
            self.generate_one(frame, block, nesting);
        }
        self.each = before;
    }

    /// What `each` or `count` stands for in each instance of a block; one without a name where nothing is expanded.
    pub(super) fn instances(&mut self, frame: usize, block: &Block) -> Vec<Option<(Arc<str>, Value)>> {
        let Some(expansion) = block.body.blocks("expansion").next() else { return vec![None] };
        let of = |key: Value, value: Value| {
            let members = Members::from([("key".into(), key), ("value".into(), value)]);
            Some(("each".into(), Value::object(members)))
        };
        if let Some(count) = expansion.body.attribute("count") {
            let count = self.apart(|this| this.eval(frame, &count.value)).as_index();
            let index = |index: Value| {
                Some(("count".into(), Value::object(Members::from([("index".into(), index)]))))
            };
            #[allow(clippy::cast_precision_loss)] // bounded
            return match count {
                Some(count) => {
                    (0..count.min(MAX_GENERATED)).map(|at| index(Value::Number(at as f64))).collect()
                }
                None => vec![index(Value::Unknown)],
            };
        }
        let Some(all) = expansion.body.attribute("for_each") else { return vec![None] };
        match self.apart(|this| this.eval(frame, &all.value)) {
            Value::List(items) => items.iter().map(|item| of(item.clone(), item.clone())).collect(),
            Value::Object(members) if !members.contains_key("") => {
                members.iter().map(|(name, value)| of(Value::Text(Arc::clone(name)), value.clone())).collect()
            }
            other => vec![of(Value::Unknown, other.any_item())],
        }
    }

    fn generate_one(&mut self, frame: usize, block: &Block, nesting: usize) {
        if self.copies.len() >= MAX_GENERATED || nesting > MAX_NESTING {
            return;
        }
        let text = format!("{}.{}", block.kind, block.label());
        let values = block.body.attribute("values");
        let values = values.map(|values| self.apart(|this| this.eval(frame, &values.value)));
        let directory = self.generated_path(frame, block);
        let source = block.body.attribute("source");
        let address = source.map(|source| self.apart(|this| this.eval(frame, &source.value)));
        let over = self.laid_over(frame, block, &directory);
        let owner = if &*block.kind == "unit" {
            let definition = self.definition(frame, address.as_ref(), values.as_ref(), over);
            self.generates(frame, block, &directory, definition)
        } else {
            None
        };
        let (Some(attribute), Some(source)) = (source, address) else { return };
        let here = self.home(frame);
        for source in source.alternatives() {
            if let Value::Text(address) = &source
                && !super::root::is_local(address)
            {
                if let Some(own) = self.files.own_directory(address) {
                    let original = path::text_of(&own);
                    let copy =
                        Copy { block, original: &original, directory: &directory, nesting, text: &text };
                    self.owned(owner, |this| this.copy(frame, &copy, values.clone(), over));
                    continue;
                }
                let place = self.frames[frame].file.place(attribute.value.span);
                let address = Text { value: address.to_string(), place, verbatim: false };
                let what = What::Root { source: Some(address), directory: None, left_out: Vec::new() };
                self.find(frame, what, attribute.span, Some(text.clone()));
                self.owned(owner, |this| {
                    this.stands();
                    this.found_above(frame, block, &directory);
                    if let Some(over) = over.filter(|_| owner.is_some()) {
                        this.unit(over, None, false);
                    }
                });
                continue;
            }
            if !matches!(source, Value::Text(_)) {
                self.read_only(frame, &source, &here, attribute.span);
                self.owned(owner, |this| this.found_above(frame, block, &directory));
            }
            for original in self.expand(frame, &source, &here, attribute.span) {
                let copy = Copy { block, original: &original, directory: &directory, nesting, text: &text };
                self.owned(owner, |this| this.copy(frame, &copy, values.clone(), over));
            }
        }
    }

    /// What comes from elsewhere is not seen. Units of a catalog find the configuration of the live repository in the
    /// folders above them, so all that stands there counts.
    fn found_above(&mut self, frame: usize, block: &Block, directory: &Arc<str>) {
        let text =
            format!("{}.{}, which comes from elsewhere and may find it above", block.kind, block.label());
        let mut at = path::parent(directory);
        for _ in 0..MAX_FOLDERS {
            let Some(folder) = path::repo_path(&at) else { break };
            let found = StaticValue::Concat(vec![
                StaticValue::Base(Base::Directory(folder)),
                StaticValue::Literal("/".to_owned()),
                StaticValue::FileSet(
                    Box::new(StaticValue::Unknown),
                    Box::new(StaticValue::Literal(FOUND_ABOVE.to_owned())),
                ),
            ]);
            self.find(frame, What::Reads(found), block.header, Some(text.clone()));
            at = path::parent(&at);
        }
    }

    /// `autoinclude` of a unit or a nested stack: its names are those of the stack file, and it is run where the
    /// block is generated.
    fn laid_over(&mut self, frame: usize, block: &Block, directory: &Arc<str>) -> Over {
        let inner = block.body.blocks("autoinclude").next()?;
        let Frame { file, directory: here, base, origin, chain, .. } = &self.frames[frame];
        let part = Arc::new(file.part(&inner.body));
        let mut over = Frame::new(part, Arc::clone(here), Arc::clone(base), Arc::clone(origin));
        over.home = Arc::clone(directory);
        over.outer = Some(frame);
        over.chain = chain + 1;
        self.enter(over)
    }

    /// Notes a unit that is generated.
    fn generates(
        &mut self,
        frame: usize,
        block: &Block,
        directory: &Arc<str>,
        definition: Option<String>,
    ) -> Option<usize> {
        let directory = path::repo_path(directory)?;
        let file = &self.frames[frame].file;
        let (file, place) = (file.path.clone(), file.place(block.header));
        self.generated.push(Generated { directory, definition, stands: false, file, place });
        Some(self.generated.len() - 1)
    }

    /// All that a stack says of a unit, as a text; `None` where a part of it is not known.
    fn definition(
        &mut self,
        frame: usize,
        source: Option<&Value>,
        values: Option<&Value>,
        over: Over,
    ) -> Option<String> {
        let mut text = String::new();
        let home = self.home(frame);
        let source = source.map(|source| match source {
            // One directory, however it is written.
            Value::Text(address) if super::root::is_local(address) => Value::text(absolute(address, &home)),
            other => other.clone(),
        });
        for value in [source.as_ref(), values] {
            match value {
                Some(value) => value.spell(&mut text)?,
                None => text.push('-'),
            }
            text.push('\n');
        }
        if let Some(over) = over {
            let file = Arc::clone(&self.frames[frame].file);
            let body = Arc::clone(&self.frames[over].file.body);
            self.spell_body(over, &file, &body, 0, &mut text)?;
        }
        Some(text)
    }

    /// A body as a text: values where they are known; what names a dependency, which nobody knows before it is run,
    /// as it is written.
    fn spell_body(
        &mut self,
        frame: usize,
        file: &ConfigFile,
        body: &Body,
        depth: usize,
        text: &mut String,
    ) -> Option<()> {
        if depth > 16 {
            return None;
        }
        for attribute in &body.attributes {
            text.push_str(&attribute.name);
            text.push('=');
            let value = self.apart(|this| this.eval(frame, &attribute.value));
            let before = text.len();
            let written = file.bytes(attribute.span.start as usize..attribute.span.end as usize);
            if value.spell(text).is_none() {
                memchr::memmem::find(written, b"dependency.")?;
                text.truncate(before);
                text.push_str(&String::from_utf8_lossy(written));
            }
            text.push(';');
        }
        for block in &body.blocks {
            text.push_str(&block.kind);
            block.labels.iter().for_each(|label| text.push_str(label));
            text.push('{');
            self.spell_body(frame, file, &block.body, depth + 1, text)?;
            text.push('}');
        }
        Some(())
    }

    fn copy(&mut self, frame: usize, copy: &Copy<'_>, values: Option<Value>, over: Over) {
        let Copy { block, directory, nesting, text, .. } = *copy;
        let Some(source) = self.actual(copy.original) else { return };
        let original = path::text_of(&source);
        let is_stack = &*block.kind == "stack";
        let names: &[&str] =
            if is_stack { &["terragrunt.stack.hcl"] } else { &["terragrunt.hcl", "terragrunt.hcl.json"] };
        let mut found = None;
        for name in names {
            let why = self.why(frame, Purpose::Include, block.header, Some(text.to_owned()));
            found = self.files.source(&source.join(name), &why);
            if found.is_some() {
                break;
            }
        }
        let Some(file) = found.map(|file| file.config()) else { return };
        self.stands();
        self.copies.push((Arc::clone(directory), original));
        let chain = self.frames[frame].chain + 1;
        let values = match values {
            None if file.wants_values => self.values_beside(frame, directory, block.header),
            values => values,
        };
        let values = Some(values.unwrap_or_else(Value::nothing));
        let Some(inner) = self.own_frame(file, directory, values, chain) else { return };
        // What a function found from one place says nothing of another.
        self.apart(|this| match is_stack {
            true => this.stack(inner, nesting + 1, over),
            false => this.unit(inner, over, true),
        });
    }

    /// Where a unit or stack is generated.
    fn generated_path(&mut self, frame: usize, block: &Block) -> Arc<str> {
        let here = self.home(frame);
        let path = block.body.attribute("path");
        let path = path.and_then(|path| self.apart(|this| this.eval(frame, &path.value)).as_text());
        let path = path.unwrap_or_else(|| block.label().into());
        let flat = block.body.attribute("no_dot_terragrunt_stack");
        let flat = flat.and_then(|flat| self.apart(|this| this.eval(frame, &flat.value)).as_bool());
        let below = if flat == Some(true) { here.to_string() } else { format!("{here}/.terragrunt-stack") };
        absolute(path.trim_start_matches('/'), &below).into()
    }

    /// `unit.NAME` and `stack.NAME` in a stack file.
    pub(super) fn component(&mut self, frame: usize, kind: &str, name: &str) -> Value {
        for frame in self.seen_from(frame) {
            let file = Arc::clone(&self.frames[frame].file);
            if let Some(block) = file.body.blocks(kind).find(|block| block.label() == name) {
                let path = self.generated_path(frame, block);
                return Value::object(Members::from([
                    ("path".into(), Value::Text(path)),
                    ("name".into(), Value::text(name)),
                    ("".into(), Value::Unknown),
                ]));
            }
        }
        Value::Unknown
    }

    /// All units, or stacks, of a stack file that is read.
    pub(super) fn components(&mut self, frame: usize, kind: &str) -> Value {
        let file: Arc<ConfigFile> = Arc::clone(&self.frames[frame].file);
        let mut members = Members::new();
        for block in file.body.blocks(kind) {
            let value = self.block_object(frame, block, 0);
            members.insert(block.label().into(), value);
        }
        Value::object(members)
    }

    fn seen_from(&mut self, frame: usize) -> Vec<usize> {
        let outer = self.frames[frame].outer.unwrap_or(frame);
        self.merged(outer)
    }
}
