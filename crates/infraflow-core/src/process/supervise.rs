use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::{
        fs::OpenOptionsExt,
        process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Child, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use rand_core::{OsRng, RngCore};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::{Command, Ended, Finished, OutputFiles, ProcessError, ProcessGroup, Source, group::TOKEN};

/// How long output is awaited after the program and its group are gone: only a process that left the
/// group and kept the pipe can still write.
const DRAIN: Duration = Duration::from_secs(2);

/// How often a file that a program writes to is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Holds the program until a line comes: then it becomes the program, under the same process id. No line,
/// because whoever should send it died or refused, and nothing runs. `read` takes single bytes from a pipe,
/// so what follows the line is the program's own input.
const GATE: &str = "IFS= read -r _ || exit 125; exec \"$@\"";
const GATE_WITHOUT_INPUT: &str = "IFS= read -r _ || exit 125; exec \"$@\" </dev/null";

/// What the thread that watches a program is told.
pub(super) enum Control {
    /// End it.
    Cancel,
    /// It exited, and waits to be collected.
    Exited(io::Result<()>),
    /// One of its outputs is at its end.
    Drained,
}

type Sink = Arc<dyn Fn(Source, &[u8]) + Send + Sync>;

/// Starts a program and sees it to its end. Returns only when its group is gone.
pub(super) fn supervise(
    command: &Command,
    tell: mpsc::Sender<Control>,
    told: mpsc::Receiver<Control>,
    sink: Sink,
) -> Result<Finished, ProcessError> {
    let begun = Instant::now();
    let mut running = Running::start(command)?;
    let pid = running.pid;
    let over = Arc::new(AtomicBool::new(false));
    let outputs = match running.files.take() {
        Some([stdout, stderr]) => [
            Some(read(Followed::new(stdout, &over), Source::Stdout, command, &sink, &tell)),
            Some(read(Followed::new(stderr, &over), Source::Stderr, command, &sink, &tell)),
        ],
        None => [
            running.child.stdout.take().map(|pipe| read(pipe, Source::Stdout, command, &sink, &tell)),
            running.child.stderr.take().map(|pipe| read(pipe, Source::Stderr, command, &sink, &tell)),
        ],
    };
    let mut open = outputs.iter().flatten().count();
    thread::spawn(move || {
        let _ = tell.send(Control::Exited(exited(pid)));
    });

    let mut ended = Ended::Exited;
    let mut deadline = command.time_limit.map(|limit| begun + limit);
    let exit = loop {
        let control = match deadline {
            Some(at) => told.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => told.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
        };
        match control {
            Ok(Control::Exited(exit)) => break exit,
            Ok(Control::Drained) => open -= 1,
            Ok(Control::Cancel) if ended != Ended::Exited => {}
            Err(_) if ended != Ended::Exited => {
                running.signal(Signal::KILL);
                deadline = Some(Instant::now() + Duration::from_millis(100));
            }
            why => {
                ended = if why.is_ok() { Ended::Cancelled } else { Ended::TimedOut };
                running.signal(Signal::INT);
                deadline = Some(Instant::now() + command.grace);
            }
        }
    };
    // Its first process is not collected yet, so the group's id still is its own.
    running.signal(Signal::KILL);
    let status = running.collect();
    over.store(true, Ordering::Release);
    let drained = Instant::now() + DRAIN;
    while open > 0 {
        match told.recv_timeout(drained.saturating_duration_since(Instant::now())) {
            Ok(Control::Drained) => open -= 1,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    let wait = |source| ProcessError::Wait { program: command.program(), source };
    exit.map_err(wait)?;
    let status = status.map_err(wait)?;
    let [stdout, stderr] = outputs.map(|kept| {
        kept.map(|kept| std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner)))
            .unwrap_or_default()
    });
    Ok(Finished {
        code: status.code(),
        signal: status.signal(),
        truncated: stdout.cut || stderr.cut,
        stdout: stdout.finish(),
        stderr: stderr.finish(),
        elapsed: begun.elapsed(),
        ended,
    })
}

/// A started program. Dropped before it was collected, it is killed with its group.
struct Running {
    child: Child,
    pid: Pid,
    collected: bool,
    /// Where its output can be read, if it does not come through pipes.
    files: Option<[File; 2]>,
}

impl Running {
    fn start(command: &Command) -> Result<Self, ProcessError> {
        let program = command.find()?;
        let mut start = match &command.on_start {
            Some(_) => {
                let mut gate = std::process::Command::new("/bin/sh");
                let script = if command.stdin.is_some() { GATE } else { GATE_WITHOUT_INPUT };
                gate.args(["-c", script, "sh"]).arg(program);
                gate
            }
            None => std::process::Command::new(program),
        };
        start.args(&command.args).env_clear().envs(command.environment.iter()).process_group(0);
        let files = match &command.output_files {
            Some(OutputFiles { stdout, stderr }) => {
                let failed = |source| command.start_error(source);
                let (to_stdout, from_stdout) = open_output(stdout).map_err(failed)?;
                let (to_stderr, from_stderr) = open_output(stderr).map_err(failed)?;
                start.stdout(to_stdout).stderr(to_stderr);
                Some([from_stdout, from_stderr])
            }
            None => {
                start.stdout(Stdio::piped()).stderr(Stdio::piped());
                None
            }
        };
        let piped = command.stdin.is_some() || command.on_start.is_some();
        start.stdin(if piped { Stdio::piped() } else { Stdio::null() });
        if let Some(folder) = &command.folder {
            start.current_dir(folder);
        }
        let token = token();
        if command.on_start.is_some() {
            start.env(TOKEN, &token);
        }
        let child = start.spawn().map_err(|source| command.start_error(source))?;
        let pid = Pid::from_child(&child);
        let mut running = Self { child, pid, collected: false, files };
        if let Some(record) = &command.on_start {
            record(&ProcessGroup::of(running.child.id(), token))
                .map_err(|source| ProcessError::NotRecorded { program: command.program(), source })?;
        }
        running.feed(command);
        Ok(running)
    }

    /// Opens the gate and writes the input, on a thread: the program may read it late, or never.
    fn feed(&mut self, command: &Command) {
        let Some(mut pipe) = self.child.stdin.take() else { return };
        let gated = command.on_start.is_some();
        let input = command.stdin.clone();
        thread::spawn(move || {
            // A program that does not read its input closes it; that is its right.
            let opened = if gated { pipe.write_all(b"\n") } else { Ok(()) };
            let _ = opened.and_then(|()| pipe.write_all(input.as_deref().unwrap_or_default()));
        });
    }

    fn signal(&self, signal: Signal) {
        // The group is gone, or all of it is a zombie: nothing is left to signal.
        let _ = rustix::process::kill_process_group(self.pid, signal);
    }

    fn collect(&mut self) -> io::Result<std::process::ExitStatus> {
        let status = self.child.wait();
        self.collected = true;
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.collected {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Waits until a process has exited, without collecting it: until that is done, its id is not reused.
fn exited(pid: Pid) -> io::Result<()> {
    loop {
        match rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
            Ok(_) => return Ok(()),
        }
    }
}

fn read(
    mut pipe: impl Read + Send + 'static,
    source: Source,
    command: &Command,
    sink: &Sink,
    tell: &mpsc::Sender<Control>,
) -> Arc<Mutex<Tail>> {
    let kept = Arc::new(Mutex::new(Tail { limit: command.capture_limit, ..Tail::default() }));
    let (keep, sink, tell) = (kept.clone(), sink.clone(), tell.clone());
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    keep.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..length]);
                    sink(source, &buffer[..length]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        // Everything has reached the sink when this is told.
        drop(sink);
        let _ = tell.send(Control::Drained);
    });
    kept
}

