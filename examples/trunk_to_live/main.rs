//! The whole road, in one run: from a commit in a modules repository to a verified live environment.
//!
//! Read it from the top: [`walk`] is the road, `modules.rs` its first half (detect, impact, test, release),
//! `live.rs` its second (bump, dry run, approve, deploy, verify), and `check.rs` what is proved at the end.
//! `demonstration.rs` makes the two repositories that it walks on, `own/` plans on yours.
#![allow(unreachable_pub)] // one program, in several files

mod check;
mod demonstration;
mod live;
mod modules;
mod own;
mod road;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use infraflow_core::{
    pipeline::Run,
    proof::RunId,
    store::{Key, Store},
    terraform::Tool,
};
use infraflow_examples::{Answer, Console, Failure, Who, cancel_on_interrupt, main_waiting};

use demonstration::{Demonstration, ENVIRONMENTS};
use own::OwnRepositories;
use road::Road;

/// Walks a change the whole road: from a commit in a modules repository to a verified live environment.
///
/// Without options it makes two repositories with bare remotes in a temporary folder, and walks: detect,
/// impact, tests in a sandbox, release, bump, dry run, sealed log, approval, deployment, promotion, drift.
///
/// With --modules-repo and --live-repo it plans on your own repositories: detect, impact, release plan, bump
/// plan, dry run. It writes to them only with --execute, and never merges, approves or deploys.
///
/// Exits with 0 when the whole road was walked, 1 when something of yours could not be released or planned, 2
/// when it could not be walked, 3 when only the half was that needs neither Terraform nor OpenTofu.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Make the demonstration in this folder, which is empty or not there yet.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Go on with the demonstration in this folder, where an earlier process ended.
    #[arg(long, value_name = "DIR", conflicts_with = "dir")]
    resume: Option<PathBuf>,
    /// Where the keys of the people and environments are, or are made. By default in the demonstration.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    #[command(flatten)]
    own: OwnRepositories,
    #[command(flatten)]
    who: Who,
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        match options.own.paths() {
            Some((modules, live)) => own::walk(modules, live, &options.own, options.who.identity()).await,
            None => demonstrate(options).await,
        }
    })
}

async fn demonstrate(options: Options) -> Result<Answer, Failure> {
    let folder = folder_for(options.dir, options.resume)?;
    let folder = folder.canonicalize()?;
    let keys = options.keys.unwrap_or_else(|| folder.join("keys"));
    let world = Demonstration::open(&folder, &keys, options.who.identity().when)?;

    let console = Console::new();
    let cancel = cancel_on_interrupt()?;
    let store = Store::folder(&world.store())?.declared_durable();
    store.set_hmac_key(&world.fingerprint_key()?).await?;
    let run = Run::open(&store, RunId::parse("trunk-to-live")?, &console).await?;
    let tool = Tool::find();
    if let Err(error) = &tool {
        console.say(format!("{error}\n  the half of the road that needs neither is walked"));
    }
    let road = Road { world, store: store.clone(), run, tool: tool.ok(), console: &console, cancel };
    let (answer, logs) = walk(&road).await?;
    road.end(&logs).await?;
    Ok(answer)
}

/// The demonstration's folder: a new one, or one that an earlier process began in.
fn folder_for(dir: Option<PathBuf>, resume: Option<PathBuf>) -> Result<PathBuf, Failure> {
    match (dir, resume) {
        (_, Some(folder)) if Demonstration::is_in(&folder) => Ok(folder),
        (_, Some(folder)) => {
            let help = "help: begin one there with --dir";
            Err(format!("cannot resume in {}: no demonstration began there\n  {help}", folder.display())
                .into())
        }
        (Some(folder), None) => {
            std::fs::create_dir_all(&folder)?;
            if std::fs::read_dir(&folder)?.next().is_some() {
                let help = "help: go on with one that began there with --resume, or name another folder";
                return Err(format!("cannot begin in {}: it is not empty\n  {help}", folder.display()).into());
            }
            Ok(folder)
        }
        (None, None) => Ok(tempfile::Builder::new().prefix("trunk-to-live-").tempdir()?.keep()),
    }
}

/// The road.
async fn walk(road: &Road<'_>) -> Result<(Answer, Vec<(&'static str, Key)>), Failure> {
    road.prepare().await?;
    let change = modules::change(road).await?; // 1: a small commit on a branch
    let found = modules::assess(road, &change).await?; // 2: what it touches, and what follows from that
    let Some(tool) = &road.tool else {
        let releases = modules::release(road, &found).await?; // 4
        live::plan_bump(road, ENVIRONMENTS[0], &releases).await?; // 5
        return Ok((Answer::Part, Vec::new()));
    };
    modules::test(road, tool, &change, &found).await?; // 3: deployed, looked at, destroyed
    let releases = modules::release(road, &found).await?; // 4: merged and tagged
    let mut logs = Vec::new();
    for environment in ENVIRONMENTS {
        let log = live::promote(road, tool, environment, &releases).await?; // 5 to 9
        logs.push((environment, log));
    }
    check::nothing_in_clear(road, &logs).await?; // what stands in the opened logs stands nowhere else
    check::trunk_is_true(road, tool).await?; // 10
    Ok((Answer::Done, logs))
}
