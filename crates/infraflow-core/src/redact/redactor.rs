use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takes secrets out of what is shown to people who may not see them.
///
/// # Contract
/// 1. `start` begins one log. Redactions are independent of each other, and may run at the same time.
/// 2. However the log is cut into chunks, all that is appended to `out`, put together, is the same.
/// 3. Nothing that could still become part of a secret is appended to `out` before that is decided.
/// 4. `finish` appends what was held back. A redaction that is dropped without it loses only that.
/// 5. Text that was valid UTF-8 stays valid UTF-8, each `out` on its own where the chunks so far end
///    between two characters.
/// 6. Memory is bounded by the secrets, whatever the length of the log.
/// 7. The report names secrets, by the names they were given, and never their values.
pub trait Redactor: Send + Sync + fmt::Debug {
    /// Begins the redaction of one log.
    fn start(&self) -> Box<dyn Redaction>;
}

/// The redaction of one log, under way. See [`Redactor`] for the contract.
pub trait Redaction: Send {
    /// Takes the next bytes of the log, and appends to `out` what can be shown by now.
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>);

    /// Ends the log: appends what was held back, and says what was found.
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> RedactionReport;
}

/// Which secrets were found, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedactionReport {
    /// The secrets found, sorted by name.
    pub redacted: Vec<Redacted>,
    /// The secrets that were not looked for, and why; sorted by name.
    pub left_alone: Vec<LeftAlone>,
}

impl RedactionReport {
    /// How many places were redacted in all.
    pub fn places(&self) -> u64 {
        self.redacted.iter().map(|redacted| redacted.count).sum()
    }
}

/// One secret that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Redacted {
    /// The name of the secret, for example `random_password.admin.result`. Where several secrets have the
    /// same value, the first of their names.
    pub name: String,
    /// In how many places, overlapping ones counted each.
    pub count: u64,
}

/// One secret that was not looked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct LeftAlone {
    /// The name of the secret.
    pub name: String,
    /// Why it was not looked for.
    pub why: WhyLeftAlone,
}

/// Why a secret was not looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhyLeftAlone {
    /// It is empty.
    Empty,
    /// It is shorter than the shortest secret that is looked for: it stands everywhere in ordinary text,
    /// and to blot it out would show where it stands.
    TooShort,
    /// It is a word that everybody knows: `true`, `false`, `null`, `none`.
    Trivial,
}

impl dyn Redactor + '_ {
    /// Redacts bytes that are there as a whole.
    pub fn redact(&self, bytes: &[u8]) -> (Vec<u8>, RedactionReport) {
        let mut out = Vec::with_capacity(bytes.len());
        let mut redaction = self.start();
        redaction.push(bytes, &mut out);
        let report = redaction.finish(&mut out);
        (out, report)
    }

    /// Redacts a text that is there as a whole.
    pub fn redact_text(&self, text: &str) -> (String, RedactionReport) {
        let (bytes, report) = self.redact(text.as_bytes());
        (String::from_utf8_lossy(&bytes).into_owned(), report)
    }
}
