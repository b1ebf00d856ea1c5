//! The sources in Terragrunt's files: `terraform { source = "…" }` of a unit, and `source` of the `unit` and
//! `stack` blocks of a stack file.

use hcl_edit::{Span, expr::Expression, structure::Body};

use super::{
    BumpError,
    call::{Calls, Written},
};
use crate::{
    catalog::Unit,
    git::Tree,
    proof::{Link, Reason, RepoPath},
    terraform::facts::{Place, TerraformFile, Text},
};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Adds the calls of all Terragrunt files of a tree.
pub(super) fn calls(tree: &Tree, units: &[&Unit], found: &mut Calls) -> Result<(), BumpError> {
    for entry in tree.walk(&RepoPath::root())? {
        let name = entry.path.file_name();
        let cached = entry.path.names().any(|name| name == b".terragrunt-cache" || name == b".terraform");
        let is_one = matches!(name, b"terragrunt.hcl" | b"terragrunt.stack.hcl" | b"root.hcl");
        if !is_one || cached || !entry.mode.is_file() {
            continue;
        }
        let content = tree.read_entry(&entry)?;
        // The bounds on depth and size are those of every file.
        if let Err(error) = TerraformFile::parse(&entry.path, &content) {
            let link = Link::whole(entry.path.clone(), "unreadable");
            let reason = Reason::new("unparsable", error.to_string()).with_chain(vec![link]);
            found.unreadable.push((entry.path.clone(), reason));
            continue;
        }
        let directory = entry.path.parent();
        let unit = units.iter().find(|unit| Some(&unit.path) == directory.as_ref()).copied();
        for (name, source) in sources(&content) {
            let file = &entry.path;
            found.add(Written { file, name, place: source.place, source: &source, version: None, unit });
        }
    }
    Ok(())
}

/// The constant sources of a file, with what they are the sources of.
fn sources(content: &[u8]) -> Vec<(String, Text)> {
    let shift = if content.starts_with(BOM) { BOM.len() } else { 0 };
    let Ok(text) = std::str::from_utf8(&content[shift..]) else { return Vec::new() };
    let Ok(body) = hcl_edit::parser::parse_body(text) else { return Vec::new() };
    let mut found = Vec::new();
    for block in body.blocks() {
        let labels: Vec<&str> = block.labels.iter().map(hcl_edit::structure::BlockLabel::as_str).collect();
        let name = match (block.ident.as_str(), labels.as_slice()) {
            ("terraform", []) => "terraform.source".to_owned(),
            (kind @ ("unit" | "stack"), [label]) => format!("{kind}.{label}"),
            _ => continue,
        };
        if let Some(source) = constant(&block.body, "source", content, shift) {
            found.push((name, source));
        }
    }
    found
}

/// A constant text of a body, with its place in the file.
pub(super) fn constant(body: &Body, name: &str, content: &[u8], shift: usize) -> Option<Text> {
    let attribute = body.attributes().find(|attribute| attribute.key.as_str() == name)?;
    text_of(&attribute.value, content, shift)
}

/// The constant text that an expression is, with its place in the file, between the quotes.
pub(super) fn text_of(expression: &Expression, content: &[u8], shift: usize) -> Option<Text> {
    let value = expression.as_str()?;
    let span = expression.span()?;
    let inner = span.start + shift + 1..(span.end + shift).checked_sub(1)?;
    let raw = content.get(inner.clone())?;
    let link = Link::at(RepoPath::root(), content, inner.clone(), "");
    Some(Text {
        value: value.to_owned(),
        place: Place { start: inner.start, end: inner.end, line: link.line, column: link.column },
        verbatim: raw == value.as_bytes(),
    })
}
