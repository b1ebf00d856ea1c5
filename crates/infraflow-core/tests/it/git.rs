//! Tests of git.

mod compare;
mod history;
mod materialise;
mod open;
mod remote;
mod together;
mod tree;
mod working_tree;
mod write;

use infraflow_core::{
    git::{CommitId, Identity, Repository, Revision, Tree, TreeChange},
    proof::{RepoPath, Timestamp},
};

use crate::fixture::Repo;

pub fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub fn open(repo: &Repo) -> Repository {
    Repository::open(&repo.path).unwrap()
}

pub fn id(text: &str) -> CommitId {
    CommitId::parse(text).unwrap()
}

pub fn tree_at(repository: &Repository, revision: &str) -> Tree {
    repository.tree(&repository.revision(revision).unwrap()).unwrap()
}

pub fn ada() -> Identity {
    Identity::new("Ada", "ada@example.com", Timestamp::from_unix(1_767_225_600))
}

pub fn working_tree(repository: &Repository) -> Tree {
    tree_at(repository, Revision::WORKING_TREE)
}

/// What `git diff --raw` says, in our words: kind, old path, path.
pub fn git_diff(repo: &Repo, args: &[&str]) -> Vec<String> {
    let mut words =
        vec!["diff", "--raw", "-z", "--no-abbrev", "-M", "--no-ext-diff", "--ignore-submodules=dirty"];
    words.extend(args);
    let text = repo.git(&words);
    let mut fields = text.split('\0').filter(|field| !field.is_empty());
    let mut changes = Vec::new();
    while let Some(header) = fields.next() {
        let header: Vec<&str> = header.trim_start_matches(':').split(' ').collect();
        let path = fields.next().unwrap();
        let kind = match header[4].chars().next().unwrap() {
            'A' => "added",
            'D' => "deleted",
            'T' => "type_changed",
            'M' if header[2] == header[3] => "mode_changed",
            'M' => "modified",
            kind @ ('R' | 'C') => {
                // A copy is something added, from somewhere.
                let kind = if kind == 'R' { "renamed" } else { "added" };
                changes.push(format!("{kind} {path} {}", fields.next().unwrap()));
                continue;
            }
            other => panic!("{other}"),
        };
        changes.push(format!("{kind} {path}"));
    }
    changes.sort();
    changes
}

pub fn our_diff(repository: &Repository, old: &Tree, new: &Tree) -> Vec<String> {
    in_words(repository.compare(old, new).unwrap())
}

pub fn in_words(changes: Vec<TreeChange>) -> Vec<String> {
    let mut changes: Vec<String> = changes
        .into_iter()
        .map(|change| {
            let kind = serde_json::to_value(change.kind).unwrap().as_str().unwrap().to_owned();
            let text = |path: &RepoPath| String::from_utf8_lossy(path.as_bytes()).into_owned();
            match &change.old_path {
                Some(old) => format!("{kind} {} {}", text(old), text(&change.path)),
                None => format!("{kind} {}", text(&change.path)),
            }
        })
        .collect();
    changes.sort();
    changes
}

/// A small generator (xorshift), so that a failure can be repeated.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ (seed << 40) ^ seed)
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}
