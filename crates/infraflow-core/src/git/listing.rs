use std::cmp::Ordering;

use super::{GitError, Mode, ObjectId};

/// One directory, as git's object has it: the raw bytes and where in them each name stands. Checked once,
/// so that a hostile object cannot name `..`, repeat a name, or hide one from a search by disorder.
#[derive(Debug)]
pub(super) struct Listing {
    bytes: Vec<u8>,
    items: Vec<Place>,
}

/// Offsets into the bytes: those of a directory fit into 32 bits.
#[derive(Debug)]
struct Place {
    start: u32,
    end: u32,
    raw_mode: u32,
    mode: Mode,
}

impl Place {
    fn name<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start as usize..self.end as usize]
    }
}

/// One name of a [`Listing`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) name: &'a [u8],
    pub(super) mode: Mode,
    pub(super) raw_mode: u32,
    pub(super) id: ObjectId,
}

impl Item<'_> {
    fn is_directory(&self) -> bool {
        self.mode == Mode::Directory
    }

    /// Git's order: by bytes, a directory as though `/` followed its name.
    pub(super) fn order(&self, other: &Item<'_>) -> Ordering {
        order(self.name, self.is_directory(), other.name, other.is_directory())
    }
}

fn order(a: &[u8], a_directory: bool, b: &[u8], b_directory: bool) -> Ordering {
    let shared = a.len().min(b.len());
    let next = |name: &[u8], directory: bool| {
        name.get(shared).copied().map_or(if directory { u16::from(b'/') } else { 0 }, u16::from)
    };
    a[..shared].cmp(&b[..shared]).then_with(|| next(a, a_directory).cmp(&next(b, b_directory))).then_with(
        || {
            // Equal so far, and neither is longer, or one is a directory and the other goes on with "/",
            // which no name holds.
            a.len().cmp(&b.len())
        },
    )
}

impl Listing {
    /// Reads a tree object: `<octal mode> <name>\0<20 bytes>` again and again.
    pub(super) fn parse(id: ObjectId, bytes: Vec<u8>) -> Result<Self, GitError> {
        let bad = |why: String| GitError::CorruptTree { id, why };
        if u32::try_from(bytes.len()).is_err() {
            return Err(bad("it is larger than 4 GiB".to_owned()));
        }
        let mut listing = Self { items: Vec::with_capacity(bytes.len() / 32), bytes };
        let mut at = 0;
        while at < listing.bytes.len() {
            let (place, next) = read_place(&listing.bytes, at).map_err(bad)?;
            listing.items.push(place);
            at = next;
        }
        listing.check().map_err(bad)?;
        Ok(listing)
    }

    fn check(&self) -> Result<(), String> {
        let wrong = |place: &Place, what: &str| {
            Err(format!("{:?} {what}", String::from_utf8_lossy(place.name(&self.bytes))))
        };
        for (index, pair) in self.items.windows(2).enumerate() {
            let (previous, place) = (&pair[0], &pair[1]);
            let (before, name) = (previous.name(&self.bytes), place.name(&self.bytes));
            // Most names differ before either ends, and then it does not matter what is a directory.
            let shared = before.len().min(name.len());
            let order = match before[..shared].cmp(&name[..shared]) {
                Ordering::Equal => {
                    order(before, previous.mode == Mode::Directory, name, place.mode == Mode::Directory)
                }
                apart => apart,
            };
            if order != Ordering::Less {
                return wrong(place, "is out of order");
            }
            // A file and a directory of one name are not neighbours: a-b lies between a and a/. All between
            // begin with the name.
            let double = place.mode == Mode::Directory
                && before.starts_with(name)
                && self.items[..=index]
                    .iter()
                    .rev()
                    .map(|earlier| earlier.name(&self.bytes))
                    .take_while(|earlier| earlier.starts_with(name))
                    .any(|earlier| earlier == name);
            if double {
                return wrong(place, "stands there twice");
            }
        }
        Ok(())
    }

    /// The bytes of a directory with these items, in git's order.
    pub(super) fn encode(items: &mut [(Vec<u8>, u32, ObjectId)]) -> Vec<u8> {
        let directory = |raw_mode: u32| raw_mode & 0o170_000 == Mode::Directory.raw();
        items.sort_by(|a, b| order(&a.0, directory(a.1), &b.0, directory(b.1)));
        let mut bytes = Vec::with_capacity(items.iter().map(|item| item.0.len() + 28).sum());
        for (name, raw_mode, id) in items {
            bytes.extend_from_slice(format!("{raw_mode:o} ").as_bytes());
            bytes.extend_from_slice(name);
            bytes.push(0);
            bytes.extend_from_slice(id.as_bytes());
        }
        bytes
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Roughly what this holds of the memory.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.items.len() * size_of::<Place>()
    }

