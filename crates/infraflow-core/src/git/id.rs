use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GitError;

/// Any object of git, by its SHA-1: forty lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ObjectId([u8; 20]);

impl ObjectId {
    /// Reads forty hexadecimal digits; abbreviations are for [`super::Repository::resolve`].
    ///
    /// # Errors
    /// [`GitError::BadId`] for anything else.
    pub fn parse(text: &str) -> Result<Self, GitError> {
        let bad = || GitError::BadId { text: text.to_owned() };
        let digits = text.as_bytes();
        if digits.len() != 40 {
            return Err(bad());
        }
        let mut id = [0; 20];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            let value = |digit: u8| (digit as char).to_digit(16).ok_or_else(bad);
            let (high, low) = (value(pair[0])?, value(pair[1])?);
            // Two hexadecimal digits are at most 255.
            *byte = u8::try_from(high * 16 + low).map_err(|_| bad())?;
        }
        Ok(Self(id))
    }

    /// The twenty bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The first ten hexadecimal digits, for people.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(10);
        text
    }

    pub(super) fn from_git2(id: git2::Oid) -> Self {
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&id.as_bytes()[..20]);
        Self(bytes)
    }

    pub(crate) fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    pub(super) fn to_git2(self) -> Result<git2::Oid, GitError> {
        git2::Oid::from_bytes(&self.0).map_err(|source| GitError::libgit2("read an object's id", source))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for ObjectId {
    type Error = GitError;
    fn try_from(text: String) -> Result<Self, GitError> {
        Self::parse(&text)
    }
}

impl From<ObjectId> for String {
    fn from(id: ObjectId) -> Self {
        id.to_string()
    }
}

macro_rules! object_id {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(ObjectId);

        impl $name {
            /// Reads forty hexadecimal digits.
            ///
            /// # Errors
            /// [`GitError::BadId`] for anything else.
            pub fn parse(text: &str) -> Result<Self, GitError> {
                ObjectId::parse(text).map(Self)
            }

            /// The id without what it is the id of.
            pub fn object(self) -> ObjectId {
                self.0
            }

            /// The first ten hexadecimal digits, for people.
            pub fn short(&self) -> String {
                self.0.short()
            }

            #[allow(dead_code)] // not every kind of object is read by its id
            pub(super) fn from_git2(id: git2::Oid) -> Self {
                Self(ObjectId::from_git2(id))
            }

            #[allow(dead_code)]
            pub(crate) fn from_object(id: ObjectId) -> Self {
                Self(id)
            }

            #[allow(dead_code)]
            pub(super) fn to_git2(self) -> Result<git2::Oid, GitError> {
                self.0.to_git2()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl From<$name> for ObjectId {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

object_id! {
    /// A commit.
    CommitId
}
object_id! {
    /// A directory with everything below it.
    TreeId
}
object_id! {
    /// The bytes of a file, or the target of a link.
    BlobId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_forty_hexadecimal_digits() {
        let text = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        let id = CommitId::parse(text).unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{text}\""));
        assert_eq!(CommitId::parse(&text.to_uppercase()).unwrap(), id);
        for bad in ["", "4b825dc", &text[1..], "zb825dc642cb6eb9a060e54bf8d69288fbee4904"] {
            assert!(matches!(ObjectId::parse(bad), Err(GitError::BadId { .. })), "{bad}");
        }
    }
}
