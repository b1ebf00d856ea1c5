//! Runs test cases in a sandbox: deploys, looks, plans again, destroys; or reaps what a dead run left.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use infraflow_core::{policy::Configuration, proof::Document as _, sandbox::SandboxPlan, select::TestPlan};
use infraflow_examples::{
    Answer, Output, Plans, Records, Testing, answer_of, document, main_waiting, testing_people,
};

/// Runs the test cases of a test plan, as `select_tests --out` writes it, in a sandbox.
///
/// What came of each case is recorded in the store, or with --history in a file, for the next `select_tests`; with the
/// content it passed with, where --tests has it.
///
/// With --out it only says how each case would be run, and writes that plan; --execute carries it out. With
/// --reap it ends, destroys and sweeps what dead runs left, and runs nothing.
///
/// Exits with 0 where all passed, 1 where one failed, 2 where nothing could be begun, 3 where a case could
/// not be run.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The revision whose files are deployed.
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    head: String,
    /// The test plan. Beside --execute it says what the cases are made of, for the record.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["execute", "reap"])]
    tests: Option<PathBuf>,
    /// Only end, destroy and sweep what dead runs left.
    #[arg(long, conflicts_with_all = ["tests", "execute", "out"])]
    reap: bool,
    #[command(flatten)]
    records: Records,
    #[command(flatten)]
    testing: Testing,
    #[command(flatten)]
    plans: Plans,
    #[command(flatten)]
    output: Output,
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        let repository = infraflow_core::git::Repository::open(&options.repo)?;
        let tree = repository.tree(&repository.revision(&options.head)?)?;
        let tester = options.testing.open(&Configuration::read(&tree)?)?;
        if options.reap {
            let report = tester.reap().await?;
            options.output.print(&report, |report| format!("{} deployments reaped", report.reaped.len()))?;
            return Ok(if report.clean() { Answer::Done } else { Answer::No });
        }
        let tests = match &options.tests {
            Some(file) => Some(document::<TestPlan>(file)?),
            None => None,
        };
        let plan: SandboxPlan = match (options.plans.read()?, &tests) {
            (Some(plan), _) => plan,
            (None, Some(tests)) => {
                let plan = tester.plan(tests, &tree)?;
                // On one machine the cases run in the order that the plan found best.
                match tests.shards.as_slice() {
                    [only] => plan.of_shard(only),
                    _ => plan,
                }
            }
            (None, None) => return Err("cannot run tests: give --tests or --execute".into()),
        };
        if options.plans.out.is_some() {
            options.plans.write(&plan)?;
            options.output.print(&plan, |plan| format!("{} cases planned", plan.cases.len()))?;
            return Ok(Answer::Done);
        }
        let report = tester.run(&plan, &tree).await?;
        let tests = tests.filter(|tests| tests.digest().is_ok_and(|digest| digest == plan.tests));
        let contents = tests.and_then(|tests| tests.contents());
        options.records.record(Some(&tester.store), &plan, contents.as_ref(), &report).await?;
        options.output.print(&report, testing_people)?;
        Ok(answer_of(&report))
    })
}
