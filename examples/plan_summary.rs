//! What a saved plan would do, without any value: reads the JSON that `terraform show -json PLAN` writes.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use infraflow_core::terraform::plan::Plan;
use infraflow_examples::{Answer, Failure, Output, main_of, people};

/// Summarises a plan: what would be created, updated, replaced and deleted, and what drifted. It shows
/// addresses and attribute names, never values.
///
/// Exits with 0 where the plan does nothing, 1 where it would do something, 2 where it cannot be read.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The plan as JSON, from `terraform show -json`; `-` is standard input.
    #[arg(default_value = "-")]
    plan: PathBuf,
    #[command(flatten)]
    output: Output,
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_of(|| {
        let mut bytes = Vec::new();
        if options.plan == Path::new("-") {
            std::io::stdin().read_to_end(&mut bytes)?;
        } else {
            let cannot = |error| Failure::from(format!("cannot read {}: {error}", options.plan.display()));
            bytes = std::fs::read(&options.plan).map_err(cannot)?;
        }
        let plan = Plan::parse(&bytes)?;
        options.output.print(&plan.summary(), people::plan)?;
        Ok(if plan.is_no_change() { Answer::Done } else { Answer::No })
    })
}
