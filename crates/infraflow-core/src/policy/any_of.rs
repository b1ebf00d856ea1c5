use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Alternatives of a condition, at least one. An empty list is refused: it would match nothing, and a rule
/// that matches nothing looks like one that guards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<T>", into = "Vec<T>", bound(serialize = "T: Serialize + Clone"))]
#[schemars(with = "Vec<T>")]
pub struct AnyOf<T>(Vec<T>);

impl<T> AnyOf<T> {
    /// Takes a list of alternatives; `None` for an empty one.
    pub fn new(alternatives: Vec<T>) -> Option<Self> {
        (!alternatives.is_empty()).then_some(Self(alternatives))
    }
}

impl<T> Deref for AnyOf<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> TryFrom<Vec<T>> for AnyOf<T> {
    type Error = &'static str;
    fn try_from(alternatives: Vec<T>) -> Result<Self, Self::Error> {
        Self::new(alternatives).ok_or(
            "the list is empty, so nothing would match it\n  help: leave the key out, or name something",
        )
    }
}

impl<T> From<AnyOf<T>> for Vec<T> {
    fn from(any: AnyOf<T>) -> Self {
        any.0
    }
}
