//! The chunks of a sealed piece, a batch at a time: while rayon's threads work on one batch, the calling
//! thread writes the one before it and reads the one after it.

use std::io::{self, Read, Write};

use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce, aead::AeadInPlace as _};
use rayon::prelude::*;

use super::{
    SealError,
    error::Result,
    header::{self, Header, read_up_to},
};
use crate::proof::{Digest, Digester};

pub(super) const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
/// A chunk and its tag.
const SLOT: usize = CHUNK + TAG;
/// Chunks in a batch: 2 MiB keep every core busy, and three batches are all the memory that is needed.
pub(super) const BATCH: usize = 32;
/// The SHA-256 of the plain text, sealed behind it.
const DIGEST: usize = 32;

/// One sealed piece: its cipher, and what its nonces and associated data are made of.
pub(super) struct Stream {
    cipher: XChaCha20Poly1305,
    header: [u8; header::LENGTH],
    nonce: [u8; 19],
}

impl Stream {
    pub(super) fn new(cipher: XChaCha20Poly1305, header: Header) -> Self {
        Self { cipher, header: header.to_bytes(), nonce: header.nonce }
    }

    /// Seals all of `plain`; returns digest and length of what was written.
    pub(super) fn seal(&self, plain: &mut dyn Read, out: &mut dyn Write) -> Result<(Digest, u64)> {
        let write_failed = |source| SealError::Write { doing: "sealed", source };
        let mut source = Plain { from: plain, digester: Digester::new() };
        let mut sealed = Counted { out, digester: Digester::new(), length: 0 };
        sealed.write(&self.header).map_err(write_failed)?;
        self.batches(
            |batch| source.read(batch).map_err(|source| SealError::Read { doing: "sealed", source }),
            |batch, number, last| self.seal_chunk(batch, number, last),
            |batch| sealed.write(&batch.bytes[..batch.filled()]).map_err(write_failed),
        )?;
        sealed.out.flush().map_err(write_failed)?;
        Ok((sealed.digester.finish(), sealed.length))
    }

    /// Opens what stands behind the header; returns digest and length of what was written.
    pub(super) fn open(&self, sealed: &mut dyn Read, out: &mut dyn Write) -> Result<(Digest, u64)> {
        let write_failed = |source| SealError::Write { doing: "opened", source };
        let mut source = Sealed { from: sealed, ahead: None, length: header::LENGTH as u64 };
        let mut held = Held { out: Counted { out, digester: Digester::new(), length: 0 }, tail: Vec::new() };
        let mut chunks = 0;
        self.batches(
            |batch| source.read(batch),
            |slot, number, last| self.open_chunk(slot, number, last),
            |batch| {
                chunks += batch.lengths.len() as u64;
                batch.plain().try_for_each(|plain| held.write(plain)).map_err(write_failed)
            },
        )
        .map_err(|error| match error {
            // Only the reader knows how much there was.
            SealError::CutShort { .. } => SealError::CutShort { length: source.length },
            error => error,
        })?;
        held.out.out.flush().map_err(write_failed)?;
        let digest = held.out.digester.finish();
        let stated = <[u8; DIGEST]>::try_from(&held.tail[..]).ok().map(|bytes| Digest::from_sha256(&bytes));
        if stated.as_ref() != Some(&digest) {
            let why = "its plain text has another digest than the one sealed with it";
            return Err(SealError::Altered { chunk: chunks.saturating_sub(1), why });
        }
        Ok((digest, held.out.length))
    }

