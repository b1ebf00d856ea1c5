//! Plans the versions of modules, and tags them.

use std::{fmt::Write as _, process::ExitCode};

use clap::Parser;
use infraflow_core::{
    address::Version,
    git::{BranchName, RemoteName},
    proof::RepoPath,
    release::{ModuleTags, ReleasePlan, ReleaseRequest, ReleaseTagger as _, Released, TagState, Unreleased},
};
use infraflow_examples::{
    Answer, Console, Failure, Output, Plans, Snapshot, Who, cancel_on_interrupt, main_waiting, people,
};

/// Says which version each module would be released as, and why; with --execute, makes the tags of such a
/// plan in one push, all or none.
///
/// The plan has everything that makes a tag, its date too: carried out twice, it makes the same tags once. A
/// tag that exists is never moved.
///
/// Exits with 0 where it is done, 1 where a module would need a version and cannot have it, 2 where it could
/// not be done: then no tag was made.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    at: Snapshot,
    /// Where the tags are.
    #[arg(long, value_name = "REMOTE", default_value = "origin", value_parser = |text: &str| RemoteName::parse(text))]
    remote: RemoteName,
    /// The branch of the remote that must hold the commit when it is tagged; the trunk, if nothing is said.
    #[arg(long, value_name = "BRANCH", value_parser = |text: &str| BranchName::parse(text))]
    trunk: Option<BranchName>,
    /// Only this module; may be given several times.
    #[arg(long, value_name = "MODULE", value_parser = |text: &str| RepoPath::parse(text))]
    module: Vec<RepoPath>,
    /// This very version, for example modules/network=2.0.0; may be given several times.
    #[arg(long = "as", value_name = "MODULE=VERSION", value_parser = version)]
    versions: Vec<(RepoPath, Version)>,
    #[command(flatten)]
    tagger: Who,
    #[command(flatten)]
    plans: Plans,
    #[command(flatten)]
    output: Output,
}

fn version(text: &str) -> Result<(RepoPath, Version), Failure> {
    let (module, version) = text.rsplit_once('=').ok_or("write it as MODULE=VERSION")?;
    Ok((RepoPath::parse(module)?, Version::parse(version)?))
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        let cancel = cancel_on_interrupt()?;
        if let Some(plan) = options.plans.read::<ReleasePlan>()? {
            let repository = options.at.repository()?;
            let tagger = ModuleTags::of(&options.at.configuration(&repository.tree(&plan.head.into())?)?)?;
            let released = tagger.execute(&plan, &repository, &cancel, &Console::new()).await?;
            options.output.print(&released, tags)?;
            return Ok(Answer::Done);
        }
        let seen = options.at.read()?;
        let trunk = options.trunk.map_or_else(|| seen.repository.trunk(), Ok)?;
        let there = ReleaseRequest::observe_tags(&seen.repository, &options.remote, &cancel).await?;
        let mut request = ReleaseRequest::new(seen.commit()?, options.tagger.identity())
            .tags(there)
            .remote(options.remote)
            .trunk(trunk);
        request = options.module.into_iter().fold(request, ReleaseRequest::only);
        request = options.versions.into_iter().fold(request, |it, (module, to)| it.version(module, to));
        let plan = ModuleTags::of(&seen.configuration)?.plan(&request, &seen.repository, &seen.catalog)?;
        options.plans.write(&plan)?;
        options.output.print(&plan, planned)?;
        Ok(if plan.refused.is_empty() { Answer::Done } else { Answer::No })
    })
}

fn planned(plan: &ReleasePlan) -> String {
    let mut text = String::new();
    for release in &plan.releases {
        let previous = release.previous.as_ref().map_or("nothing".into(), ToString::to_string);
        let _ = writeln!(text, "release {} ({}, after {previous})", release.tag, release.bump.as_str());
        text += &people::reasons(&release.reasons);
    }
    let mut others = |what: &str, modules: &[Unreleased]| {
        for module in modules {
            let _ = write!(text, "{what} {}\n{}", module.module, people::reasons(&module.reasons));
        }
    };
    others("unchanged", &plan.unchanged);
    others("REFUSED", &plan.refused);
    text
}

fn tags(released: &Released) -> String {
    let mut text = String::new();
    for tag in &released.tags {
        let state = match tag.state {
            TagState::Created => "created",
            TagState::AlreadyThere => "was there already",
        };
        let _ = writeln!(text, "{} {state}, at {}", tag.tag, tag.commit.short());
    }
    for tag in &released.without_events {
        let _ = writeln!(text, "GitHub starts no workflow for {tag}: dispatch it");
    }
    text
}
