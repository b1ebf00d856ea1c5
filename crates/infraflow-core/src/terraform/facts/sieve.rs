//! Whether a file, or an expression, can say anything that matters, told from its bytes alone: most of a
//! repository's files cannot, and need not be parsed.
//!
//! Yes is said too often, no never wrongly: what is looked for here is what [`super::extract`] and
//! [`super::reads`] look for in the parsed text. Names of blocks and functions are plain letters in HCL;
//! what an escape (`\u002e/`) could hide in a text is found by the escape.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, packed};
use memchr::memmem;

use super::{
    FileKind,
    named::{COMMANDS_ALONE, names_a_path},
    slice::{begins_name, continues_name},
};

/// What the name of an argument ends in that asks for a path; an `s` may follow. As the documentation of the
/// providers has them: `source_dir` (archive), `filename` (local, aws), `source` (aws_s3_object), `chart` (helm),
/// `config_path` (kubernetes), `context`, `dockerfile` (docker), `script` (provisioners), `source_path` (modules
/// for functions), `credentials` (google). Shorter ones follow longer ones that begin like them.
const PATHS: [&str; 12] = [
    "source",
    "filename",
    "file",
    "directory",
    "dir",
    "path",
    "folder",
    "template",
    "chart",
    "context",
    "script",
    "credential",
];

/// What every other block, function and name that matters is written with.
const WORDS: [(&str, Kind); 11] = [
    ("module", Kind::Block),
    ("provider", Kind::Provider),
    ("backend", Kind::Block),
    ("cloud", Kind::Block),
    ("remote_state", Kind::State),
    ("program", Kind::Argument),
    ("command", Kind::Argument),
    ("local", Kind::Name),
    ("each", Kind::Name),
    ("dynamic", Kind::Always),
    (COMMANDS_ALONE, Kind::Always),
];

/// What a word is where it counts.
#[derive(Clone, Copy)]
enum Kind {
    /// The end of the name of an argument that asks for a path.
    Argument,
    /// The same, or the beginning of a function's name.
    File,
    /// The same, or a name with more behind it.
    Path,
    /// A name with more behind it, which stands for what is said elsewhere.
    Name,
    /// A block, with labels or a brace behind it.
    Block,
    /// The same, or the beginning of a function that a provider has.
    Provider,
    /// The kind of a block of data.
    State,
    /// It counts wherever it stands: `./`, what may hide it, blocks that have names of their own.
    Always,
    /// What a path goes on with behind an interpolation: what stands before it counts by itself.
    Behind,
}

/// What looks for all words at once.
struct Words {
    kinds: Vec<Kind>,
    search: Search,
}

enum Search {
    /// By several bytes in one step; not every machine can.
    Packed(packed::Searcher),
    ByteByByte(Box<AhoCorasick>),
}

static IN_ALL: LazyLock<Option<Words>> = LazyLock::new(|| {
    let paths = PATHS.iter().map(|&word| match word {
        "file" => (word, Kind::File),
        "path" => (word, Kind::Path),
        _ => (word, Kind::Argument),
    });
    let (words, kinds): (Vec<&str>, Vec<Kind>) = paths.chain(WORDS).unzip();
    let packed =
        packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder().extend(&words).build();
    let search = match packed {
        Some(packed) => Search::Packed(packed),
        None => {
            // The words stand everywhere, so that to search for rare bytes of theirs gains nothing.
            let builder = &mut AhoCorasick::builder();
            let builder = builder.match_kind(MatchKind::LeftmostFirst).kind(Some(AhoCorasickKind::DFA));
            Search::ByteByByte(Box::new(builder.prefilter(false).build(&words).ok()?))
        }
    };
    Some(Words { kinds, search })
});

/// Whether one of all words in a text does what is asked for: each is given with its beginning and its end.
/// Yes, where nothing can be looked for.
fn any_word(bytes: &[u8], mut does: impl FnMut(Kind, usize, usize) -> bool) -> bool {
    // These are too short to be looked for along with the words.
    let mut short = memchr::memchr2_iter(b'/', b'\\', bytes).filter_map(|at| match bytes[at] {
        b'/' => match bytes.get(at.wrapping_sub(1))? {
            b'.' => Some((Kind::Always, at - 1, at + 1)),
            b'}' => Some((Kind::Behind, at - 1, at + 1)),
            _ => None,
        },
        _ => matches!(bytes.get(at + 1)?, b'u' | b'U' | b'/').then_some((Kind::Always, at, at + 2)),
    });
    if short.any(|(kind, start, end)| does(kind, start, end)) {
        return true;
    }
    let Some(Words { kinds, search }) = IN_ALL.as_ref() else { return true };
    let mut found =
        |found: aho_corasick::Match| does(kinds[found.pattern().as_usize()], found.start(), found.end());
    match search {
        Search::Packed(search) => search.find_iter(bytes).any(found),
        Search::ByteByByte(search) => search.find_iter(bytes).any(&mut found),
    }
}

