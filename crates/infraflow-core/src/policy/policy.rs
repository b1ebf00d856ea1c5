use std::{collections::BTreeMap, num::NonZeroU32};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AnyOf, Configuration, Environment, EnvironmentName, PolicyError, RiskRule, Section,
    environment::Environments, risk::Risk, text_file::text_of,
};
use crate::{
    git::{Revision, Tree},
    proof::{AllowedSigners, Digest, Principal, RepoPath, canonical_json},
};

/// The section `[approval]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRules {
    /// The allowed-signers file.
    pub signers: RepoPath,
    /// The longest time that an approval may hold, in hours.
    pub hours: NonZeroU32,
    /// Whether the author of a change counts among its approvers.
    pub allow_author: bool,
    /// People who must approve a change to a unit outside every environment.
    pub approvals: u32,
    /// People who must approve a change to the policy itself: to one of [`Policy::gate_paths`].
    pub approvals_on_gate: u32,
}

impl Section for ApprovalRules {
    const NAME: &'static str = "approval";
}

/// Who may approve and deploy what.
///
/// A policy is read from trunk, or from outside the repository, never from the change that it judges.
#[derive(Clone, Debug)]
pub struct Policy {
    environments: Vec<Environment>,
    risk: Vec<RiskRule>,
    approval: ApprovalRules,
    signers: AllowedSigners,
    digest: Digest,
    revision: Option<Revision>,
}

impl Policy {
    /// The policy of a tree: of trunk as it stood before the change that is judged.
    ///
    /// # Errors
    /// As [`Configuration::read`] and [`Policy::of`]; [`PolicyError::NotAFile`] where the allowed signers are
    /// no file of text. Where that file is missing nobody may approve, which is no error.
    pub fn read(trunk: &Tree) -> Result<Self, PolicyError> {
        let configuration = Configuration::read(trunk)?;
        let rules: ApprovalRules = configuration.section()?;
        let signers = text_of(trunk, &rules.signers)?.unwrap_or_default();
        let policy = Self::of(&configuration, &signers)?;
        Ok(Self { revision: Some(*trunk.revision()), ..policy })
    }

    /// The policy that a configuration and the text of its allowed-signers file describe, wherever they come
    /// from.
    ///
    /// # Errors
    /// As [`Configuration::section`]; [`PolicyError::Signers`]; [`PolicyError::UnknownApprover`] and
    /// [`PolicyError::UnknownEnvironment`] for names that nobody bears.
    pub fn of(configuration: &Configuration, signers: &str) -> Result<Self, PolicyError> {
        let approval: ApprovalRules = configuration.section()?;
        let Environments(environments) = configuration.section()?;
        let Risk(risk) = configuration.section()?;
        let mut environments: Vec<_> =
            environments.into_iter().map(|(name, rules)| Environment { name, rules }).collect();
        environments.sort_by(|a, b| (a.rules.order, &a.name).cmp(&(b.rules.order, &b.name)));
        let unreadable = |source| PolicyError::Signers { path: approval.signers.clone(), source };
        let digest = canonical_json("policy", &(&environments, &risk, &approval, signers))
            .map(Digest::of_bytes)
            .map_err(unreadable)?;
        let signers = AllowedSigners::parse(signers).map_err(unreadable)?;
        let policy = Self { environments, risk, approval, signers, digest, revision: None };
        policy.check_names()?;
        Ok(policy)
    }

    /// A name that nobody bears makes a rule that nobody can meet, or one that never holds.
    fn check_names(&self) -> Result<(), PolicyError> {
        let known = self.signers.all();
        let of_environments = self.environments.iter().map(|e| (e.name.as_str(), &e.rules.approvers));
        let of_risk = self.risk.iter().map(|rule| (rule.name.as_str(), &rule.approvers));
        for (rule, approvers) in of_environments.chain(of_risk) {
            let named = approvers.iter().flat_map(|approvers| approvers.iter());
            if let Some(stranger) = named.into_iter().find(|name| !known.contains(name)) {
                return Err(PolicyError::UnknownApprover {
                    rule: rule.to_owned(),
                    approver: stranger.clone(),
                    signers: self.approval.signers.clone(),
                });
            }
        }
        for (index, rule) in self.risk.iter().enumerate() {
            if self.risk[..index].iter().any(|other| other.name == rule.name) {
                return Err(PolicyError::DoubleRule { name: rule.name.clone() });
            }
            let named = rule.when.environments.iter().flat_map(|names| names.iter());
            if let Some(stranger) = named.into_iter().find(|name| self.environment(name).is_none()) {
                return Err(PolicyError::UnknownEnvironment {
                    rule: rule.name.clone(),
                    environment: stranger.clone(),
                });
            }
        }
        Ok(())
    }

