use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BranchName, CommitId, GitError, ObjectId, Repository, TagName};

/// A reference by its name in full, from `refs/` on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ReferenceName(String);

impl ReferenceName {
    /// Checks a name by git's rules, and that it starts with `refs/`.
    ///
    /// # Errors
    /// [`GitError::BadName`].
    pub fn parse(name: &str) -> Result<Self, GitError> {
        let why = if !name.starts_with("refs/") {
            "it does not start with refs/"
        } else if !git2::Reference::is_valid_name(name) {
            "git-check-ref-format(1) forbids it"
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(GitError::BadName { kind: "reference", name: name.to_owned(), why })
    }

    /// The name, from `refs/` on.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReferenceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&BranchName> for ReferenceName {
    fn from(name: &BranchName) -> Self {
        Self(name.reference())
    }
}

impl From<&TagName> for ReferenceName {
    fn from(name: &TagName) -> Self {
        Self(name.reference())
    }
}

impl TryFrom<String> for ReferenceName {
    type Error = GitError;
    fn try_from(name: String) -> Result<Self, GitError> {
        Self::parse(&name)
    }
}

impl From<ReferenceName> for String {
    fn from(name: ReferenceName) -> Self {
        name.0
    }
}

/// A tag and the commit that it names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Tag {
    /// Its name.
    pub name: TagName,
    /// The commit.
    pub target: CommitId,
    /// What the reference itself points to: the tag object, or, where it has none, the commit.
    pub object: ObjectId,
    /// Whether it has a tag object, with a tagger, a date and a message.
    pub annotated: bool,
}

/// A local branch and its last commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Branch {
    /// Its name.
    pub name: BranchName,
    /// Its last commit.
    pub commit: CommitId,
}

impl Repository {
    /// The tags of this clone that name a commit, sorted by name. Names that [`TagName`] refuses, and those
    /// that are no UTF-8, are left out.
    ///
    /// # Errors
    /// [`GitError::Libgit2`] where the references cannot be read.
    pub fn tags(&self) -> Result<Vec<Tag>, GitError> {
        let mut tags = self.references("refs/tags/*", |odb, reference, name| {
            let name = TagName::parse(name).ok()?;
            let object = reference.target()?;
            // Packed references say what they peel to, which saves reading each tag.
            let target = match reference.target_peel() {
                Some(peeled) => peeled,
                None => reference.peel_to_commit().ok()?.id(),
            };
            // A tag may name a directory or a file.
            let (_, kind) = odb.read_header(target).ok()?;
            if kind != git2::ObjectType::Commit {
                return None;
            }
            let (target, object) = (CommitId::from_git2(target), ObjectId::from_git2(object));
            Some(Tag { name, target, object, annotated: target.object() != object })
        })?;
        tags.sort();
        Ok(tags)
    }

    /// The local branches, sorted by name.
    ///
    /// # Errors
    /// As [`Repository::tags`].
    pub fn branches(&self) -> Result<Vec<Branch>, GitError> {
        let mut branches = self.references("refs/heads/*", |_, reference, name| {
            let commit = CommitId::from_git2(reference.peel_to_commit().ok()?.id());
            Some(Branch { name: BranchName::parse(name).ok()?, commit })
        })?;
        branches.sort();
        Ok(branches)
    }

    fn references<T>(
        &self,
        pattern: &str,
        read: impl Fn(&git2::Odb<'_>, &git2::Reference<'_>, &str) -> Option<T>,
    ) -> Result<Vec<T>, GitError> {
        let prefix = pattern.trim_end_matches('*');
        self.with(|handle| {
            let failed = |error| self.failed("read the references", error);
            let odb = handle.odb().map_err(failed)?;
            let mut found = Vec::new();
            for reference in handle.references_glob(pattern).map_err(failed)? {
                let reference = reference.map_err(failed)?;
                let name = reference.name().ok().and_then(|name| name.strip_prefix(prefix));
                found.extend(name.and_then(|name| read(&odb, &reference, name)));
            }
            Ok(found)
        })
    }

    /// Sets a local branch, if it is where it is expected to be; `None` creates it. The branch that is
    /// checked out is refused, since its working tree would not follow: see [`Repository::fast_forward`].
    ///
    /// # Errors
    /// [`GitError::RefMoved`], [`GitError::CheckedOut`], or [`GitError::MissingObjects`].
    pub fn set_branch(
        &self,
        branch: &BranchName,
        to: &CommitId,
        expected: Option<&CommitId>,
    ) -> Result<(), GitError> {
        let name = branch.reference();
        self.with(|handle| {
            let head = handle.find_reference("HEAD").ok();
            let current = head.as_ref().and_then(|head| head.symbolic_target().ok().flatten());
            if !self.is_bare() && current == Some(name.as_str()) && handle.head().is_ok() {
                return Err(GitError::CheckedOut { branch: branch.clone() });
            }
            let id = to.to_git2()?;
            handle.find_commit(id).map_err(|error| self.unreadable(to.object(), error))?;
            let result = match expected {
                None => handle.reference(&name, id, false, "infraflow: create"),
                Some(old) => handle.reference_matching(&name, id, true, old.to_git2()?, "infraflow: set"),
            };
            match result {
                Ok(_) => Ok(()),
                Err(error)
                    if matches!(
                        error.code(),
                        git2::ErrorCode::Exists | git2::ErrorCode::Modified | git2::ErrorCode::NotFound
                    ) =>
                {
                    let found = handle.refname_to_id(&name).ok().map(CommitId::from_git2);
                    Err(GitError::RefMoved { name: branch.into(), expected: expected.copied(), found })
                }
                Err(error) => Err(self.failed(&format!("set {name}"), error)),
            }
        })
    }
}
