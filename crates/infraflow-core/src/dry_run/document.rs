use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

use super::DryRunError;
use crate::{
    catalog::UnitId,
    git::Revision,
    policy::EnvironmentName,
    proof::{Digest, Document, Reason, RepoPath, canonical_json},
    terraform::{
        StateVersion, ToolVersion,
        plan::{Counts, Drift, PlanSummary},
    },
};

/// What applying would do, unit by unit, at one revision.
///
/// It holds no value of any resource: names, addresses, attribute paths and digests only.
///
/// ```json
/// {"kind": "dry_run", "schema_version": 1, "digest": "sha256:…",
///  "units": [{"id": "dev/network", "path": "dev/network", "environment": "dev", "outcome": "changes",
///             "counts": {"create": 1, "update": 0, "delete": 0, "replace": 0, "read": 0, "import": 0,
///                        "forget": 0, "move": 0},
///             "drift": [], "mocked": false, "digest": "sha256:…", "fingerprint": "sha256:…",
///             "commit": "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "tool": "terraform 1.11.4",
///             "seconds": 0.4, "plan_file": "sha256:…", "state": {"lineage": "…", "serial": 3},
///             "plan": {"changes": ["…"]}, "reasons": []}]}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DryRun {
    /// The units, sorted by id.
    pub units: Vec<UnitDryRun>,
}

impl Document for DryRun {
    const KIND: &'static str = "dry_run";
    const SCHEMA_VERSION: u32 = 1;
    const UNDIGESTED: &'static [&'static str] = &["units/*/seconds", "units/*/sealed_log"];
}

/// What applying would do to one unit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct UnitDryRun {
    /// The unit.
    pub id: UnitId,
    /// Its directory.
    pub path: RepoPath,
    /// Its environment, by trunk's policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// How it came out.
    pub outcome: UnitOutcome,
    /// How many resources would be what.
    pub counts: Counts,
    /// What was found changed in the world, past the tool.
    pub drift: Vec<Drift>,
    /// Whether any input was a mock. A mocked plan can't be approved.
    pub mocked: bool,
    /// The digest of this entry but for itself, `seconds` and `sealed_log`: of this plan, for this state,
    /// in this very file. [`UnitDryRun::seal_digest`] sets it, and reading checks it.
    pub digest: Digest,
    /// What the plan means, whichever machine made it and whenever: equal for two plans that would do the
    /// same, from the same code, with the same tool and variables. `None` unless it was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Digest>,
    /// The commit whose files were planned, or `COMMIT+WORKTREE`.
    pub commit: Revision,
    /// The tool that planned.
    pub tool: ToolVersion,
    /// How long it took; not digested.
    pub seconds: f64,
    /// Where the sealed log stands, once it is published; not digested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_log: Option<String>,
    /// The digest of the saved plan's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_file: Option<Digest>,
    /// The state it was planned against; `None` where there was none yet, or it was not planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateVersion>,
    /// What the plan does, without any value; `None` unless it was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanSummary>,
    /// Why it was planned and, where it failed or was skipped, why.
    pub reasons: Vec<Reason>,
}

/// How the dry run of a unit came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitOutcome {
    /// Applying would do nothing.
    NoChanges,
    /// Applying would do something, be it only to outputs or to the state.
    Changes,
    /// It could not be planned.
    Error,
    /// It was not planned.
    Skipped,
}

impl DryRun {
    /// A dry run of these units, sorted by id.
    pub fn new(mut units: Vec<UnitDryRun>) -> Self {
        units.sort_by(|a, b| a.id.cmp(&b.id));
        Self { units }
    }

    /// The unit of that id.
    pub fn unit(&self, id: &UnitId) -> Option<&UnitDryRun> {
        self.units.iter().find(|unit| unit.id == *id)
    }

    /// The digest over every planned unit's id and fingerprint: equal for two dry runs that mean the same.
    /// `None` where a unit failed, since then nobody knows what the whole means; skipped units are left out.
    pub fn fingerprint(&self) -> Option<Digest> {
        let mut parts = Vec::new();
        for unit in &self.units {
            match (unit.outcome, &unit.fingerprint) {
                (UnitOutcome::Skipped, _) => {}
                (UnitOutcome::Error, _) | (_, None) => return None,
                (_, Some(fingerprint)) => parts.push((unit.id.to_string(), fingerprint.to_string())),
            }
        }
        parts.sort();
        // Strings alone, which all have a canonical form.
        canonical_json("dry_run_fingerprint", &parts).ok().map(Digest::of_bytes)
    }

    /// Whether every unit was planned and none would change. A skipped one is not known to be clean.
    pub fn is_clean(&self) -> bool {
        self.units.iter().all(|unit| unit.outcome == UnitOutcome::NoChanges)
    }
}

impl UnitDryRun {
    /// The entry of a unit that was not planned, or not yet.
    ///
    /// # Errors
    /// [`DryRunError::Proof`], which a new entry never meets.
    pub fn skipped(
        id: UnitId,
        commit: Revision,
        tool: ToolVersion,
        reasons: Vec<Reason>,
    ) -> Result<Self, DryRunError> {
        Self {
            path: id.path().clone(),
            id,
            environment: None,
            outcome: UnitOutcome::Skipped,
            counts: Counts::default(),
            drift: Vec::new(),
            mocked: false,
            digest: Digest::of_bytes(""),
            fingerprint: None,
            commit,
            tool,
            seconds: 0.0,
            sealed_log: None,
            plan_file: None,
            state: None,
            plan: None,
            reasons,
        }
        .seal_digest()
    }

