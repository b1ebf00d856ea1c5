//! Brings the references of a live repository to other versions, byte for byte.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use clap::Parser;
use infraflow_core::{
    bump::{
        BumpCommit, BumpPlan, BumpRequest, BumpTarget, Bumped, RefBumper as _, Scaffold, TerraformBumper,
    },
    git::{BranchName, RemoteName, Repository},
    interface::Interface,
    policy::EnvironmentName,
    proof::RepoPath,
};
use infraflow_examples::{
    Answer, Console, Failure, Output, Plans, Seen, Snapshot, Who, cancel_on_interrupt, document,
    main_waiting, people, read,
};

/// Says which references would be brought to which version, and of each that stays, why; with --execute,
/// makes one commit of such a plan, on a branch of its own.
///
/// Which versions: those of a release plan (--releases, --package), named ones (--to), or those that another
/// environment has proven (--promote-from).
///
/// Exits with 0 where it is done, 2 where it could not be: then nothing was committed.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    at: Snapshot,
    /// The versions of this release plan, as `release --out` writes it.
    #[arg(long, value_name = "FILE", requires = "package", conflicts_with_all = ["to", "promote_from"],
          required_unless_present_any = ["to", "promote_from", "execute"])]
    releases: Option<PathBuf>,
    /// With --releases: where the modules are fetched from, without subdirectory and ref, for example
    /// git::https://example.com/modules.git.
    #[arg(long, value_name = "ADDRESS", requires = "releases")]
    package: Option<String>,
    /// This version of a module, for example git::https://example.com/modules.git//network=network/v1.2.0;
    /// may be given several times.
    #[arg(long, value_name = "SOURCE=VERSION", value_parser = target, conflicts_with = "promote_from")]
    to: Vec<BumpTarget>,
    /// The versions that this environment has now; a module that it has at several is left out.
    #[arg(long, value_name = "ENVIRONMENT", requires = "environment",
          value_parser = |text: &str| EnvironmentName::parse(text))]
    promote_from: Option<EnvironmentName>,
    /// A unit that calls a module of these versions for the first time, written from the module's variables,
    /// for example dev/cluster=modules/cluster; may be given several times.
    #[arg(long, value_name = "UNIT=MODULE", value_parser = unit_of, requires = "modules")]
    scaffold: Vec<(RepoPath, RepoPath)>,
    /// With --scaffold: a clone of the modules repository that has the tags.
    #[arg(long, value_name = "DIR", requires = "scaffold")]
    modules: Option<PathBuf>,
    /// With --scaffold: the value of a variable, as HCL: a text has its quotes; may be given several times.
    #[arg(long, value_name = "NAME=EXPRESSION", value_parser = value, requires = "scaffold")]
    value: Vec<(String, String)>,
    /// With --scaffold: what stands before the call, as HCL: the backend, providers.
    #[arg(long, value_name = "FILE", requires = "scaffold")]
    settings: Option<PathBuf>,
    /// Only in this environment.
    #[arg(long, value_name = "ENVIRONMENT", value_parser = |text: &str| EnvironmentName::parse(text))]
    environment: Option<EnvironmentName>,
    /// With --execute: the branch of the commit.
    #[arg(long, value_name = "BRANCH", default_value = "infraflow/bump", value_parser = |text: &str| BranchName::parse(text))]
    branch: BranchName,
    /// With --execute: push the branch there, and leave none in this clone.
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, default_missing_value = "origin", value_parser = |text: &str| RemoteName::parse(text))]
    push: Option<RemoteName>,
    /// With --execute: the message of the commit.
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    author: Who,
    #[command(flatten)]
    plans: Plans,
    #[command(flatten)]
    output: Output,
}

fn target(text: &str) -> Result<BumpTarget, Failure> {
    let (source, version) = text.rsplit_once('=').ok_or("write it as SOURCE=VERSION")?;
    Ok(BumpTarget::new(source, version)?)
}

fn unit_of(text: &str) -> Result<(RepoPath, RepoPath), Failure> {
    let (unit, module) = text.split_once('=').ok_or("write it as UNIT=MODULE")?;
    Ok((RepoPath::parse(unit)?, RepoPath::parse(module)?))
}

fn value(text: &str) -> Result<(String, String), String> {
    let (name, expression) = text.split_once('=').ok_or("write it as NAME=EXPRESSION")?;
    Ok((name.to_owned(), expression.to_owned()))
}

