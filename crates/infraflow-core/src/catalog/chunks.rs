//! The bytes of an index: in memory where it was just made, else in a file.

use std::{fs::File, os::unix::fs::FileExt as _};

use super::image::Damage;

/// Length and checksum of what follows.
pub(super) const HEAD: usize = 8;

/// So much is read at once of what has not told its length yet: most records are shorter.
pub(super) const AT_ONCE: usize = 512;

/// Where the bytes of an image are.
pub(super) enum Bytes {
    Memory(Chunks),
    File(File),
}

/// The bytes of an image in pieces, in order; nothing that is read lies in two of them.
pub(super) struct Chunks {
    /// Where each begins, and its bytes.
    pieces: Vec<(u64, Vec<u8>)>,
    length: u64,
}

impl Chunks {
    pub(super) fn new() -> Self {
        Self { pieces: Vec::new(), length: 0 }
    }

    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        let length = bytes.len() as u64;
        self.pieces.push((self.length, bytes));
        self.length += length;
    }

    /// Puts another piece of the same length in the place of the first.
    pub(super) fn put_first(&mut self, bytes: Vec<u8>) {
        if let Some((_, first)) = self.pieces.first_mut() {
            *first = bytes;
        }
    }

    /// How many bytes they are.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The pieces.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(|(_, bytes)| bytes.as_slice())
    }

    fn read(&self, at: u64, length: usize) -> Option<&[u8]> {
        let next = self.pieces.partition_point(|(start, _)| *start <= at);
        let (start, bytes) = self.pieces.get(next.checked_sub(1)?)?;
        let from = usize::try_from(at - start).ok()?;
        bytes.get(from..from.checked_add(length)?)
    }
}

impl Bytes {
    /// How many they are.
    pub(super) fn length(&self) -> Result<u64, Damage> {
        match self {
            Self::Memory(chunks) => Ok(chunks.length()),
            Self::File(file) => match file.metadata() {
                Ok(metadata) => Ok(metadata.len()),
                Err(error) => Err(Damage(format!("cannot tell its length: {error}"))),
            },
        }
    }

    /// Fills in the bytes from a place on.
    pub(super) fn read(&self, at: u64, into: &mut [u8]) -> Result<(), Damage> {
        match self {
            Self::Memory(chunks) => {
                match chunks.read(at, into.len()) {
                    Some(bytes) => into.copy_from_slice(bytes),
                    None => return Err(Damage(format!("it ends before byte {at}"))),
                }
                Ok(())
            }
            Self::File(file) => file
                .read_exact_at(into, at)
                .map_err(|error| Damage(format!("cannot read byte {at}: {error}"))),
        }
    }

    /// Reads what stands at a place, of a file as much as there is room for; how much that is.
    pub(super) fn begin(&self, at: u64, into: &mut [u8; AT_ONCE]) -> Result<usize, Damage> {
        if let Self::File(file) = self
            && let Ok(read) = file.read_at(into, at)
            && read >= HEAD
        {
            return Ok(read);
        }
        // In memory, interrupted, or at the end.
        self.read(at, &mut into[..HEAD]).map(|()| HEAD)
    }
}
