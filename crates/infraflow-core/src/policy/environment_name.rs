use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PolicyError;

/// The name of an environment: 1 to 63 letters, digits, `-` or `_`, beginning with a letter or digit, so
/// that it can stand in keys of a store, file names and names of variables.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct EnvironmentName(String);

impl EnvironmentName {
    /// Checks a text and takes it for a name.
    ///
    /// # Errors
    /// [`PolicyError::EnvironmentName`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let bad = |why| PolicyError::EnvironmentName { text: text.to_owned(), why };
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(bad("it does not begin with a letter or digit"));
        }
        if text.len() > 63 {
            return Err(bad("it is longer than 63 letters"));
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(bad("it has other characters than letters, digits, - and _"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<EnvironmentName> for String {
    fn from(name: EnvironmentName) -> Self {
        name.0
    }
}

impl TryFrom<String> for EnvironmentName {
    type Error = PolicyError;
    fn try_from(text: String) -> Result<Self, PolicyError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_letters_and_digits() {
        for good in ["dev", "prod-eu_1", "2nd"] {
            assert_eq!(EnvironmentName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-dev", "a/b", "..", "ä", "a b", &"x".repeat(64)] {
            assert!(EnvironmentName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
