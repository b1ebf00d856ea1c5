//! The nature of a change to a graph of steps; journal and resume.
//!
//! [`StepGraph::of`] says, as data, which steps follow from a change. A [`Runner`] walks such a graph with
//! a [`Step`] for each stage; another engine may walk it instead. Whoever prefers plain code walks a
//! [`Run`] by hand: each step is a name, the digest of its facts and a future, and the journal sees to it
//! that a second process goes on where the first one died.

mod error;
mod graph;
mod run;
mod runner;
mod step;

pub use error::PipelineError;
pub use graph::{Effect, Phase, StepGraph, StepSpec};
pub use run::{Run, StepRecord, StepResult};
pub use runner::{Runner, WalkReport, WalkedStep};
pub use step::{Step, StepContext, Verdict};
