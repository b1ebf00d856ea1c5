use std::path::{Path, PathBuf};

use crate::{
    git::{GitError, Tree},
    policy::PolicyError,
    proof::{Link, Reason, RepoPath},
    terraform::{Diagnostic, TerraformError},
};

/// Why a unit could not be dry-run.
#[derive(Debug)]
pub(super) enum Fault {
    /// The tool failed, or what it wrote could not be used.
    Tool(TerraformError),
    /// The repository could not be read.
    Git(GitError),
    /// There are no credentials for planning.
    Credentials(PolicyError),
    /// There is nothing to plan in the unit's directory at this revision.
    NoConfiguration,
    /// A file was written while planning: what was planned is not what the revision has.
    Altered { file: RepoPath },
    /// A file of the dry run could not be written or read.
    File { path: PathBuf, source: std::io::Error },
    /// A thread ended early.
    Thread { source: tokio::task::JoinError },
}

impl Fault {
    /// Whether this only means that somebody cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Tool(TerraformError::Cancelled { .. }))
    }

    /// The fault as a reason: without secrets, without the temporary folder, and with a link to each place
    /// that the tool named.
    pub(super) fn reason(&self, tree: &Tree, unit: &RepoPath, export: &Path, hidden: &[&str]) -> Reason {
        let mut text = match self {
            Self::Tool(error) => error.to_string(),
            Self::Git(error) => error.to_string(),
            Self::Credentials(error) => error.to_string(),
            Self::NoConfiguration => format!(
                "cannot plan {unit}: it has no Terraform configuration at this revision\n  help: name the directory that has the unit's .tf files"
            ),
            Self::Altered { file } => format!(
                "cannot trust the plan of {unit}: {file} was written while planning, so what was planned is not what the revision has\n  help: look for a data source or provider of this change that writes files of the repository"
            ),
            Self::File { path, source } => {
                format!("cannot keep the dry run of {unit}: {}: {source}", path.display())
            }
            Self::Thread { source } => format!("cannot judge the plan of {unit}: {source}"),
        };
        let folder = unit.below(export);
        text = text.replace(&*folder.to_string_lossy(), &unit.to_string());
        text = text.replace(&format!("{}/", export.to_string_lossy()), "");
        for secret in hidden.iter().filter(|secret| secret.len() > 2) {
            text = text.replace(secret, "(sensitive)");
        }
        Reason::new(self.rule(), text).with_chain(self.links(tree, unit))
    }

    fn rule(&self) -> &'static str {
        match self {
            Self::Tool(error) => match error {
                TerraformError::Failed { command: "init", .. } => "init_failed",
                TerraformError::Failed { command: "plan", .. } => "plan_failed",
                TerraformError::Failed { command: "state pull", .. } => "state_unreadable",
                TerraformError::StateLocked { .. } => "state_locked",
                TerraformError::LockFileStale { .. } => "lock_file_stale",
                TerraformError::TimedOut { .. } => "timed_out",
                TerraformError::Cancelled { .. } => "cancelled",
                _ => "tool_failed",
            },
            Self::Git(_) => "repository_unreadable",
            Self::Credentials(_) => "no_credentials",
            Self::NoConfiguration => "no_configuration",
            Self::Altered { .. } => "altered_while_planning",
            Self::File { .. } | Self::Thread { .. } => "not_kept",
        }
    }

    fn links(&self, tree: &Tree, unit: &RepoPath) -> Vec<Link> {
        match self {
            Self::Tool(TerraformError::Failed { diagnostics, .. }) => {
                diagnostics.iter().filter_map(|diagnostic| link(diagnostic, tree, unit)).collect()
            }
            Self::Altered { file } => vec![Link::whole(file.clone(), "written while planning")],
            _ => Vec::new(),
        }
    }
}

/// The line that a diagnostic names, where it is one of the repository's.
fn link(diagnostic: &Diagnostic, tree: &Tree, unit: &RepoPath) -> Option<Link> {
    let path = unit.resolve(diagnostic.file.as_ref()?)?;
    let content = tree.read(&path).ok()??;
    let number = usize::try_from(diagnostic.line?).ok()?.checked_sub(1)?;
    let mut start = 0;
    let mut lines = content.split_inclusive(|&byte| byte == b'\n');
    for _ in 0..number {
        start += lines.next()?.len();
    }
    let line = lines.next()?;
    let end = start + line.trim_ascii_end().len();
    let text = String::from_utf8_lossy(line.trim_ascii()).into_owned();
    // A line of source may hold a literal secret; what stands there is named by its first word alone.
    let reference = text.split(['=', '{', '"']).next().unwrap_or_default().trim().to_owned();
    Some(Link::at(path, &content, start..end, reference))
}

impl From<TerraformError> for Fault {
    fn from(error: TerraformError) -> Self {
        Self::Tool(error)
    }
}

impl From<GitError> for Fault {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}
