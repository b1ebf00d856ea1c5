//! Explicit stacks: the units and stacks that a `terragrunt.stack.hcl` generates, as if they were there.

use std::sync::Arc;

use super::{
    What,
    evaluate::Evaluation,
    files::Purpose,
    path::{self, absolute},
    syntax::{Block, ConfigFile},
    value::{Members, Value},
};
use crate::terraform::facts::Text;

/// The most units and stacks that one stack generates, with those that these generate.
const MAX_GENERATED: usize = 1_000;

/// The deepest nesting of stacks.
const MAX_NESTING: usize = 12;

impl Evaluation<'_> {
    /// Adds what a stack depends on: all that its units do.
    pub(super) fn stack(&mut self, frame: usize, nesting: usize) {
        self.evaluate_all(frame);
        for frame in self.merged(frame) {
            let file = Arc::clone(&self.frames[frame].file);
            for block in &file.body.blocks {
                if block.labels.len() == 1 && ["unit", "stack"].contains(&&*block.kind) {
                    self.generate(frame, block, nesting);
                }
            }
        }
    }

    fn generate(&mut self, frame: usize, block: &Block, nesting: usize) {
        if self.copies.len() >= MAX_GENERATED || nesting > MAX_NESTING {
            return;
        }
        let text = format!("{}.{}", block.kind, block.label());
        let values = block.body.attribute("values");
        let values = values.map(|values| self.apart(|this| this.eval(frame, &values.value)));
        let directory = self.generated_path(frame, block);
        for inner in &block.body.blocks {
            self.beside(frame, inner, &directory);
        }
        let Some(attribute) = block.body.attribute("source") else { return };
        let here = Arc::clone(&self.frames[frame].directory);
        let source = self.apart(|this| this.eval(frame, &attribute.value));
        for source in source.alternatives() {
            if let Value::Text(address) = &source
                && !super::unit::is_local(address)
            {
                // It may be an address of this very repository.
                let place = self.frames[frame].file.place(attribute.value.span);
                let address = Text { value: address.to_string(), place, verbatim: false };
                let what = What::Root { source: Some(address), directory: None };
                self.find(frame, what, attribute.span, Some(text.clone()));
                continue;
            }
            if !matches!(source, Value::Text(_)) {
                self.read_only(frame, &source, &here, attribute.span);
            }
            for original in self.expand(frame, &source, &here, attribute.span) {
                self.copy(frame, block, &original, &directory, values.clone(), nesting, &text);
            }
        }
    }

    /// What stands in a block beside its arguments: configuration that is laid over the generated one.
    fn beside(&mut self, frame: usize, block: &Block, directory: &Arc<str>) {
        for attribute in &block.body.attributes {
            let value = self.apart(|this| this.eval(frame, &attribute.value));
            if &*block.kind == "dependency" && &*attribute.name == "config_path" {
                let name = format!("dependency.{}", block.label());
                let path = match &value {
                    Value::Text(text) => Value::text(absolute(text, directory)),
                    other => other.clone(),
                };
                self.depend(frame, &path, block.header, name);
            }
        }
        for inner in &block.body.blocks {
            self.beside(frame, inner, directory);
        }
    }

    #[allow(clippy::too_many_arguments)] // all that is known of one copy
    fn copy(
        &mut self,
        frame: usize,
        block: &Block,
        original: &Arc<str>,
        directory: &Arc<str>,
        values: Option<Value>,
        nesting: usize,
        text: &str,
    ) {
        let Some(source) = self.actual(original) else { return };
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
        self.copies.push((Arc::clone(directory), original));
        let chain = self.frames[frame].chain + 1;
        let values = match values {
            None if file.wants_values => self.values_beside(frame, directory, block.header),
            values => values,
        };
        let Some(inner) = self.own_frame(file, directory, values, chain) else { return };
        // What a function found from one place says nothing of another.
        self.apart(
            |this| if is_stack { this.stack(inner, nesting + 1) } else { this.unit(inner, None, true) },
        );
    }

    /// Where a unit or stack is generated.
    fn generated_path(&mut self, frame: usize, block: &Block) -> Arc<str> {
        let here = Arc::clone(&self.frames[frame].directory);
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
