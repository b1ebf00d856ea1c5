use infraflow_core::git::{Entry, GitError, Mode, Revision};

use super::{open, path, tree_at};
use crate::fixture::Repo;

#[test]
fn a_tree_is_read_without_a_checkout() {
    let repo = Repo::with(&[("modules/net work/main.tf", "x"), ("modules/ünï/a.tf", "y"), ("top", "z")]);
    std::os::unix::fs::symlink("../../etc/passwd", repo.path.join("modules/link")).unwrap();
    repo.git(&["update-index", "--chmod=+x", "top"]);
    repo.git(&["add", "-A"]);
    repo.git(&["update-index", "--chmod=+x", "top"]);
    repo.git(&["commit", "-qm", "link"]);
    let tree = tree_at(&open(&repo), "HEAD");
    let walked: Vec<_> =
        tree.walk(&path(".")).unwrap().into_iter().map(|e| (e.path.to_string(), e.mode)).collect();
    assert_eq!(
        walked,
        [
            ("modules/link".to_owned(), Mode::Link),
            ("modules/net work/main.tf".to_owned(), Mode::File),
            ("modules/ünï/a.tf".to_owned(), Mode::File),
            ("top".to_owned(), Mode::Executable),
        ]
    );
    let listed: Vec<_> =
        tree.list(&path("modules")).unwrap().into_iter().map(|e| e.path.to_string()).collect();
    assert_eq!(listed, ["modules/link", "modules/net work", "modules/ünï"]);
    assert_eq!(tree.read(&path("modules/net work/main.tf")).unwrap().unwrap(), b"x");
    assert_eq!(tree.walk(&path("modules/ünï")).unwrap().len(), 1);
    assert!(tree.list(&path("top")).unwrap().is_empty());
    assert!(tree.walk(&path("nothing/there")).unwrap().is_empty());
    assert_eq!(tree.entry(&path(".")).unwrap().unwrap().id, tree.id().object());
}

#[test]
fn a_link_is_not_followed_and_says_where_it_points() {
    let repo = Repo::with(&[("dir/file", "x")]);
    std::os::unix::fs::symlink("/etc/passwd", repo.path.join("out")).unwrap();
    std::os::unix::fs::symlink("dir", repo.path.join("in")).unwrap();
    repo.commit("links");
    let tree = tree_at(&open(&repo), "HEAD");
    assert_eq!(tree.read(&path("out")).unwrap(), None);
    assert_eq!(tree.link_target(&path("out")).unwrap().unwrap(), b"/etc/passwd");
    assert_eq!(tree.entry(&path("in/file")).unwrap(), None);
    assert_eq!(tree.read(&path("dir")).unwrap(), None);
    assert_eq!(tree.link_target(&path("dir/file")).unwrap(), None);
}

#[test]
fn a_submodule_is_an_entry_without_content() {
    let other = Repo::with(&[("inner", "x")]);
    let repo = Repo::with(&[("a", "1")]);
    repo.git(&["submodule", "--quiet", "add", other.path.to_str().unwrap(), "sub"]);
    repo.commit("submodule");
    let tree = tree_at(&open(&repo), "HEAD");
    let entry = tree.entry(&path("sub")).unwrap().unwrap();
    assert_eq!(entry.mode, Mode::Submodule);
    assert_eq!(entry.id.to_string(), other.git(&["rev-parse", "HEAD"]));
    assert_eq!(tree.read(&path("sub")).unwrap(), None);
    assert_eq!(tree.entry(&path("sub/inner")).unwrap(), None);
    assert!(tree.walk(&path("sub")).unwrap().is_empty());
}

#[test]
fn paths_that_are_no_utf8_are_read() {
    use std::os::unix::ffi::OsStrExt;
    let repo = Repo::empty();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.tf");
    std::fs::write(repo.path.join(name), "x").unwrap();
    repo.commit("latin");
    let tree = tree_at(&open(&repo), "HEAD");
    let entries = tree.walk(&path(".")).unwrap();
    assert_eq!(entries[0].path.to_string(), "caf%E9.tf");
    assert_eq!(tree.read_entry(&entries[0]).unwrap(), b"x");
}

