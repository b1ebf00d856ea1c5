//! A thread for calls that compute, which is awake for a moment after each. To wake a thread takes as long as a
//! fortieth of an answer that is kept ready, and a script asks its next question at once.

use std::{
    hint,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// How long the thread looks out for the next call before it sleeps.
const AWAKE: Duration = Duration::from_micros(200);

/// How long a caller looks out for its answer before it sleeps.
const WATCHING: Duration = Duration::from_millis(4);

/// What the caller and the thread say to each other.
const FREE: u8 = 0;
const TAKEN: u8 = 1;
const GIVEN: u8 = 2;

type Work = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Desk {
    state: AtomicU8,
    work: Mutex<Option<Work>>,
}

/// The thread; one call at a time.
pub(crate) struct Worker {
    desk: Arc<Desk>,
    thread: Thread,
}

impl Worker {
    /// Starts it.
    pub(crate) fn start() -> std::io::Result<Self> {
        let desk = Arc::<Desk>::default();
        let own = Arc::clone(&desk);
        let thread = thread::Builder::new().name("infraflow".to_owned()).spawn(move || own.serve())?;
        Ok(Self { desk, thread: thread.thread().clone() })
    }

    /// Lets the thread do something; gives it back where the thread does something else.
    pub(crate) fn take(&self, work: Work) -> Result<(), Work> {
        if self.desk.state.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return Err(work);
        }
        *self.desk.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
        self.desk.state.store(GIVEN, Ordering::Release);
        self.thread.unpark();
        Ok(())
    }
}

impl Desk {
    fn serve(&self) {
        loop {
            let awake = Instant::now() + AWAKE;
            while self.state.load(Ordering::Acquire) != GIVEN {
                if Instant::now() < awake { hint::spin_loop() } else { thread::park() }
            }
            let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
            // Whoever waits is told of a panic by the channel that it drops.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work.map(|work| work())));
            self.state.store(FREE, Ordering::Release);
        }
    }
}

/// Waits for an answer at most so long, the first moment of it awake.
pub(crate) fn watch<T>(receiver: &Receiver<T>, most: Duration) -> Result<T, RecvTimeoutError> {
    let awake = Instant::now() + WATCHING.min(most);
    while Instant::now() < awake {
        match receiver.try_recv() {
            Ok(answer) => return Ok(answer),
            Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
            // What the work gives to other threads goes before.
            Err(TryRecvError::Empty) => thread::yield_now(),
        }
    }
    receiver.recv_timeout(most)
}
