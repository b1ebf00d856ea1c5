//! Whether an object that is stored by itself is whole. libgit2 (1.9) never comes back from one that is cut short, as a
//! full disk or a crash leaves it.

use std::collections::HashSet;

use libdeflater::{DecompressionError, Decompressor};

use super::{CommitId, GitError, ObjectId, Repository};

/// Larger files, and larger objects, are not looked at.
const LARGEST: usize = 64 << 20;

/// Of larger objects, and of those in packs, it is remembered that they are whole.
const WORTH_KNOWING: usize = 64 << 10;

/// So many commits in files of their own are looked at before a walk through history. Git packs them when there are
/// some thousands of objects (gc.auto).
const MOST_COMMITS: usize = 1_000;

impl Repository {
    /// That an object can be unpacked, where it lies in a file of its own in this repository.
    ///
    /// # Errors
    /// [`GitError::CorruptObject`].
    pub(super) fn whole(&self, id: ObjectId) -> Result<(), GitError> {
        if self.is_known_whole(id) {
            return Ok(());
        }
        let known = match self.loose(id)? {
            Some(object) => object.len() >= WORTH_KNOWING,
            None => self.packs().hold(id),
        };
        if known {
            self.know_whole(id);
        }
        Ok(())
    }

    /// That some commits, and those in their history, can be unpacked, before libgit2 walks there. What a crash cuts
    /// short was written last: a commit in a pack, and what is behind it, is taken for whole.
    ///
    /// # Errors
    /// [`GitError::CorruptObject`].
    pub(super) fn whole_history<'c>(
        &self,
        commits: impl IntoIterator<Item = &'c CommitId>,
    ) -> Result<(), GitError> {
        let mut open: Vec<ObjectId> = commits.into_iter().map(|id| id.object()).collect();
        let mut known: HashSet<ObjectId> = open.iter().copied().collect();
        while let Some(id) = open.pop() {
            let Some(commit) = self.loose(id)? else { continue };
            let lines = commit.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty());
            for parent in lines.filter_map(|line| line.strip_prefix(b"parent ")) {
                let Some(parent) = std::str::from_utf8(parent).ok().and_then(|id| ObjectId::parse(id).ok())
                else {
                    continue;
                };
                if known.len() < MOST_COMMITS && known.insert(parent) {
                    open.push(parent);
                }
            }
        }
        Ok(())
    }

    /// The bytes of an object, header and all, where it lies in a file of its own in this repository that is not too
    /// large.
    fn loose(&self, id: ObjectId) -> Result<Option<Vec<u8>>, GitError> {
        let name = id.to_string();
        let (folder, rest) = name.split_at(2);
        let path = self.common_dir().join("objects").join(folder).join(rest);
        // Its size comes first: whatever lies there, no more is taken into memory.
        let Ok(packed) = std::fs::metadata(&path) else { return Ok(None) };
        if packed.len() > LARGEST as u64 {
            return Ok(None);
        }
        let Ok(packed) = std::fs::read(&path) else { return Ok(None) };
        unpacked(&packed).map_err(|why| GitError::CorruptObject { id, path, why: why.to_owned() })
    }
}

/// gitformat-loose(5): kind, blank, size and a zero byte, then the bytes, all of it as zlib packs it.
fn unpacked(packed: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    let mut room = vec![0; packed.len().saturating_mul(2).clamp(256, LARGEST)];
    let mut inflate = Decompressor::new();
    let length = loop {
        match inflate.zlib_decompress(packed, &mut room) {
            Ok(length) => break length,
            Err(DecompressionError::InsufficientSpace) if room.len() >= LARGEST => return Ok(None),
            Err(DecompressionError::InsufficientSpace) => room.resize((room.len() * 4).min(LARGEST), 0),
            Err(DecompressionError::BadData) => return Err("it ends too early, or is no data of zlib"),
        }
    };
    room.truncate(length);
    let object = &room;
    let header = object.iter().position(|&byte| byte == 0).ok_or("it has no header")?;
    let size = std::str::from_utf8(&object[..header]).ok().and_then(|header| header.split_once(' '));
    match size.and_then(|(_, size)| size.parse::<usize>().ok()) {
        Some(size) if size == length - header - 1 => Ok(Some(room)),
        _ => Err("it has another size than its header says"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_is_cut_short_is_told() {
        let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
        for size in [0, 1, 1_000, 300_000] {
            let mut object = format!("blob {size}\0").into_bytes();
            object.extend((0..size).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
            let mut packed = vec![0; compressor.zlib_compress_bound(object.len())];
            let length = compressor.zlib_compress(&object, &mut packed).unwrap();
            packed.truncate(length);
            assert_eq!(unpacked(&packed), Ok(Some(object.clone())));
            for cut in [0, 1, 2, length / 2, length - 1] {
                assert!(unpacked(&packed[..cut]).is_err(), "{size}: {cut} of {length}");
            }
            object.pop();
            let length = compressor.zlib_compress(&object, &mut packed).unwrap_or_default();
            assert!(unpacked(&packed[..length]).is_err());
        }
    }
}
