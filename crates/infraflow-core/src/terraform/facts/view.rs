//! One view of both syntaxes, and of HCL that is not parsed yet: blocks with labels, attributes with
//! expressions.

use std::{borrow::Cow, ops::Range};

use hcl_edit::{Span, expr::Expression, structure};

use super::{
    Text,
    json::{Json, JsonValue, Member},
    slice::{Shape, Slice, SlicedBlock, SlicedBody},
    source::Source,
};

/// The body of a file or of a block.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Hcl(&'a structure::Body),
    Sliced(&'a SlicedBody<'a>),
    Json(&'a Json),
}

/// A block.
pub(super) struct Block<'a> {
    pub(super) kind: &'a str,
    pub(super) labels: Cow<'a, [&'a str]>,
    /// Keyword and labels; in JSON, the last label's name.
    pub(super) header: Range<usize>,
    pub(super) body: Body<'a>,
}

/// An attribute.
#[derive(Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    name_start: usize,
    pub(super) expression: Expr<'a>,
}

/// An expression.
#[derive(Clone, Copy)]
pub(super) enum Expr<'a> {
    Hcl(&'a Expression),
    Sliced(&'a Slice<'a>),
    Json(&'a Json),
}

impl<'a> Body<'a> {
    /// The blocks of a kind that have exactly so many labels; what has another number is no such block for
    /// Terraform either.
    pub(super) fn blocks(self, kind: &str, labels: usize) -> Vec<Block<'a>> {
        let mut found = Vec::new();
        match self {
            Self::Hcl(body) => {
                let blocks =
                    body.blocks().filter(|block| block.has_ident(kind) && block.labels.len() == labels);
                found.extend(blocks.map(parsed_block));
            }
            Self::Sliced(body) => {
                let blocks =
                    body.blocks.iter().filter(|block| block.kind == kind && block.labels.len() == labels);
                found.extend(blocks.map(sliced_block));
            }
            Self::Json(json) => {
                for member in objects(json).flat_map(Json::members).filter(|member| member.name == kind) {
                    json_blocks(member, labels, &mut found);
                }
            }
        }
        found
    }

    /// All blocks, whatever their labels. In JSON nobody can tell them from attributes.
    pub(super) fn all_blocks(self) -> Vec<Block<'a>> {
        match self {
            Self::Hcl(body) => body.blocks().map(parsed_block).collect(),
            Self::Sliced(body) => body.blocks.iter().map(sliced_block).collect(),
            Self::Json(_) => Vec::new(),
        }
    }

    /// All attributes. In JSON, nested blocks are among them.
    pub(super) fn attributes(self) -> Vec<Attribute<'a>> {
        match self {
            Self::Hcl(body) => body
                .attributes()
                .map(|attribute| Attribute {
                    name: attribute.key.as_str(),
                    name_start: attribute.key.span().unwrap_or_default().start,
                    expression: Expr::Hcl(&attribute.value),
                })
                .collect(),
            Self::Sliced(body) => body
                .attributes
                .iter()
                .map(|attribute| Attribute {
                    name: attribute.name,
                    name_start: attribute.name_start,
                    expression: Expr::Sliced(&attribute.value),
                })
                .collect(),
            Self::Json(json) => objects(json)
                .flat_map(Json::members)
                .filter(|member| member.name != "//")
                .map(|member| Attribute {
                    name: &member.name,
                    name_start: member.name_span.start,
                    expression: Expr::Json(&member.value),
                })
                .collect(),
        }
    }

    pub(super) fn attribute(self, name: &str) -> Option<Expr<'a>> {
        if let Self::Sliced(body) = self {
            let mut attributes = body.attributes.iter();
            return attributes.find(|found| found.name == name).map(|found| Expr::Sliced(&found.value));
        }
        self.attributes().into_iter().find(|attribute| attribute.name == name).map(|found| found.expression)
    }

    /// The value of a constant text.
    pub(super) fn text(self, name: &str, source: &Source<'_>) -> Option<Text> {
        self.attribute(name)?.text(source)
    }

    pub(super) fn boolean(self, name: &str) -> Option<bool> {
        self.attribute(name)?.boolean()
    }

    /// The expression of an attribute as the source spells it.
    pub(super) fn spelled(self, name: &str, source: &Source<'_>) -> Option<Text> {
        Some(self.attribute(name)?.spelled(source))
    }

    /// Where the body ends: the byte of its `}`.
    pub(super) fn end(self) -> Option<usize> {
        match self {
            Self::Hcl(body) => body.span().map(|span| span.end),
            Self::Sliced(body) => body.end,
            Self::Json(_) => None,
        }
    }
}

