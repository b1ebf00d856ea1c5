//! Whole processes, measured: how long they took, and the most memory that one of them had.
//!
//! The kernel tells the peak memory of a parent's children together, as a maximum that never falls. So each
//! run has a parent of its own: the measuring program starts itself again ([`measured`]), which starts the
//! command, waits for it, and writes down what the kernel says.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use nix::sys::resource::{UsageWho, getrusage};

use crate::Failure;

/// The first argument of a program that is started only to start another one.
const MEASURED: &str = "--measured-run";

/// A command line, and where it runs.
#[derive(Clone, Debug)]
pub struct Words {
    /// The program, and its arguments.
    pub words: Vec<OsString>,
    /// Where it runs.
    pub folder: PathBuf,
}

impl Words {
    /// A program in a folder.
    pub fn new(program: impl Into<OsString>, folder: &Path) -> Self {
        Self { words: vec![program.into()], folder: folder.to_owned() }
    }

    /// With more arguments.
    #[must_use]
    pub fn with<T: Into<OsString>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }
}

/// One run of a command.
#[derive(Clone, Debug)]
pub struct Run {
    /// From before it was started until it was gone.
    pub seconds: f64,
    /// The processor time of the command and of all that it waited for, on all cores together.
    pub cpu_seconds: f64,
    /// The most memory that the command, or a process that it waited for, had at once, in KiB.
    pub peak_kib: u64,
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote.
    pub out: String,
    /// What it complained about.
    pub complaint: String,
}

/// Runs a command once, as a process of its own.
///
/// # Errors
/// Where it cannot be started.
pub fn run(command: &Words) -> Result<Run, Failure> {
    let notes = tempfile::tempdir()?;
    let (result, out, complaint) =
        (notes.path().join("result"), notes.path().join("out"), notes.path().join("complaint"));
    let status = Command::new(std::env::current_exe()?)
        .arg(MEASURED)
        .arg(&result)
        .args(&command.words)
        .current_dir(&command.folder)
        .stdin(Stdio::null())
        .stdout(File::create(&out)?)
        .stderr(File::create(&complaint)?)
        .status()?;
    let complaint = String::from_utf8_lossy(&fs::read(complaint)?).into_owned();
    if !status.success() {
        let program = command.words[0].to_string_lossy();
        return Err(format!("cannot start {program}: {}", complaint.trim()).into());
    }
    let figures = fs::read_to_string(&result)?;
    let mut figures = figures.split_whitespace();
    let mut next = || figures.next().ok_or("a run was not written down");
    Ok(Run {
        seconds: next()?.parse()?,
        cpu_seconds: next()?.parse()?,
        peak_kib: next()?.parse()?,
        code: next()?.parse().ok(),
        out: String::from_utf8_lossy(&fs::read(out)?).into_owned(),
        complaint,
    })
}

/// To be called first by the `main` of every program that uses [`run`]: does the part of the process in
/// between, where that is what the program was started for.
pub fn measured() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != MEASURED {
        return None;
    }
    let result = args.next()?;
    let mut command = Command::new(args.next()?);
    command.args(args);
    let begun = Instant::now();
    let ended = command.status();
    let seconds = begun.elapsed().as_secs_f64();
    Some(match (ended, getrusage(UsageWho::RUSAGE_CHILDREN)) {
        (Ok(status), Ok(usage)) => {
            let code = status.code().map_or("signal".to_owned(), |code| code.to_string());
            let times = [usage.user_time(), usage.system_time()];
            let cpu: f64 = times.iter().map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6).sum();
            match fs::write(result, format!("{seconds} {cpu} {} {code}", usage.max_rss())) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        _ => ExitCode::FAILURE,
    })
}

/// The runs of one command.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    seconds: Vec<f64>,
    cpu_seconds: Vec<f64>,
    peak_kib: u64,
}

impl Runs {
    /// Adds one.
    pub fn add(&mut self, run: &Run) {
        self.seconds.push(run.seconds);
        self.seconds.sort_by(f64::total_cmp);
        self.cpu_seconds.push(run.cpu_seconds);
        self.cpu_seconds.sort_by(f64::total_cmp);
        self.peak_kib = self.peak_kib.max(run.peak_kib);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.seconds.len()
    }

    /// The shortest, in seconds.
    pub fn min(&self) -> f64 {
        self.seconds.first().copied().unwrap_or(f64::NAN)
    }

    /// The one in the middle, in seconds.
    pub fn median(&self) -> f64 {
        self.seconds.get(self.seconds.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The longest, in seconds.
    pub fn max(&self) -> f64 {
        self.seconds.last().copied().unwrap_or(f64::NAN)
    }

    /// The processor time of the one in the middle, in seconds.
    pub fn median_cpu(&self) -> f64 {
        self.cpu_seconds.get(self.cpu_seconds.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The most memory that any of them had, in MB.
    pub fn peak_mb(&self) -> f64 {
        self.peak_kib as f64 * 1024.0 / 1e6
    }
}
