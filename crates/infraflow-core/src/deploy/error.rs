use std::path::PathBuf;

use crate::{
    approve::Missing,
    catalog::{CatalogError, UnitId},
    dry_run::DryRunError,
    git::{CommitId, GitError, Revision},
    policy::PolicyError,
    proof::{Digest, ProofError, RunId},
    seal::SealError,
    store::StoreError,
    terraform::{StateVersion, TerraformError, ToolVersion},
};

/// What can go wrong before anything is applied: each of these means that nothing was. What goes wrong
/// afterwards is an outcome of its unit ([`super::DeployedUnit`]).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// What is there could not be told.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Two documents do not belong together.
    #[error(
        "cannot deploy: {what} is for the plan {found}, and the plan to be deployed is {expected}\n  help: plan, ask for approval and deploy with the files of one dry run"
    )]
    OtherPlan {
        /// What does not belong.
        what: &'static str,
        /// The digest of the plan that is to be deployed.
        expected: Digest,
        /// The digest of the plan that it is for.
        found: Digest,
    },
    /// What was planned and what was approved stand at two commits.
    #[error(
        "cannot deploy: {planned} was planned, and {approved} was approved\n  help: plan that commit, and ask for approval of it"
    )]
    OtherCommit {
        /// What was planned.
        planned: Revision,
        /// What was approved.
        approved: CommitId,
    },
    /// A unit has no plan that could be applied.
    #[error("cannot deploy {unit}: {why}\n  help: plan it again")]
    NotPlanned {
        /// The unit.
        unit: Box<UnitId>,
        /// What is missing.
        why: &'static str,
    },
    /// A unit's state is a file of somebody's checkout, where a deployment would lose it.
    #[error(
        "cannot deploy {unit}: it has no backend, so its state would be lost with the folder it is applied in\n  help: give it a backend"
    )]
    LocalState {
        /// The unit.
        unit: Box<UnitId>,
    },
    /// Units wait for each other.
    #[error("cannot order the units: these wait for each other, or for one that does: {}", names(units))]
    Circle {
        /// The units.
        units: Vec<UnitId>,
    },
    /// The approval is for another run or another plan, or not enough people approved of what the saved plans
    /// really do.
    #[error(
        "cannot deploy: {why}{}\n  help: ask for approval of this plan, by the policy of trunk",
        listed(missing)
    )]
    NotApproved {
        /// What is wrong with the approval.
        why: String,
        /// The requirements that are not met.
        missing: Vec<Missing>,
    },
    /// A saved plan is not to be had.
    #[error(
        "cannot deploy {unit}: nobody has its saved plan\n  help: plan it again, or pass the folder where its plan was saved"
    )]
    NoSavedPlan {
        /// The unit.
        unit: Box<UnitId>,
    },
    /// A file is not the one that was planned.
    #[error(
        "cannot deploy {unit}: the digest of its saved plan is {found}, and {expected} was approved\n  help: it was altered or exchanged after it was planned; plan again"
    )]
    PlanFileAltered {
        /// The unit.
        unit: Box<UnitId>,
        /// The digest that was planned.
        expected: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// What the saved plan does is not what the dry run says of it.
    #[error(
        "cannot deploy {unit}: {what} of its saved plan is not what the dry run says\n  help: the dry run was altered after it was made, or what it was made from has moved; plan again"
    )]
    OtherMeaning {
        /// The unit.
        unit: Box<UnitId>,
        /// What differs.
        what: &'static str,
    },
    /// The state moved since the plan was made.
    #[error(
        "cannot deploy {unit}: its state is {}, and {} was planned against\n  help: somebody applied something meanwhile; plan again",
        shown(found),
        shown(planned)
    )]
    StateMoved {
        /// The unit.
        unit: Box<UnitId>,
        /// The state that was planned against.
        planned: Box<Option<StateVersion>>,
        /// The state found.
        found: Box<Option<StateVersion>>,
    },
    /// Another tool, or another version of it, than the one that planned.
    #[error(
        "cannot deploy {unit}: {planned} planned it, and here is {found}\n  help: use the version that planned, or plan again"
    )]
    OtherTool {
        /// The unit.
        unit: Box<UnitId>,
        /// The tool that planned.
        planned: Box<ToolVersion>,
        /// The tool here.
        found: Box<ToolVersion>,
    },
    /// Another run applied this saved plan, or began to.
    #[error(
        "cannot deploy {unit}: run {by} began to apply this very plan, and a plan is applied once\n  help: resume that run, or plan again"
    )]
    PlanUsed {
        /// The unit.
        unit: Box<UnitId>,
        /// The run.
        by: RunId,
    },
    /// This run began to apply another plan to this unit, and that did not come to a good end.
    #[error(
        "cannot deploy {unit}: run {run} began to apply the plan {begun}, not {asked}\n  help: resume with the plan it began with, or start a new run"
    )]
    RunBegan {
        /// The unit.
        unit: Box<UnitId>,
        /// The run.
        run: RunId,
        /// The saved plan it began with.
        begun: Digest,
        /// The saved plan that was asked for.
        asked: Digest,
    },
    /// Another process deploys this unit right now.
    #[error("cannot deploy {unit}: {owner} is at it\n  help: wait until it has ended")]
    Busy {
        /// The unit.
        unit: Box<UnitId>,
        /// Who, as it wrote of itself.
        owner: String,
    },
    /// The work was cancelled before anything was applied.
    #[error("cannot deploy: it was cancelled before anything was applied")]
    Cancelled,
    /// A file could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's message.
        #[source]
        source: std::io::Error,
    },
    /// A thread ended early.
    #[error("cannot deploy: the thread that {doing} ended early")]
    Thread {
        /// What it was doing.
        doing: &'static str,
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
    /// The tool failed before anything was applied.
    #[error(transparent)]
    Terraform(Box<TerraformError>),
    /// The unit could not be planned again.
    #[error(transparent)]
    DryRun(#[from] DryRunError),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sealed plan could not be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The commit's files could not be read or written out.
    #[error(transparent)]
    Git(Box<GitError>),
    /// There are no credentials for applying.
    #[error(transparent)]
    Policy(Box<PolicyError>),
    /// Something could not be digested.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl From<TerraformError> for DeployError {
    fn from(source: TerraformError) -> Self {
        Self::Terraform(Box::new(source))
    }
}

impl From<GitError> for DeployError {
    fn from(source: GitError) -> Self {
        Self::Git(Box::new(source))
    }
}

impl From<PolicyError> for DeployError {
    fn from(source: PolicyError) -> Self {
        Self::Policy(Box::new(source))
    }
}

fn names(units: &[UnitId]) -> String {
    units.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn shown(state: &Option<StateVersion>) -> String {
    state.as_ref().map_or_else(|| "no state yet".to_owned(), ToString::to_string)
}

fn listed(missing: &[Missing]) -> String {
    missing.iter().map(|it| format!("\n  {}: {}", it.rule, it.sentence())).collect()
}
