//! The variables of a CI system beside the repository that it checked out.

use std::{collections::BTreeMap, fmt};

use crate::git::{BranchName, CommitId, GitError, RemoteName, Repository};

use super::{Comparison, DetectError, Endpoints, ci_branches, ci_github, ci_gitlab};

/// A CI system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    GitHub,
    GitLab,
    Buildkite,
    Azure,
    Jenkins,
    Bitbucket,
}

/// Each system's own mark, in the order of looking: agents of one system are started by another (Jenkins is
/// last, since its variables are inherited most).
const MARKS: [(System, &str); 6] = [
    (System::GitHub, "GITHUB_ACTIONS"),
    (System::GitLab, "GITLAB_CI"),
    (System::Buildkite, "BUILDKITE"),
    (System::Azure, "TF_BUILD"),
    (System::Bitbucket, "BITBUCKET_BUILD_NUMBER"),
    (System::Jenkins, "JENKINS_URL"),
];

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GitHub => "GitHub Actions",
            Self::GitLab => "GitLab CI",
            Self::Buildkite => "Buildkite",
            Self::Azure => "Azure Pipelines",
            Self::Jenkins => "Jenkins",
            Self::Bitbucket => "Bitbucket Pipelines",
        })
    }
}

impl System {
    /// How this system is told to clone more.
    fn clone_more(self) -> &'static str {
        match self {
            Self::GitHub => "give actions/checkout `fetch-depth: 0`",
            Self::GitLab => "set the variable `GIT_DEPTH: 0` for the job",
            Self::Buildkite => "take --depth out of BUILDKITE_GIT_CLONE_FLAGS and BUILDKITE_GIT_FETCH_FLAGS",
            Self::Azure => "give the checkout step `fetchDepth: 0`",
            Self::Jenkins => "turn off the shallow clone, and let the refspec fetch the target branch too",
            Self::Bitbucket => "set `clone: depth: full` in bitbucket-pipelines.yml",
        }
    }
}

/// What is known about where this process runs.
pub(super) struct Surroundings<'a> {
    pub(super) system: System,
    variables: &'a BTreeMap<String, String>,
    pub(super) repository: &'a Repository,
}

