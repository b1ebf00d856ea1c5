//! Patterns of paths that come from expressions: constant text, what nobody knows, and globs of `fileset`.

use serde::{Deserialize, Serialize};

/// A pattern over the bytes of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Glob(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Token {
    Byte(u8),
    /// One byte, but no slash.
    One,
    /// A byte of a class, or none of it; never a slash.
    Class {
        ranges: Vec<(u8, u8)>,
        not: bool,
    },
    /// Any run without a slash.
    Run,
    /// Any run.
    Any,
    /// `**/`: any number of whole names, each with its slash.
    Names,
}

/// The most alternatives that braces of one glob unfold to.
const MOST_ALTERNATIVES: usize = 64;

impl Glob {
    /// Text that stands for itself.
    pub(super) fn push_text(&mut self, text: &[u8]) {
        self.0.extend(text.iter().map(|&byte| Token::Byte(byte)));
    }

    /// Any run of bytes without a slash.
    pub(super) fn push_run(&mut self) {
        self.0.push(Token::Run);
    }

    /// Any run of bytes, slashes included.
    pub(super) fn push_any(&mut self) {
        if self.0.last() != Some(&Token::Any) {
            self.0.push(Token::Any);
        }
    }

    /// Any number of whole names, each with its slash: `**/`.
    pub(super) fn push_names(&mut self) {
        self.0.push(Token::Names);
    }

    /// A glob in the manner of `fileset`, braces already unfolded. `*` and `?` stop at a slash, `**` as a
    /// whole name does not.
    pub(super) fn push_glob(&mut self, glob: &[u8]) {
        let mut at = 0;
        while at < glob.len() {
            let rest = &glob[at..];
            let fresh = at == 0 || glob[at - 1] == b'/';
            let (token, length) = if fresh && rest.starts_with(b"**/") {
                (Token::Names, 3)
            } else if rest.starts_with(b"**") {
                (if fresh { Token::Any } else { Token::Run }, 2)
            } else {
                match rest {
                    [b'*', ..] => (Token::Run, 1),
                    [b'?', ..] => (Token::One, 1),
                    [b'\\', byte, ..] => (Token::Byte(*byte), 2),
                    [b'[', ..] => class(rest).unwrap_or((Token::Byte(b'['), 1)),
                    [byte, ..] => (Token::Byte(*byte), 1),
                    [] => break,
                }
            };
            self.0.push(token);
            at += length;
        }
    }

    /// Whether something below a directory can be meant: the whole of its path may stand before a slash.
    pub(super) fn goes_below(&self, directory: &[u8]) -> bool {
        let slashes = self.0.iter().enumerate().filter(|(_, token)| match token {
            Token::Byte(byte) => *byte == b'/',
            Token::Any | Token::Names => true,
            _ => false,
        });
        slashes.map(|(at, _)| at).any(|at| {
            // What can take slashes itself may end with the directory, or go on below it.
            let with = usize::from(!matches!(self.0[at], Token::Byte(_)));
            Self(self.0[..at + with].to_vec()).matches(directory)
                || with == 1 && Self(self.0[..=at].to_vec()).matches(&[directory, b"/"].concat())
        })
    }

    /// Whether it says nothing at all.
    pub(super) fn is_anything(&self) -> bool {
        self.0 == [Token::Any]
    }

    /// The whole of a glob in the manner of `fileset`.
    pub(super) fn of(glob: &str) -> Self {
        let mut made = Self::default();
        made.push_glob(glob.as_bytes());
        made
    }

    /// The text of a pattern without anything to match.
    pub(super) fn constant(&self) -> Option<Vec<u8>> {
        self.0.iter().map(|token| if let Token::Byte(byte) = token { Some(*byte) } else { None }).collect()
    }

    /// Takes off the constant directories that it begins with, with their slashes.
    pub(super) fn split_directory(mut self) -> (Vec<u8>, Self) {
        let constant = self.0.iter().take_while(|token| matches!(token, Token::Byte(_))).count();
        let cut =
            self.0[..constant].iter().rposition(|token| *token == Token::Byte(b'/')).map_or(0, |at| at + 1);
        let directory = self.0.drain(..cut);
        let directory =
            directory.filter_map(|token| if let Token::Byte(byte) = token { Some(byte) } else { None });
        (directory.collect(), self)
    }

    /// Whether the whole of a text is meant. Takes time in proportion to pattern times text.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        // Which prefixes of the text the tokens so far can have taken.
        let mut reached = vec![false; text.len() + 1];
        reached[0] = true;
        let mut next = vec![false; text.len() + 1];
        for token in &self.0 {
            next.fill(false);
            match token {
                Token::Any => {
                    let first = reached.iter().position(|&yes| yes).unwrap_or(reached.len());
                    next[first..].fill(true);
                }
                Token::Run => {
                    let mut open = false;
                    for at in 0..=text.len() {
                        open = reached[at] || (open && text[at - 1] != b'/');
                        next[at] = open;
                    }
                }
                Token::Names => {
                    let mut open = false;
                    for at in 0..=text.len() {
                        next[at] = reached[at] || (open && at > 0 && text[at - 1] == b'/');
                        open |= reached[at];
                    }
                }
                single => {
                    for at in 0..text.len() {
                        next[at + 1] = reached[at] && single.takes(text[at]);
                    }
                }
            }
            std::mem::swap(&mut reached, &mut next);
            if !reached.contains(&true) {
                return false;
            }
        }
        reached[text.len()]
    }
}

