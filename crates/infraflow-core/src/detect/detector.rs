use crate::git::{Repository, Revision};

use super::{ChangeSet, DetectError};

/// Tells what changed between two revisions. This is *plan*: it looks at the repository alone.
///
/// # Contract
/// 1. It writes nothing, runs no code of the repository, and uses no network.
/// 2. The same repository, base and head give the same answer.
/// 3. Files are compared with those of the merge base of `base` and `head`, unless the detector was asked
///    for something else, which [`ChangeSet::merge_base`] then says.
/// 4. Changes are sorted by path, and each path stands once. A renamed file is one change, with both paths.
/// 5. No change is left out because it could not be understood. Where an answer cannot be trusted (a
///    shallow clone, unrelated histories), it is an error; where it is only unusual, a warning.
/// 6. `base` is a commit; `head` may be the working tree.
pub trait ChangeDetector: Send + Sync {
    /// Tells what changed.
    ///
    /// # Errors
    /// [`DetectError`], where the answer cannot be given or trusted.
    fn detect(
        &self,
        repository: &Repository,
        base: &Revision,
        head: &Revision,
    ) -> Result<ChangeSet, DetectError>;
}
