//! Change requests, comments and reviews, wherever they are kept: the trait [`Forge`], and [`LocalForge`],
//! which keeps them in a [`Store`](crate::store::Store) beside a remote that is nothing but a git
//! repository.
//!
//! A change request asks for the commits of one branch to be merged into another. Its head is where the
//! branch is now; a merge names the head that it means, so that nothing is merged that nobody looked at.
//!
//! ```json
//! {"id": 7, "title": "bump: network v1.3.0 in dev", "body": "…", "author": "ada@example.com",
//!  "source": "bump/dev", "target": "main", "head": "1f0c…", "state": "open", "merged_as": null}
//! ```
//!
//! # Limitations
//! Forges that are services (GitHub, GitLab) are not spoken to yet: whoever has such a client implements
//! [`Forge`] with it.

mod change_request;
mod error;
mod forge_trait;
mod ledger;
mod local;
mod marker;

pub use change_request::{
    ChangeRequest, ChangeRequestDraft, ChangeRequestId, ChangeRequestState, Comment, CommentId, Review,
    ReviewState,
};
pub use error::ForgeError;
pub use forge_trait::Forge;
pub use local::LocalForge;
pub use marker::Marker;
