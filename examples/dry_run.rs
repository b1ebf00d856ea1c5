//! What applying would do to units, without applying it; the whole logs sealed, a summary in clear.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{ArgGroup, Parser};
use infraflow_core::{
    catalog::UnitId,
    dry_run::{
        DryRun, DryRunContext, DryRunOutcome, DryRunPlan, DryRunner as _, Scope, TerraformDryRunner,
        UnitOutcome,
    },
    proof::{RunId, SigningKey},
    publish::{Published, Publisher as _, Sealers, StorePublisher},
    seal::{SealingKey, SharedKeySealer},
    store::Store,
    terraform::Tool,
};
use infraflow_examples::{
    Answer, Changes, Console, Failure, Output, Plans, cancel_on_interrupt, credentials, main_waiting, people,
};
use tokio_util::sync::CancellationToken;

/// Plans units with terraform or tofu, from an export of their commit, and says what applying would do.
///
/// Which units: those that the change touches, or --unit, or --all. With --out it only says which, and
/// writes that plan; --execute carries it out. With --store, the whole logs and the saved plans are sealed,
/// signed and published there; what is printed has no value of any resource.
///
/// Exits with 0 where every unit was planned, 1 where one failed, 2 where nothing could be begun, 3 where one
/// was not planned.
#[derive(Parser)]
#[command(version, group = ArgGroup::new("scope").args(["unit", "all", "execute"]).multiple(false))]
struct Options {
    #[command(flatten)]
    changes: Changes,
    /// This unit; may be given several times.
    #[arg(long, value_name = "ID", value_parser = |text: &str| UnitId::parse(text), conflicts_with_all = ["all", "execute"])]
    unit: Vec<UnitId>,
    /// All units.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    posting: Posting,
    #[command(flatten)]
    plans: Plans,
    #[command(flatten)]
    output: Output,
}

#[derive(clap::Args)]
struct Posting {
    /// The store's folder. Fingerprints are made under its key: those of two stores do not compare.
    #[arg(long, value_name = "DIR", requires_all = ["key", "signing_key", "repository", "run"])]
    store: Option<PathBuf>,
    /// The key that the logs are sealed with.
    #[arg(long, value_name = "FILE", requires = "store")]
    key: Option<PathBuf>,
    /// The SSH key that signs the manifests.
    #[arg(long, value_name = "FILE", requires = "store")]
    signing_key: Option<PathBuf>,
    /// The repository, by the name that all parties use for it.
    #[arg(long, value_name = "NAME", requires = "store")]
    repository: Option<String>,
    /// The run's name; the same name resumes it.
    #[arg(long, value_name = "NAME", requires = "store", value_parser = |text: &str| RunId::parse(text))]
    run: Option<RunId>,
    /// Write what was published, and where, to this file, for `deploy`.
    #[arg(long, value_name = "FILE", requires = "store")]
    published: Option<PathBuf>,
}

impl Posting {
    /// Where to post, if that was asked for. The keys are read before anything is planned.
    fn open(&self) -> Result<Option<(Store, StorePublisher)>, Failure> {
        let (Some(folder), Some(key), Some(signing), Some(name), Some(run)) =
            (&self.store, &self.key, &self.signing_key, &self.repository, &self.run)
        else {
            return Ok(None);
        };
        let store = Store::folder(folder)?.declared_durable();
        let sealer = Arc::new(SharedKeySealer::new(SealingKey::read(key)?));
        let sealers = Sealers::new().with_others(sealer);
        let signing = SigningKey::read(signing)?;
        let publisher = StorePublisher::new(store.clone(), name, run.clone(), signing, sealers);
        Ok(Some((store, publisher)))
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        let found = options.changes.find()?;
        let runner = TerraformDryRunner::new(Tool::find()?);
        let plan = match options.plans.read()? {
            Some(plan) => plan,
            None => {
                let scope = match (options.all, &options.unit[..]) {
                    (true, _) => Scope::All,
                    (false, []) => Scope::Impact(&found.impact),
                    (false, units) => Scope::Units(units),
                };
                runner.plan(&found.changes.head, &found.catalog, scope, &found.policy)?
            }
        };
        if options.plans.out.is_some() {
            options.plans.write(&plan)?;
            options.output.print(&plan, planned)?;
            return Ok(Answer::Done);
        }
        let posting = options.posting.open()?;
        let (cancel, console) = (cancel_on_interrupt()?, Console::new());
        // Without a store nothing is kept that a fingerprint could be compared with.
        let store = posting.as_ref().map_or_else(Store::memory, |(store, _)| store.clone());
        let context = DryRunContext {
            repository: &found.repository,
            credentials: &credentials(&found.configuration)?,
            hmac: &store.hmac().await?,
            cancel: &cancel,
            observer: &console,
        };
        let outcome = runner.observe(&plan, &context).await?;
        let Some((_, publisher)) = posting else {
            options.output.print(&outcome.dry_run, summary)?;
            return Ok(answer(&outcome.dry_run));
        };
        let published = publish(&publisher, &outcome, &cancel, &console).await?;
        Plans::write_to(options.posting.published.as_deref(), &published)?;
        let dry_run = published.with_logs(outcome.dry_run.clone());
        options.output.print(&dry_run, |_| published.text.clone())?;
        Ok(answer(&dry_run))
    })
}

async fn publish(
    publisher: &StorePublisher,
    outcome: &DryRunOutcome,
    cancel: &CancellationToken,
    console: &Console,
) -> Result<Published, Failure> {
    let plan = publisher.plan(&outcome.dry_run)?;
    Ok(publisher.execute(&plan, &outcome.dry_run, &outcome.artefacts, cancel, console).await?)
}

fn answer(dry_run: &DryRun) -> Answer {
    let any = |outcome| dry_run.units.iter().any(|unit| unit.outcome == outcome);
    match (any(UnitOutcome::Error), any(UnitOutcome::Skipped)) {
        (true, _) => Answer::No,
        (false, true) => Answer::Part,
        (false, false) => Answer::Done,
    }
}

fn planned(plan: &DryRunPlan) -> String {
    let mut text = format!("{} units at {}\n", plan.units.len(), plan.revision);
    for unit in &plan.units {
        let _ = write!(text, "  {}\n{}", unit.id, people::reasons(&unit.reasons));
    }
    for skipped in &plan.skipped {
        let _ = write!(text, "  not {}\n{}", skipped.id, people::reasons(&skipped.reasons));
    }
    text
}

/// Addresses and attribute names, no values.
fn summary(dry_run: &DryRun) -> String {
    let mut text = String::new();
    for unit in &dry_run.units {
        let _ = writeln!(text, "{:?} {}: {}", unit.outcome, unit.id, people::counts(&unit.counts));
        if let Some(plan) = &unit.plan {
            text += &people::plan(plan);
        }
        text += &people::reasons(&unit.reasons);
    }
    text
}