impl Attribute<'_> {
    /// Name and expression.
    pub(super) fn span(&self) -> Range<usize> {
        self.name_start..self.expression.span().end
    }
}

impl Expr<'_> {
    pub(super) fn span(self) -> Range<usize> {
        match self {
            Self::Hcl(expression) => expression.span().unwrap_or_default(),
            Self::Sliced(slice) => slice.span(),
            Self::Json(json) => json.span.clone(),
        }
    }

    pub(super) fn text(self, source: &Source<'_>) -> Option<Text> {
        let value = match self {
            Self::Hcl(Expression::Parenthesis(inner)) => return Expr::Hcl(inner.inner()).text(source),
            Self::Hcl(expression) => expression.as_str()?,
            Self::Sliced(slice) => match slice.shape() {
                Shape::Text(text) => text,
                Shape::Other => {
                    let inner = without_parentheses(slice.parsed()?);
                    let span = inner.span().unwrap_or_default();
                    let span = slice.start + span.start..slice.start + span.end;
                    return Some(source.quoted(inner.as_str()?, span));
                }
                _ => return None,
            },
            Self::Json(Json { value: JsonValue::String(value), .. })
                if !value.contains("${") && !value.contains("%{") =>
            {
                value
            }
            Self::Json(_) => return None,
        };
        Some(source.quoted(value, self.span()))
    }

    pub(super) fn boolean(self) -> Option<bool> {
        match self {
            Self::Hcl(expression) => expression.as_bool(),
            Self::Sliced(slice) => slice.parsed()?.as_bool(),
            Self::Json(Json { value: JsonValue::Bool(value), .. }) => Some(*value),
            Self::Json(_) => None,
        }
    }

    /// As the source spells it; in JSON, a string without its quotes, since JSON writes types and addresses
    /// as strings.
    pub(super) fn spelled(self, source: &Source<'_>) -> Text {
        match self {
            Self::Json(Json { value: JsonValue::String(value), span }) => source.quoted(value, span.clone()),
            _ => source.verbatim(self.span()),
        }
    }
}

fn without_parentheses(mut expression: &Expression) -> &Expression {
    while let Expression::Parenthesis(inner) = expression {
        expression = inner.inner();
    }
    expression
}

fn parsed_block(block: &structure::Block) -> Block<'_> {
    Block {
        kind: block.ident.as_str(),
        labels: block.labels.iter().map(|label| label.as_str()).collect(),
        header: header(block),
        body: Body::Hcl(&block.body),
    }
}

fn sliced_block<'a>(block: &'a SlicedBlock<'a>) -> Block<'a> {
    Block {
        kind: block.kind,
        labels: Cow::Borrowed(&block.labels),
        header: block.header.clone(),
        body: Body::Sliced(&block.body),
    }
}

fn header(block: &structure::Block) -> Range<usize> {
    let ident = block.ident.span().unwrap_or_default();
    let end = block.labels.last().and_then(Span::span).unwrap_or_else(|| ident.clone()).end;
    ident.start..end
}

/// A body in JSON is an object, or a list of objects that are laid over one another.
fn objects(json: &Json) -> impl Iterator<Item = &Json> {
    match &json.value {
        JsonValue::Array(items) => items.iter().collect(),
        _ => vec![json],
    }
    .into_iter()
}

fn json_blocks<'a>(member: &'a Member, labels: usize, found: &mut Vec<Block<'a>>) {
    fn below<'a>(
        kind: &'a str,
        json: &'a Json,
        labels: usize,
        header: &Range<usize>,
        path: &mut Vec<&'a str>,
        found: &mut Vec<Block<'a>>,
    ) {
        match &json.value {
            JsonValue::Array(items) => {
                for item in items {
                    below(kind, item, labels, header, path, found);
                }
            }
            JsonValue::Object(_) if labels == 0 => {
                let (labels, header) = (Cow::Owned(path.clone()), header.clone());
                found.push(Block { kind, labels, header, body: Body::Json(json) });
            }
            JsonValue::Object(members) => {
                for member in members.iter().filter(|member| member.name != "//") {
                    path.push(&member.name);
                    below(kind, &member.value, labels - 1, &member.name_span, path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }
    below(&member.name, &member.value, labels, &member.name_span, &mut Vec::new(), found);
}
