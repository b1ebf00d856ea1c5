use std::collections::HashSet;

use super::{CommitId, GitError, ObjectId, Repository};

/// So many commits are looked at by those who have little patience.
const NEAR: usize = 64;

impl Repository {
    /// Whether history was cut off when this was cloned.
    ///
    /// # Errors
    /// [`GitError::Io`] where the list of cut-off commits cannot be read.
    pub fn is_shallow(&self) -> Result<bool, GitError> {
        Ok(!self.shallow_commits()?.is_empty())
    }

    /// The commits whose parents are not in this clone though they have some.
    pub(super) fn shallow_commits(&self) -> Result<HashSet<ObjectId>, GitError> {
        let path = self.common_dir().join("shallow");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(GitError::io("read", path, error)),
        };
        self.note_shallow(&text);
        text.lines().map(|line| ObjectId::parse(line.trim())).collect()
    }

    /// The merge base of two commits; of several equally good ones the newest, as `git diff A...B` has it.
    ///
    /// # Errors
    /// [`GitError::UnrelatedHistories`] where there is none; [`GitError::ShallowClone`] where the history
    /// that this clone lacks could hold a nearer one; [`GitError::MissingObjects`].
    pub fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<CommitId, GitError> {
        // There is at least one, or it is an error.
        self.merge_bases(one, other).map(|bases| bases[0])
    }

    /// All merge bases of two commits, none an ancestor of another, the newest first: at least one, and
    /// more where branches were merged both ways.
    ///
    /// # Errors
    /// As [`Repository::merge_base`].
    pub fn merge_bases(&self, one: &CommitId, other: &CommitId) -> Result<Vec<CommitId>, GitError> {
        let path = || self.root().to_owned();
        let (a, b) = (one.to_git2()?, other.to_git2()?);
        let shallow = self.shallow_commits()?;
        if self.is_hurried() {
            self.patient(!shallow.is_empty())?;
            let near = self.nearby(one, other)?;
            self.patient(near.is_none())?;
            return Ok(near.into_iter().collect());
        }
        self.whole_history([one, other])?;
        let bases: Vec<CommitId> = self.with(|handle| {
            for id in [one, other] {
                handle.find_commit(id.to_git2()?).map_err(|error| self.unreadable(id.object(), error))?;
            }
            match handle.merge_bases(a, b) {
                Ok(bases) => Ok(bases.iter().map(|&id| CommitId::from_git2(id)).collect()),
                Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(Vec::new()),
                Err(error) => Err(self.failed("find a merge base", error)),
            }
        })?;
        if !shallow.is_empty() && self.meets_cut(one, other, &bases, &shallow)? {
            return Err(GitError::ShallowClone { path: path(), one: *one, other: *other });
        }
        if bases.is_empty() {
            return Err(GitError::UnrelatedHistories { path: path(), one: *one, other: *other });
        }
        Ok(bases)
    }

    /// That of two commits which lies in the history of the other, where it is not far away.
    fn nearby(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, GitError> {
        for (ancestor, descendant) in [(one, other), (other, one)] {
            let (mut found, mut at) = (vec![*descendant], 0);
            while at < found.len() && found.len() <= NEAR {
                if found[at] == *ancestor {
                    return Ok(Some(*ancestor));
                }
                for parent in self.commit(&found[at])?.parents {
                    if !found.contains(&parent) {
                        found.push(parent);
                    }
                }
                at += 1;
            }
        }
        Ok(None)
    }

    /// Whether a commit whose parents are cut off lies on the way from either end to the merge bases. Only
    /// then can history that is not here hold a better merge base: beyond the bases themselves, every
    /// common ancestor is an ancestor of one of them.
    fn meets_cut(
        &self,
        one: &CommitId,
        other: &CommitId,
        bases: &[CommitId],
        shallow: &HashSet<ObjectId>,
    ) -> Result<bool, GitError> {
        self.with(|handle| {
            let failed = |error| self.failed("walk the history", error);
            let mut walk = handle.revwalk().map_err(failed)?;
            for id in [one, other] {
                walk.push(id.to_git2()?).map_err(failed)?;
            }
            for base in bases {
                walk.hide(base.to_git2()?).map_err(failed)?;
            }
            for id in walk {
                if shallow.contains(&ObjectId::from_git2(id.map_err(failed)?)) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Whether `ancestor` is `descendant` or lies in its history.
    ///
    /// # Errors
    /// [`GitError::MissingObjects`]; [`GitError::ShallowClone`] where history that is not here could
    /// hold it.
    pub fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, GitError> {
        if ancestor == descendant {
            return Ok(true);
        }
        self.patient(true)?;
        let shallow = self.shallow_commits()?;
        self.whole_history([ancestor, descendant])?;
        let found = self.with(|handle| {
            for id in [ancestor, descendant] {
                handle.find_commit(id.to_git2()?).map_err(|error| self.unreadable(id.object(), error))?;
            }
            handle
                .graph_descendant_of(descendant.to_git2()?, ancestor.to_git2()?)
                .map_err(|error| self.failed("walk the history", error))
        })?;
        if !found && !shallow.is_empty() && self.meets_cut(descendant, descendant, &[*ancestor], &shallow)? {
            return Err(GitError::ShallowClone {
                path: self.root().to_owned(),
                one: *ancestor,
                other: *descendant,
            });
        }
        Ok(found)
    }
}
