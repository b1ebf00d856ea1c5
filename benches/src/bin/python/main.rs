//! What Python costs: the question of which stacks a change touches, asked in Rust and through the Python package, on
//! one repository, in turn.
//!
//! ```text
//! .venv/bin/maturin build --release -m crates/infraflow-py/Cargo.toml -i .venv/bin/python --out target/wheels
//! .venv/bin/python -m pip install --no-deps --force-reinstall target/wheels/infraflow*.whl
//! cargo run --release -p infraflow-benches --bin python -- --python .venv/bin/python
//! ```
//!
//! Measured inside the process, a run is: open the repository, detect the change, catalog both ends, assess the
//! impact, write it as JSON. Two processes go on through all runs, one in Rust and one of Python, each woken by a line
//! that asks it, and the JSON of both is compared byte by byte: so to start an interpreter and to import the package is
//! no part of it. *Cold* uses no cache, *warm* the index that the same question left. Whole processes are measured
//! beside it, and an interpreter that only starts, and one that only imports the package.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio},
    time::Instant,
};

use clap::Parser;
use infraflow_benches::{
    Failure,
    process::{Runs, Words, measured, run},
    table::{seconds, table},
    workload::{Checkout, Flavour, Workload},
};
use infraflow_core::{
    catalog::{Catalog, CatalogCache, CatalogRules, standard_dialects},
    detect::{ChangeDetector as _, GitDetector},
    git::{Repository, Revision},
    impact::{ImpactOptions, assess_with},
    policy::{Configuration, Policy},
    proof::Document as _,
};

/// That of the example programs, and of the Python package.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures what the Python package adds to the library.
#[derive(Parser)]
struct Options {
    /// Modules of the repository.
    #[arg(long, default_value_t = 10_000)]
    modules: usize,
    /// Runs of the cold question; the warm one is asked ten times as often.
    #[arg(long, default_value_t = 11)]
    runs: usize,
    /// An interpreter that has the package.
    #[arg(long, default_value = ".venv/bin/python")]
    python: PathBuf,
    /// A small repository and one run: shows that both answer the same, not what it costs.
    #[arg(long)]
    quick: bool,
    /// Where the repository is kept, to be used again; by default it is temporary.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Answers once, as a process of its own, through this cache.
    #[arg(long, hide = true)]
    answer: Option<PathBuf>,
    /// Answers each word on standard input, as the script of Python does.
    #[arg(long, hide = true)]
    serve: Option<PathBuf>,
}

/// The question asked of Python.
const SCRIPT: &str = include_str!("answer.py");

