//! Whether a file, or an expression, can say anything that matters, told from its bytes alone: most of a
//! repository's files cannot, and need not be parsed.
//!
//! Yes is said too often, no never wrongly: what is looked for here is what [`super::extract`] and
//! [`super::reads`] look for in the parsed text. Names of blocks and functions are plain letters in HCL;
//! what an escape (`\u002e/`) could hide in a text is found by the escape.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::memmem;

use super::{
    FileKind,
    named::names_a_path,
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

/// What every other block, function, name and path that matters is written with.
const WORDS: [&str; 9] =
    ["module", "provider", "backend", "cloud", "./", "\\u", "remote_state", "program", "command"];

/// The same in HCL alone, and in JSON alone, where a path may also begin with an interpolation, and more can be
/// escaped.
const OF_HCL: [&str; 5] = ["local", "each", "dynamic", "\\U", BEHIND_A_NAME];
const OF_JSON: [&str; 2] = [BEHIND_A_NAME, "\\/"];

/// What a path goes on with behind an interpolation.
const BEHIND_A_NAME: &str = "}/";

/// Words, and what looks for all of them at once.
struct Wanted {
    words: Vec<&'static str>,
    search: AhoCorasick,
}

static IN_HCL: LazyLock<Option<Wanted>> = LazyLock::new(|| wanted(&OF_HCL));
static IN_JSON: LazyLock<Option<Wanted>> = LazyLock::new(|| wanted(&OF_JSON));

fn wanted(own: &[&'static str]) -> Option<Wanted> {
    let words: Vec<&'static str> = PATHS.iter().chain(&WORDS).chain(own).copied().collect();
    // Words that matter stand everywhere, so that to search for rare bytes of theirs gains nothing.
    let builder = &mut AhoCorasick::builder();
    let builder =
        builder.match_kind(MatchKind::LeftmostFirst).kind(Some(AhoCorasickKind::DFA)).prefilter(false);
    let search = builder.build(&words).ok()?;
    Some(Wanted { words, search })
}

/// Whether a file of a kind can state anything but definitions.
pub(super) fn may_state(kind: Option<FileKind>, bytes: &[u8]) -> bool {
    match kind {
        Some(FileKind::Configuration { json: false, .. }) => {
            IN_HCL.as_ref().is_none_or(|Wanted { words, search }| {
                let mut found = search.find_iter(bytes);
                let word = |found: &aho_corasick::Match| words[found.pattern().as_usize()];
                found.any(|found| counts(word(&found), bytes, found.start(), &|| has_arguments(bytes)))
            })
        }
        Some(FileKind::Configuration { json: true, .. }) => {
            IN_JSON.as_ref().is_none_or(|wanted| wanted.search.is_match(bytes))
        }
        Some(FileKind::Lock | FileKind::Mock { .. }) => false,
        _ => true,
    }
}

/// Whether what stands between the braces of a block of HCL that is no call and no setting can read or name a file.
/// `goes_on` says that something is taken out of an object, or a list of such, in it.
pub(super) fn may_count_in_block(bytes: &[u8], goes_on: bool) -> bool {
    let Some(Wanted { words, search }) = IN_HCL.as_ref() else { return true };
    let (mut named, mut behind) = (false, goes_on);
    for found in search.find_iter(bytes) {
        let (start, end) = (found.start(), found.end());
        match words[found.pattern().as_usize()] {
            "local" | "each" if is_name_with_more(bytes, start, end) => {
                named = true;
                if argument_at(bytes, start).is_none_or(names_a_path) {
                    return true;
                }
            }
            "local" | "each" | "backend" | "cloud" | "remote_state" => {}
            BEHIND_A_NAME => behind = true,
            "provider" => {
                if bytes[end..].starts_with(b"::") {
                    return true;
                }
            }
            word if counts(word, bytes, start, &|| true) => return true,
            _ => {}
        }
    }
    named && behind
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
    may_hold(kind, bytes, b"locals")
}

/// Whether a file of configuration can give variables a default.
pub(super) fn may_define_defaults(kind: Option<FileKind>, bytes: &[u8]) -> bool {
    may_hold(kind, bytes, b"default")
}

fn may_hold(kind: Option<FileKind>, bytes: &[u8], word: &[u8]) -> bool {
    match kind {
        Some(FileKind::Configuration { json, .. }) => {
            memmem::find(bytes, word).is_some() || json && memmem::find(bytes, b"\\u").is_some()
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
fn counts(word: &str, bytes: &[u8], start: usize, asks: &dyn Fn() -> bool) -> bool {
    let end = start + word.len();
    let is_argument = || is_argument(bytes, end) && asks();
    match word {
        "file" => is_call(bytes, end) || is_argument(),
        "path" => is_name_with_more(bytes, start, end) || is_argument(),
        "local" | "each" => is_name_with_more(bytes, start, end),
        "program" | "command" => is_argument(),
        word if PATHS.contains(&word) => is_argument(),
        "module" | "provider" | "backend" | "cloud" => begins_block(bytes, start, end),
        // What stands before it counts by itself.
        BEHIND_A_NAME => false,
        _ => true,
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
