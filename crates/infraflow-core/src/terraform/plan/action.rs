use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing a plan does to a resource or an output, by the name that plan JSON gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
#[non_exhaustive]
pub enum Action {
    /// `no-op`: nothing, though the resource may be moved or imported.
    NoOp,
    /// `create`.
    Create,
    /// `read`: a data source is read while applying.
    Read,
    /// `update`: in place.
    Update,
    /// `delete`.
    Delete,
    /// `forget`: dropped from the state, left in the world (Terraform 1.7, OpenTofu 1.7).
    Forget,
    /// An action of a newer tool, by its name.
    Other(String),
}

impl Action {
    /// The name in plan JSON.
    pub fn as_str(&self) -> &str {
        match self {
            Self::NoOp => "no-op",
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Forget => "forget",
            Self::Other(name) => name,
        }
    }
}

impl From<String> for Action {
    fn from(name: String) -> Self {
        match name.as_str() {
            "no-op" => Self::NoOp,
            "create" => Self::Create,
            "read" => Self::Read,
            "update" => Self::Update,
            "delete" => Self::Delete,
            "forget" => Self::Forget,
            _ => Self::Other(name),
        }
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.as_str().to_owned()
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a plan does to one thing: its actions, in the plan's own order.
///
/// Two actions are one replacement, and their order says which half comes first; whoever reads only the
/// first miscounts every replacement.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actions(pub Vec<Action>);

// Written by hand, so that the schema says "a list of strings" where it stands.
impl JsonSchema for Actions {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Actions".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<String>::json_schema(generator)
    }
}

/// The order of a replacement's halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Replacement {
    /// `[delete, create]`, the default: nothing stands in between.
    DeleteFirst,
    /// `[create, delete]`: `create_before_destroy`.
    CreateFirst,
    /// `[create, forget]`, or `[forget, create]` as OpenTofu 1.12 writes it: the old one is left in the world.
    Forgetting,
}

impl Actions {
    /// Whether nothing is done. A move or an import may still be recorded in the state.
    pub fn is_no_op(&self) -> bool {
        self.0.iter().all(|action| *action == Action::NoOp)
    }

    /// Whether this action is among them.
    pub fn contains(&self, action: &Action) -> bool {
        self.0.contains(action)
    }

    /// The kind of replacement, where it is one.
    pub fn replacement(&self) -> Option<Replacement> {
        match self.0.as_slice() {
            [Action::Delete, Action::Create] => Some(Replacement::DeleteFirst),
            [Action::Create, Action::Delete] => Some(Replacement::CreateFirst),
            [Action::Create, Action::Forget] | [Action::Forget, Action::Create] => {
                Some(Replacement::Forgetting)
            }
            _ => None,
        }
    }

    /// Whether something that exists is destroyed: a delete, or a replacement that does not forget.
    pub fn destroys(&self) -> bool {
        self.contains(&Action::Delete)
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.replacement() {
            Some(Replacement::DeleteFirst) => f.write_str("replace"),
            Some(Replacement::CreateFirst) => f.write_str("replace (create first)"),
            Some(Replacement::Forgetting) => f.write_str("replace (forget the old one)"),
            None => {
                for (i, action) in self.0.iter().enumerate() {
                    write!(f, "{}{action}", if i > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
        }
    }
}
