//! Units that share a directory: found, declared, changed, gone and renamed. Every answer is asked of a kept index
//! too, and has to be the same.

use infraflow_core::{
    catalog::{Catalog, CatalogCache, CatalogRules, UnitId},
    detect::{ChangeDetector as _, GitDetector},
    git::{Repository, Revision},
    impact::{AffectedUnit, Impact, ImpactOptions, StateFate, assess_with, tell_renames, why},
    policy::{Configuration, EnvironmentName, Policy},
    proof::{Document as _, RepoPath},
};

use crate::{catalog::dialects, fixture::Repo};

const APP: &str = "terraform {\n  backend \"s3\" {}\n}\nvariable \"env\" {\n  default = \"none\"\n}\n";

/// `live/app` with a variable file and a backend file of each name in folders.
const FOUND: [(&str, &str); 6] = [
    ("live/app/main.tf", APP),
    ("live/app/envs/dev.tfvars", "env = \"dev\"\n"),
    ("live/app/envs/prod.tfvars", "env = \"prod\"\n"),
    ("live/app/backend/dev.hcl", "key = \"dev\"\n"),
    ("live/app/backend/prod.hcl", "key = \"prod\"\n"),
    ("live/app/README.md", "read me\n"),
];

pub const DEV: &str = "live/app#var_file=live/app/envs/dev.tfvars&backend=live/app/backend/dev.hcl";
const PROD: &str = "live/app#var_file=live/app/envs/prod.tfvars&backend=live/app/backend/prod.hcl";

pub struct Asked {
    pub base: Catalog,
    pub head: Catalog,
    pub impact: Impact,
}

/// The impact of what `change` does to some files, by the rules of a configuration: the same from a kept index as
/// from everything read anew.
pub fn asked(files: &[(&str, &str)], rules: &str, change: impl FnOnce(&Repo)) -> Asked {
    asked_of(&Repo::with(files), rules, change)
}

/// The same of a repository.
pub fn asked_of(repo: &Repo, rules: &str, change: impl FnOnce(&Repo)) -> Asked {
    repo.git(&["checkout", "-q", "-B", "feature"]);
    change(repo);
    repo.git(&["add", "-A"]);
    repo.git(&["commit", "-q", "--allow-empty", "-m", "feat: change"]);
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("feature").unwrap();
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let (old, new) = (repository.tree(&base).unwrap(), repository.tree(&head).unwrap());
    let configuration = Configuration::parse(rules, "infraflow.toml").unwrap();
    let rules: CatalogRules = configuration.section().unwrap();
    let options = ImpactOptions::by(configuration.section().unwrap());
    let anew = |tree| Catalog::build(tree, &dialects(), &rules).unwrap();
    let (before, after) = (anew(&old), anew(&new));
    let mut impact = assess_with(&changes, &before, &after, &options).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cache = CatalogCache::in_folder(folder.path());
    for _ in 0..2 {
        let (kept, laid) = cache.ends(&old, &new, &dialects(), &rules).unwrap();
        assert_eq!(assess_with(&changes, &kept, &laid, &options).unwrap(), impact);
        assert_eq!(laid.units().unwrap(), after.units().unwrap());
        assert_eq!(laid.references().unwrap(), after.references().unwrap());
    }
    tell_renames(&mut impact, &old, &new).unwrap();
    Asked { base: before, head: after, impact }
}

fn ids(units: &[AffectedUnit]) -> Vec<String> {
    units.iter().map(|unit| unit.id.to_string()).collect()
}

/// What is touched when something is added to a file.
fn touched(files: &[(&str, &str)], rules: &str, path: &str) -> Vec<String> {
    let before = files.iter().find(|(own, _)| *own == path).map_or("", |(_, text)| text);
    let asked = asked(files, rules, |repo| repo.write(path, format!("{before}# changed\n")));
    assert!(asked.impact.removed_units.is_empty(), "{:?}", asked.impact.removed_units);
    ids(&asked.impact.units)
}

