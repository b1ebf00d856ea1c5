use std::{
    cell::{Cell, OnceCell},
    ops::Range,
};

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
    /// The file's text without the mark.
    whole: &'a str,
    /// The length of the mark.
    mark: usize,
    /// The place that was asked for last: the next one is mostly near.
    last: Cell<Located>,
    /// How often the next one stood before it.
    back: Cell<usize>,
    /// Where all lines begin, once that is worth knowing.
    lines: OnceCell<Vec<usize>>,
}

/// A byte of a text, the number of its line, and where that begins.
#[derive(Clone, Copy)]
struct Located {
    at: usize,
    line: usize,
    begin: usize,
}

/// Who looks back so often does not read from top to bottom.
const OFTEN: usize = 256;

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
        let mark = whole.len() - text.len();
        Self::at(text, text, mark, mark, Located { at: 0, line: 1, begin: 0 })
    }

    fn at(text: &'a str, whole: &'a str, shift: usize, mark: usize, last: Located) -> Self {
        Self { text, shift, whole, mark, last: Cell::new(last), back: Cell::new(0), lines: OnceCell::new() }
    }

    /// A part of the text as a source of its own, whose places are still those of the file.
    pub(in crate::terraform) fn part(&self, span: Range<usize>) -> Self {
        let (text, shift) = (self.spelled(span.clone()), self.shift + span.start);
        Self::at(text, self.whole, shift, self.mark, self.locate(shift - self.mark))
    }

    /// The place of a span of the text.
    pub(in crate::terraform) fn place(&self, span: Range<usize>) -> Place {
        let (start, end) = (span.start + self.shift, span.end + self.shift);
        let Located { line, begin, .. } = self.locate(start - self.mark);
        let begin = if line == 1 { 0 } else { begin + self.mark };
        Place { start, end, line, column: start - begin + 1 }
    }

    /// The line of a byte of the whole text.
    fn locate(&self, at: usize) -> Located {
        let bytes = self.whole.as_bytes();
        let at = at.min(bytes.len());
        let last = self.last.get();
        let located = if let Some(lines) = self.lines.get() {
            let line = lines.partition_point(|&begin| begin <= at);
            Located { at, line, begin: lines[line - 1] }
        } else if at >= last.at {
            let between = &bytes[last.at..at];
            let begin = memchr::memrchr(b'\n', between).map_or(last.begin, |end| last.at + end + 1);
            Located { at, line: last.line + memchr::memchr_iter(b'\n', between).count(), begin }
        } else {
            self.back.set(self.back.get() + 1);
            if self.back.get() == OFTEN {
                let ends = memchr::memchr_iter(b'\n', bytes).map(|end| end + 1);
                self.lines.get_or_init(|| std::iter::once(0).chain(ends).collect());
            }
            let between = memchr::memchr_iter(b'\n', &bytes[at..last.at]).count();
            let begin = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
            Located { at, line: last.line - between, begin }
        };
        self.last.set(located);
        located
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
    fn places_are_the_same_in_whatever_order_they_are_asked_for() {
        for mark in ["", BOM] {
            let whole = format!("{mark}a\n\nbc\r\n  d{}\nlast", "\n".repeat(40));
            let asked = Source::of(&whole);
            let mut at = 7;
            for _ in 0..4 * OFTEN {
                at = (at * 31 + 17) % (asked.text.len() + 1);
                let place = asked.place(at..at);
                let before = &whole[..at + mark.len()];
                let line = 1 + before.matches('\n').count();
                let column = 1 + before.len() - before.rfind('\n').map_or(0, |end| end + 1);
                assert_eq!((place.start, place.line, place.column), (before.len(), line, column));
                let part = asked.part(at..asked.text.len()).place(0..0);
                assert_eq!((part.line, part.column), (line, column));
            }
        }
    }

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
