use std::io::{self, Read};

use super::{KeyId, SealError, error::Result, key::random};

const MAGIC: &[u8; 16] = b"infraflow sealed";
const VERSION: u8 = 1;
/// Magic, version, key id, salt, nonce.
pub(super) const LENGTH: usize = 16 + 1 + 8 + 32 + 19;

/// What stands before the chunks, and is authenticated with each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) key: KeyId,
    pub(super) salt: [u8; 32],
    pub(super) nonce: [u8; 19],
}

impl Header {
    pub(super) fn new(key: KeyId) -> Result<Self> {
        let mut header = Self { key, salt: [0; 32], nonce: [0; 19] };
        random(&mut header.salt)?;
        random(&mut header.nonce)?;
        Ok(header)
    }

    pub(super) fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..16].copy_from_slice(MAGIC);
        bytes[16] = VERSION;
        bytes[17..25].copy_from_slice(&self.key.0);
        bytes[25..57].copy_from_slice(&self.salt);
        bytes[57..].copy_from_slice(&self.nonce);
        bytes
    }

    pub(super) fn read(from: &mut dyn Read) -> Result<Self> {
        let mut bytes = [0; LENGTH];
        let length =
            read_up_to(from, &mut bytes).map_err(|source| SealError::Read { doing: "opened", source })?;
        if !bytes.starts_with(&MAGIC[..length.min(MAGIC.len())]) {
            return Err(SealError::NotSealed);
        }
        if length > MAGIC.len() && bytes[16] != VERSION {
            return Err(SealError::UnknownVersion { found: bytes[16] });
        }
        if length < LENGTH {
            return Err(SealError::CutShort { length: length as u64 });
        }
        let mut header = Self { key: KeyId([0; 8]), salt: [0; 32], nonce: [0; 19] };
        header.key.0.copy_from_slice(&bytes[17..25]);
        header.salt.copy_from_slice(&bytes[25..57]);
        header.nonce.copy_from_slice(&bytes[57..]);
        Ok(header)
    }
}

/// Reads until the buffer is full or the end is reached; returns how many bytes there were.
pub(super) fn read_up_to(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
