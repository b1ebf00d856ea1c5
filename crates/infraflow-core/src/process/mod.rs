//! Start other programs: each in a process group of its own, with an allow-list of the environment, a
//! time limit, and its output as a stream.
//!
//! A [`Command`] is run either asynchronously ([`Command::run`], cancelled by a token) or by blocking the
//! calling thread ([`Command::run_blocking`], for what is synchronous, such as a short `git` call). Both
//! are the same machine: threads of their own read the program's output and wait for its end, so that no
//! feature of an async runtime is needed and no signal handler is installed.
//!
//! - **How a program is ended**: one SIGINT to its group, as Ctrl-C in a terminal does, then a grace
//!   period, then SIGKILL to the group. Never two SIGINTs: the second makes terraform drop what it knows.
//! - **What it leaves behind** in its group when it exits is killed with it.
//! - **Dropping the future** of [`Command::run`] cancels the program: it gets its SIGINT and its grace
//!   period on a thread that outlives the future.
//! - **A recorded start**: with [`Command::on_start`] the program is held before its first instruction
//!   until its [`ProcessGroup`] has been recorded, and if the recorder dies or refuses, it never runs.
//! - **The environment is an allow-list**, [`Environment`]: what is not named is not passed on.
//!
//! Example of a recorded group, as it stands in a ledger:
//!
//! ```json
//! {"pid": 4242, "start_time": "8812345", "boot": "3ece8152-3ad1-478d-8e6f-f52ea1d5bde8",
//!  "namespace": "pid:[4026531836]", "token": "9b1c0f1f7d3b4f0a"}
//! ```

mod command;
mod environment;
mod error;
mod group;
mod log;
mod supervise;

pub use command::{Command, Ended, Finished, OnStart, OutputFiles};
pub use environment::{Environment, Preset};
pub use error::ProcessError;
pub use group::{GroupEnd, GroupState, ProcessGroup};
pub use log::{Discard, Kept, LogStream, Source};
