use std::fmt;

use rand_core::{OsRng, RngCore};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ApproveError;
use crate::{
    catalog::UnitId,
    git::CommitId,
    proof::{Digest, Principal, Statement, Timestamp},
};

/// What an approver signs.
///
/// ```json
/// {"plan": "sha256:…", "fingerprint": "sha256:…", "repository": "infrastructure-live",
///  "commit": "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "units": ["prod/database"],
///  "approver": "ada@example.com", "not_after": "2026-02-01T12:00:00Z",
///  "nonce": "9b1c0f1f7d3b4f0a9b1c0f1f7d3b4f0a"}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalStatement {
    /// The digest of the dry run that was looked at.
    pub plan: Digest,
    /// What that dry run means; the approval holds for every plan with this fingerprint.
    pub fingerprint: Digest,
    /// The repository that was planned.
    pub repository: String,
    /// The commit that was planned.
    pub commit: CommitId,
    /// The units that would change.
    pub units: Vec<UnitId>,
    /// Who approves.
    pub approver: Principal,
    /// The last moment at which the approval holds.
    pub not_after: Timestamp,
    /// Makes every statement its own, so that each is used once.
    pub nonce: Nonce,
}

impl Statement for ApprovalStatement {
    const NAMESPACE: &'static str = "infraflow-approval";
}

/// A number that is used once: 32 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Nonce(String);

impl Nonce {
    /// A new one, from the operating system's random numbers.
    ///
    /// # Errors
    /// [`ApproveError::Random`].
    pub fn random() -> Result<Self, ApproveError> {
        let mut bytes = [0; 16];
        OsRng.try_fill_bytes(&mut bytes).map_err(|error| ApproveError::Random { why: error.to_string() })?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// Checks a text and takes it for a nonce.
    ///
    /// # Errors
    /// [`ApproveError::Nonce`].
    pub fn parse(text: &str) -> Result<Self, ApproveError> {
        let good = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if good { Ok(Self(text.to_owned())) } else { Err(ApproveError::Nonce { text: text.to_owned() }) }
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Nonce {
    type Error = ApproveError;
    fn try_from(text: String) -> Result<Self, ApproveError> {
        Self::parse(&text)
    }
}

impl From<Nonce> for String {
    fn from(nonce: Nonce) -> Self {
        nonce.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_nonces_are_equal_and_each_reads_back() {
        let (one, other) = (Nonce::random().unwrap(), Nonce::random().unwrap());
        assert_ne!(one, other);
        assert_eq!(Nonce::parse(&one.to_string()).unwrap(), one);
        assert!(Nonce::parse("abc").is_err());
    }
}
