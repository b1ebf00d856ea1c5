//! How long 10,000 test cases take to be dealt out to machines, how far the longest machine is above what no dealing
//! can beat, and how long it takes to tell what 10,000 cases are made of.
//!
//! `cargo run --release -p infraflow-benches --bin shards -- [CASES]` prints the best of some tries of each. Without
//! Graham's longest-first beside it the last columns would say little: it is what we begin with.
#![allow(clippy::print_stdout)]

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::Arc,
    time::{Duration, Instant},
};

use infraflow_benches::{Failure, table::table};
use infraflow_core::{
    catalog::{Case, Catalog, CatalogRules, TerraformDialect},
    git::{BranchName, FileEdit, Identity, Repository},
    impact::Rules,
    proof::{RepoPath, Timestamp},
    select::{Contents, Nightly, SelectRules, Sharding, Terms, shortest_possible},
    terraform::ToolVersion,
};

fn main() -> Result<(), Failure> {
    let count = std::env::args().nth(1).map_or(Ok(10_000), |text| text.parse())?;
    let cases = cases(count)?;
    let mut rows = vec![vec![
        "durations".to_owned(),
        "machines".into(),
        "a plan of all".into(),
        "dealt alone".into(),
        "above the bound".into(),
        "longest first alone".into(),
    ]];
    for (name, seconds) in distributions(count) {
        for machines in [8, 64, 200, 1000] {
            let known = cases.iter().map(|case| case.id.clone()).zip(seconds.iter().copied()).collect();
            let sharding = Sharding::over(machines).with_seconds(known);
            let nightly = Nightly::on(Terms::default().with_sharding(sharding.clone()));
            let plan = best(|| nightly.all(&cases));
            let dealt = best(|| sharding.deal(cases.iter().map(|case| &case.id)));
            let longest = dealt.1.iter().map(|shard| shard.estimate_seconds).max().unwrap_or(0);
            let bound = shortest_possible(&seconds, machines);
            let above = |longest: u64| format!("{:.2} %", (longest as f64 / bound as f64 - 1.0) * 100.0);
            rows.push(vec![
                name.to_owned(),
                machines.to_string(),
                milliseconds(plan.0),
                milliseconds(dealt.0),
                above(longest),
                above(longest_first(&seconds, machines)),
            ]);
        }
    }
    println!("{count} cases, best of 20\n{}", table(&rows));
    contents(count)
}

fn cases(count: u64) -> Result<Vec<Case>, Failure> {
    let case = |n: u64| {
        let path = format!("modules/component-{:05}/examples/e{}", n / 4, n % 4);
        let module = format!("modules/component-{:05}", n / 4);
        serde_json::from_value(
            serde_json::json!({"id": path, "module": module, "path": path, "kind": "example"}),
        )
    };
    Ok((0..count).map(case).collect::<Result<_, _>>()?)
}

/// Durations in seconds, the same ones at each run.
fn distributions(count: u64) -> Vec<(&'static str, Vec<u64>)> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut of = |one: fn(u64) -> u64| (0..count).map(|_| one(next(7_200_000))).collect();
    vec![
        ("10 to 20 minutes", of(|random| 600 + random % 600)),
        ("1 second to 1 hour", of(|random| 1 + random % 3600)),
        ("a quarter 20 minutes, else 1", of(|random| if random % 4 == 0 { 1000 + random % 400 } else { 60 })),
        ("a long tail", of(|random| (30_000 / (1 + random % 1000)).clamp(30, 7200))),
    ]
}

fn longest_first(seconds: &[u64], machines: usize) -> u64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by_key(|&seconds| Reverse(seconds));
    let mut work: BinaryHeap<Reverse<u64>> = (0..machines).map(|_| Reverse(0)).collect();
    for seconds in sorted {
        if let Some(Reverse(least)) = work.pop() {
            work.push(Reverse(least + seconds));
        }
    }
    work.into_iter().map(|Reverse(work)| work).max().unwrap_or(0)
}

/// One repository: a module for each four cases, which calls one of a hundred others.
fn contents(count: u64) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let repository = Repository::init(folder.path(), &BranchName::parse("main")?)?;
    let ada = Identity::new("Ada", "ada@example.com", Timestamp::from_unix(1_767_225_600));
    let call = |source: &str| format!("module \"it\" {{\n  source = \"{source}\"\n}}\n");
    let mut edits = Vec::new();
    let mut write = |path: String, text: String| -> Result<(), Failure> {
        edits.push(FileEdit::write(RepoPath::parse(path)?, text));
        Ok(())
    };
    for n in 0..100 {
        write(format!("modules/base-{n:03}/main.tf"), format!("output \"n\" {{\n  value = {n}\n}}\n"))?;
    }
    for n in 0..count.div_ceil(4) {
        let module = format!("modules/component-{n:05}");
        write(format!("{module}/main.tf"), call(&format!("../base-{:03}", n % 100)))?;
        write(format!("{module}/variables.tf"), format!("variable \"v\" {{\n  default = {n}\n}}\n"))?;
        for example in 0..4 {
            write(format!("{module}/examples/e{example}/main.tf"), call("../.."))?;
        }
    }
    let commit = repository.commit_first(&edits, "feat: begin", &ada, &ada)?;
    let tree = repository.tree(&commit.into())?;
    let catalog = Catalog::build(&tree, &[Arc::new(TerraformDialect)], &CatalogRules::default())?;
    let tool = ToolVersion::parse("terraform 1.11.4")?;
    let (rules, impact) = (SelectRules::default(), Rules::default());
    let told = best(|| Contents::of(&tree, &catalog, &tool, &rules, &impact).expect("a tree that stands"));
    let known = told.1.cases().filter(|(case, _)| told.1.digest_of(case).is_some()).count();
    println!(
        "what {known} cases are made of, each file and directory looked at once: {}",
        milliseconds(told.0)
    );
    Ok(())
}

fn best<T>(mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut tries = (0..20).map(|_| {
        let start = Instant::now();
        let done = work();
        (start.elapsed(), done)
    });
    let Some(first) = tries.next() else { unreachable!("there are twenty tries") };
    tries.fold(first, |best, next| if next.0 < best.0 { next } else { best })
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}
