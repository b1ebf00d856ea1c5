//! Packs that git writes, and packs that nobody should.

use super::*;

/// A repository whose objects lie in one pack, most as differences from one another.
fn packed(folder: &Path) -> git2::Repository {
    let repository = git2::Repository::init_bare(folder).unwrap();
    let mut builder = repository.packbuilder().unwrap();
    for version in 0..200 {
        let mut text: String = (0..300).map(|line| format!("line {}\n", line * (line + 7))).collect();
        text.insert_str(version * 9, &format!("version {version}\n"));
        builder.insert_object(repository.blob(text.as_bytes()).unwrap(), None).unwrap();
    }
    let mut large = Vec::new();
    (0..60_000_u32).for_each(|n| large.extend_from_slice(&n.wrapping_mul(2_654_435_761).to_le_bytes()));
    let mut names = repository.treebuilder(None).unwrap();
    for (name, bytes) in [("empty", &b""[..]), ("large", &large)] {
        let id = repository.blob(bytes).unwrap();
        names.insert(name, id, 0o100_644).unwrap();
        builder.insert_object(id, None).unwrap();
    }
    builder.insert_object(names.write().unwrap(), None).unwrap();
    let pack = folder.join("objects/pack");
    std::fs::create_dir_all(&pack).unwrap();
    builder.write(&pack, 0).unwrap();
    drop((builder, names));
    repository
}

fn ids(repository: &git2::Repository) -> Vec<git2::Oid> {
    let mut ids = Vec::new();
    let add = |id: &git2::Oid| {
        ids.push(*id);
        true
    };
    repository.odb().unwrap().foreach(add).unwrap();
    ids.sort();
    ids.dedup();
    ids
}

#[test]
fn every_object_of_a_pack_is_read_as_libgit2_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let repository = packed(folder.path());
    let packs = Packs::open(&folder.path().join("objects"));
    let mut reader = Reader::default();
    let odb = repository.odb().unwrap();
    let ids = ids(&repository);
    assert_eq!(ids.len(), 203);
    for id in &ids {
        let object = odb.read(*id).unwrap();
        let (kind, length) = reader.read(&packs, ObjectId::from_git2(*id), u64::MAX).unwrap();
        assert_eq!(reader.bytes(length), object.data());
        assert_eq!(kind == Kind::Tree, object.kind() == git2::ObjectType::Tree);
        let limit = object.data().len() as u64;
        let short =
            limit.checked_sub(1).and_then(|limit| reader.read(&packs, ObjectId::from_git2(*id), limit));
        assert_eq!(short, None);
    }
    assert_eq!(reader.read(&packs, ObjectId::from_bytes([7; 20]), u64::MAX), None);
}

/// A pack of objects, each a kind, the place in the list of what it is a difference from, and its bytes; and an
/// index, by which the id of each is its number.
fn write_pack(folder: &Path, objects: &[(u8, Option<usize>, Vec<u8>)]) {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::fastest());
    let (mut pack, mut offsets) = (b"PACK\0\0\0\x02\0\0\0\0".to_vec(), Vec::new());
    for (kind, from, bytes) in objects {
        let offset = pack.len();
        let (mut size, mut first) = (bytes.len() >> 4, kind << 4 | (bytes.len() & 15) as u8);
        while size > 0 {
            pack.push(first | 0x80);
            (first, size) = ((size & 0x7f) as u8, size >> 7);
        }
        pack.push(first);
        if let Some(from) = from {
            let mut back: usize = offset - offsets[*from];
            let mut digits = vec![(back & 0x7f) as u8];
            while back > 0x7f {
                back = (back >> 7) - 1;
                digits.push((back & 0x7f) as u8 | 0x80);
            }
            pack.extend(digits.iter().rev());
        }
        let mut packed = vec![0; compressor.zlib_compress_bound(bytes.len())];
        let length = compressor.zlib_compress(bytes, &mut packed).unwrap();
        pack.extend_from_slice(&packed[..length]);
        offsets.push(offset);
    }
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    (0..256).for_each(|_| index.extend((objects.len() as u32).to_be_bytes()));
    (0..objects.len()).for_each(|number| index.extend(id_of(number)));
    index.resize(index.len() + objects.len() * 4, 0);
    offsets.iter().for_each(|&offset| index.extend((offset as u32).to_be_bytes()));
    index.resize(index.len() + 40, 0);
    std::fs::create_dir_all(folder.join("pack")).unwrap();
    std::fs::write(folder.join("pack/pack-1.pack"), pack).unwrap();
    std::fs::write(folder.join("pack/pack-1.idx"), index).unwrap();
}

fn id_of(number: usize) -> [u8; 20] {
    let mut id = [0; 20];
    id[1..9].copy_from_slice(&(number as u64).to_be_bytes());
    id
}

/// A difference that says so many bytes itself.
fn saying(from: usize, bytes: usize) -> Vec<u8> {
    let mut difference = Vec::new();
    for size in [from, bytes] {
        let mut size = size;
        while size > 0x7f {
            difference.push(size as u8 | 0x80);
            size >>= 7;
        }
        difference.push(size as u8);
    }
    for at in (0..bytes).step_by(127) {
        let count = (bytes - at).min(127);
        difference.push(count as u8);
        difference.resize(difference.len() + count, b'x');
    }
    difference
}

