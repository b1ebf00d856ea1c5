//! Applies the saved plans of a dry run that was approved, and verifies that they stand.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Parser;
use infraflow_core::{
    approve::{ApprovalRequest, Approver as _, Refused, SshApprover, Verdict},
    catalog::{Catalog, Node, ReferenceKind},
    deploy::{
        Dependencies, DeployContext, DeployOutcome, Deployer as _, Deployment, DeploymentPlan, SealedPlans,
        TerraformDeployer, Verification,
    },
    dry_run::{DryRun, TerraformDryRunner},
    proof::{RunId, SystemClock},
    publish::{ItemName, Published},
    seal::{SealingKey, SharedKeySealer},
    store::Store,
    terraform::Tool,
};
use infraflow_examples::{
    Answer, Console, Failure, Fetching, Output, Plans, Snapshot, Trunk, cancel_on_interrupt, credentials,
    document, main_waiting, people,
};

/// Says what would be applied, in which order; with --execute, applies such a plan: exactly the saved plans
/// that were approved, from their sealed files, each at most once.
///
/// A plan is made from a dry run (--dry-run, --dry-run-plan), what was published of it (--published) and the
/// request for its approval (--request). Before anything is applied, approvals are counted and used up for
/// this run; the same run may be called again, and goes on. With --verify nothing is applied: the units are
/// planned again.
///
/// Exits with 0 where it is done, 1 where it was refused (an approval is missing, a state moved) or does not
/// hold, 2 where nothing could be begun, 3 where some is applied and some is not.
#[derive(Parser)]
#[command(version)]
#[command(mut_arg("execute", |arg| arg.requires_all(["request", "store", "run", "key", "folder"])))]
struct Options {
    #[command(flatten)]
    trunk: Trunk,
    /// The dry run, as `dry_run --json` prints it.
    #[arg(long, value_name = "FILE", required_unless_present = "execute")]
    dry_run: Option<PathBuf>,
    /// Its plan, as `dry_run --out` writes it.
    #[arg(long, value_name = "FILE", required_unless_present = "execute")]
    dry_run_plan: Option<PathBuf>,
    /// What was published of it, as `dry_run --published` writes it.
    #[arg(long, value_name = "FILE", required_unless_present = "execute")]
    published: Option<PathBuf>,
    /// The request for its approval, as `approve request --out` writes it.
    #[arg(long, value_name = "FILE", required_unless_present = "execute")]
    request: Option<PathBuf>,
    /// With --execute: the store's folder, with the approvals and the sealed plans.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// With --execute: the run's name; the same name resumes it.
    #[arg(long, value_name = "NAME", value_parser = |text: &str| RunId::parse(text))]
    run: Option<RunId>,
    /// With --execute: the key that the saved plans are sealed with.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// With --execute: a folder for what the deployment needs on this machine. It holds secrets, and the same
    /// folder lets a run go on that was cut off.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// With --execute: apply nothing; plan the units again, and say whether nothing is left to be done.
    #[arg(long, requires = "execute")]
    verify: bool,
    #[command(flatten)]
    plans: Plans,
    #[command(flatten)]
    output: Output,
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        match options.plans.read()? {
            Some(plan) => options.execute(&plan).await,
            None => options.plan(),
        }
    })
}

/// What an option names, which the command line has made sure of.
fn given<'a, T>(option: Option<&'a T>, name: &str) -> Result<&'a T, Failure> {
    option.ok_or_else(|| format!("cannot go on: give --{name}").into())
}

impl Options {
    fn plan(&self) -> Result<Answer, Failure> {
        let dry_run: DryRun = document(given(self.dry_run.as_ref(), "dry-run")?)?;
        let planned = document(given(self.dry_run_plan.as_ref(), "dry-run-plan")?)?;
        let published: Published = document(given(self.published.as_ref(), "published")?)?;
        let request: ApprovalRequest = document(given(self.request.as_ref(), "request")?)?;
        let (repository, _, policy) = self.trunk.read()?;
        let at = Snapshot {
            repo: self.trunk.repo.clone(),
            head: request.commit.to_string(),
            config: None,
            live: Vec::new(),
            tool: None,
            cache: None,
            no_cache: false,
            fetching: Fetching::default(),
        };
        let order = dependencies(&at.read_at(repository, request.commit.into())?.catalog)?;
        let mut plan = DeploymentPlan::of(&dry_run, &planned, &request, &policy, &order)?;
        for unit in &mut plan.units {
            let items = published.unit(&unit.unit.id).map(|unit| &unit.items);
            unit.saved_plan = items.and_then(|items| Some(items.get(&ItemName::PlanFile)?.object.clone()));
        }
        self.plans.write(&plan)?;
        self.output.print(&plan, said)?;
        Ok(Answer::Done)
    }

