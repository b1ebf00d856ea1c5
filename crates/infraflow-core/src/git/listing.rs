use std::{cmp::Ordering, ops::Range};

use super::{GitError, Mode, ObjectId};

/// One directory, as git's object has it: the raw bytes and where in them each name stands. Checked once,
/// so that a hostile object cannot name `..`, repeat a name, or hide one from a search by disorder.
#[derive(Debug)]
pub(super) struct Listing {
    bytes: Vec<u8>,
    items: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    mode: Mode,
    raw_mode: u32,
    name: Range<usize>,
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
        let mut listing = Self { bytes, items: Vec::new() };
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
        for index in 1..self.len() {
            let (previous, item) = (self.get(index - 1), self.get(index));
            if previous.order(&item) != Ordering::Less {
                return Err(format!("{:?} is out of order", String::from_utf8_lossy(item.name)));
            }
            // A file and a directory of one name are not neighbours: a-b lies between a and a/.
            let double = item.is_directory()
                && (0..index)
                    .rev()
                    .map(|earlier| self.get(earlier).name)
                    .take_while(|name| name.starts_with(item.name))
                    .any(|name| name == item.name);
            if double {
                return Err(format!("{:?} stands there twice", String::from_utf8_lossy(item.name)));
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
        id.copy_from_slice(&self.bytes[place.name.end + 1..place.name.end + 21]);
        Item {
            name: &self.bytes[place.name.clone()],
            mode: place.mode,
            raw_mode: place.raw_mode,
            id: ObjectId::from_bytes(id),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        (0..self.len()).map(|index| self.get(index))
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<Item<'_>> {
        let search = |directory: bool| {
            self.items
                .binary_search_by(|place| {
                    order(&self.bytes[place.name.clone()], place.mode == Mode::Directory, name, directory)
                })
                .ok()
                .map(|index| self.get(index))
        };
        search(false).or_else(|| search(true))
    }
}

fn read_place(bytes: &[u8], at: usize) -> Result<(Place, usize), String> {
    let rest = &bytes[at..];
    let space = memchr::memchr(b' ', rest).ok_or("it is cut short")?;
    let digits = std::str::from_utf8(&rest[..space]).map_err(|error| error.to_string())?;
    let raw_mode =
        u32::from_str_radix(digits, 8).map_err(|error| format!("a mode is {digits:?}: {error}"))?;
    let mode = Mode::from_raw(raw_mode).ok_or_else(|| format!("it has the unknown mode {digits}"))?;
    let start = at + space + 1;
    let end = start + memchr::memchr(0, &bytes[start..]).ok_or("it is cut short")?;
    let name = &bytes[start..end];
    if name.is_empty() || name == b"." || name == b".." || memchr::memchr(b'/', name).is_some() {
        return Err(format!("it holds the name {:?}", String::from_utf8_lossy(name)));
    }
    if bytes.len() < end + 21 {
        return Err("it is cut short".to_owned());
    }
    Ok((Place { mode, raw_mode, name: start..end }, end + 21))
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
