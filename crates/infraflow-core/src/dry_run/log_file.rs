use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Mutex, PoisonError},
};

use crate::process::{LogStream, Source};

/// A tool's output, kept in a file as it comes.
#[derive(Debug)]
pub(super) struct LogFile(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    file: File,
    /// The first write that failed: from there on the log is not whole.
    failed: Option<io::Error>,
}

impl LogFile {
    /// A new file.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = File::create_new(path)?;
        Ok(Self(Mutex::new(Kept { file, failed: None })))
    }

    /// Whether everything stands in the file.
    pub(super) fn finish(&self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failed.take().map_or(Ok(()), Err)
    }
}

impl LogStream for LogFile {
    fn chunk(&self, _: Source, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.failed.is_none() {
            kept.failed = kept.file.write_all(bytes).err();
        }
    }
}
