//! A file cut into blocks, attributes and expressions, none of which is parsed before somebody asks.
//!
//! hcl-edit parses 8–10 MB a second; this only walks over the bytes. Whoever asks for an
//! expression gets it from hcl-edit, so what is parsed is parsed by one parser. Where the walk cannot be
//! sure to cut as hcl-edit would, it gives up, and the file is parsed as a whole.

use std::{cell::OnceCell, ops::Range};

use hcl_edit::expr::Expression;

use super::{pass, simple::Simple};

/// As deep as hcl-edit goes.
const MAX_DEPTH: usize = 64;

/// So many attributes there is room for from the start.
const USUAL_ATTRIBUTES: usize = 6;

/// The body of a file or of a block.
#[derive(Debug, Default)]
pub(in crate::terraform) struct SlicedBody<'a> {
    pub(in crate::terraform) attributes: Vec<SlicedAttribute<'a>>,
    pub(in crate::terraform) blocks: Vec<SlicedBlock<'a>>,
    /// Where its `}` is, or the end of the file; `None` for a body within one line.
    pub(in crate::terraform) end: Option<usize>,
}

#[derive(Debug)]
pub(in crate::terraform) struct SlicedAttribute<'a> {
    pub(in crate::terraform) name: &'a str,
    pub(in crate::terraform) name_start: usize,
    pub(in crate::terraform) value: Slice<'a>,
}

#[derive(Debug)]
pub(in crate::terraform) struct SlicedBlock<'a> {
    pub(in crate::terraform) kind: &'a str,
    pub(in crate::terraform) labels: Vec<&'a str>,
    /// Keyword and labels.
    pub(in crate::terraform) header: Range<usize>,
    pub(in crate::terraform) body: SlicedBody<'a>,
}

/// The text of an expression.
#[derive(Debug)]
pub(in crate::terraform) struct Slice<'a> {
    pub(in crate::terraform) text: &'a str,
    /// Where it begins.
    pub(in crate::terraform) start: usize,
    parsed: OnceCell<Option<Box<Expression>>>,
}

/// What an expression is at first sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::terraform) enum Shape<'a> {
    /// A text without escapes and interpolations: what is between its quotes.
    Text(&'a str),
    /// `true`, `false`, or a plain decimal number.
    Constant(&'a str),
    Null,
    /// Names with dots between them, at least two: `local.a.b`.
    Names(&'a str),
    /// Anything else.
    Other,
}

impl<'a> Slice<'a> {
    pub(in crate::terraform) fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The expression; `None` where it does not parse, which [`SlicedBody::failed`] remembers.
    pub(in crate::terraform) fn parsed(&self) -> Option<&Expression> {
        let parse = || hcl_edit::parser::parse_expr(self.text).ok().map(Box::new);
        self.parsed.get_or_init(parse).as_deref()
    }

    /// The expression, where it is of a plain kind; its places are counted from where it begins.
    pub(in crate::terraform) fn simple(&self) -> Option<Simple<'a>> {
        Simple::read(self.text)
    }

    pub(in crate::terraform) fn shape(&self) -> Shape<'a> {
        let text = self.text;
        match text.as_bytes() {
            [b'"', inner @ .., b'"'] if inner.iter().all(|&byte| PLAIN_IN_TEXT[usize::from(byte)]) => {
                Shape::Text(&text[1..text.len() - 1])
            }
            b"true" | b"false" | b"0" => Shape::Constant(text),
            b"null" => Shape::Null,
            [b'1'..=b'9', rest @ ..] if rest.len() < 15 && rest.iter().all(u8::is_ascii_digit) => {
                Shape::Constant(text)
            }
            bytes if is_names(bytes) => Shape::Names(text),
            _ => Shape::Other,
        }
    }
}

fn is_names(bytes: &[u8]) -> bool {
    let (mut begins, mut dots) = (true, false);
    for &byte in bytes {
        match byte {
            b'.' if !begins => (begins, dots) = (true, true),
            _ if begins && begins_name(byte) => begins = false,
            _ if !begins && continues_name(byte) => {}
            _ => return false,
        }
    }
    dots && !begins && ![&b"true."[..], b"false.", b"null."].iter().any(|word| bytes.starts_with(word))
}

pub(super) fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

pub(super) fn continues_name(byte: u8) -> bool {
    IN_NAMES[byte as usize]
}

