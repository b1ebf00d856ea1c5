use super::{BranchName, CommitId, GitError, Repository, program::Words};

impl Repository {
    /// Switches the working tree to a local branch. No hook runs. This is *execute*.
    ///
    /// # Errors
    /// [`GitError::Program`] where local changes would be lost, or there is no such branch;
    /// [`GitError::NoWorkingTree`].
    pub fn checkout(&self, branch: &BranchName) -> Result<(), GitError> {
        self.require_working_tree()?;
        let words = Words::new(&["checkout", "--quiet", "--no-guess", "--no-recurse-submodules"])
            .words([branch.as_str(), "--"]);
        self.git(&format!("check out {branch}"), &words).map(|_| ())
    }

    /// Switches the working tree to a commit, without a branch. No hook runs. This is *execute*.
    ///
    /// # Errors
    /// As [`Repository::checkout`].
    pub fn checkout_commit(&self, commit: &CommitId) -> Result<(), GitError> {
        self.require_working_tree()?;
        let words = Words::new(&["checkout", "--quiet", "--detach", "--no-recurse-submodules"])
            .words([commit.to_string().as_str(), "--"]);
        self.git(&format!("check out {}", commit.short()), &words).map(|_| ())
    }

    /// Moves the branch that is checked out, and the working tree with it, forward to a commit that stands
    /// on it: what `git pull` does after somebody else's merge. This is *execute*.
    ///
    /// # Errors
    /// [`GitError::Program`] where the commit does not stand on the branch, or local changes would be lost;
    /// [`GitError::NoWorkingTree`].
    pub fn fast_forward(&self, to: &CommitId) -> Result<(), GitError> {
        self.require_working_tree()?;
        let words = Words::new(&["merge", "--quiet", "--ff-only", "--no-stat", "--"]).word(to.to_string());
        self.git(&format!("move forward to {}", to.short()), &words).map(|_| ())
    }

    fn require_working_tree(&self) -> Result<(), GitError> {
        if self.is_bare() {
            return Err(GitError::NoWorkingTree { path: self.root().to_owned() });
        }
        Ok(())
    }
}
