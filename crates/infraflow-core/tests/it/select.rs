//! Tests of select: which test cases run, and on which machine.

use std::collections::{BTreeMap, BTreeSet};

use infraflow_core::{
    catalog::{Case, CaseId, CatalogRules},
    detect::{ChangeDetector, GitDetector},
    git::{Repository, Revision},
    impact::assess,
    nature::{self, Nature},
    policy::Configuration,
    proof::{Document as _, RepoPath},
    select::{ImpactSelector, Nightly, Sharding, Terms, TestPlan, TestSelector, shortest_possible},
};
use proptest::prelude::*;
use serde_json::json;

use crate::{catalog::catalog_at, fixture::Repo, nature::impact};

fn case(path: &str) -> Case {
    let module = path.split("/examples").next();
    serde_json::from_value(json!({"id": path, "module": module, "path": path, "kind": "example"})).unwrap()
}

fn id(path: &str) -> CaseId {
    CaseId::new(RepoPath::parse(path).unwrap())
}

#[test]
fn touched_cases_run_and_the_others_say_why_they_do_not() {
    let (a, b) = ("modules/a/examples/basic", "modules/b/examples/basic");
    let impact = impact(&["modules/a/main.tf"], &["modules/a"], &[], &[a]);
    let plan = ImpactSelector::default().select(&impact, &[case(b), case(a)]);
    assert_eq!(plan.cases.iter().map(|case| &case.id).collect::<Vec<_>>(), [&id(a)]);
    assert_eq!(plan.skipped[0].id, id(b));
    assert_eq!(plan.skipped[0].reasons[0].rule, "not_affected");
    let other_order = ImpactSelector::default().select(&impact, &[case(a), case(b)]);
    assert_eq!(plan.digest().unwrap(), other_order.digest().unwrap());
    assert_eq!(TestPlan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
}

#[test]
fn nightly_runs_everything_even_where_nothing_changed() {
    let cases = [case("modules/a/examples/basic"), case("modules/b/examples/basic")];
    let plan = Nightly::default().select(&impact(&[], &[], &[], &[]), &cases);
    assert_eq!((plan.cases.len(), plan.skipped.len()), (2, 0));
    assert_eq!(plan.digest().unwrap(), Nightly::default().all(&cases).digest().unwrap());
}

#[test]
fn durations_change_the_shards_and_not_the_digest() {
    let cases: Vec<Case> = (0..6).map(|n| case(&format!("modules/m{n}/examples/basic"))).collect();
    let seconds = BTreeMap::from([(cases[3].id.clone(), 3000)]);
    let even = Nightly::on(Terms::default().with_sharding(Sharding::over(2))).all(&cases);
    let timed =
        Nightly::on(Terms::default().with_sharding(Sharding::over(2).with_seconds(seconds))).all(&cases);
    assert_eq!(timed.shards[0].cases, [cases[3].id.clone()], "the long one stands alone");
    assert_ne!(even.shards, timed.shards);
    assert_eq!(even.digest().unwrap(), timed.digest().unwrap());
}

/// The least time in which so many machines are done, by trying every dealing.
fn best(seconds: &[u64], work: &mut Vec<u64>, best_so_far: u64) -> u64 {
    let Some((&first, rest)) = seconds.split_first() else {
        return work.iter().copied().max().unwrap_or(0).min(best_so_far);
    };
    let mut found = best_so_far;
    let mut tried = BTreeSet::new();
    for machine in 0..work.len() {
        if tried.insert(work[machine]) && work[machine] + first < found {
            work[machine] += first;
            found = best(rest, work, found);
            work[machine] -= first;
        }
    }
    found
}

fn dealt(seconds: &[u64], shards: usize) -> TestPlan {
    let cases: Vec<Case> = (0..seconds.len()).map(|n| case(&format!("m{n}/examples/x"))).collect();
    let known = cases.iter().map(|case| case.id.clone()).zip(seconds.iter().copied()).collect();
    Nightly::on(Terms::default().with_sharding(Sharding::over(shards).with_seconds(known))).all(&cases)
}

fn longest(plan: &TestPlan) -> u64 {
    plan.shards.iter().map(|shard| shard.estimate_seconds).max().unwrap_or(0)
}

/// Durations as they come: alike, short and long ones, a long tail, a few very long, all nearly the same.
fn durations(most: usize) -> impl Strategy<Value = Vec<u64>> {
    let many = move |one: BoxedStrategy<u64>| proptest::collection::vec(one, 1..most);
    let tail = (0.0_f64..1.0).prop_map(|x| ((30.0 / (1.0 - x).powf(0.8)) as u64).min(7200));
    prop_oneof![
        many((1_u64..3600).boxed()),
        many(prop_oneof![3 => 10_u64..60, 1 => 1000_u64..2000].boxed()),
        many(tail.boxed()),
        many(prop_oneof![30 => 30_u64..600, 1 => 2000_u64..6000].boxed()),
        many((580_u64..620).boxed()),
        many((300_u64..1200).boxed()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_case_is_in_one_shard_and_few_cases_are_dealt_within_five_percent_of_the_best(
        seconds in durations(13),
        shards in 1_usize..6,
    ) {
        let plan = dealt(&seconds, shards);
        let ids: Vec<&CaseId> = plan.shards.iter().flat_map(|shard| &shard.cases).collect();
        prop_assert_eq!(ids.len(), seconds.len());
        prop_assert_eq!(ids.into_iter().collect::<BTreeSet<_>>().len(), seconds.len());
        prop_assert!(plan.shards.len() <= shards && plan.shards.iter().all(|shard| !shard.cases.is_empty()));
        let mut sorted = seconds.clone();
        sorted.sort_unstable_by(|one, two| two.cmp(one));
        let best = best(&sorted, &mut vec![0; shards], u64::MAX);
        prop_assert!(shortest_possible(&seconds, shards) <= best, "a bound is no more than the best");
        prop_assert!(longest(&plan) * 100 <= best * 105, "{} and at best {best}", longest(&plan));
    }

    /// From four cases a machine on. Between one and four a machine even the best dealing can be more than five
    /// percent above every bound that is quick to tell; there the test above compares with the best itself.
    #[test]
    fn many_cases_are_dealt_within_five_percent_of_what_no_dealing_can_beat(
        seconds in durations(1500),
        shards in 1_usize..65,
    ) {
        prop_assume!(seconds.len() >= 4 * shards);
        // Where cases of a thousand seconds and more lie three to a machine, the bound is as loose as with three.
        let large = seconds.iter().filter(|&&seconds| seconds >= 1000).count();
        prop_assume!(large == 0 || large >= 6 * shards || large < shards || large == seconds.len());
        let bound = shortest_possible(&seconds, shards);
        let longest = longest(&dealt(&seconds, shards));
        prop_assert!(longest >= bound);
        prop_assert!(longest * 100 <= bound * 105, "{longest} and no less than {bound}");
    }
}

#[test]
fn a_change_of_a_module_runs_its_examples_and_those_of_its_dependents_and_no_others() {
    let call = |source: &str| format!("module \"m\" {{\n  source = \"{source}\"\n}}\n");
    let repo = Repo::with(&[
        ("modules/network/main.tf", "output \"v\" { value = 1 }\n"),
        ("modules/network/examples/basic/main.tf", &call("../..")),
        ("modules/network/tests/all.tftest.hcl", "run \"a\" {}\n"),
        ("modules/cluster/main.tf", &call("../network")),
        ("modules/cluster/examples/basic/main.tf", &call("../..")),
        ("modules/dns/main.tf", "output \"v\" { value = 1 }\n"),
        ("modules/dns/examples/basic/main.tf", &call("../..")),
    ]);
    let before = catalog_at(&repo, "HEAD", &CatalogRules::default());
    repo.branch("feature");
    repo.write("modules/network/main.tf", "output \"v\" { value = 2 }\n");
    repo.commit("feat: another value");
    let after = catalog_at(&repo, "HEAD", &CatalogRules::default());
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("HEAD").unwrap();
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let impact = assess(&changes, &before, &after).unwrap();
    let cases: Vec<Case> = after.cases().unwrap();
    let plan = ImpactSelector::default().select(&impact, &cases);
    let run: Vec<String> = plan.cases.iter().map(|case| case.id.to_string()).collect();
    assert_eq!(
        run,
        [
            "modules/cluster/examples/basic",
            "modules/network/examples/basic",
            "modules/network/tests/all.tftest.hcl"
        ]
    );
    assert_eq!(plan.skipped.len(), 1);
    assert_eq!(plan.skipped[0].id.to_string(), "modules/dns/examples/basic");
    for case in &plan.cases {
        assert_eq!(case.reasons[0].chain[0].path.to_string(), "modules/network/main.tf", "{}", case.id);
    }
    let rules = Configuration::defaults().section().unwrap();
    assert_eq!(nature::of(&impact, &rules).nature, Nature::Module);
    assert_eq!(Nightly::default().all(&cases).cases.len(), 4);
}
