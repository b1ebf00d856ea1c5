//! Names of the changed files, beside `git diff --name-status`, in one run on one repository.
//!
//! `cargo bench -p infraflow-benches --bench changed_files -- [FILES]` makes a repository of so many files
//! (10,000 by default), one of them changed and one renamed with a change, and prints the best of some
//! tries of each, and the ratio. Git pays for starting a process, as does whoever asks it; ours is measured
//! both with a repository opened for the purpose and with one that is open already.
#![allow(clippy::print_stdout, missing_docs)]

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use infraflow_core::{
    detect::{ChangeDetector, GitDetector},
    git::{BranchName, FileEdit, Identity, Repository, Revision},
    proof::{RepoPath, Timestamp},
};

type Failure = Box<dyn std::error::Error>;

/// Files of one directory: a module, or a unit.
const FILES: [&str; 5] = ["main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md"];

fn main() -> Result<(), Failure> {
    // Cargo adds --bench.
    let files = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir()?;
    let repository = generate(folder.path(), files)?;
    let base = Revision::Commit(repository.resolve("main")?);
    let head = Revision::Commit(repository.resolve("feature")?);
    let changes = GitDetector::new().detect(&repository, &base, &head)?;
    assert_eq!(changes.changes.len(), 2, "one changed, one renamed: {:?}", changes.changes);

    let git = best(20, || {
        let output = Command::new("git")
            .args(["diff", "--name-status", "-M", "main...feature"])
            .current_dir(folder.path())
            .output()?;
        if output.stdout.iter().filter(|&&byte| byte == b'\n').count() == 2 {
            Ok(())
        } else {
            Err("git".into())
        }
    })?;
    let cold = best(20, || {
        let repository = Repository::open(folder.path())?;
        GitDetector::new().detect(&repository, &base, &head)?;
        Ok(())
    })?;
    let warm = best(100, || {
        GitDetector::new().detect(&repository, &base, &head)?;
        Ok(())
    })?;
    let working = Revision::WorkingTree(head.commit());
    let status = best(10, || {
        let output = Command::new("git")
            .args(["status", "--porcelain", "--untracked-files=all"])
            .current_dir(folder.path())
            .output()?;
        if output.status.success() { Ok(()) } else { Err("git".into()) }
    })?;
    let on_disk = best(10, || {
        GitDetector::new().detect(&repository, &base, &working)?;
        Ok(())
    })?;

    println!("{files} files, 1 changed, 1 renamed with a change; best of some tries");
    for (what, time, peer) in [
        ("git diff --name-status -M main...feature", git, git),
        ("detect, repository opened each time", cold, git),
        ("detect, repository open already", warm, git),
        ("git status --porcelain --untracked-files=all", status, status),
        ("detect, head is the working tree", on_disk, status),
    ] {
        let ratio = time.as_secs_f64() / peer.as_secs_f64();
        println!("{what:<46} {:>9.3} ms   {ratio:>6.2} of git", time.as_secs_f64() * 1000.0);
    }
    Ok(())
}

fn best(tries: usize, mut work: impl FnMut() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let mut best = Duration::MAX;
    for _ in 0..tries {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

/// Half of the directories are modules, half units; `feature` is checked out and packed.
fn generate(folder: &Path, files: usize) -> Result<Repository, Failure> {
    let repository = Repository::init(folder, &BranchName::parse("main")?)?;
    let ada = Identity::new("Ada", "ada@example.com", Timestamp::from_unix(1_767_225_600));
    let mut edits = Vec::with_capacity(files);
    for n in 0..files {
        let (directory, name) = (n / FILES.len(), FILES[n % FILES.len()]);
        let kind = if directory % 2 == 0 { "modules" } else { "live/dev" };
        let path = RepoPath::parse(format!("{kind}/component-{directory:05}/{name}"))?;
        let text: String = (0..20).map(|line| format!("# {n}, line {line} of {name}\n")).collect();
        edits.push(FileEdit::write(path, text));
    }
    let main = repository.commit_first(&edits, "feat: begin", &ada, &ada)?;
    let (changed, renamed) = (edits[files / 2].clone(), edits[files / 3].clone());
    let text = |edit: &FileEdit, extra: &str| {
        let mut content = edit.content.clone().unwrap_or_default();
        content.extend_from_slice(extra.as_bytes());
        content
    };
    let feature = repository.commit_files(
        &main,
        &[
            FileEdit::write(changed.path.clone(), text(&changed, "# changed\n")),
            FileEdit::remove(renamed.path.clone()),
            FileEdit::write(RepoPath::parse("modules/moved/main.tf")?, text(&renamed, "# moved\n")),
        ],
        "fix: one",
        &ada,
        &ada,
    )?;
    repository.set_branch(&BranchName::parse("main")?, &main, None)?;
    let branch = BranchName::parse("feature")?;
    repository.set_branch(&branch, &feature, None)?;
    let run = |args: &[&str]| -> Result<(), Failure> {
        let status = Command::new("git").args(args).current_dir(folder).status()?;
        if status.success() { Ok(()) } else { Err(format!("git {args:?}").into()) }
    };
    run(&["gc", "--quiet"])?;
    run(&["checkout", "--quiet", "--force", "feature"])?;
    Ok(repository)
}
