//! Tests everything, as a nightly run does: providers and clouds change too.

use std::process::ExitCode;

use clap::Parser;
use infraflow_core::select::{Nightly, Shard, Sharding, Terms};
use infraflow_examples::{
    Failure, Output, Records, Snapshot, Testing, answer_of, contents, main_waiting, testing_people,
};

/// Deploys every example of the repository into a sandbox, looks at it, plans it again and destroys it, and
/// runs every test file that only plans. Nothing is skipped: not because it did not change, not because it passed
/// before, and there is no budget. Quarantined cases run too, and do not fail the run.
///
/// What came of each case is recorded in the store, or with --history in a file: from it later runs know what failed
/// recently, how long cases take, and what passed with which content.
///
/// Exits with 0 where all passed, 1 where one failed, 2 where nothing could be begun, 3 where a case could
/// not be run.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    at: Snapshot,
    /// Run only this shard of so many, for example 2/5: cases are dealt out by the recorded durations, the same way on
    /// every machine that has the same records and the same --at.
    #[arg(long, value_name = "N/M", value_parser = shard)]
    shard: Option<(usize, usize)>,
    #[command(flatten)]
    records: Records,
    #[command(flatten)]
    testing: Testing,
    #[command(flatten)]
    output: Output,
}

fn shard(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('/').and_then(|(n, m)| Some((n.parse().ok()?, m.parse().ok()?)));
    parts.filter(|(n, m)| (1..=*m).contains(n)).ok_or_else(|| "write it as N/M, with N from 1 to M".into())
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        let seen = options.at.read()?;
        let cases: Vec<_> = seen.catalog.cases()?;
        let shards = options.shard.map_or(1, |(_, shards)| shards);
        let tester = options.testing.open(&seen.configuration)?;
        let evidence = options.records.evidence(Some(&tester.store), &seen.configuration).await?;
        let all = cases.iter().map(|case| case.id.clone());
        let contents = contents(&seen.tree, &seen.catalog, &seen.configuration, Some(&tester.tool), all)?;
        let terms = Terms::default()
            .with_sharding(Sharding::over(shards))
            .with_evidence(evidence.with_contents(contents.clone()));
        let plan = Nightly::on(terms).all(&cases);
        let number = options.shard.map_or(0, |(number, _)| number - 1);
        let ours = plan.shards.get(number).cloned().unwrap_or_else(Shard::default);
        let sandbox = tester.plan(&plan.of_shard(&ours), &seen.tree)?.of_shard(&ours);
        let report = tester.run(&sandbox, &seen.tree).await?;
        options.records.record(Some(&tester.store), &sandbox, Some(&contents), &report).await?;
        options.output.print(&report, testing_people)?;
        Ok::<_, Failure>(answer_of(&report))
    })
}
