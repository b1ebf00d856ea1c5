//! Everything that can stand in a working directory at once, with git as the oracle.

use std::{
    ffi::OsStr,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
    },
    path::{Path, PathBuf},
    process::Command,
};

use super::{Dice, git_diff, open, our_diff, path, tree_at, working_tree};
use crate::fixture::{Repo, git_output};

/// Names of any bytes, some of them in directories that a sparse checkout leaves out.
const NAMES: [&[u8]; 14] = [
    b"a",
    b"a b/\xff\xfe",
    b"in/long.txt",
    b"in/other.txt",
    b"in/d/\xc3\xbc\n.tf",
    b"in/d/x\ty",
    b"out/long.txt",
    b"out/d/e",
    b"out/\"quoted\"",
    b"-rf",
    b"in/*?[x]",
    b"sub",
    b"in/new/deep/file",
    b":(glob)**",
];

fn long(n: usize) -> String {
    (0..40).map(|line| format!("line {line} of text {n}\n")).collect()
}

fn begin(dice: &mut Dice, other: &Repo) -> Repo {
    let repo = Repo::empty();
    for (n, name) in NAMES.iter().enumerate().filter(|(_, name)| **name != b"sub") {
        let place = repo.path.join(OsStr::from_bytes(name));
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        match dice.roll(6) {
            0 => symlink("a", &place).unwrap(),
            1 => {}
            _ => std::fs::write(&place, long(n)).unwrap(),
        }
    }
    repo.write(".gitignore", "*.log\n");
    repo.commit("feat: files");
    repo.git(&["submodule", "--quiet", "add", other.path.to_str().unwrap(), "sub"]);
    repo.commit("feat: submodule");
    match dice.roll(5) {
        0 => drop(repo.git(&["sparse-checkout", "set", "--cone", "--no-sparse-index", "in"])),
        1 => drop(repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"])),
        2 => drop(repo.git(&["sparse-checkout", "set", "--no-cone", "/in/", "/a"])),
        _ => {}
    }
    repo
}

/// Makes room for something at a place, whatever stands there or above it.
fn clear(root: &Path, place: &Path) {
    let above = place.parent().unwrap();
    for folder in above.ancestors().take_while(|folder| *folder != root) {
        if std::fs::symlink_metadata(folder).is_ok_and(|found| !found.is_dir()) {
            std::fs::remove_file(folder).unwrap();
        }
    }
    let _ = std::fs::remove_file(place);
    let _ = std::fs::remove_dir_all(place);
    std::fs::create_dir_all(above).unwrap();
}

fn act(dice: &mut Dice, repo: &Repo, step: usize) {
    let name = NAMES[dice.roll(NAMES.len())];
    let place: PathBuf = repo.path.join(OsStr::from_bytes(name));
    let words = |words: &[&OsStr]| {
        let _ = Command::new("git").args(words).current_dir(&repo.path).output().unwrap();
    };
    let literal = OsStr::new("--literal-pathspecs");
    let submodule = name == b"sub" || place.starts_with(repo.path.join("sub"));
    match dice.roll(14) {
        // A submodule: at another commit, dirty inside, or not checked out.
        _ if submodule => match dice.roll(3) {
            0 => drop(git_output(&repo.path, &["-C", "sub", "checkout", "-q", "-f", "HEAD~1"])),
            1 if place.is_dir() => std::fs::write(place.join("inner"), "dirty").unwrap(),
            _ => drop(git_output(&repo.path, &["submodule", "--quiet", "deinit", "-f", "sub"])),
        },
        0 | 1 => {
            clear(&repo.path, &place);
            std::fs::write(&place, long(100 + step)).unwrap();
        }
        // Similar to what was there, or the same.
        2 if place.is_file() && !place.is_symlink() => {
            let text = std::fs::read(&place).unwrap();
            std::fs::write(&place, [&text[..], b"one more line\n"].concat()).unwrap();
        }
        3 => {
            clear(&repo.path, &place);
            symlink(if dice.roll(2) == 0 { "../nowhere" } else { "in" }, &place).unwrap();
        }
        4 => clear(&repo.path, &place),
        5 if place.is_file() && !place.is_symlink() => {
            let mode = [0o755, 0o644][dice.roll(2)];
            std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        // Moved, by git or behind its back.
        6 | 7 if place.is_file() && !place.is_symlink() => {
            let to = repo.path.join(format!("in/moved {step}"));
            clear(&repo.path, &to);
            std::fs::rename(&place, &to).unwrap();
            if dice.roll(2) == 0 {
                std::fs::write(&to, [&std::fs::read(&to).unwrap()[..], b"and changed\n"].concat()).unwrap();
            }
        }
        8 => words(&[
            literal,
            OsStr::new("mv"),
            OsStr::new("-k"),
            OsStr::new("--"),
            OsStr::from_bytes(name),
            OsStr::new("in/by-git"),
        ]),
        9 => words(&[literal, OsStr::new("add"), OsStr::new("--"), OsStr::from_bytes(name)]),
        10 => {
            words(&[literal, OsStr::new("add"), OsStr::new("-N"), OsStr::new("--"), OsStr::from_bytes(name)])
        }
        11 => words(&[
            literal,
            OsStr::new("rm"),
            OsStr::new("-q"),
            OsStr::new("--cached"),
            OsStr::new("--"),
            OsStr::from_bytes(name),
        ]),
        12 => words(&[OsStr::new("add"), OsStr::new("-u")]),
        _ => {
            clear(&repo.path, &place.with_extension("log"));
            std::fs::write(place.with_extension("log"), "ignored").unwrap();
        }
    }
}

/// Staged, unstaged and untracked, moved and retyped, with any bytes in names, links, submodules and sparse
/// states: the tree has the id that git writes after `git add --all --sparse` into an index of its own, and
/// what changed is what `git diff` says.
#[test]
fn the_working_tree_is_what_git_would_write_whatever_stands_there_together() {
    let other = Repo::with(&[("inner", "1")]);
    other.write("inner", "2");
    other.commit("second");
    let seeds =
        std::env::var("INFRAFLOW_WORKING_TREES").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    for seed in 1..=seeds {
        let mut dice = Dice::new(seed);
        let repo = begin(&mut dice, &other);
        for step in 0..3 + dice.roll(10) {
            act(&mut dice, &repo, step);
        }
        let repository = open(&repo);
        let ours = working_tree(&repository);
        let index = repo.path.join(".git/oracle");
        std::fs::copy(repo.path.join(".git/index"), &index).unwrap();
        let with_index = |args: &[&str]| {
            let output = Command::new("git")
                .args(args)
                .current_dir(&repo.path)
                .env("GIT_INDEX_FILE", &index)
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .output()
                .unwrap();
            assert!(output.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        with_index(&["add", "--all", "--sparse"]);
        let theirs = with_index(&["write-tree"]);
        assert_eq!(
            our_diff(&repository, &tree_at(&repository, "HEAD"), &ours),
            git_diff(&repo, &["HEAD", &theirs]),
            "seed {seed}"
        );
        let walked = ours.walk(&path(".")).unwrap();
        assert_eq!(ours.id().to_string(), theirs, "seed {seed}: {walked:#?}");
        for entry in walked.iter().filter(|entry| entry.mode.is_file()) {
            ours.read_entry(entry).unwrap();
        }
    }
}
