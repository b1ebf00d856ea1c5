use std::io::{Read, Write};

use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};

use super::{Opened, SealError, Sealed, Sealer, SealingKey, error::Result, header::Header, stream::Stream};

/// Seals with one shared key, and opens with that key and others: the default [`Sealer`].
///
/// Its chunks are sealed and opened in parallel, in rayon's pool of the calling thread (the global one
/// where there is none).
#[derive(Clone, Debug)]
pub struct SharedKeySealer {
    seals: SealingKey,
    opens: Vec<SealingKey>,
}

impl SharedKeySealer {
    /// Seals and opens with `key`.
    pub fn new(key: SealingKey) -> Self {
        Self { seals: key, opens: Vec::new() }
    }

    /// Opens what was sealed with `key` as well: an older key of the environment, say.
    #[must_use]
    pub fn also_opens(mut self, key: SealingKey) -> Self {
        self.opens.push(key);
        self
    }

    fn keys(&self) -> impl Iterator<Item = &SealingKey> {
        std::iter::once(&self.seals).chain(&self.opens)
    }
}

fn stream(key: &SealingKey, header: Header) -> Stream {
    Stream::new(XChaCha20Poly1305::new(key.payload_key(&header.salt)[..].into()), header)
}

impl Sealer for SharedKeySealer {
    fn seal(&self, plain: &mut dyn Read, out: &mut dyn Write) -> Result<Sealed> {
        let header = Header::new(self.seals.id())?;
        let (digest, length) = stream(&self.seals, header).seal(plain, out)?;
        Ok(Sealed { key: header.key, digest, length })
    }

    fn open(&self, sealed: &mut dyn Read, out: &mut dyn Write) -> Result<Opened> {
        let header = Header::read(sealed)?;
        let key = self.keys().find(|key| key.id() == header.key).ok_or_else(|| SealError::WrongKey {
            sealed_with: header.key,
            tried: self.keys().map(|key| key.id().to_string()).collect::<Vec<_>>().join(", "),
        })?;
        let (digest, length) = stream(key, header).open(sealed, out)?;
        Ok(Opened { key: header.key, digest, length })
    }
}