impl Options {
    /// Units that do not exist yet, each from the interface that its module has at the version it gets.
    fn with_scaffolds(&self, mut request: BumpRequest) -> Result<BumpRequest, Failure> {
        let Some(modules) = &self.modules else { return Ok(request) };
        let modules = Repository::open(modules)?;
        let settings = match &self.settings {
            Some(file) => String::from_utf8(read(file)?)?,
            None => String::new(),
        };
        for (unit, module) in &self.scaffold {
            let target = request.targets().iter().find(|target| target.directory().as_ref() == Some(module));
            let Some(target) = target else {
                return Err(format!(
                    "cannot scaffold {unit}: no version of {module} is asked for\n  help: name one with --to, or a release plan that has it"
                )
                .into());
            };
            let tree = modules.tree(&modules.resolve(&target.to)?.into())?;
            let scaffold = Scaffold::new(unit.clone(), module.clone(), Interface::read(&tree, module)?)
                .settings(&*settings);
            let values = self.value.iter().cloned();
            request = request.scaffold(values.fold(scaffold, |it, (name, value)| it.value(name, value)));
        }
        Ok(request)
    }

    fn request(&self, seen: &Seen) -> Result<BumpRequest, Failure> {
        let request = match (&self.releases, &self.promote_from) {
            (Some(releases), _) => {
                let package = self.package.as_deref().ok_or("cannot plan: --releases needs --package")?;
                BumpRequest::releases(package, &document(releases)?)?
            }
            (None, Some(from)) => BumpRequest::promotion(&seen.catalog, from)?,
            (None, None) => BumpRequest::new(self.to.iter().cloned()),
        };
        for name in self.environment.iter().chain(&self.promote_from) {
            if seen.policy.environment(name).is_none() {
                let known: Vec<_> = seen.policy.environments().iter().map(|it| it.name.as_str()).collect();
                return Err(format!(
                    "cannot bump in {name}: the policy has no such environment\n  help: it has {}",
                    if known.is_empty() {
                        "none: write [environments] in infraflow.toml".into()
                    } else {
                        known.join(", ")
                    }
                )
                .into());
            }
        }
        let request = self.with_scaffolds(request)?;
        Ok(match &self.environment {
            Some(environment) => request.in_environment(environment.clone()),
            None => request,
        })
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        let seen = options.at.read()?;
        if let Some(plan) = options.plans.read::<BumpPlan>()? {
            let commit = BumpCommit {
                base: seen.commit()?,
                branch: options.branch,
                message: options.message.unwrap_or_else(|| message(&plan)),
                author: options.author.identity(),
                push: options.push,
            };
            let cancel = cancel_on_interrupt()?;
            let bumped =
                TerraformBumper.execute(&plan, &seen.repository, &commit, &cancel, &Console::new()).await?;
            options.output.print(&bumped, done)?;
            return Ok(Answer::Done);
        }
        let plan = TerraformBumper.plan(&options.request(&seen)?, &seen.tree, &seen.catalog)?;
        options.plans.write(&plan)?;
        options.output.print(&plan, planned)?;
        Ok::<_, Failure>(Answer::Done)
    })
}

/// What the commit says: each module and the version it gets.
fn message(plan: &BumpPlan) -> String {
    let mut lines: Vec<_> = plan.edits.iter().map(|edit| format!("{} to {}", edit.module, edit.to)).collect();
    lines.sort();
    lines.dedup();
    match &lines[..] {
        [one] => format!("chore: bump {one}\n"),
        many => format!("chore: bump {} modules\n\n{}\n", many.len(), many.join("\n")),
    }
}

fn planned(plan: &BumpPlan) -> String {
    let mut text = format!("{} edits, {} references stay\n", plan.edits.len(), plan.skipped.len());
    for edit in &plan.edits {
        let from = edit.from.as_deref().unwrap_or("nothing");
        let _ = writeln!(text, "  {}:{} {}: {from} -> {}", edit.path, edit.start, edit.module, edit.to);
    }
    for skipped in &plan.skipped {
        let _ = write!(text, "  stays: {}\n{}", skipped.path, people::reasons(&skipped.reasons));
    }
    text
}

fn done(bumped: &Bumped) -> String {
    format!("{} on the branch {}, on top of {}", bumped.commit.short(), bumped.branch, bumped.base.short())
}
