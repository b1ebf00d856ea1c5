use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BranchName, CommitId, GitError, ObjectId, ReferenceName, RemoteName, Repository, TagName,
    program::{Words, failure, without_passwords},
};

/// One reference of a remote that a push sets. Nothing is ever deleted, and no branch is moved backwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefUpdate {
    /// What it is set to.
    pub source: ObjectId,
    /// Which reference.
    pub destination: ReferenceName,
    /// What must stand there before.
    pub expected: Expected,
}

/// What must stand at a reference of the remote for it to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Nothing: it is created.
    Absent,
    /// This object.
    At(ObjectId),
    /// Nothing, or an ancestor of what is pushed.
    Ancestor,
}

impl RefUpdate {
    /// Creates a tag; it is never moved.
    pub fn tag(name: &TagName, object: ObjectId) -> Self {
        Self { source: object, destination: name.into(), expected: Expected::Absent }
    }

    /// Sets a branch that must not have moved since it was looked at; `None` where it was not there.
    pub fn branch(name: &BranchName, to: CommitId, from: Option<CommitId>) -> Self {
        let expected = from.map_or(Expected::Absent, |from| Expected::At(from.object()));
        Self { source: to.object(), destination: name.into(), expected }
    }
}

/// What became of a pushed reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pushed {
    /// It was set.
    Set,
    /// It was there already, as it should be: an earlier try went through.
    AlreadyThere,
}

/// A reference that a remote did not take, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRef {
    /// Which.
    pub name: ReferenceName,
    /// What git or the server said.
    pub why: String,
}

impl std::fmt::Display for RejectedRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.why)
    }
}

impl Repository {
    /// Pushes objects to references of a remote, all of them or none: `object:refs/…`, in one atomic push,
    /// without a local reference. No hook of this clone runs. A second try of the same push finds its
    /// references there and succeeds. This is *execute*.
    ///
    /// # Errors
    /// [`GitError::PushRejected`] where a reference is not as it was expected (somebody else was faster, a
    /// tag exists already) or the server refuses; [`GitError::NotAnAncestor`] for a branch that would be
    /// moved backwards; [`GitError::Program`] where the remote was not reached or answered something else:
    /// then look at it again before trying again.
    pub fn push(
        &self,
        remote: &RemoteName,
        updates: &[RefUpdate],
    ) -> Result<Vec<(ReferenceName, Pushed)>, GitError> {
        if updates.is_empty() {
            return Ok(Vec::new());
        }
        let mut words = Words::new(&["push", "--porcelain", "--no-verify", "--no-follow-tags"]);
        // A server that knows nothing of atomic pushes still takes a single reference.
        if updates.len() > 1 {
            words = words.word("--atomic");
        }
        for update in updates {
            match update.expected {
                Expected::Absent => {
                    words = words.word(format!("--force-with-lease={}:", update.destination));
                }
                Expected::At(old) => {
                    self.require_forward(update, old)?;
                    words = words.word(format!("--force-with-lease={}:{old}", update.destination));
                }
                Expected::Ancestor => {}
            }
        }
        let refspecs = updates.iter().map(|update| format!("{}:{}", update.source, update.destination));
        let words = words.word("--").word(remote.as_str()).words(refspecs);
        let finished = self.run_git(&words)?;
        let report = String::from_utf8_lossy(&finished.stdout);
        let rejected: Vec<RejectedRef> = report.lines().filter_map(read_rejected).collect();
        if !rejected.is_empty() {
            return Err(GitError::PushRejected { remote: remote.clone(), refs: rejected });
        }
        if !finished.success() {
            return Err(failure(&format!("push to {remote}"), &finished));
        }
        Ok(report.lines().filter_map(read_pushed).collect())
    }

    /// A lease alone would let a branch be moved anywhere.
    fn require_forward(&self, update: &RefUpdate, old: ObjectId) -> Result<(), GitError> {
        let (old, new) = (CommitId::from_object(old), CommitId::from_object(update.source));
        if old.object() == update.source || self.is_ancestor(&old, &new)? {
            return Ok(());
        }
        Err(GitError::NotAnAncestor { name: update.destination.clone(), old, new })
    }
}

/// Reads `<flag>\t<from>:<to>\t<summary> (<reason>)`, the lines of `git push --porcelain`.
fn read_line(line: &str) -> Option<(char, ReferenceName, &str)> {
    let mut fields = line.splitn(3, '\t');
    let flag = fields.next()?.chars().next()?;
    let (_, to) = fields.next()?.rsplit_once(':')?;
    Some((flag, ReferenceName::parse(to).ok()?, fields.next().unwrap_or_default()))
}

fn read_rejected(line: &str) -> Option<RejectedRef> {
    let ('!', name, summary) = read_line(line)? else { return None };
    let why = match summary.split_once('(').map(|(_, why)| why.trim_end_matches(')')) {
        Some("stale info") => "it is not what it was expected to be: somebody else was faster".to_owned(),
        Some("already exists") => "it exists already, and points elsewhere".to_owned(),
        Some("fetch first" | "non-fast-forward") => "it has commits that this clone does not have".to_owned(),
        Some("atomic push failed") => "another reference of this push was refused".to_owned(),
        _ => without_passwords(summary).into_owned(),
    };
    Some(RejectedRef { name, why })
}

fn read_pushed(line: &str) -> Option<(ReferenceName, Pushed)> {
    let (flag, name, _) = read_line(line)?;
    Some((name, if flag == '=' { Pushed::AlreadyThere } else { Pushed::Set }))
}
