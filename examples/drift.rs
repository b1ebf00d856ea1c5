//! Whether trunk mirrors what is deployed.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use clap::Parser;
use infraflow_core::{
    dry_run::{DriftReport, DryRunContext, SeenIn, TerraformDryRunner, check_drift},
    git::{CloneOptions, RemoteName, Repository},
    store::Store,
    terraform::Tool,
};
use infraflow_examples::{
    Answer, Console, Failure, Fetching, Output, Snapshot, cancel_on_interrupt, credentials, main_waiting,
    people,
};

/// Makes a fresh clone of trunk, plans every unit of it, and says which of them are not as trunk says: unit,
/// address and attribute, without values.
///
/// Exits with 0 where nothing is to be done anywhere, 1 where something is or a unit could not be planned, 2
/// where nothing could be begun.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// A clone, whose `origin` is cloned afresh, or the repository's address.
    #[arg(long, value_name = "DIR|ADDRESS", default_value = ".")]
    repo: String,
    /// Another infraflow.toml than the repository's own.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directories that are units, whatever the rules say; may be given several times.
    #[arg(long, value_name = "GLOB")]
    live: Vec<String>,
    #[command(flatten)]
    output: Output,
}

/// Where to clone from.
fn address(repo: &str) -> Result<String, Failure> {
    let Ok(folder) = std::fs::canonicalize(repo) else { return Ok(repo.to_owned()) };
    let origin = Repository::open(&folder)?.remote_url(&RemoteName::origin())?;
    Ok(origin.map_or_else(|| folder.to_string_lossy().into_owned(), |url| url.to_string()))
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        let folder = tempfile::tempdir()?;
        let clone = folder.path().join("trunk");
        let repository = Repository::clone_from(&address(&options.repo)?, &clone, &CloneOptions::new())?;
        let revision = repository.trunk_tip()?.into();
        let at = Snapshot {
            repo: clone,
            head: String::new(),
            config: options.config,
            live: options.live,
            tool: None,
            cache: None,
            no_cache: false,
            fetching: Fetching::default(),
        };
        let seen = at.read_at(repository, revision)?;
        let (cancel, console) = (cancel_on_interrupt()?, Console::new());
        let context = DryRunContext {
            repository: &seen.repository,
            credentials: &credentials(&seen.configuration)?,
            hmac: &Store::memory().hmac().await?,
            cancel: &cancel,
            observer: &console,
        };
        let runner = TerraformDryRunner::new(Tool::find()?);
        let (report, _) = check_drift(&runner, &seen.revision, &seen.catalog, &seen.policy, &context).await?;
        options.output.print(&report, said)?;
        Ok(if report.is_clean() { Answer::Done } else { Answer::No })
    })
}

fn said(report: &DriftReport) -> String {
    let disagreeing = report.disagreeing().count();
    let mut text =
        format!("{disagreeing} of {} units are not as {} says\n", report.units.len(), report.revision);
    for unit in report.disagreeing() {
        let _ = writeln!(text, "  {:?} {}", unit.outcome, unit.id);
        for it in &unit.disagreements {
            let of = format!("{} {}", it.address, it.path);
            let _ =
                writeln!(text, "    {} ({}, seen in the {})", of.trim_end(), it.actions, seen_in(it.seen_in));
        }
        text += &people::reasons(&unit.reasons);
    }
    text
}

fn seen_in(place: SeenIn) -> &'static str {
    match place {
        SeenIn::World => "world",
        _ => "plan",
    }
}