/// A few kilobytes that unfold to ten thousand million files.
#[test]
fn a_tree_made_to_exhaust_its_readers_is_refused() {
    use std::process::{Command, Stdio};
    let repo = Repo::with(&[("a", "1")]);
    let mktree = |text: String| {
        let mut child = Command::new("git")
            .arg("mktree")
            .current_dir(&repo.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let blob = repo.git(&["rev-parse", "HEAD:a"]);
    let mut id = mktree((0..10).map(|n| format!("100644 blob {blob}\tf{n}\n")).collect());
    for _ in 0..9 {
        id = mktree((0..10).map(|n| format!("040000 tree {id}\td{n}\n")).collect());
    }
    let commit = repo.git(&["commit-tree", "-m", "bomb", "-p", "HEAD", &id]);
    let repository = open(&repo);
    let bomb = tree_at(&repository, &commit);
    assert!(matches!(bomb.walk(&path(".")).unwrap_err(), GitError::TooMany { .. }));
    let error = repository.compare(&tree_at(&repository, "HEAD"), &bomb).unwrap_err();
    assert!(matches!(error, GitError::TooMany { .. }), "{error}");
    assert_eq!(bomb.read(&path("d0/d1/d2/d3/d4/d5/d6/d7/d8/f9")).unwrap().unwrap(), b"1");
}

#[test]
fn many_files_are_read_in_the_order_they_were_asked_for() {
    let files: Vec<(String, String)> =
        (0..700).map(|n| (format!("d{}/f{n:03}", n % 7), format!("{n}"))).collect();
    let repo = Repo::empty();
    for (path, text) in &files {
        repo.write(path, text);
    }
    std::os::unix::fs::symlink("d1", repo.path.join("link")).unwrap();
    repo.commit("many");
    repo.write("d1/f001", "changed on the disk");
    let repository = open(&repo);
    for tree in [tree_at(&repository, "HEAD"), super::working_tree(&repository)] {
        let mut entries = tree.walk(&path(".")).unwrap();
        assert_eq!(entries.len(), 701);
        assert!(entries.is_sorted());
        entries.reverse();
        let read = |entry: &Entry, bytes: Result<&[u8], GitError>| {
            Ok::<_, GitError>((entry.path.clone(), bytes?.to_vec()))
        };
        let all = tree.read_all(&entries, read).unwrap();
        let one_by_one: Vec<_> =
            entries.iter().map(|entry| (entry.path.clone(), tree.read_entry(entry).unwrap())).collect();
        assert_eq!(all, one_by_one);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_judged_by_who_reads_and_one_that_is_missing_is_named_with_the_others() {
    let repo = Repo::with(&[("a", "1"), ("b", "2"), ("c", "3")]);
    repo.write("b", "changed");
    let repository = open(&repo);
    let disk = super::working_tree(&repository);
    repo.write("b", "changed again");
    let entries = disk.walk(&path(".")).unwrap();
    let sizes = disk.read_all(&entries, |_, bytes| match bytes {
        Ok(bytes) => Ok(bytes.len()),
        Err(GitError::FileChanged { .. }) => Ok(1000),
        Err(error) => Err(error),
    });
    assert_eq!(sizes.unwrap(), [1, 1000, 1]);
    let refused =
        disk.read_all(&entries, |entry, _| Err::<(), _>(format!("not {}", entry.path)).map_err(Refused));
    assert_eq!(refused.unwrap_err().0, "not a", "the first of them");

    let tree = tree_at(&repository, "HEAD");
    for entry in tree.walk(&path(".")).unwrap().iter().skip(1) {
        let id = entry.id.to_string();
        std::fs::remove_file(repo.path.join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    }
    let entries = tree.walk(&path(".")).unwrap();
    let error = tree.read_all(&entries, |_, bytes| bytes.map(<[u8]>::len)).unwrap_err();
    let GitError::MissingObjects { ids, .. } = error else { panic!("{error}") };
    let mut expected = vec![entries[1].id, entries[2].id];
    expected.sort();
    assert_eq!(ids, expected);
}

#[derive(Debug)]
struct Refused(String);

impl From<GitError> for Refused {
    fn from(error: GitError) -> Self {
        Self(error.to_string())
    }
}

/// What a crash or a full disk leaves; libgit2 never comes back from such a file.
#[test]
fn an_object_that_is_cut_short_is_an_error_that_names_its_file() {
    let text = (0..4_000).map(|n| format!("{}\n", n * 7_919 % 4_001)).collect::<String>();
    let long = |n: usize| (format!("a/file-{n:04}"), text.clone());
    let files: Vec<_> = (0..300).map(long).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    for of in ["HEAD", "HEAD:a", "HEAD:a/file-0000"] {
        let repo = Repo::with(&files);
        let object = repo.git(&["rev-parse", of]);
        let file = repo.path.join(".git/objects").join(&object[..2]).join(&object[2..]);
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() - 9]).unwrap();
        let repository = open(&repo);
        let read = || {
            let tree = repository.tree(&Revision::Commit(repository.resolve("HEAD")?))?;
            let entry = tree.entry(&path("a/file-0000"))?.unwrap();
            tree.read_entry(&entry)
        };
        let error = read().unwrap_err();
        assert!(matches!(error, GitError::CorruptObject { .. }), "{of}: {error}");
        assert!(error.to_string().contains(&object[2..]), "{error}");
    }
}

#[test]
fn a_commit_that_is_cut_short_somewhere_in_the_history_is_an_error_that_names_its_file() {
    let repo = Repo::with(&[("a", "1")]);
    for n in 0..4 {
        repo.write("a", n.to_string());
        repo.commit("more");
    }
    repo.git(&["branch", "base", "HEAD~2"]);
    let id = |of: &str| repo.git(&["rev-parse", of]);
    let object = id("HEAD~1");
    let file = repo.path.join(".git/objects").join(&object[..2]).join(&object[2..]);
    let bytes = std::fs::read(&file).unwrap();
    for length in [0, 2, 20, bytes.len() - 1] {
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, &bytes[..length]).unwrap();
        let repository = open(&repo);
        let [base, head] = ["base", "HEAD"].map(|of| repository.resolve(of).unwrap());
        let walks: [GitError; 4] = [
            repository.merge_base(&base, &head).unwrap_err(),
            repository.is_ancestor(&base, &head).unwrap_err(),
            repository.history(Some(&base), &head).unwrap_err(),
            repository.history(None, &head).unwrap_err(),
        ];
        for error in walks {
            assert!(matches!(error, GitError::CorruptObject { .. }), "{length}: {error}");
            assert!(error.to_string().contains(&object[2..]), "{error}");
        }
    }
}
