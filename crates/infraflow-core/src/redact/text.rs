//! What of a log shows: its escape sequences found, and the white space and marks around its lines.

use super::reading::GAP;

/// How many bytes an escape sequence has at most; what is longer is cut short there.
const LONGEST_ESCAPE: usize = GAP;
pub(super) const ESC: u8 = 0x1b;
/// Ends a string, as ESC does.
pub(super) const BELL: u8 = 0x07;

/// Whether ESC and this byte begin a string that a terminal takes for itself: a title or a link (OSC), or
/// its like (DCS, SOS, PM, APC).
pub(super) fn begins_string(byte: u8) -> bool {
    b"]PX^_".contains(&byte)
}

/// Finds escape sequences (ECMA-48), byte by byte. Of a string only the introducer counts as one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Escapes {
    within: Within,
    length: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Text,
    /// ESC was seen.
    Escape,
    /// ESC and intermediate bytes.
    Intermediate,
    /// ESC [ and what follows it.
    Control,
}

/// What a byte is, as far as escape sequences go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Text.
    Text,
    /// It may belong to an escape sequence; the next bytes will tell.
    Undecided,
    /// It ends an escape sequence, to which all undecided bytes belong.
    Escape,
    /// The undecided bytes began an escape sequence that this byte, to be looked at again, cuts short.
    Unfinished,
}

impl Escapes {
    pub(super) fn next(&mut self, byte: u8) -> Found {
        let next = match (self.within, byte) {
            (Within::Text, ESC) => Within::Escape,
            (Within::Text, _) => return Found::Text,
            _ if self.length >= LONGEST_ESCAPE => return self.end(Found::Unfinished),
            (Within::Escape, b'[') => Within::Control,
            (Within::Escape | Within::Intermediate, b' '..=b'/') => Within::Intermediate,
            (Within::Escape | Within::Intermediate, b'0'..=b'~') => return self.end(Found::Escape),
            (Within::Control, b' '..=b'?') => Within::Control,
            (Within::Control, b'@'..=b'~') => return self.end(Found::Escape),
            _ => return self.end(Found::Unfinished),
        };
        self.within = next;
        self.length += 1;
        Found::Undecided
    }

    fn end(&mut self, found: Found) -> Found {
        *self = Self::default();
        found
    }
}

/// Tells solid text from white space and from what is set before the lines of something longer, byte by
/// byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// Whether nothing solid was seen in this line.
    beginning: bool,
    /// What may be a mark: `+`, `-` or `~` before a space, or part of `│`.
    mark: Mark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    No,
    Change,
    Frame1,
    Frame2,
}

/// What a visible byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Text.
    Solid,
    /// White space or a mark; and so are the undecided bytes before it.
    PassedOver,
    /// It may be a mark; the next bytes will tell.
    Undecided,
    /// The undecided bytes are text, and this byte is to be looked at again.
    WasSolid,
}

impl Lines {
    /// At the beginning of a line.
    pub(super) const BEGINNING: Self = Self { beginning: true, mark: Mark::No };
    /// In the middle of a line.
    pub(super) const WITHIN: Self = Self { beginning: false, mark: Mark::No };

    pub(super) fn next(&mut self, byte: u8) -> Shown {
        match (self.mark, byte) {
            (Mark::Change, b' ') => *self = Self::WITHIN,
            (Mark::Frame2, 0x82) => self.mark = Mark::No,
            (Mark::Frame1, 0x94) => return self.maybe(Mark::Frame2),
            (Mark::Change | Mark::Frame1 | Mark::Frame2, _) => {
                *self = Self::WITHIN;
                return Shown::WasSolid;
            }
            (Mark::No, b'\n') => *self = Self::BEGINNING,
            (Mark::No, b' ' | b'\t' | b'\r' | 0x0b | 0x0c) => {}
            (Mark::No, b'+' | b'-' | b'~') if self.beginning => return self.maybe(Mark::Change),
            (Mark::No, 0xe2) if self.beginning => return self.maybe(Mark::Frame1),
            (Mark::No, _) => {
                self.beginning = false;
                return Shown::Solid;
            }
        }
        Shown::PassedOver
    }

    fn maybe(&mut self, mark: Mark) -> Shown {
        self.mark = mark;
        Shown::Undecided
    }
}

/// The bytes that show where all escape sequences are dropped whole.
pub(super) fn visible(bytes: &[u8]) -> Vec<u8> {
    let (mut escapes, mut out) = (Escapes::default(), Vec::new());
    for &byte in bytes {
        loop {
            match escapes.next(byte) {
                Found::Text => out.push(byte),
                Found::Undecided | Found::Escape => {}
                Found::Unfinished => continue,
            }
            break;
        }
    }
    out
}

/// The bytes without white space and marks, beginning as `lines` says.
pub(super) fn solid(bytes: &[u8], mut lines: Lines) -> Vec<u8> {
    let (mut out, mut undecided) = (Vec::new(), Vec::new());
    for &byte in bytes {
        loop {
            match lines.next(byte) {
                Shown::Solid => out.push(byte),
                Shown::PassedOver => undecided.clear(),
                Shown::Undecided => undecided.push(byte),
                Shown::WasSolid => {
                    out.append(&mut undecided);
                    continue;
                }
            }
            break;
        }
    }
    out.append(&mut undecided);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        String::from_utf8(visible(text.as_bytes())).unwrap()
    }

    #[test]
    fn escape_sequences_do_not_show_even_cut_short_and_strings_do() {
        assert_eq!(shown("a\x1b[1;31mb\x1b[0mc\x1b(Bd"), "abcd");
        assert_eq!(shown("a\x1b[3\nb"), "a\nb");
        assert_eq!(shown("a\x1b\x1b[0mb\x1b"), "ab");
        assert_eq!(shown("\x1b]8;;https://x/token\x1b\\text"), "8;;https://x/tokentext");
        assert_eq!(shown(&format!("a\x1b[{}mb", "1".repeat(LONGEST_ESCAPE - 3))), "ab");
        assert_eq!(shown(&format!("a\x1b[{}mb", "1".repeat(LONGEST_ESCAPE - 2))), "amb");
    }

    #[test]
    fn marks_before_a_line_are_not_solid_and_within_one_they_are() {
        let solid = |text: &str, lines| String::from_utf8(solid(text.as_bytes(), lines)).unwrap();
        assert_eq!(solid("  + a - b\n│ - c\n+d", Lines::BEGINNING), "a-bc+d");
        assert_eq!(solid("- a\n- b", Lines::WITHIN), "-ab");
        assert_eq!(solid("\u{2500}x\n\u{2502}\u{2502} y", Lines::BEGINNING), "\u{2500}xy");
        assert_eq!(solid("a\n+", Lines::BEGINNING), "a+");
    }
}
