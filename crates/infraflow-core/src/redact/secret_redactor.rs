use std::{collections::BTreeMap, fmt, sync::Arc};

use aho_corasick::{
    Anchored, MatchKind,
    automaton::{Automaton as _, StateID},
    nfa::contiguous::NFA,
};

use super::{
    LeftAlone, RedactError, Redacted, Redaction, RedactionReport, Redactor, Secrets,
    forms::{Wherever, forms},
    text::{Escapes, Found, Lines, Shown},
};

/// What stands where a secret stood.
pub const MARK: &str = "(redacted)";

/// How many bytes that a view passes over may stand between two that it looks at, within one secret.
const GAP: usize = 1024;
/// How much of a chunk is looked at before what can be shown is given out.
const STEP: usize = 16 * 1024;

/// Looks for secrets by value, in all their forms at once: the default [`Redactor`].
#[derive(Clone)]
pub struct SecretRedactor(Arc<Known>);

/// What is looked for. It is shared by all redactions.
struct Known {
    automaton: NFA,
    start: StateID,
    /// For each pattern of the automaton.
    patterns: Vec<Pattern>,
    /// The secrets' names, sorted.
    names: Vec<String>,
    left_alone: Vec<LeftAlone>,
}

#[derive(Clone, Copy)]
struct Pattern {
    length: usize,
    secret: u32,
    shown: bool,
    solid: bool,
}

impl SecretRedactor {
    /// Prepares to look for secrets.
    ///
    /// # Errors
    /// [`RedactError::TooMany`] where they make too large an automaton (gigabytes of secrets).
    pub fn new(secrets: &Secrets) -> Result<Self, RedactError> {
        let mut named: Vec<(&str, &[u8])> = secrets.iter().collect();
        named.sort();
        let mut found: BTreeMap<Vec<u8>, Pattern> = BTreeMap::new();
        for (index, (_, value)) in named.iter().enumerate() {
            let secret = u32::try_from(index).unwrap_or(u32::MAX >> NAME_SHIFT);
            for form in forms(value) {
                let length = form.bytes.len();
                let pattern =
                    found.entry(form.bytes).or_insert(Pattern { length, secret, shown: false, solid: false });
                match form.wherever {
                    Wherever::Shown => pattern.shown = true,
                    Wherever::Solid => pattern.solid = true,
                }
            }
        }
        let too_many = |why: String| RedactError::TooMany {
            secrets: named.len(),
            bytes: named.iter().map(|(_, value)| value.len()).sum(),
            why,
        };
        let automaton = NFA::builder()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(found.keys())
            .map_err(|error| too_many(error.to_string()))?;
        let start = automaton.start_state(Anchored::No).map_err(|error| too_many(error.to_string()))?;
        Ok(Self(Arc::new(Known {
            automaton,
            start,
            patterns: found.into_values().collect(),
            names: named.iter().map(|&(name, _)| name.to_owned()).collect(),
            left_alone: secrets.left_alone(),
        })))
    }
}

impl fmt::Debug for SecretRedactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretRedactor").field(&self.0.names).finish()
    }
}

impl Redactor for SecretRedactor {
    fn start(&self) -> Box<dyn Redaction> {
        let view = View { state: self.0.start, depth: 0, gap: 0 };
        Box::new(Running {
            known: self.0.clone(),
            held: Vec::new(),
            notes: Vec::new(),
            escapes: Escapes::default(),
            escape_from: None,
            lines: Lines::BEGINNING,
            marks: Vec::new(),
            raw: view,
            visible: view,
            solid: view,
            hidden: None,
            counts: vec![0; self.0.names.len()],
        })
    }
}

// A note is kept for each byte held: whose secret it is part of, and what kind of byte it is.
const NAME_SHIFT: u32 = 3;
/// It is looked at without escape sequences.
const VISIBLE: u32 = 1;
/// It is looked at without white space and marks.
const SOLID: u32 = 2;
/// It goes even where it is part of an escape sequence.
const GOES: u32 = 4;

/// One redaction under way. What may yet turn out to be part of a secret is held, and no more.
struct Running {
    known: Arc<Known>,
    held: Vec<u8>,
    notes: Vec<u32>,
    escapes: Escapes,
    /// Where the escape sequence begins that has not ended.
    escape_from: Option<usize>,
    lines: Lines,
    /// The bytes that may be a mark: at most two.
    marks: Vec<usize>,
    raw: View,
    visible: View,
    solid: View,
    /// The secret that the last byte given out or left out belongs to.
    hidden: Option<u32>,
    counts: Vec<u64>,
}

/// How far one view of the log has come in the automaton.
#[derive(Clone, Copy)]
struct View {
    state: StateID,
    /// Not fewer than the bytes, among those it looks at, that a match under way may have.
    depth: usize,
    /// How many bytes it passed over since the last one it looked at.
    gap: usize,
}

impl View {
    fn pass_over(&mut self, count: usize, start: StateID) {
        self.gap += count;
        if self.gap > GAP {
            *self = Self { state: start, depth: 0, gap: self.gap };
        }
    }

    /// Looks at a byte. Returns the longest pattern that ends with it.
    fn next(&mut self, byte: u8, known: &Known, wanted: impl Fn(&Pattern) -> bool) -> Option<Pattern> {
        let automaton = &known.automaton;
        self.gap = 0;
        self.state = automaton.next_state(Anchored::No, self.state, byte);
        if self.state == known.start {
            self.depth = 0;
            return None;
        }
        self.depth = (self.depth + 1).min(automaton.max_pattern_len());
        if !automaton.is_special(self.state) || !automaton.is_match(self.state) {
            return None;
        }
        (0..automaton.match_len(self.state))
            .map(|index| known.patterns[automaton.match_pattern(self.state, index).as_usize()])
            .filter(wanted)
            .max_by_key(|pattern| pattern.length)
    }
}

