//! The beginning of every salvage: a file that does not parse as a legible text, in pieces that may parse on
//! their own.

use std::ops::Range;

use super::source::MAX_BYTES;

/// The text of a file, as far as it is read at all. Bytes that are no UTF-8 become `?`, one for one, so that
/// places stay true.
pub(in crate::terraform) fn legible(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(MAX_BYTES)];
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

/// The longest text that is taken for a path.
const MAX_PATH: usize = 1_024;

/// Where the quoted texts are that may be paths, with their quotes.
pub(in crate::terraform) fn quoted_paths(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let quoted = std::iter::from_fn(move || {
        loop {
            let open = at + memchr::memchr(b'"', &bytes[at..])?;
            let end = open + 1 + memchr::memchr2(b'"', b'\n', &bytes[open + 1..])?;
            if bytes[end] == b'"' {
                // In HCL a text may be followed by another text, in JSON its colon: the closing quote is not spent.
                at = end + 1;
                return Some(open..end + 1);
            }
            at = end;
        }
    });
    quoted.filter(|place| {
        let inner = &text[place.start + 1..place.end - 1];
        let path = !inner.is_empty() && inner.len() <= MAX_PATH && inner.contains(['/', '.']);
        path && !inner.contains("${")
    })
}

/// A new piece begins with each line that begins with a name: where `terraform fmt` puts blocks.
pub(in crate::terraform) fn pieces(text: &str) -> Vec<Range<usize>> {
    let begins = |at: usize| text.as_bytes().get(at).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
    let mut starts: Vec<usize> = std::iter::once(0).chain(lines.filter(|&at| begins(at))).collect();
    starts.dedup();
    let ends = starts.iter().skip(1).copied().chain([text.len()]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).map(|(start, end)| start..end).collect()
}
