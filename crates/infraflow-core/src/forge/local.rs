use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{
    git::{BranchName, CommitId, GitError, Identity, RefUpdate, RemoteName, Repository},
    proof::{Clock, Principal, SystemClock},
    store::{Key, Store},
};

use super::{
    ChangeRequest, ChangeRequestDraft, ChangeRequestId, ChangeRequestState, Comment, CommentId, Forge,
    ForgeError, Marker, Review, ReviewState,
    ledger::{Event, Ledger, Merging, Request, Requests},
};

/// How often a merge is made anew because others pushed to its target.
const ATTEMPTS: usize = 5;

/// A forge without a service: change requests are kept in a store, branches on a remote, and a merge is a
/// commit with two parents that is pushed if the target still is where it was.
///
/// A review here is as trustworthy as the store: whoever may write there may write any name.
#[derive(Clone)]
pub struct LocalForge {
    name: String,
    repository: Repository,
    remote: RemoteName,
    ledger: Ledger,
    by: Principal,
    by_name: String,
    clock: Arc<dyn Clock>,
}

impl LocalForge {
    /// A forge called `name`, whose remote is `origin` of this clone. Of several forges in one store, each
    /// has a name of its own.
    ///
    /// # Errors
    /// [`ForgeError::Store`] where the store has no key for it.
    pub fn new(name: impl Into<String>, repository: Repository, store: Store) -> Result<Self, ForgeError> {
        let name = name.into();
        let key = Key::parse("forge")?.join(&name);
        Ok(Self {
            name,
            repository,
            remote: RemoteName::origin(),
            ledger: Ledger::new(store, key),
            by: Principal("infraflow@localhost".to_owned()),
            by_name: "infraflow".to_owned(),
            clock: Arc::new(SystemClock),
        })
    }

    /// The remote that has the branches.
    #[must_use]
    pub fn remote(mut self, remote: RemoteName) -> Self {
        self.remote = remote;
        self
    }

    /// Who comments and merges: a name, and an e-mail address.
    #[must_use]
    pub fn acting_as(mut self, name: impl Into<String>, by: Principal) -> Self {
        (self.by_name, self.by) = (name.into(), by);
        self
    }

    /// Where the time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Reviews a change request.
    ///
    /// # Errors
    /// As [`Forge::get`].
    pub async fn review(
        &self,
        id: ChangeRequestId,
        by: &Principal,
        state: ReviewState,
        commit: CommitId,
    ) -> Result<(), ForgeError> {
        let review = Review { by: by.clone(), state, commit, at: self.clock.now() };
        self.record(id, |_| Ok(Some(Event::Reviewed { id, review: review.clone() }))).await.map(|_| ())
    }

    /// Reads, decides, and writes; again from the start where somebody else wrote meanwhile. Returns what
    /// it was decided on.
    async fn record(
        &self,
        id: ChangeRequestId,
        decide: impl Fn(&Request) -> Result<Option<Event>, ForgeError>,
    ) -> Result<Request, ForgeError> {
        loop {
            let requests = self.ledger.read().await?;
            let request = self.request(&requests, id)?;
            match decide(request)? {
                Some(event) if !self.ledger.append(&requests, &event).await? => continue,
                _ => return Ok(request.clone()),
            }
        }
    }

