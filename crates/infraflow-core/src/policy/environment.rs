use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AnyOf, EnvironmentName, PathPattern, PolicyError, Section};
use crate::proof::{Principal, RepoPath, VerifyingKey};

/// A named group of units, and what is asked of a change to one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// What it asks for, as `infraflow.toml` has it under `[environments.NAME]`.
    #[serde(flatten)]
    pub rules: EnvironmentRules,
}

impl Environment {
    /// Whether a unit of this path is one of this environment's.
    pub fn holds(&self, unit: &RepoPath) -> bool {
        self.rules.units.iter().any(|pattern| pattern.matches(unit))
    }

    /// Whether the unit of this id is one of this environment's: a pattern matches its path or its id
    /// ([`PathPattern::matches_text`]), so that `live/**#workspace=prod` means a workspace.
    pub fn holds_id(&self, unit: &RepoPath, id: &str) -> bool {
        self.holds(unit) || self.rules.units.iter().any(|pattern| pattern.matches_text(id))
    }
}

/// One table `[environments.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentRules {
    /// Patterns of the paths of its units.
    pub units: AnyOf<PathPattern>,
    /// Its place in the promotion order; equal numbers go together.
    pub order: u32,
    /// People who must approve any change.
    #[serde(default = "one")]
    pub approvals: u32,
    /// People who must approve a change that deletes something; a replacement deletes too.
    #[serde(default)]
    pub approvals_on_delete: u32,
    /// People who must approve a change that replaces something.
    #[serde(default)]
    pub approvals_on_replace: u32,
    /// Who may approve; every allowed signer where it is `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<AnyOf<Principal>>,
    /// Who may read its sealed logs, besides those who have its key.
    #[serde(default)]
    pub recipients: Vec<Recipient>,
}

fn one() -> u32 {
    1
}

/// The section `[environments]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Environments(pub(super) BTreeMap<EnvironmentName, EnvironmentRules>);

impl Section for Environments {
    const NAME: &'static str = "environments";
}

/// Somebody for whom logs are sealed: an SSH public key or an age recipient (`age1…`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Recipient(String);

impl Recipient {
    /// Checks a text and takes it for a recipient.
    ///
    /// # Errors
    /// [`PolicyError::Recipient`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let bad = |why: String| PolicyError::Recipient { text: text.to_owned(), why };
        if let Some(key) = text.strip_prefix("age1") {
            // Bech32 (BIP 173): 32 bytes are 52 digits, and the checksum has 6; its digits leave out 1, b, i, o.
            let digits = key.bytes().all(|b| b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(&b));
            if key.len() != 58 || !digits {
                return Err(bad("an age recipient is age1 and 58 letters and digits".into()));
            }
        } else {
            VerifyingKey::parse(text).map_err(|error| bad(error.to_string()))?;
        }
        Ok(Self(text.to_owned()))
    }

    /// The recipient as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        recipient.0
    }
}

impl TryFrom<String> for Recipient {
    type Error = PolicyError;
    fn try_from(text: String) -> Result<Self, PolicyError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::SigningKey;

    #[test]
    fn a_recipient_is_an_ssh_key_or_an_age_recipient() {
        let key = SigningKey::generate("ada").unwrap().verifying_key().to_string();
        assert!(Recipient::parse(&key).is_ok());
        // The example of age's own README.
        assert!(Recipient::parse("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p").is_ok());
        assert!(Recipient::parse("age1").is_err() && Recipient::parse("ada@example.com").is_err());
    }
}