    /// The same with its digest set to that of its content. Call it after any change.
    ///
    /// # Errors
    /// [`DryRunError::Proof`] where a number has no canonical form.
    pub fn seal_digest(mut self) -> Result<Self, DryRunError> {
        let value = serde_json::to_value(&self).map_err(|source| {
            DryRunError::Proof(crate::proof::ProofError::Json { what: "unit_dry_run".to_owned(), source })
        })?;
        self.digest = digest_of(value)?;
        Ok(self)
    }

    /// Whether applying would do something.
    pub fn has_changes(&self) -> bool {
        self.outcome == UnitOutcome::Changes
    }
}

fn digest_of(mut value: Value) -> Result<Digest, DryRunError> {
    if let Value::Object(members) = &mut value {
        for left_out in ["digest", "seconds", "sealed_log"] {
            members.remove(left_out);
        }
        members.insert("kind".into(), "unit_dry_run".into());
        members.insert("schema_version".into(), DryRun::SCHEMA_VERSION.into());
    }
    Ok(Digest::of_bytes(canonical_json("unit_dry_run", &value)?))
}

// The digest of each unit is what people approve, so reading checks it, over every member that stands there,
// those that this build does not know included.
impl<'de> Deserialize<'de> for UnitDryRun {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let computed = digest_of(value.clone()).map_err(D::Error::custom)?;
        let Fields {
            id,
            path,
            environment,
            outcome,
            counts,
            drift,
            mocked,
            digest,
            fingerprint,
            commit,
            tool,
            seconds,
            sealed_log,
            plan_file,
            state,
            plan,
            reasons,
        } = serde_json::from_value(value).map_err(D::Error::custom)?;
        if computed != digest {
            return Err(D::Error::custom(format!(
                "the entry of unit {id} says its digest is {digest}, its content has {computed}: it was altered after it was written; plan again"
            )));
        }
        Ok(Self {
            id,
            path,
            environment,
            outcome,
            counts,
            drift,
            mocked,
            digest,
            fingerprint,
            commit,
            tool,
            seconds,
            sealed_log,
            plan_file,
            state,
            plan,
            reasons,
        })
    }
}

#[derive(Deserialize)]
struct Fields {
    id: UnitId,
    path: RepoPath,
    environment: Option<EnvironmentName>,
    outcome: UnitOutcome,
    counts: Counts,
    drift: Vec<Drift>,
    mocked: bool,
    digest: Digest,
    fingerprint: Option<Digest>,
    commit: Revision,
    tool: ToolVersion,
    seconds: f64,
    sealed_log: Option<String>,
    plan_file: Option<Digest>,
    state: Option<StateVersion>,
    plan: Option<PlanSummary>,
    reasons: Vec<Reason>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::CommitId;

    fn unit(id: &str, outcome: UnitOutcome, fingerprint: Option<&str>) -> UnitDryRun {
        let commit = CommitId::parse("4b825dc642cb6eb9a060e54bf8d69288fbee4904").unwrap();
        let tool = ToolVersion::parse("terraform 1.11.4").unwrap();
        let entry = UnitDryRun::skipped(UnitId::parse(id).unwrap(), commit.into(), tool, Vec::new()).unwrap();
        UnitDryRun { outcome, fingerprint: fingerprint.map(Digest::of_bytes), ..entry }.seal_digest().unwrap()
    }

    #[test]
    fn an_altered_unit_is_refused_even_where_the_document_has_no_digest() {
        let run = DryRun::new(vec![unit("a", UnitOutcome::Changes, Some("f"))]);
        let text = run.to_json().unwrap();
        assert_eq!(DryRun::from_json(&text).unwrap(), run);
        let mut value: Value = serde_json::from_str(&text).unwrap();
        value.as_object_mut().unwrap().remove("digest");
        assert!(DryRun::from_json(&value.to_string()).is_ok());
        value["units"][0]["mocked"] = true.into();
        let refused = DryRun::from_json(&value.to_string()).unwrap_err();
        assert!(refused.to_string().contains("altered"), "{refused}");
    }

    #[test]
    fn seconds_and_where_the_log_stands_change_no_digest() {
        let run = DryRun::new(vec![unit("a", UnitOutcome::Changes, Some("f"))]);
        let mut later = run.clone();
        later.units[0].seconds = 2.5;
        later.units[0].sealed_log = Some("logs/1".into());
        assert_eq!(later.digest().unwrap(), run.digest().unwrap());
        assert_eq!(DryRun::from_json(&later.to_json().unwrap()).unwrap(), later);
    }

    #[test]
    fn the_fingerprint_is_that_of_every_planned_unit_and_there_is_none_where_one_failed() {
        let a = unit("a", UnitOutcome::Changes, Some("1"));
        let b = unit("b", UnitOutcome::NoChanges, Some("2"));
        let both = DryRun::new(vec![b.clone(), a.clone()]).fingerprint().unwrap();
        assert_eq!(DryRun::new(vec![a.clone(), b.clone()]).fingerprint().unwrap(), both);
        let skipped = unit("c", UnitOutcome::Skipped, None);
        assert_eq!(DryRun::new(vec![a.clone(), b.clone(), skipped]).fingerprint().unwrap(), both);
        assert_ne!(DryRun::new(vec![a.clone()]).fingerprint().unwrap(), both);
        let failed = unit("d", UnitOutcome::Error, None);
        assert_eq!(DryRun::new(vec![a, failed]).fingerprint(), None);
    }
}