fn main() -> ExitCode {
    if let Some(code) = measured() {
        return code;
    }
    let options = Options::parse();
    let done = match &options {
        Options { answer: Some(cache), folder: Some(folder), .. } => {
            answer(folder, &CatalogCache::in_folder(cache)).map(|(_, json)| {
                print!("{json}");
                ExitCode::SUCCESS
            })
        }
        Options { serve: Some(cache), folder: Some(folder), .. } => serve(folder, cache),
        _ => compare(&options),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

/// The question asked in Rust, by the same steps: the seconds it took, and the JSON.
fn answer(folder: &Path, cache: &CatalogCache) -> Result<(f64, String), Failure> {
    let begun = Instant::now();
    let repository = Repository::open(folder)?;
    let (base, head) = (repository.revision("main")?, repository.revision("feature")?);
    let changes = GitDetector::new().detect(&repository, &base, &head)?;
    let trunk = repository.tree(&repository.trunk_tip()?.into())?;
    let configuration = Configuration::read(&trunk)?;
    let rules: CatalogRules = configuration.section()?;
    let policy = Policy::read(&trunk)?;
    let ends = (repository.tree(&Revision::Commit(changes.merge_base))?, repository.tree(&head)?);
    let (base, head) = cache.ends(&ends.0, &ends.1, &standard_dialects(), &rules)?;
    let in_environments = |catalog: Catalog| {
        let policy = policy.clone();
        catalog.with_environments(move |unit| {
            Some(policy.environment_of_id(unit.path(), &unit.to_string())?.name.clone())
        })
    };
    let (base, head) = (in_environments(base), in_environments(head));
    let options = ImpactOptions::by(configuration.section()?);
    let json = assess_with(&changes, &base, &head, &options)?.to_json()?;
    Ok((begun.elapsed().as_secs_f64(), json))
}

/// What the script does, in Rust.
fn serve(folder: &Path, cache: &Path) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lines() {
        let cache = match line?.trim() {
            "cold" => CatalogCache::none(),
            _ => CatalogCache::in_folder(cache),
        };
        let (seconds, json) = answer(folder, &cache)?;
        write!(out, "{seconds} {}\n{json}", json.len())?;
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A process that answers, once for each word.
struct Asked {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Asked {
    fn start(command: &mut Command) -> Result<Self, Failure> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", command.get_program().display()))?;
        let asks = process.stdin.take().ok_or("it takes no input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("it gives no output")?);
        Ok(Self { process, asks, answers })
    }

    fn answer(&mut self, question: &str) -> Result<(f64, String), Failure> {
        writeln!(self.asks, "{question}")?;
        self.asks.flush()?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("a process gave no answer; what it says stands above".into());
        }
        let (seconds, length) = line.trim().split_once(' ').ok_or("a process answers in another form")?;
        let mut json = vec![0; length.parse()?];
        self.answers.read_exact(&mut json)?;
        Ok((seconds.parse()?, String::from_utf8(json)?))
    }

    fn end(self) -> Result<(), Failure> {
        let Self { mut process, asks, .. } = self;
        drop(asks);
        process.wait()?;
        Ok(())
    }
}

fn compare(options: &Options) -> Result<ExitCode, Failure> {
    let (modules, runs) = if options.quick { (60, 1) } else { (options.modules, options.runs.max(1)) };
    let temporary = tempfile::tempdir()?;
    let workload = Workload { modules, flavour: Flavour::Terraform };
    let folder = match &options.folder {
        Some(folder) => folder.canonicalize().unwrap_or_else(|_| folder.clone()),
        None => temporary.path().join("repository"),
    };
    if !folder.join(".git/refs/heads").is_dir() {
        workload.write(&folder, Checkout::Nothing)?;
    }
    let cache = temporary.path().join("cache");
    let mut python =
        Asked::start(Command::new(&options.python).args(["-c", SCRIPT]).args([&folder, &cache]))?;
    let own = std::env::current_exe()?;
    let mut rust = Asked::start(Command::new(own).arg("--folder").arg(&folder).arg("--serve").arg(&cache))?;
    let mut same = true;
    let mut rows =
        vec![["in the process", "Rust", "Python", "overhead of medians", "of minima"].map(String::from)];
    for (question, times) in [("cold", runs), ("warm", runs * 10)] {
        // The first of each is not counted: it fills what later ones find, pages and the index among them.
        let mut figures = (Vec::new(), Vec::new());
        for at in 0..=times {
            // Who comes first, comes second the next time.
            let (one, other) = if at % 2 == 0 {
                let one = rust.answer(question)?;
                (one, python.answer(question)?)
            } else {
                let other = python.answer(question)?;
                (rust.answer(question)?, other)
            };
            same &= one.1 == other.1;
            if at > 0 {
                figures.0.push(one.0);
                figures.1.push(other.0);
            }
        }
        let (of_rust, of_python) = (sorted(figures.0), sorted(figures.1));
        let percent = |ours: f64, theirs: f64| format!("{:+.1} %", (theirs / ours - 1.0) * 100.0);
        rows.push([
            format!("{question} ({times} runs)"),
            both(&of_rust),
            both(&of_python),
            percent(middle(&of_rust), middle(&of_python)),
            percent(of_rust[0], of_python[0]),
        ]);
    }
    python.end()?;
    rust.end()?;
    println!(
        "{workload}; the JSON of both is {}",
        if same { "the same, byte by byte" } else { "NOT the same" }
    );
    println!("{}", table(&rows.into_iter().map(Vec::from).collect::<Vec<_>>()));
    println!("{}", processes(options, &folder, &cache, temporary.path(), runs)?);
    Ok(ExitCode::from(u8::from(!same)))
}

/// Whole processes, warm, in turn.
fn processes(
    options: &Options,
    folder: &Path,
    cache: &Path,
    place: &Path,
    runs: usize,
) -> Result<String, Failure> {
    let once = SCRIPT.replace("for line in sys.stdin:", "for line in [\"warm\"]:");
    let script = place.join("once.py");
    std::fs::write(&script, once)?;
    let python = std::path::absolute(&options.python)?;
    let python = |words: &[&std::ffi::OsStr]| Words::new(&python, place).with(words);
    let rust = Words::new(std::env::current_exe()?, place).with([
        "--folder".as_ref(),
        folder.as_os_str(),
        "--answer".as_ref(),
        cache.as_os_str(),
    ]);
    let rows = [
        ("Rust, warm", rust),
        ("an interpreter that starts", python(&["-c".as_ref(), "pass".as_ref()])),
        ("one that imports infraflow", python(&["-c".as_ref(), "import infraflow".as_ref()])),
        ("Python, warm", python(&[script.as_os_str(), folder.as_os_str(), cache.as_os_str()])),
    ];
    let mut measured: Vec<Runs> = rows.iter().map(|_| Runs::default()).collect();
    for _ in 0..runs {
        for ((what, words), runs) in rows.iter().zip(&mut measured) {
            let run = run(words)?;
            if run.code != Some(0) {
                return Err(format!("{what} failed: {}", run.complaint.trim()).into());
            }
            runs.add(&run);
        }
    }
    let mut shown = vec![["whole processes", "median", "min", "peak memory"].map(String::from).to_vec()];
    shown.extend(rows.iter().zip(&measured).map(|((what, _), runs)| {
        vec![
            (*what).to_owned(),
            seconds(runs.median()),
            seconds(runs.min()),
            format!("{:.0} MB", runs.peak_mb()),
        ]
    }));
    Ok(table(&shown))
}

fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_by(f64::total_cmp);
    figures
}

fn middle(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

fn both(sorted: &[f64]) -> String {
    format!("{} (min {})", seconds(middle(sorted)), seconds(sorted[0]))
}
