use std::{io, path::PathBuf};

/// What can go wrong with another program, short of the program's own failure: an exit code is no error
/// here, it stands in [`Finished`](super::Finished).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program is not there.
    #[error(
        "cannot start {program}: it is not on the PATH ({searched})\n  help: install {program}, or put its folder on the PATH"
    )]
    NotFound {
        /// The program asked for.
        program: String,
        /// The PATH that was searched.
        searched: String,
    },
    /// The program is there and could not be started.
    #[error("cannot start {program} in {folder}: {source}", folder = .folder.display())]
    Start {
        /// The program.
        program: String,
        /// The folder it was to run in.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The start could not be recorded, so the program was ended before its first instruction.
    #[error(
        "cannot start {program}: its start could not be recorded: {source}\n  help: nothing was run; make the ledger writable and try again"
    )]
    NotRecorded {
        /// The program.
        program: String,
        /// Why it could not be recorded.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The system would not tell how the program ended.
    #[error("cannot learn how {program} ended: {source}")]
    Wait {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A recorded group could not be signalled.
    #[error(
        "cannot end process group {pid}: {source}\n  help: it belongs to another user; run as that user, or end it by hand"
    )]
    Signal {
        /// The group.
        pid: u32,
        /// What the system said.
        source: io::Error,
    },
}
