//! A record as it stands in an index. Its paths and texts are much the same ones over and over: each is written once,
//! a path from where it parts with that of the record, and else a number stands for it.
//!
//! Numbers are LEB128. What most records do not have is written by postcard. A record in bytes:
//!
//! ```text
//! key       path, dialect
//! flags
//! words     of each: how many bytes it shares with the key's path, and its other bytes
//! directory, marks, edges, lends, calls, state
//! rest      open reads, defaults, broken files, warnings: where there are any
//! ```

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    MarkKind,
    glob::Glob,
    record::{Broken, CallRecord, Edge, End, Key, Open, Proof, Record},
};
use crate::{
    proof::{Digest, RepoPath},
    terraform::facts::{Place, StaticValue, Text},
};

/// What most records have none of.
type Rest = (Vec<Open>, BTreeMap<String, StaticValue>, Vec<Broken>, Vec<(bool, String)>);

// What holds of a record.
const TEST: u8 = 1;
const VALUED: u8 = 1 << 1;
const TAKES_VALUES: u8 = 1 << 2;
const HAS_STATE: u8 = 1 << 3;
const HAS_REST: u8 = 1 << 4;

// What holds of an edge.
const WHEN_RUN: u8 = 1;
const LOOKED: u8 = 1 << 1;
const HAS_PART: u8 = 1 << 2;

// What holds of a call.
const HAS_TARGET: u8 = 1;
const HAS_SOURCE: u8 = 1 << 1;
const HAS_VERSION: u8 = 1 << 2;
const LEAVES_OUT: u8 = 1 << 3;

// Where an edge ends.
const SCOPE: u8 = 0;
const STATE: u8 = 1;
const FILE: u8 = 2;
const SUBTREE: u8 = 3;
const BELOW: u8 = 4;
const MATCHING: u8 = 5;

/// Writes a record behind what is there.
pub(super) fn write(record: &Record, out: &mut Vec<u8>) {
    let mut body = Body { words: Words::default(), bytes: Vec::with_capacity(512) };
    body.path(&record.directory);
    body.number(record.marks.len());
    body.bytes.extend(record.marks.iter().map(|&mark| mark as u8));
    body.number(record.edges.len());
    record.edges.iter().for_each(|edge| body.edge(edge));
    body.number(record.lends.len());
    record.lends.iter().for_each(|path| body.path(path));
    body.number(record.calls.len());
    record.calls.iter().for_each(|call| body.call(call));
    if let Some(state) = &record.state {
        body.path(state);
    }
    let Record { key, valued, takes_values, state, open, defaults, unparsable, warnings, .. } = record;
    let rest = !(open.is_empty() && defaults.is_empty() && unparsable.is_empty() && warnings.is_empty());
    if rest {
        body.plain(&(open, defaults, unparsable, warnings));
    }
    let at = key.at.as_bytes();
    text(out, at);
    out.push(key.dialect);
    let state = state.is_some();
    out.push(flags(&[
        (key.test, TEST),
        (*valued, VALUED),
        (*takes_values, TAKES_VALUES),
        (state, HAS_STATE),
        (rest, HAS_REST),
    ]));
    number(out, body.words.words.len());
    for word in &body.words.words {
        let shared = word.iter().zip(at).take_while(|(one, other)| one == other).count();
        number(out, shared);
        text(out, &word[shared..]);
    }
    out.extend_from_slice(&body.bytes);
}

fn flags(of: &[(bool, u8)]) -> u8 {
    of.iter().map(|&(holds, flag)| if holds { flag } else { 0 }).sum()
}

fn number(out: &mut Vec<u8>, number: usize) {
    let mut left = number;
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Few words are found faster by looking at each.
const FEW: usize = 24;

/// The words of a record, each with its number.
#[derive(Default)]
struct Words<'r> {
    words: Vec<&'r [u8]>,
    numbers: HashMap<&'r [u8], usize>,
}

impl<'r> Words<'r> {
    fn number(&mut self, word: &'r [u8]) -> usize {
        let known = match self.words.len() <= FEW {
            true => self.words.iter().position(|known| *known == word),
            false => self.numbers.get(word).copied(),
        };
        if let Some(known) = known {
            return known;
        }
        let number = self.words.len();
        self.words.push(word);
        if self.words.len() > FEW {
            if self.numbers.is_empty() {
                self.numbers.extend(self.words.iter().copied().zip(0..));
            }
            self.numbers.insert(word, number);
        }
        number
    }
}

