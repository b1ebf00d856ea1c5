use std::{path::PathBuf, time::Duration};

use super::{Diagnostic, StateLock, ToolVersion};
use crate::{process::ProcessError, proof::ProofError};

/// What can go wrong with Terraform or OpenTofu and with what they write.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TerraformError {
    /// Bytes that should be a plan's JSON are not. The parser's own message is left out, since it quotes values.
    #[error(
        "cannot read the plan: line {line}, column {column} {why}\n  help: pass what `terraform show -json PLANFILE` wrote, whole and nothing else"
    )]
    NotAPlan {
        /// The line, from 1; 0 where there is nothing at all.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        why: &'static str,
    },
    /// A plan's JSON has a format version whose meaning this build does not know.
    #[error(
        "cannot read the plan: its format_version is {found:?}, this build knows 0.x and 1.x\n  help: use an infraflow release that knows this version of the tool"
    )]
    PlanFormat {
        /// The value of `format_version`; empty where there is none.
        found: String,
    },
    /// A value in a plan's JSON nests deeper than anything Terraform writes.
    #[error(
        "cannot read the plan: {place} nests deeper than {limit} levels\n  help: this plan was not written by terraform or tofu"
    )]
    TooDeep {
        /// Where in the plan, for example a resource's address.
        place: String,
        /// The deepest nesting that is read.
        limit: usize,
    },
    /// A text does not name a tool and its version.
    #[error(
        "cannot take {text:?} for a tool and its version\n  help: write it as in `terraform 1.11.4` or `tofu 1.12.6`"
    )]
    ToolVersion {
        /// The text given.
        text: String,
    },
    /// What should be a state is not.
    #[error(
        "cannot read the state: {why}\n  help: `terraform state pull` in the unit's directory shows what the backend holds"
    )]
    State {
        /// What is wrong with it.
        why: &'static str,
    },
    /// Neither tool is there.
    #[error(
        "cannot find terraform or tofu: neither is on the PATH ({searched})\n  help: install one of them (https://developer.hashicorp.com/terraform/install, https://opentofu.org/docs/intro/install), or set INFRAFLOW_TERRAFORM to its path"
    )]
    NotFound {
        /// The PATH that was searched.
        searched: String,
    },
    /// The tool that was asked for by name is not there.
    #[error(
        "cannot find {named}, which {variable} names: it is not on the PATH ({searched})\n  help: set {variable} to the program's path, or unset it"
    )]
    NamedNotFound {
        /// The variable that names it.
        variable: &'static str,
        /// The name.
        named: String,
        /// The PATH that was searched.
        searched: String,
    },
    /// A program is neither terraform nor tofu.
    #[error(
        "cannot use {program} as terraform or tofu: asked for its version, it did not say one ({verdict})\n  help: run `{program} version`",
        program = .program.display()
    )]
    NotATool {
        /// The program.
        program: PathBuf,
        /// How it ended.
        verdict: String,
    },
    /// The tool could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The tool failed. Its diagnostics come without their details, which quote values: those are in the log.
    #[error(
        "cannot {command} in {folder}: {tool} ended with {verdict}{}\n  help: the log has the whole of it",
        listed(.diagnostics),
        folder = .folder.display()
    )]
    Failed {
        /// The tool.
        tool: Box<ToolVersion>,
        /// The command, for example `plan`.
        command: &'static str,
        /// The root module's folder.
        folder: PathBuf,
        /// How it ended.
        verdict: String,
        /// The errors that it reported.
        diagnostics: Vec<Diagnostic>,
    },
    /// The command was cancelled: the tool was interrupted once and ended.
    #[error("cannot {command} in {folder}: it was cancelled", folder = .folder.display())]
    Cancelled {
        /// The command.
        command: &'static str,
        /// The root module's folder.
        folder: PathBuf,
    },
    /// The command's time was up.
    #[error(
        "cannot {command} in {folder}: it was ended after {after:.1?}\n  help: raise the time limit, or split the unit",
        folder = .folder.display()
    )]
    TimedOut {
        /// The command.
        command: &'static str,
        /// The root module's folder.
        folder: PathBuf,
        /// How long it ran.
        after: Duration,
    },
    /// Somebody else holds the state.
    #[error(
        "cannot {command} in {folder}: the state is locked: {lock}\n  help: wait for it to end and try again; if its process is dead, `terraform force-unlock` takes the lock away",
        folder = .folder.display()
    )]
    StateLocked {
        /// The command.
        command: &'static str,
        /// The root module's folder.
        folder: PathBuf,
        /// Who holds it.
        lock: Box<StateLock>,
    },
    /// The state moved since the plan was saved.
    #[error(
        "cannot apply the saved plan in {folder}: the state moved since it was planned\n  help: plan again; an approval holds if the new plan's fingerprint is equal",
        folder = .folder.display()
    )]
    PlanStale {
        /// The root module's folder.
        folder: PathBuf,
    },
    /// The dependency lock file does not have what the configuration needs.
    #[error(
        "cannot {command} in {folder}: .terraform.lock.hcl does not have the providers that the configuration asks for\n  help: run `terraform init` there, and commit the lock file with the change",
        folder = .folder.display()
    )]
    LockFileStale {
        /// The command.
        command: &'static str,
        /// The root module's folder.
        folder: PathBuf,
    },
    /// The tool wrote more data than is kept.
    #[error("cannot read what {command} wrote in {folder}: it is larger than 2 GiB", folder = .folder.display())]
    TooMuchOutput {
        /// The command.
        command: &'static str,
        /// The root module's folder.
        folder: PathBuf,
    },
    /// The tool's JSON is not of the shape that it documents. The parser's message is left out, since it quotes values.
    #[error(
        "cannot read the tool's answer: its JSON is not of the documented shape\n  help: use a released terraform or tofu"
    )]
    Outputs,
    /// A file that a plan depends on cannot be read.
    #[error("cannot read {path}, which the plan depends on: {source}", path = .path.display())]
    Files {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The repository could not be read.
    #[error(transparent)]
    Git(Box<crate::git::GitError>),
    /// Something could not be digested.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

fn listed(diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<String> = diagnostics.iter().map(|diagnostic| format!("\n  {diagnostic}")).collect();
    lines.concat()
}

impl TerraformError {
    pub(crate) fn not_a_plan(error: &serde_json::Error) -> Self {
        let why = match error.classify() {
            serde_json::error::Category::Eof => "is where the text ends, in the middle of a value",
            serde_json::error::Category::Data => "has a value of another type than a plan has there",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "is no JSON",
        };
        Self::NotAPlan { line: error.line(), column: error.column(), why }
    }
}
