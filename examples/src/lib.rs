//! What the example programs share: their options, their exit codes, and how they draw progress.
//!
//! Each program is a small pipeline to copy and change. Everything that decides or acts is in
//! `infraflow-core`; what stands here is only how a person meets it on a terminal.

/// A catalog is made of millions of small pieces, on several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod choosing;
mod console;
mod fetching;
mod found;
mod options;
mod outcome;
pub mod people;
mod planning;
mod snapshot;
mod testing;
mod who;

pub use choosing::{Records, contents};
pub use console::Console;
pub use fetching::Fetching;
pub use found::Found;
pub use options::{Changes, Output, Plans, document, read, say};
pub use outcome::{Answer, Failure, cancel_on_interrupt, main_of, main_waiting};
pub use planning::{Keeping, Trunk, credentials};
pub use snapshot::{Seen, Snapshot};
pub use testing::{Tester, Testing, answer_of, people as testing_people};
pub use who::Who;
