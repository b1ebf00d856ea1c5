//! What can be made out of a file that does not parse. A broken block must not hide the good one beside
//! it, and what a broken block names may still be used once it is mended.

use std::ops::Range;

use super::{
    Base, FileFacts, FileKind, FileRead, ModuleCall, Repetition, StaticValue,
    parse::{body, facts},
    pieces::{legible, pieces, quoted_paths},
    source::{MAX_BYTES, Source},
    view::Body,
};
use crate::proof::RepoPath;

/// The most texts of one file that are taken for paths.
const MAX_TEXTS: usize = 10_000;

/// In larger files nothing is looked for: eight times what is read of one.
pub(super) const MAX_SALVAGED: usize = 8 * MAX_BYTES;

pub(super) fn salvage(path: &RepoPath, bytes: &[u8]) -> FileFacts {
    if bytes.len() > MAX_SALVAGED {
        return FileFacts::default();
    }
    let text = legible(bytes);
    let source = Source::of(&text);
    let kind = FileKind::of(path.file_name());
    let mut all = FileFacts::default();
    let json = kind.is_some_and(FileKind::is_json);
    let chunks = if json { std::iter::once(0..source.text.len()).collect() } else { pieces(source.text) };
    for chunk in chunks {
        let parsed = (!json).then(|| good_chunk(path, &source, kind, chunk.clone())).flatten();
        match parsed {
            Some(good) => append(&mut all, good),
            None => guess(&source, chunk, &mut all),
        }
    }
    for call in &mut all.calls {
        for text in call.source.iter_mut().chain(&mut call.version) {
            text.verbatim &= bytes.get(text.place.range()) == Some(text.value.as_bytes());
        }
    }
    all
}

fn good_chunk(
    path: &RepoPath,
    source: &Source<'_>,
    kind: Option<FileKind>,
    chunk: Range<usize>,
) -> Option<FileFacts> {
    let part = source.part(chunk);
    let parsed = body(path, &part).ok()?;
    Some(facts(kind, Body::Hcl(&parsed), &part))
}

/// Every quoted text that may be a path is one, and the text after `source` in a module block its source.
fn guess(source: &Source<'_>, chunk: Range<usize>, facts: &mut FileFacts) {
    let text = &source.text[chunk.clone()];
    let module = text.starts_with("module") || text.contains("\"module\"");
    for quoted in quoted_paths(text) {
        let inner = &text[quoted.start + 1..quoted.end - 1];
        let span = chunk.start + quoted.start..chunk.start + quoted.end;
        let place = source.place(span.clone());
        let before =
            text[..quoted.start].trim_end().trim_end_matches(['=', ':']).trim_end().trim_end_matches('"');
        if module && before.ends_with("source") {
            facts.calls.push(ModuleCall {
                name: "?".to_owned(),
                place,
                source: Some(source.quoted(inner, span.clone())),
                computed_source: None,
                version: None,
                repetition: Repetition::Single,
                arguments: Vec::new(),
                body_end: None,
            });
            continue;
        }
        if facts.reads.len() < MAX_TEXTS {
            let literal = StaticValue::Literal(inner.to_owned());
            let slash = StaticValue::Literal("/".to_owned());
            let below = StaticValue::concat(vec![StaticValue::Base(Base::Module), slash, literal.clone()]);
            for path in [literal, below] {
                facts.reads.push(FileRead { function: None, path, place });
            }
        }
    }
}

fn append(all: &mut FileFacts, mut part: FileFacts) {
    all.calls.append(&mut part.calls);
    all.variables.append(&mut part.variables);
    all.outputs.append(&mut part.outputs);
    all.locals.append(&mut part.locals);
    all.required_version.append(&mut part.required_version);
    all.required_providers.append(&mut part.required_providers);
    all.backends.append(&mut part.backends);
    all.states.append(&mut part.states);
    all.providers.append(&mut part.providers);
    all.resources.append(&mut part.resources);
    all.reads.append(&mut part.reads);
    all.moved.append(&mut part.moved);
    all.imports.append(&mut part.imports);
    all.removed.append(&mut part.removed);
    all.values.append(&mut part.values);
}
