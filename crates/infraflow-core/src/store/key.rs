use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::proof::Digest;

/// The longest name of a key: file systems allow 255 bytes, and staging adds some.
const LONGEST: usize = 200;

/// Where something stands in a store: names joined by `/`.
///
/// A name is made of letters, digits and `. _ - + = @`, and does not begin with a dot. [`Key::join`] takes
/// any text for one name and writes what is not allowed as `=XX`, so that two texts never share a key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Key(String);

impl Key {
    /// Checks a text and takes it for a key.
    ///
    /// # Errors
    /// [`StoreError::BadKey`].
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let bad = |why| StoreError::BadKey { text: text.to_owned(), why };
        for name in text.split('/') {
            if name.is_empty() {
                return Err(bad("it has an empty name"));
            }
            if name.starts_with('.') {
                return Err(bad("a name begins with a dot"));
            }
            if name.len() > LONGEST {
                return Err(bad("a name is longer than 200 bytes"));
            }
            if !name.bytes().all(|byte| plain(byte) || byte == b'=') {
                return Err(bad("it has a character that is not allowed"));
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The key of one name more, which may be any text: what a name can't have is written `=XX`, and what is
    /// too long is cut and ends in a digest.
    #[must_use]
    pub fn join(&self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        let mut encoded = String::with_capacity(name.len());
        for (at, byte) in name.bytes().enumerate() {
            if plain(byte) && !(at == 0 && byte == b'.') {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("={byte:02X}"));
            }
        }
        if encoded.is_empty() {
            encoded.push('=');
        }
        if encoded.len() > LONGEST {
            encoded.truncate(LONGEST - 66);
            encoded.push_str("==");
            encoded.push_str(Digest::of_bytes(name).hex());
        }
        Self(format!("{}/{encoded}", self.0))
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last name.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// What follows `prefix/` in this key, if it lies below it.
    pub fn below(&self, prefix: &Self) -> Option<&str> {
        self.0.strip_prefix(&prefix.0)?.strip_prefix('/')
    }

    pub(super) fn with_suffix(&self, suffix: &str) -> Self {
        Self(format!("{}{suffix}", self.0))
    }
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl TryFrom<String> for Key {
    type Error = StoreError;
    fn try_from(text: String) -> Result<Self, StoreError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_leads_out_of_the_store() {
        for bad in
            ["", "/a", "a/", "a//b", "..", "a/../b", "a/./b", ".hidden", "a#1", "a b", "é", "a\\b", "a\0"]
        {
            assert!(Key::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn any_two_texts_have_two_keys_that_read_back() {
        let base = Key::parse("a").unwrap();
        let long = "x".repeat(300);
        let texts =
            ["", "=", "a/b", "a=2Fb", "a", "..", ".", "a#1", "é", "A", &long, &long[1..], "x y", "a/../../b"];
        let keys: HashSet<_> = texts.iter().map(|text| base.join(text)).collect();
        assert_eq!(keys.len(), texts.len());
        for key in keys {
            assert_eq!(Key::parse(key.as_str()).unwrap(), key);
            assert_eq!(key.as_str().split('/').count(), 2);
        }
    }
}
