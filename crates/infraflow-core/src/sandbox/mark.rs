use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::CaseId,
    process::Environment,
    proof::{Digest, RunId},
};

use super::SandboxError;

/// What everything made by one case of one run carries: the run's name, a hyphen, and eight hexadecimal
/// digits of the digest of both, so that no mark is a part of another. Lower-case letters, digits and hyphens, so that it can stand in the names of
/// most things; a short run name keeps it within the limits of those that are strict.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Mark(String);

impl Mark {
    /// The mark of a case in a run.
    pub fn of(run: &RunId, case: &CaseId) -> Self {
        let digest = Digest::of_bytes([run.as_str().as_bytes(), b"\0", case.path().as_bytes()].concat());
        Self(format!("{run}-{}", &digest.hex()[..8]))
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The variables by which a deployment learns its mark:
    /// - `TF_VAR_run_id`, for examples that declare `variable "run_id"`;
    /// - `INFRAFLOW_RUN_ID`, for provisioners and programs;
    /// - `TF_AWS_DEFAULT_TAGS_infraflow_run`, a default tag of everything the AWS provider (5.62 and later)
    ///   makes.
    pub fn environment(&self) -> Environment {
        Environment::empty()
            .with("TF_VAR_run_id", &self.0)
            .with("INFRAFLOW_RUN_ID", &self.0)
            .with("TF_AWS_DEFAULT_TAGS_infraflow_run", &self.0)
    }

    /// Whether a text, such as a name or a tag, carries this mark: as a whole, not as the beginning or the end
    /// of a longer word.
    pub fn is_in(&self, text: &[u8]) -> bool {
        let mark = self.0.as_bytes();
        let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        text.windows(mark.len()).enumerate().any(|(at, window)| {
            window == mark
                && !word(at.checked_sub(1).and_then(|at| text.get(at)))
                && !word(text.get(at + mark.len()))
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        mark.0
    }
}

impl TryFrom<String> for Mark {
    type Error = SandboxError;
    fn try_from(text: String) -> Result<Self, SandboxError> {
        let digits = |hex: &str| {
            hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        match text.rsplit_once('-') {
            Some((run, hex)) if RunId::parse(run).is_ok() && digits(hex) => Ok(Self(text)),
            _ => Err(SandboxError::BadMark { text }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::RepoPath;

    #[test]
    fn a_mark_is_found_as_a_whole_only() {
        let case = CaseId::new(RepoPath::parse("modules/a/examples/b").unwrap());
        let mark = Mark::of(&RunId::parse("r1").unwrap(), &case);
        for text in
            [format!("{mark}"), format!("net-{mark}.txt"), format!("a/{mark}/b"), format!("x{mark}y {mark}")]
        {
            assert!(mark.is_in(text.as_bytes()), "{text}");
        }
        for text in [format!("x{mark}"), format!("{mark}0"), "r1".into(), String::new()] {
            assert!(!mark.is_in(text.as_bytes()), "{text}");
        }
        assert_eq!(Mark::try_from(mark.to_string()).unwrap(), mark);
        assert!(Mark::try_from("r1-xyz".to_owned()).is_err());
        assert!(Mark::try_from("../r1-01234567".to_owned()).is_err());
    }
}
