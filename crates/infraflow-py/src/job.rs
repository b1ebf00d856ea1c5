//! Calls of the core, detached from the interpreter. The core makes no runtime and no threads, so the
//! extension has one runtime for the process, started by the first call.
//!
//! A call is written once, as a [`Job`], and has two faces: [`Job::wait`] blocks, and notices Ctrl-C within
//! [`GLANCE`]; [`Job::awaitable`] is a coroutine of the caller's loop. What computes knows no cancelling, and Python
//! handles signals in its main thread alone: so a blocking call leaves the work to a thread of the runtime. To wake one
//! takes as long as a thirtieth of an answer that is kept ready, and on a busy machine longer than the answer: so what
//! reads a repository is tried where it is asked for first, for as long as nobody notices ([`Job::asking`]). Either way
//! a cancelled job is told
//! through its token and then *awaited*: what it must clean up is cleaned up before the call returns. That is
//! why the bridge to asyncio is our own. `pyo3-async-runtimes` drops the Rust future when the Python one is
//! cancelled, and a dropped future cleans up nothing.

use std::{
    pin::Pin,
    process,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        mpsc::{RecvTimeoutError, sync_channel},
    },
    time::Duration,
};

use infraflow_core::git::Patience;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::error::{Failure, Result};

/// How long a blocking call sleeps, or tries, between two looks at the signals.
const GLANCE: Duration = Duration::from_millis(20);

struct Engine {
    runtime: Runtime,
    process: u32,
    /// The calls that have something to clean up.
    jobs: TaskTracker,
    every_token: CancellationToken,
}

static ENGINE: OnceLock<Engine> = OnceLock::new();

impl Engine {
    fn compute(&self, work: impl FnOnce() + Send + 'static, cleans_up: bool) {
        if cleans_up {
            self.jobs.spawn_blocking_on(work, self.runtime.handle());
        } else {
            self.runtime.spawn_blocking(work);
        }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static, cleans_up: bool) {
        if cleans_up {
            self.jobs.spawn_on(work, self.runtime.handle());
        } else {
            self.runtime.spawn(work);
        }
    }
}

/// The process' runtime. A child made by `fork` has none of its threads, and could only wait for ever.
fn engine() -> Result<&'static Engine> {
    if ENGINE.get().is_none() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("infraflow")
            .enable_all()
            .build()
            .map_err(|error| Failure::own("runtime", format!("cannot start infraflow's threads: {error}")))?;
        // Where two threads come first at once, one of the two runtimes is dropped again.
        let _ = ENGINE.set(Engine {
            runtime,
            process: process::id(),
            jobs: TaskTracker::new(),
            every_token: CancellationToken::new(),
        });
    }
    match ENGINE.get() {
        Some(engine) if engine.process == process::id() => Ok(engine),
        _ => Err(Failure::own(
            "forked",
            "cannot use infraflow here: this process was forked from one that already used it, and has none \
             of its threads\n  help: start workers with the method \"spawn\" or \"forkserver\", or call \
             infraflow first in the child",
        )),
    }
}

/// What a call gives back, on its way into an object of Python.
pub(crate) type Convert<T> = fn(Python<'_>, T) -> PyResult<Py<PyAny>>;

/// What a call does.
enum Work<T> {
    Computes(Box<dyn FnOnce() -> Result<T> + Send>),
    Waits(Box<dyn FnOnce(CancellationToken) -> Waiting<T> + Send>),
}

type Waiting<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

impl<T: Send + 'static> Work<T> {
    /// What does it, for a task of the runtime.
    fn begin(self, token: CancellationToken) -> Waiting<T> {
        match self {
            Self::Waits(work) => work(token),
            Self::Computes(work) => Box::pin(async {
                let done = tokio::task::spawn_blocking(work).await;
                done.unwrap_or_else(|error| Err(Failure::own("panicked", format!("cannot go on: {error}"))))
            }),
        }
    }
}

/// What a call does while there is patience.
type Hurried<T> = Arc<dyn Fn(Option<&Patience>) -> Result<T> + Send + Sync>;

/// One call of the core, not yet begun.
pub(crate) struct Job<T> {
    work: Work<T>,
    convert: Convert<T>,
    /// The same with little patience.
    hurried: Option<Hurried<T>>,
    /// Whether a cancelled call has something to clean up, and is waited for.
    cleans_up: bool,
}

