use std::sync::Arc;

use crate::proof::Place;

/// A value of a YAML file and where it stands.
///
/// Nodes behind aliases are shared, so a tree of a few kilobytes can have more paths than anybody can walk. Look
/// for members by name, or count the steps of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its bytes; of what an alias stands for, those of the anchored value.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A scalar, its escapes and folds resolved.
    Scalar {
        /// The text.
        text: String,
        /// Whether it has neither quotes nor a block's mark, so that `null` means null.
        plain: bool,
    },
    /// A list.
    List(Vec<Arc<Node>>),
    /// A mapping, in the order of the file, each key as often as it is written.
    Mapping(Vec<(Arc<Node>, Arc<Node>)>),
}

/// Mappings that are merged into mappings, this deep.
const MOST_MERGES: usize = 8;

impl Node {
    /// The text of a scalar that is not null.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, plain: true }
                if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") =>
            {
                None
            }
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Arc<Self>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// What a mapping has under a name, in any letter case: once for each time that it is written or merged in.
    /// Which of them counts is for the tool to say.
    pub fn all(&self, name: &str) -> Vec<&Arc<Self>> {
        let mut found = Vec::new();
        self.collect(name, 0, &mut found);
        found
    }

    /// The last of [`Node::all`] that the mapping itself has, or else the first that is merged in.
    pub fn member(&self, name: &str) -> Option<&Arc<Self>> {
        let own = self.members().iter().rev().find(|(key, _)| is_named(key, name));
        own.map(|(_, value)| value).or_else(|| self.all(name).into_iter().next())
    }

    /// The members of a mapping as they are written; none of anything else.
    pub fn members(&self) -> &[(Arc<Self>, Arc<Self>)] {
        match &self.value {
            Value::Mapping(members) => members,
            _ => &[],
        }
    }

    fn collect<'a>(&'a self, name: &str, depth: usize, found: &mut Vec<&'a Arc<Self>>) {
        for (key, value) in self.members() {
            if is_named(key, name) {
                found.push(value);
            } else if depth < MOST_MERGES && is_named(key, "<<") {
                value.collect(name, depth + 1, found);
                for item in value.items() {
                    item.collect(name, depth + 1, found);
                }
            }
        }
    }
}

/// Whether a key is a name. Go's `encoding/json`, by which the tools of Kubernetes decode, does not tell letter
/// cases apart.
fn is_named(key: &Node, name: &str) -> bool {
    matches!(&key.value, Value::Scalar { text, .. } if text.eq_ignore_ascii_case(name))
}
