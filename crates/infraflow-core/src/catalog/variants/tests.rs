use std::collections::BTreeMap;

use super::*;
use crate::{
    catalog::{CatalogRules, Listed},
    policy::Configuration,
    proof::RepoPath,
};

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

/// What stands directly in a directory of a tree with these files.
fn list(files: &[&str], directory: &RepoPath) -> Vec<Listed> {
    let mut names: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
    for file in files.iter().map(|file| path(file)).filter(|file| file.is_within(directory)) {
        let below = file.names().nth(directory.names().count()).unwrap().to_vec();
        let deeper = file.names().count() > directory.names().count() + 1;
        names.insert(below, deeper);
    }
    names.into_iter().map(|(name, is_directory)| Listed::new(name, is_directory)).collect()
}

fn of(directory: &str, rules: &[VariantRule], files: &[&str]) -> Variants {
    variants(&path(directory), rules, true, &mut |directory| list(files, directory))
}

fn ids(directory: &str, variants: &Variants) -> Vec<String> {
    variants.all.iter().map(|variant| variant.id(&path(directory)).to_string()).collect()
}

/// The names of the units that are found in `live/app`, without any rule.
fn names(files: &[&str]) -> Vec<String> {
    of("live/app", &[], files).all.into_iter().map(|variant| variant.name).collect()
}

fn rules(text: &str) -> Vec<VariantRule> {
    let rules: CatalogRules = Configuration::parse(text, "infraflow.toml").unwrap().section().unwrap();
    rules.variants
}

fn refused(text: &str) -> String {
    Configuration::parse(text, "infraflow.toml").unwrap().section::<CatalogRules>().unwrap_err().to_string()
}

#[test]
fn a_backend_file_and_a_variable_file_of_one_name_are_a_unit() {
    for (values, backend) in [
        ("dev.tfvars", "dev.tfbackend"),
        ("dev.tfvars.json", "dev.s3.tfbackend"),
        ("dev.tfvars", "dev.backend.hcl"),
        ("dev.tfvars", "backend-dev.hcl"),
        ("dev.tfvars", "backend/dev.hcl"),
        ("envs/dev.tfvars", "envs/dev.tfbackend"),
        ("envs/dev.tfvars", "envs/dev.backend.hcl"),
        ("envs/dev.tfvars", "backends/dev.tfbackend"),
        ("envs/dev.tfvars", "backend/dev.hcl"),
        ("environments/dev.tfvars", "backend/dev.backend.conf"),
        ("environments/dev.tfvars", "config/dev.backend.hcl"),
        ("env/dev.tfvars", "backend/dev.tfvars"),
        ("config/dev.tfvars", "config/dev.hcl"),
        ("config/dev.tfvars", "config/backend-dev.conf"),
        ("vars/dev.tfvars", "vars/dev-backend.tfvars"),
        ("tfvars/dev.tfvars", "backend_config/dev.config"),
        ("environments/dev/terraform.tfvars", "environments/dev/backend.tfvars"),
        ("envs/dev/terraform.tfvars", "envs/dev/backend.hcl"),
        ("config/dev/env.tfvars", "config/dev/backend.conf"),
        ("envs/dev/any.tfvars", "envs/dev/state.tfbackend"),
    ] {
        let (values, backend) = (format!("live/app/{values}"), format!("live/app/{backend}"));
        let found = of("live/app", &[], &["live/app/main.tf", &values, &backend]);
        assert_eq!(ids("live/app", &found), [format!("live/app#var_file={values}&backend={backend}")]);
        assert_eq!(found.all[0].name, "dev");
    }
}