/// What stands behind the words, on its way into bytes.
struct Body<'r> {
    words: Words<'r>,
    bytes: Vec<u8>,
}

impl<'r> Body<'r> {
    fn number(&mut self, of: usize) {
        number(&mut self.bytes, of);
    }

    fn word(&mut self, word: &'r [u8]) {
        let of = self.words.number(word);
        self.number(of);
    }

    fn path(&mut self, path: &'r RepoPath) {
        self.word(path.as_bytes());
    }

    fn place(&mut self, place: Place) {
        for of in [place.start, place.end, place.line, place.column] {
            self.number(of);
        }
    }

    fn plain(&mut self, value: &impl Serialize) {
        // Writing plain data to memory cannot fail; a record that were cut short would be refused when it is read.
        if let Ok(written) = postcard::to_extend(value, std::mem::take(&mut self.bytes)) {
            self.bytes = written;
        }
    }

    fn edge(&mut self, edge: &'r Edge) {
        let (end, path) = match &edge.to {
            End::Scope(path) => (SCOPE, path),
            End::State(path) => (STATE, path),
            End::File(path) => (FILE, path),
            End::Subtree(path) => (SUBTREE, path),
            End::Below(path) => (BELOW, path),
            End::Matching { directory, .. } => (MATCHING, directory),
        };
        let (when_run, looked, part) = (edge.when_run, edge.looked, edge.part.is_some());
        let flags = flags(&[(when_run, WHEN_RUN), (looked, LOOKED), (part, HAS_PART)]);
        self.bytes.extend_from_slice(&[end, edge.kind as u8, flags]);
        self.path(path);
        if let End::Matching { glob, unknown, except, .. } = &edge.to {
            self.plain(&(glob, unknown, except));
        }
        if let Some(part) = &edge.part {
            self.plain(part);
        }
        self.number(edge.proofs.len());
        for proof in &edge.proofs {
            self.path(&proof.file);
            self.place(proof.place);
            self.word(proof.text.as_bytes());
        }
    }

    fn call(&mut self, call: &'r CallRecord) {
        let CallRecord { name, in_file, place, source, version, target, left_out } = call;
        self.bytes.push(flags(&[
            (target.is_some(), HAS_TARGET),
            (source.is_some(), HAS_SOURCE),
            (version.is_some(), HAS_VERSION),
            (!left_out.is_empty(), LEAVES_OUT),
        ]));
        text(&mut self.bytes, name.as_bytes());
        self.path(in_file);
        self.place(*place);
        if let Some(target) = target {
            self.path(target);
        }
        for of in [source, version].into_iter().flatten() {
            text(&mut self.bytes, of.value.as_bytes());
            self.place(of.place);
            self.bytes.push(u8::from(of.verbatim));
        }
        if !left_out.is_empty() {
            self.number(left_out.len());
            left_out.iter().for_each(|glob| text(&mut self.bytes, glob.as_bytes()));
        }
    }
}

/// What tells the record that was written from others; `None` where the bytes are none.
pub(super) fn key(bytes: &[u8]) -> Option<Key> {
    let mut from = Reader { rest: bytes, words: Vec::new() };
    let at = RepoPath::parse(from.text()?).ok()?;
    let (dialect, flags) = (from.byte()?, from.byte()?);
    Some(Key { at, dialect, test: flags & TEST != 0 })
}

/// The record that was written; `None` where the bytes are none.
pub(super) fn read(bytes: &[u8]) -> Option<Record> {
    let mut from = Reader { rest: bytes, words: Vec::new() };
    let at = from.text()?;
    let (dialect, flags) = (from.byte()?, from.byte()?);
    for _ in 0..from.count()? {
        let mut word = at.get(..from.number()?)?.to_vec();
        word.extend_from_slice(from.text()?);
        from.words.push(Word { bytes: word, path: None });
    }
    let directory = from.path()?;
    let marks = from.each(Reader::kind::<MarkKind>)?;
    let edges = from.each(Reader::edge)?;
    let lends = from.each(Reader::path)?;
    let calls = from.each(Reader::call)?;
    let state = if flags & HAS_STATE != 0 { Some(from.path()?) } else { None };
    let (open, defaults, unparsable, warnings): Rest =
        if flags & HAS_REST != 0 { from.plain()? } else { Rest::default() };
    let key = Key { at: RepoPath::parse(at).ok()?, dialect, test: flags & TEST != 0 };
    from.rest.is_empty().then_some(Record {
        key,
        directory,
        marks,
        valued: flags & VALUED != 0,
        takes_values: flags & TAKES_VALUES != 0,
        edges,
        state,
        lends,
        open,
        defaults,
        calls,
        unparsable,
        warnings,
    })
}