#[test]
fn the_files_of_one_unit_concern_it_alone_and_everything_else_all() {
    for (path, units) in [
        ("live/app/envs/dev.tfvars", vec![DEV]),
        ("live/app/backend/prod.hcl", vec![PROD]),
        ("live/app/main.tf", vec![DEV, PROD]),
        ("live/app/more.tf", vec![DEV, PROD]),
        ("live/app/terraform.tfvars", vec![DEV, PROD]),
        ("live/app/.terraform.lock.hcl", vec![DEV, PROD]),
        // Whom nobody's backend file names may be given it.
        ("live/app/envs/common.tfvars", vec![DEV, PROD]),
        ("live/app/README.md", vec![]),
    ] {
        assert_eq!(touched(&FOUND, "", path), units, "{path}");
    }
}

#[test]
fn reasons_speak_of_the_unit_and_its_own_file() {
    let found = asked(&FOUND, "", |repo| {
        repo.write("live/app/envs/dev.tfvars", "env = \"other\"\n");
        repo.write("live/app/backend/prod.hcl", "key = \"other\"\n");
    });
    let told: Vec<(&str, &str)> = found
        .impact
        .units
        .iter()
        .map(|unit| (unit.reasons[0].rule.as_str(), unit.reasons[0].text.as_str()))
        .collect();
    assert_eq!(told[0].0, "variable_file");
    assert_eq!(
        told[0].1,
        format!("{DEV} is given the values of live/app/envs/dev.tfvars, which was modified")
    );
    assert_eq!(told[1].0, "backend_file");
    assert_eq!(
        told[1].1,
        format!("{PROD} has the settings of its backend from live/app/backend/prod.hcl, which was modified")
    );
    assert!(
        found.impact.units.iter().all(|unit| unit.reasons.len() == 1 && unit.path.to_string() == "live/app")
    );
}

#[test]
fn why_is_answered_by_id_and_for_all_units_of_the_directory() {
    let found = asked(&FOUND, "", |repo| repo.write("live/app/envs/dev.tfvars", "env = \"other\"\n"));
    let ask = |text: &str| why(text, &found.impact, &found.head, &Default::default()).unwrap();
    assert!(ask(DEV).affected && ask(DEV).things.len() == 1);
    assert_eq!(ask("live/app").things.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), [DEV]);
    let prod = ask(PROD);
    assert!(!prod.affected && prod.reasons[0].rule == "nothing_changed", "{prod:?}");
    assert!(prod.reasons[0].text.contains("live/app/backend/prod.hcl"), "{prod:?}");
    assert!(!prod.reasons[0].text.contains("dev"), "{prod:?}");
}

#[test]
fn a_module_touches_all_units_that_share_the_directory_that_calls_it() {
    let call = format!("{APP}module \"m\" {{\n  source = \"../../modules/m\"\n}}\n");
    let mut files = FOUND.to_vec();
    files[0].1 = &call;
    files.push(("modules/m/main.tf", "# m\n"));
    assert_eq!(touched(&files, "", "modules/m/main.tf"), [DEV, PROD]);
    let found = asked(&files, "", |_| {});
    let calls = found.head.calls().unwrap();
    assert_eq!(calls[0].units.iter().map(ToString::to_string).collect::<Vec<_>>(), [DEV, PROD]);
}

#[test]
fn a_file_that_is_read_by_a_value_touches_the_units_that_are_given_it() {
    let read = format!("{APP}locals {{\n  text = file(\"${{path.module}}/data/${{var.env}}.json\")\n}}\n");
    let mut files = FOUND.to_vec();
    files[0].1 = &read;
    files.extend([
        ("live/app/data/dev.json", "1"),
        ("live/app/data/prod.json", "1"),
        ("live/app/data/none.json", "1"),
    ]);
    assert_eq!(touched(&files, "", "live/app/data/dev.json"), [DEV]);
    assert_eq!(touched(&files, "", "live/app/data/prod.json"), [PROD]);
    // The default may hold for either.
    assert_eq!(touched(&files, "", "live/app/data/none.json"), [DEV, PROD]);
    // A value that any of them may be given.
    files.push(("live/app/envs/common.tfvars", "env = \"common\"\n"));
    files.push(("live/app/data/common.json", "1"));
    assert_eq!(touched(&files, "", "live/app/data/common.json"), [DEV, PROD]);
}