/// A file to write to, and the same file to read what is written from now on.
fn open_output(path: &Path) -> io::Result<(File, File)> {
    let to = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let mut from = File::open(path)?;
    from.seek(SeekFrom::End(0))?;
    Ok((to, from))
}

/// A file that grows: its end is the end only when nobody is left to write to it.
struct Followed {
    file: File,
    over: Arc<AtomicBool>,
}

impl Followed {
    fn new(file: File, over: &Arc<AtomicBool>) -> Self {
        Self { file, over: over.clone() }
    }
}

impl Read for Followed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // Asked first: what was written before it was over is then read below.
            let over = self.over.load(Ordering::Acquire);
            let length = self.file.read(buffer)?;
            if length > 0 || over || buffer.is_empty() {
                return Ok(length);
            }
            thread::sleep(POLL);
        }
    }
}

/// The last bytes of a stream.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    limit: usize,
    cut: bool,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.cut |= self.bytes.len() > self.limit;
        // Cutting at twice the limit moves each byte once on average.
        if self.bytes.len() > self.limit.saturating_mul(2) {
            self.bytes.drain(..self.bytes.len() - self.limit);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.drain(..self.bytes.len().saturating_sub(self.limit));
        self.bytes
    }
}

fn token() -> String {
    let mut bytes = [0; 8];
    OsRng.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
