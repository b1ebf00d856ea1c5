use std::sync::Arc;

use super::{
    Redacted, Redaction, RedactionReport,
    held::Held,
    reading::{Reading, View, keep_those_that_differ},
    secret_redactor::Known,
    text::{Escapes, Found, begins_string},
};

/// How much of a chunk is looked at before what can be shown is given out.
const STEP: usize = 16 * 1024;

/// One redaction under way. What may yet turn out to be part of a secret is held, and no more.
pub(super) struct Running {
    known: Arc<Known>,
    held: Held,
    escapes: Escapes,
    /// Where the escape sequence begins that has not ended.
    escape_from: Option<usize>,
    /// The log as its bytes are.
    raw: View,
    /// The log without escape sequences, read in all ways that may still differ in what they find. In the
    /// first, all are dropped whole.
    readings: Vec<Reading>,
}

impl Redaction for Running {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        for part in chunk.chunks(STEP) {
            part.iter().for_each(|&byte| self.take(byte));
            self.held.give(self.decided(), out);
        }
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> RedactionReport {
        let end = self.held.end();
        self.unfinished_escape(end);
        for reading in &mut self.readings {
            reading.finish(&self.known, &mut self.held);
        }
        self.held.give(end, out);
        let names = self.known.names.iter().zip(self.held.counts()).filter(|&(_, &count)| count > 0);
        RedactionReport {
            redacted: names.map(|(name, &count)| Redacted { name: name.clone(), count }).collect(),
            left_alone: self.known.left_alone.clone(),
        }
    }
}

impl Running {
    pub(super) fn new(known: Arc<Known>) -> Self {
        Self {
            held: Held::new(known.names.len()),
            escapes: Escapes::default(),
            escape_from: None,
            raw: View::new(known.start),
            readings: vec![Reading::new(known.start)],
            known,
        }
    }

    fn take(&mut self, byte: u8) {
        let at = self.held.push(byte);
        if let Some((from, secret)) = self.raw.next(at, byte, &self.known, |pattern| pattern.shown) {
            self.held.goes(from..at + 1);
            self.held.hide(from..at + 1, secret);
        }
        loop {
            match self.escapes.next(byte) {
                Found::Text => {
                    self.held.goes(at..at + 1);
                    for reading in &mut self.readings {
                        reading.take(at, &self.known, &mut self.held);
                    }
                    keep_those_that_differ(&mut self.readings);
                }
                Found::Undecided => self.escape_from = Some(self.escape_from.unwrap_or(at)),
                Found::Escape => self.escape(at + 1),
                Found::Unfinished => {
                    self.unfinished_escape(at);
                    continue;
                }
            }
            break;
        }
    }

    /// An escape sequence that something else cuts short does not stay where a secret goes: it would
    /// take in what follows.
    fn unfinished_escape(&mut self, end: usize) {
        self.held.goes(self.escape_from.unwrap_or(end)..end);
        self.escape(end);
    }

    /// From here on there are several ways to read the log: this escape sequence may be dropped whole, or
    /// only its ESC, and where it begins a string, that may be dropped as well.
    fn escape(&mut self, end: usize) {
        let Some(from) = self.escape_from.take() else { return };
        let string = end - from == 2 && begins_string(self.held.byte(end - 1));
        for index in 0..self.readings.len() {
            let mut text = self.readings[index].clone();
            text.take_as_text(from..end, &self.known, &mut self.held);
            self.readings.push(text);
            self.readings[index].drop_whole(from..end, self.known.start);
            if string {
                let without_string = self.readings[index].within_string(from..end);
                self.readings.push(without_string);
            }
        }
        keep_those_that_differ(&mut self.readings);
    }

    /// The place before which nothing can be part of a secret that may yet be found.
    fn decided(&self) -> usize {
        let undecided = self.readings.iter().filter_map(Reading::begin);
        let at = undecided.chain(self.escape_from).chain(self.raw.begin()).min();
        self.held.between_characters(at.unwrap_or(self.held.end()))
    }
}
