//! Text that comes from a repository or a tool, for people: nothing in it steers a terminal, breaks out of
//! its place in Markdown, mentions somebody, or shows otherwise than it is written.

use std::fmt::Write as _;

/// The longest line that is shown, in characters.
const LONGEST: usize = 300;

/// The text on one line, with control characters and such that turn or hide what stands around them as
/// `\u{…}`.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        if at == LONGEST {
            out.push('…');
            break;
        }
        if c.is_control() || is_deceptive(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// Bidirectional controls and characters of no width (Unicode Technical Report 36): with them, a name can
/// look like another one.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Inline code in Markdown, also within a table. Forges look for mentions and references everywhere but in
/// code.
pub(super) fn code(text: &str) -> String {
    let mut out = String::from("<code>");
    for c in plain(text).chars() {
        if c.is_ascii_punctuation() && !"./-,:=()".contains(c) {
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out + "</code>"
}

/// A block of code in Markdown, fenced by more backticks than stand in it.
pub(super) fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}\n{text}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_a_terminal_or_turns_the_text() {
        assert_eq!(plain("a\u{1b}[31mb\nc\u{202e}d"), "a\\u{1b}[31mb\\u{a}c\\u{202e}d");
        assert_eq!(plain(&"x".repeat(1000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn nothing_breaks_out_of_code() {
        assert_eq!(code("a|b</code>@ada`"), "<code>a&#124;b&#60;/code&#62;&#64;ada&#96;</code>");
        assert_eq!(fenced("x\n````\ny"), "`````\nx\n````\ny\n`````\n");
    }
}