    pub(super) fn get(&self, index: usize) -> Item<'_> {
        let place = &self.items[index];
        let mut id = [0; 20];
        let end = place.end as usize;
        id.copy_from_slice(&self.bytes[end + 1..end + 21]);
        Item {
            name: place.name(&self.bytes),
            mode: place.mode,
            raw_mode: place.raw_mode,
            id: ObjectId::from_bytes(id),
        }
    }

    /// How many items of two listings are the same from two places on, found by their bytes: directories
    /// that differ in one name are the same before and behind it.
    pub(super) fn same(&self, at: usize, other: &Self, other_at: usize) -> usize {
        let from = |listing: &Self, at: usize| match at.checked_sub(1) {
            Some(before) => listing.items[before].end as usize + 21,
            None => 0,
        };
        let start = from(self, at);
        let shared = shared_prefix(&self.bytes[start..], &other.bytes[from(other, other_at)..]);
        self.items[at..].partition_point(|place| place.end as usize + 21 <= start + shared)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        (0..self.len()).map(|index| self.get(index))
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<Item<'_>> {
        let search = |directory: bool| {
            self.items
                .binary_search_by(|place| {
                    order(place.name(&self.bytes), place.mode == Mode::Directory, name, directory)
                })
                .ok()
                .map(|index| self.get(index))
        };
        search(false).or_else(|| search(true))
    }
}

fn shared_prefix(one: &[u8], other: &[u8]) -> usize {
    const BLOCK: usize = 256;
    let blocks = one
        .chunks_exact(BLOCK)
        .zip(other.chunks_exact(BLOCK))
        .take_while(|(one, other)| one == other)
        .count();
    let rest = one[blocks * BLOCK..].iter().zip(&other[blocks * BLOCK..]);
    blocks * BLOCK + rest.take_while(|(one, other)| one == other).count()
}

fn read_place(bytes: &[u8], at: usize) -> Result<(Place, usize), String> {
    let rest = &bytes[at..];
    // Modes have five or six digits.
    let space = rest.iter().take(8).position(|&byte| byte == b' ').ok_or("a mode has no end")?;
    let (raw_mode, mode) = read_mode(&rest[..space])?;
    let start = at + space + 1;
    let end = start + memchr::memchr(0, &bytes[start..]).ok_or("it is cut short")?;
    let name = &bytes[start..end];
    if name.is_empty() || name == b"." || name == b".." || memchr::memchr(b'/', name).is_some() {
        return Err(format!("it holds the name {:?}", String::from_utf8_lossy(name)));
    }
    if bytes.len() < end + 21 {
        return Err("it is cut short".to_owned());
    }
    let offset = |at: usize| u32::try_from(at).map_err(|error| error.to_string());
    Ok((Place { start: offset(start)?, end: offset(end)?, raw_mode, mode }, end + 21))
}

fn read_mode(digits: &[u8]) -> Result<(u32, Mode), String> {
    let known = match digits {
        b"100644" => Some((0o100_644, Mode::File)),
        b"40000" => Some((0o040_000, Mode::Directory)),
        b"100755" => Some((0o100_755, Mode::Executable)),
        _ => None,
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let shown = String::from_utf8_lossy(digits);
    let raw = u32::from_str_radix(&shown, 8).map_err(|error| format!("a mode is {shown:?}: {error}"))?;
    let mode = Mode::from_raw(raw).ok_or_else(|| format!("it has the unknown mode {shown}"))?;
    Ok((raw, mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ObjectId {
        ObjectId::from_bytes([7; 20])
    }

    fn bytes_of(items: &[(&str, u32)]) -> Vec<u8> {
        items.iter().fold(Vec::new(), |mut bytes, (name, mode)| {
            bytes.extend_from_slice(format!("{mode:o} {name}\0").as_bytes());
            bytes.extend_from_slice(id().as_bytes());
            bytes
        })
    }

    #[test]
    fn names_are_found_in_gits_order() {
        let mut items: Vec<_> = [("a", 0o040_000), ("a-b", 0o100_644), ("a.c", 0o120_000), ("ab", 0o160_000)]
            .iter()
            .map(|(name, mode)| (name.as_bytes().to_vec(), *mode, id()))
            .collect();
        items.reverse();
        let listing = Listing::parse(id(), Listing::encode(&mut items)).unwrap();
        let names: Vec<_> = listing.iter().map(|item| item.name.to_vec()).collect();
        assert_eq!(names, [&b"a-b"[..], b"a.c", b"a", b"ab"]);
        for name in ["a", "a-b", "a.c", "ab"] {
            assert_eq!(listing.find(name.as_bytes()).unwrap().name, name.as_bytes());
        }
        assert!(listing.find(b"b").is_none());
    }

    #[test]
    fn a_directory_that_git_would_not_write_is_refused() {
        let file = 0o100_644;
        for bad in [
            &[("..", file)][..],
            &[(".", file)],
            &[("", file)],
            &[("a/b", file)],
            &[("b", file), ("a", file)],
            &[("a", file), ("a", file)],
            &[("a", file), ("a-b", file), ("a", 0o040_000)],
            &[("a", 0o070_000)],
        ] {
            assert!(
                matches!(Listing::parse(id(), bytes_of(bad)), Err(GitError::CorruptTree { .. })),
                "{bad:?}"
            );
        }
        let whole = bytes_of(&[("a", file)]);
        for cut in 1..whole.len() {
            assert!(Listing::parse(id(), whole[..cut].to_vec()).is_err(), "cut at {cut}");
        }
    }
}
