//! The ways to read a log: what of it shows depends on who reads.

use std::{collections::VecDeque, ops::Range};

use aho_corasick::{
    Anchored,
    automaton::{Automaton as _, StateID},
};

use super::{
    held::Held,
    secret_redactor::{Known, Pattern},
    text::{BELL, Lines, Shown},
};

/// How many bytes that a view passes over may stand between two that it looks at, within one secret.
pub(super) const GAP: usize = 1024;
/// How many ways to read a log are followed at once. There are several only near an escape sequence whose
/// bytes could themselves be part of a secret, or within which one was begun.
const MOST: usize = 32;

/// How far one view of the log has come in the automaton.
#[derive(Clone)]
pub(super) struct View {
    state: StateID,
    /// The places of the bytes that the longest match under way has.
    places: VecDeque<usize>,
    /// How many bytes it passed over since the last one it looked at.
    gap: usize,
}

impl View {
    pub(super) fn new(start: StateID) -> Self {
        Self { state: start, places: VecDeque::new(), gap: 0 }
    }

    /// Where the longest match under way begins.
    pub(super) fn begin(&self) -> Option<usize> {
        self.places.front().copied()
    }

    fn pass_over(&mut self, count: usize, start: StateID) {
        self.gap += count;
        if self.gap > GAP {
            self.state = start;
            self.places.clear();
        }
    }

    /// Looks at a byte. Returns where the longest pattern begins that ends with it, and whose it is.
    pub(super) fn next(
        &mut self,
        at: usize,
        byte: u8,
        known: &Known,
        wanted: impl Fn(&Pattern) -> bool,
    ) -> Option<(usize, u32)> {
        let automaton = &known.automaton;
        self.gap = 0;
        self.state = automaton.next_state(Anchored::No, self.state, byte);
        if self.state == known.start {
            self.places.clear();
            return None;
        }
        self.places.push_back(at);
        let depth = known.depth(self.state);
        while self.places.len() > depth {
            self.places.pop_front();
        }
        if !automaton.is_special(self.state) || !automaton.is_match(self.state) {
            return None;
        }
        let longest = (0..automaton.match_len(self.state))
            .map(|index| &known.patterns[automaton.match_pattern(self.state, index).as_usize()])
            .filter(|pattern| wanted(pattern))
            .max_by_key(|pattern| pattern.length)?;
        let first = self.places.len().checked_sub(longest.length)?;
        Some((self.places[first], longest.secret))
    }

    /// Whether it finds nothing that the other does not find.
    fn adds_nothing_to(&self, other: &Self) -> bool {
        self.places.is_empty()
            || (self.state == other.state && self.gap >= other.gap && self.places == other.places)
    }
}

/// One way to read the log, with white space and without.
#[derive(Clone)]
pub(super) struct Reading {
    visible: View,
    solid: View,
    lines: Lines,
    /// The bytes that may be a mark: at most two.
    marks: Vec<usize>,
    /// Whether it is within a string that is dropped.
    string: bool,
    /// The escape sequences that it does not drop whole, as far as a match under way may go back.
    as_text: Vec<Range<usize>>,
}

impl Reading {
    pub(super) fn new(start: StateID) -> Self {
        Self {
            visible: View::new(start),
            solid: View::new(start),
            lines: Lines::BEGINNING,
            marks: Vec::new(),
            string: false,
            as_text: Vec::new(),
        }
    }

    /// Before which place no match under way begins.
    pub(super) fn begin(&self) -> Option<usize> {
        let marks = self.marks.first().copied();
        marks.into_iter().chain(self.visible.begin()).chain(self.solid.begin()).min()
    }

    /// Takes a byte that is no escape sequence, or read as if it were none.
    pub(super) fn take(&mut self, at: usize, known: &Known, held: &mut Held) {
        let byte = held.byte(at);
        if self.string {
            self.string = byte != BELL;
            self.pass_over(1, known.start);
            return;
        }
        if let Some((from, secret)) = self.visible.next(at, byte, known, |pattern| pattern.shown) {
            self.hide(from..at + 1, secret, held);
        }
        loop {
            match self.lines.next(byte) {
                Shown::Solid => self.take_solid(at, known, held),
                Shown::Undecided => self.marks.push(at),
                Shown::PassedOver => {
                    self.solid.pass_over(self.marks.len() + 1, known.start);
                    self.marks.clear();
                }
                Shown::WasSolid => {
                    self.finish(known, held);
                    continue;
                }
            }
            break;
        }
    }

    /// What may have been a mark was none.
    pub(super) fn finish(&mut self, known: &Known, held: &mut Held) {
        for at in std::mem::take(&mut self.marks) {
            self.take_solid(at, known, held);
        }
    }

    /// Passes over an escape sequence.
    pub(super) fn drop_whole(&mut self, sequence: Range<usize>, start: StateID) {
        self.string = false;
        self.pass_over(sequence.len(), start);
    }

    /// Passes over the ESC of an escape sequence, and reads on after it.
    pub(super) fn take_as_text(&mut self, sequence: Range<usize>, known: &Known, held: &mut Held) {
        self.string = false;
        self.remember_as_text(sequence.clone());
        self.pass_over(1, known.start);
        (sequence.start + 1..sequence.end).for_each(|at| self.take(at, known, held));
    }

    /// The reading that also drops the string that an escape sequence begins.
    pub(super) fn within_string(&self, introducer: Range<usize>) -> Self {
        let mut reading = Self { string: true, ..self.clone() };
        // An introducer would take in what follows a secret, if it stayed without the string's end.
        reading.remember_as_text(introducer);
        reading
    }

    fn remember_as_text(&mut self, sequence: Range<usize>) {
        let begin = self.begin().unwrap_or(sequence.start);
        self.as_text.retain(|earlier| earlier.end > begin);
        self.as_text.push(sequence);
    }

    fn pass_over(&mut self, count: usize, start: StateID) {
        self.visible.pass_over(count, start);
        self.solid.pass_over(count, start);
    }

    fn take_solid(&mut self, at: usize, known: &Known, held: &mut Held) {
        if let Some((from, secret)) = self.solid.next(at, held.byte(at), known, |pattern| pattern.solid) {
            self.hide(from..at + 1, secret, held);
        }
    }

    fn hide(&self, range: Range<usize>, secret: u32, held: &mut Held) {
        for sequence in &self.as_text {
            let both = sequence.start.max(range.start)..sequence.end.min(range.end);
            if !both.is_empty() {
                held.goes(both);
            }
        }
        held.hide(range, secret);
    }

    /// Whether it finds nothing that the other does not find.
    fn adds_nothing_to(&self, other: &Self) -> bool {
        let alike = self.string == other.string && self.lines == other.lines && self.marks == other.marks;
        let nothing_begun = self.begin().is_none();
        (alike || (nothing_begun && self.string && !other.string))
            && self.visible.adds_nothing_to(&other.visible)
            && self.solid.adds_nothing_to(&other.solid)
    }
}

/// Leaves out the readings that can find no more than an earlier one, and the last of too many.
pub(super) fn keep_those_that_differ(readings: &mut Vec<Reading>) {
    let mut at = 1;
    while at < readings.len() {
        if readings[..at].iter().any(|earlier| readings[at].adds_nothing_to(earlier)) {
            readings.remove(at);
        } else {
            at += 1;
        }
    }
    readings.truncate(MOST);
}
