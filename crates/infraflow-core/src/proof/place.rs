use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Link, RepoPath};

/// Where something stands in a file: bytes from 0, and the line and column of the first one, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The line of the first byte, from 1.
    pub line: usize,
    /// Its column in bytes, from 1.
    pub column: usize,
}

impl Place {
    /// Where a file begins: the place of what is said of a file as a whole.
    pub const fn beginning() -> Self {
        Self { start: 0, end: 0, line: 1, column: 1 }
    }

    /// The bytes.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// A link of a reason's chain to this place of a file.
    pub fn link(&self, path: RepoPath, reference: impl Into<String>) -> Link {
        Link {
            path,
            start: self.start,
            end: self.end,
            line: self.line,
            column: self.column,
            reference: reference.into(),
        }
    }
}

/// Where the lines of a file begin, so that bytes can be told as a [`Place`].
///
/// ```
/// use infraflow_core::proof::Lines;
/// let lines = Lines::of(b"one\ntwo three\n");
/// let place = lines.place(8..13);
/// assert_eq!((place.line, place.column), (2, 5));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines(Vec<usize>);

impl Lines {
    /// The lines of a file; a carriage return before the end of one is part of it.
    pub fn of(content: &[u8]) -> Self {
        Self(std::iter::once(0).chain(memchr::memchr_iter(b'\n', content).map(|at| at + 1)).collect())
    }

    /// The place of a range of bytes, counted from the beginning of the file.
    pub fn place(&self, bytes: Range<usize>) -> Place {
        let line = self.0.partition_point(|&begin| begin <= bytes.start);
        let begin = self.0.get(line.wrapping_sub(1)).copied().unwrap_or_default();
        Place { start: bytes.start, end: bytes.end, line, column: bytes.start - begin + 1 }
    }
}

/// The longest piece of source that a reason quotes.
const LONGEST_QUOTE: usize = 120;

/// A piece of source on one line, shortened, as reasons quote it.
pub(crate) fn quote(source: &[u8]) -> String {
    // No more than this can be quoted, however long the piece is.
    let text = String::from_utf8_lossy(&source[..source.len().min(LONGEST_QUOTE * 64)]);
    let mut quoted = String::new();
    for word in text.split_whitespace() {
        if !quoted.is_empty() {
            quoted.push(' ');
        }
        quoted.push_str(word);
        if quoted.len() > LONGEST_QUOTE {
            let end = (0..=LONGEST_QUOTE).rev().find(|&at| quoted.is_char_boundary(at)).unwrap_or(0);
            quoted.truncate(end);
            quoted.push('…');
            break;
        }
    }
    quoted
}