/// A path or text, and the path once somebody asked for it.
struct Word {
    bytes: Vec<u8>,
    path: Option<RepoPath>,
}

/// Every method gives `None` where the bytes are not what they should be.
struct Reader<'b> {
    rest: &'b [u8],
    words: Vec<Word>,
}

impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = 0_usize;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// How many follow, each of which takes a byte at least.
    fn count(&mut self) -> Option<usize> {
        self.number().filter(|&count| count <= self.rest.len())
    }

    fn text(&mut self) -> Option<&'b [u8]> {
        let length = self.number()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(text)
    }

    fn string(&mut self) -> Option<String> {
        Some(std::str::from_utf8(self.text()?).ok()?.to_owned())
    }

    fn each<T>(&mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()?;
        (0..count).map(|_| one(self)).collect()
    }

    fn word(&mut self) -> Option<&mut Word> {
        let number = self.number()?;
        self.words.get_mut(number)
    }

    fn path(&mut self) -> Option<RepoPath> {
        let word = self.word()?;
        if word.path.is_none() {
            word.path = Some(RepoPath::parse(&word.bytes).ok()?);
        }
        word.path.clone()
    }

    fn place(&mut self) -> Option<Place> {
        let (start, end) = (self.number()?, self.number()?);
        Some(Place { start, end, line: self.number()?, column: self.number()? })
    }

    fn plain<T: DeserializeOwned>(&mut self) -> Option<T> {
        // Nothing that borrows is read.
        let rest = self.rest;
        let (value, rest) = postcard::take_from_bytes(rest).ok()?;
        self.rest = rest;
        Some(value)
    }

    /// One of a few, by its number: as postcard has it.
    fn kind<T: DeserializeOwned>(&mut self) -> Option<T> {
        postcard::from_bytes(&[self.byte()?]).ok()
    }

    fn edge(&mut self) -> Option<Edge> {
        let (end, kind, flags) = (self.byte()?, self.kind()?, self.byte()?);
        let path = self.path()?;
        let to = match end {
            SCOPE => End::Scope(path),
            STATE => End::State(path),
            FILE => End::File(path),
            SUBTREE => End::Subtree(path),
            BELOW => End::Below(path),
            MATCHING => {
                let (glob, unknown, except): (Glob, bool, Vec<Glob>) = self.plain()?;
                End::Matching { directory: path, glob, unknown, except }
            }
            _ => return None,
        };
        let part: Option<Digest> = if flags & HAS_PART != 0 { Some(self.plain()?) } else { None };
        let proofs = self.each(Self::proof)?;
        Some(Edge { to, kind, when_run: flags & WHEN_RUN != 0, looked: flags & LOOKED != 0, part, proofs })
    }

    fn proof(&mut self) -> Option<Proof> {
        let (file, place) = (self.path()?, self.place()?);
        let text: Arc<str> = std::str::from_utf8(&self.word()?.bytes).ok()?.into();
        Some(Proof { file, place, text })
    }

    fn call(&mut self) -> Option<CallRecord> {
        let flags = self.byte()?;
        let (name, in_file, place) = (self.string()?, self.path()?, self.place()?);
        let target = if flags & HAS_TARGET != 0 { Some(self.path()?) } else { None };
        let source = if flags & HAS_SOURCE != 0 { Some(self.located()?) } else { None };
        let version = if flags & HAS_VERSION != 0 { Some(self.located()?) } else { None };
        let left_out = if flags & LEAVES_OUT != 0 { self.each(Reader::string)? } else { Vec::new() };
        Some(CallRecord { name, in_file, place, source, version, target, left_out })
    }

    fn located(&mut self) -> Option<Text> {
        let (value, place) = (self.string()?, self.place()?);
        Some(Text { value, place, verbatim: self.byte()? != 0 })
    }
}

#[cfg(test)]
mod tests;
