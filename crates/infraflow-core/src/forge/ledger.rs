//! What happened in a local forge, event by event, and what stands after it.

use serde::{Deserialize, Serialize};

use crate::{
    git::{CommitId, Identity},
    proof::{Principal, Timestamp},
    store::{Created, Key, Store, StoreError},
};

use super::{ChangeRequestDraft, ChangeRequestId, ChangeRequestState, Comment, CommentId, Marker, Review};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Event {
    Opened { draft: ChangeRequestDraft, head: CommitId },
    Commented { id: ChangeRequestId, by: Principal, marker: Option<Marker>, text: String, at: Timestamp },
    Reviewed { id: ChangeRequestId, review: Review },
    Merging { id: ChangeRequestId, merging: Merging },
    Merged { id: ChangeRequestId, head: CommitId, commit: CommitId },
    Closed { id: ChangeRequestId, head: CommitId },
}

/// A merge that was begun: enough to make the very same commit again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Merging {
    pub(super) head: CommitId,
    pub(super) onto: CommitId,
    pub(super) identity: Identity,
    pub(super) commit: CommitId,
}

/// A change request as its events leave it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) draft: ChangeRequestDraft,
    /// The last head that an event speaks of; an open one's is where its branch is.
    pub(super) head: CommitId,
    pub(super) state: ChangeRequestState,
    pub(super) merged_as: Option<CommitId>,
    pub(super) merging: Option<Merging>,
    pub(super) comments: Vec<Comment>,
    pub(super) reviews: Vec<Review>,
}

/// All change requests, and how many events made them.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    events: u64,
    all: Vec<Request>,
}

impl Requests {
    pub(super) fn get(&self, id: ChangeRequestId) -> Option<&Request> {
        self.all.get(usize::try_from(id.0.checked_sub(1)?).ok()?)
    }

    /// The open one with this source and target.
    pub(super) fn open_like(&self, draft: &ChangeRequestDraft) -> Option<ChangeRequestId> {
        let at = self.all.iter().position(|request| {
            request.state == ChangeRequestState::Open
                && request.draft.source == draft.source
                && request.draft.target == draft.target
        })?;
        Some(ChangeRequestId(at as u64 + 1))
    }

    /// The number that the next one gets.
    pub(super) fn next_id(&self) -> ChangeRequestId {
        ChangeRequestId(self.all.len() as u64 + 1)
    }

    fn take(&mut self, event: Event) {
        self.events += 1;
        let id = match &event {
            Event::Opened { .. } => self.next_id(),
            Event::Commented { id, .. }
            | Event::Reviewed { id, .. }
            | Event::Merging { id, .. }
            | Event::Merged { id, .. }
            | Event::Closed { id, .. } => *id,
        };
        if let Event::Opened { draft, head } = event {
            self.all.push(Request {
                draft,
                head,
                state: ChangeRequestState::Open,
                merged_as: None,
                merging: None,
                comments: Vec::new(),
                reviews: Vec::new(),
            });
            return;
        }
        let at = usize::try_from(id.0.wrapping_sub(1)).unwrap_or(usize::MAX);
        if let Some(request) = self.all.get_mut(at) {
            request.take(event);
        }
    }
}

impl Request {
    pub(super) fn with_marker(&self, marker: &Marker) -> Option<&Comment> {
        self.comments.iter().find(|comment| comment.marker.as_ref() == Some(marker))
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Opened { .. } => {}
            Event::Commented { by, marker, text, at, .. } => {
                let standing = self.comments.iter_mut().find(|c| marker.is_some() && c.marker == marker);
                match standing {
                    Some(comment) => (comment.by, comment.text, comment.at) = (by, text, at),
                    None => {
                        let id = CommentId(self.comments.len() as u64 + 1);
                        self.comments.push(Comment { id, by, text, marker, at });
                    }
                }
            }
            Event::Reviewed { review, .. } => self.reviews.push(review),
            Event::Merging { merging, .. } => self.merging = Some(merging),
            Event::Merged { head, commit, .. } => {
                self.head = head;
                self.state = ChangeRequestState::Merged;
                self.merged_as = Some(commit);
            }
            Event::Closed { head, .. } => {
                self.head = head;
                self.state = ChangeRequestState::Closed;
            }
        }
    }
}

/// The events in the store: each under its number, created once. An event is written for the state that it
/// was decided on: where somebody wrote another meanwhile, it is not written.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    store: Store,
    key: Key,
}

impl Ledger {
    pub(super) fn new(store: Store, key: Key) -> Self {
        Self { store, key }
    }

    pub(super) async fn read(&self) -> Result<Requests, StoreError> {
        let mut requests = Requests::default();
        for key in self.store.list(&self.key).await? {
            let corrupt = |why| StoreError::Corrupt { key: key.clone(), store: self.store.to_string(), why };
            if key != self.event(requests.events + 1) {
                return Err(corrupt(format!("event {} is missing before it", requests.events + 1)));
            }
            let bytes = self.store.get(&key).await?.ok_or_else(|| corrupt("it disappeared".to_owned()))?;
            requests.take(serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?);
        }
        Ok(requests)
    }

    /// Whether the event was written.
    pub(super) async fn append(&self, after: &Requests, event: &Event) -> Result<bool, StoreError> {
        let key = self.event(after.events + 1);
        let bytes =
            serde_json::to_vec(event).map_err(|source| StoreError::Json { key: key.clone(), source })?;
        match self.store.create(&key, bytes).await? {
            Created::New => Ok(true),
            Created::Exists(_) => Ok(false),
        }
    }

    fn event(&self, number: u64) -> Key {
        self.key.join(format!("{number:012}.json"))
    }
}