    /// The environments, in promotion order; by name where their order is equal.
    pub fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// The environment of a name.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name == *name)
    }

    /// The environment of the unit at a path. Where the patterns of several match, it is the last of them in
    /// promotion order: the one that is guarded most.
    pub fn environment_of(&self, unit: &RepoPath) -> Option<&Environment> {
        self.environments.iter().rev().find(|environment| environment.holds(unit))
    }

    /// As [`Policy::environment_of`], where the id of the unit says more than its path: a workspace, a file
    /// of variables.
    pub fn environment_of_id(&self, unit: &RepoPath, id: &str) -> Option<&Environment> {
        self.environments.iter().rev().find(|environment| environment.holds_id(unit, id))
    }

    /// The names of the environments in the order in which a change is promoted; those of one step together.
    pub fn promotion_order(&self) -> Vec<Vec<EnvironmentName>> {
        let mut steps: BTreeMap<u32, Vec<EnvironmentName>> = BTreeMap::new();
        for environment in &self.environments {
            steps.entry(environment.rules.order).or_default().push(environment.name.clone());
        }
        steps.into_values().collect()
    }

    /// The risk rules.
    pub fn risk(&self) -> &[RiskRule] {
        &self.risk
    }

    /// How long approvals hold, and what they are asked for beside environments and risk.
    pub fn approval(&self) -> &ApprovalRules {
        &self.approval
    }

    /// Whose key is whose.
    pub fn signers(&self) -> &AllowedSigners {
        &self.signers
    }

    /// Who may approve under a rule: those it names, or every allowed signer.
    pub fn approvers(&self, named: Option<&AnyOf<Principal>>) -> Vec<Principal> {
        named.map_or_else(|| self.signers.all(), |named| named.to_vec())
    }

    /// Where this policy was read; `None` where it came from outside the repository.
    pub fn revision(&self) -> Option<&Revision> {
        self.revision.as_ref()
    }

    /// The digest of everything that this policy says; equal policies have equal digests, wherever they were
    /// read.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The files that define this policy. A change to one of them edits its own gate.
    pub fn gate_paths(&self) -> Vec<RepoPath> {
        vec![RepoPath::root().join(Configuration::FILE), self.approval.signers.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::SigningKey;

    const TEXT: &str = r#"
        [[risk]]
        name = "databases"
        when = { types = ["aws_db_*"], environments = ["prod"] }
        approvals = 2
        [environments.prod]
        units = ["prod/**"]
        order = 3
        approvals_on_replace = 2
        [environments.stage-eu]
        units = ["stage/eu/**"]
        order = 2
        [environments.stage]
        units = ["stage/**"]
        order = 2
        [environments.dev]
        units = ["dev/**"]
        order = 1
        approvals = 0
    "#;

    fn policy(text: &str, signers: &str) -> Result<Policy, PolicyError> {
        Policy::of(&Configuration::parse(text, Configuration::FILE).unwrap(), signers)
    }

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    #[test]
    fn environments_come_in_promotion_order_and_equal_ones_together() {
        let policy = policy(TEXT, "").unwrap();
        let order: Vec<Vec<String>> = policy
            .promotion_order()
            .iter()
            .map(|step| step.iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(order, [vec!["dev"], vec!["stage", "stage-eu"], vec!["prod"]]);
    }

    #[test]
    fn a_unit_belongs_to_the_last_environment_whose_patterns_match() {
        let policy = policy(TEXT, "").unwrap();
        let of = |unit| policy.environment_of(&path(unit)).map(|e| e.name.to_string());
        assert_eq!(of("prod/database").as_deref(), Some("prod"));
        assert_eq!(of("stage/eu/database").as_deref(), Some("stage-eu"));
        assert_eq!(of("sandbox/database"), None);
        let workspaces = "[environments.prod]\nunits = ['live/**#workspace=prod']\norder = 1";
        let workspaces = super::tests::policy(workspaces, "").unwrap();
        let of = |id| workspaces.environment_of_id(&path("live/db"), id).is_some();
        assert!(of("live/db#workspace=prod") && !of("live/db#workspace=dev") && !of("live/db"));
        assert!(of("live/db#workspace=prod&var_file=live/envs/prod.tfvars"));
        let files = "[environments.prod]\nunits = ['live/**#var_file=*/prod.tfvars']\norder = 1";
        let files = super::tests::policy(files, "").unwrap();
        let of = |id| files.environment_of_id(&path("live/db"), id).is_some();
        assert!(of("live/db#workspace=x&var_file=live/db/envs/prod.tfvars&backend=x.hcl"));
        assert!(!of("live/db#var_file=live/db/envs/dev.tfvars") && !of("other/db#var_file=a/prod.tfvars"));
    }

    #[test]
    fn what_is_left_out_asks_for_one_approval() {
        let policy = policy(TEXT, "").unwrap();
        let rules = |name| policy.environment(&EnvironmentName::parse(name).unwrap()).unwrap().rules.clone();
        assert_eq!((rules("prod").approvals, rules("prod").approvals_on_delete), (1, 0));
        assert_eq!(rules("dev").approvals, 0);
    }

    #[test]
    fn a_name_that_nobody_bears_is_refused() {
        let key = SigningKey::generate("ada").unwrap().verifying_key();
        let text = format!("{TEXT}\napprovers = [\"bob\"]");
        assert!(matches!(
            policy(&text, &format!("ada {key}")),
            Err(PolicyError::UnknownApprover { approver, .. }) if approver == Principal("bob".into())
        ));
        assert!(policy(&text, &format!("bob {key}")).is_ok());
        let text = TEXT.replace("environments = [\"prod\"]", "environments = [\"prd\"]");
        assert!(matches!(policy(&text, ""), Err(PolicyError::UnknownEnvironment { .. })));
    }

    #[test]
    fn signers_that_cannot_be_read_are_an_error_and_not_nobody() {
        assert!(matches!(policy(TEXT, "ada"), Err(PolicyError::Signers { .. })));
    }

    #[test]
    fn equal_policies_have_equal_digests_and_a_new_signer_makes_another() {
        let key = SigningKey::generate("ada").unwrap().verifying_key();
        let signers = format!("ada {key}");
        let reformatted = TEXT.replace("order = 3", "order    = 3 # last");
        let one = policy(TEXT, &signers).unwrap();
        assert_eq!(one.digest(), policy(&reformatted, &signers).unwrap().digest());
        assert_ne!(one.digest(), policy(TEXT, &format!("{signers}\nbob {key}")).unwrap().digest());
    }
}
