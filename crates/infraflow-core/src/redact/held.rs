//! What of a log is held back, and what is to be left out of it.

use std::ops::Range;

use super::secret_redactor::MARK;

// A note is kept for each byte held: whose secret it is part of, and whether it goes with it.
pub(super) const NAME_SHIFT: u32 = 1;
/// It goes where it is part of a secret. The other bytes are escape sequences: colours stay, so that what
/// follows a secret looks as it should.
const GOES: u32 = 1;

/// The bytes of a log that have not been given out. Places count from the log's beginning.
pub(super) struct Held {
    base: usize,
    bytes: Vec<u8>,
    notes: Vec<u32>,
    /// The secret that the last byte given out or left out belongs to.
    hidden: Option<u32>,
    counts: Vec<u64>,
}

impl Held {
    pub(super) fn new(secrets: usize) -> Self {
        Self { base: 0, bytes: Vec::new(), notes: Vec::new(), hidden: None, counts: vec![0; secrets] }
    }

    /// Holds a byte, and says where.
    pub(super) fn push(&mut self, byte: u8) -> usize {
        self.bytes.push(byte);
        self.notes.push(0);
        self.end() - 1
    }

    pub(super) fn end(&self) -> usize {
        self.base + self.bytes.len()
    }

    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes[at - self.base]
    }

    /// How often each secret was found.
    pub(super) fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// What stands in a range goes if it is part of a secret.
    pub(super) fn goes(&mut self, range: Range<usize>) {
        let from = range.start.max(self.base) - self.base;
        let to = range.end.max(self.base) - self.base;
        self.notes[from..to].iter_mut().for_each(|note| *note |= GOES);
    }

    /// Marks what stands in a range as part of a secret.
    pub(super) fn hide(&mut self, range: Range<usize>, secret: u32) {
        let (mut from, to) = (range.start - self.base, range.end - self.base);
        // A secret that is no text may begin within a character.
        if is_continuation(self.bytes[from]) {
            from = whole_characters(&self.bytes, from);
        }
        for note in &mut self.notes[from..to] {
            if *note >> NAME_SHIFT == 0 {
                *note |= (secret + 1) << NAME_SHIFT;
            }
        }
    }

    /// The last place up to `at` that is not within a character.
    pub(super) fn between_characters(&self, at: usize) -> usize {
        self.base + whole_characters(&self.bytes, at - self.base)
    }

    /// Appends the bytes before a place to `out`, without the secrets.
    pub(super) fn give(&mut self, before: usize, out: &mut Vec<u8>) {
        let count = before - self.base;
        for (&byte, &note) in self.bytes[..count].iter().zip(&self.notes) {
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
                    if note & GOES == 0 {
                        out.push(byte);
                    }
                }
            }
        }
        self.bytes.drain(..count);
        self.notes.drain(..count);
        self.base += count;
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
