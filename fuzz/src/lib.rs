//! Fuzz targets: whatever reads bytes that somebody else wrote.
//!
//! The body of each target is a function of this library. The programs in `fuzz_targets/` hand it to libFuzzer
//! with the feature `libfuzzer`, and run it on the files they are given without; the test in `tests/` runs it on its seeds (`seeds/TARGET/`) and on mutations of them, on the stable toolchain
//! and in every run of the tests, so that no target rots. A target fails by a panic: of the library, or of what
//! the target holds of its answer.

pub mod catalog;
pub mod endpoints;
pub mod globs;
pub mod kept_index;
pub mod kubernetes;
mod memory;
pub mod rules;
mod scratch;
pub mod sources;
pub mod terraform;
pub mod terragrunt;
pub mod terramate;

/// A target: what is done with an input.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("catalog", catalog::run),
    ("endpoints", endpoints::run),
    ("globs", globs::run),
    ("kept_index", kept_index::run),
    ("kubernetes", kubernetes::run),
    ("rules", rules::run),
    ("sources", sources::run),
    ("terraform", terraform::run),
    ("terragrunt", terragrunt::run),
    ("terramate", terramate::run),
];

/// The program of a target: libFuzzer's.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! program {
    ($target:ident) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| infraflow_fuzz::$target::run(data));
    };
}

/// The program of a target: runs it on the files it is given, such as what libFuzzer found.
#[cfg(not(feature = "libfuzzer"))]
#[macro_export]
macro_rules! program {
    ($target:ident) => {
        fn main() -> std::io::Result<()> {
            std::env::args_os().skip(1).try_for_each(|file| {
                infraflow_fuzz::$target::run(&std::fs::read(file)?);
                Ok(())
            })
        }
    };
}

/// What separates the files of an input that stands for several: a line of its own, so that it is easy to write
/// by hand.
const BETWEEN: &[u8] = b"\n----\n";

/// The parts of an input.
fn parts(data: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut rest) = (Vec::new(), data);
    while let Some(at) = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        parts.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    parts.push(rest);
    parts
}
