//! What a commit's message asks for, by the conventional commits specification 1.0.0.

/// The message of a commit, as far as a release needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// What it says in its first line, and what a squash lists in its body.
    pub(super) changes: Vec<Change>,
    /// Whether anything of it breaks callers.
    pub(super) breaking: bool,
    /// What a `BREAKING CHANGE:` footer says.
    pub(super) breaking_note: Option<String>,
}

/// One `type(scope)!: description`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The type in lower case; `None` where the line is no conventional one.
    pub(super) kind: Option<String>,
    /// The description, or the whole line.
    pub(super) description: String,
}

impl Message {
    pub(super) fn parse(message: &str) -> Self {
        let mut lines = message.trim_start().lines();
        let subject = lines.next().unwrap_or_default().trim();
        let (first, mut breaking) = header(subject).unwrap_or_else(|| {
            // What `git revert` writes.
            let kind = subject.starts_with("Revert \"").then(|| "revert".to_owned());
            (Change { kind, description: subject.to_owned() }, false)
        });
        let mut changes = vec![first];
        let mut breaking_note = None;
        for line in lines {
            // Forges squash commits into a list of their subjects.
            if let Some((change, breaks)) = line.strip_prefix("* ").and_then(header) {
                breaking |= breaks;
                changes.push(change);
            } else if let Some(note) = footer(line) {
                breaking = true;
                breaking_note.get_or_insert_with(|| note.trim().to_owned());
            }
        }
        Self { changes, breaking, breaking_note }
    }
}

/// `BREAKING CHANGE: …` or `BREAKING-CHANGE: …`, in capitals as the specification asks (items 12, 15 and 16).
fn footer(line: &str) -> Option<&str> {
    ["BREAKING CHANGE: ", "BREAKING-CHANGE: ", "BREAKING CHANGE #", "BREAKING-CHANGE #"]
        .iter()
        .find_map(|token| line.strip_prefix(token))
}

/// `type(scope)!: description`, and whether it has the exclamation mark.
fn header(line: &str) -> Option<(Change, bool)> {
    let (head, description) = line.split_once(": ")?;
    let (head, breaking) = match head.strip_suffix('!') {
        Some(head) => (head, true),
        None => (head, false),
    };
    let kind = match head.split_once('(') {
        Some((kind, scope)) if scope.ends_with(')') && scope.len() > 1 => kind,
        Some(_) => return None,
        None => head,
    };
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if kind.is_empty() || !kind.bytes().all(word) || description.trim().is_empty() {
        return None;
    }
    // "BREAKING CHANGE" as a type of its own is allowed by nobody, and means what it says all the same.
    let kind = Some(kind.to_ascii_lowercase());
    Some((Change { kind, description: description.trim().to_owned() }, breaking))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(message: &str) -> (Vec<Option<String>>, bool) {
        let read = Message::parse(message);
        (read.changes.into_iter().map(|change| change.kind).collect(), read.breaking)
    }

    #[test]
    fn a_breaking_change_is_seen_in_each_of_its_forms() {
        for message in [
            "feat!: drop azs",
            "feat(vpc)!: drop azs",
            "fix(api)!: x\n\nbody",
            "refactor: x\n\nbody\n\nBREAKING CHANGE: azs is gone",
            "chore: x\n\nBREAKING-CHANGE: azs is gone\nReviewed-by: Z",
            "Merge things (#3)\n\n* feat: a\n* fix!: b",
        ] {
            assert!(kinds(message).1, "{message}");
        }
        for message in
            ["feat: not BREAKING CHANGE: here", "feat: x\n\nbreaking change: small", "wow! x", "a! b: c"]
        {
            assert!(!kinds(message).1, "{message}");
        }
    }

    #[test]
    fn types_are_read_with_and_without_a_scope() {
        assert_eq!(kinds("Feat(a/b): x").0, [Some("feat".to_owned())]);
        assert_eq!(kinds("update things").0, [None]);
        assert_eq!(kinds("feat:x").0, [None]);
        assert_eq!(kinds("Revert \"feat: x\"\n\nThis reverts commit 0.").0, [Some("revert".to_owned())]);
        assert_eq!(kinds("Add (#2)\n\n* feat: a\n* not one").0, [None, Some("feat".to_owned())]);
        assert_eq!(kinds("").0, [None]);
    }

    #[test]
    fn the_note_of_a_footer_is_kept() {
        let read = Message::parse("feat: x\n\nBREAKING CHANGE: azs is gone \n");
        assert_eq!(read.breaking_note.as_deref(), Some("azs is gone"));
    }
}