impl<'a> Surroundings<'a> {
    /// `None` where no CI system is to be seen.
    pub(super) fn of(variables: &'a BTreeMap<String, String>, repository: &'a Repository) -> Option<Self> {
        let set = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty() && value != "false");
        let (system, _) = MARKS.into_iter().find(|(_, mark)| set(mark))?;
        Some(Self { system, variables, repository })
    }

    pub(super) fn endpoints(&self) -> Result<Endpoints, DetectError> {
        match self.system {
            System::GitHub => ci_github::endpoints(self),
            System::GitLab => ci_gitlab::endpoints(self),
            System::Buildkite => ci_branches::buildkite(self),
            System::Azure => ci_branches::azure(self),
            System::Jenkins => ci_branches::jenkins(self),
            System::Bitbucket => ci_branches::bitbucket(self),
        }
    }

    /// A variable's value, if it has one.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// What is checked out.
    pub(super) fn head(&self) -> Result<CommitId, DetectError> {
        Ok(self.repository.resolve("HEAD")?)
    }

    /// The commit of an id, in full or abbreviated, that the system names.
    pub(super) fn commit(&self, id: &str, what: &str) -> Result<CommitId, DetectError> {
        if id.len() < 7 || id.len() > 40 || !id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(self.odd(what, format!("{id:?} is no commit's id")));
        }
        match self.repository.resolve(id) {
            Ok(found) => Ok(found),
            Err(GitError::UnknownRevision { .. }) => {
                Err(self.lacks(what, id, &format!("git fetch origin {id}")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The tip that a branch has on `origin` as far as this clone knows, or, where it is no remote's, here.
    pub(super) fn branch(&self, name: &str, what: &str) -> Result<CommitId, DetectError> {
        let branch = BranchName::parse(name.strip_prefix("refs/heads/").unwrap_or(name))?;
        if let Some(tip) = self.repository.remote_tip(&RemoteName::origin(), &branch)? {
            return Ok(tip);
        }
        if let Some(tip) = self.repository.branch_tip(&branch)? {
            return Ok(tip);
        }
        let refspec = format!("+refs/heads/{branch}:refs/remotes/origin/{branch}");
        Err(self.lacks(what, branch.as_str(), &format!("git fetch origin {}", quoted(&refspec))))
    }

    /// The trunk: as the system calls it, or as the repository does.
    pub(super) fn trunk(&self, called: Option<&str>) -> Result<String, DetectError> {
        match called {
            Some(name) => Ok(name.to_owned()),
            None => Ok(self.repository.trunk()?.as_str().to_owned()),
        }
    }

    /// A change against the tip of a branch.
    pub(super) fn against_branch(&self, name: &str, what: &str) -> Result<Endpoints, DetectError> {
        let base = self.branch(name, what)?;
        let name = name.strip_prefix("refs/heads/").unwrap_or(name);
        Ok(Endpoints::new(base, format!("{what}, {name} ({})", self.system), self.head()?))
    }

    /// Whatever runs on a branch that is not trunk.
    pub(super) fn against_trunk(&self, trunk: &str) -> Result<Endpoints, DetectError> {
        self.against_branch(trunk, "the tip of trunk")
    }

    /// Trunk as it is now, compared with what it was.
    pub(super) fn since(&self, before: &str, what: &str) -> Result<Endpoints, DetectError> {
        let base = self.commit(before, what)?;
        let endpoints = Endpoints::new(base, format!("{what} ({})", self.system), self.head()?);
        Ok(endpoints.with_comparison(Comparison::Endpoints))
    }

    /// Where HEAD is a merge: what it was merged into.
    pub(super) fn merged_into(&self) -> Result<Option<CommitId>, DetectError> {
        let head = self.repository.commit(&self.head()?)?;
        let Some(first) = head.parents.first().filter(|_| head.parents.len() > 1) else { return Ok(None) };
        self.commit(&first.to_string(), "the first parent of the merge commit").map(Some)
    }

    /// Trunk as it is now, compared with the first parent: for systems that do not tell what stood before.
    pub(super) fn since_first_parent(&self, trunk: &str) -> Result<Endpoints, DetectError> {
        let head = self.head()?;
        let commit = self.repository.commit(&head)?;
        let Some(first) = commit.parents.first() else { return self.against_trunk(trunk) };
        let what = format!("the first parent of HEAD on trunk, {trunk}");
        let mut endpoints = self.since(&first.to_string(), &what)?;
        endpoints.notes.push(format!(
            "{} does not tell what stood on {trunk} before: were several commits pushed at once, only the last is compared; name the base to see all",
            self.system
        ));
        Ok(endpoints)
    }

    pub(super) fn odd(&self, what: &str, why: String) -> DetectError {
        DetectError::Environment { system: self.system.to_string(), what: what.to_owned(), why }
    }

    fn lacks(&self, what: &str, name: &str, command: &str) -> DetectError {
        DetectError::NotInClone {
            system: self.system.to_string(),
            what: what.to_owned(),
            name: name.to_owned(),
            help: format!("{}, or run `{command}`", self.system.clone_more()),
        }
    }
}

/// Whether an id is the one that stands for no commit.
pub(super) fn is_nothing(id: &str) -> bool {
    id.bytes().all(|digit| digit == b'0') || id == "null"
}

/// As a shell takes it for one word: names of branches may have any of its signs.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+:._/-".contains(&byte);
    if word.bytes().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_of_any_name_is_one_word_of_a_shell() {
        assert_eq!(quoted("+refs/heads/a-b:x"), "+refs/heads/a-b:x");
        assert_eq!(quoted("a;b"), "'a;b'");
        assert_eq!(quoted("a'$(b)"), "'a'\\''$(b)'");
    }

    #[test]
    fn zeros_are_no_commit() {
        assert!(is_nothing(&"0".repeat(40)) && is_nothing("null") && !is_nothing("0123abc"));
    }
}
