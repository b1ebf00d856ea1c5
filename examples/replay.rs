//! `affected` over the last commits of a repository, in one process: how much each touches, and how long it
//! takes to know.
//!
//! Each commit on the first-parent line is compared with its first parent. What was read for one commit is kept
//! for the next in the cache (`--cache`), as a pipeline keeps it from run to run. A commit that fails is told, and
//! the others go on.

use std::{
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::Instant,
};

use clap::Parser;
use infraflow_core::{
    catalog::standard_dialects,
    detect::{ChangeDetector as _, GitDetector},
    git::{Commit, CommitId, Repository, Revision},
    impact,
    policy::{Configuration, Policy},
};
use infraflow_examples::{Answer, Failure, Snapshot, main_of, say};
use serde::Serialize;

/// Says what each of the last commits touched, and how long that took to find out; exits 1 where one failed.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    at: Snapshot,
    /// How many commits.
    #[arg(long, value_name = "N", default_value_t = 500)]
    commits: usize,
    /// Print every commit's figures as JSON on standard output, and nothing else there.
    #[arg(long)]
    json: bool,
}

/// What was found over all commits.
#[derive(Serialize)]
struct Replay {
    kind: &'static str,
    schema_version: u32,
    commits: Vec<Replayed>,
    failures: Vec<Failed>,
}

/// One commit.
#[derive(Serialize)]
struct Replayed {
    commit: CommitId,
    subject: String,
    files: usize,
    modules: usize,
    units: usize,
    cases: usize,
    removed: usize,
    unparsable: usize,
    /// How long each part took, in milliseconds.
    detect: f64,
    catalog: f64,
    impact: f64,
    total: f64,
}

#[derive(Serialize)]
struct Failed {
    commit: CommitId,
    subject: String,
    why: String,
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_of(|| {
        let replay = replay(&options)?;
        say(&if options.json { serde_json::to_string(&replay)? } else { people(&replay) })?;
        Ok(if replay.failures.is_empty() { Answer::Done } else { Answer::No })
    })
}

fn replay(options: &Options) -> Result<Replay, Failure> {
    let repository = options.at.repository()?;
    let head = repository.revision(&options.at.head)?;
    let tree = repository.tree(&head)?;
    let kept = Kept {
        at: &options.at,
        configuration: options.at.configuration(&tree)?,
        policy: Policy::read(&tree)?,
    };
    let mut found = Replay { kind: "replay", schema_version: 1, commits: Vec::new(), failures: Vec::new() };
    for (commit, parent) in line(&repository, head.commit(), options.commits)? {
        let one = AssertUnwindSafe(|| kept.one(&repository, &commit, parent));
        let why = match catch_unwind(one) {
            Ok(Ok(replayed)) => {
                found.commits.push(replayed);
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it panicked".to_owned(),
        };
        found.failures.push(Failed { commit: commit.id, subject: commit.subject().to_owned(), why });
    }
    Ok(found)
}

/// The last commits on the first-parent line that have a parent, oldest first, each with that parent.
fn line(repository: &Repository, head: CommitId, count: usize) -> Result<Vec<(Commit, CommitId)>, Failure> {
    let mut commits = Vec::new();
    let mut at = repository.commit(&head)?;
    while commits.len() < count {
        let Some(&parent) = at.parents.first() else { break };
        let before = repository.commit(&parent)?;
        commits.push((std::mem::replace(&mut at, before), parent));
    }
    commits.reverse();
    Ok(commits)
}

/// What is the same for all commits.
struct Kept<'a> {
    at: &'a Snapshot,
    configuration: Configuration,
    policy: Policy,
}

impl Kept<'_> {
    fn one(&self, repository: &Repository, commit: &Commit, parent: CommitId) -> Result<Replayed, Failure> {
        let begun = Instant::now();
        let (base, head) = (Revision::Commit(parent), Revision::Commit(commit.id));
        let changes = GitDetector::new().detect(repository, &base, &head)?;
        let detected = begun.elapsed();
        let (base, head) = (repository.tree(&base)?, repository.tree(&head)?);
        let (before, after) =
            self.at.catalogs(&standard_dialects(), &self.configuration, &self.policy, &base, &head)?;
        let catalogued = begun.elapsed();
        let impact = impact::assess(&changes, &before, &after)?;
        let total = begun.elapsed();
        let milliseconds = |duration: std::time::Duration| duration.as_secs_f64() * 1000.0;
        Ok(Replayed {
            commit: commit.id,
            subject: commit.subject().to_owned(),
            files: impact.changes.len(),
            modules: impact.modules.len(),
            units: impact.units.len(),
            cases: impact.cases.len(),
            removed: impact.removed_modules.len() + impact.removed_units.len(),
            unparsable: impact.unparsable.len(),
            detect: milliseconds(detected),
            catalog: milliseconds(catalogued - detected),
            impact: milliseconds(total - catalogued),
            total: milliseconds(total),
        })
    }
}

fn people(replay: &Replay) -> String {
    let mut text = format!("{} commits, {} failed\n", replay.commits.len(), replay.failures.len());
    for failed in &replay.failures {
        let _ = writeln!(text, "  {} {}: {}", failed.commit.short(), failed.subject, failed.why);
    }
    let _ = writeln!(text, "{:<24}{:>10}{:>10}{:>10}{:>10}", "", "min", "median", "p95", "max");
    type Figure = fn(&Replayed) -> f64;
    let figures: [(&str, Figure); 11] = [
        ("changed files", |one| one.files as f64),
        ("modules", |one| one.modules as f64),
        ("units", |one| one.units as f64),
        ("test cases", |one| one.cases as f64),
        ("removed", |one| one.removed as f64),
        ("files not understood", |one| one.unparsable as f64),
        ("detect, ms", |one| one.detect),
        ("catalog, ms", |one| one.catalog),
        ("impact, ms", |one| one.impact),
        ("total, ms", |one| one.total),
        ("total but the first, ms", |one| one.total),
    ];
    for (name, figure) in figures {
        // The first commit finds nothing kept.
        let skip = usize::from(name.contains("but the first"));
        let mut values: Vec<f64> = replay.commits.iter().skip(skip).map(figure).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (values.len().saturating_sub(1) as f64 * share).round() as usize;
            values.get(place).copied().unwrap_or(0.0)
        };
        let digits = if name.ends_with("ms") { 2 } else { 0 };
        let [min, median, p95, max] = [0.0, 0.5, 0.95, 1.0].map(|share| format!("{:.digits$}", at(share)));
        let _ = writeln!(text, "{name:<24}{min:>10}{median:>10}{p95:>10}{max:>10}");
    }
    let mut slowest: Vec<&Replayed> = replay.commits.iter().collect();
    slowest.sort_by(|one, two| two.total.total_cmp(&one.total));
    let _ = writeln!(text, "slowest:");
    for one in slowest.into_iter().take(5) {
        let (commit, subject) = (one.commit.short(), &one.subject);
        let _ = writeln!(text, "  {:>8.2} ms  {:>4} files  {commit} {subject}", one.total, one.files);
    }
    text
}
