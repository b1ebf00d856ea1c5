//! Linked records in one run of bytes, found by key and by where their edges end, and read in place: from
//! memory where they were just made, from a file where they were kept.
//!
//! ```text
//! header    4096 bytes: magic, version, key, commit, tree, counts and offsets, checksum
//! records   one after another: length, checksum, record (`stored.rs`)
//! offsets   pages of the records' offsets, in the order of their keys
//! ends      pages of (hash of kind and path, record, edge), sorted; the path of each record's key is one of them
//! fences    length, checksum, the path of every 64th key
//! firsts    length, checksum, the first hash of each page of ends
//! meta      length, checksum, postcard
//! ```
//! A page is 4096 bytes: checksum, page number, payload. Every byte that is used is checked first, so a
//! damaged file is an error and never an answer.

use std::{
    collections::HashMap,
    fs::File,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{
    chunks::{AT_ONCE, Bytes, Chunks, HEAD},
    record::Record,
    stored,
};
use crate::proof::RepoPath;

/// Raised with every change of what a record says or how it is written.
pub(super) const VERSION: u32 = 10;
pub(super) const MAGIC: &[u8; 16] = b"infraflow index\n";
pub(super) const PAGE: usize = 4096;
const PAYLOAD: usize = PAGE - 8;
pub(super) const OFFSETS_A_PAGE: usize = PAYLOAD / 8;
pub(super) const ENDS_A_PAGE: usize = PAYLOAD / 16;
/// Of so many records one has its key among the fences, by which the place of any key is found.
pub(super) const KEYS_A_FENCE: usize = 64;
/// So many pages are kept once they are read: four megabytes.
const MOST_PAGES: usize = 1024;
/// No record is larger; a length beyond it is damage.
const LONGEST_RECORD: u32 = 1 << 28;

/// What is known of the whole tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meta {
    /// Symbolic links and where they point to, sorted.
    pub(super) links: Vec<(RepoPath, Vec<u8>)>,
    /// Submodules, sorted.
    pub(super) submodules: Vec<RepoPath>,
    /// Version files of tools, sorted, with the place of their dialect.
    pub(super) versions: Vec<(RepoPath, u8)>,
}

/// Which tree is indexed, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The digest of everything besides the tree that the records depend on.
    pub(super) key: [u8; 32],
    /// The commit whose tree it is.
    pub(super) commit: [u8; 20],
    /// The tree.
    pub(super) tree: [u8; 20],
}

/// Why an image cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage(pub(super) String);

fn damage<T>(what: impl Into<String>) -> Result<T, Damage> {
    Err(Damage(what.into()))
}

pub(super) struct Image {
    bytes: Bytes,
    pub(super) stamp: Stamp,
    records: u32,
    pub(super) offsets_at: u64,
    pub(super) ends: u64,
    pub(super) ends_at: u64,
    fences_at: u64,
    firsts_at: u64,
    meta_at: u64,
    fences: OnceLock<Vec<Box<[u8]>>>,
    firsts: OnceLock<Vec<u64>>,
    /// Pages that were read, by where they begin: those in the middle are asked for again and again.
    pages: Mutex<HashMap<u64, Arc<[u8; PAGE]>>>,
    /// Records that were read, by number.
    read: Mutex<HashMap<u32, Arc<Record>>>,
}

