//! Which test cases a change needs, dealt out to machines.

use std::{fmt::Write as _, process::ExitCode};

use clap::Parser;
use infraflow_core::select::{ImpactSelector, Nightly, Sharding, TestPlan, TestSelector};
use infraflow_examples::{Answer, Changes, Output, Plans, main_of, people};

/// Selects the test cases that a change touches, and says of each other one why it need not run.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    changes: Changes,
    /// Deal the cases out to so many machines.
    #[arg(long, value_name = "N", default_value_t = 1)]
    shards: usize,
    /// Select everything, as a nightly run does.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: Output,
    /// Write the test plan to this file, for `sandbox`.
    #[arg(long, value_name = "FILE")]
    out: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_of(async move {
        let found = options.changes.find()?;
        let sharding = Sharding::over(options.shards);
        let selector: &dyn TestSelector =
            if options.all { &Nightly { sharding } } else { &ImpactSelector { sharding } };
        let cases: Vec<_> = found.catalog.cases().into_iter().cloned().collect();
        let plan = selector.select(&found.impact, &cases);
        Plans::write_to(options.out.as_deref(), &plan)?;
        options.output.print(&plan, people)?;
        Ok(Answer::Done)
    })
}

fn people(plan: &TestPlan) -> String {
    let mut text = format!("{} cases run, {} are skipped\n", plan.cases.len(), plan.skipped.len());
    for case in &plan.cases {
        let _ = write!(text, "  run {}\n{}", case.id, people::reasons(&case.reasons));
    }
    for case in &plan.skipped {
        let _ = write!(text, "  skip {}\n{}", case.id, people::reasons(&case.reasons));
    }
    for (number, shard) in plan.shards.iter().enumerate() {
        let _ = writeln!(
            text,
            "  shard {}: {} cases, about {} s",
            number + 1,
            shard.cases.len(),
            shard.estimate_seconds
        );
    }
    text
}
