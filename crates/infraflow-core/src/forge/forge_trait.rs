use async_trait::async_trait;

use crate::git::CommitId;

use super::{
    ChangeRequest, ChangeRequestDraft, ChangeRequestId, Comment, CommentId, ForgeError, Marker, Review,
};

/// Where change requests live. Reading is *observe*, the rest is *execute*.
///
/// # Contract
/// 1. There is at most one open change request from one source into one target: [`Forge::open`] returns it
///    where there is one, unchanged.
/// 2. The head of an open change request is where its source branch is at the moment of asking.
/// 3. [`Forge::merge`] merges exactly the head that it is given: where the head is another, nothing happens
///    ([`ForgeError::HeadMoved`]).
/// 4. A merge happens at most once. Asked again after an interruption, it looks first: where the target has
///    it already, the commit that brought it is returned, and nothing is pushed.
/// 5. A merge never takes commits from the target: it is refused, or made again, where others pushed there
///    meanwhile.
/// 6. [`Forge::upsert_comment`] leaves one comment of one marker, however often it is called.
/// 7. Nothing that is posted is checked for secrets: that is the caller's part.
/// 8. Reviews are all that there are, the oldest first; each is pinned to the commit that it was given for.
#[async_trait]
pub trait Forge: Send + Sync {
    /// What it is called in messages.
    fn name(&self) -> &str;

    /// Opens a change request, or returns the open one from that source into that target.
    ///
    /// # Errors
    /// [`ForgeError::NoSuchBranch`], [`ForgeError::SameBranch`], or what the forge meets.
    async fn open(&self, draft: &ChangeRequestDraft) -> Result<ChangeRequest, ForgeError>;

    /// A change request as it stands now.
    ///
    /// # Errors
    /// [`ForgeError::NoSuchRequest`], or what the forge meets.
    async fn get(&self, id: ChangeRequestId) -> Result<ChangeRequest, ForgeError>;

    /// Comments.
    ///
    /// # Errors
    /// As [`Forge::get`].
    async fn comment(&self, id: ChangeRequestId, text: &str) -> Result<CommentId, ForgeError>;

    /// Writes the comment of a marker: replaces its text where there is one, and comments otherwise.
    ///
    /// # Errors
    /// As [`Forge::get`].
    async fn upsert_comment(
        &self,
        id: ChangeRequestId,
        marker: &Marker,
        text: &str,
    ) -> Result<CommentId, ForgeError>;

    /// The comments, the oldest first.
    ///
    /// # Errors
    /// As [`Forge::get`].
    async fn comments(&self, id: ChangeRequestId) -> Result<Vec<Comment>, ForgeError>;

    /// The reviews, the oldest first.
    ///
    /// # Errors
    /// As [`Forge::get`].
    async fn reviews(&self, id: ChangeRequestId) -> Result<Vec<Review>, ForgeError>;

    /// Merges a change request whose head is this commit, and returns the commit of the target that brought
    /// it in.
    ///
    /// # Errors
    /// [`ForgeError::HeadMoved`], [`ForgeError::NotOpen`], [`ForgeError::TargetKeepsMoving`],
    /// [`GitError::Conflict`](crate::git::GitError::Conflict), or what the forge meets.
    async fn merge(&self, id: ChangeRequestId, expected_head: &CommitId) -> Result<CommitId, ForgeError>;

    /// Gives a change request up. One that is closed already stays so.
    ///
    /// # Errors
    /// [`ForgeError::NotOpen`] for one that is merged; otherwise as [`Forge::get`].
    async fn close(&self, id: ChangeRequestId) -> Result<(), ForgeError>;
}
