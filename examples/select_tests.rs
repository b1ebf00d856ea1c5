//! Which test cases a change needs, dealt out to machines.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use infraflow_core::{
    select::{ImpactSelector, Nightly, Sharding, Terms, TestSelector as _},
    store::Store,
    terraform::ToolVersion,
};
use infraflow_examples::{Answer, Changes, Output, Plans, Records, contents, main_waiting, people};

/// Selects the test cases that a change touches, and says of each other one why it need not run.
///
/// With --history or --store it knows earlier runs: what failed recently runs first, and shards take equally long.
/// With --skip-green it leaves out what passed before with the same content, with the run that proves it; with
/// --budget, and never silently, what the time does not suffice for.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    changes: Changes,
    /// Deal the cases out to so many machines.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    shards: u16,
    /// Select everything, as a nightly run does: nothing is skipped.
    #[arg(long, conflicts_with_all = ["skip_green", "budget"])]
    all: bool,
    #[command(flatten)]
    records: Records,
    /// The store's folder, where it holds the recorded runs.
    #[arg(long, value_name = "DIR", conflicts_with = "history")]
    store: Option<PathBuf>,
    /// Skip cases that passed before with the same content.
    #[arg(long)]
    skip_green: bool,
    /// The tool that will run the cases, for example "terraform 1.11.4": its version is part of what they are made
    /// of. By default the one found here. Naming it makes the plan carry the contents to whoever records the run.
    #[arg(long, value_name = "TOOL", value_parser = |text: &str| ToolVersion::parse(text))]
    tool_version: Option<ToolVersion>,
    /// Leave out what each machine cannot do in so many minutes, and say so.
    #[arg(long, value_name = "MINUTES")]
    budget: Option<u64>,
    #[command(flatten)]
    output: Output,
    /// Write the test plan to this file, for `sandbox`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        let found = options.changes.find()?;
        let store = options.store.as_deref().map(Store::folder).transpose()?;
        let mut evidence = options.records.evidence(store.as_ref(), &found.configuration).await?;
        let cases: Vec<_> = found.catalog.cases()?;
        if options.skip_green || options.tool_version.is_some() {
            let tree = found.repository.tree(&found.impact.head)?;
            let wanted: Vec<_> = match options.all {
                true => cases.iter().map(|case| case.id.clone()).collect(),
                false => found.impact.cases.iter().map(|case| case.id.clone()).collect(),
            };
            let contents =
                contents(&tree, &found.catalog, &found.configuration, options.tool_version.as_ref(), wanted)?;
            evidence = evidence.with_contents(contents);
        }
        let sharding = Sharding::over(options.shards.into());
        let terms = Terms::default().with_sharding(sharding).with_evidence(evidence);
        let plan = if options.all {
            Nightly::on(terms).all(&cases)
        } else {
            let mut selector = ImpactSelector::on(terms);
            selector.minutes = options.budget;
            if options.skip_green {
                selector = selector.skipping_green();
            }
            selector.select(&found.impact, &cases)
        };
        Plans::write_to(options.out.as_deref(), &plan)?;
        options.output.print(&plan, people::tests)?;
        Ok(Answer::Done)
    })
}
