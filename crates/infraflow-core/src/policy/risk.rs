use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AnyOf, EnvironmentName, NamePattern, PathPattern, Section};
use crate::proof::{Principal, RepoPath};

/// What can happen to a resource, in the words of a plan's counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RiskAction {
    /// It is made.
    Create,
    /// It is read while applying.
    Read,
    /// It is changed in place.
    Update,
    /// It is destroyed.
    Delete,
    /// It is destroyed and made anew, in whichever order.
    Replace,
    /// It is taken over from the world.
    Import,
    /// It is dropped from the state and left in the world.
    Forget,
    /// It gets another address.
    Move,
}

impl RiskAction {
    /// Every action there is.
    pub const ALL: [Self; 8] = [
        Self::Create,
        Self::Read,
        Self::Update,
        Self::Delete,
        Self::Replace,
        Self::Import,
        Self::Forget,
        Self::Move,
    ];

    /// The word, as it stands in `infraflow.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Import => "import",
            Self::Forget => "forget",
            Self::Move => "move",
        }
    }

    /// Whether a rule that names this action means `happening`. One that names `delete` means a replacement
    /// too, since what is replaced is destroyed.
    pub fn means(self, happening: Self) -> bool {
        self == happening || (self == Self::Delete && happening == Self::Replace)
    }
}

/// One resource change, as rules look at it.
#[derive(Clone, Copy, Debug)]
pub struct Touch<'a> {
    /// The environment of its unit, where it has one.
    pub environment: Option<&'a EnvironmentName>,
    /// The path of its unit.
    pub unit: &'a RepoPath,
    /// The resource's address.
    pub address: &'a str,
    /// The resource's type.
    pub resource_type: &'a str,
    /// What happens to it.
    pub actions: &'a [RiskAction],
}

/// A rule that asks for approvals beyond what the environment asks for: one `[[risk]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskRule {
    /// The rule's name, for reasons.
    pub name: String,
    /// What it looks for.
    pub when: RiskConditions,
    /// People who must approve such a change.
    pub approvals: u32,
    /// Who may approve it; whoever may in the environment where it is `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<AnyOf<Principal>>,
}

/// What a [`RiskRule`] looks for. Each condition that is there must hold, all of them for one and the same
/// resource change; with none there, every resource change is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RiskConditions {
    /// What happens; `delete` means replacements too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<AnyOf<RiskAction>>,
    /// The resource's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<AnyOf<NamePattern>>,
    /// The resource's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<AnyOf<NamePattern>>,
    /// The environment of the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<AnyOf<EnvironmentName>>,
    /// The path of the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<AnyOf<PathPattern>>,
}

impl RiskConditions {
    /// Whether every condition holds for one resource change.
    pub fn hold(&self, touch: &Touch<'_>) -> bool {
        fn any<T>(condition: &Option<AnyOf<T>>, holds: impl Fn(&T) -> bool) -> bool {
            condition.as_ref().is_none_or(|alternatives| alternatives.iter().any(holds))
        }
        any(&self.actions, |action| touch.actions.iter().any(|happening| action.means(*happening)))
            && any(&self.types, |pattern| pattern.matches(touch.resource_type))
            && any(&self.addresses, |pattern| pattern.matches(touch.address))
            && any(&self.environments, |name| touch.environment == Some(name))
            && any(&self.units, |pattern| pattern.matches(touch.unit))
    }
}

/// The section `[[risk]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Risk(pub(super) Vec<RiskRule>);

impl Section for Risk {
    const NAME: &'static str = "risk";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(text: &str) -> RiskConditions {
        toml::from_str(text).unwrap()
    }

    fn holds(text: &str, actions: &[RiskAction]) -> bool {
        conditions(text).hold(&Touch {
            environment: Some(&EnvironmentName::parse("prod").unwrap()),
            unit: &RepoPath::parse("prod/database").unwrap(),
            address: "module.db.aws_db_instance.this[0]",
            resource_type: "aws_db_instance",
            actions,
        })
    }

    #[test]
    fn every_condition_must_hold_and_any_of_its_alternatives_does() {
        let replace = [RiskAction::Replace];
        assert!(holds("", &replace));
        assert!(holds("types = ['aws_rds_*', 'aws_db_*']\nenvironments = ['prod']", &replace));
        assert!(!holds("types = ['aws_db_*']\nenvironments = ['dev']", &replace));
        assert!(holds("addresses = ['module.db.*[0]']\nunits = ['prod/**']", &replace));
        assert!(!holds("actions = ['update']", &replace));
    }

    #[test]
    fn a_replacement_is_a_delete_and_a_delete_is_no_replacement() {
        assert!(holds("actions = ['delete']", &[RiskAction::Replace]));
        assert!(!holds("actions = ['replace']", &[RiskAction::Delete]));
    }

    #[test]
    fn a_misspelt_condition_and_an_empty_list_are_refused() {
        assert!(toml::from_str::<RiskConditions>("action = ['delete']").is_err());
        assert!(toml::from_str::<RiskConditions>("actions = []").is_err());
        assert!(toml::from_str::<RiskConditions>("actions = ['destroy']").is_err());
    }
}
