//! Linked records in one run of bytes, found by key and by where their edges end, and read in place: from
//! memory where they were just made, from a file where they were kept.
//!
//! ```text
//! header    4096 bytes: magic, version, key, commit, tree, counts and offsets, checksum
//! records   one after another: length, checksum, record (`stored.rs`)
//! offsets   pages of the records' offsets, in the order of their keys
//! ends      pages of (hash of kind and path, record, edge), sorted
//! meta      length, checksum, postcard
//! ```
//! A page is 4096 bytes: checksum, page number, payload. Every byte that is used is checked first, so a
//! damaged file is an error and never an answer.

use std::{
    collections::HashMap,
    fs::File,
    sync::{Arc, Mutex, PoisonError},
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    chunks::{Bytes, Chunks},
    record::{Key, Record},
    stored,
};
use crate::proof::RepoPath;

/// Raised with every change of what a record says or how it is written.
const VERSION: u32 = 9;
const MAGIC: &[u8; 16] = b"infraflow index\n";
const PAGE: usize = 4096;
const PAYLOAD: usize = PAGE - 8;
pub(super) const OFFSETS_A_PAGE: usize = PAYLOAD / 8;
pub(super) const ENDS_A_PAGE: usize = PAYLOAD / 16;
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
    meta_at: u64,
    /// Pages that were read, by where they begin: those in the middle are asked for again and again.
    pages: Mutex<HashMap<u64, Arc<[u8; PAGE]>>>,
    /// Records that were read, by number.
    read: Mutex<HashMap<u32, Arc<Record>>>,
}

/// Where an edge ends, as a number, by eight bytes in one step (a multiply-rotate hash as rustc's). It stands in files:
/// another one is another [`VERSION`].
fn hash(kind: u8, path: &[u8]) -> u64 {
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

/// Records on their way into an image, each encoded as soon as it is made.
#[derive(Default)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<(Key, std::ops::Range<usize>)>,
    /// Where their edges end: hash of kind and path, record, edge.
    pub(super) ends: Vec<(u64, u32, u32)>,
}

impl Encoded {
    /// Nothing yet, with room that has been used before.
    pub(super) fn with_room(mut room: Vec<u8>) -> Self {
        room.clear();
        Self { bytes: room, ..Self::default() }
    }

    /// Gives the room back, and takes no more than it needs.
    pub(super) fn give_back(&mut self) -> Vec<u8> {
        let fitting = self.bytes.as_slice().to_vec();
        std::mem::replace(&mut self.bytes, fitting)
    }

    pub(super) fn push(&mut self, record: &Record) {
        let number = as_u32(self.records.len());
        let start = self.bytes.len();
        encode(&mut self.bytes, |out| stored::write(record, out));
        self.records.push((record.key.clone(), start..self.bytes.len()));
        let edges = record.edges.iter().enumerate().map(|(at, edge)| {
            let (kind, path) = edge.to.place();
            (hash(kind, path.as_bytes()), number, as_u32(at))
        });
        let lends = record.lends.iter().map(|path| (hash(LENDS, path.as_bytes()), number, u32::MAX));
        self.ends.extend(edges.chain(lends));
    }
}

