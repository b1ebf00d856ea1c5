use std::path::Path;

use super::{Diagnostic, ToolVersion};
use crate::{
    process::{Ended, Finished},
    terraform::{StateLock, TerraformError},
};

/// What a command's failure means. Told by the summaries of the tool's errors, which are constant texts of
/// its source and the same in both tools.
pub(super) fn of(
    tool: &ToolVersion,
    command: &'static str,
    folder: &Path,
    finished: &Finished,
    hidden: &[String],
) -> TerraformError {
    let folder = folder.to_owned();
    match finished.ended {
        Ended::Cancelled => return TerraformError::Cancelled { command, folder },
        Ended::TimedOut => return TerraformError::TimedOut { command, folder, after: finished.elapsed },
        _ => {}
    }
    let stderr = String::from_utf8_lossy(&finished.stderr);
    let diagnostics = Diagnostic::parse(&stderr, hidden);
    let says = |summary: &str| diagnostics.iter().any(|diagnostic| diagnostic.summary.starts_with(summary));
    if says("Error acquiring the state lock") {
        return TerraformError::StateLocked { command, folder, lock: Box::new(StateLock::parse(&stderr)) };
    }
    if says("Saved plan is stale") {
        return TerraformError::PlanStale { folder };
    }
    if says("Provider dependency changes detected") || says("Inconsistent dependency lock file") {
        return TerraformError::LockFileStale { command, folder };
    }
    let tool = Box::new(tool.clone());
    TerraformError::Failed { tool, command, folder, verdict: finished.verdict(), diagnostics }
}
