//! Reads on their way up the calls.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use super::{
    ReferenceKind,
    record::{Open, Proof},
};
use crate::terraform::facts::StaticValue;

/// What a read is and where it is written.
#[derive(PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) kind: ReferenceKind,
    pub(super) value: Arc<StaticValue>,
    pub(super) proof: Proof,
}

impl Ord for Origin {
    fn cmp(&self, other: &Self) -> Ordering {
        // Many are handed on as they are.
        let values = || match Arc::ptr_eq(&self.value, &other.value) {
            true => Ordering::Equal,
            false => self.value.cmp(&other.value),
        };
        self.kind.cmp(&other.kind).then_with(values).then_with(|| self.proof.cmp(&other.proof))
    }
}

impl PartialOrd for Origin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Who calls a scope, and by which call; and the number of the scope that is called.
#[derive(Clone, Copy)]
pub(super) struct Calling {
    pub(super) call: Option<usize>,
    pub(super) called: usize,
}

/// What a draft leaves open, lent to who calls it.
pub(super) struct Lent {
    pub(super) opens: BTreeMap<Origin, Travelling>,
    pub(super) followed: HashSet<StaticValue>,
}

impl Lent {
    pub(super) fn opens(&self) -> impl Iterator<Item = &Open> {
        let opens = self.opens.values().map(|travelling| &travelling.open);
        opens.filter(|open| remains(open, &self.followed))
    }
}

/// Whether a read remains: of what is given to a called module that reads it, the module says so.
pub(super) fn remains(open: &Open, followed: &HashSet<StaticValue>) -> bool {
    open.kind != ReferenceKind::PathGiven || !followed.contains(&*open.value)
}

/// A read on its way up.
pub(super) struct Travelling {
    pub(super) open: Open,
    /// Whether its callers have not been told yet.
    pub(super) is_news: bool,
}
