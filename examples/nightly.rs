//! Tests everything, as a nightly run does: providers and clouds change too.

use std::process::ExitCode;

use clap::Parser;
use infraflow_core::select::{Nightly, Sharding};
use infraflow_examples::{Failure, Output, Snapshot, Testing, answer_of, main_of, testing_people};

/// Deploys every example of the repository into a sandbox, looks at it, plans it again and destroys it, and
/// runs every test file that only plans. Nothing is skipped because it did not change.
///
/// Exits with 0 where all passed, 1 where one failed, 2 where nothing could be begun, 3 where a case could
/// not be run.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    at: Snapshot,
    /// Run only this shard of so many, for example 2/5: cases are dealt out by their number, the same way on
    /// every machine.
    #[arg(long, value_name = "N/M", value_parser = shard)]
    shard: Option<(usize, usize)>,
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
    main_of(async move {
        let seen = options.at.read()?;
        let cases: Vec<_> = seen.catalog.cases().into_iter().cloned().collect();
        let shards = options.shard.map_or(1, |(_, shards)| shards);
        let mut plan = Nightly { sharding: Sharding::over(shards) }.all(&cases);
        if let Some((number, _)) = options.shard {
            let ours = plan.shards.get(number - 1).map(|shard| shard.cases.clone()).unwrap_or_default();
            plan.cases.retain(|case| ours.contains(&case.id));
            plan.shards.clear();
        }
        let tester = options.testing.open(&seen.configuration)?;
        let sandbox = tester.plan(&plan, &seen.tree)?;
        let report = tester.run(&sandbox, &seen.tree).await?;
        options.output.print(&report, testing_people)?;
        Ok::<_, Failure>(answer_of(&report))
    })
}
