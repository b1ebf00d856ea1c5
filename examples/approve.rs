//! Asks for approval of a plan, gives it, and counts it.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::{Parser, Subcommand};
use infraflow_core::{
    approve::{
        ApprovalRequest, Approved, Approver as _, ChangeFacts, Nonce, Refused, SshApprover, Verdict, authors,
    },
    dry_run::DryRun,
    git::Revision,
    proof::{Clock as _, Principal, SigningKey, SystemClock},
    store::Store,
};
use infraflow_examples::{
    Answer, Changes, Console, Failure, Keeping, Output, Plans, Trunk, cancel_on_interrupt, document,
    main_waiting, people, say,
};

/// Says what has to be approved before a dry run is applied (request), signs it as a person (sign), and
/// counts who approved (check).
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Request(Request),
    Sign(Sign),
    Check(Check),
}

/// Says what people are asked to approve, and what trunk's policy asks of them.
///
/// Exits with 0 where it is said, 2 where nobody can be asked: a unit failed, was mocked, or is not committed.
#[derive(clap::Args)]
struct Request {
    #[command(flatten)]
    changes: Changes,
    /// The dry run, as `dry_run --json` prints it.
    #[arg(long, value_name = "FILE")]
    dry_run: PathBuf,
    /// The repository, by the name that all parties use for it.
    #[arg(long, value_name = "NAME")]
    repository: String,
    /// Who made the change, beside whom its commits name: whoever opened the change request. They cannot
    /// approve it. May be given several times.
    #[arg(long, value_name = "NAME")]
    author: Vec<String>,
    /// Write the request to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Approves of a plan, with your SSH key.
///
/// Read the plan first: its sealed log says everything, and `open_log` opens it.
///
/// Exits with 0 where the approval stands in the store, 2 where it could not be put there.
#[derive(clap::Args)]
struct Sign {
    /// The request.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// Your SSH key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Who you are, as the policy's allowed signers name you.
    #[arg(long = "as", value_name = "NAME")]
    by: String,
    /// How long the approval holds; as long as the policy allows, if nothing is said.
    #[arg(long, value_name = "HOURS")]
    hours: Option<u32>,
    /// The store's folder.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// Counts approvals, and uses them up for this run: no other run can use them, and the same one may ask
/// again.
///
/// The request must come from a job that the change has no hand in: what is asked for stands in it. `deploy`
/// asks the saved plans themselves once more.
///
/// Exits with 0 where enough people approved, 1 where they did not, 2 where they could not be counted.
#[derive(clap::Args)]
struct Check {
    #[command(flatten)]
    trunk: Trunk,
    /// The request.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    #[command(flatten)]
    keeping: Keeping,
    #[command(flatten)]
    output: Output,
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        match options.what {
            What::Request(request) => request.run(),
            What::Sign(sign) => sign.run().await,
            What::Check(check) => check.run().await,
        }
    })
}

impl Request {
    fn run(self) -> Result<Answer, Failure> {
        let found = self.changes.find()?;
        let dry_run: DryRun = document(&self.dry_run)?;
        let mut by = authors(&found.repository, &found.changes)?;
        by.extend(self.author.into_iter().map(Principal));
        // Trunk itself, deployed again: there is no change that anybody could have made.
        let again = found.changes.head == Revision::Commit(found.changes.base);
        let files = (!again).then_some(&found.changes);
        let facts = ChangeFacts { repository: &self.repository, files, authors: by };
        let request = ApprovalRequest::of(&dry_run, &found.policy, &facts)?;
        Plans::write_to(self.out.as_deref(), &request)?;
        self.output.print(&request, asked)?;
        Ok(Answer::Done)
    }
}

impl Sign {
    async fn run(self) -> Result<Answer, Failure> {
        let request: ApprovalRequest = document(&self.request)?;
        let hours = u64::from(self.hours.unwrap_or(request.hours));
        let until = SystemClock.now().plus(Duration::from_secs(hours * 3600));
        let statement = request.statement(Principal(self.by), until, Nonce::random()?);
        let signed = SigningKey::read(&self.key)?.sign(statement)?;
        let approver = SshApprover::new(Store::folder(&self.store)?, Arc::new(SystemClock));
        let key = approver.stored().put(&signed).await?;
        let text = if self.output.json {
            serde_json::to_string_pretty(&signed)?
        } else {
            let it = &signed.statement;
            format!("{} approves of the plan {} until {}: {key}", it.approver, it.plan.short(), it.not_after)
        };
        say(&text)?;
        Ok(Answer::Done)
    }
}

impl Check {
    async fn run(self) -> Result<Answer, Failure> {
        let request: ApprovalRequest = document(&self.request)?;
        let (_, _, policy) = self.trunk.read()?;
        let approver = SshApprover::new(self.keeping.open()?, Arc::new(SystemClock));
        let (cancel, console) = (cancel_on_interrupt()?, Console::new());
        let evidence = approver.observe(&request, &cancel, &console).await?;
        let run = &self.keeping.run;
        match approver.execute(&request, &policy, &evidence, run, &cancel, &console).await? {
            Verdict::Approved(approved) => {
                let text = if self.output.json { json(&approved)? } else { counted(&approved) };
                say(&text)?;
                Ok(Answer::Done)
            }
            Verdict::Refused(refused) => {
                self.output.print(&refused, said)?;
                Ok(Answer::No)
            }
        }
    }
}

/// An approval is never read back from a file, so it is no document; it is printed as if it were one.
fn json(approved: &Approved) -> Result<String, Failure> {
    let mut value = serde_json::to_value(approved)?;
    if let Some(members) = value.as_object_mut() {
        members.insert("kind".into(), "approved".into());
        members.insert("schema_version".into(), 1.into());
    }
    Ok(serde_json::to_string_pretty(&value)?)
}

fn asked(request: &ApprovalRequest) -> String {
    let mut text =
        format!("plan {} of {} at {}\n", request.plan.short(), request.repository, request.commit.short());
    for unit in &request.units {
        let _ = writeln!(text, "  {unit}");
    }
    for path in &request.gate {
        let _ = writeln!(text, "  it edits {path}, which is part of the policy; the policy before it judges");
    }
    if request.required.is_empty() {
        text += "nobody needs to approve\n";
    }
    for it in &request.required {
        let who: Vec<_> = it.approvers.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "{} of {} must approve ({})", it.count, who.join(", "), it.rule);
        text += &people::reasons(&it.reasons);
    }
    text
}

fn counted(approved: &Approved) -> String {
    let by: Vec<_> = approved.by.iter().map(|it| it.approver.to_string()).collect();
    let by = if by.is_empty() { "nobody had to".into() } else { format!("by {}", by.join(", ")) };
    format!("approved for the run {}: {by}", approved.run)
}

fn said(refused: &Refused) -> String {
    format!("refused: plan {}\n{}", refused.plan.short(), people::reasons(&refused.reasons))
}