impl Token {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Byte(own) => *own == byte,
            Self::One => byte != b'/',
            Self::Class { ranges, not } => {
                byte != b'/' && ranges.iter().any(|&(from, to)| (from..=to).contains(&byte)) != *not
            }
            Self::Run | Self::Any | Self::Names => false,
        }
    }
}

/// The longest class that is looked for: without a bound, openings that nothing closes take their square.
const LONGEST_CLASS: usize = 512;

fn class(text: &[u8]) -> Option<(Token, usize)> {
    let text = &text[..text.len().min(LONGEST_CLASS)];
    let not = matches!(text.get(1), Some(b'!' | b'^'));
    let mut at = 1 + usize::from(not);
    let mut ranges = Vec::new();
    loop {
        let from = match text.get(at)? {
            b']' if !ranges.is_empty() => return Some((Token::Class { ranges, not }, at + 1)),
            b'\\' => {
                at += 1;
                *text.get(at)?
            }
            byte => *byte,
        };
        at += 1;
        match text.get(at..at + 2) {
            Some([b'-', to]) if *to != b']' => {
                ranges.push((from, *to));
                at += 2;
            }
            _ => ranges.push((from, from)),
        }
    }
}

/// The alternatives of a glob's braces; beyond the bound, `*` stands in their place.
pub(super) fn unfold(glob: &[u8]) -> Vec<Vec<u8>> {
    let mut done = Vec::new();
    let mut open = vec![glob.to_vec()];
    while let Some(glob) = open.pop() {
        let Some((start, end, commas)) = braces(&glob) else {
            done.push(glob);
            continue;
        };
        if open.len() + done.len() + commas.len() >= MOST_ALTERNATIVES {
            open.push([&glob[..start], b"*", &glob[end + 1..]].concat());
            continue;
        }
        let starts = std::iter::once(start).chain(commas.iter().copied());
        let ends = commas.iter().copied().chain([end]);
        open.extend(
            starts
                .zip(ends)
                .map(|(from, to)| [&glob[..start], &glob[from + 1..to], &glob[end + 1..]].concat()),
        );
    }
    done.sort();
    done
}

/// The first pair of braces, and the commas directly in it.
fn braces(glob: &[u8]) -> Option<(usize, usize, Vec<usize>)> {
    let start = glob.iter().position(|&b| b == b'{')?;
    let (mut depth, mut commas) = (0, Vec::new());
    for (at, byte) in glob.iter().enumerate().skip(start) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some((start, at, commas)),
            b'}' => depth -= 1,
            b',' if depth == 1 => commas.push(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(glob: &str, text: &str) -> bool {
        unfold(glob.as_bytes()).iter().any(|glob| {
            let mut pattern = Glob::default();
            pattern.push_glob(glob);
            pattern.matches(text.as_bytes())
        })
    }

    #[test]
    fn a_fileset_matches_as_terraform_says() {
        for (glob, yes, no) in [
            ("*.json", "a.json", "d/a.json"),
            ("**/*.json", "d/e/a.json", "a.tf"),
            ("**/*.json", "a.json", "ajson"),
            ("**", "a/b", "\u{0}never/"),
            ("f/*/x", "f/a/x", "f/a/b/x"),
            ("{a,b/{c,d}}.t", "b/d.t", "b.t"),
            ("[a-c]?.t", "bz.t", "dz.t"),
            ("[!a]", "b", "a"),
            ("../m/*/*.md", "../m/x/R.md", "../m/R.md"),
        ] {
            assert!(matches(glob, yes), "{glob} {yes}");
            assert!(glob == "**" || !matches(glob, no), "{glob} {no}");
        }
    }

    #[test]
    fn braces_without_end_are_bounded() {
        let bomb = "{a,b}".repeat(60);
        assert!(unfold(bomb.as_bytes()).len() <= MOST_ALTERNATIVES);
        assert!(matches(&bomb, &"a".repeat(60)));
        let pattern = "*a".repeat(200);
        assert!(!matches(&pattern, &"a".repeat(150)));
    }

    proptest! {
        #[test]
        fn stars_match_as_globset_matches(glob in "[ab*?/]{0,7}", text in "[ab/]{0,8}") {
            let theirs = globset::GlobBuilder::new(&glob).literal_separator(true).build();
            // Names that are empty do not occur in paths, and `**` within a name is `*` here.
            prop_assume!(!glob.contains("**") && !glob.contains("//") && !text.contains("//"));
            if let Ok(theirs) = theirs {
                prop_assert_eq!(matches(&glob, &text), theirs.compile_matcher().is_match(&text));
            }
        }
    }
}