#[test]
fn variable_files_alone_and_backend_files_alone_make_no_units() {
    assert!(names(&["live/app/main.tf", "live/app/dev.tfvars", "live/app/prod.tfvars"]).is_empty());
    assert!(names(&["live/app/backends/dev.hcl", "live/app/backends/prod.hcl"]).is_empty());
    assert!(names(&["live/app/terraform.tfvars", "live/app/backend.hcl"]).is_empty());
    assert!(names(&["live/app/x.auto.tfvars", "live/app/x.auto.tfbackend"]).is_empty());
    assert!(names(&["live/app/terragrunt.hcl", "live/app/terragrunt.tfvars"]).is_empty());
    assert!(names(&["live/other/dev.tfvars", "live/other/dev.tfbackend"]).is_empty());
    assert!(names(&["live/app/deep/dev.tfvars", "live/app/deep/dev.tfbackend"]).is_empty());
}

#[test]
fn a_backend_file_without_values_is_a_unit_where_others_are_paired_and_values_without_it_are_not() {
    let files = [
        "live/app/envs/dev.tfvars",
        "live/app/envs/common.tfvars",
        "live/app/backend/dev.hcl",
        "live/app/backend/prod.hcl",
        "live/app/backend/dev.example.hcl",
    ];
    assert_eq!(names(&files), ["prod", "dev"]);
    let found = of("live/app", &[], &files);
    let only = |file: &str| found.concerned_by(&path(file));
    assert_eq!(only("live/app/envs/dev.tfvars"), Concern::Only(vec![1]));
    assert_eq!(only("live/app/backend/prod.hcl"), Concern::Only(vec![0]));
    assert_eq!(only("live/app/envs/common.tfvars"), Concern::All);
    assert_eq!(only("live/app/main.tf"), Concern::All);
    assert_eq!(only("modules/x/main.tf"), Concern::All);
}

#[test]
fn a_directory_in_which_a_name_has_two_backend_files_is_one_unit_and_says_so() {
    let files = [
        "live/app/dev.tfvars",
        "live/app/dev.tfbackend",
        "live/app/backend/dev.hcl",
        "live/app/prod.tfvars",
        "live/app/prod.tfbackend",
    ];
    let found = of("live/app", &[], &files);
    assert!(
        found.is_one() && found.warnings[0].contains("dev has several backend files: live/app/"),
        "{found:?}"
    );
}

#[test]
fn a_folder_with_configuration_of_its_own_lends_no_files() {
    let files =
        ["live/app/envs/dev/main.tf", "live/app/envs/dev/terraform.tfvars", "live/app/envs/dev/backend.hcl"];
    assert!(names(&files).is_empty());
    assert_eq!(names(&files[1..]), ["dev"]);
}

#[test]
fn nothing_is_found_where_it_is_switched_off_or_declared_to_be_one_unit() {
    let files = ["live/app/dev.tfvars", "live/app/dev.tfbackend"];
    let off = variants(&path("live/app"), &[], false, &mut |directory| list(&files, directory));
    assert!(off.is_one());
    let one = rules("[[catalog.variants]]\ndirectories = ['live/*']\n");
    assert!(of("live/app", &one, &files).is_one());
    assert_eq!(of("other/app", &one, &["other/app/dev.tfvars", "other/app/dev.tfbackend"]).all.len(), 1);
}

#[test]
fn declared_workspaces_are_units_by_their_names() {
    let rules = rules(
        "[[catalog.variants]]\ndirectories = ['live/app']\nnames = ['dev', 'prod']\nworkspace = 'app-{name}'\nvar_files = ['common.tfvars', 'envs/{name}.tfvars']\n",
    );
    let found =
        of("live/app", &rules, &["live/app/main.tf", "live/app/common.tfvars", "live/app/envs/dev.tfvars"]);
    assert_eq!(
        ids("live/app", &found),
        [
            "live/app#workspace=app-dev&var_file=live/app/common.tfvars&var_file=live/app/envs/dev.tfvars",
            "live/app#workspace=app-prod&var_file=live/app/common.tfvars"
        ]
    );
    assert_eq!(found.concerned_by(&path("live/app/common.tfvars")), Concern::All);
    assert_eq!(found.concerned_by(&path("live/app/envs/dev.tfvars")), Concern::Only(vec![0]));
}