/// Where an edge ends, as a number, by eight bytes in one step (a multiply-rotate hash as rustc's). It stands in files:
/// another one is another [`VERSION`].
pub(super) fn hash(kind: u8, path: &[u8]) -> u64 {
    const BY: u64 = 0x517c_c1b7_2722_0a95;
    let add = |hash: u64, number: u64| (hash.rotate_left(5) ^ number).wrapping_mul(BY);
    let (eights, rest) = path.as_chunks::<8>();
    let mut hash = add(u64::from(kind), path.len() as u64);
    for eight in eights {
        hash = add(hash, u64::from_le_bytes(*eight));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    hash = add(hash, u64::from_le_bytes(last));
    // The upper bits are the better ones.
    hash ^ (hash >> 32)
}

/// The letter under which a scope is found that others lend files to.
pub(super) const LENDS: u8 = b'l';

/// The letter under which the records at a path are found.
pub(super) const RECORDS: u8 = b'@';

impl Image {
    /// An image in memory.
    pub(super) fn in_memory(chunks: Chunks) -> Result<Self, Damage> {
        Self::of(Bytes::Memory(chunks))
    }

    /// Its bytes, where they are in memory.
    pub(super) fn chunks(&self) -> Option<&Chunks> {
        match &self.bytes {
            Bytes::Memory(chunks) => Some(chunks),
            Bytes::File(_) => None,
        }
    }

    /// An image in a file.
    pub(super) fn in_file(file: File) -> Result<Self, Damage> {
        Self::of(Bytes::File(file))
    }

    fn of(bytes: Bytes) -> Result<Self, Damage> {
        let mut header = vec![0; PAGE];
        bytes.read(0, &mut header)?;
        let (body, checksum) = header.split_at(PAGE - 4);
        if body[..16] != MAGIC[..] {
            return damage("it is no index");
        }
        let mut at = 16;
        let mut take = |length: usize| {
            at += length;
            &body[at - length..at]
        };
        if take(4) != VERSION.to_le_bytes() {
            return damage("it was written by another version");
        }
        if checksum != crc32fast::hash(body).to_le_bytes() {
            return damage("the checksum of its header is wrong");
        }
        let stamp = Stamp { key: array(take(32)), commit: array(take(20)), tree: array(take(20)) };
        let records = u32::from_le_bytes(array(take(4)));
        let mut number = || u64::from_le_bytes(array(take(8)));
        let (offsets_at, ends, ends_at) = (number(), number(), number());
        let (fences_at, firsts_at, meta_at) = (number(), number(), number());
        // A checksum says nothing of who wrote it: no more is believed than the bytes have room for.
        let holds = |from: u64, to: u64, a_page: usize| to.saturating_sub(from) / PAGE as u64 * a_page as u64;
        if [offsets_at, ends_at, fences_at, firsts_at, meta_at, bytes.length()?]
            .windows(2)
            .any(|at| at[0] > at[1])
            || u64::from(records) > holds(offsets_at, ends_at, OFFSETS_A_PAGE)
            || ends > holds(ends_at, fences_at, ENDS_A_PAGE)
        {
            return damage("its header tells of more than there is");
        }
        Ok(Self {
            bytes,
            stamp,
            records,
            offsets_at,
            ends,
            ends_at,
            fences_at,
            firsts_at,
            meta_at,
            fences: OnceLock::new(),
            firsts: OnceLock::new(),
            pages: Mutex::default(),
            read: Mutex::default(),
        })
    }

    /// How many records there are.
    pub(super) fn len(&self) -> u32 {
        self.records
    }

    pub(super) fn meta(&self) -> Result<Meta, Damage> {
        let meta = postcard::from_bytes(&self.body(self.meta_at)?);
        meta.map_err(|error| Damage(format!("what is said of the whole tree is damaged: {error}")))
    }

    /// The record of a number.
    pub(super) fn record(&self, number: u32) -> Result<Arc<Record>, Damage> {
        let read = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = read().get(&number) {
            return Ok(Arc::clone(record));
        }
        let index = number as usize;
        let page = self.page(self.offsets_at, index / OFFSETS_A_PAGE)?;
        let at = 8 + index % OFFSETS_A_PAGE * 8;
        let record: Arc<Record> = Arc::new(self.stored(u64::from_le_bytes(array(&page[at..at + 8])))?);
        read().insert(number, Arc::clone(&record));
        Ok(record)
    }

    /// The edges that can end at a path: records and places of edges; other paths may share the hash.
    pub(super) fn ends(&self, kind: u8, path: &RepoPath) -> Result<Vec<(u32, u32)>, Damage> {
        let wanted = hash(kind, path.as_bytes());
        let mut found = Vec::new();
        // The last page that begins before what is looked for.
        let first = self.firsts()?.partition_point(|first| *first < wanted).saturating_sub(1);
        for number in first..self.firsts()?.len() {
            let page = self.page(self.ends_at, number)?;
            let before = (number * ENDS_A_PAGE) as u64;
            let in_page = self.ends.saturating_sub(before).min(ENDS_A_PAGE as u64) as usize;
            let (mut low, mut high) = (0, in_page);
            while low < high {
                let middle = low + (high - low) / 2;
                if end_at(&page, middle).0 < wanted { low = middle + 1 } else { high = middle }
            }
            for end in (low..in_page).map(|slot| end_at(&page, slot)) {
                match end {
                    (hash, record, edge) if hash == wanted => found.push((record, edge)),
                    _ => return Ok(found),
                }
            }
        }
        Ok(found)
    }

    /// The number of the first record whose key is not before a path.
    pub(super) fn first_from(&self, path: &[u8]) -> Result<u32, Damage> {
        let fence = self.fences()?.partition_point(|fence| **fence < *path);
        let low = fence.saturating_sub(1) * KEYS_A_FENCE;
        let (mut low, mut high) = (as_u32(low), as_u32(fence * KEYS_A_FENCE).min(self.records));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.record(middle)?.key.at.as_bytes() < path { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// The records at a path.
    pub(super) fn at(&self, path: &RepoPath) -> Result<Vec<u32>, Damage> {
        let mut found = Vec::new();
        for (number, _) in self.ends(RECORDS, path)? {
            if self.record(number)?.key.at == *path {
                found.push(number);
            }
        }
        Ok(found)
    }

    fn fences(&self) -> Result<&[Box<[u8]>], Damage> {
        if let Some(known) = self.fences.get() {
            return Ok(known);
        }
        let body = self.body(self.fences_at)?;
        let (mut fences, mut rest) = (Vec::new(), body.as_slice());
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let Some((path, after)) = after.split_at_checked(u32::from_le_bytes(*length) as usize) else {
                return damage("a fence is cut short");
            };
            fences.push(path.into());
            rest = after;
        }
        Ok(self.fences.get_or_init(|| fences))
    }

    fn firsts(&self) -> Result<&[u64], Damage> {
        if let Some(known) = self.firsts.get() {
            return Ok(known);
        }
        let body = self.body(self.firsts_at)?;
        let firsts = body.as_chunks::<8>().0.iter().map(|first| u64::from_le_bytes(*first)).collect();
        Ok(self.firsts.get_or_init(|| firsts))
    }

    pub(super) fn page(&self, section: u64, number: usize) -> Result<Arc<[u8; PAGE]>, Damage> {
        let at = section.saturating_add((number as u64).saturating_mul(PAGE as u64));
        let known = || self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = known().get(&at) {
            return Ok(Arc::clone(page));
        }
        let mut page = [0; PAGE];
        self.bytes.read(at, &mut page)?;
        if page[..4] != crc32fast::hash(&page[4..]).to_le_bytes()
            || page[4..8] != u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
        {
            return damage(format!("the checksum of page {number} at byte {section} is wrong"));
        }
        let page = Arc::new(page);
        let mut known = known();
        if known.len() >= MOST_PAGES {
            known.clear();
        }
        known.insert(at, Arc::clone(&page));
        Ok(page)
    }

    fn stored(&self, at: u64) -> Result<Record, Damage> {
        stored::read(&self.body(at)?).ok_or_else(|| Damage(format!("the record at byte {at} is none")))
    }

    pub(super) fn body(&self, at: u64) -> Result<Vec<u8>, Damage> {
        let mut first = [0; AT_ONCE];
        let read = self.bytes.begin(at, &mut first)?;
        let (head, first) = first[..read].split_at(HEAD);
        let length = u32::from_le_bytes(array(&head[..4]));
        if length > LONGEST_RECORD {
            return damage(format!("the record at byte {at} has no possible length"));
        }
        let mut body = vec![0; length as usize];
        let (begin, rest) = body.split_at_mut(first.len().min(length as usize));
        begin.copy_from_slice(&first[..begin.len()]);
        if !rest.is_empty() {
            self.bytes.read(at + read as u64, rest)?;
        }
        if head[4..] != crc32fast::hash(&body).to_le_bytes() {
            return damage(format!("the checksum of the record at byte {at} is wrong"));
        }
        Ok(body)
    }
}

pub(super) fn end_at(page: &[u8; PAGE], slot: usize) -> (u64, u32, u32) {
    let slot = &page[8 + slot * 16..8 + slot * 16 + 16];
    (
        u64::from_le_bytes(array(&slot[..8])),
        u32::from_le_bytes(array(&slot[8..12])),
        u32::from_le_bytes(array(&slot[12..])),
    )
}

/// Nothing that is counted here comes near the bound: a tree has at most five million files.
pub(super) fn as_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The first bytes of a slice that is long enough.
pub(super) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[..N]);
    array
}
