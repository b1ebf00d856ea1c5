//! Which evidence counts: pure, so that every way to be refused is tried in a test.

use std::{collections::BTreeMap, time::Duration};

use super::{ApprovalRequest, ApprovalStatement, Counted, Evidence, Missing, NotCounted, Refused, Testimony};
use crate::{
    policy::Policy,
    proof::{Digest, Principal, Reason, RunId, Signed, Timestamp},
};

/// What is known when approvals are counted.
pub(super) struct Bench<'a> {
    pub(super) request: &'a ApprovalRequest,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
    /// Who counts them, and may count what it has used before.
    pub(super) run: &'a RunId,
    /// Which statements are used up, and by whom.
    pub(super) used: &'a BTreeMap<Digest, RunId>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) counted: Vec<Counted>,
    pub(super) not_counted: Vec<NotCounted>,
}

/// Why something does not count: a rule's name and a sentence.
struct Objection(&'static str, String);

/// Somebody who was counted. A key may have several names, and a name several keys.
struct Person {
    key: String,
    name: Principal,
    /// Every name of the key.
    names: Vec<Principal>,
}

impl Person {
    /// Whether both are one person: one key, or one signed by a name that the other's key bears too. Two
    /// people may share a name that neither signs by, such as that of their team.
    fn is(&self, other: &Self) -> bool {
        let bears = |who: &Self, name| who.names.iter().any(|it| same(it, name));
        self.key == other.key || bears(self, &other.name) || bears(other, &self.name)
    }
}

/// Whether two names mean the same person: addresses of mail are compared without case.
pub(super) fn same(a: &Principal, b: &Principal) -> bool {
    a.0.to_lowercase() == b.0.to_lowercase()
}

impl Bench<'_> {
    /// Judges all evidence, in the order of where it was found, so that the result does not hang on the
    /// order in which a store lists it.
    pub(super) fn judge(&self, evidence: &[Evidence]) -> Judgement {
        let mut evidence: Vec<_> = evidence.iter().collect();
        evidence.sort_by(|a, b| a.source.cmp(&b.source));
        let mut persons = Vec::new();
        let mut judgement = Judgement::default();
        for piece in evidence {
            let (approver, judged) = match &piece.testimony {
                Testimony::Signature(signed) => {
                    (Some(signed.statement.approver.clone()), self.signature(signed, &mut persons))
                }
                Testimony::Unreadable(why) => (None, Err(Objection("unreadable", why.clone()))),
                Testimony::Other(_) => {
                    (None, Err(Objection("not_understood", "it is no SSH signature".into())))
                }
            };
            let source = piece.source.clone();
            match judged {
                Ok((approver, statement, reason)) => {
                    judgement.counted.push(Counted { source, approver, statement, reasons: vec![reason] });
                }
                Err(Objection(rule, text)) => {
                    let reasons = vec![Reason::new(rule, text)];
                    judgement.not_counted.push(NotCounted { source, approver, reasons });
                }
            }
        }
        judgement
    }

    fn signature(
        &self,
        signed: &Signed<ApprovalStatement>,
        persons: &mut Vec<Person>,
    ) -> Result<(Principal, Digest, Reason), Objection> {
        let statement = &signed.statement;
        self.matter(statement)?;
        let who = &statement.approver;
        let principals = signed
            .verify(&self.policy.signers().at(self.now))
            .map_err(|error| Objection("signature", format!("{error}{}", self.judged_by())))?;
        if !principals.contains(who) {
            let owners: Vec<_> = principals.iter().map(ToString::to_string).collect();
            return Err(Objection(
                "not_the_signer",
                format!("it says {who} approves, and the key is that of {}", owners.join(", ")),
            ));
        }
        self.time(statement)?;
        let author = principals.iter().find(|name| self.request.authors.iter().any(|it| same(it, name)));
        if let Some(author) = author
            && !self.policy.approval().allow_author
        {
            return Err(Objection(
                "author",
                format!("{author} made the change, and nobody approves their own"),
            ));
        }
        let unreadable = |error: crate::proof::ProofError| Objection("signature", error.to_string());
        let key = signed.key().map_err(unreadable)?.fingerprint();
        let signer = Person { key, name: who.clone(), names: principals };
        if let Some(person) = persons.iter().find(|it| it.is(&signer)) {
            return Err(Objection(
                "same_person",
                format!("{} was counted already, by the same name or the same key", person.name),
            ));
        }
        let digest = signed.statement_digest().map_err(unreadable)?;
        if let Some(run) = self.used.get(&digest).filter(|run| *run != self.run) {
            return Err(Objection("used", format!("it was used by run {run}, and an approval is used once")));
        }
        persons.push(signer);
        let reason = if statement.plan == self.request.plan {
            Reason::new("signed", format!("{who} signed this plan"))
        } else {
            Reason::new(
                "equal_fingerprint",
                format!("{who} signed {}, which has the same fingerprint as this plan", statement.plan),
            )
        };
        Ok((who.clone(), digest, reason))
    }

    /// Whether the statement is about what is asked.
    fn matter(&self, statement: &ApprovalStatement) -> Result<(), Objection> {
        let request = self.request;
        if statement.repository != request.repository {
            return Err(Objection(
                "other_repository",
                format!("it is about {}, not {}", statement.repository, request.repository),
            ));
        }
        if statement.fingerprint != request.fingerprint {
            return Err(Objection(
                "other_plan",
                format!(
                    "it is about the plan {} with fingerprint {}, and this plan has {}: it would do something else",
                    statement.plan, statement.fingerprint, request.fingerprint
                ),
            ));
        }
        // The fingerprint says what would be done, not what becomes of the policy: whoever approved of the
        // same plan without the policy's edit has not seen the edit.
        if !request.gate.is_empty() && statement.plan != request.plan {
            return Err(Objection(
                "other_plan",
                format!(
                    "it is about the plan {}, and this change edits the policy, so its own plan has to be approved",
                    statement.plan
                ),
            ));
        }
        if statement.units != request.units {
            let names: Vec<_> = statement.units.iter().map(ToString::to_string).collect();
            return Err(Objection("other_units", format!("it is about the units {}", names.join(", "))));
        }
        Ok(())
    }

    fn time(&self, statement: &ApprovalStatement) -> Result<(), Objection> {
        let (now, end) = (self.now, statement.not_after);
        if now > end {
            return Err(Objection("expired", format!("it held until {end}, and now it is {now}")));
        }
        let hours = self.policy.approval().hours.get();
        if end > now.plus(Duration::from_secs(u64::from(hours) * 3600)) {
            return Err(Objection(
                "too_long",
                format!("it would hold until {end}, and the policy lets an approval hold for {hours} h"),
            ));
        }
        Ok(())
    }

    fn judged_by(&self) -> String {
        match &self.request.policy_revision {
            Some(revision) => format!("; signers are those of the policy at {revision}"),
            None => "; signers are those of a policy outside the repository".to_owned(),
        }
    }

    /// The answer where something is missing.
    pub(super) fn refuse(&self, judgement: Judgement, missing: Vec<Missing>) -> Refused {
        let mut reasons: Vec<_> = missing.iter().map(Missing::reason).collect();
        for piece in &judgement.not_counted {
            let named = piece.approver.as_ref().map_or(String::new(), |who| format!(" of {who}"));
            reasons.extend(piece.reasons.iter().map(|reason| {
                let text = format!("the approval{named} at {} does not count: {}", piece.source, reason.text);
                Reason::new(&reason.rule, text)
            }));
        }
        if !self.request.gate.is_empty() {
            let edited: Vec<_> = self.request.gate.iter().map(ToString::to_string).collect();
            let text = format!(
                "the change edits {}, and is judged by the policy that stood before it{}",
                edited.join(", "),
                self.judged_by()
            );
            reasons.push(Reason::new("gate", text));
        }
        Refused { plan: self.request.plan.clone(), missing, not_counted: judgement.not_counted, reasons }
    }
}
