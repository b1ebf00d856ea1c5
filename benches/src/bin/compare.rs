//! Which stacks does a change touch? Asked of `affected`, of terramate and of terragrunt, on one repository,
//! in one run, each as a whole process, beside `git diff --name-status`.
//!
//! ```text
//! cargo build --release -p infraflow-examples --example affected
//! cargo run --release -p infraflow-benches --bin compare
//! ```
//!
//! The peers are built from their Go modules into a folder of the user's cache, unless `INFRAFLOW_TERRAMATE` and
//! `INFRAFLOW_TERRAGRUNT` name them. A peer that is not there is a row that says why. Each answer is checked.
//! *Cold* begins with an empty cache and writes it. *Warm, a new change* has the cache that another branch's
//! question left; *warm, asked again* has that of the very question.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use infraflow_benches::{
    Failure,
    peers::{Build, Peer},
    process::{Run, Runs, Words, measured, run},
    table::{seconds, table},
    workload::{Checkout, Flavour, Workload},
};
use infraflow_core::{
    detect::{ChangeDetector, GitDetector},
    git::{Repository, Revision},
};

/// Measures `affected` beside its peers and beside git.
#[derive(Parser)]
struct Options {
    /// Modules of the large repository; the small one has a tenth.
    #[arg(long, default_value_t = 10_000)]
    modules: usize,
    /// Runs of everything but the peers.
    #[arg(long, default_value_t = 15)]
    runs: usize,
    /// Runs of each peer.
    #[arg(long, default_value_t = 3)]
    peer_runs: usize,
    /// Small repositories, few runs, and no peer is built: shows that everything works, not how fast.
    #[arg(long)]
    quick: bool,
    /// The `affected` program; by default the one that was built beside this.
    #[arg(long)]
    affected: Option<PathBuf>,
    /// Where the peers' programs are kept.
    #[arg(long)]
    peers: Option<PathBuf>,
    /// Where the repositories are kept, to be used again; by default they are temporary.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Prints the names of the changed files of this repository, and nothing else: what is measured as
    /// `changed files`.
    #[arg(long, hide = true)]
    changed_files: Option<PathBuf>,
}

fn main() -> ExitCode {
    if let Some(code) = measured() {
        return code;
    }
    let options = Options::parse();
    let done = match &options.changed_files {
        Some(repository) => changed_files(repository),
        None => compare(&options),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn changed_files(repository: &Path) -> Result<ExitCode, Failure> {
    let repository = Repository::open(repository)?;
    let (base, head) = (repository.resolve("main")?, repository.resolve("feature")?);
    let changes = GitDetector::new().detect(&repository, &Revision::Commit(base), &Revision::Commit(head))?;
    changes.changes.iter().for_each(|change| println!("{:?}\t{}", change.kind, change.path));
    Ok(ExitCode::SUCCESS)
}

fn compare(options: &Options) -> Result<ExitCode, Failure> {
    let affected = affected(options)?;
    let (large, runs, peer_runs) = match options.quick {
        true => (300, 1, 1),
        false => (options.modules, options.runs.max(1), options.peer_runs),
    };
    let temporary = tempfile::tempdir()?;
    let folder = options.folder.as_deref().unwrap_or(temporary.path());
    let cache = options.peers.clone().unwrap_or_else(peers_folder);
    let build = if options.quick { Build::Never } else { Build::WhereMissing };
    let peers: Vec<(Peer, Result<PathBuf, String>)> = Peer::ALL
        .into_iter()
        .map(|peer| (peer, peer.program(&cache, build).map_err(|error| error.to_string())))
        .collect();

    let mut measured = Vec::new();
    for modules in [large / 10, large] {
        let workload = Workload { modules, flavour: Flavour::Peers };
        let repository = folder.join(format!("{modules}-modules"));
        if !repository.join(".git/refs/heads").is_dir() {
            workload.write(&repository, Checkout::Feature)?;
        }
        let asked = Asked { workload, repository, affected: affected.clone(), peers: &peers };
        measured.push(asked.measure(runs, peer_runs)?);
    }
    println!("{}", machine());
    for figures in &measured {
        println!("\n{}; {} differs", figures.workload, figures.workload.changed_file());
        println!("{}", figures.table());
    }
    let (small, large) = (&measured[0], &measured[1]);
    println!("{}", ratios(small, large));
    let wrong = measured.iter().flat_map(|figures| &figures.rows).any(|row| row.ours && !row.right);
    Ok(ExitCode::from(u8::from(wrong)))
}

/// A program under measurement, and where its cache is.
#[derive(Clone)]
struct Affected {
    program: PathBuf,
    caches: bool,
}

fn affected(options: &Options) -> Result<Affected, Failure> {
    let beside = std::env::current_exe()?.parent().map(|folder| folder.join("examples/affected"));
    let program = options.affected.clone().or(beside).unwrap_or_default();
    if !program.is_file() {
        return Err(format!(
            "cannot measure {}: there is no such program\n  help: cargo build --release -p infraflow-examples --example affected",
            program.display()
        )
        .into());
    }
    let program = program.canonicalize()?;
    let help = run(&Words::new(&program, Path::new(".")).with(["--help"]))?;
    Ok(Affected { program, caches: help.out.contains("--cache") })
}

fn peers_folder() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    cache.unwrap_or_else(std::env::temp_dir).join("infraflow-peers")
}

struct Asked<'a> {
    workload: Workload,
    repository: PathBuf,
    affected: Affected,
    peers: &'a [(Peer, Result<PathBuf, String>)],
}

