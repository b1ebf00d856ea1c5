use crate::{
    catalog::UnitId,
    git::{CommitId, GitError, Revision},
    proof::{Digest, ProofError},
    store::StoreError,
};

/// What can go wrong while an approval is asked for, looked up or counted. That approvals are missing is no
/// error but an answer: [`super::Refused`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApproveError {
    /// There is no change and no unit, so nothing that anybody could approve.
    #[error(
        "cannot ask for approval: the dry run has no unit and no change was given\n  help: plan the affected units first"
    )]
    Nothing,
    /// A unit was planned with a mock in place of a real input.
    #[error(
        "cannot ask for approval of {unit}: it was planned with mocked inputs, so nobody knows what applying does\n  help: deploy what it depends on, then plan it again"
    )]
    Mocked {
        /// The unit.
        unit: Box<UnitId>,
    },
    /// A unit of the dry run was not planned to its end.
    #[error(
        "cannot ask for approval of {unit}: {why}\n  help: mend it and plan again, or plan without that unit"
    )]
    NotPlanned {
        /// The unit.
        unit: Box<UnitId>,
        /// How its dry run came out.
        why: &'static str,
    },
    /// A unit was planned from files that are in no commit.
    #[error(
        "cannot ask for approval of {unit}: it was planned from {revision}, and what is not committed cannot be looked at by others\n  help: commit, and plan again"
    )]
    Uncommitted {
        /// The unit.
        unit: Box<UnitId>,
        /// What was planned.
        revision: Revision,
    },
    /// A unit was planned at another commit than the rest, or than the change that is judged.
    #[error(
        "cannot ask for approval of {unit}: it was planned at {found}, and what is judged is {expected}\n  help: plan all units at one commit"
    )]
    OtherCommit {
        /// The unit.
        unit: Box<UnitId>,
        /// The commit that is judged.
        expected: CommitId,
        /// The commit that was planned.
        found: CommitId,
    },
    /// The policy was read from somewhere else than the trunk that the change is judged against, for example
    /// from the change itself.
    #[error(
        "cannot judge a change on top of {base} by the policy of {policy}: the gate is the one that stood before the change\n  help: read the policy from the tree of {base}"
    )]
    PolicyElsewhere {
        /// Where the policy was read.
        policy: Revision,
        /// The commit of trunk on which the change stands.
        base: CommitId,
    },
    /// The policy is another one than the request was made by.
    #[error(
        "cannot count approvals: the request was made by policy {asked}, this one is {found}\n  help: ask for approval again, from the same dry run"
    )]
    PolicyMoved {
        /// The digest of the policy that the request was made by.
        asked: Digest,
        /// The digest of the policy given.
        found: Digest,
    },
    /// A text is no nonce.
    #[error("cannot take {text:?} for a nonce\n  help: a nonce is 32 lower-case hexadecimal digits")]
    Nonce {
        /// The text given.
        text: String,
    },
    /// The operating system gives no random numbers.
    #[error("cannot make a nonce: {why}")]
    Random {
        /// The operating system's message.
        why: String,
    },
    /// The work was cancelled.
    #[error(
        "cannot go on: it was cancelled\n  help: start it again with the same run's name; what was counted stays counted"
    )]
    Cancelled,
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something could not be digested or signed.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// History could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
}
