use std::{ops::Range, sync::Arc};

use super::{FactsError, Place, Text};
use crate::proof::RepoPath;

/// The most bytes that are read of one file. The largest configuration files in use are a few hundred
/// kilobytes; at 8 MB/s this is a second.
pub(in crate::terraform) const MAX_BYTES: usize = 8 << 20;

const BOM: &str = "\u{feff}";

/// A file's text, and where its lines begin.
pub(in crate::terraform) struct Source<'a> {
    /// The text without a byte-order mark.
    pub(in crate::terraform) text: &'a str,
    /// What the mark, and what stands before a part, take off every offset.
    shift: usize,
    /// Where lines begin in the file, in offsets of the text without the mark.
    lines: Arc<[usize]>,
    /// The length of the mark.
    mark: usize,
}

impl<'a> Source<'a> {
    pub(in crate::terraform) fn new(path: &RepoPath, bytes: &'a [u8]) -> Result<Self, FactsError> {
        if bytes.len() > MAX_BYTES {
            let (what, found, limit) = ("its size in bytes", bytes.len(), MAX_BYTES);
            return Err(FactsError::TooLarge { path: path.clone(), what, found, limit });
        }
        let whole = std::str::from_utf8(bytes)
            .map_err(|error| FactsError::NotUtf8 { path: path.clone(), offset: error.valid_up_to() })?;
        Ok(Self::of(whole))
    }

    pub(in crate::terraform) fn of(whole: &'a str) -> Self {
        let text = whole.strip_prefix(BOM).unwrap_or(whole);
        let lines = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        let mark = whole.len() - text.len();
        Self { text, shift: mark, lines: lines.collect(), mark }
    }

    /// A part of the text as a source of its own, whose places are still those of the file.
    pub(in crate::terraform) fn part(&self, span: Range<usize>) -> Self {
        let (text, shift) = (self.spelled(span.clone()), self.shift + span.start);
        Self { text, shift, lines: Arc::clone(&self.lines), mark: self.mark }
    }

    /// The place of a span of the text.
    pub(in crate::terraform) fn place(&self, span: Range<usize>) -> Place {
        let (start, end) = (span.start + self.shift, span.end + self.shift);
        let line = self.lines.partition_point(|&begin| begin + self.mark <= start).max(1);
        let line_start = if line == 1 { 0 } else { self.lines[line - 1] + self.mark };
        Place { start, end, line, column: start - line_start + 1 }
    }

    /// What stands there.
    pub(in crate::terraform) fn spelled(&self, span: Range<usize>) -> &'a str {
        self.text.get(span).unwrap_or_default()
    }

    /// The bytes of a span as a text of their own.
    pub(in crate::terraform) fn verbatim(&self, span: Range<usize>) -> Text {
        Text { value: self.spelled(span.clone()).to_owned(), place: self.place(span), verbatim: true }
    }

    /// A constant whose quotes are the first and last byte of the span.
    pub(in crate::terraform) fn quoted(&self, value: &str, span: Range<usize>) -> Text {
        let inner = span.start + 1..span.end.saturating_sub(1).max(span.start + 1);
        let verbatim = self.spelled(inner.clone()) == value;
        Text { value: value.to_owned(), place: self.place(inner), verbatim }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_a_byte_order_mark_and_carriage_returns() {
        let whole = "\u{feff}a\r\nbc\r\n";
        let source = Source::of(whole);
        let at = source.text.find("bc").unwrap();
        let place = source.place(at..at + 2);
        assert_eq!(&whole.as_bytes()[place.range()], b"bc");
        assert_eq!((place.line, place.column), (2, 1));
        let first = source.place(0..1);
        let link = crate::proof::Link::at(RepoPath::root(), whole.as_bytes(), first.range(), "");
        assert_eq!((first.line, first.column), (link.line, link.column));
    }
}