impl Asked<'_> {
    fn measure(&self, runs: usize, peer_runs: usize) -> Result<Figures, Failure> {
        let place = tempfile::tempdir()?;
        let git = Words::new("git", &self.repository).with(["diff", "--name-status", "main...feature"]);
        let names = Words::new(std::env::current_exe()?, &self.repository)
            .with(["--changed-files".as_ref(), self.repository.as_os_str()]);
        let files = BTreeSet::from([self.workload.changed_file()]);
        let changed_files = |run: &Run| {
            run.out.lines().filter_map(|line| Some(line.split_once('\t')?.1.to_owned())).collect()
        };
        let mut rows = [
            Row::new(GIT, false),
            Row::new(FILES, true),
            Row::new(COLD, true),
            Row::new(NEW_CHANGE, true),
            Row::new(AGAIN, true),
        ];
        let (other, again) = (place.path().join("other"), place.path().join("again"));
        if self.affected.caches {
            run(&self.ask("other", &other))?;
            run(&self.ask("feature", &again))?;
        }
        for at in 0..runs {
            rows[0].add(run(&git)?, &files, changed_files);
            rows[1].add(run(&names)?, &files, changed_files);
            let cold = place.path().join(format!("cold-{at}"));
            rows[2].add(run(&self.ask("feature", &cold))?, &self.answer(), units);
            if self.affected.caches {
                std::fs::remove_dir_all(&cold)?;
                let copy = place.path().join(format!("new-{at}"));
                copy_folder(&other, &copy)?;
                rows[3].add(run(&self.ask("feature", &copy))?, &self.answer(), units);
                std::fs::remove_dir_all(&copy)?;
                rows[4].add(run(&self.ask("feature", &again))?, &self.answer(), units);
            } else {
                let why = "affected has no --cache";
                rows[3..].iter_mut().for_each(|row| row.missing = Some(why.to_owned()));
            }
        }
        let mut rows = Vec::from(rows);
        for (peer, program) in self.peers {
            let mut row = Row::new(peer.name(), false);
            match program {
                Err(why) => row.missing = Some(format!("{peer} is not measured: {why}")),
                Ok(program) => {
                    let question = peer.question(program, &self.repository);
                    for _ in 0..peer_runs {
                        row.add(run(&question)?, &self.answer(), |run| {
                            run.out.lines().map(|line| line.trim().to_owned()).collect()
                        });
                    }
                }
            }
            rows.push(row);
        }
        Ok(Figures { workload: self.workload, rows })
    }

    fn answer(&self) -> BTreeSet<String> {
        self.workload.answer().into_iter().collect()
    }

    fn ask(&self, head: &str, cache: &Path) -> Words {
        let words = Words::new(&self.affected.program, &self.repository)
            .with(["--repo".as_ref(), self.repository.as_os_str()])
            .with(["--base", "main", "--head", head, "--json"]);
        if self.affected.caches { words.with(["--cache".as_ref(), cache.as_os_str()]) } else { words }
    }
}

