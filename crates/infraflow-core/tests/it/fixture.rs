//! Repositories made by real git, and the one place where a test says that a program is missing.
#![allow(dead_code)] // each stage uses its own part

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A repository in a temporary folder, with a trunk called `main`, a fixed author and fixed dates.
pub struct Repo {
    pub folder: tempfile::TempDir,
    pub path: PathBuf,
}

impl Repo {
    /// An empty repository: no commit yet.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repo");
        std::fs::create_dir(&path).unwrap();
        let repo = Self { folder, path };
        repo.git(&["init", "-q", "-b", "main"]);
        repo
    }

    /// A repository whose first commit has these files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let repo = Self::empty();
        repo.write_all(files);
        repo.commit("feat: begin");
        repo
    }

    /// Runs git here and returns its trimmed output; panics with its message where it fails.
    pub fn git(&self, args: &[&str]) -> String {
        git_in(&self.path, args)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn write_all(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.write(path, text);
        }
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.path.join(path)).unwrap();
    }

    /// Commits everything, and returns the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn branch(&self, name: &str) {
        self.git(&["checkout", "-q", "-b", name]);
    }

    pub fn checkout(&self, name: &str) {
        self.git(&["checkout", "-q", name]);
    }

    /// A bare remote called `origin` beside the repository, with everything pushed to it.
    pub fn with_origin(self) -> Self {
        let bare = self.folder.path().join("origin.git");
        git_in(self.folder.path(), &["clone", "-q", "--bare", "repo", "origin.git"]);
        self.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
        self.git(&["fetch", "-q", "origin"]);
        self
    }

    pub fn origin(&self) -> PathBuf {
        self.folder.path().join("origin.git")
    }
}

/// Runs git in a folder, with a fixed identity and date, and nobody's configuration.
pub fn git_in(folder: &Path, args: &[&str]) -> String {
    let output = git_output(folder, args);
    assert!(
        output.status.success(),
        "git {args:?} in {}: {}",
        folder.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

pub fn git_output(folder: &Path, args: &[&str]) -> Output {
    Command::new("git")
        .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")])
        .envs([("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"), ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")])
        .output()
        .unwrap()
}

/// Whether a program that a test needs is there. Where it is not, the test is reported as skipped (in the
/// file that `INFRAFLOW_SKIPPED` names, which the test command counts), and in CI git, terraform and
/// python are never allowed to be missing.
pub fn has(program: &str, test: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    if !found {
        let needed = ["git", "terraform", "python3"].contains(&program);
        assert!(
            !(needed && std::env::var_os("CI").is_some()),
            "{test} needs {program}, which is not on the PATH"
        );
        eprintln!("skipped: {test} needs {program}, which is not on the PATH");
        if let Some(file) = std::env::var_os("INFRAFLOW_SKIPPED") {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
            writeln!(file, "{test} needs {program}").unwrap();
        }
    }
    found
}