    async fn execute(&self, plan: &DeploymentPlan) -> Result<Answer, Failure> {
        let request: ApprovalRequest = document(given(self.request.as_ref(), "request")?)?;
        let (run, folder) = (given(self.run.as_ref(), "run")?, given(self.folder.as_ref(), "folder")?);
        let store = Store::folder(given(self.store.as_ref(), "store")?)?.declared_durable();
        let sealer = SharedKeySealer::new(SealingKey::read(given(self.key.as_ref(), "key")?)?);
        let (repository, configuration, policy) = self.trunk.read()?;
        let (cancel, console) = (cancel_on_interrupt()?, Console::new());
        let tool = Tool::find()?;
        let runner = Arc::new(TerraformDryRunner::new(tool.clone()));
        let deployer = TerraformDeployer::new(tool, runner, store.clone()).rules(configuration.section()?);
        let context = DeployContext {
            repository: &repository,
            policy: &policy,
            credentials: &credentials(&configuration)?,
            saved_plans: &SealedPlans::new(store.clone(), Arc::new(sealer)),
            folder,
            cancel: &cancel,
            observer: &console,
        };
        if self.verify {
            let verified = deployer.verify(plan, &context).await?;
            self.output.print(&verified, holds)?;
            return Ok(if verified.holds() { Answer::Done } else { Answer::No });
        }
        let approver = SshApprover::new(store, Arc::new(SystemClock));
        let evidence = approver.observe(&request, &cancel, &console).await?;
        match approver.execute(&request, &policy, &evidence, run, &cancel, &console).await? {
            Verdict::Refused(refused) => {
                self.output.print(&refused, not_approved)?;
                Ok(Answer::No)
            }
            Verdict::Approved(approved) => {
                let deployment = deployer.execute(plan, &approved, &context).await?;
                self.output.print(&deployment, done)?;
                Ok(answer(&deployment))
            }
        }
    }
}

/// Where nothing at all was begun, the answer is no.
fn answer(deployment: &Deployment) -> Answer {
    let untouched = [DeployOutcome::NotStarted, DeployOutcome::Refused];
    match deployment.is_done() {
        true => Answer::Done,
        false if deployment.units.iter().all(|unit| untouched.contains(&unit.outcome)) => Answer::No,
        false => Answer::Part,
    }
}

/// Which units consume the outputs of which.
fn dependencies(catalog: &Catalog) -> Result<Dependencies, Failure> {
    let mut order = Dependencies::new();
    for reference in catalog.references()? {
        if let (ReferenceKind::Dependency, Node::Unit(unit), Node::Unit(of)) =
            (reference.kind, reference.from, reference.to)
        {
            order.entry(unit).or_default().push(of);
        }
    }
    Ok(order)
}

fn said(plan: &DeploymentPlan) -> String {
    let mut text = format!("{} units at {}, in this order\n", plan.units.len(), plan.commit.short());
    for unit in &plan.units {
        let _ = writeln!(text, "{}:", unit.unit.id);
        text += &people::plan(&unit.summary);
    }
    text
}

fn not_approved(refused: &Refused) -> String {
    format!("not approved, and nothing was applied\n{}", people::reasons(&refused.reasons))
}

fn done(deployment: &Deployment) -> String {
    let mut text = String::new();
    for unit in &deployment.units {
        let _ = write!(text, "{:?} {}\n{}", unit.outcome, unit.id, people::reasons(&unit.reasons));
        for address in &unit.in_flight {
            let _ = writeln!(text, "      in flight, look at it: {address}");
        }
        for address in &unit.remaining {
            let _ = writeln!(text, "      left to be done: {address}");
        }
    }
    text
}

fn holds(verification: &Verification) -> String {
    let mut text = String::new();
    for unit in &verification.units {
        let how = if unit.holds { "stands" } else { "does NOT stand" };
        let _ = write!(text, "{} {how}\n{}", unit.id, people::reasons(&unit.reasons));
    }
    text
}
