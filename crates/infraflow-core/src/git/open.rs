use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use git2::{ErrorCode, RepositoryInitOptions, RepositoryOpenFlags};

use super::{BranchName, GitError, Repository};

impl Repository {
    /// Opens the repository that holds a folder: the folder itself, or the nearest one above it, as git
    /// does. Neither `GIT_DIR` nor any other variable of the environment is looked at.
    ///
    /// # Errors
    /// [`GitError::NotARepository`], [`GitError::UnsupportedFormat`] or [`GitError::NotOwned`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, GitError> {
        let path = path.as_ref();
        match git2::Repository::open_ext(path, RepositoryOpenFlags::empty(), &[] as &[&OsStr]) {
            Ok(handle) => Ok(Self::from_handle(handle)),
            Err(error) => Err(refusal(path, error)),
        }
    }

    /// Makes an empty repository with a working directory, whose first commit will be on `trunk`.
    ///
    /// # Errors
    /// [`GitError::Libgit2`] where there already is one, or the folder cannot be written.
    pub fn init(path: impl AsRef<Path>, trunk: &BranchName) -> Result<Self, GitError> {
        init(path.as_ref(), RepositoryInitOptions::new().initial_head(trunk.as_str()))
    }

    /// Makes an empty repository without a working directory, to be a remote.
    ///
    /// # Errors
    /// As [`Repository::init`].
    pub fn init_bare(path: impl AsRef<Path>, trunk: &BranchName) -> Result<Self, GitError> {
        init(path.as_ref(), RepositoryInitOptions::new().initial_head(trunk.as_str()).bare(true))
    }
}

fn init(path: &Path, options: &mut RepositoryInitOptions) -> Result<Repository, GitError> {
    options.no_reinit(true).mkpath(true).external_template(false);
    git2::Repository::init_opts(path, options)
        .map(Repository::from_handle)
        .map_err(|error| GitError::libgit2(format!("make a repository at {}", path.display()), error))
}

/// Says why libgit2 would not open something, by the name of the format where that is the reason.
fn refusal(path: &Path, error: git2::Error) -> GitError {
    if error.code() == ErrorCode::Owner {
        return GitError::NotOwned { path: path.to_owned() };
    }
    let Ok(git_dir) = git2::Repository::discover_path(path, &[] as &[&OsStr]) else {
        return GitError::NotARepository { path: path.to_owned() };
    };
    match unsupported(&git_dir) {
        Some((format, help)) => GitError::UnsupportedFormat { path: path.to_owned(), format, help },
        None if error.code() == ErrorCode::NotFound => GitError::NotARepository { path: path.to_owned() },
        None => GitError::libgit2(format!("open {}", path.display()), error),
    }
}

/// The extensions of libgit2 1.9 (`builtin_extensions` in its repository.c).
const KNOWN: &[&str] = &["noop", "objectformat", "worktreeconfig", "preciousobjects", "relativeworktrees"];

fn unsupported(git_dir: &Path) -> Option<(String, &'static str)> {
    let config = git2::Config::open(&common_dir(git_dir).join("config")).ok()?;
    let mut found = None;
    let entries = config.entries(Some("^extensions\\.")).ok()?;
    // A failed read of one entry hides no other: each is looked at by itself.
    let _ = entries.for_each(|entry| {
        let (Ok(name), value) = (entry.name(), entry.value().unwrap_or_default()) else { return };
        let extension = name.trim_start_matches("extensions.").to_lowercase();
        let reason = match (extension.as_str(), value) {
            ("objectformat", "sha1") => None,
            ("objectformat", value) => Some((
                format!("{value} objects"),
                "use a repository with SHA-1 objects, which is what forges host",
            )),
            ("refstorage", "files") => {
                Some(("extensions.refstorage".to_owned(), "remove the extension from its configuration"))
            }
            ("refstorage", value) => Some((
                format!("references in a {value}"),
                "convert it with `git refs migrate --ref-format=files`",
            )),
            ("partialclone", _) => {
                Some(("extensions.partialclone".to_owned(), "clone again, with a git of 2.24 or newer"))
            }
            (extension, _) if !KNOWN.contains(&extension) => {
                Some((format!("extensions.{extension}"), "clone the repository without this extension"))
            }
            _ => None,
        };
        if found.is_none() {
            found = reason;
        }
    });
    found
}

/// A linked worktree has its configuration in the repository it belongs to.
fn common_dir(git_dir: &Path) -> PathBuf {
    match std::fs::read_to_string(git_dir.join("commondir")) {
        Ok(relative) => git_dir.join(relative.trim_end()),
        Err(_) => git_dir.to_owned(),
    }
}
