//! Tests of nature: which pipeline a change gets.

use infraflow_core::{
    impact::Impact,
    nature::{self, Nature, NatureRules},
    policy::Configuration,
    proof::Document as _,
};
use serde_json::{Value, json};

/// An impact of these changed files, modules, units and cases.
pub fn impact(changes: &[&str], modules: &[&str], units: &[&str], cases: &[&str]) -> Impact {
    let commit = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    let reasons = || json!([{"rule": "test", "text": "because", "chain": []}]);
    let of =
        |list: &[&str], make: &dyn Fn(&str) -> Value| list.iter().map(|item| make(item)).collect::<Value>();
    let document = json!({
        "kind": "impact", "schema_version": 1, "base": commit, "head": commit, "merge_base": commit,
        "changes": of(changes, &|path| json!({"path": path, "kind": "modified"})),
        "modules": of(modules, &|path| json!({"path": path, "dialect": "terraform", "reasons": reasons()})),
        "units": of(units, &|id| json!({"id": id, "path": id, "dialect": "terraform", "reasons": reasons()})),
        "cases": of(cases, &|id| json!({"id": id, "module": id.split("/examples").next(), "path": id, "kind": "example", "reasons": reasons()})),
        "removed_modules": [], "removed_units": [], "dependents": [], "warnings": [],
    });
    Impact::from_json(&document.to_string()).unwrap()
}

#[test]
fn each_change_gets_the_nature_of_what_it_touches() {
    let rules: NatureRules = Configuration::defaults().section().unwrap();
    let (main, case) = ("modules/a/main.tf", "modules/a/examples/b");
    for (impact, nature) in [
        (impact(&["README.md", "docs/x.svg"], &[], &[], &[]), Nature::DocsOnly),
        (impact(&[], &[], &[], &[]), Nature::DocsOnly),
        (impact(&["README.md", "Makefile"], &[], &[], &[]), Nature::Tooling),
        (impact(&[main], &["modules/a"], &[], &[case]), Nature::Module),
        (impact(&["modules/a/examples/b/main.tf"], &[], &[], &[case]), Nature::Module),
        (impact(&["dev/a/main.tf"], &[], &["dev/a"], &[]), Nature::Live),
        (impact(&[main], &["modules/a"], &["dev/a"], &[]), Nature::Both),
        (impact(&[main, "infraflow.toml"], &["modules/a"], &[], &[]), Nature::Global),
        (impact(&[".terraform-version"], &[], &[], &[]), Nature::Global),
    ] {
        let found = nature::of(&impact, &rules);
        assert_eq!(found.nature, nature, "{:?}", impact.changes);
        assert!(!found.reasons.is_empty());
    }
}

#[test]
fn documentation_that_a_unit_reads_is_no_documentation_only_change() {
    let rules: NatureRules = Configuration::defaults().section().unwrap();
    let found = nature::of(&impact(&["dev/a/motd.txt"], &[], &["dev/a"], &[]), &rules);
    assert_eq!(found.nature, Nature::Live);
}

#[test]
fn the_reason_of_a_global_change_leads_to_the_file() {
    let rules: NatureRules = Configuration::defaults().section().unwrap();
    let found = nature::of(&impact(&["allowed_signers"], &[], &[], &[]), &rules);
    assert_eq!(found.reasons[0].chain[0].path.to_string(), "allowed_signers");
}