fn units(run: &Run) -> BTreeSet<String> {
    let impact: serde_json::Value = serde_json::from_str(&run.out).unwrap_or_default();
    let units = impact["units"].as_array().into_iter().flatten();
    units.filter_map(|unit| Some(unit["path"].as_str()?.to_owned())).collect()
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

const GIT: &str = "git diff --name-status";
const FILES: &str = "changed files";
const COLD: &str = "affected, cold";
const NEW_CHANGE: &str = "affected, warm, a new change";
const AGAIN: &str = "affected, warm, asked again";

struct Row {
    what: &'static str,
    ours: bool,
    runs: Runs,
    right: bool,
    verdict: String,
    missing: Option<String>,
}

impl Row {
    fn new(what: &'static str, ours: bool) -> Self {
        Self { what, ours, runs: Runs::default(), right: true, verdict: String::new(), missing: None }
    }

    fn add(&mut self, run: Run, expected: &BTreeSet<String>, answer: impl Fn(&Run) -> BTreeSet<String>) {
        self.runs.add(&run);
        let found = answer(&run);
        if !self.right {
            return;
        }
        self.right = run.code == Some(0) && found == *expected;
        self.verdict = if self.right {
            "right".to_owned()
        } else {
            let complaint = run.complaint.lines().next().filter(|_| run.code != Some(0)).unwrap_or_default();
            let hit = found.intersection(expected).count();
            let more = found.len() - hit;
            format!("WRONG: {hit} of {}, {more} too many {complaint}", expected.len())
        };
    }
}

struct Figures {
    workload: Workload,
    rows: Vec<Row>,
}

impl Figures {
    fn runs(&self, what: &str) -> Option<&Runs> {
        self.rows.iter().find(|row| row.what == what).map(|row| &row.runs).filter(|runs| runs.count() > 0)
    }

    fn table(&self) -> String {
        let head = ["", "runs", "min", "median", "max", "processor", "peak MB", "answer"];
        let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).into()];
        for row in &self.rows {
            let mut cells = vec![row.what.to_owned()];
            match &row.missing {
                Some(_) => cells.extend(["0", "-", "-", "-", "-", "-", "not measured"].map(str::to_owned)),
                None => {
                    let runs = &row.runs;
                    cells.push(runs.count().to_string());
                    let times = [runs.min(), runs.median(), runs.max(), runs.median_cpu()];
                    cells.extend(times.map(seconds));
                    cells.push(format!("{:.0}", runs.peak_mb()));
                    cells.push(row.verdict.clone());
                }
            }
            rows.push(cells);
        }
        let mut text = table(&rows);
        for why in self.rows.iter().filter_map(|row| row.missing.as_ref()) {
            text.push_str(why);
            text.push('\n');
        }
        text
    }
}

/// What is asked of the figures: each with its bound, of the medians and of the shortest runs.
fn ratios(small: &Figures, large: &Figures) -> String {
    let mut rows: Vec<Vec<String>> =
        vec![["", "of medians", "of minima", "asked for", ""].map(str::to_owned).into()];
    let mut row = |what: String, figures: Option<[f64; 2]>, bound: Bound, unit: &str| {
        let mut cells = vec![what];
        match figures {
            None => cells.extend(["-", "-", &bound.text(unit), "not measured"].map(str::to_owned)),
            Some([median, min]) => {
                cells.extend([median, min].map(|figure| format!("{figure:.2}{unit}")));
                cells.push(bound.text(unit));
                cells.push(if bound.holds(median) { "holds" } else { "MISSED" }.to_owned());
            }
        }
        rows.push(cells);
    };
    let ratio = |figures: &Figures, one: &str, two: &str| {
        let (one, two) = (figures.runs(one)?, figures.runs(two)?);
        Some([one.median() / two.median(), one.min() / two.min()])
    };
    for figures in [small, large] {
        let files = figures.workload.files();
        let mut of = |one: &str, two: &str, bound: Bound| {
            row(format!("{files} files: {one} / {two}"), ratio(figures, one, two), bound, "");
        };
        of(FILES, GIT, Bound::AtMost(2.0));
        for peer in Peer::ALL {
            of(peer.name(), COLD, Bound::AtLeast(60.0));
            of(peer.name(), NEW_CHANGE, Bound::AtLeast(1000.0));
            of(peer.name(), AGAIN, Bound::AtLeast(1000.0));
        }
        of(NEW_CHANGE, GIT, Bound::AtMost(10.0));
        of(AGAIN, GIT, Bound::AtMost(10.0));
    }
    let cold = large.runs(COLD).map(|runs| [runs.median(), runs.min()]);
    row(COLD.to_owned(), cold, Bound::AtMost(0.5), " s");
    for warm in [NEW_CHANGE, AGAIN] {
        let growth = |figures: &str| {
            let (small, large) = (small.runs(figures)?, large.runs(figures)?);
            Some([large.median() / small.median(), large.min() / small.min()])
        };
        let over = growth(warm).zip(growth(GIT)).map(|(ours, git)| [ours[0] / git[0], ours[1] / git[1]]);
        row(format!("growth to ten times the files: {warm} / {GIT}"), over, Bound::AtMost(1.3), "");
    }
    for (what, bound) in [(COLD, 200.0), (NEW_CHANGE, 60.0), (AGAIN, 60.0)] {
        let peak = large.runs(what).map(|runs| [runs.peak_mb(); 2]);
        row(format!("memory: {what}"), peak, Bound::AtMost(bound), " MB");
    }
    table(&rows)
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtMost(bound) => figure <= bound,
            Self::AtLeast(bound) => figure >= bound,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::AtMost(bound) => format!("at most {bound}{unit}"),
            Self::AtLeast(bound) => format!("at least {bound}{unit}"),
        }
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?").to_owned();
    let version = std::process::Command::new("git").arg("--version").output();
    let git = version.map_or(String::new(), |told| String::from_utf8_lossy(&told.stdout).trim().to_owned());
    format!("{cores} cores ({}), load {load}, {git}", model.map_or("unknown", |(_, model)| model.trim()))
}