    fn request<'a>(&self, requests: &'a Requests, id: ChangeRequestId) -> Result<&'a Request, ForgeError> {
        requests.get(id).ok_or_else(|| ForgeError::NoSuchRequest { forge: self.name.clone(), id })
    }

    /// Where a branch of the remote is now.
    async fn tip(&self, branch: &BranchName) -> Result<CommitId, ForgeError> {
        let (repository, remote) = (self.repository.clone(), self.remote.clone());
        let name = branch.reference();
        let refs = blocking(move || repository.remote_refs(&remote, &[&name])).await?;
        match refs.get(&branch.reference()) {
            Some(id) => Ok(CommitId::parse(&id.to_string())?),
            None => Err(ForgeError::NoSuchBranch { forge: self.name.clone(), branch: branch.clone() }),
        }
    }

    async fn shown(&self, id: ChangeRequestId, request: &Request) -> Result<ChangeRequest, ForgeError> {
        let draft = request.draft.clone();
        let head = match request.state {
            ChangeRequestState::Open => self.tip(&draft.source).await?,
            _ => request.head,
        };
        Ok(ChangeRequest {
            id,
            title: draft.title,
            body: draft.body,
            author: draft.author,
            source: draft.source,
            target: draft.target,
            head,
            state: request.state,
            merged_as: request.merged_as,
        })
    }

    /// Whether a merge that was begun came to its end on the remote; begun, but not there, it is made again
    /// from what was recorded.
    async fn try_merge(
        &self,
        id: ChangeRequestId,
        request: &Request,
        expected_head: &CommitId,
    ) -> Result<Attempt, ForgeError> {
        let draft = &request.draft;
        let target = draft.target.clone();
        let onto = self.tip(&target).await?;
        self.fetch(onto).await?;
        if let Some(begun) = &request.merging
            && self.contains(onto, begun.commit).await?
        {
            return Ok(Attempt::Done { head: begun.head, commit: begun.commit });
        }
        let head = self.tip(&draft.source).await?;
        if head != *expected_head {
            return Err(ForgeError::HeadMoved { id, expected: *expected_head, found: head });
        }
        self.fetch(head).await?;
        if self.contains(onto, head).await? {
            // Merged past this forge, or nothing to merge.
            return Ok(Attempt::Done { head, commit: onto });
        }
        let begun = request.merging.clone().filter(|begun| begun.onto == onto && begun.head == head);
        let identity = match &begun {
            Some(begun) => begun.identity.clone(),
            None => Identity::new(&self.by_name, &self.by.0, self.clock.now()),
        };
        let message =
            format!("Merge change request {id}: {}\n\n{} into {target}\n", draft.title, draft.source);
        let (repository, by) = (self.repository.clone(), identity.clone());
        let commit = blocking(move || repository.merge(&onto, &head, &message, &by)).await?;
        Ok(Attempt::Push(Merging { head, onto, identity, commit }))
    }

    async fn contains(&self, tip: CommitId, commit: CommitId) -> Result<bool, ForgeError> {
        let repository = self.repository.clone();
        blocking(move || match repository.is_ancestor(&commit, &tip) {
            // What is not in this clone, though the tip is, is not in the tip's history either.
            Err(GitError::MissingObjects { ids, .. }) if ids == [commit.object()] => Ok(false),
            known => known,
        })
        .await
    }

    /// Brings a commit of the remote here, with all branches.
    async fn fetch(&self, commit: CommitId) -> Result<(), ForgeError> {
        let (repository, remote) = (self.repository.clone(), self.remote.clone());
        blocking(move || {
            if repository.commit(&commit).is_ok() {
                return Ok(());
            }
            let branches = format!("+refs/heads/*:{}/*", remote.reference());
            repository.fetch(&remote, &[&branches])
        })
        .await
    }

    async fn record_merged(
        &self,
        id: ChangeRequestId,
        head: CommitId,
        commit: CommitId,
    ) -> Result<(), ForgeError> {
        let event = Event::Merged { id, head, commit };
        let recorded = |request: &Request| request.state == ChangeRequestState::Merged;
        self.record(id, |request| Ok((!recorded(request)).then(|| event.clone()))).await.map(|_| ())
    }
}

enum Attempt {
    /// The target has it.
    Done { head: CommitId, commit: CommitId },
    /// This is to be pushed.
    Push(Merging),
}

#[async_trait]
impl Forge for LocalForge {
    fn name(&self) -> &str {
        &self.name
    }

    async fn open(&self, draft: &ChangeRequestDraft) -> Result<ChangeRequest, ForgeError> {
        if draft.source == draft.target {
            return Err(ForgeError::SameBranch { branch: draft.source.clone() });
        }
        let head = self.tip(&draft.source).await?;
        self.tip(&draft.target).await?;
        let id = loop {
            let requests = self.ledger.read().await?;
            if let Some(open) = requests.open_like(draft) {
                break open;
            }
            let event = Event::Opened { draft: draft.clone(), head };
            if self.ledger.append(&requests, &event).await? {
                break requests.next_id();
            }
        };
        self.get(id).await
    }

    async fn get(&self, id: ChangeRequestId) -> Result<ChangeRequest, ForgeError> {
        let requests = self.ledger.read().await?;
        self.shown(id, self.request(&requests, id)?).await
    }

