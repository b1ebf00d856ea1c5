use crate::proof::RepoPath;

use super::{Commit, CommitId, GitError, Repository, Revision, Tree};

impl Repository {
    /// The commits that lead to `until` and not to `since`, children before their parents; all of its
    /// history where there is no `since`. The order is the same every time.
    ///
    /// # Errors
    /// [`GitError::MissingObjects`]; [`GitError::HistoryCut`] where the clone is shallow and the walk comes
    /// to where it is cut off.
    pub fn history(&self, since: Option<&CommitId>, until: &CommitId) -> Result<Vec<Commit>, GitError> {
        let shallow = self.shallow_commits()?;
        self.whole_history(since.into_iter().chain([until]))?;
        self.with(|handle| {
            let failed = |error| self.failed("walk the history", error);
            for id in since.into_iter().chain([until]) {
                handle.find_commit(id.to_git2()?).map_err(|error| self.unreadable(id.object(), error))?;
            }
            let mut walk = handle.revwalk().map_err(failed)?;
            walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME).map_err(failed)?;
            walk.push(until.to_git2()?).map_err(failed)?;
            if let Some(since) = since {
                walk.hide(since.to_git2()?).map_err(failed)?;
            }
            let mut commits = Vec::new();
            for id in walk {
                let commit = handle.find_commit(id.map_err(failed)?).map_err(failed)?;
                let commit = Commit::from_git2(&commit);
                if shallow.contains(&commit.id.object()) {
                    return Err(GitError::HistoryCut { path: self.root().to_owned(), commit: commit.id });
                }
                commits.push(commit);
            }
            Ok(commits)
        })
    }

    /// The paths in which a commit differs from its first parent; for a first commit, all of its files.
    /// Sorted. A renamed file appears by both paths.
    ///
    /// # Errors
    /// As [`Repository::compare`].
    pub fn changed_paths(&self, commit: &CommitId) -> Result<Vec<RepoPath>, GitError> {
        let commit = self.commit(commit)?;
        let new = Tree::of_commit(self.clone(), Revision::Commit(commit.id), commit.tree);
        match commit.parents.first() {
            Some(parent) => {
                let old = self.tree(&Revision::Commit(*parent))?;
                self.differing_paths(&old, &new)
            }
            None => Ok(new.walk(&RepoPath::root())?.into_iter().map(|entry| entry.path).collect()),
        }
    }
}
