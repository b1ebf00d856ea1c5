//! A configuration file as it is evaluated: both syntaxes brought to one form, with the places of what may be
//! named in a reason.

use std::{ops::Range, sync::Arc};

use super::value::Value;
use crate::{
    proof::RepoPath,
    terraform::facts::{Place, quote},
};

/// Bytes of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn of(range: Option<Range<usize>>, shift: usize) -> Self {
        let range = range.unwrap_or_default();
        let offset = |at: usize| u32::try_from(at + shift).unwrap_or(u32::MAX);
        Self { start: offset(range.start), end: offset(range.end) }
    }
}

/// A file of HCL or JSON, ready to be evaluated.
#[derive(Debug)]
pub(super) struct ConfigFile {
    pub(super) path: RepoPath,
    /// The bytes, for places and quotes.
    text: Arc<[u8]>,
    pub(super) body: Arc<Body>,
    /// Texts in the parts that do not parse, which may be paths.
    pub(super) guesses: Vec<(Span, String)>,
    /// Why it does not parse, or not wholly.
    pub(super) broken: Option<Broken>,
    /// Whether it mentions `values`.
    pub(super) wants_values: bool,
}

/// Why a file does not parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: Option<usize>,
    pub(super) why: String,
}

#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) attributes: Vec<Attribute>,
    pub(super) blocks: Vec<Block>,
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: Arc<str>,
    /// Name and expression.
    pub(super) span: Span,
    pub(super) value: Expr,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) kind: Arc<str>,
    pub(super) labels: Vec<Arc<str>>,
    /// Keyword and labels.
    pub(super) header: Span,
    pub(super) body: Arc<Body>,
}

#[derive(Debug)]
pub(super) struct Expr {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Constant(Value),
    Template(Vec<Part>),
    List(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    Name(Arc<str>),
    Traversal(Box<Expr>, Vec<Operator>),
    Call { name: Arc<str>, arguments: Vec<Expr>, spread: bool },
    Conditional(Box<[Expr; 3]>),
    For(Box<For>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Binary(Binary, Box<[Expr; 2]>),
}

/// A part of a template.
#[derive(Debug)]
pub(super) enum Part {
    Text(Arc<str>),
    Value(Expr),
    If(Box<Expr>, Vec<Part>, Vec<Part>),
    For(Box<Expr>, Option<Arc<str>>, Arc<str>, Vec<Part>),
}

#[derive(Debug)]
pub(super) enum Operator {
    Member(Arc<str>),
    Index(Box<Expr>),
    Splat,
}

#[derive(Debug)]
pub(super) struct For {
    pub(super) key_name: Option<Arc<str>>,
    pub(super) value_name: Arc<str>,
    pub(super) collection: Expr,
    /// Of an object.
    pub(super) key: Option<Expr>,
    pub(super) value: Expr,
    pub(super) condition: Option<Expr>,
    pub(super) grouping: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Equal,
    Unequal,
    And,
    Or,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divided,
    Modulo,
}

impl ConfigFile {
    pub(super) fn new(path: RepoPath, text: Arc<[u8]>, body: Body) -> Self {
        let wants_values = memchr::memmem::find(&text, b"values").is_some();
        Self { path, text, body: Arc::new(body), guesses: Vec::new(), broken: None, wants_values }
    }

    /// The body of one of its blocks as a file of its own, whose places are those of the block.
    pub(super) fn part(&self, body: &Arc<Body>) -> Self {
        Self {
            path: self.path.clone(),
            text: Arc::clone(&self.text),
            body: Arc::clone(body),
            guesses: Vec::new(),
            broken: None,
            wants_values: self.wants_values,
        }
    }

    pub(super) fn place(&self, span: Span) -> Place {
        let (start, end) = (span.start as usize, span.end as usize);
        let before = self.text.get(..start).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let column = start - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1) + 1;
        Place { start, end, line, column }
    }

    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.text.get(range).unwrap_or_default()
    }

    /// What stands there, on one line, shortened.
    pub(super) fn quote(&self, span: Span) -> String {
        quote(self.text.get(span.start as usize..span.end as usize).unwrap_or_default())
    }
}

impl Body {
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| &*attribute.name == name)
    }

    pub(super) fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| &*block.kind == kind)
    }
}

impl Block {
    /// The only label, or none.
    pub(super) fn label(&self) -> &str {
        self.labels.first().map_or("", |label| label)
    }
}
