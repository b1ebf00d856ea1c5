//! Tests of renamed units: whether what they deployed would be created anew.

use infraflow_core::{
    catalog::{Catalog, CatalogRules},
    detect::{ChangeDetector as _, GitDetector},
    git::{Repository, Revision},
    impact::{Impact, RenamedUnit, StateFate, assess, tell_renames},
};

use crate::{catalog::dialects, fixture::Repo};

/// What renaming `live/a` to `live/b` means, and whatever else `change` does.
fn renamed(files: &[(&str, &str)], change: impl FnOnce(&Repo)) -> Impact {
    let repo = Repo::with(files);
    repo.branch("feature");
    repo.git(&["mv", "live/a", "live/b"]);
    change(&repo);
    repo.commit("feat: rename");
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("HEAD").unwrap();
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let (base, head) =
        (repository.tree(&changes.merge_base.into()).unwrap(), repository.tree(&head).unwrap());
    let rules = CatalogRules::default();
    let catalog = |tree| Catalog::build(tree, &dialects(), &rules).unwrap();
    let mut impact = assess(&changes, &catalog(&base), &catalog(&head)).unwrap();
    tell_renames(&mut impact, &base, &head).unwrap();
    impact
}

fn only(impact: &Impact) -> &RenamedUnit {
    assert_eq!(impact.renamed_units.len(), 1, "{impact:?}");
    &impact.renamed_units[0]
}

fn s3(settings: &str) -> String {
    format!("terraform {{\n  backend \"s3\" {{\n{settings}\n  }}\n}}\n")
}

const MAIN: &str = "resource \"terraform_data\" \"x\" {\n  input = 1\n}\n";

#[test]
fn a_renamed_unit_with_a_constant_key_keeps_its_state() {
    let backend = s3("    key = \"net/a\"\n    bucket = \"b\"");
    let impact = renamed(&[("live/a/main.tf", MAIN), ("live/a/backend.tf", &backend)], |_| {});
    let unit = only(&impact);
    assert_eq!((unit.from.to_string(), unit.to.to_string()), ("live/a".into(), "live/b".into()));
    assert_eq!((unit.state, unit.reasons[0].rule.as_str()), (StateFate::Kept, "renamed"));
    assert_eq!(
        unit.reasons[0].text,
        "the unit live/a was renamed to live/b, and finds its state: s3 key=net/a bucket=b"
    );
    assert_eq!(impact.removed_units[0].reasons, unit.reasons);
    assert!(impact.warnings.is_empty(), "{:?}", impact.warnings);
}

#[test]
fn a_renamed_unit_whose_state_follows_its_path_is_destroyed_and_created_anew() {
    let local = "terraform {\n  backend \"local\" {}\n}\n";
    let impact = renamed(&[("live/a/main.tf", MAIN), ("live/a/backend.tf", local)], |_| {});
    let unit = only(&impact);
    assert_eq!(
        (unit.state, unit.reasons[0].rule.as_str()),
        (StateFate::Elsewhere, "destroyed_and_created_anew")
    );
    assert_eq!(
        unit.reasons[0].text,
        "the unit live/a was renamed to live/b, and its state with it: it was local live/a/terraform.tfstate, and is looked for at local live/b/terraform.tfstate; what it deployed would be destroyed and created anew; move its state before either is applied"
    );
    assert_eq!(impact.warnings, [unit.reasons[0].text.clone()]);
    let told = |unit: &infraflow_core::impact::AffectedUnit| {
        unit.reasons.iter().any(|reason| reason.rule == "destroyed_and_created_anew")
    };
    assert!(told(&impact.removed_units[0]) && told(&impact.units[0]));
    assert!(!unit.reasons[0].chain.is_empty());
}

#[test]
fn a_generated_key_that_differs_at_the_head_is_a_state_elsewhere() {
    let backend = |key: &str| s3(&format!("    key = \"{key}\""));
    let impact = renamed(&[("live/a/main.tf", MAIN), ("live/a/backend.tf", &backend("live/a"))], |repo| {
        repo.write("live/b/backend.tf", backend("live/b"));
    });
    assert_eq!(only(&impact).state, StateFate::Elsewhere);
}

#[test]
fn a_partial_backend_tells_nothing_and_is_warned_of() {
    let impact = renamed(&[("live/a/main.tf", MAIN), ("live/a/backend.tf", &s3(""))], |_| {});
    assert_eq!(only(&impact).state, StateFate::Unknown);
    assert!(impact.warnings[0].contains("its backend is filled from outside"), "{:?}", impact.warnings);
}

#[test]
fn a_local_state_that_is_committed_goes_along() {
    let local = "terraform {\n  backend \"local\" {}\n}\n";
    let state = "{\"version\": 4, \"resources\": []}\n";
    let files = [("live/a/main.tf", MAIN), ("live/a/backend.tf", local), ("live/a/terraform.tfstate", state)];
    assert_eq!(only(&renamed(&files, |_| {})).state, StateFate::Kept);
}

#[test]
fn a_unit_that_went_into_another_one_was_not_renamed() {
    let backend = |key: &str| s3(&format!("    key = \"{key}\""));
    let repo = Repo::with(&[
        ("live/a/main.tf", MAIN),
        ("live/a/backend.tf", &backend("a")),
        ("live/b/main.tf", "# b\n"),
        ("live/b/backend.tf", &backend("b")),
    ]);
    repo.branch("feature");
    repo.git(&["mv", "live/a/main.tf", "live/b/a.tf"]);
    repo.git(&["rm", "-q", "live/a/backend.tf"]);
    repo.commit("feat: merge");
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("HEAD").unwrap();
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let (base, head) = (repository.tree(&base).unwrap(), repository.tree(&head).unwrap());
    let catalog = |tree| Catalog::build(tree, &dialects(), &CatalogRules::default()).unwrap();
    let mut impact = assess(&changes, &catalog(&base), &catalog(&head)).unwrap();
    tell_renames(&mut impact, &base, &head).unwrap();
    assert!(impact.renamed_units.is_empty());
    assert_eq!(impact.removed_units[0].reasons[0].rule, "moved");
}
