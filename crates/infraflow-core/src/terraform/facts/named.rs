//! Whether an expression names a path, where no function says so.

use hcl_edit::template::Element;

use super::{
    Base, StaticValue, collections,
    evaluate::{Scope, evaluate_elements},
    sieve,
};

/// Whether paths that are merely named count: in the arguments of resources, which may read them, but not
/// in locals, which say nothing until they are used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// A path is one that begins like one: `./`, `../`, `path.module`, a local.
    Counts,
    /// The same, also in a text of several lines, which may be run.
    Script,
    /// What is asked for is a path: any word is one, and a variable may hold one.
    Path,
    /// What is asked for is a command: its words that may be paths are.
    Command,
    Ignored,
}

impl Naming {
    /// The same for what an argument of a name is given.
    pub(super) fn of(self, name: &str) -> Self {
        match self {
            Self::Ignored => Self::Ignored,
            Self::Command => Self::Command,
            _ if COMMANDS.contains(&name) => Self::Command,
            _ if sieve::asks_for_a_path(name) => Self::Path,
            // Modules hand them to `local-exec`: `create_cmd_body` (terraform-google-modules/gcloud).
            _ if name.contains("cmd") || name.contains("command") => Self::Script,
            _ => Self::Counts,
        }
    }
}

/// A nested block of which every argument is a command: of the provider scottwinkler/shell.
pub(super) const COMMANDS_ALONE: &str = "lifecycle_commands";

/// Arguments that hold a command: of `local-exec`, and of the data source `external`.
const COMMANDS: [&str; 2] = ["command", "program"];

/// Whether an argument of this name may be a path, judged where its value is no more than a local.
pub(super) fn names_a_path(name: &str) -> bool {
    ["file", "dir", "path", "source", "directory", "template", "filename", "program", "command", "content"]
        .iter()
        .any(|part| name.contains(part))
        // What a module gives to its callers.
        || name == "value"
}

pub(super) fn begins_a_path(value: &StaticValue, naming: Naming) -> bool {
    match value {
        StaticValue::Base(_) | StaticValue::Local(..) => true,
        StaticValue::Variable(..) => naming == Naming::Path,
        StaticValue::Concat(parts) => parts.first().is_some_and(|first| begins_a_path(first, naming)),
        StaticValue::Directory(inner) => begins_a_path(inner, naming),
        StaticValue::Computed(..) if !std::ptr::eq(value, value.place()) => {
            begins_a_path(value.place(), naming)
        }
        StaticValue::Computed(name, arguments) if collections::hands_on(name) => {
            arguments.iter().any(|argument| holds_a_path(argument, naming))
        }
        // What a text says says nothing of a path itself.
        StaticValue::Computed(name, _) if matches!(name.as_str(), "jsondecode" | "yamldecode") => false,
        // A text that is made of a path is mostly a name, unless a path is asked for.
        StaticValue::Computed(_, arguments) => {
            let first = arguments.first().is_some_and(|first| begins_a_path(first, naming));
            first && (naming == Naming::Path || !arguments.iter().any(may_vary))
        }
        _ => false,
    }
}

/// Whether an item of a collection begins a path.
fn holds_a_path(value: &StaticValue, naming: Naming) -> bool {
    match value {
        StaticValue::List(items) | StaticValue::OneOf(items) => {
            items.iter().any(|item| holds_a_path(item, naming))
        }
        StaticValue::Many(item) => holds_a_path(item, naming),
        other => begins_a_path(other, naming),
    }
}

/// Whether anything but a directory and constants is a part of a value.
fn may_vary(value: &StaticValue) -> bool {
    match value {
        StaticValue::Base(_) | StaticValue::Literal(_) => false,
        StaticValue::Concat(items) | StaticValue::List(items) | StaticValue::Computed(_, items) => {
            items.iter().any(may_vary)
        }
        _ => true,
    }
}

/// Whether a text that is asked for as a path is one as a whole: it begins with what is known to some degree, and
/// nothing in it ends a path.
pub(super) fn is_one_path(value: &StaticValue) -> bool {
    let StaticValue::Concat(parts) = value else { return false };
    let begins = match parts.first() {
        Some(StaticValue::Literal(text)) => is_word(text, Naming::Path) || is_relative(text),
        Some(StaticValue::Unknown | StaticValue::Made | StaticValue::Null) | None => false,
        // `path.module` with a slash alone stands for no file.
        Some(first) if matches!(first.place(), StaticValue::Base(_)) => {
            !matches!(&parts[1..], [StaticValue::Literal(text)] if text == "/")
        }
        Some(_) => true,
    };
    let goes_on = |part: &StaticValue| match part {
        StaticValue::Literal(text) => !text.contains(ends_a_path),
        _ => true,
    };
    begins && parts.iter().all(goes_on)
}

/// Whether a word is a path where one is asked for, although nothing but that says so.
pub(super) fn is_word(word: &str, naming: Naming) -> bool {
    let looks = match naming {
        Naming::Path => word != "." && word != "..",
        Naming::Command => word.contains(['/', '.']) && word != "." && word != "..",
        Naming::Counts | Naming::Script | Naming::Ignored => false,
    };
    looks && !word.is_empty() && word.len() < 256 && !word.starts_with(['/', '~', '-', '!', '$'])
}

pub(super) fn is_relative(word: &str) -> bool {
    ["./", "../"].iter().any(|start| word.len() > start.len() && word.starts_with(start))
}

/// Whether a relative path can begin somewhere in a text.
pub(super) fn begins_relative(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'/', bytes).any(|at| at > 0 && bytes[at - 1] == b'.')
}

/// What cannot stand in the path of a file that a command line, a list or a sentence names. (It can, but
/// then it is quoted, and the quotes end it.)
pub(super) fn ends_a_path(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`;,|&<>()[]{}=:".contains(c)
}

/// The path that begins with the interpolation at `at`: everything up to a character that ends it. Whether
/// it names anything below its base: `path.module` alone in a sentence does not.
pub(super) fn path_from(elements: &[&Element], at: usize, scope: &Scope) -> (Option<StaticValue>, usize) {
    let mut next = at + 1;
    let mut tail = String::new();
    let mut goes_on = false;
    while let Some(element) = elements.get(next) {
        if let Element::Literal(text) = element {
            if !goes_on && !text.starts_with('/') {
                return (None, next);
            }
            goes_on = true;
            if let Some(end) = text.find(ends_a_path) {
                tail = text[..end].to_owned();
                break;
            }
        } else if !goes_on {
            return (None, next);
        }
        next += 1;
    }
    if !goes_on {
        return (None, next);
    }
    let head = evaluate_elements(&elements[at..next.min(elements.len())], scope);
    let value = StaticValue::concat(vec![head, StaticValue::Literal(tail)]);
    let bare = matches!(&value, StaticValue::Concat(parts)
        if matches!(parts.as_slice(), [base, StaticValue::Literal(text)]
            if text == "/" && matches!(base.place(), StaticValue::Base(Base::Module | Base::Root | Base::Cwd))));
    (Some(value).filter(|_| !bare), next)
}