    /// Reads, works on and writes batch after batch, the three at once.
    fn batches(
        &self,
        mut read: impl FnMut(&mut Batch) -> Result<()>,
        work: impl Fn(&mut Slot<'_>, u64, bool) -> Result<()> + Sync,
        mut write: impl FnMut(&Batch) -> Result<()>,
    ) -> Result<()> {
        let (mut current, mut done, mut spare) = (Batch::new(), None::<Batch>, None::<Batch>);
        read(&mut current)?;
        let mut first = 0;
        loop {
            let (last, mut worked, mut next) = (current.last, Ok(()), None);
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| worked = current.each(first, &work));
                if let Some(done) = &done {
                    write(done)?;
                }
                if !last {
                    read(next.insert(spare.take().unwrap_or_else(Batch::new)))?;
                }
                Ok(())
            })?;
            worked?;
            let Some(next) = next else { return write(&current) };
            first += BATCH as u64;
            spare = done.replace(std::mem::replace(&mut current, next));
        }
    }

    fn seal_chunk(&self, slot: &mut Slot<'_>, number: u64, last: bool) -> Result<()> {
        let nonce = self.chunk_nonce(number, last).ok_or(SealError::TooLong)?;
        let tag = self
            .cipher
            .encrypt_in_place_detached(&nonce, &self.header, slot.text)
            .map_err(|_| SealError::TooLong)?;
        slot.tag.copy_from_slice(&tag);
        Ok(())
    }

    fn open_chunk(&self, slot: &mut Slot<'_>, number: u64, last: bool) -> Result<()> {
        // A chunk that does not verify is left as it was, so that it can be tried again.
        let mut holds = |last| {
            self.chunk_nonce(number, last).is_some_and(|nonce| {
                let tag = Tag::from_slice(slot.tag);
                self.cipher.decrypt_in_place_detached(&nonce, &self.header, slot.text, tag).is_ok()
            })
        };
        match (holds(last), last) {
            (true, _) => Ok(()),
            (false, true) if holds(false) => Err(SealError::CutShort { length: 0 }),
            (false, false) if holds(true) => Err(SealError::Altered {
                chunk: number,
                why: "it was the last one, and bytes were added behind it",
            }),
            _ => Err(SealError::Altered { chunk: number, why: "its bytes are not those that were sealed" }),
        }
    }

    /// The nonce of a chunk, as `aead::stream::StreamBE32` makes it. `None` beyond its counter.
    fn chunk_nonce(&self, number: u64, last: bool) -> Option<XNonce> {
        let counter = u32::try_from(number).ok().filter(|&counter| last || counter < u32::MAX)?;
        let mut nonce = XNonce::default();
        nonce[..19].copy_from_slice(&self.nonce);
        nonce[19..23].copy_from_slice(&counter.to_be_bytes());
        nonce[23] = u8::from(last);
        Some(nonce)
    }
}

/// A run of chunks, each in its slot: sealed or plain, in place.
struct Batch {
    bytes: Vec<u8>,
    /// The length of each chunk's text, without its tag. All but the last one are full.
    lengths: Vec<usize>,
    /// Whether its last chunk is the last of all.
    last: bool,
}

/// One chunk of a [`Batch`].
struct Slot<'a> {
    text: &'a mut [u8],
    tag: &'a mut [u8],
}

impl Batch {
    fn new() -> Self {
        // One slot more than a batch, since the digest may need one of its own.
        let bytes = vec![0; (BATCH + 1) * SLOT];
        Self { bytes, lengths: Vec::with_capacity(BATCH + 1), last: false }
    }

    /// Does the work on every chunk, in parallel. The error is that of the first chunk that has one.
    fn each(
        &mut self,
        first: u64,
        work: &(impl Fn(&mut Slot<'_>, u64, bool) -> Result<()> + Sync),
    ) -> Result<()> {
        let (count, last) = (self.lengths.len(), self.last);
        let results: Vec<Result<()>> = self
            .bytes
            .par_chunks_mut(SLOT)
            .zip(&self.lengths)
            .enumerate()
            .map(|(index, (slot, &length))| {
                let (text, rest) = slot.split_at_mut(length);
                let mut slot = Slot { text, tag: &mut rest[..TAG] };
                work(&mut slot, first + index as u64, last && index + 1 == count)
            })
            .collect();
        results.into_iter().collect()
    }

    /// How many bytes the sealed chunks take, which stand without gaps.
    fn filled(&self) -> usize {
        self.lengths.iter().map(|length| length + TAG).sum()
    }

    fn plain(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks(SLOT).zip(&self.lengths).map(|(slot, &length)| &slot[..length])
    }
}

/// What is to be sealed, and its digest behind it.
struct Plain<'a> {
    from: &'a mut dyn Read,
    digester: Digester,
}

impl Plain<'_> {
    fn read(&mut self, batch: &mut Batch) -> io::Result<()> {
        batch.lengths.clear();
        for slot in 0..BATCH {
            let space = &mut batch.bytes[slot * SLOT..][..CHUNK];
            let count = read_up_to(self.from, space)?;
            self.digester.update(&space[..count]);
            batch.lengths.push(count);
            if count < CHUNK {
                let digest = std::mem::take(&mut self.digester).finish_bytes();
                let (here, there) = digest.split_at(DIGEST.min(CHUNK - count));
                space[count..][..here.len()].copy_from_slice(here);
                batch.lengths[slot] += here.len();
                if !there.is_empty() {
                    batch.bytes[(slot + 1) * SLOT..][..there.len()].copy_from_slice(there);
                    batch.lengths.push(there.len());
                }
                batch.last = true;
                break;
            }
        }
        Ok(())
    }
}

