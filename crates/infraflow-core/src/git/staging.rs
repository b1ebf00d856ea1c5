use std::path::{Path, PathBuf};

use super::GitError;

/// A folder that is filled beside the place where it is to appear, and appears there whole.
pub(super) struct Staging {
    holder: tempfile::TempDir,
    into: PathBuf,
}

impl Staging {
    /// Begins, if `into` is not there, or an empty folder.
    pub(super) fn beside(into: &Path) -> Result<Self, GitError> {
        let into = std::path::absolute(into).map_err(|error| GitError::io("write to", into, error))?;
        match std::fs::read_dir(&into) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(GitError::NotEmpty { path: into });
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(GitError::io("write to", into, error)),
        }
        let parent = into.parent().unwrap_or(&into);
        std::fs::create_dir_all(parent).map_err(|error| GitError::io("make the folder", parent, error))?;
        let holder = tempfile::Builder::new()
            .prefix(".infraflow-")
            .tempdir_in(parent)
            .map_err(|error| GitError::io("make a folder in", parent, error))?;
        Ok(Self { holder, into })
    }

    /// Where to write.
    pub(super) fn path(&self) -> PathBuf {
        self.holder.path().join("staged")
    }

    /// Puts the folder in its place.
    pub(super) fn finish(self) -> Result<PathBuf, GitError> {
        std::fs::rename(self.path(), &self.into)
            .map_err(|error| GitError::io("put the finished folder at", &self.into, error))?;
        Ok(self.into)
    }
}
