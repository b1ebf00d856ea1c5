//! Risk, who must approve, signatures and other evidence, expiry, single use.
//!
//! ```text
//! DryRun + Policy (trunk, before the change) ─► ApprovalRequest ─► people sign ApprovalStatements
//!                                                      │                  │ put into the store
//!                                                      └─► execute ◄──────┘
//!                                                             ├─► Approved: used up by this run
//!                                                             └─► Refused: who is missing, what did not count
//! ```
//!
//! An [`ApprovalRequest`] says what a plan does and what the policy asks for it ([`Requirement`]s, with their
//! reasons). Each approver signs an [`ApprovalStatement`] with their SSH key and puts it into the store
//! ([`StoredApprovals`]). An [`Approver`] counts: N of M, never the author, not expired, each statement used
//! once. What counts is used up by one run, by a create-only put of the statement's digest, so that the same
//! run may resume and no other may replay it.
//!
//! The approval of one plan holds for every plan with the same fingerprint: one that does the same, from the
//! same code, with the same tool. A change that edits the policy is judged by the policy that stood before, and
//! needs approvals of its very own plan, before the merge and after: a fingerprint says nothing of the edit.
//!
//! # Limitations
//! - A statement says until when it holds and not since when: one that was signed long ahead counts once its
//!   end is near enough for the policy.
//! - Two keys under two names are two people, whoever holds them.

mod approver;
mod authors;
mod error;
mod evidence;
mod judge;
mod request;
mod requirement;
mod ssh_approver;
mod statement;
mod stored;
mod verdict;

pub use approver::Approver;
pub use authors::authors;
pub use error::ApproveError;
pub use evidence::{Evidence, Testimony};
pub use request::{ApprovalRequest, ChangeFacts};
pub use requirement::{Requirement, UnitChange};
pub use ssh_approver::SshApprover;
pub use statement::{ApprovalStatement, Nonce};
pub use stored::StoredApprovals;
pub use verdict::{Approved, Counted, Missing, NotCounted, Refused, Verdict};
