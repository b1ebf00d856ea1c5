use std::{ops::Range, sync::Arc};

use hcl_edit::{
    Span,
    expr::Expression,
    structure::{Attribute, Block, Body},
};

use super::{Bound, Call, Part};
use crate::{
    proof::RepoPath,
    terraform::facts::{
        FactsError, Place, Text,
        parse::body as hcl_body,
        pieces::{legible, pieces},
        simple::Kind,
        slice::{Slice, SlicedAttribute, SlicedBody},
        source::Source,
        stated::SMALL,
    },
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
    /// The backends that the directory's own `input` and `output` blocks name.
    pub(crate) shares: Vec<String>,
    /// `sharing_backend` blocks.
    pub(crate) backends: Vec<SharingBackend>,
    /// `generate_hcl` and `generate_file` blocks that write into stacks.
    pub(crate) generations: Vec<Generation>,
    /// What `globals` blocks define.
    pub(crate) globals: Vec<Global>,
    /// What `terramate.config.run.env` sets for whatever is run in a stack.
    pub(crate) environment: Vec<(String, Part)>,
    /// Of a trigger's file: whether it asks to ignore what changed.
    pub(crate) is_dismissal: bool,
    /// Whether a part of the file could not be read.
    pub(crate) is_broken: bool,
}

/// A `stack` block.
#[derive(Clone, Debug)]
pub(crate) struct StackBlock {
    /// The word `stack`.
    pub(crate) place: Place,
    pub(crate) id: Option<Expression>,
    pub(crate) name: Option<Expression>,
    pub(crate) description: Option<Expression>,
    pub(crate) tags: Option<Expression>,
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

/// A `sharing_backend` block: each stack that shares outputs by it gets a file of this name.
#[derive(Clone, Debug)]
pub(crate) struct SharingBackend {
    pub(crate) name: String,
    pub(crate) file: Option<Expression>,
    /// The whole block.
    pub(crate) part: Part,
}

/// A block that generates a file in every stack of its directory and below.
#[derive(Clone, Debug)]
pub(crate) struct Generation {
    /// The block's name.
    pub(crate) kind: &'static str,
    /// The file, relative to the stack.
    pub(crate) label: String,
    pub(crate) condition: Option<Expression>,
    pub(crate) inherit: Option<Expression>,
    /// Patterns of stacks, one of which must match. Each is several lists; of each list one must.
    pub(crate) filters: Vec<Vec<Expression>>,
    /// The modules that the generated code calls: their names, their sources, and where these stand.
    pub(crate) calls: Vec<Call>,
    /// The whole block.
    pub(crate) part: Part,
}

/// One definition of a global.
#[derive(Clone, Debug)]
pub(crate) struct Global {
    /// The labels of its block, and its own name.
    pub(crate) path: Vec<String>,
    /// Its value; `None` of a `map` block, and of a block that only begins an object.
    pub(crate) value: Option<Expression>,
    pub(crate) part: Part,
}

impl TerramateFile {
    /// # Errors
    /// [`FactsError`] where the text is no HCL, no UTF-8, or beyond the limits.
    pub(crate) fn parse(path: &RepoPath, bytes: &[u8]) -> Result<Self, FactsError> {
        let source = Source::new(path, bytes)?;
        let body = hcl_body(path, &source)?;
        let mut file = Self::default();
        file.take(&body, &source);
        Ok(file)
    }

    /// As [`TerramateFile::parse`]. A file that has nothing but a `stack` block is only cut into expressions, and
    /// those that nobody needs are not parsed.
    ///
    /// # Errors
    /// As [`TerramateFile::parse`], but not always: what is not parsed is not found to be at fault either.
    pub(crate) fn stated(path: &RepoPath, bytes: &[u8]) -> Result<Self, FactsError> {
        let source = Source::new(path, bytes)?;
        let cut = SlicedBody::of(source.text).filter(|cut| bytes.len() <= SMALL && !cut.repeats());
        match cut.and_then(|cut| Self::of_sliced(&cut, &source)) {
            Some(file) => Ok(file),
            None => Self::parse(path, bytes),
        }
    }

