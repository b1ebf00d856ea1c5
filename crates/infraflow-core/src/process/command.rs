use std::{
    ffi::{OsStr, OsString},
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    Environment, LogStream, Preset, ProcessError, ProcessGroup, Source,
    supervise::{Control, supervise},
};

/// Records a program's start, on a thread that may block. An error keeps the program from running.
pub type OnStart =
    Arc<dyn Fn(&ProcessGroup) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + Send + Sync>;

/// A program to run, with everything that it may see and use.
///
/// ```
/// use infraflow_core::process::Command;
/// let finished = Command::new("sh").arg("-c").arg("echo hello").run_blocking()?;
/// assert!(finished.success());
/// assert_eq!(finished.stdout, b"hello\n");
/// # Ok::<(), infraflow_core::process::ProcessError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Command {
    pub(super) program: OsString,
    pub(super) args: Vec<OsString>,
    pub(super) folder: Option<PathBuf>,
    pub(super) environment: Environment,
    pub(super) stdin: Option<Arc<[u8]>>,
    pub(super) time_limit: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) capture_limit: usize,
    pub(super) on_start: Option<OnStart>,
    pub(super) output_files: Option<OutputFiles>,
}

/// Where a program's output goes, in place of pipes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFiles {
    /// The file for its standard output.
    pub stdout: PathBuf,
    /// The file for its standard error.
    pub stderr: PathBuf,
}

impl Command {
    /// A program by its path, or by a name that is looked up in the PATH of the environment it is given.
    /// It sees [`Preset::Base`] of this process' environment, reads nothing, has no time limit, and 30
    /// seconds of grace.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            folder: None,
            environment: Environment::preset(&[Preset::Base]),
            stdin: None,
            time_limit: None,
            grace: Duration::from_secs(30),
            capture_limit: 256 << 20,
            on_start: None,
            output_files: None,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// The folder to run in; this process' own by default.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// The whole environment that it sees.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// What it reads from its standard input; nothing by default.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into().into());
        self
    }

    /// How long it may run before it is ended.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// How long it may go on after its SIGINT before it is killed.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How many bytes of each output are kept in [`Finished`], 256 MiB by default: the last ones. The log
    /// stream gets everything.
    pub fn capture_limit(mut self, bytes: usize) -> Self {
        self.capture_limit = bytes;
        self
    }

    /// Holds the program before its first instruction until `record` has recorded its process group. Where
    /// that fails, or this process dies meanwhile, it never runs.
    ///
    /// `record` is called on a thread of its own and may block, for example on
    /// `tokio::runtime::Handle::block_on`.
    pub fn on_start(
        mut self,
        record: impl Fn(&ProcessGroup) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.on_start = Some(Arc::new(record));
        self
    }

    /// Lets it write to files instead of pipes, which are made with mode 0600 or appended to; the log stream
    /// and [`Finished`] have what it writes all the same.
    ///
    /// With pipes a program dies of its next line when whoever reads them has died (terraform 1.11.4 does, of
    /// SIGPIPE, before it has recorded what it just made). With files it goes on to its end, and what it said
    /// can be read afterwards.
    pub fn output_files(mut self, files: OutputFiles) -> Self {
        self.output_files = Some(files);
        self
    }

    /// Runs it to its end, its output going to `log` as it comes. A cancelled token ends it with one
    /// SIGINT, the grace period and SIGKILL; a token that is cancelled already keeps it from starting.
    /// Dropping the future ends it in the same way, on a thread of its own.
    ///
    /// # Errors
    /// [`ProcessError`] where it could not be started, recorded or waited for. Its own failure is no error:
    /// ask [`Finished::success`].
    pub async fn run(
        &self,
        cancel: &CancellationToken,
        log: &dyn LogStream,
    ) -> Result<Finished, ProcessError> {
        if cancel.is_cancelled() {
            return Ok(Finished::never_started());
        }
        let (chunks, mut chunk) = tokio::sync::mpsc::channel::<(Source, Vec<u8>)>(64);
        let (answer, mut result) = tokio::sync::oneshot::channel();
        let (control, controlled) = mpsc::channel();
        let drop_cancels = CancelOnDrop(control.clone());
        let command = self.clone();
        let sink = move |source, bytes: &[u8]| {
            // A receiver that is gone means the future was dropped: read on, so that the program can end.
            let _ = chunks.blocking_send((source, bytes.to_vec()));
        };
        std::thread::Builder::new()
            .name("infraflow-process".into())
            .spawn(move || {
                let _ = answer.send(supervise(&command, control, controlled, Arc::new(sink)));
            })
            .map_err(|source| self.start_error(source))?;
        let mut asked = false;
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled(), if !asked => {
                    asked = true;
                    let _ = drop_cancels.0.send(Control::Cancel);
                }
                Some((source, bytes)) = chunk.recv() => log.chunk(source, &bytes),
                finished = &mut result => {
                    while let Ok((source, bytes)) = chunk.try_recv() {
                        log.chunk(source, &bytes);
                    }
                    return finished.unwrap_or_else(|_| {
                        Err(self.start_error(io::Error::other("the thread that watches it ended")))
                    });
                }
            }
        }
    }

    /// Runs it to its end, blocking this thread. Only the time limit ends it early.
    ///
    /// # Errors
    /// As [`Command::run`].
    pub fn run_blocking(&self) -> Result<Finished, ProcessError> {
        let (control, controlled) = mpsc::channel();
        supervise(self, control, controlled, Arc::new(|_, _: &[u8]| {}))
    }

    /// The program's name, for messages.
    pub fn program(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    pub(super) fn start_error(&self, source: io::Error) -> ProcessError {
        let folder = self.folder.clone().or_else(|| std::env::current_dir().ok()).unwrap_or_default();
        ProcessError::Start { program: self.program(), folder, source }
    }

    /// The program's file: looked up here rather than by the system, which would search this process'
    /// PATH or the child's, depending on how it starts it.
    pub(super) fn find(&self) -> Result<PathBuf, ProcessError> {
        let program = Path::new(&self.program);
        if program.components().count() > 1 || program.is_absolute() {
            return std::path::absolute(program).map_err(|source| self.start_error(source));
        }
        let path = self.environment.get("PATH").unwrap_or(OsStr::new(""));
        std::env::split_paths(path)
            .map(|folder| folder.join(program))
            .find(|file| executable(file))
            .ok_or_else(|| ProcessError::NotFound {
                program: self.program(),
                searched: path.to_string_lossy().into_owned(),
            })
    }
}