#[test]
fn declared_files_are_found_beside_above_and_at_the_root() {
    let rules = rules(
        "[[catalog.variants]]\ndirectories = ['live/*']\nvar_files = ['../../envs/{env}/{region}.tfvars']\nbackend = ['/backends/{env}.hcl', 'key=app/{env}/{region}.tfstate']\n",
    );
    let files = [
        "live/app/main.tf",
        "envs/prod/eu.tfvars",
        "envs/prod/us.tfvars",
        "envs/dev/eu.tfvars",
        "envs/dev/.hidden.tfvars",
        "envs/dev/terraform.tfvars",
        "envs/README.md",
        "backends/prod.hcl",
    ];
    let found = of("live/app", &rules, &files);
    assert_eq!(
        ids("live/app", &found),
        [
            "live/app#var_file=envs/dev/eu.tfvars&backend=key=app/dev/eu.tfstate",
            "live/app#var_file=envs/prod/eu.tfvars&backend=backends/prod.hcl&backend=key=app/prod/eu.tfstate",
            "live/app#var_file=envs/prod/us.tfvars&backend=backends/prod.hcl&backend=key=app/prod/us.tfstate",
        ]
    );
    assert_eq!(found.all[1].name, "prod/eu");
    assert_eq!(found.concerned_by(&path("backends/prod.hcl")), Concern::Only(vec![1, 2]));
}

#[test]
fn one_word_twice_is_the_same_and_no_path_leaves_the_repository() {
    let twice = rules(
        "[[catalog.variants]]\ndirectories = ['.']\nworkspace = '{name}'\nvar_files = ['{name}/{name}.tfvars']\n",
    );
    assert_eq!(
        ids(".", &of(".", &twice, &["dev/dev.tfvars", "prod/dev.tfvars"])),
        [".#workspace=dev&var_file=dev/dev.tfvars"]
    );
    let out = rules(
        "[[catalog.variants]]\ndirectories = ['a']\nworkspace = '{name}'\nvar_files = ['../../../{name}.tfvars']\n",
    );
    let found = of("a", &out, &["a/main.tf", "dev.tfvars"]);
    assert!(found.is_one() && found.warnings[0].contains("no file tells which units share a"), "{found:?}");
}

#[test]
fn a_name_that_is_no_workspace_is_told_and_no_unit() {
    let rules = rules(
        "[[catalog.variants]]\ndirectories = ['a']\nworkspace = '{name}'\nvar_files = ['{name}.tfvars']\n",
    );
    let found = of("a", &rules, &["a/my env.tfvars", "a/dev.tfvars"]);
    assert_eq!(ids("a", &found), ["a#workspace=dev&var_file=a/dev.tfvars"]);
    assert!(found.warnings[0].starts_with("my env is no unit of a: "), "{found:?}");
}

#[test]
fn a_declaration_that_makes_no_sense_says_what_to_do() {
    let of = |text: &str| refused(&format!("[[catalog.variants]]\n{text}\n"));
    for (text, help) in [
        ("names = ['dev']\nworkspace = '{name}'", "missing field `directories`"),
        ("directories = []", "write directories"),
        ("directories = ['a']\nvar_files = ['{name}.tfvars']", "would share one state"),
        ("directories = ['a']\nnames = ['dev']", "would share one state"),
        ("directories = ['a']\nworkspace = '{name}'", "no path of a file has {name} in it"),
        ("directories = ['a']\nworkspace = '{env}'\nnames = ['dev']", "the values of {name} only"),
        ("directories = ['a']\nworkspace = '{name'", "has a { without a }"),
        ("directories = ['a']\nworkspaces = ['a']", "did you mean \"workspace\"?"),
    ] {
        let told = of(text);
        assert!(told.contains(help) && told.contains("infraflow.toml:"), "{text}\n{told}");
    }
}

#[test]
fn names_that_are_no_text_are_left_alone() {
    let mut entries = |_: &RepoPath| {
        vec![Listed::new(b"\xff.tfvars".to_vec(), false), Listed::new(b"\xff.tfbackend".to_vec(), false)]
    };
    assert!(variants(&path("a"), &[], true, &mut entries).is_one());
}