    /// `None` where the whole has to be parsed to tell.
    fn of_sliced(cut: &SlicedBody<'_>, source: &Source<'_>) -> Option<Self> {
        let mut file = Self::default();
        for block in &cut.blocks {
            match block.kind {
                "stack" => {}
                // Of its settings, what they give to the environment counts.
                "terramate" if block.body.blocks.iter().all(|inner| inner.kind != "config") => continue,
                _ => return None,
            }
            let attribute =
                |name: &str| block.body.attributes.iter().find(|attribute| attribute.name == name);
            let placed = |attribute: Option<&SlicedAttribute<'_>>| match attribute {
                Some(attribute) => {
                    let span = attribute.name_start..attribute.value.span().end;
                    Some(Some((constant_or_parsed(&attribute.value)?, source.place(span))))
                }
                None => Some(None),
            };
            let plain = |name| Some(placed(attribute(name))?.map(|(value, _)| value));
            let start = block.header.start;
            file.stacks.push(StackBlock {
                place: source.place(start..start + block.kind.len()),
                id: plain("id")?,
                name: plain("name")?,
                description: plain("description")?,
                tags: plain("tags")?,
                watch: placed(attribute("watch"))?,
                after: placed(attribute("after"))?,
            });
        }
        Some(file)
    }

    /// What can still be made out where the file does not parse: the blocks that parse on their own, and of
    /// the others whether they make the directory a stack, define globals, or generate a file.
    pub(crate) fn salvage(path: &RepoPath, bytes: &[u8]) -> Self {
        let text = legible(bytes);
        let source = Source::of(&text);
        let mut file = Self { is_broken: true, ..Self::default() };
        for piece in pieces(source.text) {
            let part = source.part(piece.clone());
            match hcl_body(path, &part) {
                Ok(body) => file.take(&body, &part),
                Err(_) => file.guess(&source, piece),
            }
        }
        file
    }

    fn guess(&mut self, source: &Source<'_>, piece: Range<usize>) {
        let text = source.spelled(piece.clone());
        let word = text.find(|c: char| !c.is_alphanumeric() && c != '_').map_or(text, |end| &text[..end]);
        let rest = text[word.len()..].trim_start();
        match word {
            "stack" if rest.starts_with('{') => {
                let place = source.place(piece.start..piece.start + word.len());
                self.stacks.push(StackBlock {
                    place,
                    id: None,
                    name: None,
                    description: None,
                    tags: None,
                    watch: None,
                    after: None,
                });
            }
            "generate_hcl" | "generate_file" => {
                let label = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
                if let Some((label, _)) = label {
                    self.generations.push(Generation {
                        kind: if word == "generate_hcl" { "generate_hcl" } else { "generate_file" },
                        label: label.to_owned(),
                        condition: None,
                        inherit: None,
                        filters: Vec::new(),
                        calls: Vec::new(),
                        part: Part::unread(piece, source),
                    });
                }
            }
            "globals" => {
                self.globals.push(Global {
                    path: Vec::new(),
                    value: None,
                    part: Part::unread(piece, source),
                });
            }
            _ => {}
        }
    }

    fn take(&mut self, body: &Body, source: &Source<'_>) {
        for block in body.blocks() {
            if ["input", "output"].contains(&block.ident.as_str()) {
                let backend = block.body.get_attribute("backend").and_then(|it| it.value.as_str());
                self.shares.extend(backend.map(str::to_owned));
            }
            let place = source.place(block.ident.span().unwrap_or_default());
            match block.ident.as_str() {
                "stack" => self.stacks.push(StackBlock {
                    place,
                    id: expression(block, "id"),
                    name: expression(block, "name"),
                    description: expression(block, "description"),
                    tags: expression(block, "tags"),
                    watch: placed(block, "watch", source),
                    after: placed(block, "after", source),
                }),
                "import" => self.imports.extend(import(block, source)),
                "input" => {
                    let name = block.labels.first().map_or("", |label| label.as_str()).to_owned();
                    let from = expression(block, "from_stack_id");
                    self.inputs.extend(from.map(|from_stack_id| Input { name, from_stack_id, place }));
                }
                "sharing_backend" => {
                    let name = block.labels.first().map_or("", |label| label.as_str()).to_owned();
                    let file = expression(block, "filename");
                    let part = Part::of_body(&block.body, block.span().unwrap_or_default(), source);
                    self.backends.push(SharingBackend { name, file, part });
                }
                "generate_hcl" => self.generations.extend(generation("generate_hcl", block, source)),
                "generate_file" => self.generations.extend(generation("generate_file", block, source)),
                "globals" => self.globals_of(block, source),
                "trigger" => {
                    let kind = block.body.get_attribute("type");
                    let kind = kind.and_then(|attribute| attribute.value.as_variable());
                    self.is_dismissal |= kind.is_some_and(|kind| kind.as_str() == "ignore-change");
                }
                "terramate" => self.environment_of(block, source),
                _ => {}
            }
        }
    }

