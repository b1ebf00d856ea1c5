//! Tests of scope: how large a change is, and what is warned of.

use infraflow_core::{
    impact::{BranchAge, Rules, Scope, ScopeLimits},
    policy::Configuration,
    proof::{Document as _, Timestamp},
};

use crate::rules::{impact_by, repo_with_change};

fn limits(text: &str) -> ScopeLimits {
    Configuration::parse(text, "infraflow.toml").unwrap().section().unwrap()
}

fn age(ahead: u64, behind: u64, days: i64) -> BranchAge {
    let at = |days: i64| Timestamp::from_unix(days * 86_400 + 3_600);
    BranchAge::new(ahead, behind, at(0), at(days), at(1))
}

#[test]
fn a_change_is_measured_in_what_it_touches() {
    let impact = impact_by(&repo_with_change(&["modules/net/main.tf", "README.md"]), &Rules::default());
    let scope = Scope::of(&impact, Some(age(2, 31, 4)), &limits(""));
    assert_eq!((scope.files, scope.modules, scope.units, scope.cases, scope.removed), (2, 2, 2, 1, 0));
    assert_eq!((scope.depth, scope.deepest.as_deref()), (2, Some("live/dev/app")));
    let widest = scope.widest.clone().unwrap();
    assert_eq!((widest.module.to_string().as_str(), widest.things), ("modules/net", 4));
    let branch = scope.branch.unwrap();
    assert_eq!((branch.ahead, branch.behind, branch.days), (2, 31, 4));
    assert!(scope.warnings.is_empty(), "{:?}", scope.warnings);
    assert_eq!(Scope::from_json(&scope.to_json().unwrap()).unwrap(), scope);
}

#[test]
fn what_is_over_a_limit_is_warned_of_and_0_is_no_limit() {
    let impact = impact_by(&repo_with_change(&["modules/net/main.tf"]), &Rules::default());
    let scope =
        Scope::of(&impact, Some(age(2, 31, 9)), &limits("[scope]\nunits = 1\nmodules = 2\ndepth = 1\n"));
    let told: Vec<_> = scope.warnings.iter().map(|why| (why.rule.as_str(), why.text.as_str())).collect();
    assert_eq!(
        told,
        [
            ("scope.units", "2 units are affected, more than 1"),
            ("scope.depth", "live/dev/app is 2 references away, more than 1"),
            ("scope.days", "the branch is 9 days old, more than 5"),
        ]
    );
    let none = limits("[scope]\nunits = 0\nmodules = 0\ndepth = 0\ndays = 0\n");
    assert!(Scope::of(&impact, Some(age(2, 31, 9)), &none).warnings.is_empty());
    let misspelt = Configuration::parse("[scope]\nunit = 1\n", "infraflow.toml").unwrap();
    let error = misspelt.section::<ScopeLimits>().unwrap_err().to_string();
    assert!(error.contains("infraflow.toml:2:1") && error.contains("did you mean \"units\"?"), "{error}");
}

#[test]
fn a_branch_ages_as_trunk_goes_on_and_never_below_nothing() {
    assert_eq!(age(0, 0, 0).days, 1);
    let at = Timestamp::from_unix;
    assert_eq!(BranchAge::new(1, 1, at(86_400 * 9), at(0), at(1)).days, 0);
}