#[test]
fn a_chain_of_large_differences_is_not_held_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let chain = |objects: usize, bytes: usize| {
        let first = (3, None, vec![b'x'; bytes]);
        let rest = (1..objects).map(|number| (6, Some(number - 1), saying(bytes, bytes)));
        std::iter::once(first).chain(rest).collect::<Vec<_>>()
    };
    for (objects, bytes, is_read) in
        [(20, 4 << 10, true), (20, 4 << 20, false), (LONGEST_CHAIN + 3, 9, false)]
    {
        write_pack(folder.path(), &chain(objects, bytes));
        let packs = Packs::open(folder.path());
        let last = ObjectId::from_bytes(id_of(objects - 1));
        let read = Reader::default().read(&packs, last, u64::MAX);
        assert_eq!(read, is_read.then_some((Kind::Blob, bytes)), "{objects} of {bytes}");
    }
}

#[test]
fn differences_that_lie_or_go_round_in_circles_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let lies: [Vec<u8>; 7] = [
        // From another size; to one that is not reached, or passed; beyond its base; nothing; cut short.
        saying(8, 5),
        vec![9, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, b'x'],
        vec![9, 1, 2, b'x', b'x'],
        vec![9, 9, 0x91, 5, 9],
        vec![9, 0, 0],
        vec![9, 0xff],
        vec![0x80; 30],
    ];
    for lie in lies {
        write_pack(folder.path(), &[(3, None, vec![b'x'; 9]), (6, Some(0), lie.clone())]);
        let packs = Packs::open(folder.path());
        let read = Reader::default().read(&packs, ObjectId::from_bytes(id_of(1)), u64::MAX);
        assert_eq!(read, None, "{lie:?}");
    }
    // One from itself, and two from each other, by their ids.
    write_pack(folder.path(), &[(7, None, Vec::new()), (7, None, Vec::new())]);
    let file = folder.path().join("pack/pack-1.pack");
    for of in [[0, 0], [1, 0]] {
        let mut pack = std::fs::read(&file).unwrap()[..12].to_vec();
        let mut offsets = Vec::new();
        for of in of {
            offsets.push(pack.len() as u32);
            pack.push(0x70);
            pack.extend(id_of(of));
            pack.extend([0x78, 0x01, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]);
        }
        std::fs::write(&file, pack).unwrap();
        let index = folder.path().join("pack/pack-1.idx");
        let mut bytes = std::fs::read(&index).unwrap();
        let at = bytes.len() - 48;
        bytes[at..at + 4].copy_from_slice(&offsets[0].to_be_bytes());
        bytes[at + 4..at + 8].copy_from_slice(&offsets[1].to_be_bytes());
        std::fs::write(index, bytes).unwrap();
        let packs = Packs::open(folder.path());
        for number in 0..2 {
            let id = ObjectId::from_bytes(id_of(number));
            assert_eq!(Reader::default().read(&packs, id, u64::MAX), None);
        }
    }
}

#[test]
fn a_damaged_pack_ends_no_program() {
    let folder = tempfile::tempdir().unwrap();
    let repository = packed(folder.path());
    let ids = ids(&repository);
    for ending in ["pack", "idx"] {
        let files = std::fs::read_dir(folder.path().join("objects/pack")).unwrap();
        let file = files.map(|file| file.unwrap().path()).find(|path| path.extension().unwrap() == ending);
        let file = file.unwrap();
        let good = std::fs::read(&file).unwrap();
        for nth in 0..40 {
            let mut bad = good.clone();
            let at = (nth * 7_919 + 8) % bad.len();
            bad[at..].iter_mut().step_by(977).for_each(|byte| *byte ^= 0x5a);
            bad.truncate(if nth % 4 == 0 { at } else { good.len() });
            std::fs::remove_file(&file).unwrap();
            std::fs::write(&file, bad).unwrap();
            let packs = Packs::open(&folder.path().join("objects"));
            let mut reader = Reader::default();
            for id in &ids {
                reader.read(&packs, ObjectId::from_git2(*id), u64::MAX);
            }
        }
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, good).unwrap();
    }
}

#[test]
fn an_index_says_the_same_in_parts_and_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    // Their names stand close together, far from where they would be if they were spread evenly.
    let objects: Vec<_> = (0..2_000_u16).map(|n| (3, None, n.to_le_bytes().to_vec())).collect();
    write_pack(folder.path(), &objects);
    let all = Packs::open(folder.path());
    let mut reader = Reader::default();
    for number in (0..2_000).rev() {
        let id = ObjectId::from_bytes(id_of(number));
        let few = Packs::open(folder.path());
        for packs in [&few, &all] {
            let read = reader.read(packs, id, u64::MAX);
            assert_eq!(read, Some((Kind::Blob, 2)), "{number}");
            assert_eq!(reader.bytes(2), objects[number].2);
        }
    }
    for id in [[0; 20], [0xff; 20], id_of(2_000)].map(|mut id| {
        id[19] = 1;
        ObjectId::from_bytes(id)
    }) {
        assert_eq!(reader.read(&Packs::open(folder.path()), id, u64::MAX), None);
        assert_eq!(reader.read(&all, id, u64::MAX), None);
    }
}