/// Whether a file of a kind can state anything but definitions.
pub(super) fn may_state(kind: Option<FileKind>, bytes: &[u8]) -> bool {
    match kind {
        Some(FileKind::Configuration { json: false, .. }) => {
            any_word(bytes, |kind, start, end| counts(kind, bytes, start, end, &|| has_arguments(bytes)))
        }
        Some(FileKind::Configuration { json: true, .. }) => any_word(bytes, |_, _, _| true),
        Some(FileKind::Lock | FileKind::Mock { .. }) => false,
        _ => true,
    }
}

/// Whether what stands between the braces of a block of HCL that is no call and no setting can read or name a file.
/// `goes_on` says that something is taken out of an object, or a list of such, in it.
pub(super) fn may_count_in_block(bytes: &[u8], goes_on: bool) -> bool {
    let (mut named, mut behind) = (false, goes_on);
    let counts = any_word(bytes, |kind, start, end| match kind {
        Kind::Name => {
            let stands = is_name_with_more(bytes, start, end);
            named |= stands;
            stands && argument_at(bytes, start).is_none_or(names_a_path)
        }
        Kind::Behind => {
            behind = true;
            false
        }
        Kind::Provider => bytes[end..].starts_with(b"::"),
        Kind::State => false,
        kind => counts(kind, bytes, start, end, &|| true),
    });
    counts || named && behind
}

/// The argument that is given a value on the line of a byte; `None` where that is not certain.
fn argument_at(bytes: &[u8], at: usize) -> Option<&str> {
    let begin = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
    let line = after_blanks(&bytes[..at], begin);
    let name = &line[..line.iter().position(|&byte| !continues_name(byte))?];
    let given = matches!(after_blanks(line, name.len()), [b'=', next, ..] if *next != b'=')
        || matches!(after_blanks(line, name.len()), [b'=']);
    std::str::from_utf8(name).ok().filter(|name| given && !name.is_empty())
}

/// Whether a file of configuration can define locals.
pub(super) fn may_define_locals(kind: Option<FileKind>, bytes: &[u8]) -> bool {
    static LOCALS: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"locals"));
    may_hold(kind, bytes, &LOCALS)
}

/// Whether a file of configuration can give variables a default, or members of them.
pub(super) fn may_define_defaults(kind: Option<FileKind>, bytes: &[u8]) -> bool {
    static DEFAULT: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"default"));
    static OPTIONAL: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"optional"));
    static SET: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"set("));
    let holds = |word| may_hold(kind, bytes, word);
    holds(&DEFAULT) || holds(&OPTIONAL) || holds(&SET)
}

fn may_hold(kind: Option<FileKind>, bytes: &[u8], word: &memmem::Finder<'_>) -> bool {
    match kind {
        Some(FileKind::Configuration { json, .. }) => {
            word.find(bytes).is_some() || json && memmem::find(bytes, b"\\u").is_some()
        }
        _ => false,
    }
}

/// Whether an expression can read a file; where paths that are only named count, or name one.
pub(super) fn may_read(text: &str, naming: bool) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| match byte {
        b'f' => bytes[at..].starts_with(b"file") && is_call(bytes, at + 4),
        b':' => bytes[at..].starts_with(b"::") && bytes[..at].ends_with(b"provider"),
        b'/' => naming && at > 0 && b".}".contains(&bytes[at - 1]),
        b'\\' => naming && matches!(bytes.get(at + 1), Some(b'u' | b'U')),
        b'p' => naming && bytes[at..].starts_with(b"path") && is_name_with_more(bytes, at, at + 4),
        _ => false,
    })
}

/// Whether an argument of this name asks for a path.
pub(super) fn asks_for_a_path(name: &str) -> bool {
    let name = name.strip_suffix('s').unwrap_or(name);
    let last = name.as_bytes().last();
    PATHS.iter().any(|ending| ending.as_bytes().last() == last && name.ends_with(ending))
}

/// Whether something is taken out of what a name stands for: `local.x`, `each["y"]`.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let (bytes, name) = (text.as_bytes(), name.as_bytes());
    let Some(&first) = name.first() else { return false };
    // Expressions are short: to prepare a search costs more than the search.
    memchr::memchr_iter(first, bytes)
        .any(|at| bytes[at..].starts_with(name) && is_name_with_more(bytes, at, at + name.len()))
}

