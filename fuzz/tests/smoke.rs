//! Every target, on its seeds and on mutations of them: seconds, on the stable toolchain.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use infraflow_fuzz::TARGETS;

/// How long each target is tried; `INFRAFLOW_FUZZ_SECONDS` says otherwise.
const SECONDS: u64 = 2;

/// Numbers by lot (splitmix64).
struct Lot(u64);

impl Lot {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end.max(1) as u64).unwrap()
    }
}

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
}

/// A seed with bytes turned, cut out, doubled, or taken from another seed.
fn mutated(lot: &mut Lot, seeds: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = seeds[lot.below(seeds.len())].1.clone();
    for _ in 0..=lot.below(4) {
        let (from, length) = (lot.below(bytes.len()), lot.below(32));
        let to = (from + length).min(bytes.len());
        match lot.below(5) {
            0 if !bytes.is_empty() => bytes[from] = u8::try_from(lot.below(256)).unwrap(),
            1 => drop(bytes.drain(from..to)),
            2 => drop(bytes.splice(from..from, bytes[from..to].to_vec())),
            3 => {
                let other = &seeds[lot.below(seeds.len())].1;
                let start = lot.below(other.len());
                let piece = other[start..(start + length).min(other.len())].to_vec();
                drop(bytes.splice(from..from, piece));
            }
            _ => {
                let odd: &[&[u8]] =
                    &[b"\"", b"${", b"}", b"{", b"\0", b"\xff", b"<<E\n", b"%{", b"**", b"..", b"/"];
                drop(bytes.splice(from..from, odd[lot.below(odd.len())].iter().copied()));
            }
        }
    }
    bytes
}

#[test]
fn every_target_holds_on_its_seeds_and_on_mutations_of_them() {
    let seconds = std::env::var("INFRAFLOW_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let limit = Duration::from_secs(seconds.unwrap_or(SECONDS));
    for (name, run) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "the target {name} has no seed");
        for (file, bytes) in &seeds {
            let start = Instant::now();
            run(bytes);
            let took = start.elapsed();
            assert!(took.as_secs() < 20, "{} takes {took:?}", file.display());
        }
        let (mut lot, start) = (Lot(1), Instant::now());
        while start.elapsed() < limit {
            let input = mutated(&mut lot, &seeds);
            let result = std::panic::catch_unwind(|| run(&input));
            assert!(result.is_ok(), "{name} fails on {:?}", String::from_utf8_lossy(&input));
        }
    }
}

#[test]
fn each_target_has_a_program_and_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let mut programs: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    programs.sort();
    assert_eq!(programs, TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
}
