//! What is dry-run, and why.

use super::*;

#[test]
fn a_plan_has_each_unit_with_its_environment_and_what_it_reads_elsewhere() {
    if !fixture::has("terraform", "a_plan_has_each_unit_with_its_environment_and_what_it_reads_elsewhere") {
        return;
    }
    let module = format!(
        "{BACKEND}module \"m\" {{ source = \"../../modules/m\" }}\nlocals {{ p = file(\"${{path.module}}/../../policies/a.json\") }}\n"
    );
    let repo = Repo::with(&[
        ("dev/a/main.tf", &module),
        ("dev/a/nested/main.tf", BACKEND),
        ("prod/a/main.tf", BACKEND),
        ("lab/a/main.tf", BACKEND),
        ("modules/m/main.tf", "locals { t = file(\"${path.module}/../shared/t.txt\") }\n"),
        ("modules/shared/t.txt", "t"),
        ("policies/a.json", "{}"),
    ]);
    let (_, revision, catalog) = catalog(&repo);
    let runner = TerraformDryRunner::new(tool());
    let plan = runner.plan(&revision, &catalog, Scope::All, &policy()).unwrap();
    let units: Vec<_> = plan
        .units
        .iter()
        .map(|unit| (unit.id.to_string(), unit.environment.as_ref().map(ToString::to_string)))
        .collect();
    let environment = |name: &str| Some(name.to_owned());
    let expected = [
        ("dev/a", environment("dev")),
        ("dev/a/nested", environment("dev")),
        ("lab/a", None),
        ("prod/a", environment("prod")),
    ];
    assert_eq!(units, expected.map(|(id, environment)| (id.to_owned(), environment)));
    let paths = |paths: &[RepoPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(paths(&plan.units[0].others), ["dev/a/nested"]);
    let reads = paths(&plan.units[0].reads);
    assert!(reads.contains(&"policies/a.json".to_owned()), "{reads:?}");
    assert!(reads.contains(&"modules/shared/t.txt".to_owned()), "{reads:?}");
    assert_eq!(plan, runner.plan(&revision, &catalog, Scope::All, &policy()).unwrap());

    let id = UnitId::parse("prod/a").unwrap();
    let one = runner.plan(&revision, &catalog, Scope::Units(std::slice::from_ref(&id)), &policy()).unwrap();
    assert_eq!((one.units.len(), &one.units[0].id), (1, &id));
    let wrong = [UnitId::parse("prod/b").unwrap()];
    let refused = runner.plan(&revision, &catalog, Scope::Units(&wrong), &policy()).unwrap_err();
    assert!(matches!(refused, DryRunError::UnknownUnit { .. }));
    assert!(refused.to_string().contains("the nearest one is prod/a"), "{refused}");
}

#[test]
fn a_change_dry_runs_what_it_touches_and_says_that_nothing_plans_what_it_removes() {
    let name = "a_change_dry_runs_what_it_touches_and_says_that_nothing_plans_what_it_removes";
    if !fixture::has("terraform", name) {
        return;
    }
    let repo = Repo::with(&[
        ("dev/touched/main.tf", BACKEND),
        ("dev/left/main.tf", BACKEND),
        ("dev/removed/main.tf", BACKEND),
    ]);
    let (repository, base, before) = catalog(&repo);
    repo.branch("change");
    repo.write("dev/touched/more.tf", "resource \"terraform_data\" \"a\" {}\n");
    repo.remove("dev/removed/main.tf");
    repo.commit("feat: a change");
    let (_, head, after) = catalog(&repo);
    let changes = GitDetector::default().detect(&repository, &base, &head).unwrap();
    let impact = assess(&changes, &before, &after).unwrap();
    let runner = TerraformDryRunner::new(tool());
    let plan = runner.plan(&head, &after, Scope::Impact(&impact), &policy()).unwrap();
    let units: Vec<String> = plan.units.iter().map(|unit| unit.id.to_string()).collect();
    assert_eq!(units, ["dev/touched"]);
    assert_eq!(plan.units[0].reasons[0].chain[0].path.to_string(), "dev/touched/more.tf");
    assert_eq!(plan.skipped[0].id.to_string(), "dev/removed");
    assert_eq!(plan.skipped[0].reasons[0].rule, "removed");
}
