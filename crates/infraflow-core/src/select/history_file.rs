//! A history as a file of JSON lines.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write},
    path::Path,
};

use super::{History, RecordedRun, SelectError};
use crate::proof::Timestamp;

/// No record is longer.
const LONGEST_LINE: u64 = 64 << 10;

/// So many lines that cannot be read are told one by one.
const MOST_TOLD: usize = 3;

impl History {
    /// Reads a history from a file: one [`RecordedRun`] as JSON on each line. A file that is not there is an
    /// empty history. Runs that ended before `since` are left out.
    ///
    /// A line that is no record (a process died while it wrote, somebody edited) is left out, which
    /// [`History::warnings`] tells: the worst that follows is a test too many.
    ///
    /// # Errors
    /// [`SelectError::File`].
    pub fn read_file(path: &Path, since: Timestamp) -> Result<Self, SelectError> {
        let failed = |source| SelectError::File { doing: "read", path: path.to_owned(), source };
        let mut lines = match File::open(path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        let (mut runs, mut bad, mut number) = (Vec::new(), Vec::new(), 0_usize);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(failed)?;
            if length == 0 {
                break;
            }
            number += 1;
            if !line.ends_with(b"\n") && length as u64 == LONGEST_LINE {
                lines.skip_until(b'\n').map_err(failed)?;
            }
            match serde_json::from_slice::<RecordedRun>(&line) {
                Ok(run) => runs.extend(Some(run).filter(|run| run.at >= since)),
                Err(_) if line.trim_ascii().is_empty() => {}
                Err(error) => bad.push(format!("{}:{number} is no record of a run: {error}", path.display())),
            }
        }
        let mut history = Self::of(runs);
        let more = bad.len().saturating_sub(MOST_TOLD);
        history.warnings = bad.into_iter().take(MOST_TOLD).collect();
        if more > 0 {
            history.warnings.push(format!("{} has {more} more such lines", path.display()));
        }
        Ok(history)
    }

    /// Appends runs to a file, which is made where it is missing, and syncs it to disk. Several processes may
    /// append to one file of a local disk at once.
    ///
    /// # Errors
    /// [`SelectError::File`].
    pub fn append_file(path: &Path, runs: &[RecordedRun]) -> Result<(), SelectError> {
        let failed = |source| SelectError::File { doing: "append to", path: path.to_owned(), source };
        let mut text = Vec::new();
        for run in runs {
            serde_json::to_writer(&mut text, run).map_err(|error| failed(error.into()))?;
            text.push(b'\n');
        }
        let mut append = OpenOptions::new();
        let mut file = append.create(true).append(true).read(true).open(path).map_err(failed)?;
        // Whoever died while writing left half a line, which ends here.
        if file.seek(SeekFrom::End(-1)).is_ok() {
            let mut last = [0];
            file.read_exact(&mut last).map_err(failed)?;
            if last != *b"\n" {
                text.insert(0, b'\n');
            }
        }
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)
    }
}
