use std::{error::Error, process::ExitCode};

use infraflow_core::git::trust_stored_objects;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How a program ended, as its exit code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 0: done.
    Done,
    /// 1: the answer is no: tests failed, trunk drifted, a plan was refused.
    No,
    /// 3: done in part.
    Part,
}

/// Any error a program meets; it ends with exit code 2.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Runs the body of a program that only computes, prints what went wrong, and turns the answer into an exit code.
/// Objects of the repository are taken for what their ids say, as git takes them.
pub fn main_of(body: impl FnOnce() -> Result<Answer, Failure>) -> ExitCode {
    trust_stored_objects();
    match body() {
        Ok(Answer::Done) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Ok(Answer::Part) => ExitCode::from(3),
        Err(error) => failed(error.as_ref()),
    }
}

/// As [`main_of`], for a program that waits for the world: its body runs on a runtime.
pub fn main_waiting(body: impl Future<Output = Result<Answer, Failure>>) -> ExitCode {
    main_of(|| tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(body))
}

// The library's messages name their cause already, so a cause is printed only where it says more.
#[allow(clippy::print_stderr)]
fn failed(error: &dyn Error) -> ExitCode {
    let mut said = error.to_string();
    eprintln!("error: {said}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            eprintln!("  because: {text}");
            said = text;
        }
        cause = error.source();
    }
    ExitCode::from(2)
}

/// A token that is cancelled by the first SIGINT or SIGTERM. What is under way then ends in order; a second
/// signal ends the program at once.
///
/// # Errors
/// Where the system does not let us listen to signals.
pub fn cancel_on_interrupt() -> Result<CancellationToken, Failure> {
    let token = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let cancel = token.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if cancel.is_cancelled() {
                std::process::exit(130);
            }
            cancel.cancel();
        }
    });
    Ok(token)
}
