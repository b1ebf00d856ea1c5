//! What override files replace in the others (<https://developer.hashicorp.com/terraform/language/files/override>;
//! internal/configs/module_merge.go and module_merge_body.go, 1.11).

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{
    FileKind, TerraformFile, parse, sieve,
    slice::SlicedBody,
    source::{MAX_BYTES, Source},
    stated::SMALL,
    view::{Block, Body, Expr},
};
use crate::proof::RepoPath;

/// Blocks that are merged by their arguments and nested blocks, and how many labels they have.
const MERGED: [(&str, usize); 6] =
    [("resource", 2), ("data", 2), ("ephemeral", 2), ("module", 1), ("output", 1), ("provider", 1)];

/// Nested blocks that are not replaced as a whole: of `lifecycle` single arguments are, and conditions are kept.
const KEPT: [&str; 3] = ["lifecycle", "precondition", "postcondition"];

/// The blocks of `terraform` that say where the state is kept.
const STATE: [&str; 2] = ["backend", "cloud"];

/// What a file has that replaces the same of another: for each block that is merged, the names of its arguments and
/// nested blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replacing {
    names: BTreeMap<Key, BTreeSet<String>>,
    /// What the blocks are made for each of, where it is said in one line without a read of files: the rest of the
    /// block in another file goes through that.
    each: BTreeMap<Key, Option<String>>,
}

/// What tells the blocks that are merged from one another: the kind, and labels.
type Key = (String, Vec<String>);

impl Replacing {
    /// Adds what a file has that is laid over the ones before it.
    pub(crate) fn and(&mut self, other: &Self) {
        for (block, names) in &other.names {
            self.names.entry(block.clone()).or_default().extend(names.iter().cloned());
        }
        self.each.extend(other.each.iter().map(|(block, each)| (block.clone(), each.clone())));
    }
}

/// How what is replaced is taken out of a text.
enum Cover {
    Blank,
    /// `for_each` goes on, with the value that takes its place, or one of which nothing is known.
    Each(Option<String>),
}

impl TerraformFile {
    /// What an override file replaces in others; nothing where it cannot be parsed.
    pub(crate) fn replacing(path: &RepoPath, bytes: &[u8]) -> Replacing {
        let find = |body: Body<'_>, source: &Source<'_>| {
            let mut all = Replacing::default();
            for (key, block) in merged(body, source) {
                if let Some(each) = block.body.attribute("for_each") {
                    all.each.insert(key.clone(), in_one_line(each, source));
                }
                let names: &mut BTreeSet<String> = all.names.entry(key).or_default();
                names.extend(block.body.attributes().iter().map(|attribute| attribute.name.to_owned()));
                names.extend(block.body.all_blocks().iter().map(|block| replaced_as(block).to_owned()));
                if block.kind == "terraform" {
                    // Where the state is kept is said by one block of either kind.
                    let says = STATE.iter().any(|state| names.contains(*state));
                    names.clear();
                    names.extend(STATE.iter().filter(|_| says).map(|&state| state.to_owned()));
                }
                KEPT.iter().for_each(|kept| {
                    names.remove(*kept);
                });
                // JSON has dynamic blocks of all kinds under one name.
                names.remove("dynamic");
            }
            all
        };
        found(path, bytes, &find).unwrap_or_default()
    }

