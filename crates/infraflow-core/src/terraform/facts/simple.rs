//! Expressions of the few plain kinds that most are of, read without a parser: texts, numbers, names, and calls, lists
//! and objects of them.
//!
//! To parse `{ name = "x" }` with hcl-edit takes ten times as long. What is not certain here is left to it, so that
//! this knows neither operators nor indexes, comments, escapes or anything that may mean more than it seems to.

use std::ops::Range;

use super::slice::{PLAIN_IN_TEXT, begins_name, continues_name};

/// Deeper expressions are left to the parser.
const MAX_DEPTH: usize = 8;

/// Numbers of more digits may not be what they are written as.
const MAX_DIGITS: usize = 15;

/// A plain expression, and where it stands in the text that was read.
#[derive(Debug)]
pub(in crate::terraform) struct Simple<'a> {
    pub(in crate::terraform) span: Range<usize>,
    pub(in crate::terraform) kind: Kind<'a>,
}

#[derive(Debug)]
pub(in crate::terraform) enum Kind<'a> {
    Text(&'a str),
    /// A text in which names are interpolated.
    Template(Vec<Part<'a>>),
    /// `true` or `false`.
    Bool(bool),
    /// Digits.
    Number(&'a str),
    Null,
    /// One name, or several with dots between them.
    Names(&'a str),
    Call(&'a str, Vec<Simple<'a>>),
    List(Vec<Simple<'a>>),
    /// Keys, with where they stand, and values.
    Object(Vec<(&'a str, Range<usize>, Simple<'a>)>),
}

/// A part of a text.
#[derive(Debug)]
pub(in crate::terraform) enum Part<'a> {
    Literal(&'a str),
    /// Names, and where they stand.
    Names(&'a str, Range<usize>),
}

impl<'a> Simple<'a> {
    /// Reads the text of an expression; `None` where a parser has to.
    pub(in crate::terraform) fn read(text: &'a str) -> Option<Self> {
        let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
        let expression = reader.expression(0)?;
        (reader.at == text.len()).then_some(expression)
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        let rest = &self.bytes[start..];
        self.at += rest.iter().position(|&byte| !belongs(byte)).unwrap_or(rest.len());
        &self.text[start..self.at]
    }

    fn blanks(&mut self) {
        self.run(|byte| byte == b' ' || byte == b'\t');
    }

    fn blanks_and_lines(&mut self) {
        self.run(|byte| matches!(byte, b' ' | b'\t' | b'\n'));
    }

    fn expression(&mut self, depth: usize) -> Option<Simple<'a>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let start = self.at;
        let kind = match self.peek()? {
            b'"' => self.quoted()?,
            b'[' => Kind::List(self.items(b']', depth)?),
            b'{' => Kind::Object(self.members(depth)?),
            b'0'..=b'9' => {
                let digits = self.run(|byte| byte.is_ascii_digit());
                let plain = digits == "0" || !digits.starts_with('0') && digits.len() <= MAX_DIGITS;
                if !plain || self.peek().is_some_and(|byte| byte == b'.' || continues_name(byte)) {
                    return None;
                }
                Kind::Number(digits)
            }
            byte if begins_name(byte) => self.named(depth)?,
            _ => return None,
        };
        Some(Simple { span: start..self.at, kind })
    }

    fn quoted(&mut self) -> Option<Kind<'a>> {
        self.at += 1;
        let first = self.run(|byte| PLAIN_IN_TEXT[usize::from(byte)]);
        if self.peek()? == b'"' {
            self.at += 1;
            return Some(Kind::Text(first));
        }
        let mut parts = Vec::new();
        let mut literal = first;
        loop {
            if !literal.is_empty() {
                parts.push(Part::Literal(literal));
            }
            match self.peek()? {
                b'"' => break,
                b'$' => {}
                _ => return None,
            }
            // `$$` is an escape, and a `$` alone is itself.
            if self.bytes.get(self.at + 1) != Some(&b'{') {
                return None;
            }
            self.at += 2;
            self.blanks();
            let start = self.at;
            let names = self.names()?;
            let span = start..self.at;
            self.blanks();
            if self.peek()? != b'}' {
                return None;
            }
            self.at += 1;
            parts.push(Part::Names(names, span));
            literal = self.run(|byte| PLAIN_IN_TEXT[usize::from(byte)]);
        }
        self.at += 1;
        Some(Kind::Template(parts))
    }

    /// Names with dots between them, none of which is a keyword.
    fn names(&mut self) -> Option<&'a str> {
        let start = self.at;
        loop {
            if !begins_name(self.peek()?) {
                return None;
            }
            let name = self.run(continues_name);
            if ["true", "false", "null", "for"].contains(&name) {
                return None;
            }
            match self.peek() {
                Some(b'.') => self.at += 1,
                // An index, a function of a provider, or letters that only the parser knows.
                Some(b'[' | b'(' | b':') => return None,
                Some(byte) if !byte.is_ascii() => return None,
                _ => return Some(&self.text[start..self.at]),
            }
        }
    }

    fn named(&mut self, depth: usize) -> Option<Kind<'a>> {
        let start = self.at;
        let name = self.run(continues_name);
        if self.peek() == Some(b'(') {
            return Some(Kind::Call(name, self.items(b')', depth)?));
        }
        let keyword = match name {
            "true" => Some(Kind::Bool(true)),
            "false" => Some(Kind::Bool(false)),
            "null" => Some(Kind::Null),
            _ => None,
        };
        if let Some(keyword) = keyword {
            return (self.peek() != Some(b'.')).then_some(keyword);
        }
        self.at = start;
        self.names().map(Kind::Names)
    }

    /// Expressions with commas between them, and what closes them.
    fn items(&mut self, close: u8, depth: usize) -> Option<Vec<Simple<'a>>> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.blanks_and_lines();
            if self.peek()? == close {
                break;
            }
            items.push(self.expression(depth + 1)?);
            self.blanks_and_lines();
            match self.peek()? {
                b',' => self.at += 1,
                byte if byte == close => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(items)
    }

    fn members(&mut self, depth: usize) -> Option<Vec<(&'a str, Range<usize>, Simple<'a>)>> {
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.blanks_and_lines();
            let start = self.at;
            let key = match self.peek()? {
                b'}' => break,
                b'"' => match self.quoted()? {
                    Kind::Text(key) => key,
                    _ => return None,
                },
                byte if begins_name(byte) => self.run(continues_name),
                _ => return None,
            };
            let span = start..self.at;
            if ["true", "false", "null", "for"].contains(&key) {
                return None;
            }
            self.blanks();
            if !matches!(self.peek()?, b'=' | b':') {
                return None;
            }
            self.at += 1;
            self.blanks();
            members.push((key, span, self.expression(depth + 1)?));
            self.blanks();
            match self.peek()? {
                b',' | b'\n' => self.at += 1,
                b'}' => {}
                _ => return None,
            }
        }
        self.at += 1;
        Some(members)
    }
}
