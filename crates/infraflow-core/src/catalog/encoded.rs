//! Records on their way into an image (`image.rs`).

use rayon::prelude::*;

use super::{
    chunks::Chunks,
    image::{
        ENDS_A_PAGE, KEYS_A_FENCE, LENDS, MAGIC, Meta, OFFSETS_A_PAGE, PAGE, RECORDS, Stamp, VERSION, as_u32,
        hash,
    },
    record::{Key, Record},
    stored,
};

/// Records, each encoded as soon as it is made.
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
        let own = (hash(RECORDS, record.key.at.as_bytes()), number, u32::MAX);
        self.ends.extend(edges.chain(lends).chain([own]));
    }
}

/// Writes records into an image. Of several with one key the last one counts.
pub(super) fn image(stamp: Stamp, parts: Vec<Encoded>, meta: &Meta) -> Chunks {
    let places = parts.iter().enumerate().flat_map(|(part, encoded)| {
        encoded.records.iter().enumerate().map(move |(at, (key, _))| (key, part, at))
    });
    let mut places: Vec<(&Key, usize, usize)> = places.collect();
    // Mostly in order already. What was made later stands behind what it takes the place of.
    places.sort();
    let is_last = |at: usize| places.get(at + 1).is_none_or(|next| next.0 != places[at].0);
    let last_places: Vec<usize> = (0..places.len()).filter(|&at| is_last(at)).collect();
    let last: Vec<(usize, usize)> = last_places.iter().map(|&at| (places[at].1, places[at].2)).collect();
    let mut numbers: Vec<Vec<u32>> =
        parts.iter().map(|encoded| vec![u32::MAX; encoded.records.len()]).collect();
    last.iter().enumerate().for_each(|(number, &(part, at))| numbers[part][at] = as_u32(number));
    let mut ends: Vec<(u64, u32, u32)> = parts
        .par_iter()
        .zip(&numbers)
        .flat_map_iter(|(encoded, numbers)| {
            let renumbered = encoded.ends.iter().map(|&(hash, at, edge)| (hash, numbers[at as usize], edge));
            renumbered.filter(|&(_, number, _)| number != u32::MAX)
        })
        .collect();
    ends.par_sort_unstable();
    let mut fences = Vec::new();
    encode(&mut fences, |out| {
        for &at in last_places.iter().step_by(KEYS_A_FENCE) {
            let path = places[at].0.at.as_bytes();
            out.extend_from_slice(&as_u32(path.len()).to_le_bytes());
            out.extend_from_slice(path);
        }
    });
    let mut firsts = Vec::new();
    encode(&mut firsts, |out| {
        for (hash, ..) in ends.iter().step_by(ENDS_A_PAGE) {
            out.extend_from_slice(&hash.to_le_bytes());
        }
    });
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
    let (fences_at, firsts_at) = (out.length(), out.length() + fences.len() as u64);
    out.push(fences);
    out.push(firsts);
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
    for number in [offsets_at, ends.len() as u64, ends_at, fences_at, firsts_at, meta_at] {
        header.extend_from_slice(&number.to_le_bytes());
    }
    header.resize(PAGE - 4, 0);
    header.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
    out.put_first(header);
    out
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