impl<'a> SlicedBody<'a> {
    /// Cuts a file's text without byte-order mark. `None` where that is not certain.
    pub(in crate::terraform) fn of(text: &'a str) -> Option<Self> {
        Self::cut(text, false)
    }

    /// The same without the blocks that [`pass`](super::pass) knows to state nothing.
    pub(super) fn of_what_states(text: &'a str) -> Option<Self> {
        Self::cut(text, true)
    }

    fn cut(text: &'a str, passes: bool) -> Option<Self> {
        let mut knife = Knife { text, bytes: text.as_bytes(), at: 0, passes };
        let body = knife.body(0)?;
        (knife.at == knife.bytes.len()).then_some(body)
    }

    /// Whether two attributes of a body go by one name, which hcl-edit refuses.
    pub(in crate::terraform) fn repeats(&self) -> bool {
        let mut names: Vec<&str> = self.attributes.iter().map(|attribute| attribute.name).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
            || self.blocks.iter().any(|block| block.body.repeats())
    }

    /// Whether all of its expressions parse, and no name stands twice.
    pub(super) fn parses(&self) -> bool {
        let parses = |slice: &Slice<'_>| {
            slice.shape() != Shape::Other || slice.simple().is_some() || slice.parsed().is_some()
        };
        let mut names: Vec<&str> = self.attributes.iter().map(|attribute| attribute.name).collect();
        names.sort_unstable();
        !names.windows(2).any(|pair| pair[0] == pair[1])
            && self.attributes.iter().all(|attribute| parses(&attribute.value))
            && self.blocks.iter().all(|block| block.body.parses())
    }

    /// Whether an expression of it was asked for that does not parse.
    pub(in crate::terraform) fn failed(&self) -> bool {
        self.attributes.iter().any(|attribute| matches!(attribute.value.parsed.get(), Some(None)))
            || self.blocks.iter().any(|block| block.body.failed())
    }
}

/// The bytes of a name behind its first, and blanks.
const IN_NAMES: [bool; 256] = only(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
const BLANK: [bool; 256] = only(b" \t");
const BLANK_OR_LINE_END: [bool; 256] = only(b" \t\n");

/// The bytes of an expression, and those of a quoted text, that mean no more than themselves.
const PLAIN: [bool; 256] = all_but(b" \t\r\n\"#/<>,=()[]{}");
pub(super) const PLAIN_IN_TEXT: [bool; 256] = all_but(b"\"\\\r\n$%");

const fn all_but(special: &[u8]) -> [bool; 256] {
    marked(special, false)
}

const fn only(bytes: &[u8]) -> [bool; 256] {
    marked(bytes, true)
}

pub(super) const fn marked(bytes: &[u8], mark: bool) -> [bool; 256] {
    let mut table = [!mark; 256];
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = mark;
        at += 1;
    }
    table
}

/// Every method gives `None` where it is not certain.
pub(super) struct Knife<'a> {
    text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// Whether blocks of the file that state nothing are left out.
    passes: bool,
}

