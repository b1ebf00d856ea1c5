use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::CaseId,
    process::ProcessGroup,
    proof::{Digest, RepoPath, RunId},
};

use super::{CaseReport, Left, Mark, SandboxError};

/// A step of a case, each a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Modules and providers are installed.
    Init,
    /// What would be done is planned.
    Plan,
    /// It is done.
    Apply,
    /// A test file is run.
    Test,
    /// It is undone.
    Destroy,
}

impl Step {
    /// Its name, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Test => "test",
            Self::Destroy => "destroy",
        }
    }
}

/// What is written of a deployment before anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Opened {
    /// The run.
    pub run: RunId,
    /// The mark.
    pub mark: Mark,
    /// The sandbox.
    pub sandbox: String,
    /// The case.
    pub case: CaseId,
    /// The directory of the module it tests.
    pub module: RepoPath,
    /// The root module that is deployed, or in which the tests run.
    pub root: RepoPath,
    /// The digest of the sandbox plan.
    pub plan: Digest,
    /// The tool and its version.
    pub tool: String,
    /// The folder on the machine that deploys, where the newest state stands while it does.
    pub folder: PathBuf,
}

/// A line of the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// A deployment begins.
    Opened(Opened),
    /// Its configuration is kept, so that it can be destroyed elsewhere.
    Kept,
    /// These addresses will be made or changed by the apply that follows.
    Planned { addresses: Vec<String> },
    /// A process was started, and has not run its first instruction.
    Started { step: Step, group: ProcessGroup },
    /// It ended.
    Ended { step: Step, verdict: String },
    /// All is over.
    Closed { left: Left, report: Option<Box<CaseReport>> },
}

/// What the ledger knows of a deployment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// How it began, the last time.
    pub opened: Opened,
    /// Whether its configuration is kept: without it nothing was applied.
    pub kept: bool,
    /// The addresses that the last plan had.
    pub planned: Vec<String>,
    /// Steps that were begun, in order.
    pub begun: Vec<Step>,
    /// The process that was started and of which no end is recorded.
    pub running: Option<(Step, ProcessGroup)>,
    /// What was left in the end; `None` while it is open.
    pub left: Option<Left>,
    /// What came of the case, where it came to an end.
    pub report: Option<CaseReport>,
}

impl Record {
    /// Reads the lines of the last attempt. `None` where there is no line.
    pub(super) fn of(mark: &Mark, lines: Vec<Line>) -> Result<Option<Self>, SandboxError> {
        let mut record: Option<Self> = None;
        for line in lines {
            if let Line::Opened(opened) = line {
                record = Some(Self {
                    opened,
                    kept: false,
                    planned: Vec::new(),
                    begun: Vec::new(),
                    running: None,
                    left: None,
                    report: None,
                });
                continue;
            }
            let nothing = SandboxError::Ledger { mark: mark.clone(), why: "it begins with no opening line" };
            let record = record.as_mut().ok_or(nothing)?;
            match line {
                Line::Opened(_) => {}
                Line::Kept => record.kept = true,
                Line::Planned { addresses } => record.planned = addresses,
                Line::Started { step, group } => {
                    record.begun.push(step);
                    record.running = Some((step, group));
                }
                Line::Ended { .. } => record.running = None,
                Line::Closed { left, report } => {
                    record.left = Some(left);
                    record.report = report.map(|report| *report);
                }
            }
        }
        Ok(record)
    }

    /// Whether something may have been made: an apply or a test was begun.
    pub fn may_have_made(&self) -> bool {
        self.begun.iter().any(|step| matches!(step, Step::Apply | Step::Test))
    }
}
