//! The steps that follow from a change, for another engine: as data, as a picture, as jobs of a CI system.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use infraflow_core::{
    nature,
    pipeline::{Phase, StepGraph, StepSpec},
    select::{ImpactSelector, TestSelector as _},
};
use infraflow_examples::{Answer, Changes, Failure, Output, main_of, say};
use serde_json::json;

/// So many jobs does GitHub Actions make of one matrix.
const MATRIX: usize = 256;

/// Says which steps follow from a change, each with those that must end well before it.
///
/// `json` is the graph itself. `mermaid` is a flowchart of it, for a comment on a change request. `github` is
/// a matrix for each stage, as lines `STAGE={"include":[…]}` for `>> "$GITHUB_OUTPUT"`; a stage without steps
/// has an empty one, which a job must guard against.
///
/// Exits with 0 where it is done, 2 where it could not be, 3 where a stage has more steps than a matrix can
/// have jobs: then that stage is left out.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    changes: Changes,
    /// What to write; --json is short for `json`.
    #[arg(long, value_enum, default_value_t = Format::Mermaid, conflicts_with = "json")]
    format: Format,
    /// With `github`: the steps that are due then.
    #[arg(long, value_enum, default_value_t = Due::ChangeRequest)]
    phase: Due,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Mermaid,
    Github,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Due {
    ChangeRequest,
    Trunk,
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    options.output.json |= matches!(options.format, Format::Json);
    main_of(|| {
        let found = options.changes.find()?;
        let nature = nature::of(&found.impact, &found.configuration.section()?);
        let cases: Vec<_> = found.catalog.cases()?;
        let tests = ImpactSelector::default().select(&found.impact, &cases);
        let graph = StepGraph::of(&nature, &found.impact, &tests);
        if options.output.json || matches!(options.format, Format::Mermaid) {
            options.output.print(&graph, mermaid)?;
            return Ok(Answer::Done);
        }
        let phase = match options.phase {
            Due::ChangeRequest => Phase::ChangeRequest,
            Due::Trunk => Phase::Trunk,
        };
        github(&graph, phase)
    })
}

/// A flowchart: what is due while the change is proposed, and what is due on trunk.
fn mermaid(graph: &StepGraph) -> String {
    let names: HashMap<&str, String> =
        graph.steps.iter().enumerate().map(|(number, step)| (&*step.id, format!("s{number}"))).collect();
    let mut text = String::from("flowchart LR\n");
    for (phase, title) in [(Phase::ChangeRequest, "change request"), (Phase::Trunk, "trunk")] {
        let steps: Vec<&StepSpec> = graph.steps.iter().filter(|step| step.phase == phase).collect();
        if steps.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  subgraph \"{title}\"");
        for step in steps {
            let _ = writeln!(text, "    {}[\"{}\"]", names[&*step.id], label(&step.id));
        }
        text += "  end\n";
    }
    for step in &graph.steps {
        for need in step.needs.iter().filter_map(|need| names.get(&**need)) {
            let _ = writeln!(text, "  {need} --> {}", names[&*step.id]);
        }
    }
    if graph.steps.is_empty() {
        text += "  nothing[\"nothing follows from this change\"]\n";
    }
    text
}

/// A name as Mermaid takes it: a path may hold anything.
fn label(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/:._- ".contains(c);
    text.chars().map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect()
}

/// One line for each stage that has steps in any phase.
fn github(graph: &StepGraph, phase: Phase) -> Result<Answer, Failure> {
    let mut stages: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for step in &graph.steps {
        stages.entry(stage(step)?).or_default();
    }
    for step in graph.due(phase)? {
        let job = json!({"id": step.id, "stage": step.stage, "subject": step.subject});
        stages.entry(stage(step)?).or_default().push(job);
    }
    let mut answer = Answer::Done;
    for (stage, jobs) in stages {
        if jobs.len() > MATRIX {
            answer = Answer::Part;
            #[allow(clippy::print_stderr)]
            {
                eprintln!(
                    "cannot make a matrix of the stage {stage}: it has {} steps, and GitHub Actions makes at most {MATRIX} jobs of one\n  help: deal them out with `select_tests --shards`, or run several of them in one job",
                    jobs.len()
                );
            }
            continue;
        }
        say(&format!("{stage}={}", json!({ "include": jobs })))?;
    }
    Ok(answer)
}

/// The stage's name, as JSON has it.
fn stage(step: &StepSpec) -> Result<String, Failure> {
    Ok(serde_json::to_value(step.stage)?.as_str().unwrap_or_default().to_owned())
}
