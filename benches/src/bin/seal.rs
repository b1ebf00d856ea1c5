//! Seals and opens one large file, and does the same with `age` beside it, in one run.
//!
//! `cargo run --release -p infraflow-benches --bin seal -- [MIB] [ROUNDS]` (256 MiB and 5 rounds by default).
//! `age` is taken from `INFRAFLOW_AGE` or the PATH; both read a file and write a file in the same temporary
//! folder (`TMPDIR`), in turns, and the best round of each counts: what is slower than that is the machine's
//! other work. Whether a ratio holds elsewhere depends on its number of cores: we use all of them for the
//! cipher, and digest what is sealed and what is plain besides, which `age` does not.
#![allow(clippy::print_stdout)]

use std::{
    error::Error,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use infraflow_core::{
    proof::SigningKey,
    seal::{Sealer, SealingKey, SharedKeySealer},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let mib: usize = args.next().map_or(Ok(256), |text| text.parse())?;
    let rounds: usize = args.next().map_or(Ok(5), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let plain = folder.path().join("plain");
    write_log(&plain, mib)?;
    let sealer = SharedKeySealer::new(SealingKey::generate()?);
    let sealer: &dyn Sealer = &sealer;
    let age = Age::find(folder.path())?;

    let (mut ours, mut theirs, mut memory) = (Best::new(mib), Best::new(mib), Best::new(mib));
    let bytes = fs::read(&plain)?;
    for _ in 0..rounds {
        let (sealed, opened) = (folder.path().join("ours"), folder.path().join("ours.plain"));
        ours.seal(|| Ok(sealer.seal_file(&plain, &sealed).map(drop)?))?;
        ours.open(|| Ok(sealer.open_file(&sealed, &opened).map(drop)?))?;
        remove([&sealed, &opened])?;
        let mut sealed = Vec::with_capacity(bytes.len() + (1 << 20));
        memory.seal(|| Ok(sealer.seal(&mut &bytes[..], &mut sealed).map(drop)?))?;
        memory.open(|| Ok(sealer.open(&mut &sealed[..], &mut io::sink()).map(drop)?))?;
        if let Some(age) = &age {
            let (sealed, opened) = (folder.path().join("age"), folder.path().join("age.plain"));
            theirs.seal(|| age.seal(&plain, &sealed))?;
            theirs.open(|| age.open(&sealed, &opened))?;
            remove([&sealed, &opened])?;
        }
    }
    println!("{mib} MiB, best of {rounds}, {} cores", std::thread::available_parallelism()?);
    ours.print("infraflow, file to file");
    memory.print("infraflow, in memory");
    match age {
        Some(age) => {
            theirs.print(&format!("{}, file to file", age.version));
            println!(
                "infraflow takes {:.2} of age's time to seal, {:.2} to open",
                ours.seal / theirs.seal,
                ours.open / theirs.open
            );
        }
        None => println!(
            "age: not found on the PATH, nor in INFRAFLOW_AGE: no ratio (go install filippo.io/age/cmd/age@latest)"
        ),
    }
    Ok(())
}

/// The best time of each, in seconds.
struct Best {
    mib: usize,
    seal: f64,
    open: f64,
}

impl Best {
    fn new(mib: usize) -> Self {
        Self { mib, seal: f64::INFINITY, open: f64::INFINITY }
    }

    fn seal(&mut self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.seal = self.seal.min(time(work)?);
        Ok(())
    }

    fn open(&mut self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.open = self.open.min(time(work)?);
        Ok(())
    }

    fn print(&self, what: &str) {
        let speed = |seconds: f64| self.mib as f64 * 1.048_576 / seconds;
        println!(
            "{what:<28} seal {:6.0} MB/s ({:.3} s)   open {:6.0} MB/s ({:.3} s)",
            speed(self.seal),
            self.seal,
            speed(self.open),
            self.open
        );
    }
}

fn time(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64())
}

fn remove(paths: [&Path; 2]) -> io::Result<()> {
    paths.into_iter().try_for_each(fs::remove_file)
}

/// Lines as terraform writes them.
fn write_log(path: &Path, mib: usize) -> Result<()> {
    let mut out = io::BufWriter::new(fs::File::create(path)?);
    let (mut length, mut number) = (0, 0_u64);
    while length < mib << 20 {
        let line = format!(
            "  + module.cluster[\"{number}\"].terraform_data.node: input = \"{:x}\"\n",
            number * number
        );
        let line = &line.as_bytes()[..line.len().min((mib << 20) - length)];
        out.write_all(line)?;
        length += line.len();
        number += 1;
    }
    Ok(out.flush()?)
}

/// `age` with an SSH key, so that `age-keygen` is not needed.
struct Age {
    program: PathBuf,
    version: String,
    recipient: String,
    identity: PathBuf,
}

impl Age {
    fn find(folder: &Path) -> Result<Option<Self>> {
        let program = PathBuf::from(std::env::var_os("INFRAFLOW_AGE").unwrap_or_else(|| "age".into()));
        let Ok(output) = Command::new(&program).arg("--version").output() else { return Ok(None) };
        let version = format!("age {}", String::from_utf8_lossy(&output.stdout).trim());
        let key = SigningKey::generate("bench")?;
        let identity = folder.join("identity");
        fs::write(&identity, key.to_openssh()?.as_bytes())?;
        Ok(Some(Self { program, version, recipient: key.verifying_key().to_string(), identity }))
    }

    fn seal(&self, from: &Path, to: &Path) -> Result<()> {
        run(Command::new(&self.program).args(["-r", &self.recipient, "-o"]).args([to, from]))
    }

    fn open(&self, from: &Path, to: &Path) -> Result<()> {
        run(Command::new(&self.program).args(["-d", "-i"]).arg(&self.identity).arg("-o").args([to, from]))
    }
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