/// What is to be opened, read one byte ahead: only so is the last chunk known.
struct Sealed<'a> {
    from: &'a mut dyn Read,
    ahead: Option<u8>,
    length: u64,
}

impl Sealed<'_> {
    fn read(&mut self, batch: &mut Batch) -> Result<()> {
        let read_failed = |source| SealError::Read { doing: "opened", source };
        let begun = usize::from(self.ahead.is_some());
        batch.bytes[0] = self.ahead.take().unwrap_or_default();
        let count = read_up_to(self.from, &mut batch.bytes[begun..BATCH * SLOT]).map_err(read_failed)?;
        let filled = begun + count;
        let mut next = [0];
        let more = filled == BATCH * SLOT && read_up_to(self.from, &mut next).map_err(read_failed)? == 1;
        self.ahead = more.then_some(next[0]);
        self.length += (count + usize::from(more)) as u64;
        batch.last = !more;
        let rest = filled % SLOT;
        // Not even room for a tag: no chunk is as short as that, since the last one is never empty.
        if filled == 0 || (rest > 0 && rest <= TAG) {
            return Err(SealError::CutShort { length: self.length });
        }
        batch.lengths.clear();
        batch.lengths.resize(filled / SLOT, CHUNK);
        if rest > 0 {
            batch.lengths.push(rest - TAG);
        }
        Ok(())
    }
}

/// A writer, and digest and length of what went through it.
struct Counted<'a> {
    out: &'a mut dyn Write,
    digester: Digester,
    length: u64,
}

impl Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.digester.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Writes all but the digest at the end, wherever the end comes.
struct Held<'a> {
    out: Counted<'a>,
    tail: Vec<u8>,
}