/// Whether a word counts where it stands. An argument asks for a path only where `asks` says so.
fn counts(kind: Kind, bytes: &[u8], start: usize, end: usize, asks: &dyn Fn() -> bool) -> bool {
    let is_argument = || is_argument(bytes, end) && asks();
    match kind {
        Kind::Argument => is_argument(),
        Kind::File => is_call(bytes, end) || is_argument(),
        Kind::Path => is_name_with_more(bytes, start, end) || is_argument(),
        Kind::Name => is_name_with_more(bytes, start, end),
        Kind::Block | Kind::Provider => begins_block(bytes, start, end),
        Kind::State | Kind::Always => true,
        Kind::Behind => false,
    }
}

/// The end of an argument's name.
fn is_argument(bytes: &[u8], end: usize) -> bool {
    let end = end + usize::from(bytes.get(end) == Some(&b's'));
    match after_blanks(bytes, end) {
        [b'=', next, ..] => *next != b'=',
        rest => is_comment(rest),
    }
}

/// Whether a file has something to give arguments to: what only requires providers, or declares variables, names no
/// path.
fn has_arguments(bytes: &[u8]) -> bool {
    let mut blocks = ["resource", "data", "ephemeral", "action", "removed"].iter();
    blocks.any(|block| memmem::find(bytes, block.as_bytes()).is_some())
}

fn after_blanks(bytes: &[u8], at: usize) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or_default();
    let blanks = rest.iter().position(|b| !b" \t\r\n".contains(b)).unwrap_or(rest.len());
    &rest[blanks..]
}

fn is_comment(rest: &[u8]) -> bool {
    rest.starts_with(b"#") || rest.starts_with(b"//") || rest.starts_with(b"/*")
}

/// The rest of a function's name, and its parenthesis.
fn is_call(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    let name = rest.iter().position(|&b| !continues_name(b)).unwrap_or(rest.len());
    let rest = after_blanks(bytes, at + name);
    rest.starts_with(b"(") || is_comment(rest)
}

/// Not the end of a longer name nor a member of something, and followed by a dot or an index.
fn is_name_with_more(bytes: &[u8], start: usize, end: usize) -> bool {
    // A minus may be part of the name, or the operator before it.
    let before = start.checked_sub(1).map_or(b' ', |at| bytes[at]);
    if before.is_ascii_alphanumeric() || before == b'_' || before == b'.' {
        return false;
    }
    let rest = after_blanks(bytes, end);
    rest.starts_with(b".") || rest.starts_with(b"[") || is_comment(rest)
}

/// Not part of another name, and followed by a label or a brace.
fn begins_block(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).map_or(b'\n', |at| bytes[at]);
    if continues_name(before)
        || b".\"".contains(&before)
        || bytes.get(end).copied().is_some_and(continues_name)
    {
        return false;
    }
    let rest = after_blanks(bytes, end);
    rest.first().is_some_and(|&b| b"\"{".contains(&b) || begins_name(b) || !b.is_ascii()) || is_comment(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> bool {
        may_state(FileKind::of(b"a.tf"), text.as_bytes())
    }

    #[test]
    fn what_neither_calls_nor_reads_need_not_be_parsed() {
        for nothing in [
            "",
            "variable \"profile\" {\n  description = \"The file's path, of a module.\"\n}\n",
            "output \"o\" {\n  value = module.x.cloud\n}\n",
            "terraform {\n  required_providers {\n    aws = {}\n  }\n}\n",
            "resource \"a\" \"b\" {\n  provider = aws.x\n  backend = true\n  tags = {}\n}\n",
            "locals {\n  x = var.file\n}\n",
        ] {
            assert!(!says(nothing), "{nothing}");
        }
        for something in [
            "module \"x\" {}",
            "\u{feff}module x {}",
            "/**/module/**/\"x\" {}",
            "provider\t\"x\" {}",
            "terraform {\n  cloud {}\n}",
            "x = core::filemd5 (\"a\")",
            "x = \"${path\n.module}\"",
            "x = -local.y",
            "x = \"\\u002e/y\"",
            "x = \"../y\"",
            "resource \"a\" \"b\" {\n  credentials = \"key.json\"\n}",
            "resource \"a\" \"b\" {\n  source_dir = \"src\"\n}",
            "ephemeral \"a\" \"b\" {\n  filename = \"key.json\"\n}",
            "removed {\n  from = a.b\n  provisioner \"local-exec\" {\n    command = \"run.sh\"\n  }\n}",
        ] {
            assert!(says(something), "{something}");
        }
        let tf = FileKind::of(b"a.tf");
        assert!(!may_define_locals(tf, b"variable \"a\" { default = 1 }"));
        assert!(may_define_defaults(tf, b"variable \"a\" { default = 1 }"));
        assert!(may_define_locals(tf, b"locals {}") && !may_define_defaults(tf, b"locals {}"));
        assert!(may_define_locals(FileKind::of(b"a.tf.json"), b"{\"\\u006cocals\": {}}"));
    }
}