/// Nothing that is counted here comes near the bound: a tree has at most five million files.
fn as_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Image {
    /// Writes records into an image. Of several with one key the last one counts.
    pub(super) fn write(stamp: Stamp, parts: Vec<Encoded>, meta: &Meta) -> Chunks {
        let places = parts.iter().enumerate().flat_map(|(part, encoded)| {
            encoded.records.iter().enumerate().map(move |(at, (key, _))| (key, part, at))
        });
        let mut places: Vec<(&Key, usize, usize)> = places.collect();
        // Mostly in order already. What was made later stands behind what it takes the place of.
        places.sort();
        let is_last = |at: usize| places.get(at + 1).is_none_or(|next| next.0 != places[at].0);
        let last: Vec<(usize, usize)> =
            (0..places.len()).filter(|&at| is_last(at)).map(|at| (places[at].1, places[at].2)).collect();
        let mut numbers: Vec<Vec<u32>> =
            parts.iter().map(|encoded| vec![u32::MAX; encoded.records.len()]).collect();
        last.iter().enumerate().for_each(|(number, &(part, at))| numbers[part][at] = as_u32(number));
        let mut ends: Vec<(u64, u32, u32)> = parts
            .par_iter()
            .zip(&numbers)
            .flat_map_iter(|(encoded, numbers)| {
                let renumbered =
                    encoded.ends.iter().map(|&(hash, at, edge)| (hash, numbers[at as usize], edge));
                renumbered.filter(|&(_, number, _)| number != u32::MAX)
            })
            .collect();
        ends.par_sort_unstable();
        drop(places);
        let mut out = Chunks::new();
        out.push(vec![0; PAGE]);
        // Bytes are handed on, not copied: they are most of what a catalog holds.
        let mut starts = Vec::with_capacity(parts.len());
        for Encoded { bytes, records, .. } in parts {
            let from = out.length();
            out.push(bytes);
            starts.push(records.iter().map(|(_, range)| from + range.start as u64).collect::<Vec<_>>());
        }
        let offsets: Vec<u64> = last.iter().map(|&(part, at)| starts[part][at]).collect();
        let offsets_at = out.length();
        out.push(pages(offsets.chunks(OFFSETS_A_PAGE), |out, offset| {
            out.extend_from_slice(&offset.to_le_bytes());
        }));
        let ends_at = out.length();
        out.push(pages(ends.chunks(ENDS_A_PAGE), |out, (hash, record, edge)| {
            out.extend_from_slice(&hash.to_le_bytes());
            out.extend_from_slice(&record.to_le_bytes());
            out.extend_from_slice(&edge.to_le_bytes());
        }));
        let meta_at = out.length();
        let mut of_tree = Vec::new();
        // Writing plain data to memory cannot fail; what were cut short would be refused when it is read.
        encode(&mut of_tree, |out| {
            out.append(&mut postcard::to_allocvec(meta).unwrap_or_default());
        });
        out.push(of_tree);
        let mut header = Vec::with_capacity(PAGE);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&stamp.key);
        header.extend_from_slice(&stamp.commit);
        header.extend_from_slice(&stamp.tree);
        header.extend_from_slice(&as_u32(offsets.len()).to_le_bytes());
        for number in [offsets_at, ends.len() as u64, ends_at, meta_at, out.length()] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        header.resize(PAGE - 4, 0);
        header.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
        out.put_first(header);
        out
    }

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
        let (offsets_at, ends, ends_at, meta_at, _) = (number(), number(), number(), number(), number());
        Ok(Self {
            bytes,
            stamp,
            records,
            offsets_at,
            ends,
            ends_at,
            meta_at,
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
        let (mut low, mut high) = (0, self.ends.div_ceil(ENDS_A_PAGE as u64));
        // The last page that begins before what is looked for; hashes are spread evenly, so it is near there.
        let near = ((u128::from(wanted) * u128::from(high)) >> 64) as u64;
        for at in [near.saturating_sub(1), near + 2] {
            if low < at && at < high {
                let page = self.page(self.ends_at, usize::try_from(at).unwrap_or(usize::MAX))?;
                if end_at(&page, 0).0 < wanted { low = at } else { high = at }
            }
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let page = self.page(self.ends_at, usize::try_from(middle).unwrap_or(usize::MAX))?;
            if end_at(&page, 0).0 < wanted { low = middle } else { high = middle }
        }
        let mut found = Vec::new();
        let mut at = low * ENDS_A_PAGE as u64;
        while at < self.ends {
            let number = usize::try_from(at).unwrap_or(usize::MAX);
            let page = self.page(self.ends_at, number / ENDS_A_PAGE)?;
            let in_page = (self.ends - at).min(ENDS_A_PAGE as u64) as usize;
            for slot in 0..in_page {
                let (hash, record, edge) = end_at(&page, slot);
                match hash.cmp(&wanted) {
                    std::cmp::Ordering::Less => {}
                    std::cmp::Ordering::Equal => found.push((record, edge)),
                    std::cmp::Ordering::Greater => return Ok(found),
                }
            }
            at += in_page as u64;
        }
        Ok(found)
    }

    /// The number of the first record whose key is not before a path.
    pub(super) fn first_from(&self, path: &[u8]) -> Result<u32, Damage> {
        let (mut low, mut high) = (0, self.records);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.record(middle)?.key.at.as_bytes() < path { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// The records at a path.
    pub(super) fn at(&self, path: &RepoPath) -> Result<Vec<u32>, Damage> {
        let mut found = Vec::new();
        let mut number = self.first_from(path.as_bytes())?;
        while number < self.records && self.record(number)?.key.at == *path {
            found.push(number);
            number += 1;
        }
        Ok(found)
    }

    pub(super) fn page(&self, section: u64, number: usize) -> Result<Arc<[u8; PAGE]>, Damage> {
        let at = section + (number as u64) * PAGE as u64;
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
        let mut head = [0; 8];
        self.bytes.read(at, &mut head)?;
        let length = u32::from_le_bytes(array(&head[..4]));
        if length > LONGEST_RECORD {
            return damage(format!("the record at byte {at} has no possible length"));
        }
        let mut body = vec![0; length as usize];
        self.bytes.read(at + 8, &mut body)?;
        if head[4..] != crc32fast::hash(&body).to_le_bytes() {
            return damage(format!("the checksum of the record at byte {at} is wrong"));
        }
        Ok(body)
    }
}

/// Length, checksum, and what is written.
pub(super) fn encode(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let head = out.len();
    out.resize(head + 8, 0);
    write(out);
    let body = &out[(head + 8).min(out.len())..];
    let (length, checksum) = (as_u32(body.len()), crc32fast::hash(body));
    out[head..head + 4].copy_from_slice(&length.to_le_bytes());
    out[head + 4..head + 8].copy_from_slice(&checksum.to_le_bytes());
}

fn pages<'a, T: 'a>(
    chunks: impl ExactSizeIterator<Item = &'a [T]>,
    write: impl Fn(&mut Vec<u8>, &T),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(chunks.len() * PAGE);
    for (number, chunk) in chunks.enumerate() {
        let page = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        chunk.iter().for_each(|item| write(&mut out, item));
        out.resize(page + PAGE, 0);
        let checksum = crc32fast::hash(&out[page + 4..]);
        out[page..page + 4].copy_from_slice(&checksum.to_le_bytes());
    }
    out
}

pub(super) fn end_at(page: &[u8; PAGE], slot: usize) -> (u64, u32, u32) {
    let slot = &page[8 + slot * 16..8 + slot * 16 + 16];
    (
        u64::from_le_bytes(array(&slot[..8])),
        u32::from_le_bytes(array(&slot[8..12])),
        u32::from_le_bytes(array(&slot[12..])),
    )
}

/// The first bytes of a slice that is long enough.
pub(super) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[..N]);
    array
}