impl Held<'_> {
    fn write(&mut self, plain: &[u8]) -> io::Result<()> {
        let keep = plain.len().min(DIGEST);
        let (through, kept) = plain.split_at(plain.len() - keep);
        let surplus = (self.tail.len() + keep).saturating_sub(DIGEST);
        self.out.write(&self.tail[..surplus])?;
        self.tail.drain(..surplus);
        self.out.write(through)?;
        self.tail.extend_from_slice(kept);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chacha20poly1305::{
        KeyInit as _,
        aead::{
            Payload,
            stream::{DecryptorBE32, EncryptorBE32},
        },
    };

    use super::*;
    use crate::seal::{KeyId, SealingKey};

    fn key() -> SealingKey {
        SealingKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap()
    }
    fn header() -> Header {
        Header { key: key().id(), salt: [7; 32], nonce: [9; 19] }
    }
    fn cipher() -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(key().payload_key(&header().salt)[..].into())
    }
    fn seal(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let (digest, length) = Stream::new(cipher(), header()).seal(&mut &plain[..], &mut out).unwrap();
        assert_eq!((digest, length), (Digest::of_bytes(&out), out.len() as u64));
        out
    }
    /// As `aead::stream` has it: one chunk after the other, the last one apart.
    fn chunks_and_last(bytes: &[u8], size: usize) -> (Vec<&[u8]>, &[u8]) {
        let mut chunks: Vec<&[u8]> = bytes.chunks(size).collect();
        let last = chunks.pop().unwrap();
        (chunks, last)
    }
    fn lengths() -> impl Iterator<Item = usize> {
        let batch = BATCH * CHUNK;
        let edges = [CHUNK - 33, CHUNK - 32, CHUNK - 31, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK];
        let batches = [batch - 32, batch - 31, batch, batch + CHUNK];
        [0, 1, 31, 32, 33, 1000].into_iter().chain(edges).chain(batches)
    }
    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
    }

    #[test]
    fn stream_be32_of_aead_opens_what_is_sealed_in_parallel() {
        for length in lengths() {
            let plain = text(length);
            let sealed = seal(&plain);
            let (head, body) = sealed.split_at(header::LENGTH);
            let mut decryptor = DecryptorBE32::from_aead(cipher(), &header().nonce.into());
            let (chunks, last) = chunks_and_last(body, SLOT);
            let mut opened = Vec::new();
            for chunk in chunks {
                opened.extend(decryptor.decrypt_next(Payload { msg: chunk, aad: head }).unwrap());
            }
            opened.extend(decryptor.decrypt_last(Payload { msg: last, aad: head }).unwrap());
            let digest = opened.split_off(length);
            assert!(opened == plain, "{length}");
            assert_eq!(Digest::from_sha256(&digest.try_into().unwrap()), Digest::of_bytes(&plain));
        }
    }

    #[test]
    fn what_stream_be32_of_aead_seals_is_opened_in_parallel() {
        for length in lengths() {
            let plain = text(length);
            let mut inside = plain.clone();
            let mut digester = Digester::new();
            digester.update(&plain);
            inside.extend(digester.finish_bytes());
            let head = header().to_bytes();
            let mut encryptor = EncryptorBE32::from_aead(cipher(), &header().nonce.into());
            let (chunks, last) = chunks_and_last(&inside, CHUNK);
            let mut sealed = Vec::new();
            for chunk in chunks {
                sealed.extend(encryptor.encrypt_next(Payload { msg: chunk, aad: &head }).unwrap());
            }
            sealed.extend(encryptor.encrypt_last(Payload { msg: last, aad: &head }).unwrap());
            let mut out = Vec::new();
            let opened = Stream::new(cipher(), header()).open(&mut &sealed[..], &mut out).unwrap();
            assert!(out == plain, "{length}");
            assert_eq!(opened, (Digest::of_bytes(&plain), length as u64));
        }
    }

    #[test]
    fn a_chunk_beyond_the_counter_has_no_nonce() {
        let stream = Stream::new(cipher(), header());
        let most = u64::from(u32::MAX);
        assert!(stream.chunk_nonce(most - 1, false).is_some());
        assert!(stream.chunk_nonce(most, false).is_none());
        assert!(stream.chunk_nonce(most, true).is_some());
        assert!(stream.chunk_nonce(most + 1, true).is_none());
    }

    #[test]
    fn a_digest_inside_that_is_not_the_texts_is_found() {
        let head = header().to_bytes();
        let encryptor = EncryptorBE32::from_aead(cipher(), &header().nonce.into());
        let inside = [&b"abc"[..], &[0; 32]].concat();
        let sealed = encryptor.encrypt_last(Payload { msg: &inside, aad: &head }).unwrap();
        let error = Stream::new(cipher(), header()).open(&mut &sealed[..], &mut Vec::new()).unwrap_err();
        assert!(matches!(error, SealError::Altered { chunk: 0, .. }));
    }

    /// What is sealed today can be opened by every later build: this is the format, byte for byte.
    #[test]
    fn the_format_stays_as_it_is() {
        let id = KeyId::parse("b299d5119c63d700").unwrap();
        assert_eq!(key().id(), id);
        assert_eq!(
            hex(&seal(b"the whole log")),
            "696e667261666c6f77207365616c656401b299d5119c63d7000707070707070707070707070707070707070707070707070707070707070707090909090909090909090909090909090909097032742fd10e21ed9f157f5aba53ae2ec65d866b0330dea8b754868871d3d0c8c714428bce3a8c17f3b580ba7de287c16e95405d77a30aa3033da31bff"
        );
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
