//! What Terraform files state: the whole of each file parsed, and what the dialect really does, in one run.
//!
//! `cargo bench -p infraflow-benches --bench facts` reads every `.tf` of a generated repository (1,000 modules,
//! 1,000 stacks) into memory, lets Criterion measure both on one core, and prints the ratio.
#![allow(clippy::print_stdout, missing_docs)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput};
use infraflow_benches::{
    Failure,
    workload::{Checkout, Flavour, Workload},
};
use infraflow_core::{
    catalog::{Dialect, TerraformDialect},
    git::{Repository, Revision},
    proof::RepoPath,
    terraform::facts::TerraformFile,
};

type Files = Vec<(RepoPath, Vec<u8>)>;

fn main() -> Result<(), Failure> {
    let files = files()?;
    let bytes: usize = files.iter().map(|(_, content)| content.len()).sum();
    for (path, content) in &files {
        let whole = TerraformFile::parse(path, content)?;
        let stated = TerraformFile::stated(path, content)?;
        assert!(whole.calls == stated.calls && whole.reads == stated.reads, "{path}");
    }
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut group = criterion.benchmark_group("facts");
    group.throughput(Throughput::Bytes(bytes as u64));
    for (name, work) in WORK {
        group.bench_function(name, |bencher| bencher.iter(|| work(&files)));
    }
    group.finish();
    criterion.final_summary();

    println!("\n{} files, {bytes} bytes, one core; best of some tries", files.len());
    let times = WORK.map(|(name, work)| (name, best(&files, work)));
    for (name, time) in times {
        let rate = bytes as f64 / time.as_secs_f64() / 1e6;
        let ratio = times[0].1.as_secs_f64() / time.as_secs_f64();
        println!(
            "{name:<28} {:>9.3} ms {rate:>8.1} MB/s   {ratio:>6.1} times as fast",
            time.as_secs_f64() * 1e3
        );
    }
    Ok(())
}

/// What is measured, and by what name.
type Work = (&'static str, fn(&Files));

const WORK: [Work; 3] =
    [("the whole of each, parsed", whole), ("facts", facts), ("facts and definitions", all)];

fn whole(files: &Files) {
    for (path, content) in files {
        let _ = black_box(TerraformFile::parse(path, content));
    }
}

fn facts(files: &Files) {
    for (path, content) in files {
        black_box(TerraformDialect.facts(path, content));
    }
}

fn all(files: &Files) {
    for (path, content) in files {
        black_box(TerraformDialect.facts(path, content));
        black_box(TerraformDialect.definitions(path, content, &|_| true));
    }
}

fn best(files: &Files, work: fn(&Files)) -> Duration {
    let tries = (0..10).map(|_| {
        let start = Instant::now();
        work(files);
        start.elapsed()
    });
    tries.min().unwrap_or_default()
}

fn files() -> Result<Files, Failure> {
    let folder = tempfile::tempdir()?;
    let workload = Workload { modules: 1_000, flavour: Flavour::Terraform };
    workload.write(folder.path(), Checkout::Nothing)?;
    let repository = Repository::open(folder.path())?;
    let tree = repository.tree(&Revision::Commit(repository.resolve("main")?))?;
    let mut files = Files::new();
    for entry in tree.walk(&RepoPath::root())? {
        if entry.path.as_bytes().ends_with(b".tf") {
            files.push((entry.path.clone(), tree.read_entry(&entry)?));
        }
    }
    Ok(files)
}