    fn globals_of(&mut self, block: &Block, source: &Source<'_>) {
        let labels: Vec<String> = block.labels.iter().map(|label| label.as_str().to_owned()).collect();
        let path = |name: &str| labels.iter().cloned().chain([name.to_owned()]).collect();
        for attribute in block.body.attributes() {
            self.globals.push(Global {
                path: path(attribute.key.as_str()),
                value: Some(attribute.value.clone()),
                part: Part::of_expression(&attribute.value, source),
            });
        }
        for map in block.body.blocks().filter(|map| map.ident.as_str() == "map") {
            let Some(name) = map.labels.first() else { continue };
            let part = Part::of_body(&map.body, map.span().unwrap_or_default(), source);
            self.globals.push(Global { path: path(name.as_str()), value: None, part });
        }
        if block.body.is_empty() && !labels.is_empty() {
            let part = Part::of_body(&block.body, block.ident.span().unwrap_or_default(), source);
            self.globals.push(Global { path: labels.clone(), value: None, part });
        }
    }

    fn environment_of(&mut self, terramate: &Block, source: &Source<'_>) {
        let mut at: Vec<&Block> = vec![terramate];
        for name in ["config", "run", "env"] {
            at = at.into_iter().flat_map(|block| block.body.get_blocks(name)).collect();
        }
        for attribute in at.into_iter().flat_map(|block| block.body.attributes()) {
            let part = Part::of_expression(&attribute.value, source);
            self.environment.push((attribute.key.as_str().to_owned(), part));
        }
    }
}

/// An expression for itself, without places. Texts and lists of texts need no parser.
fn constant_or_parsed(slice: &Slice<'_>) -> Option<Expression> {
    match slice.simple().map(|simple| simple.kind) {
        Some(Kind::Text(text)) => Some(Expression::from(text)),
        Some(Kind::List(items)) if items.iter().all(|item| matches!(item.kind, Kind::Text(_))) => {
            let texts = items.into_iter().filter_map(|item| match item.kind {
                Kind::Text(text) => Some(Expression::from(text)),
                _ => None,
            });
            Some(texts.collect())
        }
        _ => slice.parsed().cloned(),
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

fn generation(kind: &'static str, block: &Block, source: &Source<'_>) -> Option<Generation> {
    let context = block.body.get_attribute("context").and_then(|attribute| attribute.value.as_variable());
    if kind == "generate_file" && context.is_some_and(|name| name.as_str() == "root") {
        return None;
    }
    let filters = block.body.get_blocks("stack_filter").map(|filter| {
        let known =
            |attribute: &&Attribute| ["project_paths", "repository_paths"].contains(&attribute.key.as_str());
        filter.body.attributes().filter(known).map(|attribute| attribute.value.clone()).collect()
    });
    let lets: Vec<Arc<Bound>> = Bound::by_lets(&block.body).into_iter().map(Arc::new).collect();
    let content = block.body.get_blocks("content").filter(|_| kind == "generate_hcl");
    let calls = content.flat_map(|content| content.body.blocks()).filter_map(|call| {
        let label = call.labels.first()?.as_str();
        let mut bound = lets.clone();
        let (name, inner) = match call.ident.as_str() {
            "module" => (label, call),
            "tm_dynamic" if label == "module" => {
                bound.extend(Bound::by_block(call).map(Arc::new));
                ("?", call.body.get_blocks("content").next()?)
            }
            _ => return None,
        };
        let (source, place) = placed(inner, "source", source)?;
        Some(Call { name: name.to_owned(), source, bound, place })
    });
    Some(Generation {
        kind,
        label: block.labels.first()?.as_str().to_owned(),
        condition: expression(block, "condition"),
        inherit: expression(block, "inherit"),
        filters: filters.collect(),
        calls: calls.collect(),
        part: Part::of_body(&block.body, block.span().unwrap_or_default(), source),
    })
}
