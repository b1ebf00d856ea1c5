//! What people are told about a release.

use super::{Bump, ReleaseRules, conventional::Message};
use crate::{
    git::Commit,
    interface::{InterfaceChange, Severity},
};

/// What goes into the notes of one release.
pub(super) struct Contents<'a> {
    /// The newest first.
    pub(super) commits: &'a [(Commit, Message)],
    pub(super) interface: &'a [InterfaceChange],
    /// What it calls that is released with it, for example `network/v1.3.0`.
    pub(super) calls: &'a [String],
}

/// Markdown, by kind of change, in a fixed order; empty sections are left out.
pub(super) fn write(rules: &ReleaseRules, contents: &Contents<'_>) -> String {
    let mut breaking = Vec::new();
    let (mut features, mut fixes, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for (commit, message) in contents.commits {
        let id = commit.id.short();
        if message.breaking {
            let what = message.breaking_note.as_deref().or(message.changes.first().map(|c| &*c.description));
            breaking.push(format!("{} ({id})", plain(what.unwrap_or_default())));
        }
        for change in &message.changes {
            let line = format!("{} ({id})", plain(&change.description));
            match rules.asks(change.kind.as_deref()) {
                Some(Bump::Minor | Bump::Major | Bump::Initial) => features.push(line),
                Some(Bump::Patch) if change.kind.as_deref() == Some("fix") => fixes.push(line),
                _ => other.push(line),
            }
        }
    }
    let of = |severity: Severity| {
        contents
            .interface
            .iter()
            .filter(move |change| change.severity == severity)
            .map(|c| plain(&c.to_string()))
    };
    breaking.extend(of(Severity::Breaking));
    let sections = [
        ("Breaking changes", breaking),
        ("Features", features),
        ("Fixes", fixes),
        ("Other changes", other),
        ("New for callers", of(Severity::Addition).collect()),
        ("May come out differently", of(Severity::Risk).collect()),
        ("Calls", contents.calls.iter().map(|call| plain(call)).collect()),
    ];
    let mut out = String::new();
    for (title, lines) in sections {
        if lines.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str("### ");
        out.push_str(title);
        out.push_str("\n\n");
        for line in lines {
            out.push_str("- ");
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// One line of a commit's message: it may come from anybody, so that it can neither break out of its line
/// nor call for people, and is no longer than anyone reads.
pub(super) fn plain(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST + 1)
        .collect::<String>()
        .replace('<', "&lt;")
        .replace('@', "@\u{200b}");
    if text.chars().count() > LONGEST {
        line.push('…');
    }
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(plain("a\nb\u{1b}[31m @all <b>"), "a b [31m @\u{200b}all &lt;b>");
        assert!(plain(&"x".repeat(1000)).chars().count() < 310);
    }
}
