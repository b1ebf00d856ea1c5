//! What can be made out of a file that does not parse: the blocks that parse on their own, and of the others
//! every quoted text that may be a path.

use std::ops::Range;

use super::{
    hcl,
    syntax::{Body, Span},
};
use crate::{
    proof::RepoPath,
    terraform::facts::{
        parse,
        pieces::{legible, pieces},
        source::Source,
    },
};

/// The longest text that is taken for a path.
const MAX_PATH: usize = 1_024;

/// The most texts of one file that are taken for paths.
const MAX_TEXTS: usize = 1_000;

pub(super) fn salvage(path: &RepoPath, bytes: &[u8], json: bool) -> (Body, Vec<(Span, String)>) {
    let text = legible(bytes);
    let source = Source::of(&text);
    let mark = text.len() - source.text.len();
    let (mut body, mut guesses) = (Body::default(), Vec::new());
    let chunks = if json { std::iter::once(0..source.text.len()).collect() } else { pieces(source.text) };
    for chunk in chunks {
        let part = source.part(chunk.clone());
        let parsed = (!json).then(|| parse::body(path, &part).ok()).flatten();
        match parsed {
            Some(parsed) => {
                let mut good = hcl::body(&parsed, mark + chunk.start);
                body.attributes.append(&mut good.attributes);
                body.blocks.append(&mut good.blocks);
            }
            None => guess(source.text, mark, chunk, &mut guesses),
        }
    }
    (body, guesses)
}

fn guess(text: &str, mark: usize, chunk: Range<usize>, guesses: &mut Vec<(Span, String)>) {
    let bytes = &text.as_bytes()[chunk.clone()];
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'"', &bytes[at..]).map(|skip| at + skip) {
        let end = bytes[open + 1..].iter().position(|&b| b == b'"' || b == b'\n').map(|skip| open + 1 + skip);
        let Some(end) = end else { break };
        if bytes[end] == b'\n' {
            at = end;
            continue;
        }
        at = end + 1;
        let inner = &text[chunk.start + open + 1..chunk.start + end];
        let path = !inner.is_empty() && inner.len() <= MAX_PATH && inner.contains(['/', '.']);
        if path && !inner.contains("${") && guesses.len() < MAX_TEXTS {
            let span = Span::of(Some(chunk.start + open..chunk.start + end + 1), mark);
            guesses.push((span, inner.to_owned()));
        }
    }
}
