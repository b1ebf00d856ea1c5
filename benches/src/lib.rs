//! Benchmarks of infraflow-core, each a program in `src/bin` or `benches` that says what it measures, and what
//! beside it. What they share stands here: the repositories, the peers, and how a process is measured.

pub mod peers;
pub mod plain;
pub mod process;
pub mod table;
pub mod workload;

/// What a failed generator or measurement says.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
