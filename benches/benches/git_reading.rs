//! What it costs to open a repository, to find the trunk and the merge base, to compare, to list 70,000 files
//! and to read 40,000 of them, beside git, in one run on one repository.
//!
//! `cargo bench -p infraflow-benches --bench git_reading -- [FILES] [FOLDER]` makes the repository, or uses
//! the one that an earlier run made in FOLDER. Git is measured as a process, ours within one, the repository
//! opened anew for each try. `checked` lets libgit2 hash each object that it reads, as it does by default.
#![allow(clippy::print_stdout, missing_docs)]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use infraflow_benches::{
    Failure,
    plain::{Files, Plain},
};
use infraflow_core::{
    git::{Entry, GitError, Repository, Tree, trust_stored_objects},
    proof::RepoPath,
};

fn main() -> Result<(), Failure> {
    // Cargo adds --bench.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let files = words.iter().find_map(|word| word.parse().ok()).unwrap_or(70_000);
    let holder = tempfile::tempdir()?;
    let given = words.iter().find(|word| word.contains('/')).map(PathBuf::from);
    let folder = given.unwrap_or_else(|| holder.path().join("plain"));
    if !folder.join(".git").exists() {
        std::fs::create_dir_all(&folder)?;
        let start = Instant::now();
        Plain::default().files(files).generate(&folder, Files::NotCheckedOut)?;
        println!("made in {:.1} s", start.elapsed().as_secs_f64());
    }

    if !words.iter().any(|word| word == "checked") {
        trust_stored_objects();
    }
    let open = || Repository::open(&folder);
    let tree = |repository: &Repository, name: &str| -> Result<Tree, GitError> {
        repository.tree(&repository.revision(name)?)
    };
    let merge_base = |repository: &Repository| -> Result<_, GitError> {
        repository.merge_base(&repository.resolve("main")?, &repository.resolve("feature")?)
    };
    show("open", best(100, || Ok(open()?))?);
    show("open, tip of the trunk", best(100, || Ok(open()?.trunk_tip()?))?);
    show("open, merge base", best(100, || Ok(merge_base(&open()?)?))?);
    let compare = || {
        let repository = open()?;
        let base = repository.tree(&merge_base(&repository)?.into())?;
        assert_eq!(repository.compare(&base, &tree(&repository, "feature")?)?.len(), 2);
        Ok(())
    };
    show("open, merge base, compare with renames", best(50, compare)?);
    show(
        "git diff --name-status main...feature",
        git(&folder, &["diff", "--name-status", "main...feature"])?,
    );

    let walk = || Ok(tree(&open()?, "main")?.walk(&RepoPath::root())?);
    show("list every file", best(10, walk)?);
    show("git ls-tree -r main", git(&folder, &["ls-tree", "-r", "main"])?);

    let all = tree(&open()?, "main")?.walk(&RepoPath::root())?;
    let is_code = |entry: &&Entry| entry.path.as_bytes().ends_with(b".tf");
    let some: Vec<Entry> = all.iter().filter(is_code).take(40_000).cloned().collect();
    let one_by_one = || {
        let tree = tree(&open()?, "main")?;
        Ok(some.iter().map(|entry| tree.read_entry(entry)).collect::<Result<Vec<_>, _>>()?)
    };
    let together = || {
        let tree = tree(&open()?, "main")?;
        Ok(tree.read_all(&some, |_, bytes| bytes.map(<[u8]>::len))?)
    };
    show(&format!("read {} files, one by one", some.len()), best(10, one_by_one)?);
    show("the same, all at once", best(10, together)?);
    show("git cat-file --batch", best(3, || cat_file(&folder, &some))?);
    Ok(())
}

fn show(what: &str, time: Duration) {
    println!("{what:<40} {:>9.3} ms", time.as_secs_f64() * 1000.0);
}

fn best<T>(tries: usize, mut work: impl FnMut() -> Result<T, Failure>) -> Result<Duration, Failure> {
    let mut best = Duration::MAX;
    for _ in 0..tries {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

fn git(folder: &Path, args: &[&str]) -> Result<Duration, Failure> {
    best(20, || {
        let output = Command::new("git").args(args).current_dir(folder).output()?;
        if output.status.success() { Ok(()) } else { Err(format!("git {args:?}").into()) }
    })
}

fn cat_file(folder: &Path, entries: &[Entry]) -> Result<(), Failure> {
    let mut cat = Command::new("git")
        .args(["cat-file", "--batch", "--buffer"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let ids: String = entries.iter().map(|entry| format!("{}\n", entry.id)).collect();
    cat.stdin.take().ok_or("no pipe")?.write_all(ids.as_bytes())?;
    if cat.wait()?.success() { Ok(()) } else { Err("git cat-file failed".into()) }
}
