use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Replacement, ResourceChange, ResourceMode};

/// How many resource instances a plan does what to.
///
/// Each instance is counted once by its actions, and once more under `move` or `import` where it is moved or
/// imported. A replacement counts as `replace` alone, not as a create and a delete; one that forgets the old
/// object counts as `create` and `forget`, since nothing is destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counts {
    /// Created.
    pub create: u64,
    /// Updated in place.
    pub update: u64,
    /// Deleted, deposed objects included.
    pub delete: u64,
    /// Deleted and created, in either order.
    pub replace: u64,
    /// Data sources that can be read only while applying.
    pub read: u64,
    /// Brought under management.
    pub import: u64,
    /// Dropped from the state and left in the world.
    pub forget: u64,
    /// Recorded under another address.
    pub r#move: u64,
}

impl Counts {
    /// Counts changes.
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a ResourceChange>) -> Self {
        let mut counts = Self::default();
        for change in changes {
            counts.add(change);
        }
        counts
    }

    /// Whether there is nothing to count: applying would do nothing to any resource or to its record.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// The counts of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            create: self.create + other.create,
            update: self.update + other.update,
            delete: self.delete + other.delete,
            replace: self.replace + other.replace,
            read: self.read + other.read,
            import: self.import + other.import,
            forget: self.forget + other.forget,
            r#move: self.r#move + other.r#move,
        }
    }

    fn add(&mut self, change: &ResourceChange) {
        self.r#move += u64::from(change.is_move());
        self.import += u64::from(change.is_import());
        match change.change.actions.replacement() {
            Some(Replacement::DeleteFirst | Replacement::CreateFirst) => self.replace += 1,
            Some(Replacement::Forgetting) => {
                self.create += 1;
                self.forget += 1;
            }
            None => {
                for action in &change.change.actions.0 {
                    match action {
                        Action::Create => self.create += 1,
                        Action::Update => self.update += 1,
                        Action::Delete if change.mode != ResourceMode::Data => self.delete += 1,
                        Action::Read => self.read += 1,
                        Action::Forget => self.forget += 1,
                        Action::Delete | Action::NoOp | Action::Other(_) => {}
                    }
                }
            }
        }
    }
}
