//! Tests of select: which test cases run.

use std::collections::{BTreeMap, BTreeSet};

use infraflow_core::{
    catalog::{Case, CaseId, CatalogRules},
    detect::{ChangeDetector, GitDetector},
    git::{Repository, Revision},
    impact::assess,
    nature::{self, Nature},
    policy::Configuration,
    proof::{Document as _, RepoPath},
    select::{ImpactSelector, Nightly, Sharding, TestPlan, TestSelector},
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
    let even = Nightly { sharding: Sharding::over(2) }.all(&cases);
    let timed = Nightly { sharding: Sharding::over(2).with_seconds(seconds) }.all(&cases);
    assert_eq!(timed.shards[0].cases, [cases[3].id.clone()], "the long one stands alone");
    assert_ne!(even.shards, timed.shards);
    assert_eq!(even.digest().unwrap(), timed.digest().unwrap());
}

proptest! {
    #[test]
    fn every_case_is_in_one_shard_and_none_is_a_third_above_the_best(
        seconds in proptest::collection::vec(1_u64..2000, 1..60),
        shards in 1_usize..12,
    ) {
        let cases: Vec<Case> = (0..seconds.len()).map(|n| case(&format!("m{n}/examples/x"))).collect();
        let known = cases.iter().map(|case| case.id.clone()).zip(seconds.iter().copied()).collect();
        let plan = Nightly { sharding: Sharding::over(shards).with_seconds(known) }.all(&cases);
        let dealt: Vec<&CaseId> = plan.shards.iter().flat_map(|shard| &shard.cases).collect();
        prop_assert_eq!(dealt.len(), cases.len());
        prop_assert_eq!(dealt.into_iter().collect::<BTreeSet<_>>().len(), cases.len());
        prop_assert!(plan.shards.len() <= shards && plan.shards.iter().all(|shard| !shard.cases.is_empty()));
        let longest = plan.shards.iter().map(|shard| shard.estimate_seconds).max().unwrap();
        let total: u64 = seconds.iter().sum();
        let bound = (total.div_ceil(shards as u64)).max(*seconds.iter().max().unwrap());
        // The bound is at most the best; list scheduling stays below the average plus the longest.
        prop_assert!(longest <= bound + seconds.iter().max().unwrap());
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
    let impact = assess(&changes, &before, &after);
    let cases: Vec<Case> = after.cases().into_iter().cloned().collect();
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