impl<'a> Knife<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes over bytes that mean no more than themselves.
    pub(super) fn skip(&mut self, plain: &[bool; 256]) {
        // An escape at the end of the file leads beyond it.
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&byte| !plain[usize::from(byte)]).unwrap_or(rest.len());
    }

    pub(super) fn starts(&self, text: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(text)
    }

    /// Up to the end of the file, or the `}` that closes the block.
    fn body(&mut self, depth: usize) -> Option<SlicedBody<'a>> {
        let room = if depth == 0 { 0 } else { USUAL_ATTRIBUTES };
        let mut body = SlicedBody { attributes: Vec::with_capacity(room), ..SlicedBody::default() };
        loop {
            self.lines()?;
            body.end = Some(self.at);
            match self.peek() {
                None => return (depth == 0).then_some(body),
                Some(b'}') => return (depth > 0).then_some(body),
                Some(_) => {}
            }
            let name = self.name()?;
            self.spaces()?;
            if self.peek()? == b'=' {
                body.attributes.push(self.attribute(name)?);
            } else {
                body.blocks.extend(self.block(name, depth)?);
            }
            self.line_end()?;
        }
    }

    fn attribute(&mut self, name: Range<usize>) -> Option<SlicedAttribute<'a>> {
        self.at += 1;
        self.spaces()?;
        let span = self.expression()?;
        let value = Slice { text: self.text.get(span.clone())?, start: span.start, parsed: OnceCell::new() };
        Some(SlicedAttribute { name: self.text.get(name.clone())?, name_start: name.start, value })
    }

    /// A block, unless it is passed over.
    fn block(&mut self, kind: Range<usize>, depth: usize) -> Option<Option<SlicedBlock<'a>>> {
        let mut labels = Vec::new();
        let mut header = kind.clone();
        let kind = self.text.get(kind)?;
        while let Some(label) = self.label()? {
            labels.push(label);
            header.end = self.at;
            self.spaces()?;
        }
        if depth == MAX_DEPTH {
            return None;
        }
        self.at += 1;
        if depth == 0 && self.passes && pass::may_be_passed(kind, &labels) {
            let begin = self.at;
            if self.passes_over_body()? {
                self.at += 1;
                return Some(None);
            }
            self.at = begin;
        }
        self.spaces()?;
        let body = if matches!(self.peek()?, b'\n' | b'\r' | b'#' | b'/') {
            self.line_end()?;
            self.body(depth + 1)?
        } else {
            self.within_a_line()?
        };
        self.at += 1;
        Some(Some(SlicedBlock { kind, labels, header, body }))
    }

    /// The next label of a block, or none before its `{`.
    fn label(&mut self) -> Option<Option<&'a str>> {
        let label = match self.peek()? {
            b'{' => return Some(None),
            b'"' => {
                let start = self.at + 1;
                let length = self.bytes[start..].iter().position(|b| b"\"\\\n{".contains(b))?;
                self.at = start + length;
                if self.peek() != Some(b'"') {
                    return None;
                }
                self.at += 1;
                start..start + length
            }
            _ => self.name()?,
        };
        Some(Some(self.text.get(label)?))
    }

    /// At most one attribute, up to `}`.
    fn within_a_line(&mut self) -> Option<SlicedBody<'a>> {
        let mut body = SlicedBody::default();
        if self.peek()? != b'}' {
            let name = self.name()?;
            self.spaces()?;
            if self.peek()? != b'=' {
                return None;
            }
            body.attributes.push(self.attribute(name)?);
            self.spaces()?;
        }
        (self.peek()? == b'}').then_some(body)
    }

    fn name(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        if !begins_name(self.peek()?) {
            return None;
        }
        self.skip(&IN_NAMES);
        // Letters outside of ASCII are left to hcl-edit.
        self.peek().is_none_or(|b| b.is_ascii()).then_some(start..self.at)
    }

    /// Blanks and comments within `/* */`.
    fn spaces(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.skip(&BLANK),
                Some(b'/') if self.starts(b"/*") => self.long_comment()?,
                _ => return Some(()),
            }
        }
    }

    /// Blanks, line ends and all comments.
    fn lines(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n') => self.skip(&BLANK_OR_LINE_END),
                Some(b'\r') if self.starts(b"\r\n") => self.at += 2,
                Some(b'#') => self.line_comment(),
                Some(b'/') if self.starts(b"//") => self.line_comment(),
                Some(b'/') if self.starts(b"/*") => self.long_comment()?,
                _ => return Some(()),
            }
        }
    }

    /// Blanks, a comment, and the end of the line or file.
    fn line_end(&mut self) -> Option<()> {
        self.spaces()?;
        if self.peek() == Some(b'#') || self.starts(b"//") {
            self.line_comment();
        }
        match self.peek() {
            None => Some(()),
            Some(b'\n') => {
                self.at += 1;
                Some(())
            }
            Some(b'\r') if self.starts(b"\r\n") => {
                self.at += 2;
                Some(())
            }
            _ => None,
        }
    }

    /// Up to the end of the line. A carriage return elsewhere than there leaves the walk standing before it.
    pub(super) fn line_comment(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    }

    pub(super) fn long_comment(&mut self) -> Option<()> {
        let from = self.at + 2;
        self.at = from + memchr::memmem::find(&self.bytes[from..], b"*/")? + 2;
        Some(())
    }

    /// An expression up to where its line ends, or the block's line, and the blanks and comments before that.
    fn expression(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let mut end = start;
        let mut open: Vec<u8> = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                _ if PLAIN[usize::from(byte)] => {
                    self.skip(&PLAIN);
                    end = self.at;
                }
                b' ' | b'\t' => self.at += 1,
                b'\n' if open.is_empty() => break,
                b'\n' => self.at += 1,
                b'\r' if !self.starts(b"\r\n") => return None,
                b'\r' if open.is_empty() => break,
                b'\r' => self.at += 2,
                b'}' if open.is_empty() => break,
                b'#' if open.is_empty() => break,
                b'#' => self.line_comment(),
                b'/' if self.starts(b"//") && open.is_empty() => break,
                b'/' if self.starts(b"//") => self.line_comment(),
                b'/' if self.starts(b"/*") => self.long_comment()?,
                _ => {
                    match byte {
                        b'"' => self.string(0)?,
                        b'<' if self.starts(b"<<") => self.heredoc()?,
                        b',' if open.is_empty() => return None,
                        // `==` where an attribute's `=` was taken off, and what follows a dot over lines.
                        b'=' if self.at == start => return None,
                        _ => self.bracket(&mut open)?,
                    }
                    end = self.at;
                }
            }
        }
        let ends_whole = open.is_empty() && end > start && self.bytes[end - 1] != b'.';
        ends_whole.then_some(start..end)
    }

    /// One byte of an expression, brackets told apart.
    fn bracket(&mut self, open: &mut Vec<u8>) -> Option<()> {
        match self.peek()? {
            byte @ (b'(' | b'[' | b'{') => {
                if open.len() == 2 * MAX_DEPTH {
                    return None;
                }
                open.push(if byte == b'(' { b')' } else { byte + 2 });
            }
            byte @ (b')' | b']' | b'}') if open.pop() != Some(byte) => return None,
            _ => {}
        }
        self.at += 1;
        Some(())
    }

    /// A quoted text with what is interpolated in it.
    pub(super) fn string(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        loop {
            self.skip(&PLAIN_IN_TEXT);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                b'\n' | b'\r' => return None,
                b'$' | b'%' => self.marker(depth)?,
                _ => self.at += 1,
            }
        }
    }

    /// `$` or `%`: an escaped marker, an interpolation or directive, or itself.
    fn marker(&mut self, depth: usize) -> Option<()> {
        let sign = self.peek()?;
        match self.bytes.get(self.at + 1..) {
            Some([second, b'{', ..]) if *second == sign => self.at += 3,
            Some([b'{', ..]) => self.interpolation(depth + 1)?,
            _ => self.at += 1,
        }
        Some(())
    }

    fn interpolation(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.at += 2;
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.peek()? {
                b'}' if open.is_empty() => {
                    self.at += 1;
                    return Some(());
                }
                byte if PLAIN[usize::from(byte)] => self.skip(&PLAIN),
                b' ' => self.at += 1,
                b'"' => self.string(depth)?,
                b'#' => return None,
                b'/' if self.starts(b"//") || self.starts(b"/*") => return None,
                b'<' if self.starts(b"<<") => return None,
                _ => self.bracket(&mut open)?,
            }
        }
    }

    /// A heredoc up to behind the word that closes it.
    pub(super) fn heredoc(&mut self) -> Option<()> {
        self.at += 2;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let word = self.name()?;
        let word = &self.bytes[word];
        match self.peek()? {
            b'\n' => self.at += 1,
            b'\r' if self.starts(b"\r\n") => self.at += 2,
            _ => return None,
        }
        loop {
            let line = self.at;
            while matches!(self.peek(), Some(b' ' | b'\t')) {
                self.at += 1;
            }
            if self.starts(word) && !self.bytes.get(self.at + word.len()).is_some_and(|&b| continues_name(b))
            {
                self.at += word.len();
                // Terraform wants the word alone on its line, hcl-edit does not.
                let rest = &self.bytes[self.at..];
                let alone = rest.iter().find(|b| !b" \t".contains(b)).is_none_or(|b| b"\r\n".contains(b));
                return alone.then_some(());
            }
            self.at = line;
            loop {
                let rest = &self.bytes[self.at..];
                self.at += memchr::memchr3(b'\n', b'$', b'%', rest)?;
                if self.bytes[self.at] == b'\n' {
                    self.at += 1;
                    break;
                }
                self.marker(0)?;
            }
        }
    }
}
