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
        pieces::{legible, pieces, quoted_paths},
        source::Source,
    },
};

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
    let text = &text[chunk.clone()];
    for quoted in quoted_paths(text).take(MAX_TEXTS.saturating_sub(guesses.len())) {
        let span = Span::of(Some(chunk.start + quoted.start..chunk.start + quoted.end), mark);
        guesses.push((span, text[quoted.start + 1..quoted.end - 1].to_owned()));
    }
}