    async fn comment(&self, id: ChangeRequestId, text: &str) -> Result<CommentId, ForgeError> {
        let (by, at) = (self.by.clone(), self.clock.now());
        let event = Event::Commented { id, by, marker: None, text: text.to_owned(), at };
        let before = self.record(id, |_| Ok(Some(event.clone()))).await?;
        Ok(CommentId(before.comments.len() as u64 + 1))
    }

    async fn upsert_comment(
        &self,
        id: ChangeRequestId,
        marker: &Marker,
        text: &str,
    ) -> Result<CommentId, ForgeError> {
        let (by, at) = (self.by.clone(), self.clock.now());
        let event = Event::Commented { id, by, marker: Some(marker.clone()), text: text.to_owned(), at };
        let unchanged =
            |request: &Request| request.with_marker(marker).is_some_and(|comment| comment.text == text);
        let before = self.record(id, |request| Ok((!unchanged(request)).then(|| event.clone()))).await?;
        let standing = before.with_marker(marker).map(|comment| comment.id);
        Ok(standing.unwrap_or(CommentId(before.comments.len() as u64 + 1)))
    }

    async fn comments(&self, id: ChangeRequestId) -> Result<Vec<Comment>, ForgeError> {
        let requests = self.ledger.read().await?;
        Ok(self.request(&requests, id)?.comments.clone())
    }

    async fn reviews(&self, id: ChangeRequestId) -> Result<Vec<Review>, ForgeError> {
        let requests = self.ledger.read().await?;
        Ok(self.request(&requests, id)?.reviews.clone())
    }

    async fn merge(&self, id: ChangeRequestId, expected_head: &CommitId) -> Result<CommitId, ForgeError> {
        let mut attempts = 0;
        loop {
            let requests = self.ledger.read().await?;
            let request = self.request(&requests, id)?;
            let moved = |found| ForgeError::HeadMoved { id, expected: *expected_head, found };
            match (request.state, request.merged_as) {
                (ChangeRequestState::Open, _) => {}
                (ChangeRequestState::Merged, Some(commit)) if request.head == *expected_head => {
                    return Ok(commit);
                }
                (ChangeRequestState::Merged, Some(_)) => return Err(moved(request.head)),
                (state, _) => return Err(ForgeError::NotOpen { id, state }),
            }
            let merging = match self.try_merge(id, request, expected_head).await? {
                Attempt::Done { head, commit } => {
                    self.record_merged(id, head, commit).await?;
                    return if head == *expected_head { Ok(commit) } else { Err(moved(head)) };
                }
                Attempt::Push(merging) => merging,
            };
            // Recorded before it is pushed, so that whoever comes after a crash knows what to look for.
            let event = Event::Merging { id, merging: merging.clone() };
            let recorded = request.merging.as_ref() == Some(&merging);
            if !recorded && !self.ledger.append(&requests, &event).await? {
                continue;
            }
            let target = request.draft.target.clone();
            let (repository, remote) = (self.repository.clone(), self.remote.clone());
            let update = RefUpdate::branch(&target, merging.commit, Some(merging.onto));
            let Err(error) = blocking(move || repository.push(&remote, &[update])).await else {
                self.record_merged(id, merging.head, merging.commit).await?;
                return Ok(merging.commit);
            };
            let rejected = matches!(error, ForgeError::Git(GitError::PushRejected { .. }));
            if !rejected || self.tip(&target).await? == merging.onto {
                return Err(error);
            }
            attempts += 1;
            if attempts == ATTEMPTS {
                return Err(ForgeError::TargetKeepsMoving { id, target, attempts });
            }
        }
    }

    async fn close(&self, id: ChangeRequestId) -> Result<(), ForgeError> {
        self.record(id, |request| match request.state {
            ChangeRequestState::Open => Ok(Some(Event::Closed { id, head: request.head })),
            ChangeRequestState::Closed => Ok(None),
            state => Err(ForgeError::NotOpen { id, state }),
        })
        .await
        .map(|_| ())
    }
}

impl fmt::Debug for LocalForge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalForge")
            .field("name", &self.name)
            .field("repository", &self.repository)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}

/// Runs what waits for git off the threads that wait for everything else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GitError> + Send + 'static,
) -> Result<T, ForgeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(ForgeError::Forge {
            forge: "local".to_owned(),
            what: "run git".to_owned(),
            source: Box::new(error),
        }),
    }
}