#[test]
fn a_declared_file_elsewhere_gives_its_values() {
    let rules = "[[catalog.variants]]\ndirectories = ['live/*']\nworkspace = '{env}'\nvar_files = ['/envs/{env}/all.tfvars']\n";
    let read = format!("{APP}locals {{\n  text = file(\"${{path.module}}/data/${{var.env}}.json\")\n}}\n");
    let files = [
        ("live/app/main.tf", read.as_str()),
        ("live/other/main.tf", APP),
        ("live/app/data/dev.json", "1"),
        ("envs/dev/all.tfvars", "env = \"dev\"\n"),
        ("envs/prod/all.tfvars", "env = \"prod\"\n"),
    ];
    let of = |app: &str, env: &str| format!("live/{app}#workspace={env}&var_file=envs/{env}/all.tfvars");
    assert_eq!(touched(&files, rules, "live/app/data/dev.json"), [of("app", "dev")]);
    assert_eq!(touched(&files, rules, "envs/dev/all.tfvars"), [of("app", "dev"), of("other", "dev")]);
    // The path follows the value, at both ends.
    let found = asked(&files, rules, |repo| {
        repo.write("envs/prod/all.tfvars", "env = \"dev\"\n");
        repo.write("live/app/data/dev.json", "2");
    });
    assert_eq!(ids(&found.impact.units), [of("app", "dev"), of("app", "prod"), of("other", "prod")]);
}

#[test]
fn declared_names_share_a_file_of_common_values() {
    let rules = "[[catalog.variants]]\ndirectories = ['live/app']\nnames = ['dev', 'prod']\nworkspace = 'app-{name}'\nvar_files = ['common.tfvars', '../{name}.tfvars']\n";
    let files = [
        ("live/app/main.tf", APP),
        ("live/app/common.tfvars", ""),
        ("live/dev.tfvars", ""),
        ("live/prod.tfvars", ""),
        // Found, if nothing were declared.
        ("live/app/x.tfvars", ""),
        ("live/app/x.tfbackend", ""),
    ];
    let of = |name: &str| {
        format!("live/app#workspace=app-{name}&var_file=live/app/common.tfvars&var_file=live/{name}.tfvars")
    };
    assert_eq!(touched(&files, rules, "live/app/common.tfvars"), [of("dev"), of("prod")]);
    assert_eq!(touched(&files, rules, "live/dev.tfvars"), [of("dev")]);
    assert_eq!(touched(&files, "[catalog]\nfind_variants = false\n", "live/app/x.tfvars"), ["live/app"]);
}

#[test]
fn units_of_terragrunt_and_examples_are_not_split() {
    let files = [
        ("live/app/terragrunt.hcl", "terraform {\n  source = \"../../modules/m\"\n}\n"),
        ("live/app/envs/dev.tfvars", ""),
        ("live/app/backend/dev.hcl", ""),
        ("modules/m/main.tf", ""),
        ("modules/m/examples/a/main.tf", APP),
        ("modules/m/examples/b/main.tf", "module \"m\" {\n  source = \"../..\"\n}\n"),
        ("modules/m/examples/b/dev.tfvars", ""),
        ("modules/m/examples/b/dev.tfbackend", ""),
    ];
    let found = asked(&files, "", |repo| repo.write("modules/m/main.tf", "# changed\n"));
    assert!(found.head.units().unwrap().iter().any(|unit| unit.id.to_string() == "live/app"));
    assert_eq!(found.impact.cases.iter().filter(|case| case.id.to_string().ends_with("/b")).count(), 1);
    assert!(found.head.units().unwrap().iter().all(|unit| !unit.id.to_string().contains("examples/b")));
    let declared = "[[catalog.variants]]\ndirectories = ['live/app']\nvar_files = ['envs/{name}.tfvars']\nworkspace = '{name}'\n";
    let units = asked(&files, declared, |_| {}).head.units().unwrap();
    assert!(
        units
            .iter()
            .any(|unit| unit.id.to_string() == "live/app#workspace=dev&var_file=live/app/envs/dev.tfvars"
                && unit.dialect.as_str() == "terragrunt")
    );
}

