use crate::proof::RepoPath;

/// Why no facts could be read from a file. The file is then taken as changed by whoever links facts: it
/// is never left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// The text is not HCL, or not JSON.
    #[error(
        "cannot read {path}: line {line}, column {column}: {why}\n  help: `terraform fmt` names the place too; until it parses, whatever could be in it is taken as changed"
    )]
    Syntax {
        /// The file.
        path: RepoPath,
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// What the parser says.
        why: String,
    },
    /// The bytes are no UTF-8.
    #[error("cannot read {path}: byte {offset} begins no UTF-8 character\n  help: save the file as UTF-8")]
    NotUtf8 {
        /// The file.
        path: RepoPath,
        /// The first byte at fault, from 0.
        offset: usize,
    },
    /// The file is larger, deeper or more entangled than infraflow reads.
    #[error(
        "cannot read {path}: {what} is {found}, more than the limit of {limit}\n  help: split the file; until then, whatever could be in it is taken as changed"
    )]
    TooLarge {
        /// The file.
        path: RepoPath,
        /// What is too large.
        what: &'static str,
        /// How large it is.
        found: usize,
        /// The limit.
        limit: usize,
    },
}
