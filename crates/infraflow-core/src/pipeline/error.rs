use crate::{
    proof::{Digest, ProofError, RunId},
    store::StoreError,
};

/// What can go wrong while a pipeline is walked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// Another process walks the run.
    #[error(
        "cannot walk the run {run}: {by} is walking it\n  help: wait for it to end; a run whose process died can be resumed at once on the same machine"
    )]
    Taken {
        /// The run.
        run: RunId,
        /// Who walks it.
        by: String,
    },
    /// The work of a step failed.
    #[error("cannot finish the step {step}: {source}")]
    Step {
        /// The step's name.
        step: String,
        /// What it met.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The journal has a step with other facts than those it would have now.
    #[error(
        "cannot resume the step {step}: it began on the facts {then}, which are now {now}\n  help: what it stood on has changed since; begin a new run, which plans again"
    )]
    Moved {
        /// The step's name.
        step: String,
        /// The facts in the journal.
        then: Digest,
        /// The facts now.
        now: Digest,
    },
    /// The journal has a result that this program does not understand.
    #[error(
        "cannot read what the journal has of the step {step}: {source}\n  help: resume with the program that began the run, or begin a new one"
    )]
    Journal {
        /// The step's name.
        step: String,
        /// The reader's message.
        #[source]
        source: serde_json::Error,
    },
    /// The journal or the run's lock could not be reached, or another process holds the run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A graph of steps does not hold together.
    #[error(
        "cannot walk this graph of steps: {why}\n  help: build it with StepGraph::of, or check the steps' `needs`"
    )]
    Graph {
        /// What is wrong with it.
        why: String,
    },
    /// Nobody carries out a stage of the graph.
    #[error(
        "cannot walk {step}: no step was given for the stage {stage}\n  help: give one with Runner::with"
    )]
    NoStep {
        /// The step's name in the graph.
        step: String,
        /// Its stage.
        stage: String,
    },
    /// A plan could not be digested or read.
    #[error(transparent)]
    Proof(#[from] ProofError),
}
