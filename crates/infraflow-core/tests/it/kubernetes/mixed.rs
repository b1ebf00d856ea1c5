use infraflow_core::catalog::{CatalogRules, UnitId};

use super::{check, row};
use crate::{
    catalog::catalog_at,
    fixture::Repo,
    impact::{cases, impact, units},
};

const BACKEND: &str = "terraform {\n  backend \"local\" {}\n}\n";

#[test]
fn terraform_and_a_kustomization_of_one_directory_are_two_units() {
    let files: &[(&str, &str)] = &[
        ("live/main.tf", BACKEND),
        ("live/.terraform.lock.hcl", ""),
        ("live/kustomization.yaml", "resources: [a.yaml]\n"),
        ("live/a.yaml", "kind: A\n"),
    ];
    let both: &[&str] = &["live#dialect=kustomize"];
    check(
        files,
        &[
            row(
                "of Terraform",
                &[("live/main.tf", Some("terraform {\n  backend \"s3\" {}\n}\n"))],
                &["live"],
                &[],
            ),
            row("its lock", &[("live/.terraform.lock.hcl", Some("# x\n"))], &["live"], &[]),
            row("of kustomize", &[("live/a.yaml", Some("kind: B\n"))], both, &[]),
            row("a version of Terraform", &[(".terraform-version", Some("1.11.4"))], &["live"], &[]),
        ],
    );
    let repo = Repo::with(files);
    let catalog = catalog_at(&repo, "HEAD", &CatalogRules::default());
    let id = UnitId::parse("live#dialect=kustomize").unwrap();
    assert_eq!(catalog.unit(&id).unwrap().unwrap().dialect.as_str(), "kustomize");
    assert_eq!(catalog.units().unwrap()[0].dialect.as_str(), "terraform");
}

#[test]
fn a_call_of_one_tool_does_not_mean_what_the_other_has_there() {
    let files: &[(&str, &str)] = &[
        ("x/main.tf", ""),
        ("x/kustomization.yaml", "resources: [a.yaml]\n"),
        ("x/a.yaml", "kind: A\n"),
        ("tf/main.tf", "terraform {\n  backend \"local\" {}\n}\nmodule \"x\" {\n  source = \"../x\"\n}\n"),
        ("k/kustomization.yaml", "resources: [../x]\n"),
    ];
    check(
        files,
        &[
            row("of Terraform", &[("x/main.tf", Some("# x\n"))], &["tf"], &["x"]),
            row("of kustomize", &[("x/a.yaml", Some("kind: B\n"))], &["k"], &["x"]),
        ],
    );
}

#[test]
fn a_stack_of_terramate_has_the_kustomization_of_its_directory_for_a_part() {
    let files: &[(&str, &str)] = &[
        ("s/stack.tm", "stack {\n}\n"),
        ("s/kustomization.yaml", "resources: [../base]\n"),
        ("base/kustomization.yaml", "resources: []\n"),
    ];
    check(
        files,
        &[row("its base", &[("base/kustomization.yaml", Some("namespace: x\n"))], &["s"], &["base"])],
    );
}

#[test]
fn variable_files_beside_a_kustomization_still_reach_the_units_of_terraform() {
    let files: &[(&str, &str)] = &[
        ("live/main.tf", BACKEND),
        ("live/env/prod.tfvars", "a = 1\n"),
        ("live/env/kustomization.yaml", "resources: []\n"),
    ];
    check(files, &[row("values", &[("live/env/prod.tfvars", Some("a = 2\n"))], &["live"], &[])]);
}

#[test]
fn an_example_that_is_a_kustomization_is_a_case_of_its_base() {
    let files: &[(&str, &str)] = &[
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/examples/e/kustomization.yaml", "resources: [../..]\n"),
    ];
    let impact = impact(files, |repo| repo.write("base/a.yaml", "kind: A\n"));
    assert_eq!(cases(&impact), ["base/examples/e"]);
    assert!(units(&impact).is_empty());
}
