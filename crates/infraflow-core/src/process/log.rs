use std::sync::{Mutex, PoisonError};

/// Which of a program's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
}

/// Receives a program's output as it comes.
///
/// # Contract
/// 1. Chunks of one source come in order and, joined, are exactly what the program wrote. They are cut
///    anywhere, in the middle of a line or of a character.
/// 2. `chunk` may block: the program then waits. It does not panic.
/// 3. The bytes may hold secrets. What keeps them seals or redacts them.
pub trait LogStream: Send + Sync {
    /// Takes the next bytes of a source.
    fn chunk(&self, source: Source, bytes: &[u8]);
}

/// Keeps nothing of the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl LogStream for Discard {
    fn chunk(&self, _: Source, _: &[u8]) {}
}

/// Keeps the output of both sources, in the order in which it came.
#[derive(Default)]
pub struct Kept(Mutex<Vec<u8>>);

impl Kept {
    /// What came so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Kept {
    /// Output may hold secrets, so only its length is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let length = self.0.lock().unwrap_or_else(PoisonError::into_inner).len();
        write!(f, "Kept({length} bytes)")
    }
}

impl LogStream for Kept {
    fn chunk(&self, _: Source, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }
}
