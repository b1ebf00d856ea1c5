//! One view of both syntaxes: blocks with labels, attributes with expressions.

use std::ops::Range;

use hcl_edit::{Span, expr::Expression, structure};

use super::{
    Text,
    json::{Json, JsonValue},
    source::Source,
};

/// The body of a file or of a block.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Hcl(&'a structure::Body),
    Json(&'a Json),
}

/// A block with as many labels as were asked for.
pub(super) struct Block<'a> {
    pub(super) labels: Vec<String>,
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
    Json(&'a Json),
}

impl<'a> Body<'a> {
    /// The blocks of a kind that have exactly so many labels; what has another number is no such block for
    /// Terraform either.
    pub(super) fn blocks(self, kind: &str, labels: usize) -> Vec<Block<'a>> {
        let mut found = Vec::new();
        match self {
            Self::Hcl(body) => {
                for block in
                    body.blocks().filter(|block| block.has_ident(kind) && block.labels.len() == labels)
                {
                    found.push(Block {
                        labels: block.labels.iter().map(|label| label.as_str().to_owned()).collect(),
                        header: header(block),
                        body: Self::Hcl(&block.body),
                    });
                }
            }
            Self::Json(json) => {
                for member in objects(json).flat_map(Json::members).filter(|member| member.name == kind) {
                    json_blocks(&member.value, labels, &member.name_span, &mut Vec::new(), &mut found);
                }
            }
        }
        found
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
            Self::Json(json) => json.span.clone(),
        }
    }

    pub(super) fn text(self, source: &Source<'_>) -> Option<Text> {
        let value = match self {
            Self::Hcl(expression) => expression.as_str()?,
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

fn json_blocks<'a>(
    json: &'a Json,
    labels: usize,
    header: &Range<usize>,
    path: &mut Vec<String>,
    found: &mut Vec<Block<'a>>,
) {
    match &json.value {
        JsonValue::Array(items) => {
            for item in items {
                json_blocks(item, labels, header, path, found);
            }
        }
        JsonValue::Object(_) if labels == 0 => {
            found.push(Block { labels: path.clone(), header: header.clone(), body: Body::Json(json) });
        }
        JsonValue::Object(members) => {
            for member in members.iter().filter(|member| member.name != "//") {
                path.push(member.name.clone());
                json_blocks(&member.value, labels - 1, &member.name_span, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}
