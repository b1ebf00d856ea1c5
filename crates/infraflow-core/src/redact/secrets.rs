use std::{collections::BTreeMap, fmt};

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{LeftAlone, WhyLeftAlone};

/// The shortest secret that is looked for, in bytes, unless [`Secrets::with_shortest`] says otherwise.
pub const SHORTEST: usize = 4;

/// Values that must not be shown, each with a name that may be. They are wiped from memory when dropped,
/// and never printed.
#[derive(Clone)]
pub struct Secrets {
    values: BTreeMap<Value, String>,
    left_alone: Vec<LeftAlone>,
    shortest: usize,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Zeroize, ZeroizeOnDrop)]
struct Value(Vec<u8>);

impl Secrets {
    /// No secrets.
    pub fn new() -> Self {
        Self { values: BTreeMap::new(), left_alone: Vec::new(), shortest: SHORTEST }
    }

    /// Looks for secrets of so many bytes and more, from here on; at least one.
    #[must_use]
    pub fn with_shortest(mut self, shortest: usize) -> Self {
        self.shortest = shortest.max(1);
        self
    }

    /// Adds a value under a name that may be shown: where it comes from, for example
    /// `random_password.admin.result` or `AWS_SECRET_ACCESS_KEY`.
    ///
    /// White space around the value is not part of what is looked for. A value that is empty, shorter
    /// than the shortest, or a word that everybody knows is not looked for, and the report says so.
    pub fn add(&mut self, name: impl Into<String>, value: impl AsRef<[u8]>) {
        let (name, value) = (name.into(), value.as_ref().trim_ascii());
        let why = match value {
            b"" => Some(WhyLeftAlone::Empty),
            b"true" | b"false" | b"null" | b"none" => Some(WhyLeftAlone::Trivial),
            value if value.len() < self.shortest => Some(WhyLeftAlone::TooShort),
            _ => None,
        };
        if let Some(why) = why {
            self.left_alone.push(LeftAlone { name, why });
            return;
        }
        let known = self.values.entry(Value(value.to_vec())).or_insert_with(|| name.clone());
        if name < *known {
            *known = name;
        }
    }

    /// Adds every text and number within a JSON value. Each is named after `name` and its way in the
    /// value: `db.users[0].password`.
    pub fn add_json(&mut self, name: &str, value: &serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::String(text) => self.add(name, text),
            Value::Number(number) => self.add(name, number.to_string()),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add_json(&format!("{name}[{index}]"), item);
                }
            }
            Value::Object(members) => {
                for (member, value) in members {
                    self.add_json(&format!("{name}.{member}"), value);
                }
            }
            Value::Bool(_) => {
                self.left_alone.push(LeftAlone { name: name.into(), why: WhyLeftAlone::Trivial })
            }
            Value::Null => {}
        }
    }

    /// How many values are looked for.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values with their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.values.iter().map(|(value, name)| (name.as_str(), value.0.as_slice()))
    }

    pub(super) fn left_alone(&self) -> Vec<LeftAlone> {
        let mut sorted = self.left_alone.clone();
        sorted.sort();
        sorted.dedup();
        sorted
    }
}

impl Default for Secrets {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.values()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_knows_is_left_alone_and_named() {
        let mut secrets = Secrets::new();
        secrets.add_json(
            "db",
            &serde_json::json!({"on": true, "name": "x", "port": 54321, "keys": ["", "hunter2hunter2"], "no": null}),
        );
        assert_eq!(secrets.len(), 2);
        let left: Vec<_> = secrets.left_alone().into_iter().map(|left| (left.name, left.why)).collect();
        assert_eq!(
            left,
            [
                ("db.keys[0]".to_owned(), WhyLeftAlone::Empty),
                ("db.name".to_owned(), WhyLeftAlone::TooShort),
                ("db.on".to_owned(), WhyLeftAlone::Trivial),
            ]
        );
    }

    #[test]
    fn values_are_never_printed_and_equal_ones_have_the_first_name() {
        let mut secrets = Secrets::new();
        secrets.add("b", "hunter2hunter2");
        secrets.add("a", " hunter2hunter2\n");
        assert_eq!(format!("{secrets:?}"), r#"["a"]"#);
    }
}
