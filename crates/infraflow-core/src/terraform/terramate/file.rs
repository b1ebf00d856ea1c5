use std::ops::Range;

use hcl_edit::{
    Span,
    expr::Expression,
    structure::{Block, Body},
    visit::{self, Visit},
};

use super::functions::READS;
use crate::{
    proof::RepoPath,
    terraform::facts::{FactsError, Place, Text, parse::body as hcl_body, source::Source},
};

/// What one `.tm` or `.tm.hcl` file says, as far as it tells what a stack depends on.
#[derive(Clone, Debug, Default)]
pub(crate) struct TerramateFile {
    /// `stack` blocks. More than one in a directory is an error, which is Terramate's to tell.
    pub(crate) stacks: Vec<StackBlock>,
    /// The sources of `import` blocks: paths of files, relative to this one or, with `/`, to the project.
    pub(crate) imports: Vec<Text>,
    /// `input` blocks of outputs sharing.
    pub(crate) inputs: Vec<Input>,
    /// `generate_hcl` and `generate_file` blocks that write into stacks.
    pub(crate) generations: Vec<Generation>,
    /// The paths of files that functions read while code is generated.
    pub(crate) reads: Vec<(Expression, Place)>,
}

/// A `stack` block.
#[derive(Clone, Debug)]
pub(crate) struct StackBlock {
    /// The word `stack`.
    pub(crate) place: Place,
    pub(crate) id: Option<Expression>,
    pub(crate) watch: Option<(Expression, Place)>,
    pub(crate) after: Option<(Expression, Place)>,
}

/// An `input` block: a value that another stack puts out.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) from_stack_id: Expression,
    pub(crate) place: Place,
}

/// A block that generates a file.
#[derive(Clone, Debug)]
pub(crate) struct Generation {
    /// The file, relative to the stack.
    pub(crate) label: String,
    pub(crate) condition: Option<Expression>,
    pub(crate) place: Place,
}

impl TerramateFile {
    /// # Errors
    /// [`FactsError`] where the text is no HCL, no UTF-8, or beyond the limits.
    pub(crate) fn parse(path: &RepoPath, bytes: &[u8]) -> Result<Self, FactsError> {
        let source = Source::new(path, bytes)?;
        let body = hcl_body(path, &source)?;
        Ok(Self::of(&body, &source))
    }

    /// What can still be made out where the file does not parse: whether it makes its directory a stack.
    pub(crate) fn salvage(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let source = Source::of(&text);
        let mut at = 0;
        let mut file = Self::default();
        for line in source.text.split_inclusive('\n') {
            let rest = line.trim_start().strip_prefix("stack").map(str::trim_start);
            if rest.is_some_and(|rest| rest.starts_with('{')) {
                let start = at + line.len() - line.trim_start().len();
                let place = source.place(start..start + "stack".len());
                file.stacks.push(StackBlock { place, id: None, watch: None, after: None });
            }
            at += line.len();
        }
        file
    }

    fn of(body: &Body, source: &Source<'_>) -> Self {
        let mut file = Self::default();
        for block in body.blocks() {
            let place = source.place(block.ident.span().unwrap_or_default());
            match block.ident.as_str() {
                "stack" => file.stacks.push(StackBlock {
                    place,
                    id: expression(block, "id"),
                    watch: placed(block, "watch", source),
                    after: placed(block, "after", source),
                }),
                "import" => file.imports.extend(import(block, source)),
                "input" => {
                    let name = block.labels.first().map_or("", |label| label.as_str()).to_owned();
                    let from = expression(block, "from_stack_id");
                    file.inputs.extend(from.map(|from_stack_id| Input { name, from_stack_id, place }));
                }
                kind @ ("generate_hcl" | "generate_file") => {
                    let context = block.body.get_attribute("context");
                    let context = context.and_then(|attribute| attribute.value.as_variable());
                    let root = kind == "generate_file" && context.is_some_and(|name| name.as_str() == "root");
                    if let Some(label) = block.labels.first().filter(|_| !root) {
                        let label = label.as_str().to_owned();
                        let condition = expression(block, "condition");
                        file.generations.push(Generation { label, condition, place });
                    }
                    file.reads.extend(reads(&block.body, source));
                }
                "globals" => file.reads.extend(reads(&block.body, source)),
                _ => {}
            }
        }
        file
    }
}

fn expression(block: &Block, name: &str) -> Option<Expression> {
    block.body.get_attribute(name).map(|attribute| attribute.value.clone())
}

fn placed(block: &Block, name: &str, source: &Source<'_>) -> Option<(Expression, Place)> {
    let attribute = block.body.get_attribute(name)?;
    let start = attribute.key.span().unwrap_or_default().start;
    let end = attribute.value.span().unwrap_or_default().end.max(start);
    Some((attribute.value.clone(), source.place(start..end)))
}

fn import(block: &Block, source: &Source<'_>) -> Option<Text> {
    let value = &block.body.get_attribute("source")?.value;
    Some(source.quoted(value.as_str()?, value.span().unwrap_or_default()))
}

/// The first arguments of all functions of a body that read files.
fn reads(body: &Body, source: &Source<'_>) -> Vec<(Expression, Place)> {
    struct Reads(Vec<(Expression, Range<usize>)>);
    impl Visit for Reads {
        fn visit_func_call(&mut self, call: &hcl_edit::expr::FuncCall) {
            let name = call.name.name.as_str().strip_prefix("tm_");
            if let (Some(path), true) = (call.args.get(0), name.is_some_and(|name| READS.contains(&name))) {
                self.0.push((path.clone(), call.span().unwrap_or_default()));
            }
            visit::visit_func_call(self, call);
        }
    }
    let mut found = Reads(Vec::new());
    found.visit_body(body);
    found.0.into_iter().map(|(path, span)| (path, source.place(span))).collect()
}
