//! The sources in Terragrunt's files: `terraform { source = … }` of units and of what they include
//! (`_envcommon`), and `source` of the `unit` and `stack` blocks of a stack file.
//!
//! A source is read where it is a constant, or a template whose only expressions are locals of the same file
//! that are constants. Nothing is run.

use std::collections::BTreeMap;

use hcl_edit::{
    Span,
    expr::Expression,
    structure::{BlockLabel, Body},
    template::Element,
};

use super::{
    BumpError,
    call::{Calls, Written},
    local::{local_of, mentions},
    spelling::Piece,
};
use crate::{
    catalog::Unit,
    git::Tree,
    proof::{Link, Reason, RepoPath},
    terraform::facts::{FileKind, Place, TerraformFile, Text},
};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Adds the calls of all Terragrunt files of a tree.
pub(super) fn calls(tree: &Tree, units: &[Unit], found: &mut Calls) -> Result<(), BumpError> {
    for entry in tree.walk(&RepoPath::root())? {
        let name = entry.path.file_name();
        let cached = entry.path.names().any(|name| name == b".terragrunt-cache" || name == b".terraform");
        let is_one = name.ends_with(b".hcl") && !name.starts_with(b".") && FileKind::of(name).is_none();
        if !is_one || cached || !entry.mode.is_file() {
            continue;
        }
        let content = tree.read_entry(&entry)?;
        if memchr::memmem::find(&content, b"source").is_none() {
            continue;
        }
        // The bounds on depth and size are those of every file.
        if let Err(error) = TerraformFile::parse(&entry.path, &content) {
            let link = Link::whole(entry.path.clone(), "unreadable");
            let reason = Reason::new("unparsable", error.to_string()).with_chain(vec![link]);
            found.unreadable.push((entry.path.clone(), reason));
            continue;
        }
        let directory = entry.path.parent();
        let standing: Vec<&Unit> =
            units.iter().filter(|unit| Some(&unit.path) == directory.as_ref()).collect();
        let file = &entry.path;
        for (name, source) in sources(&content) {
            match source {
                Ok((source, pieces)) => found.add(Written {
                    file,
                    name,
                    place: source.place,
                    source: &source,
                    pieces,
                    version: None,
                    units: standing.clone(),
                }),
                Err(place) => {
                    let text =
                        format!("the source of {name} is computed, so that nobody knows what it calls");
                    let link = place.link(file.clone(), name);
                    let reason = Reason::new("computed", text).with_chain(vec![link]);
                    found.unreadable.push((file.clone(), reason));
                }
            }
        }
    }
    Ok(())
}

/// A source that could be read, or the place of one that could not.
type Source = Result<(Text, Option<Vec<Piece>>), Place>;

/// The sources of a file, with what they are the sources of.
fn sources(content: &[u8]) -> Vec<(String, Source)> {
    let shift = if content.starts_with(BOM) { BOM.len() } else { 0 };
    let Ok(text) = std::str::from_utf8(&content[shift..]) else { return Vec::new() };
    let Ok(body) = hcl_edit::parser::parse_body(text) else { return Vec::new() };
    let locals = locals(&body, content, shift);
    let mut found = Vec::new();
    for block in body.blocks() {
        let labels: Vec<&str> = block.labels.iter().map(BlockLabel::as_str).collect();
        let name = match (block.ident.as_str(), labels.as_slice()) {
            ("terraform", []) => "terraform.source".to_owned(),
            (kind @ ("unit" | "stack"), [label]) => format!("{kind}.{label}"),
            _ => continue,
        };
        let source = block.body.attributes().find(|attribute| attribute.key.as_str() == "source");
        let Some(expression) = source.map(|attribute| &attribute.value) else { continue };
        let read = match text_of(expression, content, shift) {
            Some(text) => Ok((text, None)),
            None => template(expression, &locals, content, shift),
        };
        found.push((name, read));
    }
    found
}

/// The locals of a file that are constants.
fn locals(body: &Body, content: &[u8], shift: usize) -> BTreeMap<String, Text> {
    let blocks = body.blocks().filter(|block| block.ident.as_str() == "locals");
    let attributes = blocks.flat_map(|block| block.body.attributes());
    attributes
        .filter_map(|attribute| {
            Some((attribute.key.as_str().to_owned(), text_of(&attribute.value, content, shift)?))
        })
        .collect()
}

/// The value of a template of constants and constant locals, and where its parts stand.
fn template(
    expression: &Expression,
    locals: &BTreeMap<String, Text>,
    content: &[u8],
    shift: usize,
) -> Source {
    let span = expression.span().unwrap_or_default();
    let place = place(content, span.start + shift..span.end + shift);
    let Expression::StringTemplate(template) = expression else { return Err(place) };
    let (mut value, mut pieces) = (String::new(), Vec::new());
    for element in template.iter() {
        let start = value.len();
        match element {
            Element::Literal(literal) => {
                value.push_str(literal.value());
                let at = literal.span().unwrap_or_default().start + shift;
                if content.get(at..at + literal.len()) == Some(literal.value().as_bytes()) {
                    pieces.push(Piece { value: start..value.len(), start: at });
                }
            }
            Element::Interpolation(interpolation) => {
                let local = local_of(&interpolation.expr).and_then(|name| Some((locals.get(&name)?, name)));
                let Some((text, name)) = local else { return Err(place) };
                value.push_str(&text.value);
                // What nothing else uses may be edited where it stands.
                if text.verbatim && mentions(content, &name) == 1 {
                    pieces.push(Piece { value: start..value.len(), start: text.place.start });
                }
            }
            Element::Directive(_) => return Err(place),
        }
    }
    if let Some(end) = (span.end + shift).checked_sub(1) {
        pieces.push(Piece { value: value.len()..value.len(), start: end });
    }
    Ok((Text { value, place, verbatim: false }, Some(pieces)))
}

/// The constant text that an expression is, with its place in the file, between the quotes.
pub(super) fn text_of(expression: &Expression, content: &[u8], shift: usize) -> Option<Text> {
    let value = expression.as_str()?;
    let span = expression.span()?;
    let inner = span.start + shift + 1..(span.end + shift).checked_sub(1)?;
    let raw = content.get(inner.clone())?;
    let verbatim = raw == value.as_bytes();
    Some(Text { value: value.to_owned(), place: place(content, inner), verbatim })
}

fn place(content: &[u8], span: std::ops::Range<usize>) -> Place {
    let link = Link::at(RepoPath::root(), content, span, "");
    Place { start: link.start, end: link.end, line: link.line, column: link.column }
}
