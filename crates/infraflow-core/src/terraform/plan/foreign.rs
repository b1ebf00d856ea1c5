use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Members of a JSON object that this build has no name for.
pub type Members = BTreeMap<String, Foreign>;

/// How deep a foreign value is followed. Terraform's own types nest a few levels; serde_json's limit is the same.
pub(crate) const DEPTH: usize = 128;

/// JSON that somebody else defines, kept as it was written. `Debug` shows its length only.
#[derive(Clone)]
pub struct Foreign(Box<RawValue>);

impl Foreign {
    /// The JSON text, as it was written.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.text() == "null"
    }

    /// Whether it is `true`.
    pub fn is_true(&self) -> bool {
        self.text() == "true"
    }

    /// One level of it.
    pub fn shape(&self) -> Shape<'_> {
        Shape::of(self.text())
    }

    /// The member of that name, where this is an object that has one.
    pub fn member(&self, name: &str) -> Option<Foreign> {
        match self.shape() {
            Shape::Object(mut members) => members.remove(name).map(|raw| Self(raw.to_owned())),
            _ => None,
        }
    }
}

/// One level of a JSON value: the values below are still text.
#[derive(Clone)]
pub enum Shape<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, by its text.
    Number(&'a str),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// The items of a list.
    Array(Vec<&'a RawValue>),
    /// The members of an object, by name.
    Object(BTreeMap<String, &'a RawValue>),
}

impl<'a> Shape<'a> {
    /// One level of a text that is known to be one JSON value.
    pub(crate) fn of(text: &'a str) -> Self {
        let read = match text.as_bytes().first() {
            Some(b'{') => serde_json::from_str(text).map(Shape::Object),
            Some(b'[') => serde_json::from_str(text).map(Shape::Array),
            Some(b'"') => serde_json::from_str::<Text<'_>>(text).map(|text| Shape::String(text.0)),
            Some(b't') => Ok(Shape::Bool(true)),
            Some(b'f') => Ok(Shape::Bool(false)),
            Some(b'n') | None => Ok(Shape::Null),
            Some(_) => Ok(Shape::Number(text)),
        };
        // A raw value was checked when it was read, except for \u escapes that pair no surrogates: such a
        // string is kept with its escapes, which compare and digest as well as anything.
        read.unwrap_or(Shape::String(Cow::Borrowed(text)))
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Default for Foreign {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl PartialEq for Foreign {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Foreign {}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Foreign({} bytes)", self.text().len())
    }
}

impl fmt::Debug for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shape::Null => "Null",
            Shape::Bool(_) => "Bool",
            Shape::Number(_) => "Number",
            Shape::String(_) => "String",
            Shape::Array(_) => "Array",
            Shape::Object(_) => "Object",
        })
    }
}

impl From<Box<RawValue>> for Foreign {
    fn from(raw: Box<RawValue>) -> Self {
        Self(raw)
    }
}

impl Serialize for Foreign {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Foreign {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}
