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

/// A new piece begins with each line that begins with a name: where `terraform fmt` puts blocks.
pub(in crate::terraform) fn pieces(text: &str) -> Vec<Range<usize>> {
    let begins = |at: usize| text.as_bytes().get(at).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
    let mut starts: Vec<usize> = std::iter::once(0).chain(lines.filter(|&at| begins(at))).collect();
    starts.dedup();
    let ends = starts.iter().skip(1).copied().chain([text.len()]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).map(|(start, end)| start..end).collect()
}
