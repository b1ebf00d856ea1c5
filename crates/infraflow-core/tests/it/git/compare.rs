use infraflow_core::git::ChangeKind;

use super::{Dice, git_diff, in_words, open, our_diff, tree_at};
use crate::fixture::Repo;

#[test]
fn every_kind_of_change_has_gits_name() {
    let repo = Repo::with(&[
        ("modified", "1"),
        ("deleted", "gone"),
        ("script", "#!/bin/sh\n"),
        ("link", "x"),
        ("dir/becomes/file", "deep"),
        ("file", "becomes a directory"),
        ("old name", "a\nb\nc\nd\n"),
    ]);
    repo.write("modified", "2");
    repo.remove("deleted");
    repo.remove("link");
    std::os::unix::fs::symlink("modified", repo.path.join("link")).unwrap();
    std::fs::remove_dir_all(repo.path.join("dir")).unwrap();
    repo.write("dir", "now a file\n");
    repo.remove("file");
    repo.write("file/inner", "now a directory\n");
    std::fs::rename(repo.path.join("old name"), repo.path.join("new ñame")).unwrap();
    repo.write("new ñame", "a\nb\nc\nD\n");
    repo.write("added", "fresh\n");
    repo.git(&["update-index", "--chmod=+x", "script"]);
    std::fs::set_permissions(repo.path.join("script"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    repo.commit("changes");
    let repository = open(&repo);
    let (old, new) = (tree_at(&repository, "HEAD~1"), tree_at(&repository, "HEAD"));
    assert_eq!(
        our_diff(&repository, &old, &new),
        [
            "added added",
            "added dir",
            "added file/inner",
            "deleted deleted",
            "deleted dir/becomes/file",
            "deleted file",
            "mode_changed script",
            "modified modified",
            "renamed old name new ñame",
            "type_changed link",
        ]
    );
    assert_eq!(our_diff(&repository, &old, &new), git_diff(&repo, &["HEAD~1", "HEAD"]));
    assert_eq!(our_diff(&repository, &new, &old), git_diff(&repo, &["HEAD", "HEAD~1"]));
    assert!(repository.compare(&old, &old).unwrap().is_empty());
    let renamed = repository.compare(&old, &new).unwrap();
    let renamed = renamed.iter().find(|change| change.kind == ChangeKind::Renamed).unwrap();
    assert_eq!(renamed.old.as_ref().unwrap().path.to_string(), "old name");
    assert_ne!(renamed.old.as_ref().unwrap().id, renamed.new.as_ref().unwrap().id);
}

fn text(dice: &mut Dice) -> String {
    (0..1 + dice.roll(12)).map(|_| format!("line {} of many\n", dice.roll(9))).collect()
}

fn some_path(dice: &mut Dice) -> String {
    let dirs = ["a", "a-b", "a.b", "ü", "with space"];
    let names = ["main.tf", "variables.tf", "README.md", "x"];
    let mut path = String::new();
    for _ in 0..dice.roll(3) {
        path += dirs[dice.roll(dirs.len())];
        path.push('/');
    }
    path + names[dice.roll(names.len())]
}

/// Git itself is the oracle: whatever happens to a few files, renames with and without changes included,
/// the answer is that of `git diff -M`.
#[test]
fn comparison_answers_as_git_does() {
    for seed in 1..=40 {
        let mut dice = Dice::new(seed);
        let repo = Repo::empty();
        let mut paths = Vec::new();
        for _ in 0..12 {
            let path = some_path(&mut dice);
            if !repo.path.join(&path).exists() {
                repo.write(&path, text(&mut dice));
                paths.push(path);
            }
        }
        repo.commit("before");
        for path in &paths {
            match dice.roll(6) {
                0 => repo.remove(path),
                1 => repo.write(path, text(&mut dice)),
                2 | 3 => {
                    let to = some_path(&mut dice);
                    if !repo.path.join(&to).exists() {
                        let before = std::fs::read_to_string(repo.path.join(path)).unwrap();
                        repo.remove(path);
                        let extra = if dice.roll(2) == 0 { String::new() } else { text(&mut dice) };
                        repo.write(&to, before + &extra);
                    }
                }
                _ => {}
            }
        }
        repo.commit("after");
        let repository = open(&repo);
        let (old, new) = (tree_at(&repository, "HEAD~1"), tree_at(&repository, "HEAD"));
        let expected = git_diff(&repo, &["HEAD~1", "HEAD"]);
        assert_eq!(our_diff(&repository, &old, &new), expected, "seed {seed}");
        let names = repository.differing_paths(&old, &new).unwrap();
        let plain = repo.git(&["diff", "--name-only", "-z", "--no-renames", "HEAD~1", "HEAD"]);
        let plain: Vec<_> = plain.split('\0').filter(|name| !name.is_empty()).collect();
        let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name.as_bytes())).collect();
        assert_eq!(names, plain, "seed {seed}");
    }
}

/// The same for copies: `git diff -C`.
#[test]
fn copies_are_found_as_git_finds_them() {
    for seed in 1..=24 {
        let mut dice = Dice::new(seed);
        let repo = Repo::empty();
        let mut paths = Vec::new();
        for _ in 0..8 {
            let path = some_path(&mut dice);
            if !repo.path.join(&path).exists() {
                repo.write(&path, text(&mut dice));
                paths.push(path);
            }
        }
        repo.commit("before");
        for path in &paths {
            let before = std::fs::read_to_string(repo.path.join(path)).unwrap();
            for _ in 0..dice.roll(3) {
                let to = some_path(&mut dice);
                if !repo.path.join(&to).exists() {
                    let extra = if dice.roll(2) == 0 { String::new() } else { text(&mut dice) };
                    repo.write(&to, before.clone() + &extra);
                }
            }
            match dice.roll(3) {
                0 => repo.remove(path),
                1 => repo.write(path, before + "and one line more\n"),
                _ => {}
            }
        }
        repo.commit("after");
        let repository = open(&repo);
        let (old, new) = (tree_at(&repository, "HEAD~1"), tree_at(&repository, "HEAD"));
        let ours = in_words(repository.compare_with_copies(&old, &new).unwrap());
        assert_eq!(ours, git_diff(&repo, &["-C", "HEAD~1", "HEAD"]), "seed {seed}");
        assert_eq!(our_diff(&repository, &old, &new), git_diff(&repo, &["HEAD~1", "HEAD"]), "seed {seed}");
        let raw = in_words(repository.compare_raw(&old, &new).unwrap());
        assert_eq!(raw, git_diff(&repo, &["--no-renames", "HEAD~1", "HEAD"]), "seed {seed}");
    }
}