    /// The text of a file without what others replace in it, all else in its place; `None` where they replace
    /// nothing, or the file cannot be parsed.
    pub(crate) fn without_replaced(path: &RepoPath, bytes: &[u8], by: &Replacing) -> Option<Vec<u8>> {
        let find = |body: Body<'_>, source: &Source<'_>| -> Vec<(Range<usize>, Cover)> {
            let mut covered = Vec::new();
            for (key, block) in merged(body, source) {
                let Some(names) = by.names.get(&key) else { continue };
                let json = matches!(block.body, Body::Json(_));
                for attribute in block.body.attributes().iter().filter(|it| names.contains(it.name)) {
                    let span = attribute.expression.span();
                    match attribute.name {
                        "for_each" => {
                            let each = by.each.get(&key).cloned().flatten();
                            covered.push((span, Cover::Each(each.filter(|_| !json))));
                        }
                        // A member of JSON needs a value.
                        _ if json => covered.push((span, Cover::Blank)),
                        _ => covered.push((attribute.span(), Cover::Blank)),
                    }
                }
                for nested in block.body.all_blocks().iter().filter(|it| names.contains(replaced_as(it))) {
                    match nested.body.end() {
                        // With its brace.
                        Some(end) => covered.push((nested.header.start..end + 1, Cover::Blank)),
                        // Where that stands in the same line nobody says where; such a block holds no other.
                        None => covered
                            .extend(nested.body.attributes().iter().map(|it| (it.span(), Cover::Blank))),
                    }
                }
            }
            covered
        };
        let covered = found(path, bytes, &find)?;
        if covered.is_empty() {
            return None;
        }
        let json = FileKind::of(path.file_name()).is_some_and(FileKind::is_json);
        let mark = bytes.len() - Source::new(path, bytes).ok()?.text.len();
        let mut text = bytes.to_vec();
        for (span, cover) in covered {
            let place = text.get_mut(span.start + mark..span.end + mark)?;
            let line = place.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(place.len());
            // What is known of a negation, or of a number in JSON, is nothing.
            let value: &[u8] = match &cover {
                Cover::Each(_) if json => b"1",
                Cover::Each(Some(each)) if each.len() <= line => each.as_bytes(),
                Cover::Each(_) => b"!1",
                Cover::Blank if json => b"null",
                Cover::Blank => b"",
            };
            if place.len() < value.len() {
                continue;
            }
            place.iter_mut().filter(|byte| !b"\r\n".contains(byte)).for_each(|byte| *byte = b' ');
            place[..value.len()].copy_from_slice(value);
        }
        Some(text)
    }
}

/// An expression as it is written, where that is one line and reads no file: what it reads is read where it stands.
fn in_one_line(expression: Expr<'_>, source: &Source<'_>) -> Option<String> {
    if matches!(expression, Expr::Json(_)) {
        return None;
    }
    let text = source.text.get(expression.span())?.trim();
    let plain = !text.contains(['\n', '\r', '#']) && !text.contains("//") && !text.contains("/*");
    (plain && !sieve::may_read(text, false)).then(|| without_spaces(text))
}

/// The same expression without the spaces that it does not need, so that it fits into the place of a shorter one.
fn without_spaces(text: &str) -> String {
    if text.contains(['$', '%', '\\']) {
        return text.to_owned();
    }
    let mut all = String::with_capacity(text.len());
    let mut quoted = false;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        quoted ^= c == '"';
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_-.=!<>&|".contains(c));
        if c == ' ' && !quoted && !(joins(all.chars().last()) && joins(rest.peek().copied())) {
            continue;
        }
        all.push(c);
    }
    all
}

/// The blocks of a file that are merged, by what tells them apart.
fn merged<'a>(body: Body<'a>, source: &Source<'_>) -> Vec<(Key, Block<'a>)> {
    let mut found = Vec::new();
    for (kind, labels) in MERGED {
        for block in body.blocks(kind, labels) {
            let mut key: Vec<String> = block.labels.iter().map(|&label| label.to_owned()).collect();
            if kind == "provider" {
                key.extend(block.body.text("alias", source).map(|alias| alias.value));
            }
            found.push(((kind.to_owned(), key), block));
        }
    }
    // Each local is one expression, whichever block it stands in; so it is with the settings of `terraform`.
    for kind in ["locals", "terraform"] {
        found.extend(body.blocks(kind, 0).into_iter().map(|block| ((kind.to_owned(), Vec::new()), block)));
    }
    found
}

/// The name under which a nested block is replaced.
fn replaced_as<'a>(block: &Block<'a>) -> &'a str {
    match (block.kind, block.labels.first()) {
        ("dynamic", Some(label)) => label,
        (kind, _) => kind,
    }
}

/// What is found in a file, sliced where that is possible.
fn found<T>(path: &RepoPath, bytes: &[u8], find: &dyn Fn(Body<'_>, &Source<'_>) -> T) -> Option<T> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let json = FileKind::of(path.file_name()).is_some_and(FileKind::is_json);
    if !json && (bytes.len() <= SMALL || !parse::is_entangled(bytes)) {
        let source = Source::new(path, bytes).ok()?;
        if let Some(body) = SlicedBody::of(source.text) {
            return Some(find(Body::Sliced(&body), &source));
        }
    }
    parse::parsed(path, bytes, find).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_needs_few_of_its_spaces() {
        for (written, needed) in [
            ("{ four = \"4 x\" }", "{four =\"4 x\"}"),
            ("toset([\"a\",  \"b\"])", "toset([\"a\",\"b\"])"),
            ("[for k in local.a : k if k != \"\"]", "[for k in local.a:k if k !=\"\"]"),
            ("{ a = \"${x }\" }", "{ a = \"${x }\" }"),
            ("a - b", "a - b"),
        ] {
            assert_eq!(without_spaces(written), needed);
        }
    }
}
