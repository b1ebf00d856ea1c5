//! The cases of changes and what they affect, taken from the tests of other tools. They are no part of this
//! repository: `INFRAFLOW_CASES` names the folder in which `affected/` stands.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use infraflow_core::{
    catalog::{Catalog, CatalogRules, ToolChoice},
    detect::{ChangeDetector, GitDetector},
    git::Repository,
    impact::{Impact, assess},
    policy::PathPattern,
};
use serde_json::Value;

use crate::{catalog::dialects, fixture};

fn set(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn impact_of(repo: &Path, case: &Value) -> (Impact, Catalog) {
    let repository = Repository::open(repo).unwrap();
    let (base, head) = (repository.resolve("main").unwrap(), repository.revision("feature").unwrap());
    let base = infraflow_core::git::Revision::Commit(base);
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let live = set(&case["hints"]["live"]);
    let live = live.iter().map(|text| PathPattern::parse(&globset_escape(text)).unwrap());
    let tool = match case["tool"].as_str() {
        Some("opentofu") => ToolChoice::Opentofu,
        _ => ToolChoice::Terraform,
    };
    let rules = CatalogRules::default().with_live(live).with_tool(tool);
    let merge_base = infraflow_core::git::Revision::Commit(changes.merge_base);
    let build = |revision| Catalog::build(&repository.tree(revision).unwrap(), &dialects(), &rules).unwrap();
    let (base, head) = (build(&merge_base), build(&head));
    (assess(&changes, &base, &head).unwrap(), head)
}

fn globset_escape(text: &str) -> String {
    text.chars().flat_map(|c| if "*?[]{}\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect()
}

fn judge(case: &Value, impact: &Impact) -> Vec<String> {
    let expect = &case["expect"];
    let (examples, tests) = (set(&case["hints"]["examples"]), set(&case["hints"]["tests"]));
    let cases: BTreeSet<String> = impact.cases.iter().map(|case| case.path.to_string()).collect();
    let hinted = |path: &String| examples.contains(path) || tests.contains(path);
    let modules = impact.modules.iter().map(|module| module.path.to_string());
    let answers = [
        ("modules", modules.clone().filter(|path| !hinted(path)).collect()),
        ("units", impact.units.iter().map(|unit| unit.path.to_string()).collect()),
        ("deleted_units", impact.removed_units.iter().map(|unit| unit.path.to_string()).collect()),
        ("deleted_modules", impact.removed_modules.iter().map(|module| module.path.to_string()).collect()),
        ("stack_units", impact.stack_units.iter().map(|unit| unit.path.to_string()).collect()),
        (
            "deleted_stack_units",
            impact.removed_stack_units.iter().map(|unit| unit.path.to_string()).collect(),
        ),
        ("dependents", impact.dependents.iter().map(|unit| unit.path.to_string()).collect()),
        ("examples", cases.iter().filter(|path| examples.contains(*path)).cloned().collect()),
        ("tests", cases.iter().filter(|path| tests.contains(*path)).cloned().collect()),
        ("unparsable", impact.unparsable.iter().map(|file| file.path.to_string()).collect::<BTreeSet<_>>()),
    ];
    let mut wrong = Vec::new();
    for (key, answer) in answers {
        let (must, may) = (set(&expect[key]), set(&expect[format!("{key}_may")]));
        for missed in must.difference(&answer) {
            wrong.push(format!("{key}: {missed} is missed"));
        }
        for extra in answer.difference(&must).filter(|path| !may.contains(*path)) {
            wrong.push(format!("{key}: {extra} should not be there"));
        }
    }
    let changed: BTreeSet<String> = impact
        .changes
        .iter()
        .flat_map(|change| change.old_path.iter().chain([&change.path]))
        .map(ToString::to_string)
        .collect();
    if changed != set(&expect["changed_files"]) {
        wrong.push(format!("changed files are {changed:?}"));
    }
    for (unit, directories) in expect["chain"].as_object().into_iter().flatten() {
        let reason =
            impact.units.iter().find(|found| found.path.to_string() == *unit).map(|found| &found.reasons[0]);
        let calls = reason.map_or(0, |reason| reason.chain.len().saturating_sub(1));
        if calls != directories.as_array().map_or(0, Vec::len) {
            wrong.push(format!("the chain of {unit} has {calls} references: {reason:?}"));
        }
    }
    wrong
}

#[test]
fn the_cases_of_terraform_terragrunt_and_terramate_are_answered_right() {
    let test = "the_cases_of_terraform_terragrunt_and_terramate_are_answered_right";
    let Some(folder) = std::env::var_os("INFRAFLOW_CASES").map(PathBuf::from) else {
        eprintln!("skipped: {test} needs the folder of cases that INFRAFLOW_CASES names");
        return;
    };
    if !fixture::has("python3", test) {
        return;
    }
    let folder = folder.join("affected");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let out = tempfile::tempdir().unwrap();
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for file in &files {
        let case: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let name = case["name"].as_str().unwrap();
        let repo = out.path().join(name);
        let made =
            Command::new("python3").arg(folder.join("materialise.py")).arg(file).arg(&repo).status().unwrap();
        assert!(made.success(), "{name} could not be made");
        all += 1;
        let found = judge(&case, &impact_of(&repo, &case).0);
        right += usize::from(found.is_empty());
        wrong.extend(found.into_iter().map(|text| format!("{name}: {text}")));
    }
    eprintln!(
        "{right} of {all} cases of Terraform, Terragrunt and Terramate are right ({} in all)",
        files.len()
    );
    assert!(wrong.is_empty(), "{right} of {all} right\n{}", wrong.join("\n"));
}