impl Redaction for Running {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        for part in chunk.chunks(STEP) {
            part.iter().for_each(|&byte| self.take(byte));
            self.give(self.decided(), out);
        }
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> RedactionReport {
        self.escape_was_text(self.held.len());
        self.marks_were_solid();
        self.give(self.held.len(), out);
        let names = self.known.names.iter().zip(&self.counts).filter(|&(_, &count)| count > 0);
        RedactionReport {
            redacted: names.map(|(name, &count)| Redacted { name: name.clone(), count }).collect(),
            left_alone: self.known.left_alone.clone(),
        }
    }
}

impl Running {
    fn take(&mut self, byte: u8) {
        let at = self.held.len();
        self.held.push(byte);
        self.notes.push(0);
        if let Some(pattern) = self.raw.next(byte, &self.known, |pattern| pattern.shown) {
            self.hide(at + 1 - pattern.length, at, pattern.secret, GOES);
        }
        loop {
            match self.escapes.next(byte) {
                Found::Text => self.take_visible(at),
                Found::Undecided => self.escape_from = Some(self.escape_from.unwrap_or(at)),
                Found::Escape => {
                    let length = at + 1 - self.escape_from.take().unwrap_or(at);
                    self.visible.pass_over(length, self.known.start);
                    self.solid.pass_over(length, self.known.start);
                }
                Found::WasText => {
                    self.escape_was_text(at);
                    continue;
                }
            }
            break;
        }
    }

    fn escape_was_text(&mut self, end: usize) {
        let from = self.escape_from.take().unwrap_or(end);
        (from..end).for_each(|at| self.take_visible(at));
    }

    fn take_visible(&mut self, at: usize) {
        let byte = self.held[at];
        self.notes[at] |= VISIBLE;
        if let Some(pattern) = self.visible.next(byte, &self.known, |pattern| pattern.shown) {
            self.hide(self.back(at + 1, pattern.length, VISIBLE), at, pattern.secret, 0);
        }
        loop {
            match self.lines.next(byte) {
                Shown::Solid => self.take_solid(at),
                Shown::Undecided => self.marks.push(at),
                Shown::PassedOver => {
                    self.solid.pass_over(self.marks.len() + 1, self.known.start);
                    self.marks.clear();
                }
                Shown::WasSolid => {
                    self.marks_were_solid();
                    continue;
                }
            }
            break;
        }
    }

    fn marks_were_solid(&mut self) {
        for at in std::mem::take(&mut self.marks) {
            self.take_solid(at);
        }
    }

    fn take_solid(&mut self, at: usize) {
        self.notes[at] |= SOLID;
        if let Some(pattern) = self.solid.next(self.held[at], &self.known, |pattern| pattern.solid) {
            self.hide(self.back(at + 1, pattern.length, SOLID), at, pattern.secret, 0);
        }
    }

    /// The place before `end` from which on there are `count` bytes of a kind.
    fn back(&self, end: usize, count: usize, kind: u32) -> usize {
        let mut left = count;
        let mut at = end;
        while left > 0 && at > 0 {
            at -= 1;
            left -= usize::from(self.notes[at] & kind != 0);
        }
        at
    }

    /// Marks what stands from `from` to `to` as part of a secret.
    fn hide(&mut self, mut from: usize, to: usize, secret: u32, goes: u32) {
        // A secret that is no text may begin within a character.
        if is_continuation(self.held[from]) {
            from = whole_characters(&self.held, from);
        }
        for note in &mut self.notes[from..=to] {
            if *note >> NAME_SHIFT == 0 {
                *note |= (secret + 1) << NAME_SHIFT;
            }
            *note |= goes;
        }
    }

    /// How many of the bytes held can be part of no secret that may yet be found.
    fn decided(&self) -> usize {
        let end = self.held.len();
        let undecided = self.escape_from.into_iter().chain(self.marks.first().copied());
        let at = undecided
            .chain([
                end - self.raw.depth.min(end),
                self.back(end, self.visible.depth, VISIBLE),
                self.back(end, self.solid.depth, SOLID),
            ])
            .min()
            .unwrap_or(end);
        whole_characters(&self.held, at)
    }

    /// Appends the first bytes held to `out`, without the secrets.
    fn give(&mut self, count: usize, out: &mut Vec<u8>) {
        for (&byte, &note) in self.held[..count].iter().zip(&self.notes) {
            match (note >> NAME_SHIFT).checked_sub(1) {
                None if self.hidden.is_some() && is_continuation(byte) => {}
                None => {
                    self.hidden = None;
                    out.push(byte);
                }
                Some(secret) => {
                    if self.hidden.is_none() {
                        out.extend_from_slice(MARK.as_bytes());
                    }
                    if self.hidden.replace(secret) != Some(secret) {
                        self.counts[secret as usize] += 1;
                    }
                    // Colours stay, so that what follows a secret looks as it should.
                    if note & (VISIBLE | GOES) == 0 {
                        out.push(byte);
                    }
                }
            }
        }
        self.held.drain(..count);
        self.notes.drain(..count);
        self.escape_from = self.escape_from.map(|at| at - count.min(at));
        self.marks.iter_mut().for_each(|at| *at -= count.min(*at));
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// The last place up to `at` that is not within a character of UTF-8. Where there is none near, it is no
/// UTF-8, and `at` is as good as any other.
fn whole_characters(bytes: &[u8], at: usize) -> usize {
    let Some(begin) = (at.saturating_sub(3)..at).rev().find(|&begin| !is_continuation(bytes[begin])) else {
        return at;
    };
    let length = match bytes[begin] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    if begin + length > at { begin } else { at }
}