fn executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

impl fmt::Debug for Command {
    /// Input is left out, and of the environment the values are: both may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("args", &self.args)
            .field("folder", &self.folder)
            .field("environment", &self.environment)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

struct CancelOnDrop(mpsc::Sender<Control>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let _ = self.0.send(Control::Cancel);
    }
}

/// Why a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// By itself, or by a signal that was not ours.
    Exited,
    /// Its time was up.
    TimedOut,
    /// It was cancelled.
    Cancelled,
}

/// How a program ended, and what it wrote.
#[derive(Clone)]
pub struct Finished {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The last bytes of its standard output, as many as [`Command::capture_limit`] keeps.
    pub stdout: Vec<u8>,
    /// The last bytes of its standard error, as many as [`Command::capture_limit`] keeps.
    pub stderr: Vec<u8>,
    /// Whether one of them is not all that was written.
    pub truncated: bool,
    /// How long it ran.
    pub elapsed: Duration,
    /// Why it ended. A program that is interrupted may still exit with 0.
    pub ended: Ended,
}

impl Finished {
    /// Whether it exited by itself with code 0.
    pub fn success(&self) -> bool {
        self.ended == Ended::Exited && self.code == Some(0)
    }

    /// The end of its standard error as text, at most 4 KiB, for an error's message. It may hold secrets
    /// that the program printed.
    pub fn message(&self) -> String {
        let start = self.stderr.len().saturating_sub(4096);
        String::from_utf8_lossy(&self.stderr[start..]).trim().to_owned()
    }

    /// How it ended, in words: `exit code 1`, `signal 9`, `time limit after 30s`, `cancelled`.
    pub fn verdict(&self) -> String {
        match (self.ended, self.code, self.signal) {
            (Ended::TimedOut, ..) => format!("time limit after {:.1?}", self.elapsed),
            (Ended::Cancelled, ..) => "cancelled".to_owned(),
            (_, Some(code), _) => format!("exit code {code}"),
            (_, _, Some(signal)) => format!("signal {signal}"),
            _ => "no exit code".to_owned(),
        }
    }

    fn never_started() -> Self {
        Self {
            code: None,
            signal: None,
            stdout: Vec::new(),
            stderr: Vec::new(),
            truncated: false,
            elapsed: Duration::ZERO,
            ended: Ended::Cancelled,
        }
    }
}

impl fmt::Debug for Finished {
    /// Output may hold secrets, so only its length is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finished")
            .field("ended", &self.ended)
            .field("code", &self.code)
            .field("signal", &self.signal)
            .field("stdout", &format_args!("{} bytes", self.stdout.len()))
            .field("stderr", &format_args!("{} bytes", self.stderr.len()))
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}
