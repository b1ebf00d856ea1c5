//! Tests of interface: the cases collected from tfbreak and Azure's breaking-change detector, with the
//! answers that Terraform gives, and what no case file has.

use std::collections::BTreeMap;

use infraflow_core::{
    git::Repository,
    interface::{Interface, InterfaceChange, InterfaceRules, InterfaceSection, Severity},
    proof::RepoPath,
    terraform::facts::TerraformFile,
};
use serde_json::Value;

use crate::{
    address::{cases, tally},
    fixture::Repo,
};

fn interface(files: &[(&str, &str)]) -> Interface {
    Interface::of(files.iter().map(|(name, text)| {
        let path = RepoPath::parse(format!("modules/m/{name}")).unwrap();
        let facts = TerraformFile::parse(&path, text.as_bytes()).unwrap();
        (path, facts)
    }))
}

fn compare(old: &str, new: &str) -> Vec<InterfaceChange> {
    Interface::compare(&interface(&[("main.tf", old)]), &interface(&[("main.tf", new)]))
}

fn gravest(changes: &[InterfaceChange]) -> Severity {
    changes.first().map_or(Severity::Compatible, |change| change.severity)
}

#[test]
fn differences_of_public_modules_mean_what_terraform_makes_of_them() {
    let Some(cases) = cases("interface_breaks.jsonl", "interface differences") else { return };
    tally("interface differences", &cases, |case| {
        let read = |key: &str| {
            let files: Vec<_> = case[key].as_object().unwrap().iter().collect();
            let files: Vec<_> = files.iter().map(|(n, t)| (n.as_str(), t.as_str().unwrap())).collect();
            interface(&files)
        };
        let changes = Interface::compare(&read("old"), &read("new"));
        let got = match gravest(&changes) {
            Severity::Breaking => Value::from(true),
            Severity::Risk => Value::from("risk"),
            _ => Value::from(false),
        };
        if got != case["expect_breaking"] {
            return Err(format!("{got} instead of {}: {changes:#?}", case["expect_breaking"]));
        }
        if case["value_dependent"] == true && !changes[0].value_dependent {
            return Err(format!("depends on the value: {changes:#?}"));
        }
        Ok(())
    });
}

#[test]
fn each_difference_names_its_rule_and_its_place() {
    let changes = compare(
        "variable \"azs\" {\n  type = list(string)\n}\n\noutput \"id\" {\n  value = 1\n}\n",
        "output \"id\" {\n  value = 1\n}\n",
    );
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(changes[0].rule, "variable_removed");
    assert_eq!(changes[0].to_string(), "the interface lost variable \"azs\" (modules/m/main.tf:1)");
}

// The facts of PEERS, "Releases.", that no case file has.
#[test]
fn what_breaks_callers_is_known_rule_by_rule() {
    let variable = |body: &str| format!("variable \"x\" {{\n{body}\n}}\n");
    let resource =
        |name: &str, body: &str| format!("resource \"terraform_data\" \"{name}\" {{\n{body}\n}}\n");
    let aliases = |list: &str| {
        format!(
            "terraform {{\n  required_providers {{\n    aws = {{\n      source = \"hashicorp/aws\"\n      configuration_aliases = [{list}]\n    }}\n  }}\n}}\n"
        )
    };
    for (old, new, rule, severity) in [
        (
            variable("type = string"),
            variable("type = string\nephemeral = true"),
            "variable_made_ephemeral",
            Severity::Breaking,
        ),
        (aliases("aws.a"), aliases("aws.a, aws.b"), "provider_alias_added", Severity::Breaking),
        (
            resource("a", "count = 2"),
            resource("a", "for_each = toset([\"x\"])"),
            "address_repeated_otherwise",
            Severity::Breaking,
        ),
        (
            resource("b", "") + "moved {\n  from = terraform_data.a\n  to = terraform_data.b\n}\n",
            resource("b", ""),
            "moved_removed",
            Severity::Breaking,
        ),
        (
            resource("a", ""),
            "removed {\n  from = terraform_data.a\n  lifecycle {\n    destroy = false\n  }\n}\n".to_owned(),
            "address_removed_declared",
            Severity::Risk,
        ),
        (
            resource("a", ""),
            resource("c", "")
                + "moved {\n  from = terraform_data.a\n  to = terraform_data.b\n}\nmoved {\n  from = terraform_data.b\n  to = terraform_data.c\n}\n",
            "address_moved",
            Severity::Compatible,
        ),
        (
            variable("type = object({ a = string })"),
            variable("type = object({ a = string, b = optional(number, 1) })"),
            "type_widened",
            Severity::Compatible,
        ),
        (
            variable("type = object({ a = optional(string, \"x\") })"),
            variable("type = object({ a = optional(string, \"y\") })"),
            "attribute_default_changed",
            Severity::Risk,
        ),
        (variable("type = number"), variable("type = string"), "type_widened", Severity::Compatible),
        (variable("default = 1"), variable("default = 1 # one\n"), "", Severity::Compatible),
    ] {
        let changes = compare(&old, &new);
        assert_eq!(gravest(&changes), severity, "{old}\n{new}\n{changes:#?}");
        assert!(rule.is_empty() || changes.iter().any(|change| change.rule == rule), "{rule}: {changes:#?}");
    }
    // One that stays one, and instances that are moved by hand, keep their objects.
    assert_eq!(gravest(&compare(&resource("a", ""), &resource("a", "count = 1"))), Severity::Compatible);
    let by_hand = resource("a", "for_each = toset([\"x\"])")
        + "moved {\n  from = terraform_data.a[0]\n  to = terraform_data.a[\"x\"]\n}\n";
    assert_eq!(gravest(&compare(&resource("a", "count = 1"), &by_hand)), Severity::Compatible);
}

