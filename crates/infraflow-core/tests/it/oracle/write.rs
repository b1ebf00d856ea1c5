//! Trees into git: all of a batch through one `git fast-import`, into one repository.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

use infraflow_core::git::{CommitId, Repository};

use super::{Sample, model::Tree};
use crate::fixture::Repo;

pub struct Scratch {
    repo: Repo,
    pub repository: Repository,
}

impl Scratch {
    pub fn new() -> Self {
        let repo = Repo::with(&[("README.md", "1")]);
        repo.git(&["remote", "add", "origin", "https://git.example.com/acme/infra.git"]);
        let repository = Repository::open(&repo.path).unwrap();
        Self { repo, repository }
    }

    /// The commits of base and head of each sample, the head on top of the base.
    pub fn commits(&self, samples: &[Sample]) -> Vec<(CommitId, CommitId)> {
        let trees =
            samples.iter().flat_map(|sample| [sample.base.clone(), sample.head()]).collect::<Vec<_>>();
        let commits = self.commit_chain(&trees, 2);
        commits.chunks(2).map(|pair| (pair[0], pair[1])).collect()
    }

    /// A commit of each tree; each but the first of every `length` on top of the one before.
    pub fn commit_chain(&self, trees: &[Tree], length: usize) -> Vec<CommitId> {
        let mut stream = String::new();
        for (at, tree) in trees.iter().enumerate() {
            let branch = format!("refs/heads/scratch/{}", at / length);
            if at % length == 0 {
                let _ = writeln!(stream, "reset {branch}");
            }
            let _ = writeln!(stream, "commit {branch}\nmark :{}", at + 1);
            let _ = writeln!(stream, "committer Ada <ada@example.com> 1767225600 +0000\ndata 1\nx");
            if at % length != 0 {
                let _ = writeln!(stream, "from :{at}");
            }
            let _ = writeln!(stream, "deleteall");
            for (path, entry) in &tree.0 {
                let (mode, text) = entry.bytes(path);
                let path = path.replace('\\', "\\\\").replace('"', "\\\"");
                let _ = writeln!(stream, "M {mode} inline \"{path}\"\ndata {}\n{text}", text.len());
            }
        }
        let marks = tempfile::NamedTempFile::new().unwrap();
        let mut import = Command::new("git")
            .args(["fast-import", "--quiet", "--force", "--depth=0"])
            .arg(format!("--export-marks={}", marks.path().display()))
            .current_dir(&self.repo.path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        import.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
        assert!(import.wait().unwrap().success());
        let marks = std::fs::read_to_string(marks.path()).unwrap();
        let mut found: Vec<(usize, CommitId)> = marks
            .lines()
            .filter_map(|line| {
                let (mark, id) = line.strip_prefix(':')?.split_once(' ')?;
                Some((mark.parse().unwrap(), CommitId::parse(id).unwrap()))
            })
            .collect();
        found.sort_unstable_by_key(|(mark, _)| *mark);
        assert_eq!(found.len(), trees.len());
        found.into_iter().map(|(_, id)| id).collect()
    }
}
