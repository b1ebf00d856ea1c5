use super::{ApprovalStatement, ApproveError, Evidence, Testimony};
use crate::{
    proof::{Digest, RunId, Signed},
    store::{Created, Key, Store, StoreError},
};

/// Approvals in a store, where the process that signs puts them and the one that deploys finds them; and
/// which run used which.
///
/// An approval stands at `approvals/FINGERPRINT/STATEMENT.json`, its use at `approvals-used/STATEMENT`. Both
/// are created once and never changed.
#[derive(Clone, Debug)]
pub struct StoredApprovals {
    store: Store,
}

impl StoredApprovals {
    /// The approvals of a store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Puts an approval where it will be found, and returns where. Putting the same one twice is putting it
    /// once. Nothing about it is judged here.
    ///
    /// # Errors
    /// [`ApproveError::Store`]; [`ApproveError::Proof`] for a statement without a digest.
    pub async fn put(&self, signed: &Signed<ApprovalStatement>) -> Result<Key, ApproveError> {
        let name = format!("{}.json", signed.statement_digest()?.hex());
        let key = folder(&signed.statement.fingerprint)?.join(name);
        let json = serde_json::to_vec_pretty(signed)
            .map_err(|source| StoreError::Json { key: key.clone(), source })?;
        // The same statement may be signed twice with two signatures that both hold: the first one stands.
        self.store.create(&key, json).await?;
        Ok(key)
    }

    /// Everything that was put for plans of a fingerprint, the unreadable included.
    ///
    /// # Errors
    /// [`ApproveError::Store`].
    pub async fn all(&self, fingerprint: &Digest) -> Result<Vec<Evidence>, ApproveError> {
        let mut found = Vec::new();
        for key in self.store.list(&folder(fingerprint)?).await? {
            let Some(bytes) = self.store.get(&key).await? else { continue };
            let testimony = match serde_json::from_slice(&bytes) {
                Ok(signed) => Testimony::Signature(signed),
                Err(error) => Testimony::Unreadable(format!("it is no signed approval: {error}")),
            };
            found.push(Evidence { source: key.to_string(), testimony });
        }
        Ok(found)
    }

    /// Which run used the approval with this statement, if one did.
    ///
    /// # Errors
    /// [`ApproveError::Store`]; [`ApproveError::Proof`] where the record names no run.
    pub async fn used_by(&self, statement: &Digest) -> Result<Option<RunId>, ApproveError> {
        let found = self.store.get(&used(statement)?).await?;
        found.map(|bytes| run(&bytes)).transpose()
    }

    /// Records that a run uses an approval, and returns the run that does: this one, or another that was
    /// there before.
    ///
    /// # Errors
    /// As [`StoredApprovals::used_by`].
    pub async fn claim(&self, statement: &Digest, by: &RunId) -> Result<RunId, ApproveError> {
        match self.store.create(&used(statement)?, by.as_str().to_owned()).await? {
            Created::New => Ok(by.clone()),
            Created::Exists(bytes) => run(&bytes),
        }
    }

    /// Refuses a store that may go with the machine.
    pub(super) fn require_durable(&self) -> Result<(), ApproveError> {
        Ok(self.store.require_durable("the record that an approval was used")?)
    }
}

fn folder(fingerprint: &Digest) -> Result<Key, StoreError> {
    Ok(Key::parse("approvals")?.join(fingerprint.hex()))
}

fn used(statement: &Digest) -> Result<Key, StoreError> {
    Ok(Key::parse("approvals-used")?.join(statement.hex()))
}

fn run(bytes: &[u8]) -> Result<RunId, ApproveError> {
    Ok(RunId::parse(&String::from_utf8_lossy(bytes))?)
}