impl<T: Send + 'static> Job<T> {
    /// A call that computes: it runs on a thread of the runtime, and a cancelled caller leaves it to its end,
    /// which nobody sees.
    pub(crate) fn computing(work: impl FnOnce() -> Result<T> + Send + 'static, convert: Convert<T>) -> Self {
        Self { cleans_up: false, ..Self::writing(work, convert) }
    }

    /// A call that computes and writes: a cancelled caller waits until it is whole.
    pub(crate) fn writing(work: impl FnOnce() -> Result<T> + Send + 'static, convert: Convert<T>) -> Self {
        Self { work: Work::Computes(Box::new(work)), convert, hurried: None, cleans_up: true }
    }

    /// A call that computes what stands in a repository: with the patience that it is given, or with all.
    pub(crate) fn asking(
        work: impl Fn(Option<&Patience>) -> Result<T> + Send + Sync + 'static,
        convert: Convert<T>,
    ) -> Self {
        let hurried: Hurried<T> = Arc::new(work);
        let patient = Arc::clone(&hurried);
        Self { hurried: Some(hurried), ..Self::computing(move || patient(None), convert) }
    }

    /// A call that waits for the world: it is told when it is cancelled, and ends by itself.
    pub(crate) fn waiting<F>(
        work: impl FnOnce(CancellationToken) -> F + Send + 'static,
        convert: Convert<T>,
    ) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let work = Work::Waits(Box::new(|token| Box::pin(work(token))));
        Self { work, convert, hurried: None, cleans_up: true }
    }

    /// Runs it, and blocks. Ctrl-C cancels it; a second one stops waiting for its clean-up.
    pub(crate) fn wait(self, py: Python<'_>) -> Result<Py<PyAny>> {
        let engine = engine()?;
        if let Some(hurried) = &self.hurried {
            let patience = Patience::of(GLANCE);
            let done = py.detach(|| hurried(Some(&patience)));
            if !patience.ran_out() {
                patience.end();
                return Ok((self.convert)(py, done?)?);
            }
        }
        let token = engine.every_token.child_token();
        let (sender, mut receiver) = sync_channel(1);
        match self.work {
            Work::Computes(work) => engine.compute(move || drop(sender.send(work())), self.cleans_up),
            waits @ Work::Waits(_) => {
                let work = waits.begin(token.clone());
                engine.spawn(async move { drop(sender.send(work.await)) }, self.cleans_up);
            }
        }
        let mut interrupted = None;
        loop {
            let glance = &mut receiver;
            match py.detach(move || glance.recv_timeout(GLANCE)) {
                Ok(done) => {
                    return match interrupted {
                        Some(signal) => Err(Failure::Python(signal)),
                        None => Ok((self.convert)(py, done?)?),
                    };
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::own("panicked", "cannot go on: the call ended without an answer"));
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(signal) = py.check_signals() {
                        token.cancel();
                        if !self.cleans_up || interrupted.is_some() {
                            return Err(Failure::Python(signal));
                        }
                        interrupted = Some(signal);
                    }
                }
            }
        }
    }

    /// A coroutine that runs it when it is awaited, on the caller's loop.
    pub(crate) fn awaitable<'py>(self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let engine = engine()?;
        let token = engine.every_token.child_token();
        let Self { work, convert, cleans_up, .. } = self;
        let start: Start = {
            let token = token.clone();
            Box::new(move |settle: Py<PyAny>| {
                let done = async move {
                    let done = work.begin(token).await;
                    // Nobody is left to be told once the interpreter is gone.
                    Python::try_attach(|py| {
                        let arguments = match done.and_then(|value| Ok(convert(py, value)?)) {
                            Ok(value) => (value, py.None()),
                            Err(failure) => (py.None(), PyErr::from(failure).into_value(py).into_any()),
                        };
                        // A loop that was closed in the meantime takes no calls.
                        let _ = settle.call1(py, arguments);
                    });
                };
                engine.spawn(done, cleans_up);
            })
        };
        let started = Started { start: Mutex::new(Some(start)), token, cleans_up };
        Ok(py.import("infraflow._bridge")?.call_method1("finish", (started,))?)
    }
}

type Start = Box<dyn FnOnce(Py<PyAny>) + Send>;

/// The handle that the Python half of the bridge holds.
#[pyclass(frozen, module = "infraflow._infraflow", name = "_Job")]
pub(crate) struct Started {
    start: Mutex<Option<Start>>,
    token: CancellationToken,
    #[pyo3(get)]
    cleans_up: bool,
}

#[pymethods]
impl Started {
    /// Begins; `settle(value, error)` is called once, from another thread.
    fn start(&self, settle: Py<PyAny>) {
        let start = self.start.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(start) = start {
            start(settle);
        }
    }

    /// Asks the call to end.
    fn cancel(&self) {
        self.token.cancel();
    }
}

/// Ends every call that is still running, and waits for what each has to clean up. Called when the
/// interpreter exits; Ctrl-C stops the waiting.
#[pyfunction]
pub(crate) fn _shutdown(py: Python<'_>) -> PyResult<()> {
    let Some(engine) = ENGINE.get().filter(|engine| engine.process == process::id()) else {
        return Ok(());
    };
    engine.every_token.cancel();
    engine.jobs.close();
    let (sender, mut receiver) = sync_channel(1);
    engine.runtime.spawn(async move {
        engine.jobs.wait().await;
        sender.send(())
    });
    loop {
        let glance = &mut receiver;
        if py.detach(move || glance.recv_timeout(GLANCE)) != Err(RecvTimeoutError::Timeout) {
            return Ok(());
        }
        py.check_signals()?;
    }
}

/// The event loop that the caller runs on.
pub(crate) fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import("asyncio")?.call_method0("get_running_loop")
}

/// Ready-made conversions of what a call gives back.
pub(crate) fn none(py: Python<'_>, (): ()) -> PyResult<Py<PyAny>> {
    Ok(py.None())
}

/// As [`none`], for whatever becomes Python by itself.
pub(crate) fn plain<T: crate::value::ToPython>(py: Python<'_>, value: T) -> PyResult<Py<PyAny>> {
    value.to_python(py)
}
