use std::collections::BTreeSet;

use super::{DeployError, UnitDeployment};

/// Units so that none stands before one that it waits for. Of those that may come next, the one with the
/// lowest place comes first, then the lowest id: equal input, equal order.
pub(super) fn in_order<P: Ord>(
    units: Vec<UnitDeployment>,
    place: impl Fn(&UnitDeployment) -> P,
) -> Result<Vec<UnitDeployment>, DeployError> {
    let mut waiting = units;
    waiting.sort_by(|a, b| (place(a), &a.unit.id).cmp(&(place(b), &b.unit.id)));
    let mut done = BTreeSet::new();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let free = waiting.iter().position(|unit| unit.after.iter().all(|id| done.contains(id)));
        let Some(next) = free else {
            let units = waiting.into_iter().map(|unit| unit.unit.id).collect();
            return Err(DeployError::Circle { units });
        };
        let unit = waiting.remove(next);
        done.insert(unit.unit.id.clone());
        ordered.push(unit);
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{DialectName, UnitId},
        dry_run::PlannedUnit,
        proof::Digest,
        terraform::{ToolVersion, plan::PlanSummary},
    };

    fn unit(id: &str, after: &[&str]) -> UnitDeployment {
        let parse = |text: &str| UnitId::parse(text).unwrap();
        UnitDeployment {
            unit: PlannedUnit::new(parse(id), DialectName::terraform(), Vec::new()),
            fingerprint: Digest::of_bytes(""),
            plan_file: Digest::of_bytes(""),
            saved_plan: None,
            state: None,
            tool: ToolVersion::parse("terraform 1.11.4").unwrap(),
            after: after.iter().map(|name| parse(name)).collect(),
            summary: PlanSummary::default(),
        }
    }

    fn ordered(units: Vec<UnitDeployment>, place: fn(&UnitDeployment) -> u32) -> Vec<String> {
        in_order(units, place).unwrap().into_iter().map(|unit| unit.unit.id.to_string()).collect()
    }

    #[test]
    fn a_unit_comes_after_those_it_waits_for_and_otherwise_by_id() {
        let units = vec![unit("a", &["c"]), unit("b", &[]), unit("c", &["d"]), unit("d", &[])];
        assert_eq!(ordered(units, |_| 0), ["b", "d", "c", "a"]);
    }

    #[test]
    fn environments_come_in_their_order_unless_a_dependency_says_otherwise() {
        let place = |unit: &UnitDeployment| u32::from(unit.unit.id.to_string().starts_with("dev")) ^ 1;
        let units = vec![unit("a-prod", &[]), unit("dev-b", &[]), unit("dev-a", &["a-prod"])];
        assert_eq!(ordered(units, place), ["dev-b", "a-prod", "dev-a"]);
    }

    #[test]
    fn units_that_wait_for_each_other_are_refused_by_name() {
        let units = vec![unit("a", &["b"]), unit("b", &["a"]), unit("c", &[])];
        let error = in_order(units, |_| 0).unwrap_err();
        assert!(matches!(&error, DeployError::Circle { units } if units.len() == 2), "{error}");
    }
}