#[test]
fn override_files_and_opentofu_files_are_laid_over_the_others() {
    let old = interface(&[("main.tf", "variable \"x\" {\n  type = string\n  default = \"a\"\n}\n")]);
    let over = interface(&[
        ("main.tf", "variable \"x\" {\n  type = string\n}\n"),
        ("main_override.tf", "variable \"x\" {\n  default = \"a\"\n}\n"),
    ]);
    assert_eq!(Interface::compare(&old, &over), []);
    let tofu = interface(&[("main.tf", "syntax \"x\" {}\n"), ("main.tofu", "variable \"x\" {}\n")]);
    assert!(tofu.variables().contains_key("x"));
}

#[test]
fn a_repository_sets_what_a_difference_means_to_it() {
    let section =
        InterfaceSection { severity: BTreeMap::from([("default_changed".to_owned(), Severity::Breaking)]) };
    let rules = InterfaceRules::of(&section).unwrap();
    let variable = |default: u8| format!("variable \"x\" {{\n  default = {default}\n}}\n");
    let (old, new) = (interface(&[("main.tf", &variable(1))]), interface(&[("main.tf", &variable(2))]));
    assert_eq!(gravest(&Interface::compare(&old, &new)), Severity::Risk);
    assert_eq!(gravest(&Interface::compare_by(&rules, &old, &new)), Severity::Breaking);
}

#[test]
fn a_module_is_read_from_a_tree_and_one_that_does_not_parse_names_its_line() {
    let repo = Repo::with(&[
        ("modules/näme x/main.tf", "variable \"a\" {}\n"),
        ("modules/broken/main.tf", "variable \"a\" {\n  default = [\n}\n"),
    ]);
    std::os::unix::fs::symlink("../näme x/main.tf", {
        std::fs::create_dir(repo.path.join("modules/linked")).unwrap();
        repo.path.join("modules/linked/main.tf")
    })
    .unwrap();
    std::os::unix::fs::symlink("../../../../etc/passwd", repo.path.join("modules/linked/out.tf")).unwrap();
    repo.commit("feat: links");
    let repository = Repository::open(&repo.path).unwrap();
    let tree = repository.tree(&repository.revision("HEAD").unwrap()).unwrap();
    let read = |path: &str| Interface::read(&tree, &RepoPath::parse(path).unwrap());
    assert!(read("modules/näme x").unwrap().variables().contains_key("a"));
    assert!(read("modules/linked").unwrap().variables().contains_key("a"));
    assert!(read("modules/gone").unwrap().variables().is_empty());
    let error = read("modules/broken").unwrap_err().to_string();
    assert!(error.contains("modules/broken/main.tf: line 3"), "{error}");
}