#[test]
fn a_unit_whose_files_are_deleted_is_removed_and_the_other_stays_untouched() {
    let found = asked(&FOUND, "", |repo| {
        repo.remove("live/app/envs/dev.tfvars");
        repo.remove("live/app/backend/dev.hcl");
    });
    assert_eq!(ids(&found.impact.removed_units), [DEV]);
    assert!(found.impact.units.is_empty(), "{:?}", found.impact.units);
    let reason = &found.impact.removed_units[0].reasons[0];
    assert_eq!(reason.text, format!("the unit {DEV} is gone: live/app is the unit {PROD}"));
    assert!(!reason.chain.is_empty());
    assert_eq!(found.base.units().unwrap().len(), 2);
}

#[test]
fn a_new_unit_touches_no_other_one() {
    let found = asked(&FOUND, "", |repo| {
        repo.write("live/app/envs/test.tfvars", "env = \"test\"\n");
        repo.write("live/app/backend/test.hcl", "key = \"test\"\n");
    });
    assert_eq!(ids(&found.impact.units), [DEV.replace("dev", "test")]);
    assert!(found.impact.removed_units.is_empty());
}

#[test]
fn a_directory_that_becomes_several_units_loses_the_one_it_was() {
    let files = [FOUND[0], FOUND[1], FOUND[2]];
    let found = asked(&files, "", |repo| repo.write("live/app/backend/dev.hcl", "key = \"dev\"\n"));
    assert_eq!(ids(&found.impact.units), [DEV]);
    assert_eq!(ids(&found.impact.removed_units), ["live/app"]);
    let reason = &found.impact.removed_units[0].reasons[0];
    assert_eq!(
        (reason.rule.as_str(), reason.text.clone()),
        ("other_units", format!("the unit live/app is gone: live/app is the unit {DEV}"))
    );
    assert_eq!(reason.chain[0].path.to_string(), "live/app/backend/dev.hcl");
    // And the other way, by a folder that is a module now.
    let found = asked(&FOUND, "", |repo| repo.write("live/app/backend/main.tf", "# m\n"));
    assert_eq!(ids(&found.impact.units), ["live/app"]);
    assert_eq!(ids(&found.impact.removed_units), [DEV, PROD]);
    assert_eq!(found.impact.units[0].reasons[0].rule, "other_units");
    assert_eq!(found.impact.units[0].reasons[0].chain[0].path.to_string(), "live/app/backend/main.tf");
}

#[test]
fn a_common_file_that_comes_gives_every_unit_another_id_and_says_that_the_state_stays() {
    let rules = "[[catalog.variants]]\ndirectories = ['live/app']\nvar_files = ['/common.tfvars', 'envs/{name}.tfvars']\nbackend = ['backend/{name}.hcl']\n";
    let app = APP.replace("{}", "{\n    bucket = \"b\"\n  }");
    let mut files = FOUND.to_vec();
    files[0].1 = &app;
    let found = asked(&files, rules, |repo| repo.write("common.tfvars", "x = 1\n"));
    let new = |id: &str| id.replace("app#", "app#var_file=common.tfvars&");
    assert_eq!(ids(&found.impact.units), [new(DEV), new(PROD)]);
    assert_eq!(ids(&found.impact.removed_units), [DEV, PROD]);
    let kept: Vec<_> = found
        .impact
        .renamed_units
        .iter()
        .map(|it| (it.from.to_string(), it.to.to_string(), it.state))
        .collect();
    assert_eq!(kept, [(DEV.into(), new(DEV), StateFate::Kept), (PROD.into(), new(PROD), StateFate::Kept)]);
    // And gone again: the new ones are named by what went.
    files.push(("common.tfvars", "x = 1\n"));
    let found = asked(&files, rules, |repo| repo.remove("common.tfvars"));
    assert_eq!(ids(&found.impact.units), [DEV, PROD]);
    assert_eq!(found.impact.units[0].reasons[0].chain[0].path.to_string(), "common.tfvars");
}

