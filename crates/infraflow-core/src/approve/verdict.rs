use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Requirement;
use crate::proof::{Digest, Document, Principal, Reason, RunId};

/// What came of counting approvals.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Everything that was asked for is met, and what was counted is used up by this run.
    Approved(Approved),
    /// It is not.
    Refused(Refused),
}

/// That a plan may be applied, by one run. It is made by an [`super::Approver`] in the process that applies,
/// and is never read from a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Approved {
    /// The digest of the dry run that was judged.
    pub plan: Digest,
    /// What that dry run means.
    pub fingerprint: Digest,
    /// The digest of the policy that judged.
    pub policy: Digest,
    /// The run that may apply it.
    pub run: RunId,
    /// Whose approvals counted.
    pub by: Vec<Counted>,
}

/// An approval that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// Where it was found.
    pub source: String,
    /// Who approved.
    pub approver: Principal,
    /// The digest of the statement: what its use is recorded under.
    pub statement: Digest,
    /// Why it counts, which says so where it was given for another plan that means the same.
    pub reasons: Vec<Reason>,
}

impl Approved {
    /// The verdict of an approver that counted these.
    pub fn new(plan: Digest, fingerprint: Digest, policy: Digest, run: RunId, by: Vec<Counted>) -> Self {
        Self { plan, fingerprint, policy, run, by }
    }

    /// Those of some requirements that are not met by the people who approved.
    pub fn missing(&self, required: &[Requirement]) -> Vec<Missing> {
        Missing::of(required, &self.by)
    }
}

/// That a plan may not be applied, and why.
///
/// ```json
/// {"kind": "refusal", "schema_version": 1, "digest": "sha256:…", "plan": "sha256:…",
///  "missing": [{"rule": "environments.prod.approvals", "needed": 1, "counted": [],
///               "may_approve": ["ada@example.com"], "reasons": []}],
///  "not_counted": [{"source": "approvals/…", "approver": "bob@example.com",
///                   "reasons": [{"rule": "author", "text": "…", "chain": []}]}],
///  "reasons": [{"rule": "environments.prod.approvals", "text": "…", "chain": []}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Refused {
    /// The digest of the dry run that was judged.
    pub plan: Digest,
    /// The requirements that are not met.
    pub missing: Vec<Missing>,
    /// What was found and does not count, each with why.
    pub not_counted: Vec<NotCounted>,
    /// Why, in sentences: one for each requirement that is not met, one for each piece of evidence that does
    /// not count, and one where the change edits the policy it is judged by.
    pub reasons: Vec<Reason>,
}

impl Document for Refused {
    const KIND: &'static str = "refusal";
    const SCHEMA_VERSION: u32 = 1;
}

/// A requirement that is not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// The rule that asks.
    pub rule: String,
    /// How many people must approve.
    pub needed: u32,
    /// Who did, and may.
    pub counted: Vec<Principal>,
    /// Who else may.
    pub may_approve: Vec<Principal>,
    /// What brought the rule up.
    pub reasons: Vec<Reason>,
}

impl Missing {
    pub(super) fn of(required: &[Requirement], counted: &[Counted]) -> Vec<Self> {
        let mut missing = Vec::new();
        for requirement in required {
            let may = |who: &Principal| requirement.approvers.contains(who);
            let mut who: Vec<_> = counted.iter().map(|it| it.approver.clone()).filter(may).collect();
            who.sort();
            who.dedup();
            if who.len() < requirement.count as usize {
                let mut may_approve = requirement.approvers.clone();
                may_approve.retain(|name| !who.contains(name));
                missing.push(Self {
                    rule: requirement.rule.clone(),
                    needed: requirement.count,
                    counted: who,
                    may_approve,
                    reasons: requirement.reasons.clone(),
                });
            }
        }
        missing
    }

    pub(super) fn reason(&self) -> Reason {
        Reason::new(&self.rule, self.sentence())
    }

    /// The same as a sentence.
    pub fn sentence(&self) -> String {
        let names = |who: &[Principal]| who.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let have = match self.counted.as_slice() {
            [] => "nobody did".to_owned(),
            who => format!("only {} did", names(who)),
        };
        let may = match self.may_approve.as_slice() {
            [] => "nobody else may".to_owned(),
            who => format!("who may: {}", names(who)),
        };
        let why: Vec<_> = self.reasons.iter().map(|reason| reason.text.as_str()).collect();
        let people = if self.needed == 1 { "person" } else { "people" };
        format!("{} {people} must approve, and {have} ({may}): {}", self.needed, why.join("; "))
    }
}

/// Evidence that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotCounted {
    /// Where it was found.
    pub source: String,
    /// Who it says approved, where it says so. Nobody vouches for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<Principal>,
    /// Why it does not count. The rule is one of `unreadable`, `other_repository`, `other_plan`,
    /// `other_units`, `signature`, `not_the_signer`, `expired`, `too_long`, `author`, `same_person`, `used`,
    /// `not_understood`.
    pub reasons: Vec<Reason>,
}
