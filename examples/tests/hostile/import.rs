//! Repositories of any size and any names, written by `git fast-import`, and `affected` run on them with bounds.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use infraflow_core::{impact::Impact, proof::Document as _};

use crate::fixture::Repo;

/// Two commits: `main`, and `feature` on top of it, which is checked out nowhere.
pub struct Import {
    repo: Repo,
    stream: Vec<u8>,
    base: Vec<u8>,
    change: Vec<u8>,
    blobs: usize,
}

impl Import {
    pub fn new() -> Self {
        Self { repo: Repo::empty(), stream: Vec::new(), base: Vec::new(), change: Vec::new(), blobs: 0 }
    }

    /// Content that many files can have.
    pub fn blob(&mut self, content: &[u8]) -> usize {
        self.blobs += 1;
        self.stream.extend_from_slice(format!("blob\nmark :{}\n", self.blobs).as_bytes());
        data(&mut self.stream, content);
        self.blobs
    }

    /// A file of `main`.
    pub fn file(&mut self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> &mut Self {
        let blob = self.blob(content.as_ref());
        self.with("100644", path, blob)
    }

    /// A link of `main`.
    pub fn link(&mut self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> &mut Self {
        let blob = self.blob(target.as_ref());
        self.with("120000", path, blob)
    }

    /// A file of `main` whose content is known.
    pub fn with(&mut self, mode: &str, path: impl AsRef<[u8]>, blob: usize) -> &mut Self {
        modify(&mut self.base, mode, &format!(":{blob}"), path.as_ref());
        self
    }

    /// A submodule of `main`.
    pub fn submodule(&mut self, path: &str) -> &mut Self {
        modify(&mut self.base, "160000", "0123456789012345678901234567890123456789", path.as_bytes());
        self
    }

    /// A file that the branch changes or adds.
    pub fn changed(&mut self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> &mut Self {
        let blob = self.blob(content.as_ref());
        modify(&mut self.change, "100644", &format!(":{blob}"), path.as_ref());
        self
    }

    /// Writes the repository.
    pub fn written(mut self) -> Repo {
        let mut stream = std::mem::take(&mut self.stream);
        for (branch, from, edits) in [("main", None, &self.base), ("feature", Some("main"), &self.change)] {
            stream.extend_from_slice(
                format!("commit refs/heads/{branch}\ncommitter Ada <ada@example.com> 1767225600 +0000\n")
                    .as_bytes(),
            );
            data(&mut stream, b"feat: it");
            if let Some(from) = from {
                stream.extend_from_slice(format!("from refs/heads/{from}\n").as_bytes());
            }
            stream.extend_from_slice(edits);
            stream.push(b'\n');
        }
        let mut child = Command::new("git")
            .args(["fast-import", "--quiet", "--force"])
            .current_dir(&self.repo.path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&stream).unwrap();
        assert!(child.wait().unwrap().success());
        self.repo
    }

    /// Writes it, and asks what the branch touches.
    pub fn ask(self) -> Answer {
        ask(&self.written())
    }
}

fn data(stream: &mut Vec<u8>, content: &[u8]) {
    stream.extend_from_slice(format!("data {}\n", content.len()).as_bytes());
    stream.extend_from_slice(content);
    stream.push(b'\n');
}

fn modify(edits: &mut Vec<u8>, mode: &str, object: &str, path: &[u8]) {
    edits.extend_from_slice(format!("M {mode} {object} \"").as_bytes());
    for &byte in path {
        edits.extend_from_slice(format!("\\{byte:03o}").as_bytes());
    }
    edits.extend_from_slice(b"\"\n");
}

/// How a process ended.
pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// What every answer must keep within: the programs of the tests are built without optimisation, on machines
/// that do other things as well.
const SECONDS: u64 = 60;
/// Address space, in KiB, which is more than what is used of it.
const MEMORY: u64 = 3 << 20;

/// Asks what the branch `feature` touches.
pub fn ask(repo: &Repo) -> Answer {
    ask_with(repo, &["--base", "main", "--head", "feature", "--json"])
}

pub fn ask_with(repo: &Repo, options: &[&str]) -> Answer {
    let built: PathBuf =
        std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("examples/affected");
    assert!(built.is_file(), "{} is not built: cargo build --examples", built.display());
    let script = format!("ulimit -v {MEMORY}; exec timeout {SECONDS} \"$0\" \"$@\"");
    let start = Instant::now();
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(built)
        .args(options)
        .arg("--no-cache")
        .current_dir(&repo.path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let time = start.elapsed();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let answer = Answer { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    let short: String = answer.err.chars().take(2_000).collect();
    assert!(matches!(answer.code, Some(0 | 2)), "it ended with {:?} after {time:?}: {short}", answer.code);
    answer
}

impl Answer {
    #[track_caller]
    pub fn impact(&self) -> Impact {
        assert_eq!(self.code, Some(0), "{}", self.err);
        Impact::from_json(&self.out).unwrap()
    }

    #[track_caller]
    pub fn units(&self) -> Vec<String> {
        self.impact().units.iter().map(|unit| unit.id.to_string()).collect()
    }

    /// It was refused, with a message as all are.
    #[track_caller]
    pub fn refused(&self, why: &str) {
        assert_eq!(self.code, Some(2), "{}", self.out);
        assert!(self.err.starts_with("error: cannot ") && self.err.contains(why), "{}", self.err);
    }
}
