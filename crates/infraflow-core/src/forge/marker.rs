use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ForgeError;

/// What a program finds its own comment again by, for example `dry-run/dev`. A forge without such a thing
/// writes it into the comment where readers do not see it, so it is letters, digits and `. _ - /` only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Marker(String);

impl Marker {
    /// Checks a text and takes it for a marker.
    ///
    /// # Errors
    /// [`ForgeError::BadMarker`].
    pub fn parse(text: &str) -> Result<Self, ForgeError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        // "--" would end an HTML comment.
        if text.is_empty() || text.len() > 200 || !text.bytes().all(allowed) || text.contains("--") {
            return Err(ForgeError::BadMarker { text: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Marker {
    type Error = ForgeError;
    fn try_from(text: String) -> Result<Self, ForgeError> {
        Self::parse(&text)
    }
}

impl From<Marker> for String {
    fn from(marker: Marker) -> Self {
        marker.0
    }
}
