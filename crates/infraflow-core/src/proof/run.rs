use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ProofError;

/// The name of one run: 1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit,
/// so that it can stand in keys of a store, in names of resources and in tags. The same name resumes the
/// same run: what it has used up (an approval) it may use again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct RunId(String);

impl RunId {
    /// Checks a text and takes it for a run's name.
    ///
    /// # Errors
    /// [`ProofError::BadRunId`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let good = (1..=64).contains(&text.len())
            && !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if good { Ok(Self(text.to_owned())) } else { Err(ProofError::BadRunId { text: text.to_owned() }) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RunId {
    type Error = ProofError;
    fn try_from(text: String) -> Result<Self, ProofError> {
        Self::parse(&text)
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runs_name_is_good_for_keys_and_tags() {
        for good in ["1", "run-2026-01-31", &"a".repeat(64)] {
            assert_eq!(RunId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a/b", "A", "a_b", "ä", &"a".repeat(65)] {
            assert!(RunId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
