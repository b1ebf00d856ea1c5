//! Each step from two commits to what they touch, on the repository of the figures.
//!
//! `cargo bench -p infraflow-benches --bench steps` takes 1,000 modules and 1,000 stacks (7,000 files);
//! `INFRAFLOW_BENCH_MODULES=10000` the large one. `-- NAME` runs the steps with that in their name.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Duration};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use infraflow_benches::workload::{Checkout, Flavour, Workload};
use infraflow_core::{
    catalog::{Case, Catalog, CatalogCache, CatalogRules, Dialect, TerraformDialect},
    detect::{ChangeDetector, ChangeSet, GitDetector},
    git::{Entry, Repository, Revision, Tree},
    impact::assess,
    proof::RepoPath,
    select::{Nightly, Sharding, Terms},
};

struct Ground {
    _folder: tempfile::TempDir,
    workload: Workload,
    repository: Repository,
    changes: ChangeSet,
    base: Tree,
    head: Tree,
    dialects: [Arc<dyn Dialect>; 1],
    rules: CatalogRules,
}

impl Ground {
    fn new() -> Self {
        let modules = std::env::var("INFRAFLOW_BENCH_MODULES").map_or(1_000, |text| text.parse().unwrap());
        let workload = Workload { modules, flavour: Flavour::Terraform };
        let folder = tempfile::tempdir().unwrap();
        workload.write(folder.path(), Checkout::Nothing).unwrap();
        let repository = Repository::open(folder.path()).unwrap();
        let at = |name: &str| Revision::Commit(repository.resolve(name).unwrap());
        let (base, head) = (at("main"), at("feature"));
        let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
        let (base, head) = (repository.tree(&base).unwrap(), repository.tree(&head).unwrap());
        let (dialects, rules) = ([Arc::new(TerraformDialect) as Arc<dyn Dialect>], CatalogRules::default());
        Self { _folder: folder, workload, repository, changes, base, head, dialects, rules }
    }

    fn catalog(&self, tree: &Tree) -> Catalog {
        Catalog::build(tree, &self.dialects, &self.rules).unwrap()
    }

    /// The files that the dialect reads.
    fn claimed(&self) -> Vec<Entry> {
        let files = self.head.walk(&RepoPath::root()).unwrap();
        files.into_iter().filter(|file| self.dialects[0].claims(&file.path).is_some()).collect()
    }
}

fn steps(criterion: &mut Criterion) {
    let ground = Ground::new();
    let mut group = criterion.benchmark_group(format!("{} files", ground.workload.files()));
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    group.bench_function("changed files", |bencher| {
        let [base, head] = [&ground.base, &ground.head].map(|tree| *tree.revision());
        bencher.iter(|| GitDetector::new().detect(&ground.repository, &base, &head).unwrap());
    });
    group.bench_function("listing", |bencher| {
        bencher.iter(|| ground.head.walk(&RepoPath::root()).unwrap().len());
    });

    let claimed = ground.claimed();
    let contents: Vec<Vec<u8>> = claimed.iter().map(|file| ground.head.read_entry(file).unwrap()).collect();
    group.throughput(Throughput::Bytes(contents.iter().map(|content| content.len() as u64).sum()));
    group.bench_function("reading, one core", |bencher| {
        bencher
            .iter(|| claimed.iter().map(|file| ground.head.read_entry(file).unwrap().len()).sum::<usize>());
    });
    group.bench_function("facts, one core", |bencher| {
        bencher.iter(|| {
            for (file, content) in claimed.iter().zip(&contents) {
                black_box(ground.dialects[0].facts(&file.path, content));
            }
        });
    });

    let base = ground.catalog(&ground.base);
    let head = ground.catalog(&ground.head);
    let impact = assess(&ground.changes, &base, &head).unwrap();
    let units: Vec<String> = impact.units.iter().map(|unit| unit.path.to_string()).collect();
    assert_eq!(units, ground.workload.answer());
    group.throughput(Throughput::Elements(ground.workload.files() as u64));
    group.bench_function("catalog, nothing kept", |bencher| bencher.iter(|| ground.catalog(&ground.head)));
    let kept = tempfile::tempdir().unwrap();
    let cache = CatalogCache::in_folder(kept.path());
    let ends = || cache.ends(&ground.base, &ground.head, &ground.dialects, &ground.rules).unwrap();
    ends();
    group.bench_function("catalogs of both ends, warm", |bencher| bencher.iter(ends));
    group.bench_function("impact", |bencher| bencher.iter(|| assess(&ground.changes, &base, &head).unwrap()));
    group.finish();
}

fn shards(criterion: &mut Criterion) {
    let cases: Vec<Case> = (0..10_000)
        .map(|nth| {
            let path = format!("modules/m{:04}/examples/e{nth}", nth / 4);
            let module = path.rsplit_once("/examples").unwrap().0;
            let case = serde_json::json!({"id": path, "module": module, "path": path, "kind": "example"});
            serde_json::from_value(case).unwrap()
        })
        .collect();
    let seconds: BTreeMap<_, u64> = cases
        .iter()
        .enumerate()
        .map(|(nth, case)| (case.id.clone(), 60 + (nth as u64 * 7919) % 1_140))
        .collect();
    let nightly = Nightly::on(Terms::default().with_sharding(Sharding::over(200).with_seconds(seconds)));
    let mut group = criterion.benchmark_group("10000 test cases");
    group.sample_size(20).measurement_time(Duration::from_secs(3));
    group.bench_function("a plan in 200 shards", |bencher| {
        bencher.iter_batched(|| cases.clone(), |cases| nightly.all(&cases), BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, steps, shards);
criterion_main!(benches);
