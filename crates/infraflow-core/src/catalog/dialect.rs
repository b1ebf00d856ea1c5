use super::{Claim, DialectName, Facts};
use crate::proof::RepoPath;

/// A language of infrastructure code: which files it reads, and what a single file states.
///
/// # Contract
/// 1. Everything here is pure and synchronous: the answer depends on the arguments alone, nothing is run,
///    and neither the file system nor the network is looked at.
/// 2. `claims` looks at the path only, and is fast: it is asked for each file of the tree.
/// 3. `facts` is called with files that `claims` claimed, in any order and from several threads.
/// 4. The same `name`, `version`, file name and bytes give the same facts, today and tomorrow: facts are
///    kept under these. Whatever changes what `facts` says raises `version`.
/// 5. A file that cannot be understood is never an empty answer: [`Facts::unparsable`] says why, and the
///    rest of the facts is what could still be made out. The catalog takes whatever else could be in the
///    file as changed.
/// 6. Neither panics nor runs without bound on any input.
pub trait Dialect: Send + Sync {
    /// The dialect's name; no two dialects of a catalog share one.
    fn name(&self) -> DialectName;

    /// The version of its facts.
    fn version(&self) -> u32;

    /// How it reads the file at this path; `None` where it does not.
    fn claims(&self, path: &RepoPath) -> Option<Claim>;

    /// What the file states.
    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts;
}
