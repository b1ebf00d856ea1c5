use std::collections::{BTreeMap, BTreeSet};

use super::{Violation, violation::Held};
use crate::{
    catalog::{Case, CaseId},
    impact::Impact,
    proof::Document,
    select::{TestPlan, TestSelector},
};

/// Holds a [`TestSelector`] against its contract, numbers 1, 2, 4 and 5, on an impact and the cases at its head that
/// the caller chooses; some that are touched and some that are not show the most. Of number 3 it holds that each case
/// that is skipped has a reason; whether the reason is good is for the reader.
pub fn test_selector(selector: &dyn TestSelector, impact: &Impact, cases: &[Case]) -> Vec<Violation> {
    let mut held = Held::against("TestSelector");
    let plan = selector.select(impact, cases);

    let mut times: BTreeMap<&CaseId, usize> = cases.iter().map(|case| (&case.id, 0)).collect();
    let listed = plan.cases.iter().map(|case| &case.id).chain(plan.skipped.iter().map(|case| &case.id));
    for id in listed {
        match times.get_mut(id) {
            Some(times) => *times += 1,
            None => held.check(1, false, || format!("{id} is in the plan and was not given")),
        }
    }
    for (id, times) in times {
        held.check(1, times == 1, || format!("{id} is in the plan {times} times"));
    }
    for case in plan.cases.iter().filter(|case| case.reasons.is_empty()) {
        held.check(1, false, || format!("{} runs for no reason", case.id));
    }
    for case in plan.skipped.iter().filter(|case| case.reasons.iter().all(|reason| reason.rule.is_empty())) {
        held.check(3, false, || format!("{} is skipped for no reason", case.id));
    }

    let turned: Vec<Case> = cases.iter().rev().cloned().collect();
    held.check(2, selector.select(impact, &turned) == plan, || {
        "another order of cases gives another plan".into()
    });
    let doubled = [cases, cases].concat();
    held.check(1, selector.select(impact, &doubled) == plan, || "a case given twice changes the plan".into());
    held.check(2, plan.cases.is_sorted_by(|one, two| one.id < two.id), || {
        "the cases are not sorted by id".into()
    });
    held.check(2, plan.skipped.is_sorted_by(|one, two| one.id < two.id), || {
        "the skipped cases are not sorted by id".into()
    });

    let dealt: Vec<&CaseId> = plan.shards.iter().flat_map(|shard| &shard.cases).collect();
    let once: BTreeSet<&CaseId> = dealt.iter().copied().collect();
    let run: BTreeSet<&CaseId> = plan.cases.iter().map(|case| &case.id).collect();
    held.check(4, dealt.len() == once.len(), || "a case is in two shards, or twice in one".into());
    held.check(4, once == run, || "the shards have other cases than those that run".into());
    held.check(4, plan.shards.iter().all(|shard| !shard.cases.is_empty()), || "a shard is empty".into());

    let json = plan.to_json();
    held.check(5, json.is_ok_and(|json| TestPlan::from_json(&json).is_ok_and(|read| read == plan)), || {
        "the plan does not read back as itself".into()
    });
    let mut other = plan.clone();
    other.shards.clear();
    let same = matches!((plan.digest(), other.digest()), (Ok(one), Ok(two)) if one == two);
    held.check(5, same, || "the digest depends on the shards".into());
    held.violations()
}
