use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// One pack, and its index (gitformat-pack(5), version 2).
#[derive(Debug)]
pub(super) struct Pack {
    objects: File,
    index: File,
    /// How many names begin with a byte that is not greater.
    fanout: Vec<u32>,
    count: usize,
    lookups: AtomicUsize,
    /// The index as a whole, once that pays.
    whole: OnceLock<Option<Vec<u8>>>,
}

const FANOUT: usize = 8;
const NAMES: usize = FANOUT + 256 * 4;

/// To read an index as a whole takes as long as some hundred looks into it.
const WORTH_READING: usize = 256;

/// So many names are read at first around the place where one would stand if they were spread evenly.
const AROUND: usize = 96;

impl Pack {
    /// Opens a pack by its index. `None` where that is another version, or cut short.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let index = File::open(path).ok()?;
        let mut head = [0; NAMES];
        index.read_exact_at(&mut head, 0).ok()?;
        if head[..FANOUT] != *b"\xfftOc\0\0\0\x02" {
            return None;
        }
        let fanout: Vec<u32> =
            head[FANOUT..].as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word)).collect();
        let count = *fanout.last()? as usize;
        // Names, checksums and offsets, and the two checksums at the end.
        let whole = index.metadata().ok()?.len() >= (NAMES + count.checked_mul(28)? + 40) as u64;
        if !whole || !fanout.is_sorted() {
            return None;
        }
        let objects = File::open(path.with_extension("pack")).ok()?;
        Some(Self { objects, index, fanout, count, lookups: AtomicUsize::new(0), whole: OnceLock::new() })
    }

    /// The file of the objects.
    pub(super) fn objects(&self) -> &File {
        &self.objects
    }

    /// Where an object begins.
    pub(super) fn find(&self, id: &[u8; 20]) -> Option<u64> {
        let first = usize::from(id[0]);
        let low = first.checked_sub(1).map_or(0, |before| self.fanout[before]) as usize;
        let high = self.fanout[first] as usize;
        if low == high {
            return None;
        }
        let index = || {
            let mut index = vec![0; NAMES + self.count * 28];
            self.index.read_exact_at(&mut index, 0).ok()?;
            Some(index)
        };
        let seldom = self.lookups.fetch_add(1, Ordering::Relaxed) < WORTH_READING;
        let at = match self.whole.get() {
            None if seldom => self.near(id, low, high)?,
            _ => {
                let names =
                    self.whole.get_or_init(index).as_ref()?.get(NAMES + low * 20..NAMES + high * 20)?;
                low + place(names, id).ok()?
            }
        };
        self.offset(at)
    }

    /// The place of a name among all, by reading some of them.
    fn near(&self, id: &[u8; 20], low: usize, high: usize) -> Option<usize> {
        let part = u64::from(u32::from_be_bytes([id[1], id[2], id[3], id[4]]));
        let guess = low + usize::try_from(((high - low) as u64 * part) >> 32).ok()?;
        let (from, to) = (guess.saturating_sub(AROUND).max(low), (guess + AROUND).min(high));
        let names = self.names(from, to)?;
        match place(&names, id) {
            Ok(at) => Some(from + at),
            // It would stand before or behind what was read.
            Err(0) if from > low => Some(low + place(&self.names(low, from)?, id).ok()?),
            Err(at) if at == to - from && to < high => Some(to + place(&self.names(to, high)?, id).ok()?),
            Err(_) => None,
        }
    }

    fn names(&self, from: usize, to: usize) -> Option<Vec<u8>> {
        let mut names = vec![0; (to - from) * 20];
        self.index.read_exact_at(&mut names, (NAMES + from * 20) as u64).ok()?;
        Some(names)
    }

    fn offset(&self, at: usize) -> Option<u64> {
        let offset = self.word(NAMES + self.count * 24 + at * 4)?;
        if offset & 0x8000_0000 == 0 {
            return Some(u64::from(offset));
        }
        let large = NAMES + self.count * 28 + (offset & 0x7fff_ffff) as usize * 8;
        Some(u64::from(self.word(large)?) << 32 | u64::from(self.word(large + 4)?))
    }

    fn word(&self, at: usize) -> Option<u32> {
        if let Some(Some(index)) = self.whole.get()
            && let Some(word) = index.get(at..at + 4)
        {
            return Some(u32::from_be_bytes(word.try_into().ok()?));
        }
        let mut word = [0; 4];
        self.index.read_exact_at(&mut word, at as u64).ok()?;
        Some(u32::from_be_bytes(word))
    }
}

/// The place of a name among sorted ones, or where it would stand.
fn place(names: &[u8], id: &[u8; 20]) -> Result<usize, usize> {
    names.as_chunks::<20>().0.binary_search(id)
}
