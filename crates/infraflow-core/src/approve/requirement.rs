use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::UnitId,
    policy::{AnyOf, Environment, Policy, RiskAction, Touch},
    proof::{Principal, Reason, RepoPath},
    terraform::plan::{Action, ChangeSummary, PlanSummary, Replacement, ResourceMode},
};

/// How many addresses a reason names before it only counts them.
const NAMED: usize = 5;

/// So many people must approve, and why.
///
/// ```json
/// {"rule": "environments.prod.approvals_on_replace", "count": 2, "approvers": ["ada@example.com"],
///  "reasons": [{"rule": "environments.prod.approvals_on_replace",
///               "text": "prod/database: terraform_data.db would be replaced", "chain": []}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requirement {
    /// The rule of the policy that asks.
    pub rule: String,
    /// How many people must approve.
    pub count: u32,
    /// Who may approve under this rule.
    pub approvers: Vec<Principal>,
    /// What brought the rule up.
    pub reasons: Vec<Reason>,
}

/// What a plan does to one unit, as the policy looks at it.
#[derive(Clone, Copy, Debug)]
pub struct UnitChange<'a> {
    /// The unit.
    pub unit: &'a UnitId,
    /// What would be done to it.
    pub summary: &'a PlanSummary,
}

impl Requirement {
    /// Everything that a policy asks for, for what would be done to units and for the files of the policy that
    /// the change edits. Sorted by rule; a rule that asks for nobody is left out.
    ///
    /// It is pure, and the same wherever it is asked: of a dry run when an approval is requested, and of the
    /// saved plan itself just before that is applied.
    pub fn all(policy: &Policy, units: &[UnitChange<'_>], gate: &[RepoPath]) -> Vec<Self> {
        let mut asked = Asked::default();
        for path in gate {
            let text = format!("{path} is part of the policy");
            asked.add("approval.approvals_on_gate", policy.approval().approvals_on_gate, None, policy, text);
        }
        for change in units {
            let environment = policy.environment_of_id(change.unit.path(), &change.unit.to_string());
            of_environment(&mut asked, policy, environment, *change);
            of_risk(&mut asked, policy, environment, *change);
        }
        asked.0.into_values().collect()
    }
}

fn of_environment(
    asked: &mut Asked,
    policy: &Policy,
    environment: Option<&Environment>,
    change: UnitChange<'_>,
) {
    let unit = change.unit;
    let Some(environment) = environment else {
        let text = format!("{unit} would change, and is in no environment");
        asked.add("approval.approvals", policy.approval().approvals, None, policy, text);
        return;
    };
    let (rules, rule) = (&environment.rules, format!("environments.{}", environment.name));
    let approvers = rules.approvers.as_ref();
    let text = format!("{unit} would change");
    asked.add(&format!("{rule}.approvals"), rules.approvals, approvers, policy, text);
    let doing = |wanted: RiskAction| {
        let changes = change.summary.changes.iter();
        changes.filter(|c| actions(c).iter().any(|it| wanted.means(*it))).collect::<Vec<_>>()
    };
    for (key, count, wanted, how) in [
        ("approvals_on_delete", rules.approvals_on_delete, RiskAction::Delete, "destroyed"),
        ("approvals_on_replace", rules.approvals_on_replace, RiskAction::Replace, "replaced"),
    ] {
        let changes = doing(wanted);
        if !changes.is_empty() {
            let text = format!("{unit}: {} would be {how}", addresses(&changes));
            asked.add(&format!("{rule}.{key}"), count, approvers, policy, text);
        }
    }
}

fn of_risk(asked: &mut Asked, policy: &Policy, environment: Option<&Environment>, change: UnitChange<'_>) {
    let unit = change.unit;
    for rule in policy.risk() {
        let touched: Vec<_> = (change.summary.changes.iter())
            .filter(|it| {
                rule.when.hold(&Touch {
                    environment: environment.map(|environment| &environment.name),
                    unit: unit.path(),
                    address: &it.address,
                    resource_type: &it.r#type,
                    actions: &actions(it),
                })
            })
            .collect();
        if !touched.is_empty() {
            let text = format!("{unit}: {} would be touched", addresses(&touched));
            let of_environment = environment.and_then(|environment| environment.rules.approvers.as_ref());
            let approvers = rule.approvers.as_ref().or(of_environment);
            asked.add(&format!("risk.{}", rule.name), rule.approvals, approvers, policy, text);
        }
    }
}

/// What happens to a resource. An action that this build does not know is taken for every one there is: a
/// rule must not be passed by a newer word.
fn actions(change: &ChangeSummary) -> Vec<RiskAction> {
    let mut found = match change.actions.replacement() {
        Some(Replacement::DeleteFirst | Replacement::CreateFirst) => vec![RiskAction::Replace],
        Some(_) => vec![RiskAction::Create, RiskAction::Forget],
        None => change.actions.0.iter().flat_map(|action| named(action, &change.mode)).copied().collect(),
    };
    if change.previous_address.is_some() {
        found.push(RiskAction::Move);
    }
    if change.import {
        found.push(RiskAction::Import);
    }
    found
}

fn named(action: &Action, mode: &ResourceMode) -> &'static [RiskAction] {
    match action {
        Action::NoOp => &[],
        Action::Create => &[RiskAction::Create],
        Action::Read => &[RiskAction::Read],
        Action::Update => &[RiskAction::Update],
        // A data source that goes is only dropped from the state.
        Action::Delete if *mode == ResourceMode::Data => &[],
        Action::Delete => &[RiskAction::Delete],
        Action::Forget => &[RiskAction::Forget],
        _ => &RiskAction::ALL,
    }
}

fn addresses(changes: &[&ChangeSummary]) -> String {
    let named: Vec<_> = changes.iter().take(NAMED).map(|change| change.address.as_str()).collect();
    match changes.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Requirements by rule and by who may approve.
#[derive(Default)]
struct Asked(BTreeMap<(String, Vec<Principal>), Requirement>);

impl Asked {
    fn add(
        &mut self,
        rule: &str,
        count: u32,
        approvers: Option<&AnyOf<Principal>>,
        policy: &Policy,
        text: String,
    ) {
        if count == 0 {
            return;
        }
        let approvers = policy.approvers(approvers);
        let requirement = self.0.entry((rule.to_owned(), approvers.clone()));
        let requirement = requirement.or_insert_with(|| Requirement {
            rule: rule.to_owned(),
            count,
            approvers,
            reasons: Vec::new(),
        });
        requirement.reasons.push(Reason::new(rule, text));
    }
}