#[test]
fn a_renamed_unit_of_a_directory_is_followed_to_its_state() {
    let app = APP.replace("{}", "{\n    bucket = \"b\"\n  }");
    let mut files = FOUND.to_vec();
    files[0].1 = &app;
    let moved = |repo: &Repo| {
        repo.git(&["mv", "live/app/envs/dev.tfvars", "live/app/envs/test.tfvars"]);
        repo.git(&["mv", "live/app/backend/dev.hcl", "live/app/backend/test.hcl"]);
    };
    let found = asked(&files, "", moved);
    assert_eq!(ids(&found.impact.units), [DEV.replace("dev", "test")]);
    assert_eq!(ids(&found.impact.removed_units), [DEV]);
    assert_eq!(found.impact.renamed_units[0].state, StateFate::Kept, "{:?}", found.impact.renamed_units);
    // A workspace that is called like it goes with the name.
    let rules = "[[catalog.variants]]\ndirectories = ['live/app']\nworkspace = '{name}'\nvar_files = ['envs/{name}.tfvars']\n";
    let found = asked(&files, rules, moved);
    let renamed = &found.impact.renamed_units[0];
    assert_eq!(renamed.state, StateFate::Elsewhere);
    assert!(
        renamed.reasons[0].text.contains("it was in the workspace dev, and is looked for in test"),
        "{renamed:?}"
    );
    assert!(found.impact.warnings.contains(&renamed.reasons[0].text));
}

#[test]
fn a_renamed_directory_takes_its_units_along() {
    let app = APP.replace("{}", "{\n    bucket = \"b\"\n  }");
    let mut files = FOUND.to_vec();
    files[0].1 = &app;
    let found = asked(&files, "", |repo| drop(repo.git(&["mv", "live/app", "live/web"])));
    let web = |id: &str| id.replace("live/app", "live/web");
    assert_eq!(ids(&found.impact.units), [web(DEV), web(PROD)]);
    let renamed: Vec<_> =
        found.impact.renamed_units.iter().map(|it| (it.from.to_string(), it.to.to_string())).collect();
    assert_eq!(renamed, [(DEV.into(), web(DEV)), (PROD.into(), web(PROD))]);
}

#[test]
fn a_rule_that_speaks_of_an_id_touches_that_unit_alone() {
    let rules = "[[impact.rules]]\npaths = ['prod.lock']\ndo = 'everything'\nunits = ['live/**#var_file=*/prod.tfvars']\nreason = 'pinned'\n";
    let mut files = FOUND.to_vec();
    files.push(("prod.lock", "1"));
    assert_eq!(touched(&files, rules, "prod.lock"), [PROD]);
    let all = rules.replace("#var_file=*/prod.tfvars", "");
    assert_eq!(touched(&files, &all, "prod.lock"), [DEV, PROD]);
}

#[test]
fn units_that_share_a_directory_need_not_share_their_environment() {
    let policy = "[environments.prod]\nunits = ['live/**#var_file=*/prod.tfvars']\norder = 2\n[environments.dev]\nunits = ['live/**']\norder = 1\n";
    let policy = Policy::of(&Configuration::parse(policy, "infraflow.toml").unwrap(), "").unwrap();
    let head = asked(&FOUND, "", |_| {}).head;
    let head = head.with_environments(move |unit: &UnitId| -> Option<EnvironmentName> {
        Some(policy.environment_of_id(unit.path(), &unit.to_string())?.name.clone())
    });
    let found: Vec<String> =
        head.units().unwrap().iter().map(|unit| unit.environment.as_ref().unwrap().to_string()).collect();
    assert_eq!(found, ["dev", "prod"]);
    let unit = head.unit(&UnitId::parse(PROD).unwrap()).unwrap().unwrap();
    assert_eq!(unit.environment.unwrap().as_str(), "prod");
    assert!(head.unit(&UnitId::new(RepoPath::parse("live/app").unwrap())).unwrap().is_none());
}

#[test]
fn a_doubtful_directory_is_one_unit_and_warns() {
    let mut files = FOUND.to_vec();
    files.push(("live/app/dev.tfbackend", "key = \"x\"\n"));
    let found = asked(&files, "", |repo| repo.write("live/app/main.tf", format!("{APP}# changed\n")));
    assert_eq!(ids(&found.impact.units), ["live/app"]);
    assert!(
        found.impact.warnings.iter().any(|text| text.contains("dev has several backend files")),
        "{:?}",
        found.impact.warnings
    );
    assert!(found.impact.to_json().unwrap().contains("several backend files"));
    assert!(!found.head.warnings().unwrap().is_empty());
}
